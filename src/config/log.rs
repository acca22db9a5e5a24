//! What is logged, and how.

use tracing_subscriber::EnvFilter;

use super::LoadOptions;
use super::settings::Settings;

/// `BROKER_LOG`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `RUST_LOG`, a `tracing` filter.
    pub filter: String,
    /// `BROKER_LOG`; the default depends on whether standard error is a terminal.
    pub format: LogFormat,
}

impl LogConfig {
    pub(super) fn read(settings: &mut Settings, options: LoadOptions) -> Self {
        let filter = settings.parsed("RUST_LOG", |text| match EnvFilter::try_new(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => Err(
                "write error, warn, info, debug or trace, or a filter such as info,tower=debug".to_owned(),
            ),
        });
        let format = settings.parsed("BROKER_LOG", |text| match text.to_ascii_lowercase().as_str() {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("choose text or json".to_owned()),
        });
        Self {
            filter: filter.unwrap_or_else(|| "info".to_owned()),
            format: format.unwrap_or(if options.stderr_is_terminal {
                LogFormat::Text
            } else {
                LogFormat::Json
            }),
        }
    }
}
