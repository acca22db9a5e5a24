//! Too much, too slow: what strangers can hold of us is bounded.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::raw;
use crate::harness::TestBroker;

async fn connect(broker: &TestBroker) -> TcpStream {
    let address = broker.url.strip_prefix("http://").unwrap();
    TcpStream::connect(address).await.unwrap()
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let broker = TestBroker::start().await;
    let started = Instant::now();
    let mut slow = Vec::new();
    for beginning in ["", "GET", "POST /oauth/token HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut stream = connect(&broker).await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        slow.push(tokio::spawn(async move {
            let (mut reading, mut writing) = stream.into_split();
            let drip = tokio::spawn(async move {
                while writing.write_all(b"a").await.is_ok() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            });
            let mut answer = Vec::new();
            let ended = tokio::time::timeout(Duration::from_secs(50), reading.read_to_end(&mut answer)).await;
            drip.abort();
            ended.is_ok()
        }));
    }
    // Meanwhile others are served.
    assert_eq!(broker.get("/?state=s").send().await.unwrap().status(), 200);
    for slow in slow {
        assert!(slow.await.unwrap(), "still open after {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn heads_are_bounded_in_size_and_number() {
    let broker = TestBroker::start().await;
    let many = "X-Many: a\r\n".repeat(500);
    let large = format!("X-Large: {}\r\n", "a".repeat(1_000_000));
    let long = format!(
        "GET /?state={} HTTP/1.1\r\nHost: x\r\n\r\n",
        "a".repeat(1_000_000)
    );
    for request in [
        format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{large}\r\n"),
        long,
    ] {
        let text = raw_or_reset(&broker, request.as_bytes()).await;
        let status = text.get(9..12).unwrap_or_default();
        assert!(["", "400", "414", "431"].contains(&status), "{text}");
    }
    assert_eq!(broker.get("/?state=s").send().await.unwrap().status(), 200);
}

/// As [`raw`], where the other side may hang up before all was sent.
async fn raw_or_reset(broker: &TestBroker, bytes: &[u8]) -> String {
    let mut stream = connect(broker).await;
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_body_without_a_length_is_bounded_too() {
    let broker = TestBroker::start().await;
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        let chunk = format!("2000\r\n{}\r\n", "a".repeat(0x2000));
        let text = raw_or_reset(&broker, (head + &chunk.repeat(20)).as_bytes()).await;
        assert!(text.starts_with("HTTP/1.1 413 "), "{path}: {text}");
    }
    let lying =
        "POST /oauth/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n";
    let text = raw_or_reset(&broker, lying.as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
    let garbled = "POST /oauth/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n";
    let text = raw(&broker, garbled.as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
}

/// A proxy that is still sending a body when the answer is there may break the answer off.
#[tokio::test]
async fn a_refusal_waits_for_the_rest_of_the_body() {
    let broker = TestBroker::start().await;
    for path in [
        "/nowhere",
        "/api/create_link_token",
        "/api/info",
        "/setup/logout",
        "/",
    ] {
        let mut stream = connect(&broker).await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut early = [0; 1];
        let answered = tokio::time::timeout(Duration::from_millis(200), stream.read_exact(&mut early)).await;
        assert!(answered.is_err(), "{path} was answered before its body was there");
        // The connection goes on: nothing of the body is taken for the next request.
        let rest = "a=1\nGET /favicon.ico HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(rest.as_bytes()).await.unwrap();
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).await.unwrap();
        let answers = String::from_utf8_lossy(&answers).into_owned();
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 2, "{path}: {answers}");
    }
}

#[tokio::test]
async fn a_refusal_does_not_wait_for_a_body_that_never_comes() {
    let broker = TestBroker::start().await;
    // Half of the patience is time enough for an answer that waits for nothing.
    for (headers, at_most) in [
        ("Content-Length: 4", Duration::from_secs(10)),
        (
            "Content-Length: 4\r\nExpect: 100-continue",
            Duration::from_secs(1),
        ),
        ("Content-Length: 99999999", Duration::from_secs(1)),
    ] {
        let head = format!("POST /nowhere HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n");
        let mut stream = connect(&broker).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        let answer = tokio::time::timeout(at_most, stream.read_exact(&mut status)).await;
        answer.unwrap_or_else(|_| panic!("{headers}: it waits")).unwrap();
        assert_eq!(&status, b"HTTP/1.1 404", "{headers}");
    }
}
