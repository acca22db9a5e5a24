//! What the broker that runs with these settings says of itself, for the commands that look at it from outside: its public
//! address is not in the settings when `serve --tunnel` took it from a tunnel, nor is a port that the system chose.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{healthcheck, reachable};
use crate::clock::SystemClock;
use crate::config::{self, Config, LoadOptions, Problems};
use crate::control::{Answer, Description, Keys, Remote, Request, account_text};
use crate::store::keyring::Keyring;

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
    let dotenv = config::read_dotenv(Path::new("."))?;
    let mut env = config::environment();
    let options = LoadOptions {
        stderr_is_terminal: std::io::IsTerminal::is_terminal(&std::io::stderr()),
        ..options
    };
    // What hangs on `PUBLIC_URL` is judged when that is known.
    let to_ask = LoadOptions {
        without_clients: true,
        ..options
    };
    let asking = match Config::load(env.clone(), dotenv.as_deref(), to_ask) {
        Ok(asking) => asking,
        Err(problems) => {
            // All of them at once, those of what was left out too.
            Config::load(env, dotenv.as_deref(), options)?;
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
        // The last of two counts.
        env.push(("PUBLIC_URL".to_owned(), told.clone()));
    }
    Ok(Running {
        config: Config::load(env, dotenv.as_deref(), options)?,
        description,
        given,
    })
}

/// Whether anything answers there as a broker does: what is silent is not waited for long.
fn is_alive(address: SocketAddr) -> bool {
    address.port() != 0 && healthcheck::ask(address).is_ok()
}

/// Asks the broker of these settings. `None`: none runs, or not where these settings say.
async fn describe(config: &Config) -> Option<Description> {
    let keyring = Keyring::existing(&config.store.keys).ok()??;
    let address = reachable(config.http.ops_bind);
    let remote = Remote {
        address: is_alive(address).then_some(address)?,
        keys: Keys::of(&keyring),
        account: account_text(config.plaid.environment.name(), &config.plaid.client_id),
        clock: Arc::new(SystemClock),
    };
    let asked = remote.ask(&Request::Describe {}, |_| {});
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(Answer::Description { description })) => Some(*description),
        _ => None,
    }
}
