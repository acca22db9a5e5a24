//! Tokens on disk, outside of `plaid.conf`: one file for each configuration, mode 0600, replaced as a whole.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::conf::{Conf, GrantType, Origin, read_bounded};
use crate::secret::Secret;

/// How long another process may take to obtain a token.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);
/// A token is renewed so long before it expires, or after three quarters of a short life.
const MARGIN: i64 = 30;

/// A token that was obtained, with what is needed to renew it.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    /// Seconds since 1970, by the clock of this machine.
    pub(crate) obtained_at: i64,
    /// By the same clock; absent when the server did not say.
    pub(crate) expires_at: Option<i64>,
    pub(crate) scope: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Stored<'a> {
    access_token: Zeroizing<String>,
    refresh_token: Option<Zeroizing<String>>,
    obtained_at: i64,
    expires_at: Option<i64>,
    scope: Option<std::borrow::Cow<'a, str>>,
}

impl Kept {
    /// Whether it can be used for a while.
    pub(crate) fn is_fresh(&self, now: i64) -> bool {
        let Some(expires_at) = self.expires_at else {
            return true;
        };
        let life = expires_at.saturating_sub(self.obtained_at).max(0);
        now.saturating_add(MARGIN.min(life / 4)) < expires_at
    }
}

/// The file of one configuration.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    path: PathBuf,
}

/// Held while a token is obtained, so that two processes do not both do it.
pub(crate) struct Lock(#[expect(dead_code, reason = "closing the file releases the lock")] File);

impl Cache {
    /// The name is a digest of what the token depends on: another client or realm has another file.
    pub(crate) fn of(directory: &Path, origin: &Origin, conf: &Conf) -> Self {
        let place = match origin {
            Origin::File(path) => path.canonicalize().unwrap_or_else(|_| path.clone()),
            Origin::Arguments | Origin::Environment => PathBuf::new(),
        };
        let mut digest = Sha256::new();
        for part in [
            &*place.to_string_lossy(),
            conf.auth_uri.as_str(),
            conf.realm.as_deref().unwrap_or_default(),
            &conf.client_id,
            &conf.user_id,
            match conf.grant_type {
                GrantType::Code => "code",
                GrantType::ClientCredentials => "client_credentials",
            },
            conf.auth_code.as_ref().map_or("", |code| code.expose()),
        ] {
            digest.update(part.len().to_le_bytes());
            digest.update(part.as_bytes());
        }
        let name = URL_SAFE_NO_PAD.encode(digest.finalize());
        Self {
            path: directory.join(format!("{name}.json")),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is kept. A file that cannot be understood counts as none: it is only a cache.
    pub(crate) fn read(&self) -> io::Result<Option<Kept>> {
        let bytes = match read_bounded(&self.path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let stored: Option<Stored<'_>> = serde_json::from_slice(&bytes).ok();
        Ok(stored.map(|mut stored| Kept {
            access_token: Secret::new(std::mem::take(&mut *stored.access_token)),
            refresh_token: stored
                .refresh_token
                .map(|mut text| Secret::new(std::mem::take(&mut *text))),
            obtained_at: stored.obtained_at,
            expires_at: stored.expires_at,
            scope: stored.scope.map(Into::into),
        }))
    }

    pub(crate) fn write(&self, kept: &Kept) -> io::Result<()> {
        let copy = |secret: &Secret| Zeroizing::new(secret.expose().to_owned());
        let stored = Stored {
            access_token: copy(&kept.access_token),
            refresh_token: kept.refresh_token.as_ref().map(copy),
            obtained_at: kept.obtained_at,
            expires_at: kept.expires_at,
            scope: kept.scope.as_deref().map(Into::into),
        };
        let json = Zeroizing::new(serde_json::to_vec(&stored)?);
        let folder = self.folder()?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&json)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }

    pub(crate) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Waits for other processes, for a bounded time.
    pub(crate) async fn lock(&self) -> io::Result<Lock> {
        self.folder()?;
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(self.path.with_extension("lock"))?;
        let waits = PATIENCE.as_millis() / PAUSE.as_millis();
        for _ in 0..waits {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(file)),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::other(
            "another process holds the lock of the token cache",
        ))
    }

    fn folder(&self) -> io::Result<&Path> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        Ok(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(obtained_at: i64, expires_at: Option<i64>) -> Kept {
        Kept {
            access_token: Secret::new("the-access-token"),
            refresh_token: Some(Secret::new("the-refresh-token")),
            obtained_at,
            expires_at,
            scope: Some("analyze".to_owned()),
        }
    }

    #[test]
    fn a_token_is_renewed_before_it_expires() {
        let long = kept(1000, Some(1300));
        assert!(long.is_fresh(1269) && !long.is_fresh(1270));
        let short = kept(1000, Some(1008));
        assert!(short.is_fresh(1005) && !short.is_fresh(1006));
        assert!(kept(1000, None).is_fresh(i64::MAX));
        assert!(!kept(1000, Some(900)).is_fresh(1000));
    }

    #[test]
    fn a_file_that_is_damaged_counts_as_none_and_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache {
            path: home.path().join("deep/x.json"),
        };
        assert!(cache.read().unwrap().is_none());
        cache.write(&kept(1, Some(2))).unwrap();
        fs::write(cache.path(), "{\"access_token\": \"trunc").unwrap();
        assert!(cache.read().unwrap().is_none());
        cache.write(&kept(1, Some(2))).unwrap();
        let read = cache.read().unwrap().unwrap();
        assert_eq!(read.access_token.expose(), "the-access-token");
        assert_eq!(read.refresh_token.unwrap().expose(), "the-refresh-token");
        assert_eq!(
            (read.obtained_at, read.expires_at, read.scope.as_deref()),
            (1, Some(2), Some("analyze"))
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(cache.path()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        cache.remove().unwrap();
        cache.remove().unwrap();
        assert!(cache.read().unwrap().is_none());
    }
}
