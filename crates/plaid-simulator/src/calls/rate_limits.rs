//! Rate limits of the Sandbox: <https://plaid.com/docs/errors/rate-limit-exceeded/>.
//!
//! Windows are fixed spans of time; Plaid does not say what shape its windows have.

mod table;

use std::collections::HashMap;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value};

use self::table::{EVERYWHERE, LIMITS};
use crate::spec::guesses::{RateWindow, RetryAfter, UnlistedLimits};
use crate::spec::{Guesses, PlaidError};
use plaid_token_broker_core::clock::Timestamp;

/// Windows beyond this number start a new table: a bound, not a rule.
const MOST_WINDOWS: usize = 100_000;

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Of {
    Client,
    Item,
    AssetReport,
    Transaction,
}

/// The length of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Per {
    Second,
    Minute,
    Hour,
}

/// So many calls are let through in a window.
#[derive(Clone, Copy, Debug)]
struct Rule {
    most: u32,
    of: Of,
    per: Per,
}

/// The rules of a path.
#[derive(Clone, Copy, Debug)]
struct Limit {
    path: &'static str,
    error_code: &'static str,
    rules: &'static [Rule],
}

impl Per {
    fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 60 * 60,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
        }
    }
}

/// The rules for `path`, and so whether a call has to be counted.
fn limit_of(path: &str, guesses: &Guesses) -> Option<Limit> {
    let listed = LIMITS.iter().find(|limit| limit.path == path).copied();
    let everywhere = guesses.unlisted_limits == UnlistedLimits::ThirtyASecond;
    listed.or(everywhere.then_some(EVERYWHERE))
}

/// Whom a call is counted for.
pub(crate) struct Caller<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) item_id: Option<&'a str>,
    pub(crate) body: &'a Map<String, Value>,
}

impl Caller<'_> {
    fn key(&self, of: Of) -> Option<&str> {
        let text = |name: &str| self.body.get(name).and_then(Value::as_str);
        match of {
            Of::Client => Some(self.client_id),
            Of::Item => self.item_id,
            Of::AssetReport => text("asset_report_token"),
            Of::Transaction => text("client_transaction_id"),
        }
    }
}

/// The calls of the running windows.
#[derive(Default)]
pub(crate) struct RateLimits(HashMap<(String, Of, Per, String), Window>);

struct Window {
    began: Timestamp,
    calls: u32,
}

impl RateLimits {
    /// Counts a call.
    pub(crate) fn count(
        &mut self,
        path: &str,
        caller: &Caller<'_>,
        guesses: &Guesses,
        now: Timestamp,
    ) -> Result<(), PlaidError> {
        let Some(limit) = limit_of(path, guesses) else {
            return Ok(());
        };
        for rule in limit.rules {
            let Some(key) = caller.key(rule.of) else {
                continue;
            };
            if let Err(rest) = self.passes(path, *rule, key, guesses, now) {
                let (most, per) = (rule.most, rule.per.word());
                let message =
                    format!("rate limit exceeded for {path}: {most} calls per {per}. please try again later");
                return Err(PlaidError {
                    retry_after: (guesses.retry_after == RetryAfter::Seconds)
                        .then(|| rest.as_secs().saturating_add(u64::from(rest.subsec_nanos() > 0))),
                    ..PlaidError::new("RATE_LIMIT_EXCEEDED", limit.error_code, message)
                        .with_status(StatusCode::TOO_MANY_REQUESTS)
                });
            }
        }
        Ok(())
    }

    /// Lets a call through, or returns how long the window lasts.
    fn passes(
        &mut self,
        path: &str,
        rule: Rule,
        key: &str,
        guesses: &Guesses,
        now: Timestamp,
    ) -> Result<(), Duration> {
        if self.0.len() >= MOST_WINDOWS {
            self.0.clear();
        }
        let length = rule.per.length();
        let key = (path.to_owned(), rule.of, rule.per, key.to_owned());
        let window = self.0.entry(key).or_insert(Window {
            began: Timestamp::from_millis(0),
            calls: 0,
        });
        if window.calls == 0 || now.since(window.began) >= length {
            let into = match guesses.rate_window {
                RateWindow::FirstCall => Duration::ZERO,
                RateWindow::Clock => {
                    let millis = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
                    Duration::from_millis(now.as_millis().rem_euclid(millis).unsigned_abs())
                }
            };
            *window = Window {
                began: now.minus(into),
                calls: 0,
            };
        }
        if window.calls >= rule.most {
            return Err(length.saturating_sub(now.since(window.began)));
        }
        window.calls = window.calls.saturating_add(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests fail by panicking")]

    use super::*;

    /// Calls at one moment until one is refused: how many passed, and the refusal.
    fn calls(
        limits: &mut RateLimits,
        path: &str,
        (item_id, body): (Option<&str>, &Value),
        now: Timestamp,
    ) -> (u32, PlaidError) {
        let body = body.as_object().expect("an object");
        let caller = Caller {
            client_id: "client",
            item_id,
            body,
        };
        for passed in 0..10_000 {
            if let Err(error) = limits.count(path, &caller, &Guesses::default(), now) {
                return (passed, error);
            }
        }
        unreachable!("nothing was refused");
    }

    #[test]
    fn an_item_has_its_own_limit_and_a_minute_later_all_is_well() {
        let mut limits = RateLimits::default();
        let now = Timestamp::from_millis(0);
        let none = Value::Object(Map::new());
        let (passed, error) = calls(&mut limits, "/item/get", (Some("item"), &none), now);
        assert_eq!(
            (
                passed,
                &*error.error_code,
                error.status.as_u16(),
                error.retry_after
            ),
            (40, "ITEM_GET_LIMIT", 429, None)
        );
        let (other, _) = calls(&mut limits, "/item/get", (Some("other"), &none), now);
        let later = now.plus(Per::Minute.length());
        let (anew, _) = calls(&mut limits, "/item/get", (Some("item"), &none), later);
        assert_eq!((other, anew), (40, 40));
        let caller = Caller {
            client_id: "client",
            item_id: None,
            body: none.as_object().expect("an object"),
        };
        for _ in 0..10_000 {
            let path = "/link/token/create";
            limits
                .count(path, &caller, &Guesses::default(), now)
                .expect("no limit");
        }
    }

    #[test]
    fn signal_has_limits_by_transaction_item_and_second() {
        let mut limits = RateLimits::default();
        let mut now = Timestamp::from_millis(0);
        let about = |id: &str| serde_json::json!({"client_transaction_id": id});
        let (path, item) = ("/signal/evaluate", Some("item"));
        assert_eq!(calls(&mut limits, path, (item, &about("a")), now).0, 10);
        now = now.plus(Per::Minute.length());
        assert_eq!(calls(&mut limits, path, (item, &about("a")), now).0, 0);
        // 30 a second and client, 70 an hour and Item, of which the first 10 and the refused ones have gone.
        let mut passed = 0;
        for second in 1..60 {
            now = now.plus(Per::Second.length());
            for at in 0..30 {
                let about = about(&format!("{second}-{at}"));
                let body = about.as_object().expect("an object");
                let caller = Caller {
                    client_id: "client",
                    item_id: item,
                    body,
                };
                passed += u32::from(limits.count(path, &caller, &Guesses::default(), now).is_ok());
            }
        }
        assert_eq!(passed, 60);
        let mut passed = 0;
        for at in 0..40 {
            let (item, about) = (format!("item-{at}"), about(&format!("once-{at}")));
            let caller = Caller {
                client_id: "client",
                item_id: Some(&item),
                body: about.as_object().expect("an object"),
            };
            passed += u32::from(limits.count(path, &caller, &Guesses::default(), now).is_ok());
        }
        assert_eq!(passed, 30);
        now = now.plus(Per::Hour.length());
        assert_eq!(calls(&mut limits, path, (item, &about("a")), now).0, 10);
    }

    #[test]
    fn a_client_has_a_limit_over_all_items() {
        let mut limits = RateLimits::default();
        let none = Value::Object(Map::new());
        let now = Timestamp::from_millis(0);
        assert_eq!(calls(&mut limits, "/institutions/get", (None, &none), now).0, 10);
        let transfers = "/transfer/authorization/create";
        assert_eq!(calls(&mut limits, transfers, (Some("item"), &none), now).0, 100);
        let later = now.plus(Per::Minute.length());
        let (passed, error) = calls(&mut limits, transfers, (Some("item"), &none), later);
        assert_eq!((passed, error.message.contains("100 calls per hour")), (0, true));
        let report = serde_json::json!({"asset_report_token": "assets"});
        assert_eq!(
            calls(&mut limits, "/asset_report/pdf/get", (None, &report), now).0,
            15
        );
    }
}
