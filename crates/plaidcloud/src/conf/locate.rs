//! Where `plaid.conf` is: from a directory upwards to the root, at each level `plaid.conf` first, then
//! `.plaid/plaid.conf`.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The file's name.
pub const FILE: &str = "plaid.conf";
/// The directory that may hold it.
pub const DIRECTORY: &str = ".plaid";

/// What the search found.
#[derive(Clone, Debug)]
pub struct Located {
    /// The file.
    pub path: PathBuf,
    /// Every directory that was searched, the start first.
    pub levels: Vec<Level>,
}

/// One directory of the search.
#[derive(Clone, Debug)]
pub struct Level {
    /// The directory.
    pub directory: PathBuf,
    /// Why what is there was passed over; empty when neither name exists.
    pub notes: Vec<String>,
}

/// Why no file was found.
#[derive(Debug, Error)]
pub enum LocateError {
    /// Neither name exists at any level.
    #[error("no plaid.conf and no .plaid/plaid.conf was found. The search began in {}\n{}", start.display(), list(levels))]
    NotFound {
        /// Where the search began.
        start: PathBuf,
        /// Every directory that was searched, the start first.
        levels: Vec<Level>,
    },
    /// The start is no directory that can be searched.
    #[error("the search cannot begin in {}: {reason}", start.display())]
    Start {
        /// Where it was to begin.
        start: PathBuf,
        /// The cause.
        reason: String,
    },
    /// Something is there that cannot be read, so a file further up would be the wrong one.
    #[error("{}: {reason}", path.display())]
    Blocked {
        /// The file that may exist.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.directory.display())?;
        self.notes.iter().try_for_each(|note| write!(f, " ({note})"))
    }
}

fn list(levels: &[Level]) -> String {
    let lines: Vec<String> = levels.iter().map(|level| format!("  searched {level}")).collect();
    lines.join("\n")
}

/// Finds the nearest file at or above `start`.
pub fn locate(start: &Path) -> Result<Located, LocateError> {
    let refused = |reason: String| LocateError::Start {
        start: start.to_owned(),
        reason,
    };
    let begin = start.canonicalize().map_err(|error| refused(error.to_string()))?;
    if !begin.is_dir() {
        return Err(refused("it is a file and not a directory".to_owned()));
    }
    let mut levels = Vec::new();
    for directory in begin.ancestors() {
        let mut level = Level {
            directory: directory.to_owned(),
            notes: Vec::new(),
        };
        let nested = directory.join(DIRECTORY);
        let mut found = None;
        for folder in [directory, &nested] {
            match look(folder, folder == nested)? {
                Seen::File => found = Some(folder.join(FILE)),
                Seen::Nothing => continue,
                Seen::Note(note) => level.notes.push(note),
            }
            if found.is_some() {
                break;
            }
        }
        levels.push(level);
        if let Some(path) = found {
            return Ok(Located { path, levels });
        }
    }
    Err(LocateError::NotFound { start: begin, levels })
}

enum Seen {
    File,
    Nothing,
    /// Something else is there, which is passed over.
    Note(String),
}

fn look(folder: &Path, nested: bool) -> Result<Seen, LocateError> {
    let path = folder.join(FILE);
    let error = match std::fs::metadata(&path) {
        Ok(found) if found.is_dir() => {
            let reason = "this is a directory, and plaid.conf must be a file".to_owned();
            return Err(LocateError::Blocked { path, reason });
        }
        Ok(_) => return Ok(Seen::File),
        Err(error) => error,
    };
    let is_link = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_symlink());
    let leads_nowhere = |name: &str| {
        let cause = match error.kind() {
            ErrorKind::NotFound => "its target does not exist".to_owned(),
            _ => error.to_string(),
        };
        Ok(Seen::Note(format!("{name} is a symbolic link: {cause}")))
    };
    match error.kind() {
        ErrorKind::PermissionDenied => {
            let reason = "permission denied, so it is not known whether this is the file to use".to_owned();
            Err(LocateError::Blocked { path, reason })
        }
        _ if is_link(&path) => leads_nowhere(FILE),
        _ if nested && folder.is_dir() => Ok(Seen::Note(format!("{DIRECTORY} has no {FILE}"))),
        _ if nested && folder.exists() => Ok(Seen::Note(format!(
            "{DIRECTORY} is a file where a directory is expected"
        ))),
        _ if nested && is_link(folder) => leads_nowhere(DIRECTORY),
        ErrorKind::NotFound => Ok(Seen::Nothing),
        _ => {
            let reason = error.to_string();
            Err(LocateError::Blocked { path, reason })
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("a/b");
        fs::create_dir_all(&below).unwrap();
        (root, below)
    }

    fn write(path: PathBuf) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }

    #[test]
    fn the_nearest_level_wins_and_there_the_file_without_a_directory() {
        let (root, below) = tree();
        write(root.path().join("plaid.conf"));
        assert_eq!(locate(&below).unwrap().levels.len(), 3);
        write(root.path().join("a/.plaid/plaid.conf"));
        let found = locate(&below).unwrap().path;
        assert!(found.ends_with("a/.plaid/plaid.conf"), "{found:?}");
        write(root.path().join("a/plaid.conf"));
        let found = locate(&below).unwrap().path;
        assert!(found.ends_with("a/plaid.conf"), "{found:?}");
    }

    #[test]
    fn what_has_no_file_is_passed_over_and_named() {
        let (root, below) = tree();
        write(root.path().join(".plaid/plaid.conf"));
        let passed = |note: &str| {
            let located = locate(&below).unwrap();
            assert_eq!(located.levels.len(), 3, "{located:?}");
            let shown = located.levels[0].to_string();
            assert!(shown.contains(note), "{shown}");
        };
        let nested = below.join(".plaid");
        fs::create_dir(&nested).unwrap();
        passed(".plaid has no plaid.conf");
        symlink("missing", nested.join("plaid.conf")).unwrap();
        passed("plaid.conf is a symbolic link: its target does not exist");
        fs::remove_dir_all(&nested).unwrap();
        fs::write(&nested, "x").unwrap();
        passed(".plaid is a file where a directory is expected");
        fs::remove_file(&nested).unwrap();
        symlink(".plaid", &nested).unwrap();
        passed(".plaid is a symbolic link");
    }

    #[test]
    fn a_linked_directory_is_followed() {
        let (root, below) = tree();
        write(root.path().join("elsewhere/plaid.conf"));
        symlink(root.path().join("elsewhere"), below.join(".plaid")).unwrap();
        let found = locate(&below).unwrap().path;
        assert!(found.ends_with("a/b/.plaid/plaid.conf"), "{found:?}");
    }

    #[test]
    fn the_error_names_where_the_search_began_and_every_level() {
        let (_root, below) = tree();
        let begin = below.canonicalize().unwrap();
        // A file above the temporary directory would be found: then there is nothing to show here.
        if let Err(error) = locate(&below) {
            let text = error.to_string();
            assert!(text.contains(&format!("began in {}", begin.display())), "{text}");
            for level in begin.ancestors() {
                assert!(text.contains(&format!("searched {}", level.display())), "{text}");
            }
        }
    }

    #[test]
    fn a_directory_for_the_file_and_a_file_for_the_start_are_errors() {
        let (_root, below) = tree();
        fs::create_dir(below.join("plaid.conf")).unwrap();
        let error = locate(&below).unwrap_err().to_string();
        assert!(error.contains("directory"), "{error}");
        fs::write(below.join("file"), "x").unwrap();
        for bad in ["file", "missing"] {
            let error = locate(&below.join(bad)).unwrap_err().to_string();
            assert!(error.contains("search cannot begin"), "{error}");
        }
    }
}
