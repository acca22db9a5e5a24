//! Where tunnel agents tell of their tunnels.

use url::Url;

use super::address;
use super::http::HttpConfig;
use super::problem::{Problem, Problems};
use super::settings::Settings;

const NGROK: &str = "BROKER_NGROK_API";
const CLOUDFLARED: &str = "BROKER_CLOUDFLARED_METRICS";
/// What `--tunnel` has to know before everything else.
const NEEDED: [&str; 4] = ["APP_PORT", "PORT", NGROK, CLOUDFLARED];

/// Where the agents answer; `None`: they are not asked.
#[derive(Clone, Debug)]
pub struct TunnelApis {
    /// `BROKER_NGROK_API`: the `web_addr` of ngrok's agent.
    pub ngrok: Option<Url>,
    /// `BROKER_CLOUDFLARED_METRICS`: what cloudflared has as `--metrics`.
    pub cloudflared: Option<Url>,
}

impl TunnelApis {
    pub(super) fn read(settings: &mut Settings) -> Self {
        Self {
            ngrok: read_api(settings, NGROK, "http://127.0.0.1:4040"),
            cloudflared: read_api(settings, CLOUDFLARED, "http://127.0.0.1:20241"),
        }
    }
}

fn read_api(settings: &mut Settings, name: &'static str, default: &str) -> Option<Url> {
    let given = settings.parsed(name, |text| {
        if text.eq_ignore_ascii_case("off") {
            return Ok(None);
        }
        let url = address::web_url(text)?;
        if url.path() != "/" || url.query().is_some() {
            return Err(format!(
                "write the address without a path, for example {default}, or off"
            ));
        }
        Ok(Some(url))
    });
    given.unwrap_or_else(|| Url::parse(default).ok())
}

/// What is read before all other settings, because `PUBLIC_URL` is to come from a tunnel.
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
    /// Reads these few, from the same sources as [`Config::load`](super::Config::load); problems of others are told there.
    ///
    /// # Errors
    /// The problems of these few.
    pub fn load(
        env: impl IntoIterator<Item = (String, String)>,
        dotenv: Option<&str>,
    ) -> Result<Self, Problems> {
        let mut settings = Settings::collect(env, dotenv);
        let http = HttpConfig::read(&mut settings, None);
        let mut problems: Vec<Problem> = settings.problems;
        problems.retain(|problem| NEEDED.contains(&problem.variable.as_str()));
        if problems.is_empty() {
            Ok(Self {
                port: http.port,
                public_url: http.public_base(),
                apis: http.tunnels,
            })
        } else {
            Err(Problems(problems))
        }
    }
}
