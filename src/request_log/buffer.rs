//! Where entries are kept: on a shelf for each client and each degree of trust, so that strangers cannot push out what
//! matters. Refused authorization requests are kept per network, because nothing else is known of who sent them.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use super::entry::{Count, Endpoint, Entry, Outcome};

const PER_SHELF: usize = 40;
/// Shelves: with more clients, those go that were not asked for longest.
const MAX_SHELVES: usize = 128;
/// Refused authorization requests of one network, and as many with a callback that could be allowed.
const PER_NETWORK: usize = 8;
/// Networks, twice: with more, those go that sent nothing for longest.
const MAX_NETWORKS: usize = 128;

/// What may push out what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shelf {
    client: Option<String>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Proven,
    /// Browsers, which anybody may send here in a client's name.
    Browser,
    Unproven,
    /// Our own rehearsal, or a caller that says so.
    Rehearsal,
}

impl Shelf {
    fn of(entry: &Entry) -> Self {
        let kind = match entry.endpoint {
            _ if entry.rehearsal => Kind::Rehearsal,
            _ if entry.proven => Kind::Proven,
            Endpoint::Authorization | Endpoint::LinkToken | Endpoint::Completion | Endpoint::Cancel => {
                Kind::Browser
            }
            Endpoint::Token | Endpoint::Revocation | Endpoint::Introspection => Kind::Unproven,
        };
        Self {
            // One shelf for all that is labelled: the label needs no proof, so it must not cost a client its own shelves.
            client: entry.client.clone().filter(|_| !entry.rehearsal),
            kind,
        }
    }
}

#[derive(Default)]
pub(super) struct Buffer {
    last: u64,
    shelves: Shelves<Shelf>,
    refused: Shelves<Refused>,
}

/// Refused authorization requests of one network.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Refused {
    network: IpAddr,
    /// Whether they have a callback that could be allowed: what has none cannot push those out.
    allowable: bool,
}

impl Refused {
    fn of(entry: &Entry) -> Option<Self> {
        let refused = entry.endpoint == Endpoint::Authorization && entry.outcome == Outcome::Refused;
        entry
            .network
            .filter(|_| refused && !entry.rehearsal)
            .map(|network| Self {
                network,
                allowable: entry.redirect_uri.is_some(),
            })
    }
}

type Shelves<K> = HashMap<K, VecDeque<Arc<Entry>>>;

impl Buffer {
    /// Adds an entry, or counts it where it repeats an earlier one. Returns the entry as it is kept.
    pub(super) fn write(&mut self, mut entry: Entry) -> Arc<Entry> {
        self.last += 1;
        entry.number = self.last;
        entry.id = self.last;
        if let Some(place) = Refused::of(&entry) {
            put(&mut self.refused, place, entry, MAX_NETWORKS, PER_NETWORK)
        } else {
            let place = Shelf::of(&entry);
            put(&mut self.shelves, place, entry, MAX_SHELVES, PER_SHELF)
        }
    }

    /// The callbacks that were refused of known clients, each once. The latest of each network come first, then the ones
    /// before them: who sends many is not in front of who sent one.
    pub(super) fn refused_callbacks(&self) -> Vec<Arc<Entry>> {
        let networks = self.refused.iter().filter(|(place, _)| place.allowable);
        let mut ranked: Vec<(usize, &Arc<Entry>)> = networks
            .flat_map(|(_, entries)| entries.iter().rev().enumerate())
            .filter(|(_, entry)| entry.client.is_some())
            .collect();
        ranked.sort_by_key(|(rank, entry)| (*rank, std::cmp::Reverse(entry.number)));
        let mut found: Vec<Arc<Entry>> = Vec::new();
        for (_, entry) in ranked {
            let same = |other: &Arc<Entry>| {
                (&other.client, &other.redirect_uri) == (&entry.client, &entry.redirect_uri)
            };
            if !found.iter().any(same) {
                found.push(Arc::clone(entry));
            }
        }
        found
    }

    /// What got a number after this one, in the order of the numbers.
    pub(super) fn since(&self, number: u64) -> Vec<Arc<Entry>> {
        let all = self.shelves.values().chain(self.refused.values()).flatten();
        let mut found: Vec<Arc<Entry>> = all.filter(|entry| entry.number > number).cloned().collect();
        found.sort_by_key(|entry| entry.number);
        found
    }
}

/// Adds an entry to the shelf at `place`. When there would be more than `most` shelves, the one goes that got nothing for
/// longest; a shelf keeps its last `each` entries.
fn put<K: Clone + Eq + Hash>(
    shelves: &mut Shelves<K>,
    place: K,
    mut entry: Entry,
    most: usize,
    each: usize,
) -> Arc<Entry> {
    if shelves.len() >= most && !shelves.contains_key(&place) {
        let latest = |entries: &VecDeque<Arc<Entry>>| entries.back().map(|entry| entry.number);
        let oldest = shelves.iter().min_by_key(|(_, entries)| latest(entries));
        if let Some(oldest) = oldest.map(|(oldest, _)| oldest.clone()) {
            shelves.remove(&oldest);
        }
    }
    let entries = shelves.entry(place).or_default();
    let earlier = entries.iter().position(|earlier| entry.repeats(earlier));
    if let Some(earlier) = earlier.and_then(|at| entries.remove(at)) {
        entry.id = earlier.id;
        entry.count = Count(earlier.count.0.saturating_add(1));
    } else if entries.len() >= each {
        entries.pop_front();
    }
    let entry = Arc::new(entry);
    entries.push_back(Arc::clone(&entry));
    entry
}

#[cfg(test)]
mod tests;
