//! Opening a store: server, schema, account and keys, each with its own words when it fails.

use std::sync::Arc;

use super::connect::{self, Use};
use super::migrations;
use super::pool::{Conn, How, Pool, Timeouts};
use super::tx::{Cells, PostgresTx};
use crate::config::{DatabaseUrl, KeySource, PostgresUrl};
use crate::decisions::meta;
use crate::error::{OpenError, StoreError};
use crate::keyring::{Keyring, KeyringError};
use crate::model::Account;
use crate::rows::Columns as _;
use crate::tokens::{TokenKey, token_key_place};
use crate::tx::Failure;
use crate::{Durability, ownership};

/// All that opening yields.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) pool: Pool,
    pub(super) keyring: Arc<Keyring>,
    pub(super) tokens: TokenKey,
}

/// Opens the store, or makes its tables.
pub(super) async fn open(
    url: PostgresUrl,
    keys: &KeySource,
    account: &Account,
    durability: Durability,
) -> Result<Opened, OpenError> {
    let keyring = Arc::new(given(keys)?);
    let pool = connect::pool(&url, Use::Store(durability))?;
    connect::first(&pool, &url).await?;
    if url.tls != crate::config::TlsMode::Require && !url.is_local() {
        tracing::warn!(
            "DATABASE_URL does not ask for sslmode=require: the PostgreSQL server's identity is not checked"
        );
    }
    let pool = Pool::of(pool);
    let store = DatabaseUrl::Postgres(Box::new(url));
    let input = Claim {
        store: store.clone(),
        keyring: Arc::clone(&keyring),
        account: account.clone(),
    };
    let claimed = pool
        .decide_with(Timeouts::Long, input, |conn, claim| {
            Box::pin(claimed(conn, claim))
        })
        .await;
    let tokens = claimed.map_err(|error| ownership::not_opened(&store, error))??;
    warn_if_not_synced(&pool).await;
    Ok(Opened {
        pool,
        keyring,
        tokens,
    })
}

/// A key file on one machine would be of no use to the others.
pub(super) fn given(keys: &KeySource) -> Result<Keyring, KeyringError> {
    match keys {
        KeySource::Given(keys) => Keyring::new(keys.clone()),
        KeySource::File(_) => Err(KeyringError::NotGiven),
    }
}

struct Claim {
    store: DatabaseUrl,
    keyring: Arc<Keyring>,
    account: Account,
}

/// A refusal in its own words is an outcome here and changes nothing.
async fn claimed(conn: &Conn, claim: &Claim) -> Result<Result<TokenKey, OpenError>, Failure> {
    migrations::lock(conn).await?;
    if let Err(refused) = encoded(conn, &claim.store).await? {
        return Ok(Err(refused));
    }
    let there = match migrations::inspect(conn).await?.found(&claim.store) {
        Ok(there) => there,
        Err(refused) => return Ok(Err(refused)),
    };
    if !there && !may_create(conn).await? {
        return Ok(Err(OpenError::Unreachable {
            store: claim.store.clone(),
            reason: "its role may not make tables there".to_owned(),
            advice: "make the role the database's owner (docs/operating.md shows how), or grant it CREATE on the schema",
        }));
    }
    // The account is looked at before a step is taken: another's store is left as it is.
    if there && let Err(refused) = same_account(conn, claim).await? {
        return Ok(Err(refused));
    }
    migrations::migrate(conn, there).await?;
    // A standby, or a database that is set to read-only, is noticed now and not by the first person.
    meta::set(&mut PostgresTx(conn), "probe", &rand::random::<[u8; 8]>()).await?;
    let sealed = meta::get(&mut PostgresTx(conn), "token_key").await?;
    if let Some(sealed) = sealed {
        let tokens = TokenKey::open(&claim.keyring, Some(&sealed));
        return match tokens {
            Ok(tokens) => Ok(Ok(tokens)),
            // A migration is rolled back when the keys do not open the store.
            Err(error) => Err(error.into()),
        };
    }
    let tokens = TokenKey::generate();
    let sealed = claim
        .keyring
        .seal(&token_key_place(), tokens.expose())
        .map_err(StoreError::Sealed)?;
    meta::set(
        &mut PostgresTx(conn),
        "environment",
        claim.account.environment.as_bytes(),
    )
    .await?;
    meta::set(
        &mut PostgresTx(conn),
        "client_id",
        claim.account.client_id.as_bytes(),
    )
    .await?;
    meta::set(&mut PostgresTx(conn), "token_key", &sealed).await?;
    Ok(Ok(tokens))
}

async fn same_account(conn: &Conn, claim: &Claim) -> Result<Result<(), OpenError>, Failure> {
    let stored = ownership::account(
        meta::get(&mut PostgresTx(conn), "environment").await?,
        meta::get(&mut PostgresTx(conn), "client_id").await?,
    );
    Ok(ownership::same_account(stored, &claim.account, &claim.store))
}

/// Whether all that people may be called can be written there: a database in another encoding would refuse some of it later.
pub(super) async fn encoded(conn: &Conn, store: &DatabaseUrl) -> Result<Result<(), OpenError>, Failure> {
    let encoding = Cells::of(&conn.one("SELECT current_setting('server_encoding')", &[]).await?).text()?;
    if matches!(encoding.as_str(), "UTF8" | "SQL_ASCII") {
        return Ok(Ok(()));
    }
    Ok(Err(OpenError::Unreachable {
        store: store.clone(),
        reason: format!("its encoding is {encoding}"),
        advice: "make the database with ENCODING 'UTF8' TEMPLATE template0 (and with a locale that goes with it)",
    }))
}

/// Whether the role may make tables where they would be made. There may be no such place at all.
async fn may_create(conn: &Conn) -> Result<bool, Failure> {
    let sql = "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)";
    Ok(Cells::of(&conn.one(sql, &[]).await?).flag()?)
}

/// Of the server's own doing: no setting of ours makes up for it.
async fn warn_if_not_synced(pool: &Pool) {
    let settings = pool.read_with(How::Statements, Timeouts::Usual, (), |conn, ()| {
        Box::pin(async move {
            let sql = "SELECT name || ' = ' || setting FROM pg_settings \
                 WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name";
            let rows = conn.query(sql, &[]).await?;
            Ok(rows
                .iter()
                .map(|row| Cells::of(row).text())
                .collect::<Result<Vec<_>, _>>()?)
        })
    });
    for setting in settings.await.unwrap_or_default() {
        tracing::warn!(
            setting,
            "the PostgreSQL server does not keep what it has answered through a crash of its machine"
        );
    }
}
