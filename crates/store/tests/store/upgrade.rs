//! Stores of earlier versions: `stores/README.md` says what they hold.

use std::path::{Path, PathBuf};
use std::time::Duration;

use plaid_token_broker_core::secret::PlaidAccessToken;
use plaid_token_broker_store::model::{
    Abandonment, AuditQuery, AuthorizationId, ConnectionId, GrantId, LinkStart, RedeemOutcome, Redemption,
    RemovalReason, Stage,
};
use plaid_token_broker_store::{OpenOptions, Store, TokenKind};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::helpers::{
    CODE_TTL, MOST_LINK_TOKENS, NOW, cancel, completion_of, hash, new_grant, oauth_authorization, take_due,
};

fn id(last: u128) -> Uuid {
    Uuid::from_u128(0x018b_cfe5_6800_7000_8000_0000_0000_0000 + last)
}

fn access_token_of(connection: u128) -> String {
    format!("access-sandbox-{}", id(connection))
}

/// All that the earlier version promised is still true.
async fn keeps_its_promises(store: &Store, refresh_token: &str) {
    // A refresh: the token is genuine, its grant is live, and the bank's token opens.
    let presented = store
        .tokens()
        .parse(TokenKind::RefreshToken, refresh_token)
        .unwrap();
    let (grant, connection) = store.grant(GrantId(presented.id())).await.unwrap().unwrap();
    assert!(presented.belongs_to(store.tokens(), &grant.nonce));
    assert_eq!((grant.id, grant.revoked_at), (GrantId(id(0x23)), None));
    assert_eq!(connection.access_token.expose(), access_token_of(0x13));
    let token = PlaidAccessToken::new(access_token_of(0x13));
    assert_eq!(store.all_grants_by_access_token(token).await.unwrap().len(), 1);

    // The code that was not redeemed.
    let redemption = |last| Redemption {
        authorization_id: AuthorizationId(id(last)),
        grant: new_grant(),
    };
    let Ok(RedeemOutcome::Redeemed(connection)) = store.redeem(redemption(2), NOW).await else {
        panic!("the code is good until {CODE_TTL:?} from then")
    };
    assert_eq!(connection.access_token.expose(), access_token_of(0x12));
    let again = store.redeem(redemption(3), NOW).await.unwrap();
    assert!(
        matches!(again, RedeemOutcome::AlreadyRedeemed { grant_id, .. } if grant_id == GrantId(id(0x23))),
        "{again:?}"
    );

    // The open one: the third link token is the last one, and it can be completed.
    let open = store
        .authorization(AuthorizationId(id(1)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (open.stage, open.client_user_id.as_str()),
        (Stage::Open, "user-1")
    );
    let mut new = oauth_authorization();
    new.id = AuthorizationId(id(1));
    for expected in [LinkStart::Allowed { first: false }, LinkStart::TooMany] {
        assert_eq!(
            store.start_link(new.clone(), MOST_LINK_TOKENS, NOW).await,
            Ok(expected)
        );
    }
    store
        .complete(completion_of(AuthorizationId(id(1)), hash()), NOW)
        .await
        .unwrap();
    assert!(matches!(
        store.redeem(redemption(1), NOW).await,
        Ok(RedeemOutcome::Redeemed(_))
    ));
    cancel(store, AuthorizationId(id(4)), NOW).await.unwrap();

    // The ended one is still to be removed at Plaid.
    let due = take_due(store, NOW, 9).await;
    assert_eq!(due.len(), 1);
    let ended = (due[0].connection.id, due[0].reason);
    assert_eq!(ended, (ConnectionId(id(0x14)), RemovalReason::Revoked));
    assert_eq!(due[0].connection.access_token.expose(), access_token_of(0x14));

    // What goes on in the background.
    let late = NOW.plus(Duration::from_secs(1_000_000));
    let given_up = Abandonment {
        unredeemed_before: late,
        sessions_before: late,
    };
    assert_eq!(store.abandon(given_up, late).await, Ok(0));
    assert_eq!(
        store.purge(late).await,
        Ok(1),
        "the public token of the ended one"
    );
    let everything = AuditQuery {
        limit: 99,
        ..AuditQuery::default()
    };
    let log = store.audit(everything).await.unwrap();
    let of_the_first = log
        .iter()
        .filter(|row| row.authorization_id == Some(AuthorizationId(id(1)).to_string()));
    assert_eq!(
        of_the_first.count(),
        3,
        "opened by that version, completed and redeemed by this one"
    );
    store.check().await.unwrap();
}

/// The look from outside that `check` takes before the upgrade.
async fn is_found_healthy(options: OpenOptions) {
    let looked = Store::inspect(options.config, options.account, Duration::from_secs(30)).await;
    let found = looked.unwrap().unwrap();
    assert_eq!((found.unopened, found.read_only), (0, None));
    assert!(found.rows > 0);
}

fn stored(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/store/stores")
        .join(name)
}

/// The stored `SQLite` store, as a data directory of its own.
fn data_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for (from, to) in [("store.sqlite", "sandbox.db"), ("sqlite.keys", "broker.key")] {
        std::fs::copy(stored(from), data.join(to)).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(data.join(to), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
    directory
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sqlite_store_of_an_earlier_version_is_opened_and_used() {
    let directory = data_directory();
    is_found_healthy(crate::helpers::sqlite::options(directory.path())).await;
    let store = Store::open(crate::helpers::sqlite::options(directory.path()))
        .await
        .unwrap();
    let refresh_token =
        "ptb_rt_018bcfe5680070008000000000000023_TCro2yeTuCbAei_22I4Wr4v6hvibYfFyo2EE1S1B03P-U_FyIek";
    keeps_its_promises(&store, refresh_token).await;
    store.close().await;
}

#[tokio::test]
async fn the_store_of_the_first_release_is_brought_up_to_date_with_all_it_has() {
    let directory = data_directory();
    // What the first step alone makes.
    rusqlite::Connection::open(directory.path().join("data/sandbox.db"))
        .unwrap()
        .execute_batch(
            "DROP TABLE audit; DROP TABLE audit_horizon; DROP TABLE redirect_uris; DROP TABLE grant_use; \
             DROP TABLE connection_health; DROP TABLE link_tokens; DROP TABLE access_tokens; \
             DELETE FROM meta WHERE name = 'access_tokens'; PRAGMA user_version = 1;",
        )
        .unwrap();
    let store = Store::open(crate::helpers::sqlite::options(directory.path()))
        .await
        .unwrap();
    let redemption = Redemption {
        authorization_id: AuthorizationId(id(2)),
        grant: new_grant(),
    };
    let outcome = store.redeem(redemption, NOW).await.unwrap();
    assert!(matches!(outcome, RedeemOutcome::Redeemed(_)));
    let log = store.audit_after(0, 99).await.unwrap();
    assert_eq!(
        log.iter().map(|row| row.event.as_str()).collect::<Vec<_>>(),
        ["code.redeemed"]
    );
    let token = || PlaidAccessToken::new(access_token_of(0x12));
    assert!(store.grants_by_access_token(token()).await.is_err());
    store.clone().index_access_tokens(CancellationToken::new()).await;
    assert_eq!(store.grants_by_access_token(token()).await.unwrap().len(), 1);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_postgresql_store_of_an_earlier_version_is_opened_and_used() {
    let database = crate::helpers::cluster::Database::make().await;
    let dump = std::fs::read_to_string(stored("postgres.sql")).unwrap();
    database.run(&dump).await.unwrap();
    is_found_healthy(crate::helpers::postgres::options(&database.url)).await;
    let store = Store::open(crate::helpers::postgres::options(&database.url))
        .await
        .unwrap();
    let refresh_token =
        "ptb_rt_018bcfe5680070008000000000000023_-lIzUxMXypeqfbCySH7lHH5CU4edEZyr0eYBW6Y3pR6ENqx8kng";
    keeps_its_promises(&store, refresh_token).await;
    store.close().await;
}
