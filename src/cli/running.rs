//! What the broker that runs with these settings says of itself, for the commands that look at it from outside: its public
//! address is not in the settings when `serve --tunnel` took it from a tunnel, nor is a port that the system chose.

use std::time::Duration;

use super::operate;
use crate::config::{Config, LoadOptions, Problems, Sources};
use crate::server::control::{Answer, Description, Request};

/// It tries its store meanwhile, which waits a while for a disk that hangs.
const PATIENCE: Duration = Duration::from_secs(12);

/// The settings, and the broker that runs with them.
pub(super) struct Running {
    /// With the running broker's `PUBLIC_URL`, and what follows from that.
    pub(super) config: Config,
    /// What it says, when there is one that can be asked.
    pub(super) description: Option<Description>,
    /// `PUBLIC_URL` of the settings themselves.
    pub(super) given: Option<String>,
}

/// Loads the settings and asks the broker.
///
/// # Errors
/// What is wrong with the settings.
pub(super) fn settings(options: LoadOptions) -> Result<Running, Problems> {
    let mut sources = Sources::here()?;
    // What hangs on `PUBLIC_URL` is judged when that is known.
    let to_ask = LoadOptions {
        without_clients: true,
        ..options
    };
    let asking = match sources.load(to_ask) {
        Ok(asking) => asking,
        Err(problems) => {
            // All of them at once, those of what was left out too.
            sources.load(options)?;
            return Err(problems);
        }
    };
    let given = asking.http.public_base();
    let description = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()
        .and_then(|runtime| runtime.block_on(describe(&asking)));
    let told = description.as_ref().map(|description| &description.public_url);
    let expected = given
        .clone()
        .unwrap_or_else(|| format!("http://localhost:{}", asking.http.port));
    if let Some(told) = told.filter(|told| **told != expected) {
        sources.set("PUBLIC_URL", told);
    }
    Ok(Running {
        config: sources.load(options)?,
        description,
        given,
    })
}

/// Asks the broker of these settings. `None`: none runs, or not with these settings.
async fn describe(config: &Config) -> Option<Description> {
    let remote = operate::remote(config);
    let asked = remote.ask(&Request::Describe {}, |_| {});
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(Answer::Description { description })) => Some(*description),
        _ => None,
    }
}
