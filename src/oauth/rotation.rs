//! What a presented refresh token of a public client means: a pure decision over facts and the time.
//!
//! RFC 9700 4.14.2 wants rotation with reuse detection. A lost answer is no theft: for a short while the token before the
//! current one gets the same successor again, as long as that has not been used itself.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::model::Rotated;

/// How long an answer may have been lost.
pub const GRACE: Duration = Duration::from_secs(30);

/// Which refresh token of its grant was presented; it is known to be genuine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAge {
    Current,
    Previous,
    Older,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Rotate,
    /// The successor that was created before is returned again.
    Repeat,
    /// The grant has reached its absolute end.
    Expired,
    /// Two parties have the token: the grant must end.
    Reuse,
}

/// Decides. `lifetime`: the grant's absolute life, if it has one.
#[must_use]
pub fn decide(
    age: TokenAge,
    created_at: Timestamp,
    rotated: Option<Rotated>,
    lifetime: Option<Duration>,
    now: Timestamp,
) -> Decision {
    if is_expired(created_at, lifetime, now) {
        return Decision::Expired;
    }
    match (age, rotated) {
        (TokenAge::Current, _) => Decision::Rotate,
        (TokenAge::Previous, Some(rotated)) if now.since(rotated.at) < GRACE => Decision::Repeat,
        (TokenAge::Previous | TokenAge::Older, _) => Decision::Reuse,
    }
}

/// Whether a grant has reached its absolute end.
#[must_use]
pub fn is_expired(created_at: Timestamp, lifetime: Option<Duration>, now: Timestamp) -> bool {
    lifetime.is_some_and(|lifetime| now >= created_at.plus(lifetime))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::model::Nonce;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn rotated(at: Timestamp) -> Rotated {
        let previous = Nonce([0; 32]);
        Rotated { previous, at }
    }

    #[test]
    fn the_grace_and_the_lifetime_end_on_their_last_moment() {
        let at = START.plus(Duration::from_secs(100));
        let inside = at.plus(GRACE).minus(Duration::from_millis(1));
        let decide_previous = |now| decide(TokenAge::Previous, START, Some(rotated(at)), None, now);
        assert_eq!(decide_previous(inside), Decision::Repeat);
        assert_eq!(decide_previous(at.plus(GRACE)), Decision::Reuse);
        let life = Some(Duration::from_secs(60));
        let end = START.plus(Duration::from_secs(60));
        let decide_current = |now| decide(TokenAge::Current, START, None, life, now);
        assert_eq!(
            decide_current(end.minus(Duration::from_millis(1))),
            Decision::Rotate
        );
        assert_eq!(decide_current(end), Decision::Expired);
    }

    /// One step of a history: after how many milliseconds, and which of the tokens so far (counted from the newest) is
    /// presented.
    fn steps() -> impl Strategy<Value = Vec<(u64, usize)>> {
        prop::collection::vec((0..60_000u64, 0..4usize), 1..40)
    }

    proptest! {
        /// Over any history there is one line of tokens: a token gets at most one successor, an older one than the last
        /// but one never gets any, and after a reuse nothing is given any more.
        #[test]
        fn any_history_has_one_line_of_successors(steps in steps()) {
            let mut now = START;
            let mut newest = 0usize;
            let mut last: Option<Rotated> = None;
            let mut successors: Vec<usize> = Vec::new();
            for (pause, back) in steps {
                now = now.plus(Duration::from_millis(pause));
                let token = newest.saturating_sub(back);
                let age = match newest - token {
                    0 => TokenAge::Current,
                    1 => TokenAge::Previous,
                    _ => TokenAge::Older,
                };
                match decide(age, START, last, None, now) {
                    Decision::Rotate => {
                        prop_assert_eq!(token, newest);
                        prop_assert!(!successors.contains(&token), "a second successor");
                        successors.push(token);
                        newest += 1;
                        last = Some(rotated(now));
                    }
                    Decision::Repeat => {
                        prop_assert_eq!(token + 1, newest);
                        prop_assert!(last.is_some_and(|last| now.since(last.at) < GRACE));
                    }
                    Decision::Reuse => {
                        prop_assert_ne!(token, newest, "the newest token is never a reuse");
                        return Ok(());
                    }
                    Decision::Expired => prop_assert!(false, "there is no lifetime"),
                }
            }
        }
    }
}
