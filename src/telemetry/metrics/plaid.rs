//! Calls to Plaid by endpoint and outcome, and how the last one ended.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus::{HistogramVec, IntCounterVec};

use super::make::{Maker, SECONDS};
use super::{OTHER, is_word};

/// Plaid has some hundred error codes (<https://plaid.com/docs/errors/>), and few of them for one account.
const MOST_OUTCOMES: usize = 100;

#[derive(Clone, Debug)]
pub struct LastCall {
    /// The path of the call, as `/item/get`.
    pub endpoint: &'static str,
    /// As in `ptb_plaid_requests_total`.
    pub outcome: String,
    pub at: Instant,
}

#[derive(Clone, Debug)]
pub struct PlaidMetrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    codes: BTreeSet<String>,
    last: Option<LastCall>,
}

impl PlaidMetrics {
    pub(super) fn new(maker: &Maker<'_>) -> prometheus::Result<Self> {
        Ok(Self {
            requests: maker.counters(
                "ptb_plaid_requests_total",
                "Calls to Plaid by endpoint and outcome: ok, Plaid's error_code, or unreachable, timed_out, broken, \
                 malformed.",
                &["endpoint", "outcome"],
            )?,
            seconds: maker.histograms(
                "ptb_plaid_request_duration_seconds",
                "Time until Plaid's whole answer was here, or given up.",
                &["endpoint"],
                &SECONDS,
            )?,
            seen: Arc::default(),
        })
    }

    /// A call ended. `outcome`: `ok`, the error code that Plaid gave, or a word of ours in lower case.
    pub fn ended(&self, endpoint: &'static str, outcome: &str, after: Duration) {
        let outcome = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = if seen.bounded(outcome) { outcome } else { OTHER };
            seen.last = Some(LastCall {
                endpoint,
                outcome: outcome.to_owned(),
                at: Instant::now(),
            });
            outcome
        };
        self.requests.with_label_values(&[endpoint, outcome]).inc();
        self.seconds
            .with_label_values(&[endpoint])
            .observe(after.as_secs_f64());
    }

    #[must_use]
    pub fn last(&self) -> Option<LastCall> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.last.clone()
    }
}

impl Seen {
    /// Whether this may be a label: the server at Plaid's address decides it, and that may be anything.
    fn bounded(&mut self, outcome: &str) -> bool {
        if self.codes.contains(outcome) {
            return true;
        }
        let fits = self.codes.len() < MOST_OUTCOMES && is_word(outcome);
        fits && self.codes.insert(outcome.to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use prometheus::Registry;

    use super::*;

    #[test]
    fn whatever_answers_as_plaid_makes_no_more_than_so_many_series() {
        let registry = Registry::new();
        let metrics = PlaidMetrics::new(&Maker::new(&registry)).unwrap();
        metrics.ended("/item/get", "ok", Duration::ZERO);
        for n in 0..500 {
            metrics.ended("/item/get", &format!("MADE_UP_{n}"), Duration::ZERO);
            metrics.ended("/item/get", &format!("not a code {n}"), Duration::ZERO);
        }
        metrics.ended("/item/get", "ok", Duration::ZERO);
        let families = registry.gather();
        let requests = families
            .iter()
            .find(|family| family.name() == "ptb_plaid_requests_total");
        assert_eq!(requests.unwrap().get_metric().len(), MOST_OUTCOMES + 1);
        assert_eq!(metrics.last().unwrap().outcome, "ok", "what is known stays known");
    }
}
