//! What reaches two brokers on one database at once, and what a lost connection to the database must not cost.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use plaid_token_broker::simulator;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use crate::flow::{Broker, code_of};
use crate::harness::PATIENCE;
use crate::postgres::{House, OLD};
use crate::stand_in::listen;
use crate::web::{Reply, Sent, encode, send};

const EXCHANGE: &str = "/item/public_token/exchange";

/// Holds a lock that lets connections be read and not be stored.
struct Lock {
    runtime: Runtime,
    client: Client,
}

impl Lock {
    fn take(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
            tokio::spawn(connection);
            let sql = "BEGIN; LOCK TABLE connections IN EXCLUSIVE MODE";
            client.batch_execute(sql).await.unwrap();
            client
        });
        Self { runtime, client }
    }

    /// Waits until somebody waits for it.
    fn is_waited_for(&self) {
        let sql = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        let deadline = Instant::now() + PATIENCE;
        let waiting = || {
            let row = self.runtime.block_on(self.client.query_one(sql, &[])).unwrap();
            row.get::<_, i64>(0)
        };
        while waiting() == 0 {
            assert!(Instant::now() < deadline, "nothing is being stored");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn release(self) {
        self.runtime
            .block_on(self.client.batch_execute("COMMIT"))
            .unwrap();
    }
}

/// Sends the same to both, to the second one while the first one cannot commit yet.
fn both<'a>(
    house: &House,
    brokers: &'a [Broker; 2],
    calls: usize,
    ask: impl Fn(&'a Broker) -> Sent,
) -> [Reply; 2] {
    let lock = Lock::take(&house.database.url());
    let first = ask(&brokers[0]);
    house.plaid.called(EXCHANGE, calls + 1);
    lock.is_waited_for();
    let second = ask(&brokers[1]);
    house.plaid.called(EXCHANGE, calls + 2);
    lock.release();
    [first, second].map(|sent| {
        let reply = sent.reply().unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        reply
    })
}

#[test]
#[ignore = "needs PostgreSQL: tests/run starts one"]
fn the_same_public_token_at_two_brokers_has_one_answer() {
    let house = House::new();
    let brokers = [house.broker(OLD), house.broker(OLD)];
    let tab = brokers[0].open("state=s").unwrap();
    brokers[0].start_link(&tab).unwrap();
    let public_token = house.plaid.public_token();
    let [first, second] = both(&house, &brokers, 0, |broker| {
        broker.succeed(&tab, &public_token).unwrap()
    });
    // Each names itself in the URL; the code is one.
    assert_eq!(code_of(&first), code_of(&second));

    let form = encode(&[
        ("public_token", &house.plaid.public_token()),
        ("client_id", simulator::CLIENT_ID),
        ("client_secret", simulator::SECRET),
    ]);
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let [first, second] = both(&house, &brokers, 2, |broker| {
        send(&broker.url, "POST", "/oauth/token", &headers, &form).unwrap()
    });
    assert_eq!(first.body, second.body);

    // What Plaid refuses and nobody stores is refused.
    let unknown = format!("public-sandbox-{}", uuid::Uuid::new_v4());
    let form = [
        ("public_token", unknown.as_str()),
        ("client_id", simulator::CLIENT_ID),
        ("client_secret", simulator::SECRET),
    ];
    let refused = brokers[0].token(&form).unwrap();
    assert_eq!(
        (refused.status, refused.text("error").as_str()),
        (400, "invalid_grant")
    );
}

/// Stands before the database. Returns the URL that leads through it; while the flag is set, the answer to each COMMIT is
/// replaced by the end of the connection.
fn cutting(url: &str) -> (String, Arc<AtomicBool>) {
    let mut url = url::Url::parse(url).unwrap();
    let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let cuts = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cuts);
    let port = listen(move |store| {
        store.set_read_timeout(None).unwrap();
        let database = TcpStream::connect(&server).unwrap();
        let committing = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                pass(&store, &database, |bytes| {
                    if bytes.windows(7).any(|word| word == b"COMMIT\0") && flag.load(Ordering::SeqCst) {
                        committing.store(true, Ordering::SeqCst);
                    }
                    true
                });
            });
            pass(&database, &store, |_| !committing.load(Ordering::SeqCst));
        });
    });
    url.set_port(Some(port)).unwrap();
    url.set_host(Some("127.0.0.1")).unwrap();
    (url.into(), cuts)
}

/// Passes on what comes for as long as `goes_on`, and then ends both.
fn pass(mut from: &TcpStream, mut to: &TcpStream, goes_on: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || !goes_on(&buffer[..read]) || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(std::net::Shutdown::Both);
    let _ = to.shutdown(std::net::Shutdown::Both);
}

#[test]
#[ignore = "needs PostgreSQL: tests/run starts one"]
fn a_redemption_that_was_answered_with_try_again_is_repeated_with_success() {
    let house = House::new();
    let (url, cuts) = cutting(&house.database.url());
    let start = house.plaid.broker(&house.home);
    let broker = Broker::of(start.set("DATABASE_URL", &url).set("BROKER_KEYS", OLD));
    let tab = broker.open("state=s").unwrap();
    let landed = broker.complete(&tab, &house.plaid.public_token()).unwrap();
    let code = code_of(&landed.reply().unwrap());

    cuts.store(true, Ordering::SeqCst);
    let unknown = broker.token(&[("code", &code)]).unwrap();
    cuts.store(false, Ordering::SeqCst);
    assert_eq!(
        (unknown.status, unknown.text("error").as_str()),
        (503, "temporarily_unavailable")
    );
    let tokens = broker.token(&[("code", &code)]).unwrap();
    assert_eq!(tokens.status, 200, "{tokens:?}");
    broker.must_refresh(&tokens.text("refresh_token"), &tokens.text("access_token"));
    let third = broker.token(&[("code", &code)]).unwrap();
    assert_eq!(
        (third.status, third.text("error").as_str()),
        (400, "invalid_grant")
    );
}
