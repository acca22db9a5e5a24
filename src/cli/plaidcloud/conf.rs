//! `plaidcloud conf`: find, show, import and check the configuration.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use plaidcloud::Call;
use plaidcloud::conf::{Connection, GrantType, Origin, import};
use serde_json::{Map, Value};

use super::{From, fail, print, read_bytes, usage, wait, warn};
use crate::cli::{complain, say};

const CHECKED: &str = "identity/me/scopes";
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Subcommand)]
pub(super) enum Conf {
    /// Print the path of the nearest plaid.conf.
    Locate {
        /// List every directory that was searched.
        #[arg(long)]
        verbose: bool,
    },
    /// Show the configuration in use, without secrets.
    Show {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    Import(Import),
    /// Call identity/me/scopes, and explain what fails.
    Check,
}

/// Write the configuration text of a registered system to DIR/.plaid/plaid.conf.
///
/// The text is behind the gear icon in the web app (Analyze > Tools > Registered Systems). It is checked as a whole
/// first.
#[derive(Args, Debug)]
pub(super) struct Import {
    /// The file with the text; standard input without it or with `-`.
    file: Option<String>,
    /// The directory that gets .plaid/plaid.conf; the working directory without it.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Replace an existing plaid.conf.
    #[arg(long)]
    force: bool,
}

impl Conf {
    pub(super) fn run(self, from: &From) -> Result<(), u8> {
        match self {
            Self::Locate { verbose } => locate(from, verbose),
            Self::Show { json } => show(from, json),
            Self::Import(import) => import.run(),
            Self::Check => check(from),
        }
    }
}

fn locate(from: &From, verbose: bool) -> Result<(), u8> {
    let located = from.located()?;
    if verbose {
        for level in &located.levels {
            complain(&format!("searched {level}"));
        }
    }
    if from.conf.is_none() && has_environment()? {
        warn(
            "the environment has __PLAID_RPC_URI__ and __PLAID_RPC_AUTH_TOKEN__, which are used instead of the file",
        );
    }
    say(&located.path.display().to_string());
    Ok(())
}

fn has_environment() -> Result<bool, u8> {
    let read = Connection::from_environment(|name| std::env::var(name).ok());
    read.map(|found| found.is_some()).map_err(fail)
}

fn show(from: &From, json: bool) -> Result<(), u8> {
    let connection = from.connection()?;
    for note in &connection.notes {
        warn(note);
    }
    let shown = shown(&connection);
    if json {
        return print(Value::Object(shown).to_string().as_bytes());
    }
    for (name, value) in &shown {
        match value {
            Value::String(text) => say(&format!("{name}: {text}")),
            other => say(&format!("{name}: {other}")),
        }
    }
    Ok(())
}

/// What is configured and what follows from it; secrets by their length alone.
fn shown(connection: &Connection) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |name: &str, value: String| {
        if !value.is_empty() {
            shown.insert(name.to_owned(), Value::String(value));
        }
    };
    put(
        "source",
        match &connection.origin {
            Origin::Arguments => "arguments".to_owned(),
            Origin::Environment => "environment".to_owned(),
            Origin::File(path) => path.display().to_string(),
        },
    );
    put("rpc_uri", connection.rpc_uri.to_string());
    put("workspace_uuid", connection.workspace_uuid.clone());
    put("project_id", connection.project_id.clone());
    put("workflow_id", connection.workflow_id.clone());
    put("step_id", connection.step_id.clone());
    let uri = |uri: Option<url::Url>| uri.map(|uri| uri.to_string()).unwrap_or_default();
    put("auth_uri", uri(connection.auth_uri.clone()));
    put("token_uri", uri(connection.token_uri()));
    put("authorization_uri", uri(connection.authorization_uri()));
    let token = connection.fixed_token.as_ref();
    put(
        "auth_token",
        token.map(plaidcloud::Secret::redacted).unwrap_or_default(),
    );
    if let Some(conf) = &connection.conf {
        put("name", conf.name.clone());
        put("user_id", conf.user_id.clone());
        put("hostname", conf.hostname.clone());
        put("realm", conf.realm.clone().unwrap_or_default());
        put("client_id", conf.client_id.clone());
        put("client_secret", conf.client_secret.redacted());
        put("redirect_uri", conf.redirect_uri.clone());
        let code = conf.auth_code.as_ref();
        put(
            "auth_code",
            code.map(plaidcloud::Secret::redacted).unwrap_or_default(),
        );
        let grant_type = match conf.grant_type {
            GrantType::Code => "code",
            GrantType::ClientCredentials => "client_credentials",
        };
        put("grant_type", grant_type.to_owned());
    }
    shown.insert("verify_ssl".to_owned(), Value::Bool(connection.verify_tls));
    shown
}

impl Import {
    fn run(self) -> Result<(), u8> {
        let file = self.file.unwrap_or_else(|| "-".to_owned());
        if file == "-" && std::io::IsTerminal::is_terminal(&std::io::stdin()) {
            complain("Paste the configuration text, press Enter, then Ctrl-D.");
        }
        let bytes = read_bytes(&file).map_err(|error| usage(&format!("{file} cannot be read: {error}")))?;
        let directory = self.dir.unwrap_or_else(|| PathBuf::from("."));
        let imported = import(&bytes, &directory, self.force).map_err(fail)?;
        for note in &imported.notes {
            warn(note);
        }
        say(&imported.path.display().to_string());
        Ok(())
    }
}

fn check(from: &From) -> Result<(), u8> {
    let client = from.client(PATIENCE)?;
    let connection = client.connection();
    match &connection.origin {
        Origin::Arguments => complain("configuration: the arguments"),
        Origin::Environment => complain("configuration: the environment"),
        Origin::File(path) => {
            complain(&format!("configuration: {}", path.display()));
            others_can_read(path);
        }
    }
    let call = Call::new(CHECKED).map_err(fail)?;
    let scopes = wait(client.call(&call))?;
    say(&format!("{CHECKED} works. Scopes: {}", scopes.get()));
    Ok(())
}

#[cfg(unix)]
fn others_can_read(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map(|found| found.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        warn("other users of this machine can read the file with its secrets: chmod 600 it");
    }
}

#[cfg(not(unix))]
fn others_can_read(_: &std::path::Path) {}
