//! Databases and servers of single tests.

use std::path::Path;
use std::process::Command;

use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// The cluster that tests share.
fn shared() -> String {
    std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!(
            "TEST_POSTGRES_URL is not set: tests/run sets it, or export TEST_POSTGRES_URL=$(tests/postgres/cluster start \
             target/postgres)"
        )
    })
}

/// The same server, another database.
fn other(url: &str, database: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{database}")
}

/// A connection past the store.
pub(crate) async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// An empty database, which goes with the value.
pub(crate) struct Database {
    pub(crate) url: String,
    server: String,
    name: String,
}

impl Database {
    pub(crate) async fn make() -> Self {
        Self::on(shared()).await
    }

    pub(crate) async fn on(server: String) -> Self {
        let name = format!("ptb_{}", Uuid::new_v4().as_simple());
        let sql = format!("CREATE DATABASE {name}");
        client(&server).await.batch_execute(&sql).await.unwrap();
        Self {
            url: other(&server, &name),
            server,
            name,
        }
    }

    /// The same database for another role and password.
    pub(crate) fn for_role(&self, role: &str, password: &str) -> String {
        let (_, place) = self.url.split_once('@').unwrap();
        format!("postgres://{role}:{password}@{place}")
    }

    pub(crate) async fn run(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        client(&self.url).await.batch_execute(sql).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, sql) = (
            self.server.clone(),
            format!("DROP DATABASE {} WITH (FORCE)", self.name),
        );
        let gone = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                if let Ok((client, connection)) = tokio_postgres::connect(&server, NoTls).await {
                    tokio::spawn(connection);
                    // The server of a test may be gone already, with everything.
                    drop(client.batch_execute(&sql).await);
                }
            });
        });
        drop(gone.join());
    }
}

/// A server of a test's own, which it may stop.
pub(crate) struct Server {
    directory: tempfile::TempDir,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(options: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = cluster("start", directory.path(), options);
        Self { directory, url }
    }

    /// As a crash would.
    pub(crate) fn stop(&self) {
        cluster("stop", self.directory.path(), &["immediate"]);
    }

    pub(crate) fn start_again(&self) {
        assert_eq!(cluster("start", self.directory.path(), &[]), self.url);
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        cluster("stop", self.directory.path(), &["immediate"]);
    }
}

/// Gives what it prints.
fn cluster(what: &str, directory: &Path, options: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/postgres/cluster");
    let output = Command::new(script)
        .arg(what)
        .arg(directory)
        .args(options)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
