//! What the sources must not contain, since no request can show it: a comparison's time, a redirect's other statuses.

use std::path::{Path, PathBuf};

/// The Rust files of all crates, without their tests.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join("src")];
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        folders.push(entry.unwrap().path().join("src"));
    }
    assert!(folders.len() > 2, "{folders:?}");
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "tests" && name != "contract" {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !name.contains("tests") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((path, code));
            }
        }
    }
    assert!(found.len() > 100, "{} files", found.len());
    found
}

/// Code without comments and blanks, so that no line break hides anything.
fn dense(code: &str) -> String {
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    lines
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect()
}

/// Compared as text or bytes, an exposed secret would tell by the time how much of a guess is right.
fn compares_a_secret(code: &str) -> bool {
    let code = dense(code);
    code.match_indices(".expose()").any(|(at, found)| {
        let after = &code[at + found.len()..];
        let after = after.strip_prefix(".as_bytes()").unwrap_or(after);
        let operand = |c: char| c.is_alphanumeric() || "_.&*()".contains(c);
        let before = code[..at].trim_end_matches(operand);
        let operators = ["==", "!="];
        operators
            .iter()
            .any(|o| after.starts_with(o) || before.ends_with(o))
            || after.starts_with(".eq(")
            || after.starts_with(".cmp(")
    })
}

#[test]
fn secrets_are_compared_in_constant_time_alone() {
    for bad in [
        "if secret.expose() == sent {",
        "secret\n    .expose()\n    == sent",
        "sent == secret.expose()",
        "sent != &self.secret.expose()",
        "sent.as_bytes() == secret.expose().as_bytes()",
        "secret.expose().eq(sent)",
    ] {
        assert!(compares_a_secret(bad), "{bad}");
    }
    assert!(!compares_a_secret("let text = secret.expose();"));
    let sources = sources();
    for (path, code) in &sources {
        assert!(!compares_a_secret(code), "{}: use matches()", path.display());
    }
    let source = |name: &str| {
        let found = sources.iter().find(|(path, _)| path.ends_with(name));
        &found.expect(name).1
    };
    // The types have no comparison of their own that `==` could mean.
    let types = source("core/src/secret.rs");
    assert!(types.contains("ct_eq") && !types.contains("PartialEq"));
    let own = source("store/src/tokens.rs").matches(".ct_eq(").count();
    assert_eq!(own, 2, "the check and the secret of our own tokens");
    assert!(
        source("oauth/client_auth.rs").contains(".matches("),
        "client secrets"
    );
    assert!(!source("secret/stored.rs").contains("PartialEq"));
    // Hashes of client secrets, and the verifier of PKCE.
    for (name, compared) in [
        ("secret/stored.rs", ".ct_eq("),
        ("oauth/pkce.rs", "constant_time_eq("),
    ] {
        let code = dense(source(name));
        assert!(code.contains(compared), "{name}: no {compared}");
        for secret in ["digest", "salt", "derived", "challenge", "presented", "verifier"] {
            for compares in ["==", "!=", ".eq(", ".cmp("] {
                let bad = format!("{secret}{compares}");
                assert!(!code.contains(&bad), "{name}: {bad}");
            }
            assert!(!code.contains(&format!("=={secret}")), "{name}: =={secret}");
        }
    }
}

#[test]
fn no_source_knows_a_redirect_that_repeats_a_request() {
    for (path, code) in sources() {
        let broker = !path
            .components()
            .any(|part| part.as_os_str() == "plaid-simulator");
        for bad in [
            "TEMPORARY_REDIRECT",
            "PERMANENT_REDIRECT",
            "Redirect::temporary",
            "Redirect::permanent",
            "from_u16(307)",
        ] {
            assert!(!broker || !code.contains(bad), "{}: {bad}", path.display());
        }
    }
}
