//! With the feature `otel`: a receiver of OTLP on loopback gets a span for each request, with its route and no secret.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use plaid_token_broker::simulator;

use crate::flow::{Broker, Plaid};
use crate::harness::{PATIENCE, Start, directory};

/// What was posted: head and body of each request.
struct Collector {
    url: String,
    posted: Receiver<(String, Vec<u8>)>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (send, posted) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let send = send.clone();
                std::thread::spawn(move || {
                    while let Some(request) = receive(&stream) {
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                        if send.send(request).is_err() || (&stream).write_all(answer).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { url, posted }
    }

    /// All that comes until nothing more does, as text: in protobuf, texts stand as they are.
    fn all(&self) -> (Vec<String>, String) {
        let mut heads = Vec::new();
        let mut bodies = String::new();
        let mut patience = PATIENCE;
        while let Ok((head, body)) = self.posted.recv_timeout(patience) {
            heads.push(head);
            bodies.push_str(&String::from_utf8_lossy(&body));
            patience = Duration::from_millis(500);
        }
        (heads, bodies)
    }
}

fn receive(mut stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some((head, bytes[end + 4..].to_vec()));
            }
        }
        match stream.read(&mut part) {
            Ok(read) if read > 0 => bytes.extend_from_slice(&part[..read]),
            _ => return None,
        }
    }
}

fn broker(plaid: &Plaid, home: &tempfile::TempDir, collector: &Collector) -> Start {
    plaid
        .broker(home)
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
        .set(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "x-collector-key=a-key-of-the-collector",
        )
        .set(
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=of-the-test",
        )
        .set("RUST_LOG", "trace")
}

#[test]
fn each_request_is_a_span_with_its_route_and_no_secret() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let collector = Collector::start();
    let mut broker = Broker::of(broker(&plaid, &home, &collector));
    let tokens = broker.tokens(&plaid.url);
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    broker.must_refresh(&refresh, &access);
    assert_eq!(broker.process.stop(), Some(0), "and the last spans are sent");

    let (heads, spans) = collector.all();
    assert!(!heads.is_empty(), "nothing was sent");
    for head in &heads {
        assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
        assert!(head.contains("x-collector-key: a-key-of-the-collector"), "{head}");
    }
    for word in [
        "POST /api/send_the_access_token_AUTH",
        "POST /api/set_access_token",
        "GET /",
        "http.response.status_code",
        "connection made",
        "request_id",
        "plaid-token-broker",
        "of-the-test",
    ] {
        assert!(spans.contains(word), "no {word}");
    }
    for secret in [
        &access,
        &refresh,
        "public-sandbox",
        "ptb_",
        simulator::SECRET,
        "hyper",
    ] {
        assert!(!spans.contains(secret), "a secret, or what is not ours");
    }
    let log = broker.process.stderr.text();
    assert!(
        !log.contains("a-key-of-the-collector"),
        "the collector's key is in the log"
    );
}

#[test]
fn a_collector_that_is_not_there_harms_nobody() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let nobody = Collector {
        url: "http://127.0.0.1:9".to_owned(),
        posted: channel().1,
    };
    let mut broker = Broker::of(broker(&plaid, &home, &nobody));
    broker.tokens(&plaid.url);
    assert_eq!(broker.process.stop(), Some(0));
    broker.process.stderr.says("traces not sent");
}

#[test]
fn an_endpoint_that_is_none_is_told_and_stops_nothing() {
    let home = directory();
    let broker = Broker::of(Start::broker(&home).set("OTEL_EXPORTER_OTLP_ENDPOINT", "not an address"));
    broker.process.stderr.says("traces are off");
}

#[test]
fn without_an_endpoint_nothing_is_collected() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let collector = Collector::start();
    for off in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ] {
        let mut broker = Broker::of(broker(&plaid, &home, &collector).set(off.0, off.1));
        broker.open("state=s").unwrap();
        assert_eq!(broker.process.stop(), Some(0));
    }
    assert!(collector.posted.try_recv().is_err(), "something was sent");
}
