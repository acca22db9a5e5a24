//! A map with a bound: the oldest entries leave first, so that a simulator that runs for weeks stays small.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A map from text that remembers the order of insertion and has at most `MOST` entries. Values are boxed: a table
/// that is half empty, or that grows, costs little.
pub(crate) struct BoundedMap<V, const MOST: usize> {
    entries: HashMap<Arc<str>, Box<V>>,
    order: VecDeque<Arc<str>>,
}

impl<V, const MOST: usize> Default for BoundedMap<V, MOST> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<V, const MOST: usize> BoundedMap<V, MOST> {
    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key).map(|value| &**value)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key).map(|value| &mut **value)
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values().map(|value| &**value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut().map(|value| &mut **value)
    }

    /// All entries, the oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Arc<str>, &V)> {
        self.order
            .iter()
            .filter_map(|key| Some((key, &**self.entries.get(key)?)))
    }

    /// Adds an entry under a key that was never used before.
    pub(crate) fn insert(&mut self, key: impl Into<Arc<str>>, value: V) {
        let key = key.into();
        self.order.push_back(key.clone());
        self.entries.insert(key, Box::new(value));
        while self.order.len() > MOST {
            self.drop_oldest();
        }
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<V> {
        self.entries.remove(key).map(|value| *value)
    }

    /// Drops entries from the oldest on, as long as they are `spent`.
    pub(crate) fn drop_while(&mut self, spent: impl Fn(&V) -> bool) {
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

/// In snapshots: pairs of key and value, the oldest first.
impl<V: Serialize, const MOST: usize> Serialize for BoundedMap<V, MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.entries())
    }
}

impl<'de, V: Deserialize<'de>, const MOST: usize> Deserialize<'de> for BoundedMap<V, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<(Arc<str>, V)>::deserialize(deserializer)?;
        let mut map = Self::default();
        for (key, value) in entries {
            map.insert(key, value);
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests fail by panicking")]

    use super::BoundedMap;

    #[test]
    fn the_oldest_leave_first() {
        let mut map = BoundedMap::<_, 2>::default();
        for (key, value) in [("a", 1), ("b", 2), ("c", 3)] {
            map.insert(key, value);
        }
        assert_eq!(map.get("a"), None);
        assert_eq!(map.get("b"), Some(&2));
        assert_eq!(map.values().count(), 2);
    }

    #[test]
    fn spent_and_removed_entries_make_room() {
        let mut map = BoundedMap::<_, 9>::default();
        for value in 0..5 {
            map.insert(value.to_string(), value);
        }
        map.remove("1");
        map.drop_while(|value| *value < 3);
        assert_eq!(map.get("2"), None);
        assert_eq!(map.get("3"), Some(&3));
        assert_eq!(map.order.len(), 2);
    }

    #[test]
    fn the_order_survives_a_snapshot() {
        let mut map = BoundedMap::<_, 3>::default();
        for (key, value) in [("b", 1), ("a", 2), ("c", 3)] {
            map.insert(key, value);
        }
        map.remove("a");
        let json = serde_json::to_value(&map).expect("JSON");
        assert_eq!(json, serde_json::json!([["b", 1], ["c", 3]]));
        let read: BoundedMap<i32, 3> = serde_json::from_value(json).expect("a map");
        assert_eq!(read.entries().next().map(|(key, _)| &**key), Some("b"));
    }
}
