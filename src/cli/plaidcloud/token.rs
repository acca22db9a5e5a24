//! `plaidcloud token`: what token there is, and how to get one.

use std::io::{BufRead as _, IsTerminal as _};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use plaidcloud::{Client, Secret};
use url::Url;

use super::{From, fail, print, usage, wait};
use crate::cli::{complain, say};
use crate::random;

const PATIENCE: Duration = Duration::from_secs(60);

/// Show the token that calls are made with: its source, expiry and scopes.
///
/// A token is requested when there is none. Tokens that were requested are kept outside of plaid.conf, readable by this
/// user alone, and are renewed before they expire.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Token {
    /// Print the token itself on standard output, and all else on standard error.
    #[arg(long)]
    reveal: bool,
    /// Request a new token, even though the kept one may still be valid.
    #[arg(long, conflicts_with_all = ["login", "forget"])]
    renew: bool,
    /// Log in with a browser (grant type `code`): prints an address to open, and reads where it led to.
    #[arg(long, conflicts_with = "forget")]
    login: bool,
    /// Remove the kept token.
    #[arg(long, conflicts_with = "reveal")]
    forget: bool,
}

impl Token {
    pub(super) fn run(self, from: &From) -> Result<(), u8> {
        let client = from.client(PATIENCE)?;
        if self.forget {
            return client.forget_token().map_err(fail);
        }
        if client.connection().fixed_token.is_some() && (self.login || self.renew) {
            return Err(usage(
                "the configuration has a token of its own, which is used as it is: remove auth_token from plaid.conf (or \
                 __PLAID_RPC_AUTH_TOKEN__ from the environment) to have tokens requested",
            ));
        }
        let token = if self.login {
            login(&client)?
        } else if self.renew {
            wait(client.renew_token())?
        } else {
            wait(client.token())?
        };
        let report = if self.reveal { complain } else { say };
        report(&format!("source: {}", token.source.description()));
        let expiry = token
            .expires_at
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        report(&format!(
            "expires: {}",
            expiry.map_or_else(|| "not known".to_owned(), |expiry| expiry.to_string())
        ));
        report(&format!(
            "scopes: {}",
            token.scope.as_deref().unwrap_or("not known")
        ));
        if self.reveal {
            print(token.secret.expose().as_bytes())
        } else {
            say(&format!("token: {}", token.secret.redacted()));
            Ok(())
        }
    }
}

/// The browser may be on another machine, so the address that it ends on is pasted here.
fn login(client: &Client) -> Result<plaidcloud::Token, u8> {
    let state = URL_SAFE_NO_PAD.encode(random::bytes::<16>());
    let verifier = Secret::new(URL_SAFE_NO_PAD.encode(random::bytes::<32>()));
    let address = client.authorization_url(&state, &verifier).map_err(fail)?;
    complain("Open this address in a browser, and log in:");
    complain(address.as_str());
    complain(
        "The browser then goes to the redirect URI. Whatever the page shows, copy its address from the address bar, \
         paste it here, and press Enter:",
    );
    let stdin = std::io::stdin();
    let mut line = zeroize::Zeroizing::new(String::new());
    let read = stdin.lock().read_line(&mut line);
    if stdin.is_terminal() {
        complain("");
    }
    read.map_err(|error| usage(&format!("standard input cannot be read: {error}")))?;
    let code = code_of(line.trim(), &state).map_err(|error| usage(&error))?;
    wait(client.redeem(&code, &verifier))
}

/// The code in the address that the browser ended on.
fn code_of(pasted: &str, state: &str) -> Result<Secret, String> {
    let url = Url::parse(pasted).map_err(|_| {
        "that is not an address; it begins with the redirect URI and has code= in it".to_owned()
    })?;
    let value = |name: &str| {
        let mut pairs = url.query_pairs().filter(|(key, _)| key == name);
        pairs.next().map(|(_, value)| value.into_owned())
    };
    if value("state").as_deref() != Some(state) {
        return Err(
            "the address belongs to another login: its state differs. Begin again with --login".to_owned(),
        );
    }
    if let Some(error) = value("error") {
        let plain: String = error.chars().filter(char::is_ascii_graphic).take(100).collect();
        return Err(format!("the login failed: {plain}"));
    }
    match value("code").filter(|code| !code.is_empty()) {
        Some(code) => Ok(Secret::new(code)),
        None => Err("the address has no code".to_owned()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_read_from_an_address_of_this_login_alone() {
        let code = code_of("http://localhost:8080/?state=s&session_state=x&code=a%2Bb", "s").unwrap();
        assert_eq!(code.expose(), "a+b");
        for (pasted, word) in [
            ("a-code", "not an address"),
            ("http://localhost/?code=a", "another login"),
            ("http://localhost/?code=a&state=t", "another login"),
            ("http://localhost/?state=s", "no code"),
            ("http://localhost/?state=s&code=", "no code"),
            (
                "http://localhost/?state=s&error=access_denied%1b",
                "access_denied",
            ),
        ] {
            let error = code_of(pasted, "s").unwrap_err();
            assert!(error.contains(word), "{pasted}: {error}");
        }
    }
}
