//! Callbacks that an administrator allowed for a client.

use super::audit;
use crate::Store;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::model::{Actor, AllowedRedirectUri, AuditEvent};
use crate::rows::listing::{REDIRECT_URIS, redirect_uri};
use crate::tx::{Context, Decision, Failure, Run, Tx, values};

impl Store {
    /// Allows a callback for a client. Returns whether it is new. The caller checks it first.
    pub async fn allow_redirect_uri(
        &self,
        client_id: String,
        uri: String,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.decide(Allow { client_id, uri }, now).await
    }

    /// Removes an allowed callback. Returns whether it was there.
    pub async fn forget_redirect_uri(
        &self,
        client_id: String,
        uri: String,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.decide(Forget { client_id, uri }, now).await
    }

    /// All callbacks that were allowed, in the order in which they were.
    pub async fn redirect_uris(&self) -> Result<Vec<AllowedRedirectUri>, StoreError> {
        self.run(List).await
    }
}

struct Allow {
    client_id: String,
    uri: String,
}

impl Decision for Allow {
    type Outcome = bool;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<bool, Failure> {
        let by = context.audit.origin.actor.unwrap_or(Actor::Admin);
        let sql = "INSERT INTO redirect_uris (client_id, uri, allowed_at, allowed_by) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (client_id, uri) DO NOTHING";
        let values = values![&self.client_id, &self.uri, context.now(), by.as_str()];
        let added = tx.execute(sql, &values).await? == 1;
        if added {
            let event = AuditEvent::RedirectUriAllowed;
            let row = context.audit.redirect_uri(event, &self.client_id, &self.uri);
            audit::write(tx, context, &[row]).await?;
        }
        Ok(added)
    }
}

struct Forget {
    client_id: String,
    uri: String,
}

impl Decision for Forget {
    type Outcome = bool;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<bool, Failure> {
        let sql = "DELETE FROM redirect_uris WHERE client_id = ?1 AND uri = ?2";
        let removed = tx.execute(sql, &values![&self.client_id, &self.uri]).await? == 1;
        if removed {
            let event = AuditEvent::RedirectUriForgotten;
            let row = context.audit.redirect_uri(event, &self.client_id, &self.uri);
            audit::write(tx, context, &[row]).await?;
        }
        Ok(removed)
    }
}

pub(crate) async fn list<T: Tx>(tx: &mut T) -> Result<Vec<AllowedRedirectUri>, Failure> {
    tx.rows(REDIRECT_URIS, &[], redirect_uri).await
}

struct List;

impl Decision for List {
    type Outcome = Vec<AllowedRedirectUri>;
    const RUN: Run = Run::Read;

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<Self::Outcome, Failure> {
        list(tx).await
    }
}
