//! Writes the text that the web app shows for a registered system to `DIR/.plaid/plaid.conf`.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::parse::{Conf, Problems, decode};
use super::{DIRECTORY, FILE};

/// What was written.
#[derive(Debug)]
pub struct Imported {
    /// The file.
    pub path: PathBuf,
    /// Remarks: a project that is missing, keys that are not used.
    pub notes: Vec<String>,
}

/// Why nothing was written.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The text is wrong.
    #[error("the configuration text is not valid, and nothing was written:\n{0}")]
    Invalid(Problems),
    /// There is a file already.
    #[error("{} exists and was not changed; replace it with --force", .0.display())]
    Exists(PathBuf),
    /// The system refused.
    #[error("{} was not written: {cause}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
}

/// Validates the text and writes it with mode 0600, whole or not at all. An existing file stays unless `replace`.
pub fn import(bytes: &[u8], directory: &Path, replace: bool) -> Result<Imported, ImportError> {
    let text = decode(bytes).map_err(ImportError::Invalid)?;
    let conf = Conf::parse_new(&text).map_err(ImportError::Invalid)?;
    let folder = directory.join(DIRECTORY);
    let path = folder.join(FILE);
    let failed = |path: &Path, cause: String| ImportError::Write {
        path: path.to_owned(),
        cause,
    };
    if !directory.is_dir() {
        return Err(failed(directory, "there is no such directory".to_owned()));
    }
    match make_private(&folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(failed(&folder, error.to_string()));
        }
        _ if !folder.is_dir() => {
            let cause = "it exists and is not a directory".to_owned();
            return Err(failed(&folder, cause));
        }
        _ => {}
    }
    match write(text.as_bytes(), &folder, &path, replace) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(ImportError::Exists(path)),
        Err(error) => return Err(failed(&path, error.to_string())),
    }
    let mut notes = conf.notes;
    if conf.project_id.is_empty() {
        notes.push(
            "project_id is missing: select the project in the web app before you open the registered system, and copy \
             the text again, or name a project in each call"
                .to_owned(),
        );
    }
    Ok(Imported { path, notes })
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(false);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A temporary file, which has mode 0600, takes the name when all of it is on disk.
fn write(bytes: &[u8], folder: &Path, path: &Path, replace: bool) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    if replace {
        file.persist(path)?;
    } else {
        file.persist_noclobber(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "user_id: 7\r\nclient_id: c\r\nclient_secret: s3cr3t\r\nhostname: h\r\nrealm: r\r\nworkspace_uuid: w\r\n";

    #[test]
    fn the_file_is_private_and_an_existing_one_is_replaced_only_on_request() {
        let home = tempfile::tempdir().unwrap();
        let imported = import(TEXT.as_bytes(), home.path(), false).unwrap();
        assert!(
            imported.notes[0].contains("project_id is missing"),
            "{imported:?}"
        );
        let written = fs::read_to_string(&imported.path).unwrap();
        assert_eq!(written, TEXT.replace("\r\n", "\n"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&imported.path), 0o600);
            assert_eq!(mode(imported.path.parent().unwrap()), 0o700);
        }
        let other = format!("{TEXT}project_id: p\r\n");
        let refused = import(other.as_bytes(), home.path(), false);
        assert!(matches!(refused, Err(ImportError::Exists(_))));
        assert_eq!(fs::read_to_string(&imported.path).unwrap(), written);
        let replaced = import(other.as_bytes(), home.path(), true).unwrap();
        assert!(replaced.notes.is_empty());
        assert_ne!(fs::read_to_string(&imported.path).unwrap(), written);
        let left = fs::read_dir(replaced.path.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "no temporary file stays");
    }

    #[test]
    fn a_wrong_text_or_place_writes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let refused = import(b"client_secret: s3cr3t", home.path(), true).unwrap_err();
        assert!(!refused.to_string().contains("s3cr3t"));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        assert!(import(TEXT.as_bytes(), &home.path().join("missing"), false).is_err());
        fs::write(home.path().join(".plaid"), "x").unwrap();
        let refused = import(TEXT.as_bytes(), home.path(), true)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("not a directory"), "{refused}");
    }
}
