//! Looking at a database while brokers use it: read-only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connect::{self, Use};
use super::migrations;
use super::open::{encoded, given};
use super::pool::{Conn, How, Pool, Timeouts};
use super::tx::{Cells, PostgresTx};
use crate::config::{DatabaseUrl, KeySource, PostgresUrl};
use crate::decisions::{meta, redirects};
use crate::error::OpenError;
use crate::inspection::Inspection;
use crate::keyring::Keyring;
use crate::model::Account;
use crate::ownership;
use crate::rows::Columns as _;
use crate::tokens::TokenKey;
use crate::tx::Failure;

struct Look {
    store: DatabaseUrl,
    keyring: Arc<Keyring>,
    account: Account,
    deadline: Instant,
}

/// See [`Store::inspect`](crate::Store::inspect). Takes about `patience`.
pub(crate) async fn inspect(
    url: PostgresUrl,
    keys: KeySource,
    account: Account,
    patience: Duration,
) -> Result<Option<Inspection>, OpenError> {
    let deadline = Instant::now() + patience;
    let keyring = Arc::new(given(&keys)?);
    let pool = connect::pool(&url, Use::Look)?;
    connect::first(&pool, &url).await?;
    let pool = Pool::of(pool);
    let store = DatabaseUrl::Postgres(Box::new(url));
    let look = Look {
        store: store.clone(),
        keyring,
        account,
        deadline,
    };
    let found = pool
        .read_with(How::Statements, Timeouts::Long, look, |conn, look| {
            Box::pin(looked(conn, look))
        })
        .await;
    pool.close().await;
    found.map_err(|error| ownership::not_opened(&store, error))?
}

async fn looked(conn: &Conn, look: &Look) -> Result<Result<Option<Inspection>, OpenError>, Failure> {
    if let Err(refused) = encoded(conn, &look.store).await? {
        return Ok(Err(refused));
    }
    match migrations::inspect(conn).await?.found(&look.store) {
        Ok(true) => {}
        Ok(false) => return Ok(Ok(None)),
        Err(refused) => return Ok(Err(refused)),
    }
    let stored = ownership::account(
        meta::get(&mut PostgresTx(conn), "environment").await?,
        meta::get(&mut PostgresTx(conn), "client_id").await?,
    );
    if let Err(refused) = ownership::same_account(stored, &look.account, &look.store) {
        return Ok(Err(refused));
    }
    let sealed = meta::get(&mut PostgresTx(conn), "token_key").await?;
    let tokens = TokenKey::open(&look.keyring, sealed.as_deref())?;
    let mut inspection = Inspection::new(tokens, redirects::list(&mut PostgresTx(conn)).await?);
    inspection.read_only = read_only(conn).await?;
    inspection
        .look_at_all(&mut PostgresTx(conn), &look.keyring, look.deadline)
        .await?;
    Ok(Ok(Some(inspection)))
}

/// The look itself is read-only, so it asks what a broker would meet. Of `authorizations` and `transactions` (its name before
/// version 3) the one that is not there counts as neither.
async fn read_only(conn: &Conn) -> Result<Option<&'static str>, Failure> {
    let sql = "SELECT pg_is_in_recovery(), (SELECT bool_and(has_table_privilege(to_regclass(of), needed)) FROM (VALUES \
             ('meta', 'INSERT'), ('meta', 'UPDATE'), ('audit', 'INSERT'), ('connections', 'INSERT'), \
             ('connections', 'UPDATE'), ('authorizations', 'INSERT'), ('authorizations', 'UPDATE'), \
             ('authorizations', 'DELETE'), ('transactions', 'INSERT'), ('transactions', 'UPDATE'), ('grants', 'INSERT'), ('grants', 'UPDATE')) AS needs (of, needed)), \
         (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only')";
    let row = conn.one(sql, &[]).await?;
    let mut cells = Cells::of(&row);
    let (standby, may_write, refuses) = (cells.flag()?, cells.flag()?, cells.flag()?);
    Ok(if standby {
        Some("the server is a standby, which takes no writes")
    } else if !may_write {
        Some("the role may not write the tables")
    } else if refuses {
        Some("the server is set to read-only transactions (default_transaction_read_only)")
    } else {
        None
    })
}
