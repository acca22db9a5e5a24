//! Plaid's test credentials: <https://plaid.com/docs/sandbox/test-credentials/>.

use http::StatusCode;

use super::custom::Custom;
use super::mfa::Mfa;
use super::person;
use crate::spec::guesses::ErrorPasswords;
use crate::spec::{Guesses, PlaidError};

/// What a login leads to.
#[derive(Debug)]
pub(crate) enum Login {
    /// The person is in.
    Done,
    /// Something more is asked for first.
    Asked(Mfa),
    /// The bank, or the test password, says no.
    Refused(PlaidError),
}

/// Tries to log in.
pub(crate) fn log_in(username: &str, password: &str, guesses: &Guesses) -> Login {
    let forced = |code: &str| forced(code, guesses.error_passwords);
    if person::takes_any_password(username) {
        return Login::Done;
    }
    if username == "user_custom" {
        return match Custom::parse(password) {
            Some(custom) => match (custom.force_error.as_deref().and_then(forced), &custom.mfa) {
                (Some(error), _) => Login::Refused(error),
                (None, _) if custom.fails_recaptcha => Login::Refused(PlaidError::recaptcha_bad()),
                (None, Some(mfa)) => Login::Asked(mfa.clone()),
                (None, None) => Login::Done,
            },
            None => Login::Refused(PlaidError::invalid_credentials()),
        };
    }
    match (username, password) {
        ("user_good", "pass_good") => Login::Done,
        ("user_good", password) => match Mfa::of_password(password, guesses) {
            Some(mfa) => Login::Asked(mfa),
            None if Custom::parse(password).is_some_and(|custom| custom.fails_recaptcha) => {
                Login::Refused(PlaidError::recaptcha_bad())
            }
            None => Login::Refused(
                password
                    .strip_prefix("error_")
                    .and_then(forced)
                    .unwrap_or_else(PlaidError::invalid_credentials),
            ),
        },
        _ => Login::Refused(PlaidError::invalid_credentials()),
    }
}

/// The codes that lists of test credentials name.
#[rustfmt::skip]
const LISTED_ERRORS: &[&str] = &[
    "COUNTRY_NOT_SUPPORTED", "INSTITUTION_DOWN", "INSTITUTION_NOT_RESPONDING", "INTERNAL_SERVER_ERROR",
    "INVALID_CREDENTIALS", "INVALID_MFA", "INVALID_SEND_METHOD", "ITEM_LOCKED", "ITEM_LOGIN_REQUIRED",
    "ITEM_NOT_SUPPORTED", "NO_ACCOUNTS", "USER_INPUT_TIMEOUT", "USER_SETUP_REQUIRED",
];

/// The error that a password like `error_ITEM_LOCKED` asks for.
fn forced(code: &str, taken: ErrorPasswords) -> Option<PlaidError> {
    if taken == ErrorPasswords::Listed && !LISTED_ERRORS.contains(&code) {
        return None;
    }
    let well_formed = (1..=64).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if !well_formed {
        return None;
    }
    let error_type = match code {
        "INTERNAL_SERVER_ERROR" | "PLANNED_MAINTENANCE" => "API_ERROR",
        "RECAPTCHA_REQUIRED" | "RECAPTCHA_BAD" => "RECAPTCHA_ERROR",
        "RATE_LIMIT" => "RATE_LIMIT_EXCEEDED",
        _ if code.starts_with("INSTITUTION_") || code == "UNSUPPORTED_RESPONSE" => "INSTITUTION_ERROR",
        _ => "ITEM_ERROR",
    };
    let status = match code {
        "INTERNAL_SERVER_ERROR" => StatusCode::INTERNAL_SERVER_ERROR,
        "PLANNED_MAINTENANCE" => StatusCode::SERVICE_UNAVAILABLE,
        "RATE_LIMIT" => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::BAD_REQUEST,
    };
    let message = format!("the test password asked for the error {code}");
    Some(
        PlaidError::new(error_type, code.to_owned(), message)
            .with_status(status)
            .shown("The bank did not let you in: the test password asked for this error."),
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn test_logins_do_as_documented() {
        let usual = Guesses::default();
        assert!(matches!(log_in("user_good", "pass_good", &usual), Login::Done));
        assert!(matches!(
            log_in("user_good", "mfa_device", &usual),
            Login::Asked(Mfa::Device)
        ));
        assert!(matches!(
            log_in("user_transactions_dynamic", "x", &usual),
            Login::Done
        ));
        for (user, password, error_type, code) in [
            ("user_good", "wrong", "ITEM_ERROR", "INVALID_CREDENTIALS"),
            ("user_good", "error_", "ITEM_ERROR", "INVALID_CREDENTIALS"),
            ("user_bad", "pass_good", "ITEM_ERROR", "INVALID_CREDENTIALS"),
            ("user_good", "error_ITEM_LOCKED", "ITEM_ERROR", "ITEM_LOCKED"),
            (
                "user_good",
                "error_INSTITUTION_DOWN",
                "INSTITUTION_ERROR",
                "INSTITUTION_DOWN",
            ),
            (
                "user_good",
                "error_INTERNAL_SERVER_ERROR",
                "API_ERROR",
                "INTERNAL_SERVER_ERROR",
            ),
        ] {
            let Login::Refused(error) = log_in(user, password, &usual) else {
                panic!("{user} with {password} got in");
            };
            assert_eq!((&*error.error_type, &*error.error_code), (error_type, code));
        }
    }
}
