//! Where entries are kept: on a shelf for each client and each degree of trust, so that strangers cannot push out what
//! matters.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::entry::{Count, Endpoint, Entry};

/// Entries of one shelf.
const PER_SHELF: usize = 40;
/// Shelves: with more clients, those go that were not asked for longest.
const MAX_SHELVES: usize = 128;

/// What may push out what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shelf {
    client: Option<String>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// The client proved itself.
    Proven,
    /// Browsers, which anybody may send here in a client's name.
    Browser,
    /// Programs that proved nothing.
    Unproven,
}

impl Shelf {
    fn of(entry: &Entry) -> Self {
        let kind = match entry.endpoint {
            _ if entry.proven => Kind::Proven,
            Endpoint::Authorization | Endpoint::LinkToken | Endpoint::Completion | Endpoint::Cancel => {
                Kind::Browser
            }
            Endpoint::Token | Endpoint::Revocation | Endpoint::Introspection => Kind::Unproven,
        };
        Self {
            client: entry.client.clone(),
            kind,
        }
    }
}

/// All that is remembered.
#[derive(Default)]
pub(super) struct Book {
    last: u64,
    shelves: HashMap<Shelf, VecDeque<Arc<Entry>>>,
}

impl Book {
    /// Adds an entry, or counts it where it repeats an earlier one. Gives what stands in the book now.
    pub(super) fn write(&mut self, mut entry: Entry) -> Arc<Entry> {
        self.last += 1;
        entry.number = self.last;
        entry.id = self.last;
        let place = Shelf::of(&entry);
        if self.shelves.len() >= MAX_SHELVES && !self.shelves.contains_key(&place) {
            self.clear_the_oldest();
        }
        let entries = self.shelves.entry(place).or_default();
        let earlier = entries.iter().position(|earlier| entry.repeats(earlier));
        if let Some(earlier) = earlier.and_then(|at| entries.remove(at)) {
            entry.id = earlier.id;
            entry.count = Count(earlier.count.0.saturating_add(1));
        } else if entries.len() >= PER_SHELF {
            entries.pop_front();
        }
        let entry = Arc::new(entry);
        entries.push_back(Arc::clone(&entry));
        entry
    }

    /// What got a number after this one, in the order of the numbers.
    pub(super) fn since(&self, number: u64) -> Vec<Arc<Entry>> {
        let all = self.shelves.values().flatten();
        let mut found: Vec<Arc<Entry>> = all.filter(|entry| entry.number > number).cloned().collect();
        found.sort_by_key(|entry| entry.number);
        found
    }

    fn clear_the_oldest(&mut self) {
        let latest = |entries: &VecDeque<Arc<Entry>>| entries.back().map(|entry| entry.number);
        let oldest = self.shelves.iter().min_by_key(|(_, entries)| latest(entries));
        if let Some(shelf) = oldest.map(|(shelf, _)| shelf.clone()) {
            self.shelves.remove(&shelf);
        }
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
