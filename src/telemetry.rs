//! Logs go to standard error, as text for people or one JSON object a line; standard output is for what was asked for.
//! With the feature `otel`, traces go where OpenTelemetry's variables say.

pub mod audit;
mod line;
pub mod metrics;
#[cfg(feature = "otel")]
mod otel;

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::fmt::{format::FmtSpan, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogConfig, LogFormat};
use line::Line;

/// Starts logging for the whole process. A second call is ignored.
pub fn start(config: &LogConfig) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::builder().parse(&config.filter)?;
    let registry = tracing_subscriber::registry().with(filter).with(without_values());
    let started = match config.format {
        LogFormat::Json => {
            let lines = layer()
                .json()
                .flatten_event(true)
                .with_span_events(FmtSpan::NONE)
                .with_span_list(false);
            registry
                .with(lines.with_writer(|| Line::new(io::stderr(), false)))
                .with(traces())
                .try_init()
        }
        LogFormat::Text => {
            let colours = io::IsTerminal::is_terminal(&io::stderr());
            let lines = layer().with_ansi(colours);
            registry
                .with(lines.with_writer(move || Line::new(io::stderr(), colours)))
                .with(traces())
                .try_init()
        }
    };
    if started.is_err() {
        tracing::debug!("logging already started");
    }
    Ok(())
}

/// Whatever `RUST_LOG` asks for: below INFO, the `PostgreSQL` client logs each statement with its values.
fn without_values() -> FilterFn {
    filter_fn(|metadata| {
        let source = metadata.target().split("::").next();
        source != Some("tokio_postgres") || *metadata.level() <= LevelFilter::INFO
    })
}

/// Sends what is still to be sent. To be called at the end of the process; blocks for a few seconds at most.
pub fn stop() {
    #[cfg(feature = "otel")]
    otel::stop();
}

#[cfg(feature = "otel")]
use otel::layer as traces;

#[cfg(not(feature = "otel"))]
fn traces() -> Option<tracing_subscriber::layer::Identity> {
    None
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What a log with this filter holds after the client of `PostgreSQL` has said what it says.
    #[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    fn told(filter: &str) -> String {
        #[derive(Clone, Default)]
        struct Kept(Arc<Mutex<Vec<u8>>>);
        impl io::Write for Kept {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::registry()
            .with(EnvFilter::builder().parse(filter).unwrap())
            .with(without_values())
            .with(layer().with_ansi(false).with_writer(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!(target: "tokio_postgres::query", "executing statement s0 with parameters: [hush]");
            tracing::trace!(target: "tokio_postgres", "hush");
            tracing::info!(target: "tokio_postgres::connection", "NOTICE: a notice");
            tracing::debug!(target: "tokio_postgres_of_ours", "another crate");
        });
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn no_filter_shows_what_went_into_statements() {
        for filter in [
            "trace",
            "debug",
            "tokio_postgres=trace",
            "warn,tokio_postgres::query=trace",
            "trace,[request]=trace",
        ] {
            let told = told(filter);
            assert!(!told.contains("hush"), "{filter}: {told}");
        }
        let told = told("trace");
        assert!(
            told.contains("a notice") && told.contains("another crate"),
            "{told}"
        );
    }
}
