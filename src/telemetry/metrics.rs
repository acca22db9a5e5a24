//! What is measured, in the names and base units of Prometheus (<https://prometheus.io/docs/practices/naming/>).
//!
//! Each broker has a registry of its own, as several run in one process of the tests. What is measured is kept in
//! atomics: counting takes no lock that anybody waits for. No label's value is a stranger's choice, so the number of
//! series is bounded whatever is sent here.

mod flow;
mod http;
mod make;
mod plaid;
mod store;

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{Registry, TextEncoder};
use thiserror::Error;

pub use self::http::{HttpMetrics, UnderWay};
pub use flow::FlowMetrics;
pub use plaid::{LastCall, PlaidMetrics};
pub use store::{Kept, StoreMetrics};

use make::Maker;

/// The content type of [`Metrics::text`] (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// A bug: a name or a label that Prometheus does not allow, or one that is there twice.
#[derive(Debug, Error)]
#[error("the metrics cannot be kept: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

const OTHER: &str = "other";

/// Whether this can be one of Plaid's error codes, or a word of ours. The server at Plaid's address decides it, and that
/// may be anything.
fn is_word(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    encoding: Arc<Mutex<()>>,
    pub http: HttpMetrics,
    pub plaid: PlaidMetrics,
    pub store: StoreMetrics,
    pub flow: FlowMetrics,
}

impl Metrics {
    /// Nothing measured yet. `environment`: the name of Plaid's environment.
    pub fn new(environment: &str) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let make = Maker::new(&registry);
        let build = make.gauges(
            "ptb_build_info",
            "Always 1; its labels say which version runs against which environment of Plaid.",
            &["version", "environment"],
        )?;
        build
            .with_label_values(&[env!("CARGO_PKG_VERSION"), environment])
            .set(1);
        #[cfg(target_os = "linux")]
        registry.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        Ok(Self {
            http: HttpMetrics::new(&make)?,
            plaid: PlaidMetrics::new(&make)?,
            store: StoreMetrics::new(&make)?,
            flow: FlowMetrics::new(&make)?,
            encoding: Arc::default(),
            registry,
        })
    }

    /// Everything in Prometheus's text format, version 0.0.4, with what the store keeps now; `None` when it could not be
    /// asked.
    pub fn text(&self, kept: Option<&Kept>) -> Result<String, MetricsError> {
        // Two concurrent scrapes would mix their values.
        let _one = self.encoding.lock().unwrap_or_else(PoisonError::into_inner);
        self.store.keeps(kept);
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn brokers_in_one_process_do_not_count_for_each_other() {
        let (one, other) = (Metrics::new("sandbox").unwrap(), Metrics::new("sandbox").unwrap());
        one.flow.transaction("opened");
        let opened = "ptb_transactions_total{event=\"opened\"} 1\n";
        assert!(one.text(None).unwrap().contains(opened));
        assert!(!other.text(None).unwrap().contains(opened));
    }
}
