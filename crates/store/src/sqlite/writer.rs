//! The one writer: takes all decisions that wait into one transaction, a savepoint each, and answers after the commit.
//!
//! So the cost of a sync is shared by everybody who waits for one (group commit), while a decision that fails rolls
//! back itself alone. A caller that goes away changes nothing: what was queued is decided.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::open::Held;
use crate::CommitObserver;
use crate::error::StoreError;

/// How many callers may queue before the next one waits for a place.
const QUEUE: usize = 1024;
/// How many decisions share one commit at most, so that the first one of a batch does not wait for long.
const BATCH: usize = 256;

const STOPPED: StoreError = StoreError::Unavailable("it is closed");
const UNKNOWN: StoreError = StoreError::Unavailable("internal error; the log says where it happened");

/// The way to the writer's thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    observer: Observed,
}

/// The observer of the commits, if any.
type Observed = Arc<OnceLock<Box<dyn CommitObserver>>>;

enum Message {
    Decide(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

/// A decision on its way through the writer, and its waiting caller.
trait Job: Send {
    /// Decides and keeps the outcome. May be called again after everything was rolled back.
    fn decide(&mut self, conn: &mut Connection) -> Result<(), StoreError>;
    /// Tells the outcome; `failure` is that of the transaction around it.
    fn answer(self: Box<Self>, failure: Option<StoreError>);
}

struct Decision<T, F> {
    decide: F,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Decision<T, F>
where
    T: Send,
    F: FnMut(&mut Connection) -> Result<T, StoreError> + Send,
{
    fn decide(&mut self, conn: &mut Connection) -> Result<(), StoreError> {
        // Others share the transaction and the thread: a bug in one decision must end that decision alone. What it wrote is
        // rolled back with its savepoint.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.decide)(conn)))
            .unwrap_or_else(|_| Err(StoreError::panicked()));
        let result = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        self.outcome = Some(outcome);
        result
    }

    fn answer(self: Box<Self>, failure: Option<StoreError>) {
        let answer = match (self.outcome, failure) {
            (Some(Err(own)), _) => Err(own),
            (_, Some(failure)) => Err(failure),
            (Some(outcome), None) => outcome,
            (None, None) => Err(STOPPED),
        };
        // The caller may be gone; the decision is valid all the same.
        drop(self.reply.send(answer));
    }
}

impl Writer {
    /// Starts the thread; it holds the database and its lock until it is closed or dropped.
    pub(super) fn start(held: Held) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let observer = Observed::default();
        let shared = Arc::clone(&observer);
        thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(held, waiting, &shared))?;
        Ok(Self { queue, observer })
    }

    /// Counts the commits from now on.
    pub(super) fn observed_by(&self, observer: Box<dyn CommitObserver>) {
        self.observer.get_or_init(|| observer);
    }

    /// Queues a decision and waits until its commit is on the disk.
    pub(super) async fn decide<T, F>(&self, decide: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Decision {
            decide,
            outcome: None,
            reply,
        });
        self.queue.send(Message::Decide(job)).await.map_err(|_| STOPPED)?;
        let lost = || if self.queue.is_closed() { STOPPED } else { UNKNOWN };
        answer.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Lets everything that waits be decided, then closes the database and releases its lock.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Message::Close(done)).await.is_ok() {
            // An error means that the thread has ended already, which is what was wanted.
            closed.await.unwrap_or_default();
        }
    }
}

fn run(mut held: Held, mut waiting: mpsc::Receiver<Message>, observer: &Observed) {
    let mut closing = Vec::new();
    while let Some(first) = waiting.blocking_recv() {
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Decide(job) => batch.push(job),
                Message::Close(done) => {
                    // No more is taken in; what is in the queue already is still decided.
                    waiting.close();
                    closing.push(done);
                }
            }
            if batch.len() < BATCH {
                next = waiting.try_recv().ok();
            }
        }
        // A decision's own panic is caught in `decide`. After any other one, those that wait for this batch get an error, and
        // the next batch begins with a rollback.
        if catch_unwind(AssertUnwindSafe(|| settle(&mut held.conn, batch, observer))).is_err() {
            tracing::error!("the store's writer panicked: this is a bug");
        }
    }
    held.close();
    for done in closing {
        done.send(()).unwrap_or_default();
    }
}

fn settle(conn: &mut Connection, mut batch: Vec<Box<dyn Job>>, observer: &Observed) {
    let failure = commit(conn, &mut batch, observer).err();
    if failure == Some(StoreError::Full) && batch.len() > 1 {
        // Together they did not fit; each one alone may. A smaller decision is not refused for a bigger one's sake.
        for job in batch {
            let mut alone = vec![job];
            let failure = commit(conn, &mut alone, observer).err();
            answer(alone, failure.as_ref());
        }
    } else {
        answer(batch, failure.as_ref());
    }
}

fn answer(batch: Vec<Box<dyn Job>>, failure: Option<&StoreError>) {
    if let Some(failure) = failure {
        tracing::error!(decisions = batch.len(), error = %failure, "the store could not commit");
    }
    for job in batch {
        job.answer(failure.cloned());
    }
}

/// One transaction for the batch. On an error nothing of it is kept.
fn commit(conn: &mut Connection, batch: &mut [Box<dyn Job>], observer: &Observed) -> Result<(), StoreError> {
    let started = Instant::now();
    // What a failed rollback or a panic left open.
    roll_back(conn)?;
    let result = decide_all(conn, batch).and_then(|()| statement(conn, "COMMIT"));
    if result.is_err()
        && let Err(error) = roll_back(conn)
    {
        tracing::error!(%error, "a transaction could not be rolled back; trying again before the next one");
    }
    if let Some(observer) = observer.get() {
        observer.committed(batch.len(), result.is_ok(), started.elapsed());
    }
    result
}

fn roll_back(conn: &Connection) -> Result<(), StoreError> {
    if conn.is_autocommit() {
        return Ok(());
    }
    statement(conn, "ROLLBACK")
}

fn decide_all(conn: &mut Connection, batch: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    statement(conn, "BEGIN IMMEDIATE")?;
    for job in batch {
        statement(conn, "SAVEPOINT decision")?;
        if let Err(error) = job.decide(conn) {
            if conn.is_autocommit() {
                // SQLite itself rolled back everything, as it may on a full disk (sqlite.org/lang_transaction.html,
                // section 3): those decided before are gone too.
                return Err(error);
            }
            statement(conn, "ROLLBACK TO decision")?;
        }
        statement(conn, "RELEASE decision")?;
    }
    Ok(())
}

fn statement(conn: &Connection, sql: &str) -> Result<(), StoreError> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_transaction_that_was_left_open_is_rolled_back_before_the_next_one() {
        let mut conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE rows (id INTEGER); BEGIN; INSERT INTO rows VALUES (1)")
            .unwrap();
        let (reply, mut answer) = oneshot::channel();
        let decision = Decision {
            decide: |conn: &mut Connection| Ok(conn.execute("INSERT INTO rows VALUES (2)", [])?),
            outcome: None,
            reply,
        };
        settle(&mut conn, vec![Box::new(decision)], &Observed::default());
        assert_eq!(answer.try_recv().unwrap(), Ok(1));
        assert!(conn.is_autocommit());
        let ids: Vec<i64> = conn
            .prepare("SELECT id FROM rows")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(ids, [2]);
    }
}
