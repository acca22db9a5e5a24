//! Where the settings of this process come from: its environment, and `.env` in the working directory.

use std::path::Path;

use super::dotenv::{misnamed_dotenv, read_dotenv};
use super::problem::{Problem, Problems};
use super::{Config, LoadOptions, TunnelSettings};

/// The settings as they were found, before they are read.
#[derive(Clone)]
pub struct Sources {
    env: Vec<(String, String)>,
    dotenv: Option<String>,
    /// What is worth saying about a `.env` that is missing.
    note: Option<Problem>,
}

impl Sources {
    /// Those of this process.
    ///
    /// # Errors
    /// When there is a `.env` that cannot be read.
    pub fn here() -> Result<Self, Problem> {
        let dir = Path::new(".");
        let dotenv = read_dotenv(dir)?;
        let misnamed = misnamed_dotenv(dir).filter(|_| dotenv.is_none());
        // What is not Unicode becomes U+FFFD, which no setting accepts, so it is reported and does not end the process as
        // `std::env::vars` would.
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        Ok(Self {
            env: std::env::vars_os()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
            dotenv,
            note: misnamed.map(|name| {
                let expected =
                    format!("is missing, but there is a file {name}, which is not read: rename it to .env");
                Problem::new(".env", expected)
            }),
        })
    }

    /// Sets a variable for this run; it wins over all else.
    pub fn set(&mut self, name: &str, value: &str) {
        // The last of two counts.
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Loads all settings.
    ///
    /// # Errors
    /// See [`Config::load`].
    pub fn load(&self, options: LoadOptions) -> Result<Config, Problems> {
        let options = LoadOptions {
            stderr_is_terminal: std::io::IsTerminal::is_terminal(&std::io::stderr()),
            ..options
        };
        match Config::load(self.env.clone(), self.dotenv.as_deref(), options) {
            Ok(mut config) => {
                config.warnings.extend(self.note.as_ref().map(Problem::to_string));
                Ok(config)
            }
            Err(Problems(mut problems)) => {
                problems.extend(self.note.clone());
                Err(Problems(problems))
            }
        }
    }

    /// Loads the few settings that `--tunnel` needs first.
    ///
    /// # Errors
    /// See [`TunnelSettings::load`].
    pub fn load_for_tunnel(&self) -> Result<TunnelSettings, Problems> {
        TunnelSettings::load(self.env.clone(), self.dotenv.as_deref())
    }
}
