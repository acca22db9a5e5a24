//! What becomes of authorizations, codes, tokens, health checks and removals.

use prometheus::{IntCounterVec, IntGauge};

use super::make::Maker;

#[derive(Clone, Debug)]
pub struct FlowMetrics {
    transactions: IntCounterVec,
    codes: IntCounterVec,
    token_requests: IntCounterVec,
    health_checks: IntCounterVec,
    removals: IntCounterVec,
    rate_limited: IntCounterVec,
    exchanges: IntGauge,
}

impl FlowMetrics {
    pub(super) fn new(maker: &Maker<'_>) -> prometheus::Result<Self> {
        let made = Self {
            transactions: maker.counters(
                "ptb_transactions_total",
                "Authorizations that were opened, completed, cancelled by the person, or abandoned since nobody \
                 redeemed their code.",
                &["event"],
            )?,
            codes: maker.counters(
                "ptb_codes_total",
                "Authorization codes that were issued, redeemed, replayed, or came \
                 after they had expired.",
                &["event"],
            )?,
            token_requests: maker.counters(
                "ptb_token_requests_total",
                "Token requests by grant and outcome: ok or the OAuth error code. The grant is `none` where the request \
                 was refused before it was read.",
                &["grant", "outcome"],
            )?,
            health_checks: maker.counters(
                "ptb_health_checks_total",
                "Answers of Plaid on whether a connection is alive: healthy, dead, or unknown when Plaid could not say.",
                &["health"],
            )?,
            removals: maker.counters(
                "ptb_removals_total",
                "Tries to remove an Item at Plaid by outcome: removed, failed, or limited by Plaid's rate limits.",
                &["outcome"],
            )?,
            rate_limited: maker.counters(
                "ptb_rate_limited_requests_total",
                "Requests that were refused because too many came, by the budget that was used up.",
                &["budget"],
            )?,
            exchanges: maker.gauge(
                "ptb_exchanges_in_progress",
                "Pieces of work at Plaid that are under way: exchanges and removals.",
            )?,
        };
        // From the first scrape on, so that the first one of each is an increase.
        for (counters, values) in [
            (
                &made.transactions,
                ["opened", "completed", "cancelled", "abandoned"].as_slice(),
            ),
            (&made.codes, &["issued", "redeemed", "replayed", "expired"]),
            (&made.health_checks, &["healthy", "dead", "unknown"]),
            (&made.removals, &["removed", "failed", "limited"]),
            (
                &made.rate_limited,
                &["page", "page_call", "token", "login", "client"],
            ),
        ] {
            for value in values {
                counters.with_label_values(&[value]);
            }
        }
        for grant in ["authorization_code", "public_token", "refresh_token"] {
            made.token_requests.with_label_values(&[grant, "ok"]);
        }
        Ok(made)
    }

    /// `opened`, `completed` or `cancelled`.
    pub fn transaction(&self, event: &'static str) {
        self.transactions.with_label_values(&[event]).inc();
    }

    pub fn abandoned(&self, count: u64) {
        self.transactions.with_label_values(&["abandoned"]).inc_by(count);
    }

    /// `issued`, `redeemed`, `replayed` or `expired`.
    pub fn code(&self, event: &'static str) {
        self.codes.with_label_values(&[event]).inc();
    }

    /// A token request was answered: with `ok` or an error code of RFC 6749.
    pub fn token_request(&self, grant: &'static str, outcome: &'static str) {
        self.token_requests.with_label_values(&[grant, outcome]).inc();
    }

    pub fn health_check(&self, health: &'static str) {
        self.health_checks.with_label_values(&[health]).inc();
    }

    /// Plaid was asked to remove an Item: `removed`, `failed` or `limited`.
    pub fn removal(&self, outcome: &'static str) {
        self.removals.with_label_values(&[outcome]).inc();
    }

    pub fn rate_limited(&self, budget: &'static str) {
        self.rate_limited.with_label_values(&[budget]).inc();
    }

    pub fn exchanges(&self, under_way: usize) {
        self.exchanges.set(i64::try_from(under_way).unwrap_or(i64::MAX));
    }
}
