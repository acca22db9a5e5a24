//! What the controls over HTTP do, for tests in Rust.

use std::sync::atomic::Ordering;
use std::time::Duration;

use plaid_token_broker_core::clock::Timestamp;
use plaid_token_broker_core::secret::PlaidPublicToken;
use serde_json::{Value, json};

use crate::calls::faults::{Fault, FaultRefused, Faults, WaitingFault};
use crate::calls::rate_limits::RateLimits;
use crate::calls::recorder::{RecordedRequest, Recorder};
use crate::controls::snapshot::{self, SnapshotError, Taken};
use crate::items::{ItemView, State};
use crate::simulator::Simulator;
use crate::simulator::clock::TooFarAhead;
use crate::spec::switches::Switches;
use crate::spec::{lock, time_text};
use crate::webhooks::{Outbox, Webhook, WebhookView};
use crate::{api, link};

/// What `onSuccess` gets: see <https://plaid.com/docs/link/web/#onsuccess>.
#[derive(Clone, Debug)]
pub struct LinkSuccess {
    /// To be exchanged within 30 minutes. A payment or consent of Payment Initiation ends without one: it makes no Item.
    pub public_token: Option<PlaidPublicToken>,
    /// Institution, accounts and `link_session_id`.
    pub metadata: serde_json::Value,
}

/// There is no Item with this id, or it was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such Item: GET /_simulator/state lists them")]
pub struct NoSuchItem;

impl Simulator {
    /// Queues a fault for the next call of `path` (`/item/get`). Several for one path are met in turn. One that
    /// cannot be met is dropped with a warning: [`Self::try_enqueue`] returns the reason.
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

    /// Moves the simulator's clock on: tokens expire, logins lapse, webhooks that wait are tried again. It stays where
    /// it is, with a warning, when it would run over 100 years ahead: [`Self::try_advance`] returns an error then.
    pub fn advance(&self, by: Duration) {
        if let Err(error) = self.try_advance(by) {
            tracing::warn!(%error, "the clock stays where it is");
        }
    }

    /// Moves the simulator's clock on, unless it would run over 100 years ahead.
    pub fn try_advance(&self, by: Duration) -> Result<(), TooFarAhead> {
        self.0.clock.advance(by)?;
        self.announce();
        self.0.outbox_changed.notify_waiters();
        Ok(())
    }

    /// Queues a fault for the next call of `path`, if it can be met.
    pub fn try_enqueue(&self, path: &str, fault: Fault) -> Result<(), FaultRefused> {
        let order = WaitingFault {
            path: path.to_owned(),
            fault,
        };
        lock(&self.0.faults).enqueue(order, api::known(path).is_some())
    }

    /// The faults that wait, oldest first.
    #[must_use]
    pub fn faults(&self) -> Vec<WaitingFault> {
        lock(&self.0.faults).waiting()
    }

    /// Removes the faults that wait at `path`, or all without one; returns their number.
    #[expect(clippy::must_use_candidate, reason = "the number is of no use to most")]
    pub fn take_back_faults(&self, path: Option<&str>) -> usize {
        lock(&self.0.faults).take_back(path)
    }

    /// The time that tokens and Items live by, RFC 3339.
    #[must_use]
    pub fn time(&self) -> String {
        time_text(self.now())
    }

    /// How the switches are set.
    #[must_use]
    pub fn switches(&self) -> Switches {
        *lock(&self.0.switches)
    }

    /// Sets the switches.
    pub fn set_switches(&self, switches: Switches) {
        *lock(&self.0.switches) = switches;
    }

    /// The webhooks that wait, are on their way or have arrived, oldest first, tokens masked.
    #[must_use]
    pub fn webhooks(&self) -> Vec<WebhookView> {
        lock(&self.0.outbox).views()
    }

    /// A fresh key signs webhooks from now on; the one before it is served as expired.
    pub fn rotate_webhook_key(&self) {
        lock(&self.0.webhook_keys).rotate(self.0.clock.wall());
    }

    /// The key in use is served as expired and goes on signing: webhooks that a receiver has to refuse.
    pub fn expire_webhook_key(&self) {
        lock(&self.0.webhook_keys).expire(self.0.clock.wall());
    }

    /// The person ends the connection at my.plaid.com: reads get `USER_PERMISSION_REVOKED`, and the webhook of
    /// that name is sent. An error when there is none, or it was removed.
    pub fn revoke_item(&self, item_id: &str) -> Result<(), NoSuchItem> {
        let now = self.now();
        let mut state = self.state();
        match state.item_by_id(item_id).map(|item| (item.revoke(now), item)) {
            Some((Ok(()), item)) => {
                self.send_webhook(item, Webhook::permission_revoked(), now);
                Ok(())
            }
            _ => Err(NoSuchItem),
        }
    }

    /// The Item's login works again without Link: the webhook `LOGIN_REPAIRED` is sent. An error when there is no such
    /// Item.
    pub fn repair_item(&self, item_id: &str) -> Result<(), NoSuchItem> {
        let now = self.now();
        let mut state = self.state();
        match state.item_by_id(item_id).map(|item| (item.repair(now), item)) {
            Some((Ok(()), item)) => {
                self.send_webhook(item, Webhook::new("ITEM", "LOGIN_REPAIRED", json!({})), now);
                Ok(())
            }
            _ => Err(NoSuchItem),
        }
    }

    /// The person's consent ends in a week, and a webhook says so: `PENDING_DISCONNECT` in the United States and
    /// Canada, else `PENDING_EXPIRATION`. An error when there is no such Item.
    pub fn end_consent(&self, item_id: &str) -> Result<(), NoSuchItem> {
        let now = self.now();
        let done = self.state().item_by_id(item_id).map(|item| item.end_consent(now));
        match done {
            Some(Ok(())) => {
                self.announce();
                Ok(())
            }
            _ => Err(NoSuchItem),
        }
    }

    /// All Items that are not removed.
    #[must_use]
    pub fn items(&self) -> Vec<ItemView> {
        let now = self.now();
        let mut items: Vec<_> = self.state().all_items().map(|item| item.view(now)).collect();
        items.sort_by(|a, b| a.item_id.cmp(&b.item_id));
        items
    }

    /// Forgets Items, tokens, users, faults, recorded calls, webhooks and counted calls. Clock, switches and
    /// signing keys stay.
    pub fn reset(&self) {
        *self.state() = State::default();
        *lock(&self.0.faults) = Faults::default();
        *lock(&self.0.recorder) = Recorder::default();
        *lock(&self.0.rate_limits) = RateLimits::default();
        *lock(&self.0.outbox) = Outbox::default();
    }

    /// Everything that the simulator remembers as JSON, but for faults, webhooks in waiting, counted and recorded
    /// calls, and but for what it was started with: keys, lists of redirect URIs and products, and the delay of data.
    /// It has tokens and signing keys in it.
    pub fn snapshot(&self) -> Result<Value, SnapshotError> {
        self.write_snapshot(|taken| serde_json::to_value(taken))
    }

    /// The text of [`Self::snapshot`], made without a tree of values in between.
    pub fn snapshot_text(&self) -> Result<Vec<u8>, SnapshotError> {
        self.write_snapshot(|taken| serde_json::to_vec(taken))
    }

    fn write_snapshot<T>(
        &self,
        write: impl FnOnce(&Taken<'_>) -> serde_json::Result<T>,
    ) -> Result<T, SnapshotError> {
        let lead = u64::try_from(self.0.clock.lead().as_millis()).unwrap_or(u64::MAX);
        let seed = lock(&self.0.seed).clone();
        // Not counted as a use: it changes nothing.
        let state = lock(&self.0.state);
        let webhook_keys = lock(&self.0.webhook_keys);
        let taken = Taken::new(&state, &webhook_keys, self.switches(), &seed, lead);
        Ok(write(&taken)?)
    }

    /// Counts the uses of the state since the start: where the number stays the same, a snapshot would be the same.
    #[must_use]
    pub fn uses(&self) -> u64 {
        self.0.uses.load(Ordering::Relaxed)
    }

    /// Moves the simulator's clock on to this time, unless it is later already.
    pub fn catch_up_with(&self, time: Timestamp) {
        self.advance(time.since(self.now()));
    }

    /// Goes back to a snapshot, also one that another simulator took.
    pub fn restore(&self, json: &Value) -> Result<(), SnapshotError> {
        let snapshot = snapshot::read(json)?;
        self.0
            .clock
            .set_lead(Duration::from_millis(snapshot.lead_milliseconds));
        self.set_switches(snapshot.switches);
        *lock(&self.0.webhook_keys) = snapshot.webhook_keys;
        *lock(&self.0.seed) = snapshot.seed.into();
        *self.state() = snapshot.state;
        Ok(())
    }
}
