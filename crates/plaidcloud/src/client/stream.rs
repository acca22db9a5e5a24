//! A response's bytes into a file that appears when all of them are on disk.

use std::fs::Metadata;
use std::io::{self, Seek as _};
use std::path::Path;

use reqwest::Response;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use crate::answer::{ServerError, interpret, is_answer, is_html};
use crate::error::{Error, SaveError};
use crate::http::{SILENCE, classify, timed_out};
use crate::secret::Secret;

/// A JSON-RPC response where a file is expected is never larger.
const LARGEST_ANSWER: u64 = 16 * 1024 * 1024;

/// Refuses, before anything is requested, what cannot be replaced as a whole.
pub(super) fn check_target(path: &Path) -> Result<(), SaveError> {
    let cause = match path.symlink_metadata() {
        Ok(found) if found.is_dir() => "it is a directory; name a file in it",
        Ok(found) if !is_replaceable(&found) => "it is not a regular file",
        _ if path.file_name().is_none() => "name a file",
        _ => return Ok(()),
    };
    Err(SaveError {
        path: path.to_owned(),
        cause: cause.to_owned(),
    })
}

fn is_replaceable(found: &Metadata) -> bool {
    found.is_file() || found.is_symlink()
}

/// Writes a response's body to `path`, whose directory is made when it is missing. `may_be_answer`: the body may also be a
/// JSON-RPC response, which is then an error and no file.
pub(super) async fn save(
    response: Response,
    path: &Path,
    may_be_answer: bool,
    secrets: &[&Secret],
    progress: &mut (dyn FnMut(u64, Option<u64>) + Send),
) -> Result<u64, Error> {
    let failed = |error: io::Error| {
        Error::Save(SaveError {
            path: path.to_owned(),
            cause: error.to_string(),
        })
    };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let partial = new_file(folder).map_err(failed)?;
    let received = receive(response, &partial, failed, progress).await?;
    if may_be_answer {
        let wants_html = path.extension().is_some_and(|end| end == "html" || end == "htm");
        refuse_answer(&partial, received, wants_html, secrets, failed)?;
    }
    partial.as_file().sync_all().map_err(failed)?;
    partial.persist(path).map_err(|error| failed(error.error))?;
    Ok(received)
}

/// With the mode that new files of this user have. It is removed when the value is dropped.
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".plaidcloud-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

async fn receive(
    mut response: Response,
    partial: &NamedTempFile,
    failed: impl Fn(io::Error) -> Error + Copy,
    progress: &mut (dyn FnMut(u64, Option<u64>) + Send),
) -> Result<u64, Error> {
    let url = response.url().clone();
    let total = response.content_length();
    let file = partial.as_file().try_clone().map_err(failed)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut received = 0;
    progress(received, total);
    loop {
        let next = tokio::time::timeout(SILENCE, response.chunk()).await;
        let next = next.map_err(|_| timed_out(&url))?;
        let Some(chunk) = next.map_err(|error| classify(&url, &error))? else {
            break;
        };
        file.write_all(&chunk).await.map_err(failed)?;
        received += u64::try_from(chunk.len()).unwrap_or_default();
        progress(received, total);
    }
    // Writes happen behind: their last error shows here.
    file.flush().await.map_err(failed)?;
    Ok(received)
}

fn refuse_answer(
    partial: &NamedTempFile,
    received: u64,
    wants_html: bool,
    secrets: &[&Secret],
    failed: impl Fn(io::Error) -> Error + Copy,
) -> Result<(), Error> {
    use std::io::Read as _;
    if received > LARGEST_ANSWER {
        return Ok(());
    }
    let mut file = partial.as_file();
    file.rewind().map_err(failed)?;
    let mut first = Vec::new();
    file.take(64).read_to_end(&mut first).map_err(failed)?;
    if !wants_html
        && is_html(&first)
        && first
            .to_ascii_lowercase()
            .windows(5)
            .any(|word| matches!(word, b"<html" | b"<!doc"))
    {
        return Err(ServerError::Html.into());
    }
    if first.trim_ascii_start().first() != Some(&b'{') {
        return Ok(());
    }
    file.read_to_end(&mut first).map_err(failed)?;
    if !is_answer(&first) {
        return Ok(());
    }
    match interpret(&first, secrets) {
        Err(error) => Err(error.into()),
        Ok(_) => Err(ServerError::NotAFile.into()),
    }
}
