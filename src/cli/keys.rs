//! `keys`: makes keys and hashes of secrets, and changes the key that seals the store.

use std::io::{IsTerminal as _, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::operate::{ask, operator_settings, unexpected};
use super::{DONE, FAILED, USAGE, complain, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::credential_error;
use crate::random;
use crate::secret::{ClientSecret, HASHED_SECRET_CHARS, SecretHash};
use crate::server::control::{Answer, Request};
use crate::store::keyring::{Keyring, is_key_id};
use crate::store::model::KeysReport;

/// 43 characters of base64url, beyond guessing.
const SECRET_BYTES: usize = 32;
/// No client could send a longer secret.
const MAX_BYTES: u64 = 4096;

/// Make keys and hashes for the files of the broker, and change the key that seals the store.
#[derive(Args, Debug)]
pub(super) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key that seals what is stored: a line for the key file, or for `BROKER_KEYS`.
    ///
    /// It is printed once and not stored. To change the key, put it before the old ones, restart the broker, and run
    /// `keys rotate` (docs/keys.md).
    Generate {
        /// Its name: 1 to 32 letters, digits, - and . ; by default today and a few random digits.
        #[arg(long, value_parser = key_id)]
        id: Option<String>,
    },
    /// Seal everything that is stored with the first key, while the broker serves or while it is stopped.
    ///
    /// It can be stopped and run again at any time. At the end it prints which of the older keys are no longer needed.
    Rotate,
    /// Make a secret for an OAuth client, and the hash of it for the clients file.
    ///
    /// The secret is printed once and not stored: enter it at the client. The line `secret_hash = …` goes into the
    /// client's table of the file that `OAUTH_CLIENTS_FILE` names.
    HashClientSecret {
        /// Hash the secret that is read from standard input, of at least 32 characters, instead of making one.
        #[arg(long)]
        stdin: bool,
    },
}

impl Keys {
    pub(super) fn run(self) -> u8 {
        match self.command {
            Command::Generate { id } => generate(id),
            Command::Rotate => rotate().map_or_else(|code| code, |()| DONE),
            Command::HashClientSecret { stdin } => hash_client_secret(stdin),
        }
    }
}

fn hash_client_secret(stdin: bool) -> u8 {
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
        say(&format!("client secret (shown only once): {}", secret.expose()));
        secret
    };
    let hash = SecretHash::of(&secret, random::bytes());
    say(&format!("secret_hash = \"{}\"", hash.line()));
    DONE
}

fn key_id(text: &str) -> Result<String, String> {
    if is_key_id(text) {
        Ok(text.to_owned())
    } else {
        Err("write 1 to 32 letters, digits, - and .".to_owned())
    }
}

/// The line alone on standard output, so that it can go into a file.
fn generate(id: Option<String>) -> u8 {
    let id = id.unwrap_or_else(|| {
        let today = jiff::Timestamp::from_second(SystemClock.now().as_secs()).unwrap_or_default();
        let day: String = today.to_string().chars().take(10).collect();
        let [a, b] = random::bytes::<2>();
        format!("{day}-{a:02x}{b:02x}")
    });
    let key = Zeroizing::new(random::bytes::<32>());
    let line = Zeroizing::new(format!("{id}:{}", STANDARD.encode(key.as_slice())));
    say(&line);
    DONE
}

fn rotate() -> Result<(), u8> {
    let config = operator_settings()?;
    let keyring = match Keyring::existing(&config.store.keys) {
        Ok(Some(keyring)) => keyring,
        Ok(None) => {
            complain(
                "there is no key file yet, so nothing is sealed: run this in the broker's own directory and with its settings",
            );
            return Err(FAILED);
        }
        Err(error) => {
            complain(&error.to_string());
            return Err(FAILED);
        }
    };
    let first_key = keyring.first_id().to_owned();
    match ask(&config, Request::RotateKeys { first_key })? {
        Answer::KeysRotated { resealed, report } => print(resealed, &report),
        other => Err(unexpected(other)),
    }
}

fn print(resealed: u64, report: &KeysReport) -> Result<(), u8> {
    say(&format!("{resealed} values were sealed again."));
    for key in &report.keys {
        let role = match (key.given, key.seals) {
            (true, true) => "seals",
            (true, false) => "opens",
            (false, _) => "MISSING",
        };
        say(&format!("{:<32}  {role:<8}  {} values", key.id, key.values));
    }
    let idle = report.idle();
    if !idle.is_empty() {
        say(&format!(
            "No longer needed by the store: {}. Keep them as long as you keep older backups.",
            idle.join(", ")
        ));
    }
    if report.unopened == 0 {
        return Ok(());
    }
    complain(&format!(
        "{} values do not open with the given keys and were left as they are: add the missing key behind the first one \
         (docs/keys.md) and run this again",
        report.unopened
    ));
    Err(FAILED)
}

fn read_secret() -> Result<ClientSecret, String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        complain("Type the secret and press Enter, then Ctrl-D. It is visible as you type.");
    }
    let mut text = Zeroizing::new(String::new());
    stdin
        .lock()
        .take(MAX_BYTES)
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
            "the secret needs at least {HASHED_SECRET_CHARS} characters; without --stdin one is generated for you"
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
