//! What was noted and is not written yet, within bounds.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::model::{Actor, AuditEvent, AuditOutcome, Batch, ConnectionId, GrantId, NewAudit, Noted};

/// Different rows that may wait; what comes beyond is counted and not kept.
const MOST_ROWS: usize = 10_000;
/// Grants and connections that may wait with their last refresh and health.
const MOST_MARKS: usize = 50_000;
/// Different refused attempts of a window that are kept with their addresses.
const MOST_REFUSED: usize = 64;
/// Equal refused attempts of so long are one row.
const WINDOW: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
struct Tally {
    at: Timestamp,
    last_at: Timestamp,
    times: u64,
    request_id: Option<String>,
}

/// What waits. Rows are found by everything but the request's id.
#[derive(Debug)]
pub(super) struct Pending {
    rows: HashMap<NewAudit, Tally>,
    /// Refused attempts that have a row since the window began: further ones wait for its end.
    written: HashSet<NewAudit>,
    /// Different refused attempts of this window.
    refused: usize,
    window_began: Timestamp,
    dropped: u64,
    refreshed: HashMap<GrantId, Timestamp>,
    health: HashMap<ConnectionId, (String, Timestamp)>,
}

impl Pending {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            rows: HashMap::new(),
            written: HashSet::new(),
            refused: 0,
            window_began: now,
            dropped: 0,
            refreshed: HashMap::new(),
            health: HashMap::new(),
        }
    }

    pub(super) fn note(&mut self, mut new: NewAudit, now: Timestamp) {
        let tally = Tally {
            at: now,
            last_at: now,
            times: 1,
            request_id: new.request_id.take(),
        };
        self.add(new, tally);
    }

    fn add(&mut self, mut key: NewAudit, tally: Tally) {
        if is_refused(&key) && !self.knows(&key) {
            if self.refused >= MOST_REFUSED {
                // Beyond that number, addresses are left out; the event and its count are kept.
                key.address = None;
            }
            if !self.knows(&key) {
                self.refused += 1;
            }
        }
        if let Some(known) = self.rows.get_mut(&key) {
            known.at = known.at.min(tally.at);
            known.last_at = known.last_at.max(tally.last_at);
            known.times = known.times.saturating_add(tally.times);
        } else if self.rows.len() < MOST_ROWS {
            self.rows.insert(key, tally);
        } else {
            self.dropped = self.dropped.saturating_add(tally.times);
        }
    }

    fn knows(&self, key: &NewAudit) -> bool {
        self.rows.contains_key(key) || self.written.contains(key)
    }

    pub(super) fn refreshed(&mut self, grant: GrantId, now: Timestamp) {
        if self.refreshed.len() < MOST_MARKS || self.refreshed.contains_key(&grant) {
            self.refreshed.insert(grant, now);
        }
    }

    pub(super) fn health(&mut self, connection: ConnectionId, word: &str, now: Timestamp) {
        if self.health.len() < MOST_MARKS || self.health.contains_key(&connection) {
            self.health.insert(connection, (health_word(word), now));
        }
    }

    /// What is to be written now: `all`, or without the repeated refused attempts of a minute that is not over.
    pub(super) fn take(&mut self, all: bool, now: Timestamp) -> Batch {
        // A clock that was set back ends the window too.
        let over = now < self.window_began || now.since(self.window_began) >= WINDOW;
        if over {
            self.window_began = now;
            self.written.clear();
            self.refused = 0;
        }
        let mut noted = Vec::new();
        for (key, tally) in std::mem::take(&mut self.rows) {
            if !all && self.written.contains(&key) {
                self.rows.insert(key, tally);
                continue;
            }
            if is_refused(&key) && self.written.insert(key.clone()) && over {
                self.refused += 1;
            }
            let Tally {
                at,
                last_at,
                times,
                request_id,
            } = tally;
            let new = NewAudit { request_id, ..key };
            noted.push(Noted {
                new,
                at,
                last_at,
                times,
            });
        }
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            noted.push(Noted {
                new: NewAudit::new(AuditEvent::AuditDropped, Actor::Broker)
                    .outcome(AuditOutcome::Failed, "too many events at once"),
                at: now,
                last_at: now,
                times: dropped,
            });
        }
        noted.sort_by_key(|noted| noted.at);
        let health = std::mem::take(&mut self.health).into_iter();
        Batch {
            noted,
            refreshed: std::mem::take(&mut self.refreshed).into_iter().collect(),
            health: health.map(|(id, (word, at))| (id, word, at)).collect(),
        }
    }

    /// A batch that could not be written waits again, behind the same bounds.
    pub(super) fn put_back(&mut self, batch: Batch) {
        for Noted {
            mut new,
            at,
            last_at,
            times,
        } in batch.noted
        {
            if new.event == AuditEvent::AuditDropped {
                self.dropped = self.dropped.saturating_add(times);
                continue;
            }
            let request_id = new.request_id.take();
            self.written.remove(&new);
            let tally = Tally {
                at,
                last_at,
                times,
                request_id,
            };
            self.add(new, tally);
        }
        for (grant, at) in batch.refreshed {
            if !self.refreshed.contains_key(&grant) {
                self.refreshed(grant, at);
            }
        }
        for (connection, word, at) in batch.health {
            if !self.health.contains_key(&connection) {
                self.health(connection, &word, at);
            }
        }
    }
}

fn is_refused(key: &NewAudit) -> bool {
    key.outcome == AuditOutcome::Refused
}

/// Our own words and Plaid's error codes; anything else that an answer could hold is no code.
fn health_word(word: &str) -> String {
    let is_code = (1..=64).contains(&word.len())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_code { word } else { "other" }.to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use std::net::{IpAddr, Ipv4Addr};

    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn at(seconds: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(seconds))
    }

    fn refused(address: u32) -> NewAudit {
        NewAudit {
            address: Some(IpAddr::V4(Ipv4Addr::from(address))),
            request_id: Some(format!("r{address}")),
            ..NewAudit::new(AuditEvent::TokenRefused, Actor::Client)
                .outcome(AuditOutcome::Refused, "the client secret is wrong")
        }
    }

    #[test]
    fn a_flood_of_equal_attempts_is_one_row_now_and_one_a_minute() {
        let mut pending = Pending::new(NOW);
        let mut rows = Vec::new();
        for second in 0..150 {
            for _ in 0..1000 {
                pending.note(refused(1), at(second));
            }
            if second % 5 == 4 {
                rows.extend(pending.take(false, at(second)).noted);
            }
        }
        rows.extend(pending.take(true, at(150)).noted);
        let times: Vec<u64> = rows.iter().map(|row| row.times).collect();
        assert_eq!(times, [5_000, 60_000, 60_000, 25_000]);
        assert_eq!(rows[0].new.request_id.as_deref(), Some("r1"));
        assert_eq!((rows[1].at, rows[1].last_at), (at(5), at(64)));
    }

    #[test]
    fn of_many_addresses_the_later_ones_are_counted_together() {
        let mut pending = Pending::new(NOW);
        for address in 0..5_000 {
            pending.note(refused(address), NOW);
        }
        let rows = pending.take(false, at(5)).noted;
        assert_eq!(rows.len(), MOST_REFUSED + 1);
        assert_eq!(rows.iter().map(|row| row.times).sum::<u64>(), 5_000);
        let nameless: Vec<_> = rows.iter().filter(|row| row.new.address.is_none()).collect();
        assert_eq!(nameless.len(), 1);
        assert_eq!(nameless[0].times, 5_000 - MOST_REFUSED as u64);
        // In the same window others come to nothing new, in the next one they do.
        for address in 5_000..9_000 {
            pending.note(refused(address), at(6));
        }
        assert!(pending.take(false, at(10)).noted.is_empty());
        pending.note(refused(9_000), at(70));
        assert!(pending.take(false, at(70)).noted.len() <= 2);
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let mut pending = Pending::new(NOW);
        for _ in 0..MOST_ROWS + 7 {
            pending.note(
                NewAudit::new(AuditEvent::TokenRefreshed, Actor::Client).grant(GrantId(Uuid::new_v4())),
                NOW,
            );
        }
        let rows = pending.take(false, at(5)).noted;
        let dropped = rows.iter().find(|row| row.new.event == AuditEvent::AuditDropped);
        assert_eq!(dropped.unwrap().times, 7);
        assert_eq!(rows.len(), MOST_ROWS + 1);
    }

    #[test]
    fn a_batch_that_was_not_written_comes_again_whole() {
        let mut pending = Pending::new(NOW);
        let (grant, connection) = (GrantId(Uuid::new_v4()), ConnectionId(Uuid::new_v4()));
        pending.note(refused(1), NOW);
        pending.refreshed(grant, NOW);
        pending.health(connection, "ITEM_LOGIN_REQUIRED", NOW);
        let batch = pending.take(false, at(5));
        pending.note(refused(1), at(6));
        pending.refreshed(grant, at(6));
        pending.put_back(batch);
        let batch = pending.take(false, at(10));
        assert_eq!(batch.noted.len(), 1);
        assert_eq!((batch.noted[0].times, batch.noted[0].at), (2, NOW));
        assert_eq!(batch.refreshed, [(grant, at(6))]);
        assert_eq!(
            batch.health,
            [(connection, "ITEM_LOGIN_REQUIRED".to_owned(), NOW)]
        );
        assert!(pending.take(true, at(11)).is_empty());
    }

    #[test]
    fn only_words_and_codes_are_health() {
        assert_eq!(health_word("healthy"), "healthy");
        for bad in ["", "a b", "<script>", &"X".repeat(65)] {
            assert_eq!(health_word(bad), "other");
        }
    }

    #[test]
    fn a_batch_is_taken_in_parts_of_a_bounded_size_and_nothing_is_lost() {
        let mut pending = Pending::new(NOW);
        for number in 0..7_u128 {
            let id = Uuid::from_u128(number);
            pending.note(
                NewAudit::new(AuditEvent::AdminLogin, Actor::Admin).grant(GrantId(id)),
                NOW,
            );
            pending.refreshed(GrantId(id), NOW);
            pending.health(ConnectionId(id), "healthy", NOW);
        }
        let mut batch = pending.take(true, NOW);
        let mut sizes = Vec::new();
        let mut all = Batch::default();
        while !batch.is_empty() {
            let part = batch.take(5);
            sizes.push(part.noted.len() + part.refreshed.len() + part.health.len());
            all.noted.extend(part.noted);
            all.refreshed.extend(part.refreshed);
            all.health.extend(part.health);
        }
        assert_eq!(sizes, [5, 5, 5, 5, 1]);
        assert_eq!(
            (all.noted.len(), all.refreshed.len(), all.health.len()),
            (7, 7, 7)
        );
    }
}
