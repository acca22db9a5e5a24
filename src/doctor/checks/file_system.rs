//! Whether the store's file system is one that `SQLite` can rely on.
//!
//! Its write-ahead log is shared memory, and its locks and ours are the system's: over a network both work by chance, or not
//! at all (<https://sqlite.org/wal.html>, <https://sqlite.org/howtocorrupt.html>, section 2.1).

use std::path::Path;

use super::list::{FILE_SYSTEM, Finding};

/// File systems that other machines may have mounted at the same time, by the magic number that `statfs` returns
/// (linux/magic.h, statfs(2)).
const SHARED: &[(u32, &str)] = &[
    (0x0000_6969, "NFS"),
    (0x0000_517b, "SMB"),
    (0xff53_4d42, "SMB (CIFS)"),
    (0xfe53_4d42, "SMB"),
    (0x00c3_6400, "Ceph"),
    (0x0102_1997, "9P"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x786f_4256, "a shared folder of VirtualBox"),
    // Of anything: sshfs, virtiofs, buckets, but also file systems of this machine.
    (0x6573_5546, "FUSE"),
];

/// `folder`: that of the database, or the nearest one above it that is there.
pub(super) fn check(folder: &Path) -> Finding {
    match magic(folder) {
        Ok(Some(magic)) => judge(folder, magic),
        Ok(None) => FILE_SYSTEM.skipped("The type of the file system is checked on Linux only."),
        Err(error) => FILE_SYSTEM.skipped(format!("The type of the file system could not be read: {error}.")),
    }
}

fn judge(folder: &Path, magic: u32) -> Finding {
    let folder = folder.display();
    match SHARED.iter().find(|(known, _)| *known == magic) {
        Some((_, name)) => FILE_SYSTEM.warning(
            format!("{folder} is on a file system that other machines may share ({name})."),
            "Put the SQLite database on a disk of this machine (or a block device that is attached to it alone), or use \
             PostgreSQL: over a network, SQLite's locks and its write-ahead log cannot be relied on, and the database can \
             be damaged.",
        ),
        None => FILE_SYSTEM.ok(format!("{folder} is not on a network file system.")),
    }
}

#[cfg(target_os = "linux")]
fn magic(folder: &Path) -> std::io::Result<Option<u32>> {
    let kind = rustix::fs::statfs(folder)?.f_type;
    Ok(u32::try_from(kind).ok())
}

#[cfg(not(target_os = "linux"))]
fn magic(_folder: &Path) -> std::io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn network_file_systems_are_warned_of_and_local_ones_are_not() {
        let folder = Path::new("/data");
        for (magic, name) in [
            (0x6969, "NFS"),
            (0xfe53_4d42, "SMB"),
            (0xff53_4d42, "SMB"),
            (0x6573_5546, "FUSE"),
            (0x0102_1997, "9P"),
        ] {
            let finding = judge(folder, magic);
            assert_eq!(finding.status, Status::Warning, "{name}");
            assert!(finding.found.contains(name), "{}", finding.found);
            assert!(finding.fix.is_some_and(|fix| fix.contains("PostgreSQL")));
        }
        // ext4, xfs, btrfs, tmpfs, overlayfs, zfs.
        for magic in [
            0xef53,
            0x5846_5342,
            0x9123_683e,
            0x0102_1994,
            0x794c_7630,
            0x2fc1_2fc1,
        ] {
            assert_eq!(judge(folder, magic).status, Status::Ok, "{magic:x}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_says_which_file_system_it_is() {
        // The kernel's own, on every Linux.
        assert_eq!(magic(Path::new("/proc")).ok(), Some(Some(0x9fa0)));
        assert!(magic(Path::new("/no/such/folder")).is_err());
        assert_eq!(check(Path::new("/no/such/folder")).status, Status::Skipped);
    }
}
