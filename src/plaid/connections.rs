//! Connections: made by exchanging a public token once, asked for their health, and removed at Plaid for good.
//!
//! What changes something at Plaid runs to its end even when the caller hangs up: axum drops a handler with its
//! connection, and an exchange that is cut in the middle burns the person's one token. So such work is a tracked
//! task whose result is stored; the caller only waits for it, and so does the shutdown.

mod ending;
mod error;
mod exchange;
mod health;
mod redemption;
mod removal;
mod repeats;
mod singleflight;
mod unstored;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

pub use ending::end;
pub use error::ExchangeError;
pub use exchange::LinkResult;
pub use health::Health;
pub use removal::{AbandonAfter, RemovalWorker};

use singleflight::Singleflight;

use crate::clock::SharedClock;
use crate::plaid::PlaidClient;
use crate::store::Store;
use crate::telemetry::audit::Audit;
use crate::telemetry::metrics::FlowMetrics;

/// How long Plaid's public tokens live (<https://plaid.com/docs/api/items/#itempublic_tokenexchange>), and so how long a
/// client may repeat a raw exchange.
const PUBLIC_TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// What link, oauth and explorer all use to reach Items. Cloning shares everything.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    store: Store,
    plaid: PlaidClient,
    clock: SharedClock,
    audit: Audit,
    metrics: FlowMetrics,
    singleflight: Arc<Singleflight>,
    redemptions: redemption::Unconfirmed,
    health: health::HealthChecks,
    tasks: TaskTracker,
    removals: Notify,
}

impl Connections {
    #[must_use]
    pub fn new(
        store: Store,
        plaid: PlaidClient,
        clock: SharedClock,
        audit: Audit,
        metrics: FlowMetrics,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            plaid,
            clock,
            audit,
            metrics,
            singleflight: Arc::default(),
            redemptions: redemption::Unconfirmed::default(),
            health: health::HealthChecks::default(),
            tasks: TaskTracker::new(),
            removals: Notify::new(),
        }))
    }

    /// Ends once all work that changes something at Plaid has come to its end. New work can still be begun by
    /// requests that are being drained, and is waited for too.
    pub async fn finished(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// A removal was queued: the worker need not wait for its next look.
    pub fn removals_wanted(&self) {
        self.0.removals.notify_one();
    }

    #[must_use]
    pub fn under_way(&self) -> usize {
        self.0.tasks.len()
    }
}
