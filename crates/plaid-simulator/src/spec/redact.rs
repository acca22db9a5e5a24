//! Tokens of Plaid's inside of other text, to be masked where people look.

use crate::spec::ids::ENVIRONMENT;

/// What stands for a token: the kinds that Plaid has, in this environment and in the one where they are worth most.
const MARKS: &[(&str, &str)] = &[
    ("access-sandbox-", "access-sandbox-***"),
    ("access-production-", "access-production-***"),
    ("public-sandbox-", "public-sandbox-***"),
    ("public-production-", "public-production-***"),
    ("link-sandbox-", "link-sandbox-***"),
    ("link-production-", "link-production-***"),
    ("user-sandbox-", "user-sandbox-***"),
    ("assets-sandbox-", "assets-sandbox-***"),
    ("processor-sandbox-", "processor-sandbox-***"),
];

const ENVIRONMENTS: &[&str] = &[ENVIRONMENT, "production", "development"];

/// Which kind of token this whole text is, when it begins like one.
pub(crate) fn mark(text: &str) -> Option<&'static str> {
    let known = MARKS.iter().find(|(start, _)| text.starts_with(start));
    known.map(|(_, mark)| *mark)
}

/// The text with every token in it masked, wherever it stands and however it is written.
pub(crate) fn masked(text: &str) -> String {
    let mut rest = text;
    let mut masked = String::with_capacity(text.len());
    while !rest.is_empty() {
        let end = rest.find(|letter| !is_of_word(letter)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        masked.push_str(if is_token(word) {
            mark(word).unwrap_or("***")
        } else {
            word
        });
        let between = after.find(is_of_word).unwrap_or(after.len());
        let (between, next) = after.split_at(between);
        masked.push_str(between);
        rest = next;
    }
    masked
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
}

fn is_token(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let mut environments = ENVIRONMENTS.iter();
    environments.any(|environment| word.contains(&format!("-{environment}-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_anywhere() {
        for (text, expected) in [
            ("", ""),
            ("no token", "no token"),
            ("access-sandbox-1-2", "access-sandbox-***"),
            (
                "https://a.test/b?t=access-sandbox-1-2&u=1",
                "https://a.test/b?t=access-sandbox-***&u=1",
            ),
            ("ä PUBLIC-PRODUCTION-1, moon-development-2", "ä ***, ***"),
        ] {
            assert_eq!(masked(text), expected);
        }
        assert_eq!(mark("moon-sandbox-1"), None);
        assert_eq!(mark("access-sandbox-1"), Some("access-sandbox-***"));
    }
}
