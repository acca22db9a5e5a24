//! What a command works with, and where its progress goes.

use tokio::sync::mpsc;

use super::{Line, Progress};
use crate::app::App;
use crate::clock::SharedClock;
use crate::store::Store;

#[derive(Clone)]
pub struct Context {
    pub store: Store,
    pub clock: SharedClock,
    /// The running broker; absent when a command opened the store itself.
    pub app: Option<App>,
}

impl Context {
    #[must_use]
    pub fn of(app: &App) -> Self {
        Self {
            store: app.store.clone(),
            clock: app.clock.clone(),
            app: Some(app.clone()),
        }
    }
}

/// Receives progress. A listener that went away stops nothing.
#[derive(Clone)]
pub struct Sink(pub(super) mpsc::Sender<Line>);

impl Sink {
    /// A sink and its receiver.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Line>) {
        let (sender, receiver) = mpsc::channel(16);
        (Self(sender), receiver)
    }

    /// Reports progress; dropped when the listener is slow.
    pub fn progress(&self, progress: Progress) {
        let _ = self.0.try_send(Line::Progress(progress));
    }
}
