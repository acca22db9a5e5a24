//! Watching the request log: what is there, and then what comes.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{Entry, RequestLog};

/// What a listener receives.
#[derive(Clone, Debug)]
pub enum Update {
    /// What it knows is of an earlier run, or nothing: all it has is to be forgotten.
    Reset,
    /// An entry that is new, or came again.
    Entry(Arc<Entry>),
}

pub struct Listener {
    log: RequestLog,
    news: Receiver<Arc<Entry>>,
    waiting: VecDeque<Update>,
    /// The last number that was sent.
    sent: u64,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    pub(super) fn new(log: RequestLog, news: Receiver<Arc<Entry>>, place: OwnedSemaphorePermit) -> Self {
        let mut listener = Self {
            log,
            news,
            waiting: VecDeque::new(),
            sent: 0,
            _place: place,
        };
        listener.waiting.push_back(Update::Reset);
        listener.catch_up();
        listener
    }

    /// Goes on where an earlier listener was (see [`Listener::mark`]), if that was in this run.
    #[must_use]
    pub fn after(mut self, mark: &str) -> Self {
        let number = mark
            .strip_prefix(self.log.0.run.as_str())
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|number| number.parse().ok());
        if let Some(number) = number {
            self.sent = number;
            self.waiting.clear();
            self.catch_up();
        }
        self
    }

    /// Where one may go on after an entry.
    #[must_use]
    pub fn mark(&self, entry: &Entry) -> String {
        format!("{}.{}", self.log.0.run, entry.number)
    }

    fn catch_up(&mut self) {
        let missed = self.log.since(self.sent);
        self.waiting.extend(missed.into_iter().map(Update::Entry));
    }

    /// The next update; `None` once the broker stops.
    pub async fn next(&mut self) -> Option<Update> {
        loop {
            if let Some(update) = self.waiting.pop_front() {
                if let Update::Entry(entry) = &update {
                    self.sent = self.sent.max(entry.number);
                }
                return Some(update);
            }
            let closing = self.log.0.closing.clone();
            tokio::select! {
                biased;
                () = closing.cancelled() => return None,
                news = self.news.recv() => match news {
                    // What was caught up with comes by both ways.
                    Ok(entry) if entry.number <= self.sent => {}
                    Ok(entry) => self.waiting.push_back(Update::Entry(entry)),
                    Err(RecvError::Lagged(_)) => self.catch_up(),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }
}
