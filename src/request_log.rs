//! What clients sent lately, redacted: it answers "why does my profile fail?".
//!
//! Kept in memory alone, bounded, and without values: of a request stay the names of the parameters that are known, how
//! its client authenticated, and its outcome in words. The one value that stays is a refused redirect URI, because it can be
//! allowed afterwards.

mod attempt;
mod book;
mod entry;
mod live;
pub mod rehearsal;
pub mod rehearsal_layer;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

pub use attempt::Attempt;
pub use entry::{Count, Endpoint, Entry, Outcome};
pub use live::{Listener, Update};

use crate::clock::SharedClock;
use crate::random;
use book::Book;

/// Who watches at once: each is a connection that stays open.
const MAX_LISTENERS: usize = 16;
/// How far a listener may be behind before it is told everything again.
const NEWS: usize = 64;

/// The record of requests; cloning it is cheap.
#[derive(Clone)]
pub struct Record(Arc<Shared>);

struct Shared {
    /// `None`: switched off.
    book: Option<Mutex<Book>>,
    news: broadcast::Sender<Arc<Entry>>,
    listeners: Arc<Semaphore>,
    closing: CancellationToken,
    clock: SharedClock,
    /// Proofs of the rehearsal's requests that came.
    rehearsals: rehearsal::Seen,
    /// Tells this process from the one before it, whose numbers mean nothing any more.
    run: String,
}

impl Record {
    /// An empty record. `enabled`: `BROKER_REQUEST_RECORD`.
    #[must_use]
    pub fn new(enabled: bool, clock: SharedClock) -> Self {
        let run = random::bytes::<6>().map(|byte| format!("{byte:02x}")).concat();
        Self(Arc::new(Shared {
            book: enabled.then(Mutex::default),
            news: broadcast::Sender::new(NEWS),
            listeners: Arc::new(Semaphore::new(MAX_LISTENERS)),
            closing: CancellationToken::new(),
            clock,
            rehearsals: rehearsal::Seen::default(),
            run,
        }))
    }

    /// Whether anything is recorded.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.book.is_some()
    }

    /// The proofs of rehearsals that were seen: each is good once.
    pub(crate) fn rehearsals(&self) -> &rehearsal::Seen {
        &self.0.rehearsals
    }

    /// Begins the entry of a request. It is written when the attempt is finished, or dropped. The rehearsal's requests have
    /// none: nobody is to take its wrong secret for a fault of the profile, nor shall it push out the client's own.
    #[must_use]
    pub fn attempt(&self, endpoint: Endpoint) -> Attempt {
        let is_kept = self.is_on() && !rehearsal::is_under_way();
        Attempt::begin(is_kept.then(|| self.clone()), endpoint, self.0.clock.now())
    }

    /// What is remembered, the latest last.
    #[must_use]
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.since(0)
    }

    /// What came, or came again, after this number.
    fn since(&self, number: u64) -> Vec<Arc<Entry>> {
        let Some(book) = &self.0.book else {
            return Vec::new();
        };
        book.lock().unwrap_or_else(PoisonError::into_inner).since(number)
    }

    /// The callbacks that were refused of known clients, each once; no network can crowd out another one's.
    #[must_use]
    pub fn refused_callbacks(&self) -> Vec<Arc<Entry>> {
        let Some(book) = &self.0.book else {
            return Vec::new();
        };
        book.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .refused_callbacks()
    }

    /// Listens from now on, or tells that too many do.
    #[must_use]
    pub fn listen(&self) -> Option<Listener> {
        let place = Arc::clone(&self.0.listeners).try_acquire_owned().ok()?;
        Some(Listener::new(self.clone(), self.0.news.subscribe(), place))
    }

    /// Ends all listening: the broker stops, and connections that stay open would hold it up.
    pub fn close(&self) {
        self.0.closing.cancel();
    }

    /// Ends once [`close`](Self::close) was said.
    pub async fn closed(&self) {
        self.0.closing.cancelled().await;
    }

    fn write(&self, entry: Entry) {
        let Some(book) = &self.0.book else { return };
        // Nothing can panic while the lock is held, so what is inside is whole even then.
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        // Sent under the lock, so that listeners get the numbers in order. Nobody listening is no error.
        let _ = self.0.news.send(book.write(entry));
    }
}
