//! The command's side: calls the running broker and reads its answer.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

use super::{Answer, Call, Line, Progress, Request};
use crate::store::model::Account;

/// The broker is on this machine; connecting takes longer only when too many commands wait.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the broker may send nothing: a long command reports its progress.
const SILENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
pub struct Remote {
    /// Its control socket (`BROKER_CONTROL_SOCKET`).
    pub socket: PathBuf,
    pub account: Account,
}

#[derive(Debug, Error)]
pub enum AskError {
    /// No broker listens on the socket, or this user may not open it.
    #[error("the broker cannot be reached at {} ({cause})", socket.display())]
    Unreachable { socket: PathBuf, cause: io::Error },
    /// A process of a user who does not own the socket's folder listens there.
    #[error(
        "{} belongs to another user, so it is not this broker's: set BROKER_CONTROL_SOCKET to a path in a folder that \
         only the broker's user can write to",
        .0.display()
    )]
    Foreign(PathBuf),
    /// The answer ended early. The broker finishes what it began.
    #[error("the broker's answer ended early: its log says how the command ended")]
    BrokenOff,
}

impl Remote {
    /// Calls the broker, reports progress as it arrives, and returns the answer.
    ///
    /// # Errors
    /// When there is no answer. A command that the broker refused or that failed is an [`Answer::Failed`].
    pub async fn ask(
        &self,
        request: &Request,
        mut progress: impl FnMut(Progress),
    ) -> Result<Answer, AskError> {
        let unreachable = |cause| AskError::Unreachable {
            socket: self.socket.clone(),
            cause,
        };
        let connected = timeout(CONNECT_TIMEOUT, connect(&self.socket)).await;
        let stream = connected
            .map_err(|_| unreachable(io::ErrorKind::TimedOut.into()))?
            .map_err(unreachable)?
            .ok_or_else(|| AskError::Foreign(self.socket.clone()))?;
        let mut stream = BufReader::new(stream);
        let call = Call {
            account: self.account.clone(),
            request: request.clone(),
        };
        let mut line = serde_json::to_vec(&call).map_err(|error| unreachable(error.into()))?;
        line.push(b'\n');
        let sent = stream.write_all(&line).await;
        sent.map_err(|_| AskError::BrokenOff)?;
        let mut lines = stream.lines();
        while let Ok(Ok(Some(line))) = timeout(SILENCE, lines.next_line()).await {
            match serde_json::from_str(&line) {
                Ok(Line::Progress(so_far)) => progress(so_far),
                Ok(Line::Answer(answer)) => return Ok(answer),
                Err(_) => {
                    return Ok(Answer::Failed {
                        message:
                            "the broker's answer cannot be read: use the command line of its own version"
                                .to_owned(),
                    });
                }
            }
        }
        Err(AskError::BrokenOff)
    }
}

/// Connects, and checks who listens: the same user, root, or the owner of the folder, who could replace the socket
/// anyway. `None`: another user.
#[cfg(unix)]
async fn connect(socket: &Path) -> io::Result<Option<tokio::net::UnixStream>> {
    use std::os::unix::fs::MetadataExt as _;
    let stream = tokio::net::UnixStream::connect(socket).await?;
    let listens = stream.peer_cred()?.uid();
    let folder = std::fs::metadata(super::listener::folder(socket))?.uid();
    let is_trusted = [rustix::process::geteuid().as_raw(), 0, folder].contains(&listens);
    Ok(is_trusted.then_some(stream))
}

#[cfg(not(unix))]
async fn connect(_socket: &Path) -> io::Result<Option<tokio::io::DuplexStream>> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "commands reach a running broker on Unix systems only: stop it first",
    ))
}
