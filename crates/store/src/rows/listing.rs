//! What operators see: connections with their grants, never a token.

use super::{Columns, STRANGE, split_scope};
use crate::CHANGED_AT_ONCE;
use crate::error::StoreError;
use crate::model::{
    AllowedRedirectUri, ConnectionId, ConnectionKey, ConnectionState, ConnectionSummary, EndStep, EndTarget,
    Ended, GrantId, GrantSummary, KnownHealth, QueuedRemoval,
};

/// Everything of a connection but its token. The client is the one that it was made for.
pub(crate) const SUMMARY: &str = "SELECT connections.id, connections.item_id, connections.institution_id, \
     connections.institution_name, connections.created_at, connections.removed_at, \
     coalesce(connections.client_id, authorizations.client_id), connection_health.health, connection_health.at, \
     removals.attempts, removals.next_try \
     FROM connections \
     LEFT JOIN authorizations ON authorizations.id = connections.authorization_id \
     LEFT JOIN connection_health ON connection_health.connection_id = connections.id \
     LEFT JOIN removals ON removals.connection_id = connections.id";

/// The columns that [`grant`] reads.
pub(crate) const GRANT: &str = "grants.id, grants.client_id, grants.scope, grants.created_at, grants.revoked_at, \
     grant_use.refreshed_at";
pub(crate) const GRANTS: &str = "FROM grants LEFT JOIN grant_use ON grant_use.grant_id = grants.id";

/// A client's are those that were made for it and those that it has or had a grant of.
pub(crate) fn of_client(parameter: &str) -> String {
    format!(
        "(connections.client_id = {parameter} OR authorizations.client_id = {parameter} OR EXISTS (SELECT 1 FROM grants \
         WHERE grants.connection_id = connections.id AND grants.client_id = {parameter}))"
    )
}

/// The next connections for `end_step`: their ids, whether the target names them, and whether anything of them is left to
/// be ended (a release before this one may have left live grants of ended connections). Parameters:
/// the id before, the limit, and what the target names.
pub(crate) fn targets(target: &EndTarget) -> String {
    let (named, condition) = match target {
        EndTarget::One(ConnectionKey::Id(_)) => ("TRUE".to_owned(), " AND connections.id = ?3"),
        EndTarget::One(ConnectionKey::Item(_)) => ("TRUE".to_owned(), " AND connections.item_id = ?3"),
        // NULL where a client is not known.
        EndTarget::Client(_) => (format!("coalesce({}, FALSE)", of_client("?3")), ""),
        EndTarget::All => ("TRUE".to_owned(), ""),
    };
    format!(
        "SELECT connections.id, {named}, connections.removed_at IS NULL OR EXISTS (SELECT 1 FROM grants \
             WHERE grants.connection_id = connections.id AND grants.revoked_at IS NULL) \
         FROM connections LEFT JOIN authorizations ON authorizations.id = connections.authorization_id \
         WHERE connections.id > ?1{condition} ORDER BY connections.id LIMIT ?2"
    )
}

/// The connections that one `end_step` examines.
#[derive(Default)]
pub(crate) struct Targets {
    step: EndStep,
    /// Those of which something is left to be ended.
    pub(crate) ids: Vec<ConnectionId>,
}

impl Targets {
    /// Columns: [`targets`].
    pub(crate) fn add(&mut self, columns: &mut dyn Columns) -> Result<(), StoreError> {
        let id = ConnectionId(columns.id()?);
        let (is_named, is_left) = (columns.flag()?, columns.flag()?);
        self.step.examined += 1;
        self.step.ended.found += u64::from(is_named);
        self.step.next = Some(id);
        if is_named && is_left {
            self.ids.push(id);
        }
        Ok(())
    }

    /// What the step comes to, once `ended` is committed. A page that is not full is the last one.
    pub(crate) fn step(&self, ended: Ended) -> EndStep {
        let is_full = i64::try_from(self.step.examined) == Ok(CHANGED_AT_ONCE);
        let mut step = self.step;
        step.ended += ended;
        step.next = step.next.filter(|_| is_full);
        step
    }
}

/// The condition of a state.
pub(crate) fn in_state(state: Option<ConnectionState>) -> &'static str {
    match state {
        None => "",
        Some(ConnectionState::Live) => " AND connections.removed_at IS NULL",
        Some(ConnectionState::Ending) => " AND removals.connection_id IS NOT NULL",
        Some(ConnectionState::Removed) => {
            " AND connections.removed_at IS NOT NULL AND removals.connection_id IS NULL"
        }
    }
}

/// A connection, its grants still missing. Columns: [`SUMMARY`].
pub(crate) fn summary(columns: &mut dyn Columns) -> Result<ConnectionSummary, StoreError> {
    let id = ConnectionId(columns.id()?);
    let item_id = columns.text()?;
    let (institution_id, institution_name) = (columns.optional_text()?, columns.optional_text()?);
    let (created_at, removed_at) = (columns.moment()?, columns.optional_moment()?);
    let client_id = columns.optional_text()?;
    let health = columns.optional_text()?;
    let health_at = columns.optional_moment()?;
    let attempts = columns.optional_number()?;
    let next_try = columns.optional_moment()?;
    let removal = match attempts.zip(next_try) {
        None => None,
        Some((attempts, next_try)) => Some(QueuedRemoval {
            attempts: u32::try_from(attempts).map_err(|_| STRANGE)?,
            next_try,
        }),
    };
    let state = match (removed_at, &removal) {
        (_, Some(_)) => ConnectionState::Ending,
        (Some(_), None) => ConnectionState::Removed,
        (None, None) => ConnectionState::Live,
    };
    Ok(ConnectionSummary {
        id,
        item_id,
        institution_id,
        institution_name,
        created_at,
        removed_at,
        state,
        client_id,
        health: health.zip(health_at).map(|(word, at)| KnownHealth { word, at }),
        removal,
        grants: Vec::new(),
    })
}

/// A grant of a connection. Columns: [`GRANT`].
pub(crate) fn grant(columns: &mut dyn Columns) -> Result<GrantSummary, StoreError> {
    Ok(GrantSummary {
        id: GrantId(columns.id()?),
        client_id: columns.text()?,
        scope: split_scope(&columns.text()?),
        created_at: columns.moment()?,
        revoked_at: columns.optional_moment()?,
        refreshed_at: columns.optional_moment()?,
    })
}

/// All allowed callbacks, in the order in which they were allowed.
pub(crate) const REDIRECT_URIS: &str =
    "SELECT client_id, uri, allowed_at, allowed_by FROM redirect_uris ORDER BY allowed_at, client_id, uri";

/// An allowed callback. Columns: [`REDIRECT_URIS`].
pub(crate) fn redirect_uri(columns: &mut dyn Columns) -> Result<AllowedRedirectUri, StoreError> {
    Ok(AllowedRedirectUri {
        client_id: columns.text()?,
        uri: columns.text()?,
        allowed_at: columns.moment()?,
        allowed_by: columns.text()?,
    })
}
