//! The store in a `PostgreSQL` database, which several instances of the broker may share.
//!
//! Each decision is one transaction (READ COMMITTED). One instance does not know of the others: what one of several may
//! win is decided by a row's lock, a conditional write or a unique index, and never by what was read before.

mod connect;
mod failure;
mod inspect;
mod migrations;
mod open;
mod pool;
#[cfg(all(test, unix))]
mod tests;
mod tls;
mod tx;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::pool::{Answer, Conn, How, Pool, Timeouts};
use self::tx::PostgresTx;
use super::error::{OpenError, StoreError};
use super::keyring::Keyring;
use super::model::Account;
use super::tokens::TokenKey;
use super::tx::{Context, Decision, Run};
use super::{CommitObserver, Durability};
use crate::config::{KeySource, PostgresUrl};

pub(super) use self::inspect::inspect;

/// After which time a decision is asked for again when it is unknown whether it was committed.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Not when that took longer: its caller does not wait for twice as much.
const ASK_AGAIN_WITHIN: Duration = Duration::from_secs(5);

/// An open `PostgreSQL` store.
#[derive(Debug)]
pub(super) struct PostgresStore {
    pool: Pool,
}

impl PostgresStore {
    pub(super) async fn open(
        url: PostgresUrl,
        keys: KeySource,
        account: &Account,
        durability: Durability,
    ) -> Result<(Self, Arc<Keyring>, TokenKey), OpenError> {
        let opened = open::open(url, &keys, account, durability).await?;
        let store = Self { pool: opened.pool };
        Ok((store, opened.keyring, opened.tokens))
    }

    pub(super) fn observed_by(&self, observer: Box<dyn CommitObserver>) {
        self.pool.observed_by(observer);
    }

    pub(super) async fn run<D: Decision>(
        &self,
        decision: D,
        context: Context,
    ) -> Result<D::Outcome, StoreError> {
        let input = Arc::new((decision, context));
        let began = Instant::now();
        match self.attempt(Arc::clone(&input)).await {
            // Its commit may stand.
            Err(StoreError::Unavailable(_)) if D::ASK_AGAIN && began.elapsed() < ASK_AGAIN_WITHIN => {
                tokio::time::sleep(ASK_AGAIN).await;
                self.attempt(input).await
            }
            outcome => outcome,
        }
    }

    async fn attempt<D: Decision>(&self, input: Arc<(D, Context)>) -> Result<D::Outcome, StoreError> {
        match D::RUN {
            Run::Decide => self.pool.decide_with(Timeouts::Usual, input, work::<D>).await,
            Run::DecideLong => self.pool.decide_with(Timeouts::Long, input, work::<D>).await,
            Run::Read => {
                self.pool
                    .read_with(How::Statements, Timeouts::Usual, input, work::<D>)
                    .await
            }
            Run::ReadTogether => {
                self.pool
                    .read_with(How::Transaction, Timeouts::Usual, input, work::<D>)
                    .await
            }
            Run::List => self.pool.list(Timeouts::Long, input, work::<D>).await,
            Run::ListAll => self.pool.list(Timeouts::Unbounded, input, work::<D>).await,
        }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

fn work<'a, D: Decision>(conn: &'a Conn, input: &'a Arc<(D, Context)>) -> Answer<'a, D::Outcome> {
    let (decision, context) = &**input;
    Box::pin(async move { decision.run(&mut PostgresTx(conn), context).await })
}
