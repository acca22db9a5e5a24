//! A map with a bound: the oldest entries leave first, so that a simulator that runs for weeks stays small.

use std::collections::{HashMap, VecDeque};

/// A map from text that remembers the order of insertion.
pub(super) struct Shelf<V> {
    entries: HashMap<String, V>,
    order: VecDeque<String>,
    capacity: usize,
}

impl<V> Shelf<V> {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
            capacity,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values()
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut()
    }

    /// All entries, the oldest first.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&String, &V)> {
        self.order
            .iter()
            .filter_map(|key| self.entries.get_key_value(key))
    }

    /// Adds an entry under a key that was never used before.
    pub(super) fn insert(&mut self, key: String, value: V) {
        self.order.push_back(key.clone());
        self.entries.insert(key, value);
        while self.order.len() > self.capacity {
            self.drop_oldest();
        }
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<V> {
        self.entries.remove(key)
    }

    /// Drops entries from the oldest on, as long as they are `spent`.
    pub(super) fn drop_while(&mut self, spent: impl Fn(&V) -> bool) {
        while let Some(key) = self.order.front() {
            if self.entries.get(key).is_some_and(|value| !spent(value)) {
                break;
            }
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(key) = self.order.pop_front() {
            self.entries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shelf;

    #[test]
    fn the_oldest_leave_first() {
        let mut shelf = Shelf::with_capacity(2);
        for (key, value) in [("a", 1), ("b", 2), ("c", 3)] {
            shelf.insert(key.to_owned(), value);
        }
        assert_eq!(shelf.get("a"), None);
        assert_eq!(shelf.get("b"), Some(&2));
        assert_eq!(shelf.values().count(), 2);
    }

    #[test]
    fn spent_and_removed_entries_make_room() {
        let mut shelf = Shelf::with_capacity(9);
        for value in 0..5 {
            shelf.insert(value.to_string(), value);
        }
        shelf.remove("1");
        shelf.drop_while(|value| *value < 3);
        assert_eq!(shelf.get("2"), None);
        assert_eq!(shelf.get("3"), Some(&3));
        assert_eq!(shelf.order.len(), 2);
    }
}
