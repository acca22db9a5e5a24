//! How much memory it takes. The promises (30 MB, and 1 s until it serves) are for a release build, which
//! `benches/footprint.sh` measures; here the bound is that of a debug build, so that a slip by a multiple is seen on every run.

use crate::flow::{Broker, Plaid};
use crate::harness::directory;

/// `/proc` is Linux's.
#[cfg(target_os = "linux")]
#[test]
fn memory_stays_small_with_use() {
    const MEMORY_KB: u64 = 64 * 1024;
    let home = directory();
    let plaid = Plaid::start(&home);
    let broker = Broker::of(plaid.broker(&home).set("RUST_LOG", "warn"));
    let peak = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", broker.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let at_start = peak();
    for _ in 0..20 {
        broker.tokens(&plaid.url);
    }
    let early = peak();
    for _ in 0..100 {
        broker.tokens(&plaid.url);
    }
    let late = peak();
    println!("peak memory in kB: {at_start} at the start, {early} after 20 flows, {late} after 120");
    assert!(late < MEMORY_KB, "{late} kB");
    assert!(
        late - early < 8 * 1024,
        "it grows with each flow: {early} kB, then {late} kB"
    );
}
