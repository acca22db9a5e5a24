//! Small C libraries that are preloaded into a child, between it and the system.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `tests/shim/{name}.c` into `directory`.
pub(crate) fn build(name: &str, directory: &Path) -> PathBuf {
    let library = directory.join(name).with_extension("so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/shim")
        .join(name)
        .with_extension("c");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let built = Command::new(compiler)
        .args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status();
    assert!(
        built.unwrap().success(),
        "the C compiler that SQLite was built with is needed here too"
    );
    library
}
