//! Values made fit for a log or a terminal.

/// Longer values are cut.
const MOST_CHARS: usize = 120;
/// Shorter runs of letters and digits are hardly keys: Plaid's secrets have 30 characters.
const SECRET_CHARS: usize = 20;
/// Shorter secrets are too ordinary to be searched for.
const SEARCHED_CHARS: usize = 6;

/// The text on one line, not too long, without a query (it may carry a token), without user and password, and not at
/// all when it holds one of the secrets, pasted into the wrong variable.
pub(super) fn redact<'a>(text: &str, secrets: impl Iterator<Item = &'a str>) -> String {
    let pasted = |part: &str| part.len() >= SEARCHED_CHARS && text.contains(part);
    // A key ring is several secrets in one: its keys are looked for one by one.
    for secret in secrets {
        if pasted(secret) || secret.split([',', ':', '\n']).any(pasted) {
            return "a secret, not shown".to_owned();
        }
    }
    let is_of_a_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | '_' | '-');
    if text.split(|c| !is_of_a_token(c)).any(may_be_secret) {
        return "a value that may be a secret, not shown".to_owned();
    }
    let cut = text.find(['?', '#']).unwrap_or(text.len());
    let (before, query) = text.split_at(cut);
    let open = match before.rsplit_once('@') {
        Some((front, host)) => {
            let scheme = front
                .find("://")
                .and_then(|at| front.get(..at + 3))
                .unwrap_or_default();
            format!("{scheme}…@{host}")
        }
        None => before.to_owned(),
    };
    let mut line: String = open.escape_debug().take(MOST_CHARS).collect();
    if open.escape_debug().nth(MOST_CHARS).is_some() {
        line.push('…');
    } else if query.len() > 1 {
        line.extend(query.chars().take(1));
        line.push('…');
    } else {
        line.push_str(query);
    }
    line
}

/// Keys and tokens are long and have digits among their letters; words and most host names are not or have not.
fn may_be_secret(run: &str) -> bool {
    let count = |is: fn(&char) -> bool| run.chars().filter(is).count();
    run.len() >= SECRET_CHARS && count(char::is_ascii_digit) >= 2 && count(char::is_ascii_alphabetic) >= 1
}

/// The part of a secret that must not be shown: of a URL, its password. The rest of it are ordinary names.
pub(super) fn secret_part(secret: &str) -> &str {
    let Some((_, rest)) = secret.split_once("://") else {
        return secret;
    };
    let user_info = rest.rsplit_once('@').map_or("", |(front, _)| front);
    user_info.split_once(':').map_or("", |(_, password)| password)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        redact(text, std::iter::empty())
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "staging",
            "https://example.com/callback",
            "10.0.0.0/40",
            "https://example.com/?",
            "",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn what_may_be_a_secret_in_the_wrong_place_is_not_shown() {
        for text in [
            "fedcba9876543210fedcba98765432",
            "auth,fedcba9876543210fedcba98765432",
            "access-sandbox-0b1c2d3e-0000-4000-8000-000000000001",
            "2026-01:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "https://fedcba9876543210fedcba98765432@example.com",
        ] {
            assert_eq!(plain(text), "a value that may be a secret, not shown");
        }
        for text in [
            "transactions_refresh_and_more",
            "https://a-2.example.com/workflows/callback",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn of_a_url_its_password_is_the_secret() {
        assert_eq!(secret_part("postgres://me:hu@sh@db.example:5432/broker"), "hu@sh");
        assert_eq!(secret_part("postgres://me@db.example/broker"), "");
        assert_eq!(secret_part("sqlite://data/sandbox.db"), "");
        assert_eq!(secret_part("hush"), "hush");
    }

    #[test]
    fn what_may_carry_a_token_is_cut() {
        assert_eq!(
            plain("https://example.com/a?token=hush"),
            "https://example.com/a?…"
        );
        assert_eq!(plain("https://example.com/#hush"), "https://example.com/#…");
        assert_eq!(plain("https://me:hu@sh@example.com/"), "https://…@example.com/");
        assert_eq!(plain("me:hush@example.com"), "…@example.com");
    }

    #[test]
    fn it_stays_on_one_line_of_bounded_length() {
        assert_eq!(plain("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(plain(&"é".repeat(121)).chars().count(), 121);
        assert!(plain(&"é".repeat(121)).ends_with('…') && !plain(&"é".repeat(120)).ends_with('…'));
    }

    #[test]
    fn a_secret_is_kept_back_also_as_a_part_of_a_key_ring() {
        let secrets = || ["hush-hush", "2026-01:c2VjcmV0LWtleQ==,old:b2xkZXIta2V5", "abc"].into_iter();
        for text in ["hush-hush", "xhush-hushx", "c2VjcmV0LWtleQ==", "b2xkZXIta2V5"] {
            assert_eq!(redact(text, secrets()), "a secret, not shown");
        }
        assert_eq!(redact("abc", secrets()), "abc");
    }
}
