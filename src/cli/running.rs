//! The settings, and what the broker that runs with them reports, for the commands that look at it from outside: its public
//! address is not in the settings when `serve --tunnel` took it from a tunnel, nor is a port that the system chose.

use std::time::Duration;

use super::operate;
use crate::config::{Config, LoadOptions, Problems, Sources};
use crate::doctor::{Description, Running};
use crate::server::control::{Answer, Request};

/// The broker tries its store meanwhile, which waits a while for a disk that hangs.
const LIMIT: Duration = Duration::from_secs(12);

/// Loads the settings, with the `PUBLIC_URL` of the broker that runs with them if there is one that can be asked.
pub(super) fn settings(options: LoadOptions) -> Result<(Config, Option<Running>), Problems> {
    let mut sources = Sources::here()?;
    // What depends on `PUBLIC_URL` is validated when that is known.
    let to_ask = LoadOptions {
        without_clients: true,
        ..options
    };
    let asking = match sources.load(to_ask) {
        Ok(asking) => asking,
        Err(problems) => {
            // All problems at once, those of what was left out too.
            sources.load(options)?;
            return Err(problems);
        }
    };
    let runtime = operate::new_runtime().ok();
    let description = runtime.and_then(|runtime| runtime.block_on(describe(&asking)));
    let Some(description) = description else {
        return Ok((sources.load(options)?, None));
    };
    let configured_url = asking.http.public_base();
    let default_url = || format!("http://localhost:{}", asking.http.port);
    if description.public_url != configured_url.clone().unwrap_or_else(default_url) {
        sources.set("PUBLIC_URL", &description.public_url);
    }
    let running = Running {
        description,
        configured_url,
    };
    Ok((sources.load(options)?, Some(running)))
}

/// `None`: no broker runs, or not with these settings.
async fn describe(config: &Config) -> Option<Description> {
    let remote = operate::remote(config);
    let asked = remote.ask(&Request::Describe {}, |_| {});
    match tokio::time::timeout(LIMIT, asked).await {
        Ok(Ok(Answer::Description { description })) => Some(*description),
        _ => None,
    }
}
