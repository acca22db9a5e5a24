//! The audit log: how long it is kept, and its file.

use std::path::PathBuf;
use std::time::Duration;

use super::settings::Settings;

/// A little more than a year, so that a yearly review finds all of it.
const DEFAULT_DAYS: u64 = 400;
const MOST_DAYS: u64 = 36_500;

/// The audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// `BROKER_AUDIT_FILE`: also as JSON lines in this file.
    pub file: Option<PathBuf>,
    /// `BROKER_AUDIT_DAYS`; `None`: for ever.
    pub keep: Option<Duration>,
}

impl AuditConfig {
    pub(super) fn read(settings: &mut Settings) -> Self {
        let file = settings.text("BROKER_AUDIT_FILE").map(PathBuf::from);
        let days = settings.parsed("BROKER_AUDIT_DAYS", |text| {
            if text.eq_ignore_ascii_case("forever") {
                return Ok(None);
            }
            match text.parse::<u64>() {
                Ok(days) if (1..=MOST_DAYS).contains(&days) => Ok(Some(days)),
                _ => Err(format!("write a number of days, 1 to {MOST_DAYS}, or forever")),
            }
        });
        let keep = days.unwrap_or(Some(DEFAULT_DAYS));
        Self {
            file,
            keep: keep.map(|days| Duration::from_secs(days * 24 * 3600)),
        }
    }
}
