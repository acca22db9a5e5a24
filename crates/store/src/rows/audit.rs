//! Rows of the audit log, and which of them a query asks for.

use std::time::Duration;

use super::Columns;
use crate::error::StoreError;
use crate::model::{AuditQuery, AuditRecord, AuthorizationId, ConnectionId, GrantId};

/// The columns that [`record`] reads.
pub(crate) const RECORD: &str = "id, at, event, outcome, actor, client_id, authorization_id, connection_id, \
     grant_id, address, request_id, detail, times, last_at";

/// A row of the log. Columns: [`RECORD`].
pub(crate) fn record(columns: &mut dyn Columns) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        id: columns.number()?,
        at: columns.moment()?,
        event: columns.text()?,
        outcome: columns.text()?,
        actor: columns.text()?,
        client_id: columns.optional_text()?,
        authorization_id: columns.optional_id()?.map(|id| AuthorizationId(id).to_string()),
        connection_id: columns.optional_id()?.map(|id| ConnectionId(id).to_string()),
        grant_id: columns.optional_id()?.map(|id| GrantId(id).to_string()),
        address: columns.optional_text()?,
        request_id: columns.optional_text()?,
        detail: columns.optional_text()?,
        times: columns.count()?,
        last_at: columns.moment()?,
    })
}

/// The time between a batched event and its commit, with a clock that is set right in between: where reading since a
/// moment may stop.
const SLACK: Duration = Duration::from_secs(3600);

/// What a query makes of the rows, the newest first. The log is in order of time but for what was batched, so reading can
/// stop where it is old.
pub(crate) struct Filter<'q> {
    query: &'q AuditQuery,
    matching: Vec<AuditRecord>,
    done: bool,
}

impl<'q> Filter<'q> {
    /// Nothing is kept yet.
    pub(crate) fn new(query: &'q AuditQuery) -> Self {
        Self {
            query,
            matching: Vec::new(),
            done: query.limit == 0,
        }
    }

    /// Whether no further row is asked for.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Looks at the next older row.
    pub(crate) fn add(&mut self, record: AuditRecord) {
        let query = self.query;
        if self.done {
            return;
        }
        if let Some(since) = query.since {
            if record.last_at < since.minus(SLACK) {
                self.done = true;
                return;
            }
            if record.last_at < since {
                return;
            }
        }
        if query.client_id.is_some() && query.client_id != record.client_id {
            return;
        }
        self.matching.push(record);
        self.done = self.matching.len() >= query.limit;
    }

    /// What was asked for.
    pub(crate) fn matching(self) -> Vec<AuditRecord> {
        self.matching
    }
}
