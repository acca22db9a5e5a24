//! The embedded simulator's state, in a file beside the store that has its connections: both outlive a restart.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;
use crate::config::{Config, DatabaseUrl};
use crate::simulator::{Simulator, SnapshotError};
use crate::store::{Store, StoreError};

/// How often the state is saved while it changes: what happened since is lost when the process is killed.
const EVERY: Duration = Duration::from_secs(2);
/// Of the time, at most this fraction goes into saving, however large the state is.
const PAUSE_PER_SAVE: u32 = 20;

pub(super) struct SimulatorFile {
    path: PathBuf,
    simulator: Simulator,
    saved: Option<u64>,
}

#[derive(Deserialize)]
struct Content {
    /// The simulator's own time when it was saved.
    time: Timestamp,
    snapshot: serde_json::Value,
}

#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is not a file of a simulator: {0}")]
    Form(#[from] serde_json::Error),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl SimulatorFile {
    /// The file beside this store. A `PostgreSQL` server has no place for one.
    pub(super) fn beside(database: &DatabaseUrl, simulator: &Simulator) -> Option<Self> {
        let DatabaseUrl::Sqlite(store) = database else {
            return None;
        };
        let mut name = store.clone().into_os_string();
        name.push(".simulator.json");
        Some(Self {
            path: name.into(),
            simulator: simulator.clone(),
            saved: None,
        })
    }

    /// Goes on where the simulator of the last run stopped. Returns whether it does; a file that cannot be used is set
    /// aside with a warning, and the simulator starts empty.
    pub(super) fn load(&self) -> bool {
        let error = match self.try_load() {
            Ok(loaded) => return loaded,
            Err(error) => error,
        };
        tracing::warn!(path = %self.path.display(), %error,
            "the simulator's saved state cannot be used, so the simulator starts empty; the file is renamed to end in .unusable");
        // Should that fail, the next save replaces the file.
        let _ = fs::rename(&self.path, with_suffix(&self.path, ".unusable"));
        false
    }

    fn try_load(&self) -> Result<bool, LoadError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let content: Content = serde_json::from_slice(&bytes)?;
        self.simulator.restore(&content.snapshot)?;
        // The machine's clock may have been set back: what has expired stays expired.
        self.simulator.catch_up_with(content.time);
        Ok(true)
    }

    /// Saves the state at intervals while it changes, and once more at the end.
    pub(super) async fn keep(mut self, stop: CancellationToken) {
        let mut pause = EVERY;
        let mut seen = self.simulator.uses();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(pause) => {}
            }
            let uses = self.simulator.uses();
            if uses == seen {
                continue;
            }
            seen = uses;
            let began = Instant::now();
            match self.saved_on_a_thread().await {
                Some(file) => self = file,
                None => return,
            }
            pause = EVERY.max(began.elapsed() * PAUSE_PER_SAVE);
        }
        self.saved_on_a_thread().await;
    }

    async fn saved_on_a_thread(mut self) -> Option<Self> {
        let saving = tokio::task::spawn_blocking(move || {
            self.save();
            self
        });
        saving.await.ok()
    }

    fn save(&mut self) {
        let saved = self
            .simulator
            .snapshot_text()
            .map_err(io::Error::other)
            .and_then(|snapshot| {
                let hash = hash(&snapshot);
                if self.saved != Some(hash) {
                    replace(&self.path, self.simulator.now(), &snapshot)?;
                    self.saved = Some(hash);
                }
                Ok(())
            });
        if let Err(error) = saved {
            tracing::warn!(path = %self.path.display(), %error,
                "simulator state not saved; after a restart its connections may not work");
        }
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}

/// Replaces the file as a whole: a process that is killed leaves the old one or the new one. It has access tokens in it,
/// though only the simulator's.
fn replace(path: &Path, time: Timestamp, snapshot: &[u8]) -> io::Result<()> {
    let temporary = with_suffix(path, ".new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(&temporary)?;
    write!(file, "{{\"time\":{},\"snapshot\":", time.as_millis())?;
    file.write_all(snapshot)?;
    file.write_all(b"}\n")?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)
}

/// Loads the embedded simulator's state from beside the store; says so where it forgot connections that the store has.
pub(super) async fn resume(
    config: &Config,
    simulator: &Simulator,
    store: &Store,
    now: Timestamp,
) -> Result<Option<SimulatorFile>, StoreError> {
    let file = SimulatorFile::beside(&config.store.database, simulator);
    let (file, resumed) = match file {
        Some(file) => {
            let loading = tokio::task::spawn_blocking(move || (file.load(), file));
            let stopped = |_| StoreError::Unavailable("loading the simulator's state was stopped");
            let (resumed, file) = loading.await.map_err(stopped)?;
            (Some(file), resumed)
        }
        None => (None, false),
    };
    if !resumed && config.plaid.base_url.is_none() {
        let connections = store.counts(now).await?.live();
        if connections > 0 {
            tracing::warn!(
                connections,
                "the embedded simulator starts without its earlier state and has forgotten the connections that the store \
                 has: connect them again"
            );
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;
    use crate::simulator::Options;

    fn simulator(now: i64) -> Simulator {
        Simulator::new(Options {
            clock: Arc::new(ManualClock::at(Timestamp::from_millis(now))),
            ..Options::default()
        })
    }

    fn file(directory: &tempfile::TempDir, simulator: &Simulator) -> SimulatorFile {
        let store = DatabaseUrl::Sqlite(directory.path().join("simulator.db"));
        SimulatorFile::beside(&store, simulator).unwrap()
    }

    #[test]
    fn what_is_not_a_state_is_set_aside_and_the_simulator_starts_empty() {
        for content in [
            "",
            "{",
            "[]",
            "{\"time\":1}",
            "{\"time\":1,\"snapshot\":{\"version\":9999}}",
        ] {
            let directory = tempfile::tempdir().unwrap();
            let simulator = simulator(1);
            let file = file(&directory, &simulator);
            fs::write(&file.path, content).unwrap();
            assert!(!file.load(), "{content}");
            assert!(!file.path.exists(), "{content}");
            assert_eq!(
                fs::read_to_string(with_suffix(&file.path, ".unusable")).unwrap(),
                content
            );
            assert_eq!(simulator.live_items(), 0);
        }
    }

    #[test]
    fn time_goes_on_and_never_back() {
        let directory = tempfile::tempdir().unwrap();
        let earlier = simulator(100_000);
        earlier.advance(Duration::from_secs(50));
        file(&directory, &earlier).save();
        for (wall, expected) in [(200_000, 250_000), (60_000, 150_000)] {
            let later = simulator(wall);
            assert!(file(&directory, &later).load());
            assert_eq!(later.now().as_millis(), expected, "at {wall}");
        }
    }

    #[test]
    fn the_file_is_its_owners_alone_and_written_only_when_something_changed() {
        let directory = tempfile::tempdir().unwrap();
        let simulator = simulator(1);
        let mut file = file(&directory, &simulator);
        file.save();
        #[cfg(unix)]
        {
            let mode =
                std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file.path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::remove_file(&file.path).unwrap();
        file.save();
        assert!(!file.path.exists(), "nothing had changed");
        simulator.rotate_webhook_key();
        file.save();
        assert!(file.path.exists());
        assert!(!with_suffix(&file.path, ".new").exists());
    }
}
