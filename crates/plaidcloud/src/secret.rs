//! Secrets as one type: `Debug` is silent, there is no `Display`, and memory is wiped on drop.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A client secret, an authorization code or a token.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps the text as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that has to send or store it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares digests, so the time depends on neither text.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Sha256::digest(self.0.as_bytes()) == Sha256::digest(other.0.as_bytes())
    }

    /// How the value is shown: its length only.
    #[must_use]
    pub fn redacted(&self) -> String {
        format!("(hidden, {} characters)", self.0.chars().count())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_debug_nor_the_redacted_form_shows_the_text() {
        let secret = Secret::new("s3cr3t-text");
        let shown = format!("{secret:?} {}", secret.redacted());
        assert_eq!(shown, "Secret(…) (hidden, 11 characters)");
    }
}
