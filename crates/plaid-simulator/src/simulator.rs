//! The state that all parts of the simulator share: keys, clock, switches, Items, faults, recorded calls and webhooks.

pub(crate) mod clock;
pub(crate) mod duplicates;
pub(crate) mod ledger_view;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use plaid_token_broker_core::clock::{SharedClock, SystemClock, Timestamp};
use plaid_token_broker_core::secret::PlaidSecret;
use tokio::sync::Notify;

use self::clock::AdjustableClock;
use crate::calls::faults::Faults;
use crate::calls::rate_limits::RateLimits;
use crate::calls::recorder::Recorder;
use crate::items::{Item, State};
use crate::spec::switches::{LinkOptions, PublicTokenReuse, Switches};
use crate::spec::{Guesses, PlaidError, lock};
use crate::webhooks::keys::Keys;
use crate::webhooks::{Outbox, Webhook};

/// The simulator's own client id: shaped like Plaid's, and public.
pub const CLIENT_ID: &str = "5a11ced0c0ffee0000000001";

/// The secret that belongs to [`CLIENT_ID`]. It opens nothing but simulators.
pub const SECRET: &str = "51a11a7ed5ec4e7000000000000001";

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

/// A simulated Plaid. Clones share their state.
#[derive(Clone)]
pub struct Simulator(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) keys: Vec<(Arc<str>, PlaidSecret)>,
    pub(crate) clock: AdjustableClock,
    pub(crate) switches: Mutex<Switches>,
    pub(crate) redirect_uris: Option<Vec<String>>,
    pub(crate) enabled_products: Vec<(String, Vec<String>)>,
    pub(crate) log_calls: bool,
    /// A snapshot brings its own.
    pub(crate) seed: Mutex<Arc<str>>,
    pub(crate) data_delay: Duration,
    pub(crate) state: Mutex<State>,
    /// How often the state was used: where this stays, nothing has changed.
    pub(crate) uses: AtomicU64,
    /// Held while data is made up: the memory for it does not grow with the number of cores.
    pub(crate) making: [Mutex<()>; 2],
    pub(crate) rate_limits: Mutex<RateLimits>,
    pub(crate) webhook_keys: Mutex<Keys>,
    pub(crate) outbox: Mutex<Outbox>,
    pub(crate) outbox_changed: Notify,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) recorder: Mutex<Recorder>,
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
            uses: AtomicU64::default(),
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

    /// The time that tokens and Items live by.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.uses.fetch_add(1, Ordering::Relaxed);
        lock(&self.0.state)
    }

    /// Waits for a turn to make up data for an Item.
    pub(crate) fn turn(&self, item_id: &str) -> Option<MutexGuard<'_, ()>> {
        let first = item_id.as_bytes().first().copied().map_or(0, usize::from);
        let turns = &self.0.making;
        turns.get(first % turns.len()).map(lock)
    }

    pub(crate) fn has_client(&self, client_id: &str) -> bool {
        self.0.keys.iter().any(|(id, _)| &**id == client_id)
    }

    /// The client whose keys these are.
    pub(crate) fn client(&self, client_id: &str, secret: &str) -> Option<Arc<str>> {
        let mut keys = self.0.keys.iter();
        let known = keys.find(|(id, expected)| &**id == client_id && expected.matches(secret));
        known.map(|(id, _)| id.clone())
    }

    /// Refuses products that are not enabled for this client.
    pub(crate) fn check_enabled<'a>(
        &self,
        client_id: &str,
        products: impl IntoIterator<Item = &'a String>,
    ) -> Result<(), PlaidError> {
        let Some((_, enabled)) = self.0.enabled_products.iter().find(|(id, _)| id == client_id) else {
            return Ok(());
        };
        let refused: Vec<_> = products
            .into_iter()
            .filter(|product| !enabled.contains(product))
            .map(String::as_str)
            .collect();
        if refused.is_empty() {
            Ok(())
        } else {
            Err(PlaidError::invalid_product(format!(
                "client is not authorized to access the following products: {}",
                refused.join(", ")
            )))
        }
    }

    /// Sends a webhook about an Item to the Item's URL, when it has one. `at` may lie ahead.
    pub(crate) fn send_webhook(&self, item: &mut Item, webhook: Webhook, at: Timestamp) {
        let Some(url) = item.draft.webhook.clone() else {
            return;
        };
        item.note_webhook(webhook.code, at);
        let body = (webhook.kind, webhook.code, webhook.body(Some(item.id())));
        self.post_webhook(&url, body, at);
    }

    /// Sends a webhook that is about no Item, at this time: those of Link sessions and reports.
    pub(crate) fn send_webhook_to(&self, url: &str, webhook: Webhook, at: Timestamp) {
        let body = (webhook.kind, webhook.code, webhook.body(None));
        self.post_webhook(url, body, at);
    }

    fn post_webhook(
        &self,
        url: &str,
        (kind, code, body): (&'static str, &'static str, String),
        now: Timestamp,
    ) {
        lock(&self.0.outbox).post(url, kind, code, body, now);
        self.0.outbox_changed.notify_waiters();
    }
}
