//! Key rotation, and the report on which keys are in use: see [`crate::reseal`].

use uuid::Uuid;

use super::meta;
use crate::Store;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::model::{ConnectionId, KeysReport, ResealStep};
use crate::reseal::{Tally, again};
use crate::rows::{self, Columns};
use crate::tokens::token_key_place;
use crate::tx::{Context, Decision, Failure, Run, Statement, Tx, values};

/// Short statements, so that nothing old is held on to.
pub(crate) const PAGE: usize = 500;

impl Store {
    /// One step of key rotation: seals at most `limit` values with the first key that another key sealed. Begin with
    /// `None` and go on with what a step returns as `next`, until it returns none. Done again it changes nothing.
    pub async fn reseal(&self, after: Option<ConnectionId>, limit: usize) -> Result<ResealStep, StoreError> {
        self.run(Reseal { after, limit }).await
    }

    /// Opens every sealed value: which keys are in use, and whether all that are needed were given. Reads everything.
    pub async fn keys_report(&self) -> Result<KeysReport, StoreError> {
        self.run(Report).await
    }
}

/// The columns that [`sealed`] reads.
const SEALED: &str = "SELECT id, access_token FROM connections WHERE id > ?1 ORDER BY id LIMIT ?2";

fn sealed(row: &mut dyn Columns) -> Result<(ConnectionId, Vec<u8>), StoreError> {
    Ok((ConnectionId(row.id()?), row.bytes()?))
}

/// At most `limit` connections after this one, with their sealed access tokens.
pub(crate) async fn page<T: Tx>(
    tx: &mut T,
    after: Uuid,
    limit: usize,
) -> Result<Vec<(ConnectionId, Vec<u8>)>, Failure> {
    tx.rows(SEALED, &values![after, limit], sealed).await
}

struct Reseal {
    after: Option<ConnectionId>,
    limit: usize,
}

impl Decision for Reseal {
    type Outcome = ResealStep;
    const RUN: Run = Run::DecideLong;

    /// The first step looks at the token key too. The rows in hand are locked, so that of two instances that do it at once
    /// the second one finds them done.
    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<ResealStep, Failure> {
        let mut step = ResealStep::default();
        if self.after.is_none() {
            let sql = "SELECT value FROM meta WHERE name = 'token_key' /*pg FOR NO KEY UPDATE*/";
            if let Some(sealed) = tx.row(sql, &[], |row| row.bytes()).await?
                && let Some(again) = again(&context.keyring, &token_key_place(), &sealed, &mut step)?
            {
                meta::set(tx, "token_key", &again).await?;
            }
        }
        let from = self.after.map_or(Uuid::nil(), |id| id.0);
        let sql = format!("{SEALED} /*pg FOR NO KEY UPDATE*/");
        let page = tx.rows(&sql, &values![from, self.limit], sealed).await?;
        if page.len() == self.limit {
            step.next = page.last().map(|(id, _)| *id);
        }
        let mut fresh = Vec::new();
        for (id, sealed) in page {
            let place = rows::access_token_place(id);
            if let Some(again) = again(&context.keyring, &place, &sealed, &mut step)? {
                fresh.push((id, again));
            }
        }
        let updates: Vec<_> = fresh
            .iter()
            .map(|(id, sealed)| {
                let sql = "UPDATE connections SET access_token = ?1 WHERE id = ?2";
                Statement::new(sql, values![sealed, *id])
            })
            .collect();
        tx.execute_all(&updates).await?;
        Ok(step)
    }
}

/// Opens every sealed value, to find out which keys are in use and whether all that is needed is there.
pub(crate) async fn report<T: Tx>(tx: &mut T, keyring: &Keyring) -> Result<KeysReport, Failure> {
    let mut tally = Tally::of(keyring);
    if let Some(sealed) = meta::get(tx, "token_key").await? {
        tally.count(&token_key_place(), &sealed);
    }
    let mut from = Uuid::nil();
    loop {
        let page = page(tx, from, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(tally.report());
        };
        from = last.0;
        for (id, sealed) in &page {
            tally.count(&rows::access_token_place(*id), sealed);
        }
    }
}

struct Report;

impl Decision for Report {
    type Outcome = KeysReport;
    const RUN: Run = Run::ListAll;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<KeysReport, Failure> {
        report(tx, &context.keyring).await
    }
}
