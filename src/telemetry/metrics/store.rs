//! The store's commits as they happen, and what it keeps as it stood when it was last asked.

use std::time::Duration;

use prometheus::{GaugeVec, Histogram, IntCounterVec, IntGaugeVec};

use super::make::{Maker, SECONDS};
use super::{OTHER, is_word};
use crate::store::CommitObserver;

/// The writer takes at most 256 decisions into one commit.
const DECISIONS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// The stages of a transaction.
const STAGES: [&str; 5] = ["open", "completed", "redeemed", "abandoned", "cancelled"];
/// Error codes of Plaid's that connections can be in; there are a dozen (<https://plaid.com/docs/errors/item/>).
const MOST_HEALTHS: usize = 40;

/// What is measured of the store.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    commits: IntCounterVec,
    seconds: Histogram,
    decisions: Histogram,
    size: IntGaugeVec,
    connections: IntGaugeVec,
    health: IntGaugeVec,
    transactions: IntGaugeVec,
    codes: IntGaugeVec,
    grants: IntGaugeVec,
    removals: IntGaugeVec,
    oldest_removal: GaugeVec,
}

/// What the store keeps.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Connections by their state, in words of ours.
    pub connections: Vec<(&'static str, u64)>,
    /// Live connections by their last known health: words of ours, or error codes of Plaid's.
    pub health: Vec<(String, u64)>,
    /// Transactions by their stage, in words of ours.
    pub transactions: Vec<(&'static str, u64)>,
    /// Codes that can be redeemed now.
    pub codes: u64,
    /// Live grants.
    pub grants: u64,
    /// Items that wait for their removal at Plaid.
    pub removals: u64,
    /// How long the one has waited that waits longest; zero when none does.
    pub oldest_removal: Duration,
    /// Bytes on the disk.
    pub size: u64,
}

impl StoreMetrics {
    pub(super) fn new(maker: &Maker<'_>) -> prometheus::Result<Self> {
        let made = Self {
            commits: maker.counters(
                "ptb_store_commits_total",
                "Transactions of the store's writer by outcome: ok or failed.",
                &["outcome"],
            )?,
            seconds: maker.histogram(
                "ptb_store_commit_duration_seconds",
                "Time that a transaction of the writer took, the sync to the disk included.",
                &SECONDS,
            )?,
            decisions: maker.histogram(
                "ptb_store_commit_decisions",
                "Decisions that shared one transaction and its sync.",
                &DECISIONS,
            )?,
            size: maker.gauges(
                "ptb_store_size_bytes",
                "Bytes of the store's files. Absent when the store cannot be read.",
                &[],
            )?,
            connections: maker.gauges(
                "ptb_connections",
                "Connections by state. Absent when the store cannot be read.",
                &["state"],
            )?,
            health: maker.gauges(
                "ptb_live_connections",
                "Live connections by their last known health: healthy, unknown, unasked, or Plaid's error_code. Absent \
                 when the store cannot be read.",
                &["health"],
            )?,
            transactions: maker.gauges(
                "ptb_stored_transactions",
                "Authorizations that are remembered, by stage. Absent when the store cannot be read.",
                &["stage"],
            )?,
            codes: maker.gauges(
                "ptb_outstanding_codes",
                "Codes that can be redeemed now. Absent when the store cannot be read.",
                &[],
            )?,
            grants: maker.gauges(
                "ptb_live_grants",
                "Rights of clients to connections. Absent when the store cannot be read.",
                &[],
            )?,
            removals: maker.gauges(
                "ptb_removal_queue_length",
                "Items that wait for their removal at Plaid. Absent when the store cannot be read.",
                &[],
            )?,
            oldest_removal: maker.fractions(
                "ptb_removal_queue_oldest_age_seconds",
                "How long the longest-waiting of them has waited; 0 when none waits. Absent when the store cannot be read.",
                &[],
            )?,
        };
        // From the first scrape on, so that the first failure is an increase.
        for outcome in ["ok", "failed"] {
            made.commits.with_label_values(&[outcome]);
        }
        Ok(made)
    }

    /// What the store keeps now; `None` when it could not be asked, so that nothing old is reported.
    pub(super) fn keeps(&self, kept: Option<&Kept>) {
        for gauges in [
            &self.connections,
            &self.health,
            &self.transactions,
            &self.size,
            &self.codes,
            &self.grants,
            &self.removals,
        ] {
            gauges.reset();
        }
        self.oldest_removal.reset();
        let Some(kept) = kept else { return };
        for (state, count) in &kept.connections {
            self.connections.with_label_values(&[state]).set(signed(*count));
        }
        for (n, (health, count)) in kept.health.iter().enumerate() {
            let health = if n < MOST_HEALTHS && is_word(health) {
                health
            } else {
                OTHER
            };
            self.health.with_label_values(&[health]).add(signed(*count));
        }
        // A stage without authorizations is reported as 0, so that its series is there from the start.
        for stage in STAGES {
            self.transactions.with_label_values(&[stage]).set(0);
        }
        for (stage, count) in &kept.transactions {
            self.transactions.with_label_values(&[stage]).set(signed(*count));
        }
        let unlabelled: &[&str] = &[];
        for (gauge, value) in [
            (&self.size, kept.size),
            (&self.codes, kept.codes),
            (&self.grants, kept.grants),
            (&self.removals, kept.removals),
        ] {
            gauge.with_label_values(unlabelled).set(signed(value));
        }
        self.oldest_removal
            .with_label_values(unlabelled)
            .set(kept.oldest_removal.as_secs_f64());
    }
}

impl CommitObserver for StoreMetrics {
    fn committed(&self, decisions: usize, ok: bool, after: Duration) {
        self.commits
            .with_label_values(&[if ok { "ok" } else { "failed" }])
            .inc();
        self.seconds.observe(after.as_secs_f64());
        // At most 256.
        self.decisions
            .observe(f64::from(u32::try_from(decisions).unwrap_or(u32::MAX)));
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
