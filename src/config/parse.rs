//! From the text of a setting to its value. Errors are instructions.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use url::Url;

use super::address::{secure_url, web_url};
use crate::secret::AdminToken;

/// Shorter tokens can be guessed.
const ADMIN_TOKEN_CHARS: usize = 16;

/// The parts of a comma-separated list, without the spaces around them and without empty ones.
pub(super) fn list(text: &str) -> Vec<String> {
    parts(text).map(str::to_owned).collect()
}

/// The parts of a list of names, which may also be separated by whitespace.
pub(super) fn names(text: &str) -> Vec<String> {
    let names = parts(text).flat_map(str::split_whitespace);
    names.map(str::to_owned).collect()
}

/// A list that must not be empty.
pub(super) fn filled(list: Vec<String>, expected: &str) -> Result<Vec<String>, String> {
    if list.is_empty() {
        Err(expected.to_owned())
    } else {
        Ok(list)
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// The value of one of these words, in any letter case.
pub(super) fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = choices.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)) {
        return Ok(*value);
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let (last, others) = words.split_last().unwrap_or((&"", &[]));
    Err(format!("choose {} or {last}", others.join(", ")))
}

/// `on` or `off`, and what people write for them.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Ok(true),
        "off" | "false" | "no" | "0" => Ok(false),
        _ => Err("write on or off".to_owned()),
    }
}

/// What the type itself can read.
pub(super) fn typed<T: FromStr>(text: &str, expected: &str) -> Result<T, String> {
    text.parse().map_err(|_| expected.to_owned())
}

/// A whole number within these bounds. `what` is expected, with the bounds behind it.
pub(super) fn number<T>(text: &str, bounds: &RangeInclusive<T>, what: &str) -> Result<T, String>
where
    T: FromStr + PartialOrd + Display,
{
    let number = text.parse().ok().filter(|number| bounds.contains(number));
    number.ok_or_else(|| format!("write {what} from {} to {}", bounds.start(), bounds.end()))
}

/// The same, or `None` for the word, which stands for no limit.
pub(super) fn number_or<T>(
    text: &str,
    word: &str,
    bounds: &RangeInclusive<T>,
    what: &str,
) -> Result<Option<T>, String>
where
    T: FromStr + PartialOrd + Display,
{
    if text.eq_ignore_ascii_case(word) || (word == "off" && switch(text) == Ok(false)) {
        return Ok(None);
    }
    let number = number(text, bounds, what).map(Some);
    number.map_err(|expected| format!("{expected}, or {word}"))
}

/// A whole number of seconds within these bounds.
pub(super) fn seconds(text: &str, bounds: &RangeInclusive<u64>) -> Result<u64, String> {
    number(text, bounds, "a whole number of seconds")
}

/// The origin of a server: an address without a path.
pub(super) fn origin(url: Url, expected: &str) -> Result<Url, String> {
    if url.path() != "/" || url.query().is_some() {
        return Err(expected.to_owned());
    }
    Ok(url)
}

pub(super) fn public_url(text: &str) -> Result<Url, String> {
    origin(
        secure_url(text)?,
        "write the address without a path or query, for example https://bank.example.com",
    )
}

/// The address of a tunnel agent; `None`: it is not asked.
pub(super) fn agent_url(text: &str) -> Result<Option<Url>, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    origin(web_url(text)?, "write the address without a path, or off").map(Some)
}

pub(super) fn plaid_url(text: &str) -> Result<Url, String> {
    let url = secure_url(text)?;
    if text.contains('?') {
        return Err("remove the ? and what follows it".to_owned());
    }
    Ok(url)
}

pub(super) fn simulator_address(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = typed(text, "write an IP address and a port, for example 127.0.0.1:9400")?;
    if !address.ip().is_loopback() {
        return Err(
            "use 127.0.0.1 or [::1]: the simulator authenticates nobody, so it stays on this machine"
                .to_owned(),
        );
    }
    Ok(address)
}

pub(super) fn admin_token(text: &str) -> Result<AdminToken, String> {
    if text.chars().count() < ADMIN_TOKEN_CHARS {
        return Err(format!(
            "make it at least {ADMIN_TOKEN_CHARS} characters long, or leave it empty"
        ));
    }
    Ok(AdminToken::new(text))
}

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => {
            Err("write error, warn, info, debug or trace, or a filter such as info,tower=debug".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_forgive_spaces_and_spare_commas() {
        assert_eq!(list(" a, b,,c ,"), ["a", "b", "c"]);
        assert_eq!(names("a b,\tc"), ["a", "b", "c"]);
        assert_eq!(list(" , "), [""; 0]);
    }

    #[test]
    fn switches_know_the_usual_words() {
        assert!(
            ["on", "TRUE", "yes", "1"]
                .iter()
                .all(|text| switch(text) == Ok(true))
        );
        assert!(
            ["off", "False", "no", "0"]
                .iter()
                .all(|text| switch(text) == Ok(false))
        );
        assert_eq!(switch("perhaps"), Err("write on or off".to_owned()));
    }

    #[test]
    fn seconds_are_whole_and_within_their_bounds() {
        assert_eq!(
            (seconds("10", &(10..=20)), seconds("20", &(10..=20))),
            (Ok(10), Ok(20))
        );
        for text in ["9", "21", "1.5", "15s", "-15", "", "99999999999999999999"] {
            assert!(seconds(text, &(10..=20)).is_err(), "{text}");
        }
    }
}
