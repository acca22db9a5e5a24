//! `keys`: makes what goes into files of secrets.

use std::io::{IsTerminal as _, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::{DONE, USAGE, complain, say};
use crate::config::credential_error;
use crate::random;
use crate::secret::{ClientSecret, HASHED_SECRET_CHARS, SecretHash};

/// 43 characters of base64url, beyond guessing.
const SECRET_BYTES: usize = 32;
/// Longer input is no secret that a client could send.
const MOST_BYTES: u64 = 4096;

/// Make keys and hashes for the files of the broker.
#[derive(Args, Debug)]
pub(super) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a secret for an OAuth client, and the hash of it for the clients file.
    ///
    /// The secret is printed once and kept nowhere: give it to the client. The line `secret_hash = …` goes into the
    /// client's table of the file that `OAUTH_CLIENTS_FILE` names.
    HashClientSecret {
        /// Hash the secret that is read from standard input, of at least 32 characters, instead of making one.
        #[arg(long)]
        stdin: bool,
    },
}

impl Keys {
    pub(super) fn run(self) -> u8 {
        let Command::HashClientSecret { stdin } = self.command;
        let secret = if stdin {
            match read_secret() {
                Ok(secret) => secret,
                Err(advice) => {
                    complain(&format!("--stdin: {advice}"));
                    return USAGE;
                }
            }
        } else {
            let bytes = Zeroizing::new(random::bytes::<SECRET_BYTES>());
            let secret = ClientSecret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()));
            say(&format!("client secret (shown this once): {}", secret.expose()));
            secret
        };
        let hash = SecretHash::of(&secret, random::bytes());
        say(&format!("secret_hash = \"{}\"", hash.line()));
        DONE
    }
}

fn read_secret() -> Result<ClientSecret, String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        complain("Type the secret and press Enter, then Ctrl-D. It is visible as you type.");
    }
    let mut text = Zeroizing::new(String::new());
    stdin
        .lock()
        .take(MOST_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| format!("the secret cannot be read ({})", error.kind()))?;
    checked(&text).map(ClientSecret::new)
}

/// The secret without the newline that `echo` and editors put at its end.
fn checked(text: &str) -> Result<&str, String> {
    let secret = text.strip_suffix('\n').unwrap_or(text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.chars().count() < HASHED_SECRET_CHARS {
        return Err(format!(
            "the secret needs at least {HASHED_SECRET_CHARS} characters; without --stdin a good one is made for you"
        ));
    }
    credential_error(secret).map_or(Ok(secret), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_newline_at_the_end_is_dropped_and_the_rest_must_be_a_long_secret() {
        let secret = "x".repeat(HASHED_SECRET_CHARS);
        for ending in ["", "\n", "\r\n"] {
            assert_eq!(checked(&format!("{secret}{ending}")), Ok(secret.as_str()));
        }
        for (text, word) in [
            (String::new(), "at least 32"),
            ("x".repeat(HASHED_SECRET_CHARS - 1), "at least 32"),
            (
                format!("{}\n", "x".repeat(HASHED_SECRET_CHARS - 1)),
                "at least 32",
            ),
            (format!("{secret}\n\n"), "ASCII"),
            (format!("{secret}é"), "ASCII"),
            ("x".repeat(256), "255"),
        ] {
            let advice = checked(&text).err().unwrap_or_default();
            assert!(advice.contains(word) && !advice.contains("xxx"), "{advice}");
        }
    }
}
