//! What is logged, and how; the audit log.

use std::path::PathBuf;
use std::time::Duration;

use super::LoadOptions;
use super::choices::LogFormat;
use super::settings::{BROKER_AUDIT_DAYS, BROKER_AUDIT_FILE, BROKER_LOG, RUST_LOG};
use super::values::Values;

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `RUST_LOG`, a `tracing` filter.
    pub filter: String,
    /// `BROKER_LOG`; the default depends on whether standard error is a terminal.
    pub format: LogFormat,
}

impl LogConfig {
    pub(super) fn read(values: &mut Values, options: LoadOptions) -> Self {
        let format = values.optional(&BROKER_LOG);
        Self {
            filter: values.get(&RUST_LOG),
            format: format.unwrap_or(if options.stderr_is_terminal {
                LogFormat::Text
            } else {
                LogFormat::Json
            }),
        }
    }
}

/// The audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// `BROKER_AUDIT_FILE`: also as JSON lines in this file.
    pub file: Option<PathBuf>,
    /// `BROKER_AUDIT_DAYS`; `None`: for ever.
    pub keep: Option<Duration>,
}

impl AuditConfig {
    pub(super) fn read(values: &mut Values) -> Self {
        let days = values.get(&BROKER_AUDIT_DAYS);
        Self {
            file: values.optional(&BROKER_AUDIT_FILE),
            keep: days.map(|days| Duration::from_secs(days * 24 * 3600)),
        }
    }
}
