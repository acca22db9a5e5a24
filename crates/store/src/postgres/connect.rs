//! The first connection, and how each one is made fit for the store.

use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use super::failure::said;
use super::tls;
use crate::Durability;
use crate::config::{DatabaseUrl, PostgresUrl, TlsMode};
use crate::error::OpenError;

/// How long a request waits for one of the connections.
const WAIT: Duration = Duration::from_secs(5);
/// How long connecting may take, all hosts included, and how long the first statements on the connection may then take.
/// Both together have no longer than that when it is the first connection.
const CREATE: Duration = Duration::from_secs(10);

const SILENT: &str = "the server does not answer";

/// The server ends what takes longer, and what a broker that vanished left half done. A commit is answered when it is on
/// the disk, whatever the server's own setting; one that waits for more than that stays.
const DURABLE: &str = "SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s'; \
     SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')";
const IN_MEMORY: &str = "SET statement_timeout = '10s'; SET synchronous_commit = off";
/// For a look from outside.
const READ_ONLY: &str = "SET statement_timeout = '10s'; SET default_transaction_read_only = on";

/// What the connections are for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    /// A broker or an operator's command.
    Store(Durability),
    /// To look and to change nothing.
    Look,
}

/// A pool whose connections are made when they are needed.
pub(super) fn pool(url: &PostgresUrl, purpose: Use) -> Result<deadpool_postgres::Pool, OpenError> {
    let config = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let connect = url.connect.as_ref().clone();
    // A socket's URL says so, too.
    let manager = if url.tls == TlsMode::Disable {
        Manager::from_config(connect, NoTls, config)
    } else {
        let connector = tls::connector(url).map_err(|reason| {
            let advice = "name a readable file with certificates in sslrootcert, or install the system's (ca-certificates)";
            unreachable(url, reason, advice)
        })?;
        Manager::from_config(connect, connector, config)
    };
    let prepare = match purpose {
        Use::Store(Durability::Full) => DURABLE,
        Use::Store(Durability::Off) => IN_MEMORY,
        Use::Look => READ_ONLY,
    };
    let size = match purpose {
        Use::Store(_) => url.pool_size,
        Use::Look => 1,
    };
    deadpool_postgres::Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(CREATE))
        .recycle_timeout(Some(CREATE))
        .post_create(Hook::async_fn(move |client, _| {
            Box::pin(async move {
                // The pool's own limit is over when hooks begin.
                match timeout(CREATE, client.batch_execute(prepare)).await {
                    Ok(prepared) => prepared.map_err(HookError::Backend),
                    Err(_) => Err(HookError::message(SILENT)),
                }
            })
        }))
        .build()
        .map_err(|error| unreachable(url, error.to_string(), "this is a bug"))
}

/// Whether the server accepts the connection; if not, why.
pub(super) async fn first(pool: &deadpool_postgres::Pool, url: &PostgresUrl) -> Result<(), OpenError> {
    let silent = || {
        unreachable(
            url,
            format!("it did not answer within {} s", CREATE.as_secs()),
            "check host and port in DATABASE_URL, and whether the server runs",
        )
    };
    let Ok(got) = timeout(CREATE, pool.get()).await else {
        return Err(silent());
    };
    match got {
        Ok(_) => Ok(()),
        Err(PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error))) => {
            let advice = match error.code().map(SqlState::code) {
                Some("28P01" | "28000") => {
                    "check user and password in DATABASE_URL, and the server's pg_hba.conf"
                }
                Some("3D000") => {
                    "create the database (docs/operating.md shows how), or correct its name in DATABASE_URL"
                }
                Some("42501") => "grant the role CONNECT on the database (docs/operating.md shows how)",
                Some("53300") => {
                    "raise the server's max_connections, or lower pool_size in DATABASE_URL of each instance"
                }
                Some("57P03") => "start again in a moment",
                Some(_) => "the server's log says more",
                None => "check host, port and sslmode in DATABASE_URL, and whether the server runs",
            };
            Err(unreachable(url, said(&error), advice))
        }
        Err(PoolError::Timeout(TimeoutType::Create) | PoolError::PostCreateHook(HookError::Message(_))) => {
            Err(silent())
        }
        Err(error) => Err(unreachable(url, error.to_string(), "start again in a moment")),
    }
}

fn unreachable(url: &PostgresUrl, reason: String, advice: &'static str) -> OpenError {
    OpenError::Unreachable {
        store: DatabaseUrl::Postgres(Box::new(url.clone())),
        reason,
        advice,
    }
}
