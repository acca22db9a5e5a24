//! Account numbers that a person types into Link, and how they get verified: <https://plaid.com/docs/auth/coverage/>.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Account;
use super::accounts::account_number;
use crate::spec::guesses::LastDepositCode;
use crate::spec::institutions::HOUNDSTOOTH;
use crate::spec::{Institution, PlaidError};

/// The Sandbox finds an automated micro-deposit after this time (<https://plaid.com/docs/auth/coverage/testing/>).
const FOUND_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// The code of every micro-deposit of the Sandbox. Small letters do as well.
const CODE: &str = "ABC";
/// Wrong codes after which an account is locked for good (<https://plaid.com/docs/auth/coverage/same-day/>).
const MOST_WRONG_CODES: u8 = 3;
/// The routing number that Houndstooth Bank has for people who type it.
pub(crate) const ROUTING_NUMBER: &str = "021000021";
/// The one routing number of the Sandbox that takes instant payments.
const INSTANT_ROUTING_NUMBER: &str = "333333334";

/// How typed numbers are verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Method {
    /// By the account's last digits, which the bank reported.
    InstantMatch,
    /// By a deposit that is found in the account.
    Automated,
    /// By the code of a deposit that the person comes back with.
    SameDay,
    /// By the code of a deposit that is there at once.
    Instant,
}

impl Method {
    /// The Item's `auth_method`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InstantMatch => "INSTANT_MATCH",
            Self::Automated => "AUTOMATED_MICRODEPOSITS",
            Self::SameDay => "SAME_DAY_MICRODEPOSITS",
            Self::Instant => "INSTANT_MICRODEPOSITS",
        }
    }

    /// Whether nobody logged in: the numbers are all that is known.
    pub(crate) fn is_manual(self) -> bool {
        matches!(self, Self::SameDay | Self::Instant)
    }
}

/// Account and routing number, as they were typed.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Numbers {
    pub(crate) routing: String,
    pub(crate) account: String,
}

impl Numbers {
    /// Without what people type between digits.
    pub(crate) fn typed(routing: &str, account: &str) -> Self {
        let digits = |text: &str| {
            let kept = text.chars().filter(|kept| !matches!(kept, ' ' | '-'));
            kept.collect()
        };
        Self {
            routing: digits(routing),
            account: digits(account),
        }
    }

    pub(crate) fn are_well_formed(&self) -> bool {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        self.routing.len() == 9
            && (4..=17).contains(&self.account.len())
            && digits(&self.routing)
            && digits(&self.account)
    }

    /// Whether they are those of this account at Houndstooth Bank.
    pub(crate) fn are_of(&self, account: &Account) -> bool {
        self.routing == ROUTING_NUMBER && self.account == account_number(account)
    }

    pub(crate) fn are_instant(&self) -> bool {
        self.routing == INSTANT_ROUTING_NUMBER
    }

    /// The last four digits. Numbers with no more than these have none
    /// (<https://plaid.com/docs/link/web/#link-web-onevent-metadata-account-number-mask>).
    pub(crate) fn mask(&self) -> &str {
        let at = self.account.len().saturating_sub(4);
        if at == 0 { "" } else { self.last_four() }
    }

    pub(crate) fn last_four(&self) -> &str {
        let at = self.account.len().saturating_sub(4);
        self.account.get(at..).unwrap_or_default()
    }
}

/// The numbers of one account of an Item, and how far their verification got.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Deposit {
    pub(crate) method: Method,
    /// The key of the account.
    key: String,
    pub(crate) numbers: Numbers,
    /// Who holds the account, as typed or as the caller said.
    pub(crate) holder: Option<String>,
    wrong_codes: u8,
    confirmed: bool,
}

/// What became of a code.
pub(crate) enum CodeTried {
    Right,
    Wrong(PlaidError),
    /// The account is locked.
    Locked(PlaidError),
}

impl Deposit {
    pub(crate) fn new(method: Method, account_key: &str, numbers: Numbers, holder: Option<String>) -> Self {
        Self {
            method,
            key: account_key.to_owned(),
            numbers,
            holder,
            wrong_codes: 0,
            confirmed: false,
        }
    }

    pub(crate) fn is_of(&self, account: &Account) -> bool {
        self.key == account.key
    }

    /// The `verification_status` of the account on an Item of that age.
    pub(crate) fn status(&self, age: Duration) -> Option<&'static str> {
        match self.method {
            Method::InstantMatch => None,
            Method::Automated if age >= FOUND_AFTER => Some("automatically_verified"),
            Method::Automated => Some("pending_automatic_verification"),
            Method::SameDay | Method::Instant if self.confirmed => Some("manually_verified"),
            Method::SameDay | Method::Instant if self.wrong_codes >= MOST_WRONG_CODES => {
                Some("verification_failed")
            }
            Method::SameDay | Method::Instant => Some("pending_manual_verification"),
        }
    }

    /// A code is right, or counts against the account.
    pub(crate) fn try_code(&mut self, code: &str, last: LastDepositCode) -> CodeTried {
        if self.wrong_codes >= MOST_WRONG_CODES {
            return CodeTried::Locked(locked(last));
        }
        if code.trim().eq_ignore_ascii_case(CODE) {
            self.confirmed = true;
            return CodeTried::Right;
        }
        self.wrong_codes += 1;
        match MOST_WRONG_CODES.saturating_sub(self.wrong_codes) {
            0 => CodeTried::Locked(locked(last)),
            1 => CodeTried::Wrong(incorrect("The code is not right. You have one more try.")),
            _ => CodeTried::Wrong(incorrect("The code is not right. You have two more tries.")),
        }
    }
}

/// The answer to a wrong code (<https://plaid.com/docs/errors/invalid-input/#incorrect_deposit_verification>).
fn incorrect(display_message: &'static str) -> PlaidError {
    PlaidError::incorrect_deposit_verification().shown(display_message)
}

/// The answer to the last wrong code, and to all after it.
pub(crate) fn locked(last: LastDepositCode) -> PlaidError {
    let error = match last {
        LastDepositCode::TooManyVerificationAttempts => PlaidError::too_many_verification_attempts(),
        LastDepositCode::IncorrectDepositVerification => PlaidError::incorrect_deposit_verification(),
    };
    error.shown("The code was wrong too often. This account has to be connected anew.")
}

/// Whether this is the login of the bank where automated micro-deposits are tried.
pub(crate) fn is_login(institution: &Institution, username: &str, password: &str) -> bool {
    institution.id == HOUNDSTOOTH && (username, password) == ("user_good", "microdeposits_good")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same_day() -> Deposit {
        let numbers = Numbers::typed("110000000", "1111222233330000");
        Deposit::new(Method::SameDay, "custom-0", numbers, None)
    }

    #[test]
    fn three_wrong_codes_lock_for_good() {
        let mut deposit = same_day();
        for left in [2, 1, 0] {
            let tried = deposit.try_code("XYZ", LastDepositCode::default());
            assert_eq!(matches!(tried, CodeTried::Locked(_)), left == 0, "{left} left");
        }
        let right = deposit.try_code(CODE, LastDepositCode::default());
        assert!(matches!(right, CodeTried::Locked(_)));
        assert_eq!(deposit.status(Duration::ZERO), Some("verification_failed"));
    }

    #[test]
    fn small_letters_do_as_well() {
        let mut deposit = same_day();
        assert_eq!(deposit.status(FOUND_AFTER), Some("pending_manual_verification"));
        let tried = deposit.try_code(" abc ", LastDepositCode::default());
        assert!(matches!(tried, CodeTried::Right));
        assert_eq!(deposit.status(Duration::ZERO), Some("manually_verified"));
    }

    #[test]
    fn numbers_have_digits_alone() {
        let numbers = Numbers::typed("110-000-000", "1111 2222 3333 0000");
        assert!(numbers.are_well_formed());
        assert_eq!((numbers.mask(), numbers.last_four()), ("0000", "0000"));
        assert_eq!(Numbers::typed("110000000", "1234").mask(), "");
        for (routing, account) in [
            ("11000000", "12345"),
            ("110000000", "123"),
            ("11000000x", "12345"),
            ("", ""),
        ] {
            assert!(
                !Numbers::typed(routing, account).are_well_formed(),
                "{routing} {account}"
            );
        }
    }
}
