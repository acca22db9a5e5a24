//! Looking at a database beside whoever uses it: read-only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::connect::{self, Use};
use super::failure::Failure;
use super::open::{encoded, given};
use super::pool::{Conn, How, Patience, Pool};
use super::rows::Cells;
use super::{meta, migrations, redirects, walk};
use crate::claim;
use crate::config::{DatabaseUrl, KeySource, PostgresUrl};
use crate::error::OpenError;
use crate::inspection::Inspection;
use crate::keyring::Keyring;
use crate::model::Account;
use crate::rows::Columns as _;
use crate::tokens::TokenKey;

struct Look {
    store: DatabaseUrl,
    keyring: Arc<Keyring>,
    account: Account,
    deadline: Instant,
}

/// Looks at the store; `None`: there is none yet. Takes about `patience`.
pub(super) async fn inspect(
    url: PostgresUrl,
    keys: &KeySource,
    account: Account,
    patience: Duration,
) -> Result<Option<Inspection>, OpenError> {
    let deadline = Instant::now() + patience;
    let keyring = Arc::new(given(keys)?);
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
        .read_with(How::Statements, Patience::Long, look, |conn, look| {
            Box::pin(looked(conn, look))
        })
        .await;
    pool.close().await;
    found.map_err(|error| claim::not_opened(&store, error))?
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
    let stored = claim::account(
        meta::get(conn, "environment").await?,
        meta::get(conn, "client_id").await?,
    );
    if let Err(refused) = claim::same_account(stored, &look.account, &look.store) {
        return Ok(Err(refused));
    }
    let sealed = meta::get(conn, "token_key").await?;
    let tokens = TokenKey::open(&look.keyring, sealed.as_deref())?;
    let mut inspection = Inspection::new(tokens, redirects::list(conn).await?);
    inspection.read_only = read_only(conn).await?;
    let mut from = Uuid::nil();
    loop {
        let page = walk::page(conn, from, walk::PAGE).await?;
        let Some((last, _)) = page.last() else {
            inspection.whole = true;
            break;
        };
        from = last.0;
        for (id, sealed) in &page {
            inspection.look_at(*id, sealed, &look.keyring);
        }
        if Instant::now() >= look.deadline {
            break;
        }
    }
    Ok(Ok(Some(inspection)))
}

/// The look itself is read-only, so it asks what a broker would meet.
async fn read_only(conn: &Conn) -> Result<Option<&'static str>, Failure> {
    let sql = "SELECT pg_is_in_recovery(), (SELECT bool_and(has_table_privilege(of, needed)) FROM (VALUES \
             ('meta', 'INSERT'), ('meta', 'UPDATE'), ('audit', 'INSERT'), ('connections', 'INSERT'), \
             ('connections', 'UPDATE'), ('transactions', 'INSERT'), ('transactions', 'UPDATE'), \
             ('transactions', 'DELETE'), ('grants', 'INSERT'), ('grants', 'UPDATE')) AS needs (of, needed)), \
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
