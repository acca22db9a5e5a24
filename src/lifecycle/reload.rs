//! SIGHUP: the clients file is read again. (Windows has no such signal: a restart does it there.)

use std::io;

use crate::app::App;

/// Reads the clients file again at each SIGHUP from now on. Without such a file the signal keeps the system's meaning,
/// the end of the process: a closed terminal should not leave a broker behind.
///
/// # Errors
/// When the system does not let us listen.
#[cfg(unix)]
pub fn reload_on_hangup(app: App) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    if app.config.oauth.clients_file.is_none() {
        return Ok(());
    }
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        // Signals that come while the file is read are one more reading.
        while hangup.recv().await.is_some() {
            let app = app.clone();
            // A file may lie on a disk that is far away.
            if tokio::task::spawn_blocking(move || reload(&app)).await.is_err() {
                tracing::error!("the clients file was not read again: this is a mistake of this program");
            }
        }
    });
    Ok(())
}

/// Does nothing, as there is no such signal here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn reload_on_hangup(_app: App) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn reload(app: &App) {
    match app.reload_clients() {
        Ok(clients) => tracing::info!(clients, "the clients file was read again"),
        Err(problems) => {
            for problem in &problems.0 {
                tracing::error!(%problem, "the clients file cannot be used");
            }
            let clients = app.clients().as_slice().len();
            tracing::error!(
                problems = problems.0.len(),
                clients,
                "the clients stay as they were before: correct the file and send SIGHUP again"
            );
        }
    }
}
