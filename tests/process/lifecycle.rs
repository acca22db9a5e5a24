//! Stopping, and callers who hang up: what was begun at Plaid is finished, and nobody waits for nothing.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::time::Instant;

use serde_json::{Value, json};

use crate::flow::{Broker, Plaid, code_of};
use crate::harness::{PATIENCE, Start, directory};
use crate::web::{Sent, connect, get, send};

const EXCHANGE: &str = "/item/public_token/exchange";

/// Long enough to be stopped in the middle of, on a slow machine too.
fn slow() -> Value {
    json!({ "kind": "delay", "milliseconds": 1500 })
}

/// The broker takes no new work: the system refuses connections to its port.
#[track_caller]
fn refuses_connections(url: &str) {
    let deadline = Instant::now() + PATIENCE;
    while connect(url).is_ok() {
        assert!(Instant::now() < deadline, "still accepting");
        std::thread::yield_now();
    }
}

fn drains_on(signal: &str) {
    let home = directory();
    let plaid = Plaid::start(&home);
    let mut broker = Broker::of(plaid.broker(&home));
    let tab = broker.open("state=s").unwrap();
    plaid.fault(EXCHANGE, &slow());
    let public_token = plaid.public_token();
    let waiting = broker.complete(&tab, &public_token).unwrap();
    plaid.called(EXCHANGE, 1);

    broker.process.signal(signal);
    refuses_connections(&broker.url);
    assert_eq!(get(&broker.ops, "/livez").status, 200, "alive while it finishes");
    let landed = waiting.reply().unwrap();
    assert_eq!(landed.status, 200, "{landed:?}");
    assert_eq!(broker.process.wait().code(), Some(0));
    broker.process.stderr.says("\"stopped\"");
}

#[test]
fn sigterm_lets_the_request_in_flight_be_answered() {
    drains_on("TERM");
}

#[test]
fn ctrl_c_lets_the_request_in_flight_be_answered() {
    drains_on("INT");
}

#[test]
fn a_second_signal_ends_at_once() {
    for (first, second) in [("TERM", "TERM"), ("INT", "TERM")] {
        let home = directory();
        let plaid = Plaid::start(&home);
        let mut broker = Broker::of(plaid.broker(&home));
        let tab = broker.open("state=s").unwrap();
        plaid.fault(EXCHANGE, &json!({ "kind": "hang" }));
        let waiting = broker.complete(&tab, &plaid.public_token()).unwrap();
        plaid.called(EXCHANGE, 1);
        broker.process.signal(first);
        broker.process.stderr.says("finishing requests in flight");
        broker.process.signal(second);
        assert_eq!(broker.process.wait().code(), Some(1), "work was under way");
        broker.process.stderr.says("stopped before all work had finished");
        assert!(waiting.reply().is_err(), "nobody answered");
    }
}

/// The person closes the tab at the worst moment, and the broker is stopped in it.
#[test]
fn an_exchange_whose_caller_hung_up_is_finished_before_the_broker_stops() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let mut broker = Broker::of(plaid.broker(&home));
    let tab = broker.open("state=s").unwrap();
    let public_token = plaid.public_token();
    plaid.fault(EXCHANGE, &slow());
    let waiting = broker.complete(&tab, &public_token).unwrap();
    plaid.called(EXCHANGE, 1);
    drop(waiting);
    assert_eq!(broker.process.stop(), Some(0));
    broker.process.stderr.says("connection made");

    let broker = Broker::of(plaid.broker(&home));
    let landed = broker.complete(&tab, &public_token).unwrap().reply().unwrap();
    let tokens = broker.token(&[("code", &code_of(&landed))]).unwrap();
    assert_eq!(tokens.status, 200, "{tokens:?}");
    assert_eq!(
        plaid.count(EXCHANGE),
        1,
        "a second exchange would have been refused"
    );
}

#[test]
fn a_caller_who_hung_up_gets_the_answer_when_they_come_back() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let broker = Broker::of(plaid.broker(&home));
    let tab = broker.open("state=s").unwrap();
    let public_token = plaid.public_token();
    plaid.fault(EXCHANGE, &slow());
    let waiting = broker.complete(&tab, &public_token).unwrap();
    plaid.called(EXCHANGE, 1);
    drop(waiting);
    // One comes back while the exchange is still under way, one after it.
    let during = broker.complete(&tab, &public_token).unwrap().reply().unwrap();
    let after = broker.complete(&tab, &public_token).unwrap().reply().unwrap();
    assert_eq!(code_of(&during), code_of(&after));
    assert_eq!(broker.token(&[("code", &code_of(&after))]).unwrap().status, 200);
    assert_eq!(plaid.count(EXCHANGE), 1);
}

/// A client of the token endpoint that hangs up in the middle of its exchange of a raw public token.
#[test]
fn a_raw_exchange_is_finished_without_its_caller_too() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let mut broker = Broker::of(plaid.broker(&home));
    let public_token = plaid.public_token();
    let body = json!({
        "code": public_token,
        "client_id": plaid_token_broker::simulator::CLIENT_ID,
        "client_secret": plaid_token_broker::simulator::SECRET,
    })
    .to_string();
    let headers = [("Content-Type", "application/json")];
    let ask = |url: &str| send(url, "POST", "/oauth/token", &headers, &body).unwrap();
    plaid.fault(EXCHANGE, &slow());
    let waiting = ask(&broker.url);
    plaid.called(EXCHANGE, 1);
    drop(waiting);
    assert_eq!(broker.process.stop(), Some(0));
    let broker = Broker::of(plaid.broker(&home));
    let tokens = ask(&broker.url).reply().unwrap();
    assert_eq!(tokens.status, 200, "{tokens:?}");
    broker.must_refresh(&tokens.text("refresh_token"), &tokens.text("access_token"));
    assert_eq!(plaid.count(EXCHANGE), 1);
}

/// Browsers and proxies keep connections open, and strangers open some and say nothing, or half of it.
#[test]
fn nobody_who_is_not_being_answered_holds_up_the_stop() {
    let home = directory();
    let mut broker = Broker::of(Start::broker(&home));
    let silent = connect(&broker.url).unwrap();
    let mut idle = connect(&broker.url).unwrap();
    write!(idle, "GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    assert!(idle.read(&mut [0; 1024]).unwrap() > 0);
    let mut halfway = connect(&broker.url).unwrap();
    write!(halfway, "GET / HTTP/1.1\r\nHost: te").unwrap();
    // Once one that came later is answered, the others have arrived.
    let mut again = connect(&broker.url).unwrap();
    write!(again, "GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    assert!(again.read(&mut [0; 1024]).unwrap() > 0);
    write!(again, "GET / HTTP/1.1\r\nHost: te").unwrap();
    assert_eq!(get(&broker.url, "/").status, 200);

    // Exit code 0: nothing was waited for until the drain gave up.
    assert_eq!(broker.process.stop(), Some(0));
    drop((silent, idle, halfway, again));
}

#[test]
fn with_nothing_in_flight_it_stops() {
    let home = directory();
    let mut broker = Broker::of(Start::broker(&home));
    assert_eq!(broker.process.stop(), Some(0));
}

/// A body that stops arriving is a request in flight, but not for ever.
#[test]
fn a_body_that_stalls_is_answered_within_its_bound() {
    let home = directory();
    let mut broker = Broker::of(Start::broker(&home));
    let mut stalling = connect(&broker.url).unwrap();
    write!(
        stalling,
        "POST /oauth/token HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{{"
    )
    .unwrap();
    assert_eq!(get(&broker.url, "/").status, 200);
    broker.process.signal("TERM");
    let mut answer = String::new();
    stalling.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert_eq!(broker.process.wait().code(), Some(0));
}

/// What it prints can be relied on: from then on it also hears signals.
#[test]
fn a_signal_as_soon_as_it_listens_is_heard() {
    let home = directory();
    let mut process = Start::broker(&home).spawn();
    process.stdout.line("listening on ");
    assert_eq!(process.stop(), Some(0));
}

/// A log collector that restarts, or `plaid-token-broker 2>&1 | head`: what cannot be logged is served all the same.
#[test]
fn readers_of_its_output_may_go_away() {
    let home = directory();
    let mut child = Start::broker(&home).into_command().spawn().unwrap();
    drop(child.stderr.take());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let url = first.strip_prefix("listening on ").expect("a URL").to_owned();
    drop(lines);
    for _ in 0..3 {
        let page = send(&url, "GET", "/", &[], "").and_then(Sent::reply);
        assert_eq!(page.expect("an answer").status, 200);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// `serve` under this limit of open files.
#[cfg(target_os = "linux")]
fn limited(home: &tempfile::TempDir, ulimit: &str) -> Start {
    let line = format!("ulimit {ulimit} && exec \"$0\"");
    Start::broker(home)
        .program("/bin/sh")
        .arguments(&["-c", &line, crate::harness::BINARY])
}

#[cfg(target_os = "linux")]
#[test]
fn the_limit_of_open_files_is_raised_as_far_as_it_may_be() {
    let home = directory();
    let broker = Broker::of(limited(&home, "-Sn 100"));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", broker.process.id())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let numbers: Vec<u64> = line
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [soft, hard] = numbers[..] else {
        panic!("{line}")
    };
    assert_eq!(soft, hard.min(2 * 4096 + 256), "{line}");
}

/// One host that opens connections and says nothing takes neither the files that others need nor their places.
#[cfg(target_os = "linux")]
#[test]
fn half_sent_heads_of_one_host_leave_the_broker_to_others() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let start = limited(&home, "-n 128")
        .set("BROKER_TRUSTED_PROXIES", "none")
        .set("PLAID_CLIENT_ID", plaid_token_broker::simulator::CLIENT_ID)
        .set("PLAID_SECRET", plaid_token_broker::simulator::SECRET)
        .set("PLAID_BASE_URL", &plaid.url)
        .set("PLAID_REDIRECT_URI", crate::flow::CALLBACK);
    let mut broker = Broker::of(start);
    broker.process.stderr.says("the limit of open files is low");
    let mut halfway = Vec::new();
    for _ in 0..150 {
        let mut stream = connect(&broker.url).unwrap();
        let _ = write!(stream, "GET / HTTP/1.1\r\nHost: te");
        halfway.push(stream);
    }
    broker.process.stderr.says("connections refused");
    // The operations address is another listener, and the store and Plaid have files left.
    assert_eq!(get(&broker.ops, "/readyz").status, 200);
    let answer = from_another_address(&broker.url);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let log = broker.process.stderr.text();
    assert_eq!(log.matches("connections refused").count(), 1, "{log}");
    drop(halfway);
    let deadline = Instant::now() + PATIENCE;
    while send(&broker.url, "GET", "/", &[], "")
        .and_then(Sent::reply)
        .is_err()
    {
        assert!(Instant::now() < deadline, "its places are not free again");
    }
    broker.tokens(&plaid.url);
    assert_eq!(broker.process.stop(), Some(0));
}

/// Each call to Plaid has its own socket, so concurrent requests that need Plaid take two open files each.
#[cfg(target_os = "linux")]
#[test]
fn concurrent_calls_to_a_slow_plaid_stay_within_the_limit_of_open_files() {
    const CALLS: usize = 160;
    let home = directory();
    let slow = crate::stand_in::listen(|mut stream| {
        if crate::stand_in::head(&mut stream).is_ok() {
            std::thread::sleep(std::time::Duration::from_secs(2));
            let body = json!({
                "link_token": "link-sandbox-1", "expiration": "2030-01-01T00:00:00Z", "request_id": "r",
            });
            let headers = "Content-Type: application/json\r\n";
            let reply = crate::stand_in::reply("200 OK", headers, &body.to_string());
            let _ = stream.write_all(reply.as_bytes());
        }
    });
    let start = limited(&home, "-n 256")
        .set("PLAID_CLIENT_ID", plaid_token_broker::simulator::CLIENT_ID)
        .set("PLAID_SECRET", plaid_token_broker::simulator::SECRET)
        .set("PLAID_BASE_URL", &format!("http://127.0.0.1:{slow}"))
        .set("PLAID_REDIRECT_URI", crate::flow::CALLBACK);
    let mut broker = Broker::of(start);
    let tabs: Vec<_> = (0..CALLS / 16).map(|_| broker.open("state=s").unwrap()).collect();
    let replies: Vec<_> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..CALLS)
            .map(|n| {
                let (broker, tab) = (&broker, &tabs[n / 16]);
                scope.spawn(move || broker.start_link(tab))
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(broker.process.stop(), Some(0));
    let log = broker.process.stderr.text();
    assert!(!log.contains("Too many open files"), "{log}");
    for reply in replies {
        let reply = reply.unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}

/// `GET /` from 127.0.0.3.
#[cfg(target_os = "linux")]
fn from_another_address(url: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.3:0".parse().unwrap()).unwrap();
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer))
            .await
            .expect("an answer")
            .unwrap();
        answer
    })
}
