//! Requests by route, method and status.

use std::time::Duration;

use http::{Method, StatusCode};
use prometheus::{HistogramVec, IntCounterVec, IntGauge};

use super::make::{Maker, SECONDS};

#[derive(Clone, Debug)]
pub struct HttpMetrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    under_way: IntGauge,
}

/// A request that has no answer yet; it counts as long as this lives.
#[derive(Debug)]
pub struct UnderWay(IntGauge);

impl HttpMetrics {
    pub(super) fn new(maker: &Maker<'_>) -> prometheus::Result<Self> {
        Ok(Self {
            requests: maker.counters(
                "ptb_http_requests_total",
                "Requests by route, method and status; the status of a request that its caller gave up is `none`.",
                &["route", "method", "status"],
            )?,
            seconds: maker.histograms(
                "ptb_http_request_duration_seconds",
                "Time until the answer stood, or the caller hung up.",
                &["route", "method"],
                &SECONDS,
            )?,
            under_way: maker.gauge(
                "ptb_http_requests_in_flight",
                "Requests that have no answer yet.",
            )?,
        })
    }

    #[must_use]
    pub fn begun(&self) -> UnderWay {
        self.under_way.inc();
        UnderWay(self.under_way.clone())
    }

    /// It ended. `route` is one of the router's and never the path that was typed; without a status its caller went
    /// away.
    pub fn ended(&self, route: &str, method: &Method, status: Option<StatusCode>, after: Duration) {
        let method = method_label(method);
        let status = status.as_ref().map_or("none", StatusCode::as_str);
        self.requests.with_label_values(&[route, method, status]).inc();
        self.seconds
            .with_label_values(&[route, method])
            .observe(after.as_secs_f64());
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Anybody may make up a method.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
