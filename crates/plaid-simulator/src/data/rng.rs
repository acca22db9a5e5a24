//! A random number generator that its seed decides: `SplitMix64` over a hash of texts.

/// A row of numbers that its seed decides.
pub(super) struct Rng(u64);

impl Rng {
    /// The generator for these texts and this number (a day, mostly).
    pub(super) fn new(words: &[&str], number: i64) -> Self {
        // FNV-1a; a zero byte parts the words.
        let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
        let hash = bytes
            .chain(number.to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self(hash)
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).max(0).cast_unsigned().saturating_add(1);
        low.saturating_add((self.roll() % span).cast_signed())
    }

    pub(super) fn one_in(&mut self, count: i64) -> bool {
        self.between(1, count) == 1
    }

    pub(super) fn pick<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        let last = i64::try_from(things.len()).ok()?.checked_sub(1)?;
        things.get(usize::try_from(self.between(0, last)).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_falls_the_same_way() {
        let rolls = |word| {
            let mut rng = Rng::new(&["seed", word], 1);
            [rng.roll(), rng.roll(), rng.roll()]
        };
        assert_eq!(rolls("a"), rolls("a"));
        assert_ne!(rolls("a"), rolls("b"));
    }

    #[test]
    fn numbers_stay_between_their_bounds() {
        let mut rng = Rng::new(&["bounds"], 0);
        let rolled: Vec<_> = (0..1000).map(|_| rng.between(-3, 3)).collect();
        assert!((-3..=3).all(|number| rolled.contains(&number)));
        assert!(rolled.iter().all(|number| (-3..=3).contains(number)));
        assert!(rng.pick::<u8>(&[]).is_none());
    }
}
