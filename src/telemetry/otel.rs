//! Traces by OTLP over HTTP, with the feature `otel`: one span for each request, with what it logged as its events.
//!
//! Configured by OpenTelemetry's own variables (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>), from the
//! environment alone; without an endpoint nothing is collected. What a span holds is what the log holds, so no secret.
//! `traceparent` of incoming requests is not followed: anybody could send one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status, TracerProvider as _};
use opentelemetry::{KeyValue, Value};
use opentelemetry_otlp::{SpanExporter as Otlp, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// Either of them switches traces on; `none` as `OTEL_TRACES_EXPORTER` or `OTEL_SDK_DISABLED` off.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
];
const LAST: Duration = Duration::from_secs(3);
const OURS: &str = "plaid_token_broker";
/// The span that `middleware::request_id` opens, and the event that `middleware::log` ends it with.
const REQUEST: &str = "request";

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

pub(super) fn layer<S>() -> Option<impl Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let provider = provider()?;
    let tracer = provider.tracer(OURS);
    PROVIDER.get_or_init(|| provider);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false);
    let ours = |metadata: &Metadata<'_>| metadata.target().starts_with(OURS);
    Some(layer.with_filter(filter_fn(ours)))
}

/// Sends what was collected. Blocks for [`LAST`] at most.
pub(super) fn stop() {
    if let Some(provider) = PROVIDER.get()
        && provider.shutdown_with_timeout(LAST).is_err()
    {
        tracing::warn!("last traces not sent");
    }
}

fn provider() -> Option<SdkTracerProvider> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let is_off = variable("OTEL_SDK_DISABLED").eq_ignore_ascii_case("true")
        || variable("OTEL_TRACES_EXPORTER").eq_ignore_ascii_case("none");
    if is_off || ENDPOINTS.iter().all(|name| variable(name).is_empty()) {
        return None;
    }
    match exporter() {
        Ok(otlp) => {
            let resource = Resource::builder()
                .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
            let resource = match variable("OTEL_SERVICE_NAME").as_str() {
                "" => resource.with_service_name("plaid-token-broker"),
                named => resource.with_service_name(named.to_owned()),
            };
            let requests = Requests {
                inner: otlp,
                failing: AtomicBool::new(false),
            };
            let builder = SdkTracerProvider::builder().with_resource(resource.build());
            Some(builder.with_batch_exporter(requests).build())
        }
        // Logging has not begun yet; and a broker without traces is better than none.
        Err(problem) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr().lock(), "traces are off: {problem}");
            None
        }
    }
}

/// A client of its own: its thread is the batch processor's, which has no runtime.
fn exporter() -> Result<Otlp, String> {
    // Ring is the one provider of this build; another that is installed already is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build()
        .map_err(|_| "no HTTP client could be made".to_owned())?;
    let builder = Otlp::builder().with_http().with_http_client(client);
    // The error may repeat a header's value; the name of what is wrong is enough.
    builder
        .build()
        .map_err(|_| "OTEL_EXPORTER_OTLP_… cannot be used; see docs/logging.md".to_owned())
}

/// Sets a request's span to the name and the attributes that the semantic conventions have for servers
/// (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>). They are known only once it has ended.
#[derive(Debug)]
struct Requests<E> {
    inner: E,
    /// Whether the last batch could not be sent, which is logged once.
    failing: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for Requests<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        batch.iter_mut().for_each(name);
        let sent = self.inner.export(batch).await;
        let failed = sent.is_err();
        // Without the error's text, which holds the collector's address and any credentials in it.
        if failed && !self.failing.swap(failed, Ordering::Relaxed) {
            tracing::warn!("traces not sent; they are dropped until the collector responds");
        } else if !failed && self.failing.swap(failed, Ordering::Relaxed) {
            tracing::info!("traces sent again");
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

fn name(span: &mut SpanData) {
    if span.name != REQUEST {
        return;
    }
    span.span_kind = SpanKind::Server;
    let ended = span.events.events.iter().rev().find(|event| {
        let is_line = |attribute: &&KeyValue| attribute.key.as_str() == "http.route";
        event.attributes.iter().any(|attribute| is_line(&attribute))
    });
    let Some(ended) = ended else { return };
    let value = |name: &str| {
        let found = ended
            .attributes
            .iter()
            .find(|attribute| attribute.key.as_str() == name);
        found.map(|attribute| attribute.value.clone())
    };
    let (method, route, status) = (value("http.method"), value("http.route"), value("http.status"));
    if let (Some(method), Some(route)) = (&method, &route) {
        span.name = format!("{method} {route}").into();
    }
    if matches!(&status, Some(Value::I64(500..))) {
        span.status = Status::error("");
    }
    for (name, value) in [
        ("http.request.method", method),
        ("http.route", route),
        ("http.response.status_code", status),
        ("client.address", value("client.address")),
    ] {
        span.attributes
            .extend(value.map(|value| KeyValue::new(name, value)));
    }
}
