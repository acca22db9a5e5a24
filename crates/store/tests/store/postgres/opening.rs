//! What opening refuses, and with which words.

use super::cluster::{Database, Server, client};
use super::{database, fresh, keys, options, with};
use crate::helpers::{NOW, at_once, completed, redemption_of};
use plaid_token_broker_store::Store;
use plaid_token_broker_store::config::KeySource;
use plaid_token_broker_store::error::OpenError;
use plaid_token_broker_store::model::RedeemOutcome;

async fn refusal(url: &str) -> OpenError {
    Store::open(options(url)).await.unwrap_err()
}

#[track_caller]
fn assert_tells(error: &OpenError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text:?} does not tell {part:?}");
    }
    assert!(!text.contains("hush"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_server_that_lets_nobody_in_is_told_in_words() {
    let database = Database::make().await;
    let wrong = refusal(&database.for_role("postgres", "hush")).await;
    assert_tells(
        &wrong,
        &[
            "password authentication failed for user \"postgres\"",
            "check user and password",
        ],
    );
    let (server, _) = database.url.rsplit_once('/').unwrap();
    let missing = refusal(&format!("{server}/no_such_place")).await;
    assert_tells(
        &missing,
        &["no_such_place", "does not exist", "create the database"],
    );
    let unknown = refusal("postgres://me:hush@no-such-host.invalid/broker").await;
    assert_tells(
        &unknown,
        &["no-such-host.invalid:5432/broker", "check host, port and sslmode"],
    );
    let nobody = refusal("postgres://me:hush@127.0.0.1:1/broker").await;
    assert_tells(
        &nobody,
        &["127.0.0.1:1/broker", "refused", "whether the server runs"],
    );
    let asked = refusal(&format!("{}?sslmode=require", database.url)).await;
    assert_tells(&asked, &["TLS", "sslmode"]);
    assert!(matches!(asked, OpenError::Unreachable { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_role_without_rights_is_told_what_it_lacks() {
    let database = Database::make().await;
    let role = format!("r_{}", uuid::Uuid::new_v4().as_simple());
    database
        .run(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'hush'; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        ))
        .await
        .unwrap();
    let error = refusal(&database.for_role(&role, "hush")).await;
    assert_tells(&error, &["may not make tables", "docs/operating.md"]);
    // As the documentation makes it.
    database
        .run(&format!("ALTER SCHEMA public OWNER TO {role}"))
        .await
        .unwrap();
    let store = Store::open(options(&database.for_role(&role, "hush")))
        .await
        .unwrap();
    completed(&store).await;
    store.check().await.unwrap();
    store
        .forget_audit(NOW.plus(std::time::Duration::from_secs(9)), NOW)
        .await
        .unwrap();
    store.close().await;
    database
        .run(&format!("REASSIGN OWNED BY {role} TO postgres; DROP ROLE {role}"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn many_that_open_an_empty_database_at_once_agree() {
    let database = Database::make().await;
    let url = database.url.clone();
    let (first, _other) = fresh().await;
    let stores = at_once(&first, vec![(); 6], move |_, ()| {
        let options = options(&url);
        async move { Store::open(options).await.unwrap() }
    })
    .await;
    let (id, _) = completed(&stores[0]).await;
    let row = stores[5].authorization(id).await.unwrap().unwrap();
    // One made the token key, and all have it.
    let token = |store: &Store| {
        let token = store
            .tokens()
            .issue(plaid_token_broker_store::TokenKind::Code, id.0, &row.nonce);
        token.expose().to_owned()
    };
    assert!(stores.iter().all(|store| token(store) == token(&stores[0])));
    let outcome = stores[3].redeem(redemption_of(id), NOW).await.unwrap();
    assert!(matches!(outcome, RedeemOutcome::Redeemed(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn other_accounts_keys_programs_and_versions_are_refused() {
    let (store, database) = fresh().await;
    let (_, connection) = completed(&store).await;
    let mut other = options(&database.url);
    other.account.environment = "production".to_owned();
    let error = Store::open(other).await.unwrap_err();
    assert!(matches!(error, OpenError::OtherAccount { .. }));
    assert_tells(&error, &["sandbox", "production", "0123456789abcdef01234567"]);
    let given = |source| with(&database.url, source);
    for (source, words) in [
        (keys(&[("b", 2)]), &["\"a\"", "BROKER_KEYS"]),
        (keys(&[("a", 2)]), &["\"a\"", "BROKER_KEYS"]),
        (keys(&[]), &["BROKER_KEYS", "id:base64"]),
        (
            KeySource::File("broker.key".into()),
            &["BROKER_KEYS", "keys generate"],
        ),
    ] {
        assert_tells(&Store::open(given(source)).await.unwrap_err(), words);
    }
    assert!(!std::path::Path::new("broker.key").exists());
    let store = Store::open(given(keys(&[("b", 2), ("a", 1)]))).await.unwrap();
    assert!(store.connection(connection).await.unwrap().is_some());
    let newer = format!("UPDATE meta SET value = '\\x{:016x}' WHERE name = 'schema'", 7777);
    database.run(&newer).await.unwrap();
    let error = refusal(&database.url).await;
    assert!(matches!(error, OpenError::Newer { found: 7777, .. }), "{error}");

    let foreign = Database::make().await;
    for tables in [
        "CREATE TABLE diary (day text)",
        "CREATE TABLE meta (name text, value bytea)",
    ] {
        foreign.run(tables).await.unwrap();
        let error = refusal(&foreign.url).await;
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        assert_tells(&error, &["a database of its own", "search_path"]);
        assert!(foreign.run("SELECT 1 FROM connections").await.is_err());
    }
    // In a schema of its own it disturbs nobody.
    foreign.run("CREATE SCHEMA broker").await.unwrap();
    let url = format!("{}?options=-csearch_path%3Dbroker", foreign.url);
    let store = Store::open(options(&url)).await.unwrap();
    completed(&store).await;
    assert!(store.size().await.unwrap() > 0);
    foreign.run("CREATE SCHEMA \"Broker\"").await.unwrap();
    let url = format!("{}?options=-csearch_path%3D%22Broker%22", foreign.url);
    for _ in 0..2 {
        completed(&Store::open(options(&url)).await.unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_look_from_outside_changes_nothing() {
    let empty = Database::make().await;
    let look = |url: &str, source| {
        let options = with(url, source);
        Store::inspect(options.config, options.account, std::time::Duration::from_secs(5))
    };
    assert!(look(&empty.url, keys(&[("a", 1)])).await.unwrap().is_none());
    let tables = client(&empty.url).await;
    let tables = tables
        .query_one(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(tables.get::<_, i64>(0), 0);

    let (store, database) = fresh().await;
    for _ in 0..3 {
        completed(&store).await;
    }
    let seen = look(&database.url, keys(&[("a", 1)])).await.unwrap().unwrap();
    assert_eq!((seen.rows, seen.unopened, seen.whole), (3, 0, true));
    assert_eq!(seen.read_only, None);
    assert!(matches!(
        look(&database.url, keys(&[("b", 1)])).await.unwrap_err(),
        OpenError::WrongKeys { .. }
    ));
    let sql = format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        database.url.rsplit_once('/').unwrap().1
    );
    database.run(&sql).await.unwrap();
    let seen = look(&database.url, keys(&[("a", 1)])).await.unwrap().unwrap();
    assert!(seen.read_only.unwrap().contains("read-only"));
    let error = refusal(&database.url).await;
    assert_tells(&error, &["takes no writes"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn rights_that_are_missing_are_seen_from_outside_and_told() {
    let (store, database) = fresh().await;
    completed(&store).await;
    let role = format!("r_{}", uuid::Uuid::new_v4().as_simple());
    let url = database.for_role(&role, "hush");
    let look = || {
        let options = options(&url);
        Store::inspect(options.config, options.account, std::time::Duration::from_secs(5))
    };
    let make = format!("CREATE ROLE {role} LOGIN PASSWORD 'hush'; GRANT CONNECT ON DATABASE");
    let name = database.url.rsplit_once('/').unwrap().1;
    database.run(&format!("{make} {name} TO {role}")).await.unwrap();
    assert_tells(
        &look().await.unwrap_err(),
        &["may not use the tables", "grant it"],
    );
    assert_tells(&refusal(&url).await, &["may not use the tables", "grant it"]);
    for (rights, may) in [
        ("SELECT ON ALL TABLES IN SCHEMA public", false),
        // One of the two that it takes.
        ("INSERT ON ALL TABLES IN SCHEMA public", false),
        ("UPDATE ON meta, authorizations", false),
        ("UPDATE, DELETE ON ALL TABLES IN SCHEMA public", true),
    ] {
        database.run(&format!("GRANT {rights} TO {role}")).await.unwrap();
        let seen = look().await.unwrap().unwrap();
        assert_eq!(seen.read_only.is_none(), may, "{rights}");
    }
    Store::open(options(&url)).await.unwrap().check().await.unwrap();
    database
        .run(&format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC, {role}"))
        .await
        .unwrap();
    assert_tells(
        &refusal(&url).await,
        &["permission denied", "grant the role CONNECT"],
    );
    database
        .run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_database_that_cannot_hold_every_name_is_refused() {
    let database = Database::make().await;
    let name = format!("latin_{}", uuid::Uuid::new_v4().as_simple());
    database
        .run(&format!(
            "CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        ))
        .await
        .unwrap();
    let (server, _) = database.url.rsplit_once('/').unwrap();
    let error = refusal(&format!("{server}/{name}")).await;
    database
        .run(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .await
        .unwrap();
    assert_tells(&error, &["its encoding is LATIN1", "ENCODING 'UTF8'"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn tls_is_used_and_checked_as_sslmode_says() {
    let mut authority = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();

    let server = Server::start(&[]);
    server.stop();
    let path = |name: &str| server.directory().join(name);
    std::fs::write(path("data/server.crt"), certificate.pem()).unwrap();
    std::fs::write(path("data/server.key"), key.serialize_pem()).unwrap();
    std::fs::write(path("ca.pem"), authority_pem).unwrap();
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path("data/server.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let conf = std::fs::read_to_string(path("data/postgresql.conf")).unwrap();
    std::fs::write(path("data/postgresql.conf"), format!("{conf}\nssl = on\n")).unwrap();
    server.start_again();

    let ca = path("ca.pem").display().to_string();
    let by_name = server.url.replace("127.0.0.1", "localhost");
    for (url, is_encrypted) in [
        (format!("{}?sslmode=disable", server.url), false),
        (format!("{}?sslmode=prefer", server.url), true),
        (format!("{by_name}?sslmode=require&sslrootcert={ca}"), true),
    ] {
        let store = Store::open(options(&url)).await.unwrap();
        let sql = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
             WHERE application_name = 'plaid-token-broker'";
        let row = client(&server.url).await.query_one(sql, &[]).await.unwrap();
        let encrypted: Option<bool> = row.get(0);
        store.close().await;
        assert_eq!(encrypted, Some(is_encrypted), "{:?}", database(&url));
    }
    for url in [
        // An authority that nobody on this machine trusts; another name than the certificate's; no certificate at all.
        format!("{by_name}?sslmode=require"),
        format!("{}?sslmode=require&sslrootcert={ca}", server.url),
        format!("{by_name}?sslmode=require&sslrootcert={ca}.not"),
    ] {
        let error = refusal(&url).await;
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
        assert_tells(&error, &["certificate"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_socket_of_the_machine_will_do() {
    let server = Server::start(&[]);
    let (user, place) = server.url.split_once('@').unwrap();
    let port = place.split([':', '/']).nth(1).unwrap();
    let socket = server.directory().display();
    // As libpq does, whatever TLS is asked for: there is none on a socket.
    let url = format!("{user}@/postgres?host={socket}&port={port}&sslmode=require");
    let store = Store::open(options(&url)).await.unwrap();
    let (_, connection) = completed(&store).await;
    assert!(store.connection(connection).await.unwrap().is_some());
}
