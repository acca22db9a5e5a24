//! As little HTTP as tests need, by hand: they hang up, stall and go on whenever they like.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::harness::PATIENCE;

/// An answer, read whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// A member that must be a string.
    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        let json = self.json();
        let found = json[name].as_str();
        found
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
            .to_owned()
    }

    /// The values of a header that may come several times.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let matches = |line: &str| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        self.head.lines().filter_map(matches).collect()
    }
}

/// A request that was sent and not answered yet. Dropping it hangs up.
pub struct Sent(pub TcpStream);

impl Sent {
    /// Reads to the end of the connection.
    pub fn reply(mut self) -> io::Result<Reply> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "no whole answer");
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut)?;
        let status = head
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .ok_or_else(cut)?;
        let reply = Reply {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        };
        let length = reply
            .headers("content-length")
            .first()
            .and_then(|text| text.parse().ok());
        if length.is_some_and(|length: usize| length != body.len()) {
            return Err(cut());
        }
        Ok(reply)
    }
}

/// A connection to `http://address`.
pub fn connect(url: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(url.strip_prefix("http://").expect("a plain URL"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends a request on a connection of its own, and does not wait for the answer.
pub fn send(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Sent> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    let _ = write!(text, "Content-Length: {}\r\n\r\n{body}", body.len());
    let mut stream = connect(url)?;
    stream.write_all(text.as_bytes())?;
    Ok(Sent(stream))
}

pub fn get(url: &str, path: &str) -> Reply {
    send(url, "GET", path, &[], "").and_then(Sent::reply).unwrap()
}

pub fn post_json(url: &str, path: &str, body: &Value) -> io::Result<Reply> {
    let headers = [("Content-Type", "application/json")];
    send(url, "POST", path, &headers, &body.to_string())?.reply()
}

pub fn encode(form: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}
