//! The broker's side: the control socket, and the calls that arrive on it.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixSocket, UnixStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Answer, Call, Context, Line, Sink, execute};
use crate::app::App;

const MAX_CALL: u64 = 64 * 1024;
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const BACKLOG: u32 = 64;
/// How often a socket is looked at again that another broker has.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// A pause after `accept` failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Error)]
pub enum ListenError {
    #[error("another broker has {}", .0.display())]
    InUse(PathBuf),
    #[error("other users can write to the folder {}", .0.display())]
    SharedFolder(PathBuf),
    /// There is a file that is no socket, which is not replaced.
    #[error("{} is there already and is no socket", .0.display())]
    NotASocket(PathBuf),
    #[error("{} cannot be made ({source})", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// The control socket of a broker. Dropping it removes the file.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
    /// Device and inode of the socket file.
    id: (u64, u64),
}

impl Listener {
    /// Makes the socket, for the owner alone. A socket that a killed broker left behind is replaced.
    pub async fn bind(path: &Path) -> Result<Self, ListenError> {
        match path.symlink_metadata() {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(ListenError::NotASocket(path.to_owned()));
            }
            Ok(_) if !is_stale(path).await => {
                return Err(ListenError::InUse(path.to_owned()));
            }
            _ => {}
        }
        let refused = |source| ListenError::Io {
            path: path.to_owned(),
            source,
        };
        let folder = folder(path);
        if is_shared(folder).map_err(refused)? {
            return Err(ListenError::SharedFolder(folder.to_owned()));
        }
        bind(path).map_err(refused)
    }

    /// Makes the socket once the broker that has it is gone: one that drains while this one has started already.
    /// `None` when `stop` comes first, or when it cannot be made for another reason.
    pub async fn bind_later(path: &Path, stop: &CancellationToken) -> Option<Self> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(TRY_AGAIN) => {}
            }
            match Self::bind(path).await {
                Ok(listener) => {
                    tracing::info!(path = %path.display(), "control socket ready");
                    return Some(listener);
                }
                Err(ListenError::InUse(_)) => {}
                Err(error) => {
                    tracing::error!(%error, "commands such as admin-link cannot reach this broker");
                    return None;
                }
            }
        }
    }

    pub async fn serve(self, app: App, stop: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => drop(tokio::spawn(answer(stream, app.clone()))),
                Err(error) => {
                    tracing::warn!(%error, "command not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Another broker may have the path by now.
        if id(&self.path).is_ok_and(|id| id == self.id) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Whether no process listens. Any other failure, such as a full backlog, is a broker that is there.
async fn is_stale(path: &Path) -> bool {
    use io::ErrorKind::{ConnectionRefused, NotFound};
    let connected = UnixStream::connect(path).await;
    connected.is_err_and(|error| matches!(error.kind(), ConnectionRefused | NotFound))
}

/// Makes the folder. Returns whether other users can replace what is in it; a sticky bit keeps them from that.
fn is_shared(folder: &Path) -> io::Result<bool> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mode = std::fs::metadata(folder)?.mode();
    Ok(mode & 0o022 != 0 && mode & 0o1000 == 0)
}

/// No client can connect before `listen`, so the mode is in force for the first call. The rename replaces a stale socket
/// in one step.
fn bind(path: &Path) -> io::Result<Listener> {
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}", std::process::id()));
    let new = PathBuf::from(new);
    let _ = std::fs::remove_file(&new);
    let socket = UnixSocket::new_stream()?;
    socket.bind(&new)?;
    let moved = std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600))
        .and_then(|()| id(&new))
        .and_then(|id| std::fs::rename(&new, path).map(|()| id));
    if moved.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    Ok(Listener {
        id: moved?,
        socket: socket.listen(BACKLOG)?,
        path: path.to_owned(),
    })
}

pub(super) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn id(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = path.symlink_metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Reads one call, runs it as a task of its own, and sends its lines as they come.
async fn answer(mut stream: UnixStream, app: App) {
    let mut call = String::new();
    let mut reader = BufReader::new((&mut stream).take(MAX_CALL));
    let arrived = timeout(CALL_TIMEOUT, reader.read_line(&mut call)).await;
    if !matches!(arrived, Ok(Ok(_))) || !call.ends_with('\n') {
        // The caller went away, or is no command of ours.
        return;
    }
    let mut lines = match checked(&call, &app) {
        Ok(call) => {
            tracing::info!(command = call.request.name(), "command received");
            let (sink, lines) = Sink::new();
            // A task of its own: what was begun goes on when the caller hangs up.
            tokio::spawn(async move {
                let answer = execute(&Context::of(&app), call.request, &sink).await;
                let _ = sink.0.send(Line::Answer(answer)).await;
            });
            lines
        }
        Err(message) => {
            tracing::warn!(cause = message, "command refused");
            let (sink, lines) = Sink::new();
            let _ = sink.0.send(Line::Answer(Answer::Failed { message })).await;
            lines
        }
    };
    while let Some(line) = lines.recv().await {
        let Ok(mut json) = serde_json::to_vec(&line) else {
            return;
        };
        json.push(b'\n');
        if stream.write_all(&json).await.is_err() {
            return;
        }
    }
}

/// A call for this broker. Brokers of two environments may share a folder, and settings may name the wrong socket; a
/// command for one account must not be carried out on another.
fn checked(line: &str, app: &App) -> Result<Call, String> {
    let call: Call = serde_json::from_str(line).map_err(|_| {
        "this broker does not know the command: use the command line of its own version".to_owned()
    })?;
    let own = app.store.account();
    if call.account == *own {
        return Ok(call);
    }
    Err(format!(
        "the broker on this socket is of another Plaid account ({}, client id {}): use its settings (PLAID_ENV, \
         PLAID_CLIENT_ID), or set BROKER_CONTROL_SOCKET to the socket of the broker that you mean",
        own.environment, own.client_id
    ))
}
