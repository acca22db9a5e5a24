//! What operators see and end: connections with their grants, never a token.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::removals::{self, Unused};
use super::{audit, connections};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::model::{
    ConnectionFilter, ConnectionId, ConnectionKey, ConnectionSummary, EndStep, EndTarget, Ended, GrantId,
    GrantSummary, RemovalReason,
};
use crate::rows::listing::{self, GRANT, SUMMARY, Targets};
use crate::tx::{Context, Decision, Failure, Run, Tx, values};
use crate::{CHANGED_AT_ONCE, Store};

impl Store {
    /// Connections with their grants that fit the filter, the newest first. Without any token.
    pub async fn connections(&self, filter: ConnectionFilter) -> Result<Vec<ConnectionSummary>, StoreError> {
        self.run(filter).await
    }

    /// One connection with its grants. Of several of one Item: the newest live one, else the newest.
    pub async fn connection_summary(
        &self,
        key: ConnectionKey,
    ) -> Result<Option<ConnectionSummary>, StoreError> {
        self.run(key).await
    }

    /// How many connections there are, ended ones included: how long it takes to go through all of them.
    pub async fn connection_count(&self) -> Result<u64, StoreError> {
        self.run(Count).await
    }

    /// One step of ending what the target names, in the order of the ids: examines a bounded number of connections after
    /// this one, ends those among them that the target names, and queues their removal at Plaid, in one commit. Begin
    /// with `None` and go on with what a step returns as `next`, until it returns none; a run that was cut short is
    /// continued by beginning again. A connection that another client's live grant uses stays when a client is ended.
    pub async fn end_step(
        &self,
        target: EndTarget,
        after: Option<ConnectionId>,
        now: Timestamp,
    ) -> Result<EndStep, StoreError> {
        let client = target.client().map(str::to_owned);
        let after = after.map_or_else(Uuid::nil, |id| id.0);
        // An Item is looked for in all rows.
        let targets = match &target {
            EndTarget::One(_) => self.run(FindTargetsInAll(FindTargets { target, after })).await?,
            EndTarget::Client(_) | EndTarget::All => self.run(FindTargets { target, after }).await?,
        };
        if targets.ids.is_empty() {
            return Ok(targets.step(Ended::default()));
        }
        let ids = targets.ids.iter().map(|id| id.0).collect();
        let ended = self.decide(End { ids, client }, now).await?;
        Ok(targets.step(ended))
    }
}

/// The connections with their grants, which one more statement reads for all of them.
async fn with_grants<T: Tx>(
    tx: &mut T,
    mut listed: Vec<ConnectionSummary>,
) -> Result<Vec<ConnectionSummary>, Failure> {
    let ids: Vec<Uuid> = listed.iter().map(|connection| connection.id.0).collect();
    let sql = format!(
        "SELECT {GRANT}, grants.connection_id {} WHERE grants.connection_id IN rarray(?1) ORDER BY grants.id",
        listing::GRANTS
    );
    let found = tx
        .rows(&sql, &values![&ids], |row| Ok((listing::grant(row)?, row.id()?)))
        .await?;
    let mut grants: BTreeMap<Uuid, Vec<GrantSummary>> = BTreeMap::new();
    for (grant, of) in found {
        grants.entry(of).or_default().push(grant);
    }
    for connection in &mut listed {
        connection.grants = grants.remove(&connection.id.0).unwrap_or_default();
    }
    Ok(listed)
}

impl Decision for ConnectionFilter {
    type Outcome = Vec<ConnectionSummary>;
    const RUN: Run = Run::List;

    /// The newest first, which is the order of the ids.
    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<Self::Outcome, Failure> {
        // PostgreSQL takes the type of a parameter from its first use.
        let sql = format!(
            "{SUMMARY} WHERE connections.id < ?1 AND (connections.item_id = ?2 OR ?2 IS NULL) \
             AND ({} OR ?3 IS NULL){} ORDER BY connections.id DESC LIMIT ?4",
            listing::of_client("?3"),
            listing::in_state(self.state)
        );
        let before = self.before.map_or(Uuid::max(), |id| id.0);
        let values = values![
            before,
            self.item_id.as_deref(),
            self.client_id.as_deref(),
            self.limit
        ];
        let listed = tx.rows(&sql, &values, listing::summary).await?;
        with_grants(tx, listed).await
    }
}

impl Decision for ConnectionKey {
    type Outcome = Option<ConnectionSummary>;
    const RUN: Run = Run::List;

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<Self::Outcome, Failure> {
        let (by, value) = match self {
            Self::Id(id) => ("id", values![*id]),
            Self::Item(item_id) => ("item_id", values![item_id]),
        };
        let sql = format!(
            "{SUMMARY} WHERE connections.{by} = ?1 \
             ORDER BY connections.removed_at IS NOT NULL, connections.id DESC LIMIT 1"
        );
        let found = tx.rows(&sql, &value, listing::summary).await?;
        Ok(with_grants(tx, found).await?.pop())
    }
}

/// How many connections there are, ended ones included.
pub(crate) async fn count<T: Tx>(tx: &mut T) -> Result<u64, Failure> {
    tx.one("SELECT count(*) FROM connections", &[], |row| row.count())
        .await
}

struct Count;

impl Decision for Count {
    type Outcome = u64;
    const RUN: Run = Run::List;

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<u64, Failure> {
        count(tx).await
    }
}

struct FindTargets {
    target: EndTarget,
    after: Uuid,
}

impl Decision for FindTargets {
    type Outcome = Targets;
    const RUN: Run = Run::Read;

    /// The next connections, in the order of their ids.
    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<Targets, Failure> {
        let mut values = values![self.after, CHANGED_AT_ONCE].to_vec();
        match &self.target {
            EndTarget::One(ConnectionKey::Id(id)) => values.push((*id).into()),
            EndTarget::One(ConnectionKey::Item(name)) | EndTarget::Client(name) => values.push(name.into()),
            EndTarget::All => {}
        }
        let mut targets = Targets::default();
        tx.rows(&listing::targets(&self.target), &values, |row| targets.add(row))
            .await?;
        Ok(targets)
    }
}

struct FindTargetsInAll(FindTargets);

impl Decision for FindTargetsInAll {
    type Outcome = Targets;
    const RUN: Run = Run::List;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<Targets, Failure> {
        self.0.run(tx, context).await
    }
}

struct End {
    ids: Vec<Uuid>,
    client: Option<String>,
}

impl Decision for End {
    type Outcome = Ended;

    /// Grants first (of one client alone, if one is named), then each connection that no live grant uses any more.
    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<Ended, Failure> {
        connections::lock_all(tx, &self.ids).await?;
        let grants = tx
            .rows(
                "UPDATE grants SET revoked_at = ?1 WHERE connection_id IN rarray(?2) AND revoked_at IS NULL \
             AND (client_id = ?3 OR ?3 IS NULL) RETURNING id, client_id, connection_id",
                &values![context.now(), &self.ids, self.client.as_deref()],
                |row| {
                    let (grant, client_id) = (GrantId(row.id()?), row.text()?);
                    Ok(context.audit.revoked(grant, &client_id, ConnectionId(row.id()?)))
                },
            )
            .await?;
        audit::write(tx, context, &grants).await?;
        let unused = tx.rows(
            "SELECT connections.id, coalesce(connections.client_id, authorizations.client_id) FROM connections \
             LEFT JOIN authorizations ON authorizations.id = connections.authorization_id \
             WHERE connections.id IN rarray(?1) ORDER BY connections.id",
            &values![&self.ids],
            |row| {
                Ok(Unused {
                    connection: ConnectionId(row.id()?),
                    client_id: row.optional_text()?,
                })
            },
        ).await?;
        let connections = removals::end_unused(tx, context, unused, RemovalReason::Revoked).await?;
        Ok(Ended {
            found: 0,
            grants: u64::try_from(grants.len()).unwrap_or(u64::MAX),
            connections,
        })
    }
}
