//! Finding grants by Plaid's access token, and adding the connections of earlier versions to the index: see
//! [`crate::token_index`].

use super::{connections, meta, reseal};
use crate::Store;
use crate::error::StoreError;
use crate::model::{Connection, Grant};
use crate::rows;
use crate::secret::PlaidAccessToken;
use crate::token_index::{ItemUse, Needed, PROGRESS, Progress, Step, hashed, matching};
use crate::tx::{Context, Decision, Failure, Run, Tx, values};

impl Store {
    /// The grants, of all clients and ended ones too, to connections that this access token of Plaid's opens; the newest
    /// first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] also when nothing is found while connections of an earlier version are being added.
    pub async fn grants_by_access_token(
        &self,
        token: PlaidAccessToken,
    ) -> Result<Vec<(Grant, Connection)>, StoreError> {
        let needed = Needed::Any;
        self.run(FindGrants { token, needed }).await
    }

    /// [`Self::grants_by_access_token`], for a decision that must not miss one of them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] also while connections of an earlier version are being added, or one of them could not be.
    pub async fn all_grants_by_access_token(
        &self,
        token: PlaidAccessToken,
    ) -> Result<Vec<(Grant, Connection)>, StoreError> {
        let needed = Needed::All;
        self.run(FindGrants { token, needed }).await
    }

    /// Whether another connection that is not ended has the same access token, and so the same Item at Plaid. Connections
    /// of an earlier version that a missing key keeps out of the index do not count.
    pub async fn item_use(&self, connection: &Connection) -> Result<ItemUse, StoreError> {
        self.run(FindItemUse(connection.clone())).await
    }

    /// Adds at most `limit` connections in one commit.
    pub async fn index_step(&self, limit: usize) -> Result<Step, StoreError> {
        self.run(Index(limit)).await
    }
}

struct FindGrants {
    token: PlaidAccessToken,
    needed: Needed,
}

impl Decision for FindGrants {
    type Outcome = Vec<(Grant, Connection)>;
    const RUN: Run = Run::Read;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<Self::Outcome, Failure> {
        // Read first: a pass that ends in between does not make an older look complete.
        let progress = meta::get(tx, PROGRESS).await?;
        let sql = format!(
            "SELECT {}, {} FROM access_tokens JOIN connections ON connections.id = access_tokens.connection_id \
             JOIN grants ON grants.connection_id = connections.id WHERE access_tokens.hash = ?1 ORDER BY grants.id DESC",
            rows::GRANT,
            rows::CONNECTION
        );
        let hash = context.tokens.hash_access_token(&self.token).0;
        let found = tx
            .rows(&sql, &values![hash], |row| {
                Ok((rows::grant(row)?, rows::connection(row, &context.keyring)?))
            })
            .await?;
        Ok(matching(found, &self.token, progress.as_deref(), self.needed)?)
    }
}

struct FindItemUse(Connection);

impl Decision for FindItemUse {
    type Outcome = ItemUse;
    const RUN: Run = Run::Read;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<ItemUse, Failure> {
        // Read first, as for the grants.
        let progress = Progress::read(meta::get(tx, PROGRESS).await?.as_deref())?;
        let sql = format!(
            "SELECT {} FROM access_tokens JOIN connections ON connections.id = access_tokens.connection_id \
             WHERE access_tokens.hash = ?1 AND connections.id <> ?2 AND connections.removed_at IS NULL",
            rows::CONNECTION
        );
        let Self(connection) = self;
        let hash = context.tokens.hash_access_token(&connection.access_token).0;
        let others = tx
            .rows(&sql, &values![hash, connection.id], |row| {
                let other = rows::connection(row, &context.keyring)?;
                Ok(other.access_token.matches(connection.access_token.expose()))
            })
            .await?;
        if others.contains(&true) {
            return Ok(ItemUse::Elsewhere);
        }
        Ok(progress.nothing_found())
    }
}

struct Index(usize);

impl Decision for Index {
    type Outcome = Step;
    const RUN: Run = Run::DecideLong;

    /// The row of the progress is locked, so that of several instances one has the pass in hand.
    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<Step, Failure> {
        let sql = "SELECT value FROM meta WHERE name = ?1 /*pg FOR NO KEY UPDATE SKIP LOCKED*/";
        let Some(progress) = tx.row(sql, &values![PROGRESS], |row| row.bytes()).await? else {
            return Ok(Step::Elsewhere);
        };
        let progress = Progress::read(Some(&progress))?;
        if progress.is_done {
            return Ok(Step::Done);
        }
        let page = reseal::page(tx, progress.after, self.0).await?;
        let (hashes, progress, step) = hashed(progress, &page, self.0, &context.keyring, &context.tokens);
        let index: Vec<_> = hashes
            .into_iter()
            .map(|(hash, id)| connections::index(hash, id))
            .collect();
        tx.execute_all(&index).await?;
        meta::set(tx, PROGRESS, &progress.bytes()).await?;
        Ok(step)
    }
}
