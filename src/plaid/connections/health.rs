//! Is a connection alive? Asked at refresh, and answered so that only Plaid's positive word kills a grant.
//!
//! Plaid allows 15 `/item/get` per Item and minute (<https://plaid.com/docs/errors/rate-limit-exceeded/>), so a fresh
//! answer is reused and concurrent refreshes of one connection share one call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Connections;
use crate::clock::Timestamp;
use crate::plaid::{ApiError, ItemAnswer, PlaidError, Verdict};
use crate::store::model::{Connection, ConnectionId};

const FRESH: Duration = Duration::from_secs(60);
/// How long "Plaid does not answer" is reused: a queue of refreshes must not wait out one time-out each.
const FRESH_UNKNOWN: Duration = Duration::from_secs(5);
/// Beyond this many connections, answers that are not fresh are forgotten.
const MAX_KEPT: usize = 10_000;

#[derive(Clone, Debug)]
pub enum Health {
    Healthy,
    /// Plaid's positive word that it does not: its owner must log in again, or it is gone, or revoked.
    Dead(Box<ApiError>),
    /// Plaid could not say. The token is as good as it was.
    Unknown,
}

impl Health {
    /// Its word in the store and in lists: `healthy`, `unknown`, or Plaid's error code.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Healthy => "healthy",
            Self::Unknown => "unknown",
            Self::Dead(error) => &error.error_code,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Dead(_) => "dead",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Clone)]
struct Answer {
    health: Health,
    at: Timestamp,
}

impl Answer {
    fn is_fresh(&self, now: Timestamp) -> bool {
        let fresh = if matches!(self.health, Health::Unknown) {
            FRESH_UNKNOWN
        } else {
            FRESH
        };
        // A clock that was set back makes nothing fresh for longer.
        now >= self.at && now.since(self.at) < fresh
    }
}

type Slot = Arc<tokio::sync::Mutex<Option<Answer>>>;

#[derive(Default)]
pub(super) struct HealthChecks(Mutex<HashMap<ConnectionId, Slot>>);

impl HealthChecks {
    fn slot(&self, id: ConnectionId, now: Timestamp) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_KEPT && !slots.contains_key(&id) {
            slots.retain(|_, slot| {
                Arc::strong_count(slot) > 1
                    || slot
                        .try_lock()
                        .is_ok_and(|answer| answer.as_ref().is_some_and(|a| a.is_fresh(now)))
            });
        }
        Arc::clone(slots.entry(id).or_default())
    }
}

impl Connections {
    /// What Plaid says of this connection, at most a minute old.
    pub async fn health(&self, connection: &Connection) -> Health {
        let inner = &self.0;
        let slot = inner.health.slot(connection.id, inner.clock.now());
        let mut answer = slot.lock().await;
        if let Some(known) = answer.as_ref().filter(|known| known.is_fresh(inner.clock.now())) {
            return known.health.clone();
        }
        let health = judge(
            inner
                .plaid
                .item_get(&connection.access_token)
                .await
                .map(ItemAnswer::into_error),
        );
        inner.audit.health(connection.id, health.word());
        inner.metrics.health_check(health.name());
        *answer = Some(Answer {
            health: health.clone(),
            at: inner.clock.now(),
        });
        health
    }
}

/// Plaid's answer, as health. `/item/get` succeeds for an Item in error and names it there.
fn judge(answer: Result<Option<ApiError>, PlaidError>) -> Health {
    let error = match answer {
        Ok(None) => return Health::Healthy,
        Ok(Some(error)) => error,
        Err(PlaidError::Api(error)) => *error,
        Err(_) => return Health::Unknown,
    };
    match error.verdict() {
        Verdict::LoginRequired | Verdict::Gone | Verdict::BadToken => Health::Dead(Box::new(error)),
        Verdict::Configuration => {
            tracing::error!(plaid.error_code = %error.error_code, "Plaid refused a health check: check PLAID_CLIENT_ID and PLAID_SECRET");
            Health::Unknown
        }
        Verdict::Passing => Health::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(error_type: &str, code: &str) -> ApiError {
        ApiError {
            error_type: error_type.to_owned(),
            error_code: code.to_owned(),
            ..ApiError::default()
        }
    }

    #[test]
    fn only_plaids_positive_word_kills() {
        let dead = |answer| matches!(judge(answer), Health::Dead(_));
        assert!(matches!(judge(Ok(None)), Health::Healthy));
        assert!(dead(Ok(Some(error("ITEM_ERROR", "ITEM_LOGIN_REQUIRED")))));
        assert!(dead(Err(PlaidError::Api(Box::new(error(
            "ITEM_ERROR",
            "ITEM_NOT_FOUND"
        ))))));
        assert!(dead(Err(PlaidError::Api(Box::new(error(
            "INVALID_INPUT",
            "USER_PERMISSION_REVOKED"
        ))))));
        for passing in [
            PlaidError::Api(Box::new(error("RATE_LIMIT_EXCEEDED", "ITEM_GET_LIMIT"))),
            PlaidError::Api(Box::new(error("API_ERROR", "INTERNAL_SERVER_ERROR"))),
            PlaidError::Api(Box::new(error("INVALID_INPUT", "INVALID_API_KEYS"))),
            PlaidError::Malformed { status: 502 },
            PlaidError::TimedOut(Duration::from_secs(1)),
            PlaidError::Broken,
            PlaidError::Unreachable(String::new()),
        ] {
            assert!(
                matches!(judge(Err(passing.clone())), Health::Unknown),
                "{passing:?}"
            );
        }
        assert!(matches!(
            judge(Ok(Some(error("INSTITUTION_ERROR", "INSTITUTION_DOWN")))),
            Health::Unknown
        ));
    }
}
