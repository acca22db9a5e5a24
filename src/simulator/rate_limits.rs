//! Rate limits of the Sandbox: <https://plaid.com/docs/errors/rate-limit-exceeded/>.
//!
//! Windows are fixed minutes from a key's first call; Plaid does not say what shape its windows have.

use std::collections::HashMap;
use std::time::Duration;

use http::StatusCode;

use super::error::PlaidError;
use crate::clock::Timestamp;

/// The length of a window.
const WINDOW: Duration = Duration::from_secs(60);
/// Windows beyond this number start a new table: a bound, not a rule.
const MOST_WINDOWS: usize = 100_000;

/// The calls of a path that are let through in a window.
struct Limit {
    path: &'static str,
    per_item: Option<u32>,
    per_client: u32,
    error_code: &'static str,
}

const fn limit(path: &'static str, per_item: u32, per_client: u32, error_code: &'static str) -> Limit {
    Limit {
        path,
        per_item: Some(per_item),
        per_client,
        error_code,
    }
}

const fn of_client(path: &'static str, per_client: u32, error_code: &'static str) -> Limit {
    Limit {
        path,
        per_item: None,
        per_client,
        error_code,
    }
}

const LIMITS: &[Limit] = &[
    limit("/accounts/get", 100, 5_000, "ACCOUNTS_LIMIT"),
    limit("/accounts/balance/get", 25, 100, "BALANCE_LIMIT"),
    limit("/auth/get", 100, 500, "AUTH_LIMIT"),
    limit("/identity/get", 100, 1_000, "IDENTITY_LIMIT"),
    limit("/item/get", 40, 5_000, "ITEM_GET_LIMIT"),
    limit("/item/remove", 100, 500, "RATE_LIMIT"),
    limit("/transactions/sync", 50, 1_000, "TRANSACTIONS_SYNC_LIMIT"),
    limit("/transactions/get", 80, 1_000, "TRANSACTIONS_LIMIT"),
    limit(
        "/investments/holdings/get",
        100,
        1_000,
        "INVESTMENT_HOLDINGS_GET_LIMIT",
    ),
    limit(
        "/investments/transactions/get",
        100,
        1_000,
        "INVESTMENT_TRANSACTIONS_LIMIT",
    ),
    limit("/liabilities/get", 10, 1_000, "RATE_LIMIT"),
    of_client("/institutions/get_by_id", 400, "INSTITUTIONS_GET_BY_ID_LIMIT"),
    of_client("/institutions/get", 10, "INSTITUTIONS_GET_LIMIT"),
    of_client("/asset_report/create", 100, "RATE_LIMIT"),
    of_client("/asset_report/get", 1_000, "RATE_LIMIT"),
    of_client("/statements/list", 100, "RATE_LIMIT"),
    of_client("/statements/download", 50, "RATE_LIMIT"),
    of_client("/transfer/authorization/create", 100, "RATE_LIMIT"),
    of_client("/transfer/create", 100, "RATE_LIMIT"),
    of_client("/payment_initiation/payment/create", 100, "RATE_LIMIT"),
];

/// Whether `path` has a limit, and so whether the Item has to be known.
pub(super) fn has_limit(path: &str) -> bool {
    LIMITS.iter().any(|limit| limit.path == path)
}

/// The calls of the running windows.
#[derive(Default)]
pub(super) struct RateLimits(HashMap<(&'static str, String), Window>);

struct Window {
    began: Timestamp,
    calls: u32,
}

impl RateLimits {
    /// Counts a call of a client's, for an Item when it names one.
    pub(super) fn count(
        &mut self,
        path: &str,
        client_id: &str,
        item_id: Option<&str>,
        now: Timestamp,
    ) -> Result<(), PlaidError> {
        let Some(limit) = LIMITS.iter().find(|limit| limit.path == path) else {
            return Ok(());
        };
        let of_item = limit.per_item.zip(item_id).map(|(most, item_id)| (item_id, most));
        for (key, most) in of_item.into_iter().chain([(client_id, limit.per_client)]) {
            if !self.passes(limit.path, key, most, now) {
                return Err(PlaidError {
                    status: StatusCode::TOO_MANY_REQUESTS,
                    ..PlaidError::new(
                        "RATE_LIMIT_EXCEEDED",
                        limit.error_code,
                        format!(
                            "rate limit exceeded for {path}: {most} calls a minute. please try again later"
                        ),
                    )
                });
            }
        }
        Ok(())
    }

    fn passes(&mut self, path: &'static str, key: &str, most: u32, now: Timestamp) -> bool {
        if self.0.len() >= MOST_WINDOWS {
            self.0.clear();
        }
        let window = self
            .0
            .entry((path, key.to_owned()))
            .or_insert(Window { began: now, calls: 0 });
        if now.since(window.began) >= WINDOW {
            *window = Window { began: now, calls: 0 };
        }
        window.calls = window.calls.saturating_add(1);
        window.calls <= most
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn an_item_has_its_own_limit_and_a_minute_later_all_is_well() {
        let mut limits = RateLimits::default();
        let now = Timestamp::from_millis(0);
        for _ in 0..40 {
            limits
                .count("/item/get", "client", Some("item"), now)
                .expect("passes");
        }
        let error = limits
            .count("/item/get", "client", Some("item"), now)
            .expect_err("refused");
        assert_eq!(
            (&*error.error_code, error.status.as_u16()),
            ("ITEM_GET_LIMIT", 429)
        );
        limits
            .count("/item/get", "client", Some("other"), now)
            .expect("another Item");
        limits
            .count("/link/token/create", "client", None, now)
            .expect("no limit");
        limits
            .count("/item/get", "client", Some("item"), now.plus(WINDOW))
            .expect("a new window");
    }

    #[test]
    fn a_client_has_a_limit_over_all_items() {
        let mut limits = RateLimits::default();
        let now = Timestamp::from_millis(0);
        for _ in 0..10 {
            limits
                .count("/institutions/get", "client", None, now)
                .expect("passes");
        }
        assert!(limits.count("/institutions/get", "client", None, now).is_err());
        assert!(limits.count("/institutions/get", "other", None, now).is_ok());
    }
}
