//! What clients sent lately, redacted: it answers "why does my profile fail?".
//!
//! Kept in memory alone, bounded, and without values: of a request stay the names of the parameters that are known, how
//! its client authenticated, and its outcome in words. The one value that stays is a refused redirect URI, because it can be
//! allowed afterwards.

mod buffer;
mod diagnose;
mod entry;
mod explain;
mod layer;
mod live;
mod not_found;
mod observed;
mod texts;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

pub use entry::{Count, Endpoint, Entry, Outcome};
pub use layer::layer;
pub use live::{Listener, Update};
pub use not_found::meant;

use crate::random;
use buffer::Buffer;

/// Who watches at once: each is a connection that stays open.
const MAX_LISTENERS: usize = 16;
/// How far a listener may be behind before it gets everything again.
const NEWS: usize = 64;

#[derive(Clone)]
pub struct RequestLog(Arc<Shared>);

struct Shared {
    /// `None`: switched off.
    buffer: Option<Mutex<Buffer>>,
    news: broadcast::Sender<Arc<Entry>>,
    listeners: Arc<Semaphore>,
    closing: CancellationToken,
    /// Tells this process from the one before it, whose numbers mean nothing any more.
    run: String,
}

impl RequestLog {
    /// `enabled`: `BROKER_REQUEST_RECORD`.
    #[must_use]
    pub fn new(enabled: bool) -> Self {
        let run = random::bytes::<6>().map(|byte| format!("{byte:02x}")).concat();
        Self(Arc::new(Shared {
            buffer: enabled.then(Mutex::default),
            news: broadcast::Sender::new(NEWS),
            listeners: Arc::new(Semaphore::new(MAX_LISTENERS)),
            closing: CancellationToken::new(),
            run,
        }))
    }

    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.buffer.is_some()
    }

    /// Nothing can panic while the lock is held, so what is inside is whole even then.
    fn buffer(&self) -> Option<MutexGuard<'_, Buffer>> {
        let buffer = self.0.buffer.as_ref()?;
        Some(buffer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is remembered, the latest last.
    #[must_use]
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.since(0)
    }

    /// What came, or came again, after this number.
    fn since(&self, number: u64) -> Vec<Arc<Entry>> {
        self.buffer().map_or_else(Vec::new, |buffer| buffer.since(number))
    }

    /// The callbacks that were refused of known clients, each once; no network can crowd out another one's.
    #[must_use]
    pub fn refused_callbacks(&self) -> Vec<Arc<Entry>> {
        self.buffer()
            .map_or_else(Vec::new, |buffer| buffer.refused_callbacks())
    }

    /// Listens from now on. `None`: too many do.
    #[must_use]
    pub fn listen(&self) -> Option<Listener> {
        let place = Arc::clone(&self.0.listeners).try_acquire_owned().ok()?;
        Some(Listener::new(self.clone(), self.0.news.subscribe(), place))
    }

    /// Ends all listening: the broker stops, and connections that stay open would hold it up.
    pub fn close(&self) {
        self.0.closing.cancel();
    }

    pub async fn closed(&self) {
        self.0.closing.cancelled().await;
    }

    fn write(&self, entry: Entry) {
        let Some(mut buffer) = self.buffer() else { return };
        // Sent under the lock, so that listeners get the numbers in order. Nobody listening is no error.
        let _ = self.0.news.send(buffer.write(entry));
    }
}
