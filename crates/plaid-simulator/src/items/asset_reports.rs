//! Asset reports that were asked for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bounded_map::BoundedMap;
use crate::spec::guesses::UnknownAssetReport;
use crate::spec::ids::{ENVIRONMENT, new_uuid};
use crate::spec::{Guesses, PlaidError};
use plaid_token_broker_core::clock::Timestamp;

/// What a report is to say; it is made anew each time it is read.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct AssetReport {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) created_at: Timestamp,
    pub(crate) item_ids: Vec<Arc<str>>,
    pub(crate) days_requested: i64,
    pub(crate) client_report_id: Option<String>,
    pub(crate) user: Value,
    pub(crate) investments: bool,
    pub(crate) fast: bool,
}

const MOST_REPORTS: usize = 5_000;

/// The reports by their tokens.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct AssetReports(BoundedMap<AssetReport, MOST_REPORTS>);

impl AssetReports {
    /// Keeps a report and returns its token.
    pub(crate) fn keep(&mut self, report: AssetReport) -> String {
        let token = format!("assets-{ENVIRONMENT}-{}", new_uuid());
        self.0.insert(token.clone(), report);
        token
    }

    /// The client's own report with this token.
    pub(crate) fn get(
        &self,
        client_id: &str,
        token: &str,
        guesses: &Guesses,
    ) -> Result<&AssetReport, PlaidError> {
        self.0
            .get(token)
            .filter(|report| report.client_id == client_id)
            .ok_or_else(|| {
                let unknown = "could not find matching asset report token";
                match guesses.unknown_asset_report {
                    UnknownAssetReport::InvalidAssetReportToken => {
                        PlaidError::new("INVALID_INPUT", "INVALID_ASSET_REPORT_TOKEN", unknown)
                    }
                    UnknownAssetReport::InvalidField => PlaidError::invalid_field(unknown),
                }
            })
    }
}
