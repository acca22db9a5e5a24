//! SIGHUP: the clients file is read again. (Windows has no such signal: a restart does it there.)

use std::io;

use super::Stop;
use crate::app::App;

#[cfg(unix)]
pub struct Hangup(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Hangup {
    /// Listens from now on. It has to be called before the settings are read: until then the signal ends the process, also
    /// when it was sent because the clients file has changed.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup()).map(Self)
    }

    /// Reads the clients file again at each signal, those of the start included.
    pub async fn reloads(mut self, app: App) {
        // Signals that arrive while the file is read cause one more reading.
        while self.0.recv().await.is_some() {
            let app = app.clone();
            // A file may lie on a disk that is far away.
            if tokio::task::spawn_blocking(move || reload(&app)).await.is_err() {
                tracing::error!("clients file not reloaded: internal error");
            }
        }
    }

    /// Stops the broker at the next signal, for one without a clients file: a closed terminal should not leave a broker
    /// behind.
    pub async fn stops(mut self, stop: Stop) {
        self.0.recv().await;
        tracing::info!("stopping on SIGHUP: there is no clients file to reload");
        stop.drain.cancel();
    }
}

/// There is no such signal here.
#[cfg(not(unix))]
pub struct Hangup;

#[cfg(not(unix))]
impl Hangup {
    /// Does nothing.
    pub fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(clippy::unused_async, reason = "as on Unix")]
    pub async fn reloads(self, _app: App) {}

    #[expect(clippy::unused_async, reason = "as on Unix")]
    pub async fn stops(self, _stop: Stop) {}
}

#[cfg(unix)]
fn reload(app: &App) {
    match app.reload_clients() {
        Ok(clients) => tracing::info!(clients, "clients file reloaded"),
        Err(problems) => {
            for problem in &problems.0 {
                tracing::error!(%problem, "clients file not usable");
            }
            let clients = app.clients().as_slice().len();
            tracing::error!(
                problems = problems.0.len(),
                clients,
                "clients unchanged: correct the clients file and send SIGHUP again"
            );
        }
    }
}
