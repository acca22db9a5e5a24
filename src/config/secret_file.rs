//! `…_FILE`: secrets that are mounted as files and stay out of the environment.

use zeroize::Zeroizing;

/// A secret from its file, without the newline that editors and `echo` put at the end.
///
/// The path is shown only when it looks like one: a frequent mistake is to put the secret itself there.
pub(super) fn read_secret_file(path: &str) -> Result<Zeroizing<String>, String> {
    let place = if path.starts_with(['/', '.', '~']) {
        format!("the file {}", path.escape_debug())
    } else {
        "the file it names".to_owned()
    };
    let content = std::fs::read(path).map_err(|error| {
        format!(
            "{place} cannot be read ({}): give the path of a file that this user may read",
            error.kind()
        )
    })?;
    let content = String::from_utf8(content).map_err(|_| format!("{place} is not text: save it as UTF-8"))?;
    let content = Zeroizing::new(content);
    let secret = content.strip_suffix('\n').unwrap_or(&content);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.is_empty() {
        return Err(format!("{place} is empty: write the secret into it"));
    }
    Ok(Zeroizing::new(secret.to_owned()))
}
