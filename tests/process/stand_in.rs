//! Small servers that tests put where something else should be: a page, a proxy with TLS, the agent of a tunnel.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::harness::PATIENCE;

/// Listens until the process ends, and answers each connection in a thread of its own. Gives the port.
pub fn listen(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}

/// A port on which nothing listens.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// The head of a request, with the empty line at its end.
pub fn head(stream: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// A whole answer, after which the connection ends.
pub fn reply(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

/// Answers every request so. Gives its URL.
pub fn page(status: &'static str, headers: &'static str, body: &'static str) -> String {
    let port = listen(move |mut stream| {
        if head(&mut stream).is_ok() {
            let _ = stream.write_all(reply(status, headers, body).as_bytes());
        }
    });
    format!("http://127.0.0.1:{port}")
}

/// What stands under `/api/tunnels` of ngrok's agent (or, of cloudflared, under `/quicktunnel`), to be changed meanwhile.
#[derive(Clone)]
pub struct Agent {
    pub url: String,
    told: Arc<Mutex<String>>,
}

impl Agent {
    pub fn start(told: &str) -> Self {
        let told = Arc::new(Mutex::new(told.to_owned()));
        let shared = Arc::clone(&told);
        let port = listen(move |mut stream| {
            let Ok(head) = head(&mut stream) else { return };
            let known = head.starts_with("GET /api/tunnels ") || head.starts_with("GET /quicktunnel ");
            let answer = if known {
                reply(
                    "200 OK",
                    "Content-Type: application/json\r\n",
                    &shared.lock().unwrap(),
                )
            } else {
                reply("404 Not Found", "", "")
            };
            let _ = stream.write_all(answer.as_bytes());
        });
        let url = format!("http://127.0.0.1:{port}");
        Self { url, told }
    }

    pub fn tells(&self, told: &str) {
        told.clone_into(&mut self.told.lock().unwrap());
    }
}

/// The answer of ngrok's agent for these pairs of public URL and local address, as its documentation shows it
/// (<https://ngrok.com/docs/agent/api/>).
pub fn tunnels(pairs: &[(&str, &str)]) -> String {
    let list: Vec<_> = (1..)
        .zip(pairs)
        .map(|(number, (public_url, addr))| {
            let proto = public_url.split(':').next();
            let name = format!("tunnel {number}");
            let quantiles =
                serde_json::json!({ "count": 0, "rate1": 0, "rate5": 0, "rate15": 0, "p50": 0, "p90": 0 });
            serde_json::json!({
                "name": name, "ID": format!("{number:032x}"), "uri": format!("/api/tunnels/{name}"),
                "public_url": public_url, "proto": proto, "config": { "addr": addr, "inspect": true },
                "metrics": { "conns": { "count": 0, "gauge": 0 }, "http": quantiles },
            })
        })
        .collect();
    serde_json::json!({ "tunnels": list, "uri": "/api/tunnels" }).to_string()
}

/// A certificate for `localhost`, and who signed it.
pub struct Certificate {
    config: Arc<ServerConfig>,
    authority: String,
}

/// How a certificate may be wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    None,
    Expired,
    OtherName,
}

impl Certificate {
    pub fn new(flaw: Flaw) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);
        let name = if flaw == Flaw::OtherName {
            "elsewhere.example"
        } else {
            "localhost"
        };
        let mut own = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if flaw == Flaw::Expired {
            own.not_before = date_time_ymd(2020, 1, 1);
            own.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = own.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Self {
            config: Arc::new(config),
            authority: authority_pem,
        }
    }

    /// Writes the signer's certificate where `SSL_CERT_FILE` can name it.
    pub fn write_authority(&self, directory: &Path) -> String {
        let path = directory.join("authority.pem");
        std::fs::write(&path, &self.authority).unwrap();
        path.display().to_string()
    }
}

/// How a tunnel passes requests on.
#[derive(Clone, Copy)]
pub struct Passing {
    /// Whether it says that the browser came by https.
    pub forwarded: bool,
    /// Whether browsers see ngrok's warning page first.
    pub warning: bool,
}

/// A tunnel: TLS outside, plain HTTP to `target` inside, a request a connection. Gives its https URL.
pub fn tunnel(certificate: &Certificate, target: u16, passing: Passing) -> String {
    let config = Arc::clone(&certificate.config);
    let port = listen(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        // Whoever refuses the certificate hangs up here.
        let _ = pass(StreamOwned::new(connection, stream), target, passing);
    });
    format!("https://localhost:{port}")
}

fn pass(
    mut outside: StreamOwned<ServerConnection, TcpStream>,
    target: u16,
    passing: Passing,
) -> io::Result<()> {
    let head = head(&mut outside)?;
    let lower = head.to_ascii_lowercase();
    let is_browser = lower.contains("user-agent: mozilla") && !lower.contains("ngrok-skip-browser-warning");
    let answer = if passing.warning && is_browser {
        let headers = "Content-Type: text/html\r\nNgrok-Error-Code: ERR_NGROK_6024\r\n";
        reply("200 OK", headers, "<html>You are about to visit").into_bytes()
    } else {
        let length = lower
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
        outside.read_exact(&mut body)?;
        inside(&head, &body, target, passing.forwarded)?
    };
    outside.write_all(&answer)?;
    outside.conn.send_close_notify();
    outside.flush()
}

fn inside(head: &str, body: &[u8], target: u16, forwarded: bool) -> io::Result<Vec<u8>> {
    let Ok(mut inside) = TcpStream::connect(("127.0.0.1", target)) else {
        return Ok(reply("502 Bad Gateway", "Content-Type: text/html\r\n", "nothing there").into_bytes());
    };
    inside.set_read_timeout(Some(PATIENCE))?;
    let mut request = head.trim_end_matches("\r\n").to_owned() + "\r\nConnection: close\r\n";
    if forwarded {
        request += "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n";
    }
    inside.write_all((request + "\r\n").as_bytes())?;
    inside.write_all(body)?;
    let mut answer = Vec::new();
    inside.read_to_end(&mut answer)?;
    Ok(answer)
}
