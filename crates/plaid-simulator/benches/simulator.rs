//! How fast and how small `plaid-simulator` is, so that it never is the slow part of a test.
//!
//! `cargo bench -p plaid-simulator` starts the real program and calls it over sockets. It ends with exit code 1 when a limit is not
//! kept. Load and simulator share the machine, so the rate is what both together make of its cores.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a program for the command line that ends when anything is wrong"
)]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use plaid_simulator::{CLIENT_ID, SECRET};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// From the start of the process to its first answer.
const LONGEST_START: Duration = Duration::from_millis(50);
/// Resident memory after the start and a test's worth of calls, in KiB.
const MOST_MEMORY: u64 = 30 * 1024;
/// Exchanges of public tokens a second.
const FEWEST_EXCHANGES: f64 = 5_000.0;

const STARTS: usize = 10;
const CONNECTIONS: usize = 16;
const EXCHANGES_EACH: usize = 1_000;
const A_TESTS_WORTH: usize = 50;
/// Items of two years, all of whose transactions are read, by as many callers at a time.
const ITEMS_READ: usize = 50;
const READERS: usize = 4;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run())
}

async fn run() -> ExitCode {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let began = Instant::now();
        let simulator = Simulator::start();
        let mut connection = Connection::to(simulator.address).await;
        connection.public_token().await;
        starts.push(began.elapsed());
    }
    starts.sort();
    let start = starts[STARTS / 2];

    let simulator = Simulator::start();
    let mut connection = Connection::to(simulator.address).await;
    for _ in 0..A_TESTS_WORTH {
        let token = connection.public_token().await;
        connection.exchange(&token).await;
    }
    let memory = simulator.memory("VmRSS:");
    drop(simulator);
    let (read, peak) = reads().await;

    let simulator = Simulator::start();
    let mut prepared = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::to(simulator.address).await;
        prepared.push(tokio::spawn(async move {
            let mut tokens = Vec::new();
            for _ in 0..EXCHANGES_EACH {
                tokens.push(connection.public_token().await);
            }
            (connection, tokens)
        }));
    }
    let mut ready = Vec::new();
    for one in prepared {
        ready.push(one.await.unwrap());
    }
    let began = Instant::now();
    let running: Vec<_> = ready
        .into_iter()
        .map(|(mut connection, tokens)| {
            tokio::spawn(async move {
                for token in tokens {
                    connection.exchange(&token).await;
                }
            })
        })
        .collect();
    for one in running {
        one.await.unwrap();
    }
    let exchanges = u32::try_from(CONNECTIONS * EXCHANGES_EACH).unwrap();
    let rate = f64::from(exchanges) / began.elapsed().as_secs_f64();

    let cores = std::thread::available_parallelism().unwrap();
    println!("cores                              {cores}");
    let kept = [
        judge(
            "start to first answer (median)",
            &format!("{start:.1?}"),
            start <= LONGEST_START,
        ),
        judge("resident memory", &format!("{memory} KiB"), memory <= MOST_MEMORY),
        judge(
            "peak, two years of 50 Items read",
            &format!("{peak} KiB"),
            peak <= MOST_MEMORY,
        ),
        judge(
            "exchanges a second",
            &format!("{rate:.0}"),
            rate >= FEWEST_EXCHANGES,
        ),
    ];
    println!("transactions read                  {read}");
    println!(
        "resident memory with {exchanges} Items  {} KiB",
        simulator.memory("VmRSS:")
    );
    if kept.iter().all(|kept| *kept) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Reads all transactions of two years of many Items, several callers at a time: how many there were, and the peak
/// of the simulator's memory in KiB.
async fn reads() -> (usize, u64) {
    let simulator = Simulator::with(&["--data-delay", "0"]);
    let mut readers = Vec::new();
    for reader in 0..READERS {
        let mut connection = Connection::to(simulator.address).await;
        readers.push(tokio::spawn(async move {
            let mut read = 0;
            for _ in (reader..ITEMS_READ).step_by(READERS) {
                read += connection.read_two_years().await;
            }
            read
        }));
    }
    let mut read = 0;
    for reader in readers {
        read += reader.await.unwrap();
    }
    (read, simulator.memory("VmHWM:"))
}

fn judge(name: &str, figure: &str, kept: bool) -> bool {
    println!("{name:34} {figure:12} {}", if kept { "kept" } else { "NOT KEPT" });
    kept
}

/// The program, until it is dropped.
struct Simulator {
    child: Child,
    address: SocketAddr,
}

impl Simulator {
    fn start() -> Self {
        Self::with(&[])
    }

    fn with(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_plaid-simulator"))
            .args(["--bind", "127.0.0.1:0"])
            .args(options)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim()
            .rsplit_once("http://")
            .expect("an address")
            .1
            .parse()
            .unwrap();
        Self { child, address }
    }

    /// A figure of its memory (`VmRSS:` now, `VmHWM:` at the peak) in KiB; 0 where there is no /proc.
    fn memory(&self, figure: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        status
            .lines()
            .find_map(|line| line.strip_prefix(figure))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .and_then(|figure| figure.trim().parse().ok())
            .unwrap_or(0)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that is kept open, with as little of HTTP as the simulator's answers need: what is measured should
/// be the simulator.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: vec![0; 8192],
        }
    }

    async fn public_token(&mut self) -> String {
        let body = r#""institution_id":"ins_109508","initial_products":["transactions"]"#;
        let answer = self.call("/sandbox/public_token/create", body).await;
        answer["public_token"].as_str().unwrap().to_owned()
    }

    async fn exchange(&mut self, public_token: &str) {
        let body = format!(r#""public_token":"{public_token}""#);
        let answer = self.call("/item/public_token/exchange", &body).await;
        assert!(answer["access_token"].is_string(), "{answer}");
    }

    /// A new Item and all pages of its two years; gives the number of its transactions.
    async fn read_two_years(&mut self) -> usize {
        let body = r#""institution_id":"ins_109508","initial_products":["transactions"],"options":{"transactions":{"days_requested":730}}"#;
        let created = self.call("/sandbox/public_token/create", body).await;
        let body = format!(r#""public_token":{}"#, created["public_token"]);
        let exchanged = self.call("/item/public_token/exchange", &body).await;
        let (mut cursor, mut read) = (String::new(), 0);
        loop {
            let body = format!(
                r#""access_token":{},"count":500,"cursor":"{cursor}""#,
                exchanged["access_token"]
            );
            let page = self.call("/transactions/sync", &body).await;
            read += page["added"].as_array().unwrap().len();
            page["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
            if page["has_more"] == false {
                assert!(read > 1_000, "two years are more than {read} transactions");
                return read;
            }
        }
    }

    async fn call(&mut self, path: &str, fields: &str) -> serde_json::Value {
        let body = format!(r#"{{"client_id":"{CLIENT_ID}","secret":"{SECRET}",{fields}}}"#);
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: simulator\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut filled = 0;
        loop {
            if filled == self.buffer.len() {
                self.buffer.resize(filled * 2, 0);
            }
            let read = self.stream.read(&mut self.buffer[filled..]).await.unwrap();
            assert_ne!(read, 0, "the simulator closed the connection");
            filled += read;
            if let Some(body) = body_of(&self.buffer[..filled]) {
                return serde_json::from_slice(body).unwrap();
            }
        }
    }
}

/// The body of an answer, once all of it is there.
fn body_of(answer: &[u8]) -> Option<&[u8]> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..head]).unwrap();
    let length: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?
        .parse()
        .unwrap();
    answer.get(head + 4..head + 4 + length)
}
