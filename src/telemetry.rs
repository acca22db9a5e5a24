//! Logs go to standard error, as text for people or one JSON object a line; standard output is for what was asked for.
//! With the feature `otel`, traces go where OpenTelemetry's variables say.

mod line;
#[cfg(feature = "otel")]
mod otel;

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{format::FmtSpan, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogConfig, LogFormat};
use line::Line;

/// Starts logging for the whole process. A second call is ignored.
///
/// # Errors
/// When `RUST_LOG` is no filter.
pub fn start(config: &LogConfig) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::builder().parse(&config.filter)?;
    let registry = tracing_subscriber::registry().with(filter);
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
        tracing::debug!("logging was started before");
    }
    Ok(())
}

/// Sends what is still to be sent. To be called at the end of the process; blocks for a few seconds at most.
pub fn stop() {
    #[cfg(feature = "otel")]
    otel::stop();
}

#[cfg(feature = "otel")]
use otel::layer as traces;

/// Traces are a feature of the build.
#[cfg(not(feature = "otel"))]
fn traces() -> Option<tracing_subscriber::layer::Identity> {
    None
}
