//! As little of HTTP as the responses need: what is measured should be the server.

use std::fmt::Write as _;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A request, until it is sent.
#[derive(Clone)]
pub(crate) struct Request {
    head: String,
    body: String,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        Self {
            head: format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n"),
            body: String::new(),
        }
    }

    pub(crate) fn post(path: &str, body: &str) -> Self {
        Self {
            head: format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n",
                body.len()
            ),
            body: body.to_owned(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        write!(self.head, "{name}: {value}\r\n").unwrap();
        self
    }
}

/// A response, read whole.
pub(crate) struct Response {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.head[9..12].parse().unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A connection that is kept open.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: vec![0; 32 * 1024],
        }
    }

    pub(crate) async fn send(&mut self, request: &Request) -> Response {
        let text = format!("{}\r\n{}", request.head, request.body);
        self.stream.write_all(text.as_bytes()).await.unwrap();
        let mut filled = 0;
        loop {
            if filled == self.buffer.len() {
                self.buffer.resize(filled * 2, 0);
            }
            let read = self.stream.read(&mut self.buffer[filled..]).await.unwrap();
            assert_ne!(read, 0, "the connection was closed");
            filled += read;
            if let Some(response) = whole(&self.buffer[..filled]) {
                return response;
            }
        }
    }
}

/// The response, once all of it is there.
fn whole(bytes: &[u8]) -> Option<Response> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..head]).unwrap();
    let length: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap()
        .parse()
        .unwrap();
    let body = bytes.get(head + 4..head + 4 + length)?;
    Some(Response {
        head: text.to_owned(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    })
}
