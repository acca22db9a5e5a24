#![doc = include_str!("../README.md")]
//!
//! # Layout
//!
//! [`server`] speaks HTTP, `api` has Plaid's endpoints over the tables of `fields`, `state` holds tokens and Items, `link` is
//! Link's page and its calls, `fault` and `recorder` are for tests, and [`command`] is the command line.

mod accounts;
mod adjustable_clock;
mod api;
mod asset_reports;
mod auth_flags;
pub mod command;
mod contact;
mod controls;
mod data;
mod deposits;
mod duplicates;
mod error;
mod fault;
mod fields;
pub mod guesses;
mod handle;
mod ids;
mod institutions;
mod item;
mod link;
mod link_token;
mod made_transactions;
mod news;
mod payment_book;
mod products;
mod pulls;
mod rate_limits;
mod recorder;
mod redirect_list;
pub mod server;
mod shelf;
mod snapshot;
mod state;
mod subtypes;
mod test_users;
mod tokens_in;
mod transfers;
mod user;
mod webhook;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use plaid_token_broker_core::clock::{SharedClock, SystemClock, Timestamp};
use plaid_token_broker_core::secret::{PlaidPublicToken, PlaidSecret};

use self::adjustable_clock::AdjustableClock;
pub use self::adjustable_clock::TooFarAhead;
use self::fault::Faults;
pub use self::fault::{Fault, FaultRefused, WaitingFault};
pub use self::guesses::Guesses;
pub use self::handle::NoSuchItem;
pub use self::link::LinkOptions;
use self::rate_limits::RateLimits;
use self::recorder::Recorder;
pub use self::recorder::{RecordedHeaders, RecordedRequest};
pub use self::server::{RunningSimulator, serve};
pub use self::snapshot::{SnapshotError, Switches};
use self::state::State;
use self::webhook::Outbox;
use self::webhook::keys::Keys;
pub use self::webhook::{WebhookState, WebhookView};

/// The simulator's own client id: shaped like Plaid's, and public.
pub const CLIENT_ID: &str = "5a11ced0c0ffee0000000001";

/// The secret that belongs to [`CLIENT_ID`]. It opens nothing but simulators.
pub const SECRET: &str = "51a11a7ed5ec4e7000000000000001";

/// Whether Plaid has a product of this name.
#[must_use]
pub fn is_product(name: &str) -> bool {
    products::is_known(name)
}

/// What a second exchange of one public token does. Plaid's pages do not say, and reports point both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum PublicTokenReuse {
    /// It is refused with `INVALID_PUBLIC_TOKEN`.
    #[default]
    SingleUse,
    /// It gives the same access token and Item.
    SameToken,
    /// It gives a fresh access token for the same Item; the earlier one goes on working.
    NewToken,
}

/// How a simulator is set up.
pub struct Options {
    /// Pairs of client id (24 hexadecimal digits) and secret that are accepted beside the built-in one.
    pub keys: Vec<(String, String)>,
    /// Where time comes from.
    pub clock: SharedClock,
    /// What a second exchange of one public token does.
    pub public_token_reuse: PublicTokenReuse,
    /// The Dashboard's list of allowed redirect URIs; `None` allows all that keep Plaid's rules of form.
    pub redirect_uris: Option<Vec<String>>,
    /// Choices about Link.
    pub link: LinkOptions,
    /// What the simulator does where Plaid's pages are silent.
    pub guesses: Guesses,
    /// Whether calls are limited as in Plaid's Sandbox (<https://plaid.com/docs/errors/rate-limit-exceeded/>).
    pub rate_limits: bool,
    /// Pairs of client id and the products that Plaid has enabled for it; a client without one has all.
    pub enabled_products: Vec<(String, Vec<String>)>,
    /// Whether each call leaves a line in the log at `info`: path, status, error code and time taken.
    pub log_calls: bool,
    /// Decides all balances, names and movements; two simulators with one seed have the same data.
    pub seed: u64,
    /// How long after the exchange the first transactions are there; history takes three times as long,
    /// an asset report twice. Before that the answer is `PRODUCT_NOT_READY`.
    pub data_delay: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            clock: Arc::new(SystemClock),
            public_token_reuse: PublicTokenReuse::default(),
            redirect_uris: None,
            link: LinkOptions::default(),
            guesses: Guesses::default(),
            rate_limits: false,
            enabled_products: Vec::new(),
            log_calls: false,
            seed: 0,
            data_delay: Duration::from_secs(1),
        }
    }
}

/// A Plaid of one's own. Clones share their state.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

struct Inner {
    keys: Vec<(Arc<str>, PlaidSecret)>,
    clock: AdjustableClock,
    switches: Mutex<Switches>,
    redirect_uris: Option<Vec<String>>,
    enabled_products: Vec<(String, Vec<String>)>,
    log_calls: bool,
    /// A snapshot brings its own.
    seed: Mutex<Arc<str>>,
    data_delay: Duration,
    state: Mutex<State>,
    /// Held while data is made up: the memory for it does not grow with the number of cores.
    making: [Mutex<()>; 2],
    rate_limits: Mutex<RateLimits>,
    webhook_keys: Mutex<Keys>,
    outbox: Mutex<Outbox>,
    outbox_changed: Notify,
    faults: Mutex<Faults>,
    recorder: Mutex<Recorder>,
}

/// What is known of one Item, for tests to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemView {
    /// Plaid's `item_id`.
    pub item_id: String,
    /// The client that owns it.
    pub client_id: String,
    /// Plaid's `institution_id`; empty when account numbers were typed in and no bank is known.
    pub institution_id: String,
    /// The products on the Item.
    pub products: Vec<String>,
    /// The `account_id`s that the person chose.
    pub account_ids: Vec<String>,
    /// Whether the Item waits for Link's update mode (`ITEM_LOGIN_REQUIRED`).
    pub login_required: bool,
    /// Whether the Item was removed.
    pub removed: bool,
}

/// What `onSuccess` gets: see <https://plaid.com/docs/link/web/#onsuccess>.
#[derive(Clone, Debug)]
pub struct LinkSuccess {
    /// To be exchanged within 30 minutes. A payment or consent of Payment Initiation ends without one: it makes no Item.
    pub public_token: Option<PlaidPublicToken>,
    /// Institution, accounts and `link_session_id`.
    pub metadata: serde_json::Value,
}

impl Simulator {
    /// A fresh simulator: no Item, no token.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let built_in = (CLIENT_ID.to_owned(), SECRET.to_owned());
        let keys = std::iter::once(built_in)
            .chain(options.keys)
            .map(|(client_id, secret)| (client_id.into(), PlaidSecret::new(secret)))
            .collect();
        let clock = AdjustableClock::over(options.clock);
        Self(Arc::new(Inner {
            keys,
            switches: Mutex::new(Switches {
                public_token_reuse: options.public_token_reuse,
                rate_limits: options.rate_limits,
                link: options.link,
                guesses: options.guesses,
            }),
            redirect_uris: options.redirect_uris,
            enabled_products: options.enabled_products,
            log_calls: options.log_calls,
            seed: Mutex::new(options.seed.to_string().into()),
            data_delay: options.data_delay,
            state: Mutex::default(),
            making: Default::default(),
            rate_limits: Mutex::default(),
            webhook_keys: Mutex::new(Keys::new(clock.wall())),
            clock,
            outbox: Mutex::default(),
            outbox_changed: Notify::new(),
            faults: Mutex::default(),
            recorder: Mutex::default(),
        }))
    }

    /// Plaid's API paths, and under `/_simulator/` Link and the controls. Serve it with [`serve`], which alone
    /// can close a connection without an answer.
    pub fn router(&self) -> Router {
        Router::new()
            .nest(
                "/_simulator/link",
                link::routes(self.clone(), link::FrameAncestors::Loopback),
            )
            .nest("/_simulator/hosted", link::hosted_routes(self.clone()))
            .nest("/_simulator", controls::routes(self.clone()))
            .fallback(api::answer)
            .with_state(self.clone())
    }

    /// Link's script, page and calls, to be nested at any path of another origin; only pages of that origin
    /// may frame it.
    pub fn link_routes(&self) -> Router {
        link::routes(self.clone(), link::FrameAncestors::SameOrigin)
    }

    /// Binds `127.0.0.1:0` and serves until the handle is dropped.
    pub async fn start(options: Options) -> std::io::Result<RunningSimulator> {
        RunningSimulator::start(Self::new(options)).await
    }

    /// Lays a fault in wait for the next call of `path` (`/item/get`). Several for one path are met in turn. One that
    /// cannot be met is dropped with a warning: [`Self::try_enqueue`] tells why.
    pub fn enqueue(&self, path: &str, fault: Fault) {
        if let Err(error) = self.try_enqueue(path, fault) {
            tracing::warn!(path, %error, "a fault is dropped");
        }
    }

    /// The last calls of Plaid's paths, oldest first. Of what was sent only that is kept which Plaid
    /// publishes: paths, names of fields, words, products; and dates, small numbers and the client ids known here.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.0.recorder).requests()
    }

    /// How often `path` was called since the start, faults included; only paths that are answered are counted.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        lock(&self.0.recorder).count(path)
    }

    /// The Item that `access_token` opens, or opened before it was removed.
    #[must_use]
    pub fn item_by_access_token(&self, access_token: &str) -> Option<ItemView> {
        let now = self.now();
        self.state().item_of(access_token).map(|item| item.view(now))
    }

    /// How many Items exist that were exchanged and not removed.
    #[must_use]
    pub fn live_items(&self) -> usize {
        self.state().live_items()
    }

    /// Runs Link without a browser, as a person with the standard test login at the first bank that is offered:
    /// the public token and the metadata that `onSuccess` gets. `None` when the link token is unknown or has
    /// expired, or no bank has all its products.
    #[must_use]
    pub fn complete_link(&self, link_token: &str) -> Option<LinkSuccess> {
        let mut answer = link::complete(self, link_token).ok()?;
        let public_token = answer.get("public_token")?.as_str().map(str::to_owned);
        let metadata = answer.get_mut("metadata")?.take();
        Some(LinkSuccess {
            public_token: public_token.map(PlaidPublicToken::new),
            metadata,
        })
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }

    /// Waits for a turn to make up data for an Item.
    fn turn(&self, item_id: &str) -> Option<MutexGuard<'_, ()>> {
        let first = item_id.as_bytes().first().copied().map_or(0, usize::from);
        let turns = &self.0.making;
        turns.get(first % turns.len()).map(lock)
    }

    fn has_client(&self, client_id: &str) -> bool {
        self.0.keys.iter().any(|(id, _)| &**id == client_id)
    }

    /// The client whose keys these are.
    fn client(&self, client_id: &str, secret: &str) -> Option<Arc<str>> {
        let mut keys = self.0.keys.iter();
        let known = keys.find(|(id, expected)| &**id == client_id && expected.matches(secret));
        known.map(|(id, _)| id.clone())
    }
}

/// A panic while the lock was held leaves a state that is at worst one call behind; serving on is better than
/// failing every call after it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
