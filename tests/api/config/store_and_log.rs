//! The database, the sealing keys, and the log.

use std::path::PathBuf;

use super::*;
use plaid_token_broker::config::{DatabaseUrl, KeySource, LogFormat, PostgresUrl, TlsMode};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn paths(env: &[(&str, &str)]) -> (PathBuf, PathBuf) {
    let store = good(env).store;
    match (store.database, store.keys) {
        (DatabaseUrl::Sqlite(database), KeySource::File(file)) => (database, file),
        other => panic!("a file and a key file were expected: {other:?}"),
    }
}

#[test]
fn the_database_is_a_file_with_its_key_beside_it() {
    for (url, database, key) in [
        ("", "data/simulator.db", "data/broker.key"),
        ("sqlite://rows/a.db", "rows/a.db", "rows/broker.key"),
        ("sqlite:///var/lib/a.db", "/var/lib/a.db", "/var/lib/broker.key"),
        ("sqlite:a.db", "a.db", "broker.key"),
    ] {
        assert_eq!(
            paths(&[("DATABASE_URL", url)]),
            (database.into(), key.into()),
            "{url}"
        );
    }
    let sandbox = with_keys(&[]).map(|config| config.store.database);
    assert_eq!(sandbox, Ok(DatabaseUrl::Sqlite("data/sandbox.db".into())));
}

fn postgres(url: &str) -> PostgresUrl {
    let keys = format!("a:{KEY}");
    match good(&[("DATABASE_URL", url), ("BROKER_KEYS", &keys)])
        .store
        .database
    {
        DatabaseUrl::Postgres(url) => *url,
        DatabaseUrl::Sqlite(path) => panic!("a server was expected: {}", path.display()),
    }
}

#[test]
fn a_server_is_named_by_host_and_database_alone() {
    for (url, name) in [
        ("postgres://me:hush@db/broker", "postgres://db:5432/broker"),
        (
            "postgresql://me:hush@db.example:6432/broker?sslmode=require",
            "postgres://db.example:6432/broker",
        ),
        (
            "postgres://me:hu%40sh@[::1]/broker?options=-csearch_path%3Dhush",
            "postgres://[::1]:5432/broker",
        ),
        (
            "postgres://me:hush@a:1,b:2/broker?target_session_attrs=read-write",
            "postgres://a:1,b:2/broker",
        ),
        (
            "postgres:///broker?host=/run/postgresql&user=me",
            "postgres:///broker?host=/run/postgresql",
        ),
        (
            "POSTGRES://me@%2Frun%2Fpostgresql/broker",
            "postgres:///broker?host=/run/postgresql",
        ),
    ] {
        let url = postgres(url);
        assert_eq!(url.to_string(), name);
        let shown = format!("{url:?}");
        assert!(shown.contains(name) && !shown.contains("hu"), "{shown}");
    }
}

#[test]
fn three_parameters_of_the_url_are_ours() {
    let url = postgres("postgres://me:hush@db/broker");
    assert_eq!(
        (url.tls, url.root_certificates.clone(), url.pool_size),
        (TlsMode::Prefer, None, 10)
    );
    let url = postgres(
        "postgres://me@db/broker?sslmode=verify-full&sslrootcert=/etc/ssl/my%20ca.pem&pool_size=3&connect_timeout=2",
    );
    assert_eq!((url.tls, url.pool_size), (TlsMode::Require, 3));
    assert_eq!(url.root_certificates, Some("/etc/ssl/my ca.pem".into()));
    assert_eq!(
        url.connect.get_connect_timeout(),
        Some(&std::time::Duration::from_secs(2))
    );
    assert!(postgres("postgres://me@127.0.0.1/broker").is_local() && !url.is_local());
    // An address is what is connected to, whatever its host is called; on a socket there is no TLS.
    assert!(!postgres("postgres://me@localhost/broker?hostaddr=192.0.2.7").is_local());
    #[cfg(unix)]
    {
        let socket = postgres("postgres://me@/broker?host=/run/postgresql&sslmode=require");
        assert_eq!(socket.tls, TlsMode::Disable);
        assert_eq!(format!("{:?}", socket.connect.get_ssl_mode()), "Disable");
    }
}

#[test]
fn a_server_needs_keys_that_are_given() {
    let problem = problem(load(&[("DATABASE_URL", "postgres://me:hush@db/broker")]));
    assert!(
        problem.starts_with("BROKER_KEYS: ") && problem.contains("plaid-token-broker keys generate"),
        "{problem}"
    );
}

#[test]
fn a_database_url_can_come_from_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("url");
    std::fs::write(&file, "postgres://me:hush@db/broker\n").unwrap();
    let keys = format!("a:{KEY}");
    let config = good(&[
        ("DATABASE_URL_FILE", file.to_str().unwrap()),
        ("BROKER_KEYS", &keys),
    ]);
    assert_eq!(config.store.database.to_string(), "postgres://db:5432/broker");
    assert!(!format!("{config:?}").contains("hush"));
}

#[test]
fn other_databases_are_refused_without_showing_a_password() {
    for (url, word) in [
        ("postgres://me:hush@db", "name the database"),
        ("postgres://me:hush@/broker", "name the host"),
        ("postgresql://me:hush@db:port/broker", "percent-encode"),
        ("postgres://me:hush@db/broker?sslmode=hush", "sslmode may be"),
        ("postgres://me:hush@db/broker?pool_size=0", "from 1 to 500"),
        (
            "postgres://me:hush@db/broker?password_file=hush",
            "percent-encode",
        ),
        ("postgres://me:S3cr@hush@127.0.0.1/broker", "percent-encode"),
        ("postgres://me:S3cr@x/hush@127.0.0.1/broker", "percent-encode"),
        ("postgres://me:S3cr@/broker?host=x@hush", "percent-encode"),
        (
            "postgres://me:hush@/broker?hostaddr=192.0.2.7",
            "a host for each hostaddr",
        ),
        (
            "postgres://me:hush@/broker?host=/run/hush&hostaddr=192.0.2.7",
            "a host for each hostaddr",
        ),
        ("mysql://me:hush@db/broker", "write sqlite://"),
        ("data/hush.db", "write sqlite://"),
        ("sqlite::memory:", "would forget"),
        ("sqlite://:memory:", "would forget"),
        ("sqlite://", "not a folder"),
        ("sqlite://data/", "not a folder"),
        ("sqlite://a.db?mode=hush", "without ? or #"),
    ] {
        let problem = problem(load(&[("DATABASE_URL", url)]));
        assert!(
            problem.starts_with("DATABASE_URL: ") && problem.contains(word) && !problem.contains("hush"),
            "{problem}"
        );
    }
}

#[test]
fn keys_are_read_with_their_ids() {
    let url_safe = format!("_-{}", "A".repeat(41));
    let value = format!(
        "2026-01.a:{KEY},old:{},older:{url_safe}",
        KEY.trim_end_matches('=')
    );
    let KeySource::Given(keys) = good(&[("BROKER_KEYS", &value)]).store.keys else {
        panic!("keys were expected")
    };
    assert_eq!(
        keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(),
        ["2026-01.a", "old", "older"]
    );
    let expected: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap_or_default());
    assert!(keys.iter().take(2).all(|key| *key.key == expected));
    assert_eq!(format!("{:?}", keys.first()), "Some(SealingKey(2026-01.a, …))");
}

#[test]
fn bad_keys_are_refused_and_never_shown() {
    let long_id = "x".repeat(33);
    for (value, word) in [
        (KEY.to_owned(), "write id:base64"),
        (format!("a:{KEY},a:{KEY}"), "key 2: give it an id of its own"),
        (format!(":{KEY}"), "1 to 32 letters"),
        (format!("{long_id}:{KEY}"), "1 to 32 letters"),
        (format!("a b:{KEY}"), "write id:base64"),
        (format!("a_b:{KEY}"), "1 to 32 letters"),
        ("a:AAECAwQF".to_owned(), "must be 32 bytes"),
        ("a:!AECAwQF".to_owned(), "no base64"),
        (",".to_owned(), "at least one"),
    ] {
        let problem = problem(load(&[("BROKER_KEYS", &value)]));
        assert!(
            problem.starts_with("BROKER_KEYS: ") && problem.contains(word),
            "{value}: {problem}"
        );
        assert!(!problem.contains("AECAwQF"), "{problem}");
    }
}

#[test]
fn the_log_is_for_people_on_a_terminal() {
    let format = |env: &[(&str, &str)], stderr_is_terminal| {
        Config::load(
            owned(env),
            None,
            LoadOptions {
                stderr_is_terminal,
                ..LoadOptions::default()
            },
        )
        .map(|config| config.log.format)
    };
    assert_eq!(format(&[], true), Ok(LogFormat::Text));
    assert_eq!(format(&[], false), Ok(LogFormat::Json));
    assert_eq!(format(&[("BROKER_LOG", "JSON")], true), Ok(LogFormat::Json));
    assert_eq!(format(&[("BROKER_LOG", "text")], false), Ok(LogFormat::Text));
    refuses("BROKER_LOG", &[("pretty", "text or json")]);
}

#[test]
fn the_filter_is_one_of_tracing() {
    assert_eq!(good(&[]).log.filter, "info");
    assert_eq!(
        good(&[("RUST_LOG", "warn,hyper=debug")]).log.filter,
        "warn,hyper=debug"
    );
    refuses("RUST_LOG", &[("info,hyper=loudest", "a filter such as")]);
}

#[test]
fn the_audit_log_is_kept_for_days_or_for_ever() {
    let days = |text| good(&[("BROKER_AUDIT_DAYS", text)]).audit.keep;
    let of = |days: u64| Some(std::time::Duration::from_secs(days * 24 * 3600));
    assert_eq!((good(&[]).audit.keep, good(&[]).audit.file), (of(400), None));
    assert_eq!((days("1"), days("Forever")), (of(1), None));
    refuses(
        "BROKER_AUDIT_DAYS",
        &[
            ("0", "forever"),
            ("-1", "number of days"),
            ("36501", "36500"),
            ("a year", "number of days"),
        ],
    );
}
