//! The known attacks on authorization servers, each tried over real sockets and each failing. Those that other modules
//! try already are not repeated here; the table in `docs/security.md` names them all.

mod browser;
mod codes;
mod headers;
mod redirects;
mod source;
mod volume;

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Answer, TestBroker};

/// A name of the attacker's, which must not stand in anything that is handed out.
const EVIL: &str = "evil.example";

/// The registered callback of the tests that need an outside one.
const KORE: &str = "https://idp.kore.com/workflows/callback";

async fn ask(broker: &TestBroker, query: &str) -> Answer {
    Answer::of(broker.get(&format!("/?{query}"))).await
}

/// Sends these bytes as they are on a connection of their own, and reads what comes until it ends.
async fn raw(broker: &TestBroker, bytes: &[u8]) -> String {
    let address = broker.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    // A reset after the answer is an end too.
    let _ = read.expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request line with these header lines, after which the connection is closed.
async fn raw_request(broker: &TestBroker, line: &str, headers: &[&str], body: &str) -> String {
    let length = body.len();
    let mut text = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    raw(broker, format!("{text}\r\n{body}").as_bytes()).await
}
