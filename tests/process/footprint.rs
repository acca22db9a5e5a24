//! How soon it serves, and how much memory it takes. The promises (1 s, 30 MB) are for a release build, which
//! `benches/footprint.sh` measures; here the bounds are those of a debug build on a busy machine, so that a slip by a
//! multiple is seen on every run.

use std::time::Duration;

use crate::flow::{Broker, Plaid};
use crate::harness::{Start, directory};
use crate::web::get;

const READY: Duration = Duration::from_secs(5);

#[test]
fn it_serves_soon_after_its_start() {
    let home = directory();
    let broker = Broker::of(Start::broker(&home));
    assert_eq!(get(&broker.url, "/").status, 200);
    let took = broker.process.started.elapsed();
    println!("from process start to the first page: {took:?}");
    assert!(took < READY, "{took:?}");
}

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
