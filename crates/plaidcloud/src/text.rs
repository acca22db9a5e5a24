//! Text from elsewhere, made fit to be printed.

use crate::secret::Secret;

/// More of a server's message does not help.
const MOST_CHARS: usize = 2000;

/// One line of bounded length without control characters and without any of these secrets.
pub(crate) fn printable<'s>(text: &str, secrets: impl IntoIterator<Item = &'s Secret>) -> String {
    let mut clean = text.to_owned();
    for secret in secrets.into_iter().map(Secret::expose) {
        if secret.len() >= 4 {
            clean = clean.replace(secret, "(hidden)");
        }
    }
    let mut words = String::new();
    for word in clean
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    if words.chars().count() > MOST_CHARS {
        words = words.chars().take(MOST_CHARS).collect();
        words.push('…');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_line_without_escapes_and_secrets() {
        let secret = Secret::new("s3cr3t");
        let text = printable("\u{1b}[31ma\r\n  b s3cr3ts3cr3t", [&secret]);
        assert_eq!(text, "[31ma b (hidden)(hidden)");
        assert!(printable(&"é".repeat(5000), []).chars().count() == MOST_CHARS + 1);
    }
}
