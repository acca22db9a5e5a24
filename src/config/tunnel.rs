//! The few settings that `serve --tunnel` needs before all others, because `PUBLIC_URL` is to come from a tunnel.

use super::http::{TunnelApis, origin_text, read_port};
use super::problem::{Problem, Problems};
use super::settings::{APP_PORT, BROKER_CLOUDFLARED_METRICS, BROKER_NGROK_API, PORT, PUBLIC_URL};
use super::values::Values;

const NEEDED: [&str; 4] = [
    APP_PORT.variable.name,
    PORT.variable.name,
    BROKER_NGROK_API.variable.name,
    BROKER_CLOUDFLARED_METRICS.variable.name,
];

/// See [`TunnelSettings::load`].
#[derive(Clone, Debug)]
pub struct TunnelSettings {
    /// `APP_PORT`, else `PORT`.
    pub port: u16,
    /// `PUBLIC_URL`, when it is set as well.
    pub public_url: Option<String>,
    /// Where the agents answer.
    pub apis: TunnelApis,
}

impl TunnelSettings {
    /// Reads these few, from the same sources as [`Config::load`](super::Config::load), which reports the problems of the
    /// others.
    ///
    /// # Errors
    /// The problems of these few.
    pub fn load(
        env: impl IntoIterator<Item = (String, String)>,
        dotenv: Option<&str>,
    ) -> Result<Self, Problems> {
        let mut values = Values::collect(env, dotenv);
        let settings = Self {
            port: read_port(&mut values),
            public_url: values.optional(&PUBLIC_URL).map(|url| origin_text(&url)),
            apis: TunnelApis::read(&mut values),
        };
        let mut problems: Vec<Problem> = values.problems;
        problems.retain(|problem| NEEDED.contains(&problem.variable.as_str()));
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(Problems(problems))
        }
    }
}
