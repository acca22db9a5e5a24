//! Good inputs, changed a little, and random ones; and the loop that feeds them.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// What parsers trip over.
const PIECES: [&[u8]; 24] = [
    b"\0",
    b"\r\n",
    b"\xff",
    b"\xc3\xa9",
    b"\xe2\x80\xae",
    b"%00",
    b"%",
    b"%ff",
    b"+",
    b"&",
    b"=",
    b";",
    b"\"",
    b"\\",
    b"'",
    b"$",
    b"{",
    b"[[",
    b"null",
    b"#",
    b"://",
    b"@",
    b"..",
    b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
];

/// How many cases a target gets whose single case costs this many plain ones.
pub(crate) fn cases(cost: u32) -> u32 {
    let wanted = std::env::var("FUZZ_CASES")
        .ok()
        .map(|text| text.parse::<u32>().expect("a number"));
    (wanted.unwrap_or(20_000) / cost).max(1)
}

/// Feeds so many values of the strategy, always the same ones.
#[track_caller]
pub(crate) fn feed<S: Strategy>(
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config {
        cases,
        failure_persistence: None,
        max_global_rejects: u32::MAX,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    if let Err(failure) = TestRunner::new_with_rng(config, rng).run(strategy, test) {
        panic_with(&failure.to_string());
    }
}

#[track_caller]
fn panic_with(failure: &str) {
    assert!(failure.is_empty(), "{failure}");
}

/// One change: at a place, of a kind, with a piece and a byte.
fn change(bytes: &mut Vec<u8>, (at, kind, byte, piece): (Index, u8, u8, &'static [u8])) {
    let place = at.index(bytes.len() + 1);
    let end = (place + usize::from(byte) % 16 + 1).min(bytes.len());
    match kind {
        0 if place < bytes.len() => bytes[place] = byte,
        1 if place < bytes.len() => bytes[place] ^= 1 << (byte % 8),
        2 => bytes.truncate(place),
        3 => drop(bytes.drain(place..end)),
        4 => {
            let copy = bytes[place..end].to_vec();
            bytes.splice(place..place, copy);
        }
        _ => drop(bytes.splice(place..place, piece.iter().copied()).count()),
    }
}

/// The corpus with up to six changes each, often none, now and then noise.
pub(crate) fn mutated(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let one = (any::<Index>(), 0..7_u8, any::<u8>(), select(PIECES.to_vec()));
    let changed = (select(corpus), proptest::collection::vec(one, 0..6)).prop_map(|(mut bytes, changes)| {
        for one in changes {
            change(&mut bytes, one);
        }
        bytes
    });
    prop_oneof![9 => changed, 1 => proptest::collection::vec(any::<u8>(), 0..120)]
}

/// The same for text.
pub(crate) fn mutated_text(corpus: &[&str]) -> impl Strategy<Value = String> {
    mutated(corpus.iter().map(|text| text.as_bytes().to_vec()).collect())
        .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
