//! Connections to the server, and what is decided and looked up on them.
//!
//! A decision is a transaction of its own, which goes to its end however soon its caller goes away. What hangs is cut, and
//! its connection with it: no connection goes back into the pool with a transaction half done.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use deadpool_postgres::Object;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};
use tokio_util::task::TaskTracker;

use super::failure::unconnected;
use crate::CommitObserver;
use crate::error::StoreError;
use crate::tx::Failure;

/// How often a decision is tried that others, or the end of its connection, were in the way of.
const ATTEMPTS: u32 = 5;
/// A little longer than the server's statement timeout, so that its error comes first.
const USUAL: Duration = Duration::from_secs(15);
/// For what goes through many rows.
const LONG: Duration = Duration::from_secs(120);

const CLOSED: StoreError = StoreError::Unavailable("it is closed");
const IN_TIME: StoreError = StoreError::Unavailable("the PostgreSQL server did not answer in time");

/// The outcome of a decision or a look-up.
pub(super) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// What goes into statements.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A connection in use. Dropped before its work is done, it is closed, and the server undoes what was not committed.
pub(super) struct Conn {
    object: Option<Object>,
    settled: bool,
}

impl Drop for Conn {
    fn drop(&mut self) {
        if let Some(object) = self.object.take()
            && !self.settled
        {
            drop(Object::take(object));
        }
    }
}

impl Conn {
    fn client(&self) -> Result<&Object, Failure> {
        self.object.as_ref().ok_or(Failure::Lost)
    }

    async fn prepared(&self, sql: &str) -> Result<(&Object, Statement), Failure> {
        let client = self.client()?;
        Ok((client, client.prepare_cached(sql).await?))
    }

    /// Keeps the statement for later calls on this connection.
    pub(super) async fn prepare(&self, sql: &str) -> Result<(), Failure> {
        self.prepared(sql).await.map(|_| ())
    }

    pub(super) async fn query(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, Failure> {
        let (client, statement) = self.prepared(sql).await?;
        Ok(client.query(&statement, values).await?)
    }

    /// The row, if there is one.
    pub(super) async fn row(&self, sql: &str, values: Values<'_>) -> Result<Option<Row>, Failure> {
        Ok(self.query(sql, values).await?.into_iter().next())
    }

    /// The one row that such a statement always returns.
    pub(super) async fn one(&self, sql: &str, values: Values<'_>) -> Result<Row, Failure> {
        let row = self.row(sql, values).await?;
        row.ok_or(Failure::Store(StoreError::Corrupt("a row is missing")))
    }

    /// How many rows it changed.
    pub(super) async fn execute(&self, sql: &str, values: Values<'_>) -> Result<u64, Failure> {
        let (client, statement) = self.prepared(sql).await?;
        Ok(client.execute(&statement, values).await?)
    }

    pub(super) async fn run(&self, sql: &str) -> Result<(), Failure> {
        Ok(self.client()?.batch_execute(sql).await?)
    }
}

/// How something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Transaction,
    /// Each statement for itself.
    Statements,
}

/// How long something may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timeouts {
    /// What requests wait for.
    Usual,
    /// What operators and the background wait for.
    Long,
    /// What goes through all rows, in many short statements.
    Unbounded,
}

impl Timeouts {
    fn limit(self) -> Duration {
        match self {
            Self::Usual => USUAL,
            Self::Long => LONG,
            Self::Unbounded => Duration::MAX,
        }
    }

    fn begin(self) -> &'static str {
        match self {
            Self::Usual => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::Long | Self::Unbounded => {
                "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = '60s'"
            }
        }
    }
}

/// The connections of one store. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: deadpool_postgres::Pool,
    tasks: TaskTracker,
    lists: Semaphore,
    closed: AtomicBool,
    observer: OnceLock<Box<dyn CommitObserver>>,
}

impl Pool {
    pub(super) fn of(pool: deadpool_postgres::Pool) -> Self {
        let lists = Semaphore::new((pool.status().max_size / 4).max(1));
        Self(Arc::new(Inner {
            pool,
            lists,
            tasks: TaskTracker::new(),
            closed: AtomicBool::new(false),
            observer: OnceLock::new(),
        }))
    }

    /// Counts the commits from now on.
    pub(super) fn observed_by(&self, observer: Box<dyn CommitObserver>) {
        self.0.observer.get_or_init(|| observer);
    }

    /// Decides in one transaction, and returns the outcome once it is on the server's disk.
    pub(super) async fn decide_with<I, T, F>(
        &self,
        patience: Timeouts,
        input: I,
        decide: F,
    ) -> Result<T, StoreError>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'a> Fn(&'a Conn, &'a I) -> Answer<'a, T> + Send + Sync + 'static,
    {
        let pool = self.clone();
        self.spawned(async move {
            let began = Instant::now();
            let outcome = pool.in_time(How::Transaction, patience, &input, &decide).await;
            if let Some(observer) = pool.0.observer.get() {
                observer.committed(1, outcome.is_ok(), began.elapsed());
            }
            if let Err(error) = &outcome
                && !matches!(error, StoreError::Sealed(_) | StoreError::Duplicate)
            {
                tracing::error!(%error, "the store could not commit");
            }
            outcome
        })
        .await
    }

    pub(super) async fn read_with<I, T, F>(
        &self,
        how: How,
        patience: Timeouts,
        input: I,
        look_up: F,
    ) -> Result<T, StoreError>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'a> Fn(&'a Conn, &'a I) -> Answer<'a, T> + Send + Sync + 'static,
    {
        let pool = self.clone();
        self.spawned(async move { pool.in_time(how, patience, &input, &look_up).await })
            .await
    }

    /// Looks through many rows for an operator. A quarter of the connections are for that and no more, so that requests
    /// find one; further lists wait for their turn.
    pub(super) async fn list<I, T, F>(
        &self,
        patience: Timeouts,
        input: I,
        look_up: F,
    ) -> Result<T, StoreError>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'a> Fn(&'a Conn, &'a I) -> Answer<'a, T> + Send + Sync + 'static,
    {
        let pool = self.clone();
        self.spawned(async move {
            let _turn = pool.0.lists.acquire().await.map_err(|_| CLOSED)?;
            pool.in_time(How::Statements, patience, &input, &look_up).await
        })
        .await
    }

    /// Lets what was begun come to its end, then closes all connections. Whatever comes later is refused.
    pub(super) async fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.pool.close();
    }

    async fn spawned<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.0.closed.load(Ordering::SeqCst) {
            return Err(CLOSED);
        }
        let task = self.0.tasks.spawn(work);
        task.await.unwrap_or_else(|error| {
            Err(if error.is_panic() {
                StoreError::panicked()
            } else {
                StoreError::Unavailable("the decision was stopped")
            })
        })
    }

    async fn in_time<I, T, F>(
        &self,
        how: How,
        patience: Timeouts,
        input: &I,
        work: &F,
    ) -> Result<T, StoreError>
    where
        F: for<'a> Fn(&'a Conn, &'a I) -> Answer<'a, T>,
    {
        let attempts = self.attempts(how, patience, input, work);
        timeout(patience.limit(), attempts).await.unwrap_or(Err(IN_TIME))
    }

    /// Nothing of an attempt that others were in the way of, or that lost its connection, is left on the server: it is made
    /// again.
    async fn attempts<I, T, F>(
        &self,
        how: How,
        patience: Timeouts,
        input: &I,
        work: &F,
    ) -> Result<T, StoreError>
    where
        F: for<'a> Fn(&'a Conn, &'a I) -> Answer<'a, T>,
    {
        let mut round = 1;
        loop {
            let outcome = match how {
                How::Transaction => self.transaction(patience, input, work).await,
                How::Statements => self.statements(input, work).await,
            };
            match outcome {
                Err(Failure::Again) if round < ATTEMPTS => {
                    let pause = rand::random_range(1..=10 * u64::from(round));
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                Err(Failure::Lost) if round < ATTEMPTS => {
                    // The server was stopped, most likely, and the other connections are as dead.
                    self.0.pool.retain(|_, _| false);
                }
                outcome => return outcome.map_err(StoreError::from),
            }
            round += 1;
        }
    }

    async fn statements<I, T, F>(&self, input: &I, work: &F) -> Result<T, Failure>
    where
        F: for<'a> Fn(&'a Conn, &'a I) -> Answer<'a, T>,
    {
        let mut conn = self.conn().await?;
        let found = work(&conn, input).await;
        conn.settled = !matches!(found, Err(Failure::Lost));
        found
    }

    async fn transaction<I, T, F>(&self, patience: Timeouts, input: &I, work: &F) -> Result<T, Failure>
    where
        F: for<'a> Fn(&'a Conn, &'a I) -> Answer<'a, T>,
    {
        let mut conn = self.conn().await?;
        conn.run(patience.begin()).await?;
        match work(&conn, input).await {
            Ok(decided) => {
                conn.run("COMMIT").await.map_err(|failure| match failure {
                    // Whether it was committed is unknown: the caller may ask again, with the same outcome.
                    Failure::Lost => Failure::Store(Failure::Lost.into()),
                    failure => failure,
                })?;
                conn.settled = true;
                Ok(decided)
            }
            Err(failure) => {
                conn.settled = conn.run("ROLLBACK").await.is_ok();
                Err(failure)
            }
        }
    }

    async fn conn(&self) -> Result<Conn, Failure> {
        let object = self.0.pool.get().await.map_err(|error| {
            tracing::debug!(%error, "no connection to the PostgreSQL server");
            unconnected(&error)
        })?;
        Ok(Conn {
            object: Some(object),
            settled: false,
        })
    }
}
