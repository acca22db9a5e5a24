//! What left the broker as an answer is on the disk: `kill -9` in the middle of work, start again, and all is there.
//!
//! A kill spares the page cache, so this shows that nothing is answered from memory alone. That answers also wait for
//! the sync is shown where the sync can be seen, by the store's own tests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use crate::flow::{Broker, Plaid, Tab, code_of};
use crate::harness::{PATIENCE, directory};
use crate::web::{Reply, Sent};

const ROUNDS: u32 = 10;
const PARALLEL: usize = 4;
/// Rounds stop being begun after this long; [`FEWEST`] there must be.
const BUDGET: Duration = Duration::from_secs(15);
const FEWEST: u32 = 8;

/// How far a flow came, by the answers that it got.
#[derive(Debug)]
enum Reached {
    /// The completion was sent and not answered.
    Sent { tab: Tab, public_token: String },
    /// The code was given and not presented.
    Code { code: String },
    /// The code was presented and not answered.
    Presented {
        tab: Tab,
        public_token: String,
        code: String,
    },
    /// The tokens were given.
    Tokens {
        access_token: String,
        refresh_token: String,
    },
}

#[test]
fn nothing_that_was_answered_is_lost_by_kill_9() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let began = Instant::now();
    let (mut rounds, mut answered, mut cut) = (0, 0, 0);
    while rounds < ROUNDS && (rounds < FEWEST || began.elapsed() < BUDGET) {
        let mut broker = Broker::of(plaid.broker(&home).set("RUST_LOG", "warn"));
        let flows = work_until_killed(&mut broker, &plaid);
        let broker = Broker::of(plaid.broker(&home).set("RUST_LOG", "warn"));
        for flow in &flows {
            match flow {
                Reached::Code { .. } | Reached::Tokens { .. } => answered += 1,
                Reached::Sent { .. } | Reached::Presented { .. } => cut += 1,
            }
            must_be_there(&broker, flow);
        }
        rounds += 1;
    }
    println!("{rounds} kills, {answered} flows answered before, {cut} cut in the middle");
    assert!(
        answered >= 50 && cut >= 1,
        "{answered} answered, {cut} cut: no load"
    );
}

/// Several people connect banks one after the other, until the broker is killed at a moment nobody chose.
fn work_until_killed(broker: &mut Broker, plaid: &Plaid) -> Vec<Reached> {
    // Anywhere from the first answers to a good deal of them, and somewhere between two.
    let answers = usize::from(rand::random::<u8>() % 60) + 4;
    let pause = Duration::from_micros(u64::from(rand::random::<u16>() % 4000));
    let killed = AtomicBool::new(false);
    let (progress, told) = channel();
    let id = broker.process.id();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..PARALLEL)
            .map(|number| {
                let (broker, progress, killed) = (&*broker, progress.clone(), &killed);
                scope.spawn(move || connect_banks(broker, plaid, number, &progress, killed))
            })
            .collect();
        for _ in 0..answers {
            told.recv_timeout(PATIENCE).expect("an answer");
        }
        let _ = told.recv_timeout(pause);
        let status = std::process::Command::new("sh")
            .args(["-c", "kill -9 \"$0\"", &id.to_string()])
            .status();
        assert!(status.unwrap().success());
        killed.store(true, Ordering::SeqCst);
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    })
}

/// Flow after flow until no answer comes any more.
fn connect_banks(
    broker: &Broker,
    plaid: &Plaid,
    number: usize,
    progress: &Sender<()>,
    killed: &AtomicBool,
) -> Vec<Reached> {
    let mut reached = Vec::new();
    for round in number.. {
        let Ok(tab) = broker.open("state=s") else { break };
        let public_token = plaid.public_token();
        let Ok(sent) = broker.complete(&tab, &public_token) else {
            break;
        };
        let Ok(landed) = sent.reply() else {
            reached.push(Reached::Sent { tab, public_token });
            break;
        };
        let code = code_of(&landed);
        let _ = progress.send(());
        // Every third code is left for after the restart.
        if round % 3 == 0 {
            reached.push(Reached::Code { code });
            continue;
        }
        let Ok(tokens) = broker.token(&[("code", &code)]) else {
            reached.push(Reached::Presented {
                tab,
                public_token,
                code,
            });
            break;
        };
        assert_eq!(tokens.status, 200, "{tokens:?}");
        reached.push(Reached::Tokens {
            access_token: tokens.text("access_token"),
            refresh_token: tokens.text("refresh_token"),
        });
        let _ = progress.send(());
    }
    // Only the kill ends the work.
    let deadline = Instant::now() + PATIENCE;
    while !killed.load(Ordering::SeqCst) {
        assert!(
            Instant::now() < deadline,
            "the broker failed before it was killed"
        );
        std::thread::yield_now();
    }
    reached
}

#[track_caller]
fn must_be_there(broker: &Broker, flow: &Reached) {
    match flow {
        Reached::Code { code } => {
            let tokens = broker.token(&[("code", code)]).unwrap();
            assert_eq!(tokens.status, 200, "{flow:?}: {tokens:?}");
            broker.must_refresh(&tokens.text("refresh_token"), &tokens.text("access_token"));
        }
        Reached::Tokens {
            access_token,
            refresh_token,
        } => broker.must_refresh(refresh_token, access_token),
        // Not answered, so either is right: never exchanged or stored, then the repeat succeeds; exchanged and not
        // stored, then the person is told to start over.
        Reached::Sent { tab, public_token } => {
            let landed = complete(broker, tab, public_token);
            if landed.status == 200 {
                let tokens = broker.token(&[("code", &code_of(&landed))]).unwrap();
                assert_eq!(tokens.status, 200, "{flow:?}: {tokens:?}");
            } else {
                assert_eq!(landed.text("next"), "restart", "{flow:?}: {landed:?}");
            }
        }
        // The completion was answered, so the connection is there; the code is redeemed now or was before.
        Reached::Presented {
            tab,
            public_token,
            code,
        } => {
            let landed = complete(broker, tab, public_token);
            assert_eq!(&code_of(&landed), code, "{flow:?}: {landed:?}");
            let tokens = broker.token(&[("code", code)]).unwrap();
            assert!(
                tokens.status == 200 || tokens.text("error_description").contains("used before"),
                "{flow:?}: {tokens:?}"
            );
        }
    }
}

fn complete(broker: &Broker, tab: &Tab, public_token: &str) -> Reply {
    broker.complete(tab, public_token).and_then(Sent::reply).unwrap()
}
