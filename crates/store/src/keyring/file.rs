//! The key file: lines of `id:base64`, the first key seals. Made once, whole or not at all, for its owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{KeyringError, is_key_id};
use crate::config::SealingKey;
use crate::files;

/// The keys of the file, or `None` when there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<SealingKey>>, KeyringError> {
    let failed = |source| KeyringError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let text = match File::open(path) {
        Ok(file) => {
            refuse_readable_by_others(path, &file)?;
            Zeroizing::new(io::read_to_string(file).map_err(failed)?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut keys = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        keys.push(parse(line).ok_or_else(|| KeyringError::Garbled {
            path: path.to_owned(),
            line: number,
        })?);
    }
    if keys.is_empty() {
        return Err(KeyringError::Garbled {
            path: path.to_owned(),
            line: 1,
        });
    }
    Ok(Some(keys))
}

fn parse(line: &str) -> Option<SealingKey> {
    let (id, text) = line.split_once(':')?;
    if !is_key_id(id) {
        return None;
    }
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    let key = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
    Some(SealingKey {
        id: id.to_owned(),
        key,
    })
}

/// Makes the file with one fresh key. When another process was faster, its key is the key.
pub(super) fn make(path: &Path) -> Result<Vec<SealingKey>, KeyringError> {
    let failed = |source| KeyringError::Io {
        action: "create",
        path: path.to_owned(),
        source,
    };
    let directory = files::parent(path);
    files::create_directory(&directory).map_err(failed)?;
    // One maker at a time: brokers of several environments may share one key file, and the one that lost a race
    // would go on with a key that is written nowhere.
    let making = File::open(&directory).map_err(failed)?;
    making.lock().map_err(failed)?;
    if let Some(keys) = read(path)? {
        return Ok(keys);
    }
    let id = format!("key-{:08x}", rand::random::<u32>());
    let key = SealingKey {
        id,
        key: Zeroizing::new(rand::random()),
    };
    let line = Zeroizing::new(format!("{}:{}\n", key.id, STANDARD.encode(*key.key)));
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = Path::new(&draft);
    write_synced(draft, line.as_bytes())
        .and_then(|()| fs::rename(draft, path))
        .and_then(|()| files::sync_directory(&directory))
        .map_err(failed)?;
    Ok(vec![key])
}

/// Writes and syncs before the name is given, so that no crash leaves a key file without its key.
fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    // A draft that a crash left behind may have been made by anyone: it is not reused.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(unix)]
fn refuse_readable_by_others(path: &Path, file: &File) -> Result<(), KeyringError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|source| KeyringError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o7777;
    let others = mode & 0o077;
    if others == 0 {
        Ok(())
    } else {
        Err(KeyringError::Readable {
            path: path.to_owned(),
            mode,
        })
    }
}

/// Where files have no modes, the directory's access list protects the key.
#[cfg(not(unix))]
fn refuse_readable_by_others(_path: &Path, _file: &File) -> Result<(), KeyringError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn a_key_file_is_made_once_with_its_directories_and_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/broker.key");
        assert!(read(&path).unwrap().is_none());
        let made = make(&path).unwrap();
        assert_eq!(
            read(&path).unwrap().unwrap().first().unwrap().key,
            made.first().unwrap().key
        );
        assert_eq!(
            make(&path).unwrap().first().unwrap().key,
            made.first().unwrap().key
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let bits = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(bits(&path), 0o600);
            assert_eq!(bits(path.parent().unwrap()), 0o700);
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn makers_at_the_same_time_agree_on_one_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.key");
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| *make(&path).unwrap().first().unwrap().key))
                .collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        let kept = *read(&path).unwrap().unwrap().first().unwrap().key;
        assert!(keys.iter().all(|key| *key == kept));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_fix() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.key");
        make(&path).unwrap();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let message = read(&path).unwrap_err().to_string();
            assert!(
                message.contains(&format!("chmod 600 {}", path.display())),
                "{message}"
            );
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused_by_line_and_without_its_text() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.key");
        let good = format!("a:{}", STANDARD.encode([7; 32]));
        for (content, line) in [
            (String::new(), 1),
            (format!("{good}\nrubbish"), 2),
            ("a:c2hvcnQ=".to_owned(), 1),
            (format!("# old\n\nb a{good}"), 3),
        ] {
            let _ = fs::remove_file(&path);
            write_synced(&path, content.as_bytes()).unwrap();
            let error = read(&path).unwrap_err();
            assert!(
                matches!(error, KeyringError::Garbled { line: found, .. } if found == line),
                "{content:?}: {error}"
            );
            assert!(!error.to_string().contains("rubbish"));
        }
    }
}
