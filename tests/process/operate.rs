//! The operator's commands, with the broker running and stopped: what they tell, end, seal anew and save.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection as Sqlite;
use serde_json::Value;
use tempfile::TempDir;

use crate::flow::{Broker, Plaid, code_of, public_token};
use crate::harness::{BINARY, Ended, PATIENCE, Start, directory, mode, write};

/// A command with the settings of this broker.
fn command(plaid: &Plaid, home: &TempDir, broker: Option<&Broker>, arguments: &[&str]) -> Start {
    let start = Start::command(home.path(), arguments)
        .set("PLAID_CLIENT_ID", plaid_token_broker::simulator::CLIENT_ID)
        .set("PLAID_SECRET", plaid_token_broker::simulator::SECRET)
        .set("PLAID_BASE_URL", &plaid.url);
    match broker {
        Some(broker) => start.set("BROKER_OPS_BIND", broker.ops.trim_start_matches("http://")),
        None => start,
    }
}

fn run(plaid: &Plaid, home: &TempDir, broker: Option<&Broker>, arguments: &[&str]) -> Ended {
    command(plaid, home, broker, arguments).run()
}

#[track_caller]
fn json(plaid: &Plaid, home: &TempDir, broker: Option<&Broker>, arguments: &[&str]) -> Value {
    let ended = run(plaid, home, broker, arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

fn events(plaid: &Plaid, home: &TempDir, broker: Option<&Broker>) -> Vec<Value> {
    let ended = run(
        plaid,
        home,
        broker,
        &["connections", "audit", "--json", "--limit", "10000"],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn connections_are_listed_shown_and_ended_with_the_broker_running_and_stopped() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let mut broker = Broker::of(plaid.broker(&home));
    let first = broker.tokens(&plaid.url);
    let second = broker.tokens(&plaid.url);
    let third = broker.tokens(&plaid.url);
    broker.must_refresh(&first.text("refresh_token"), &first.text("access_token"));
    let item = first.text("item_id");

    for running in [true, false] {
        if !running {
            assert_eq!(broker.process.stop(), Some(0));
        }
        let there = running.then_some(&broker);
        let table = run(&plaid, &home, there, &["connections", "list"]);
        table.must_say(0, &[]);
        let line = table.stdout.lines().find(|line| line.contains(&item)).unwrap();
        for word in [
            "First Platypus Bank",
            "live",
            "healthy",
            plaid_token_broker::simulator::CLIENT_ID,
        ] {
            assert!(line.contains(word), "`{word}` is missing in {line}");
        }
        assert!(!table.stdout.contains("access-"));
        let listed = json(&plaid, &home, there, &["connections", "list", "--json"]);
        assert_eq!(listed.as_array().unwrap().len(), 3);
        let shown = json(&plaid, &home, there, &["connections", "show", &item, "--json"]);
        assert_eq!(shown["health"]["word"], "healthy");
        assert!(shown["grants"][0]["refreshed_at"].is_i64(), "{shown}");
        let text = run(&plaid, &home, there, &["connections", "show", &item]);
        assert!(text.stdout.contains("First Platypus Bank"), "{text:?}");
        let missing = run(&plaid, &home, there, &["connections", "show", "no-such-item"]);
        missing.must_say(1, &["no-such-item", "connections list"]);
        let piped = run(&plaid, &home, there, &["connections", "token", &item, "--reveal"]);
        piped.must_say(2, &["terminal"]);
        let unasked = run(&plaid, &home, there, &["connections", "revoke", &item]);
        unasked.must_say(2, &["--yes"]);
        let check = run(&plaid, &home, there, &["connections", "show", &item, "--check"]);
        assert_eq!(check.code, Some(i32::from(!running)), "{check:?}");
    }

    let ended = run(&plaid, &home, None, &["connections", "revoke", &item, "--yes"]);
    assert!(
        ended.stdout.contains("1 connections ended, 1 grants"),
        "{ended:?}"
    );
    let mut broker = Broker::of(plaid.broker(&home));
    plaid.called("/item/remove", 1);
    let refused = broker
        .token(&[("refresh_token", &first.text("refresh_token"))])
        .unwrap();
    assert_eq!(refused.status, 400, "{refused:?}");
    broker.must_refresh(&second.text("refresh_token"), &second.text("access_token"));
    let all = run(
        &plaid,
        &home,
        Some(&broker),
        &["connections", "revoke", "--all", "--yes"],
    );
    assert!(all.stdout.contains("2 connections ended, 2 grants"), "{all:?}");
    assert!(all.stderr.contains("3 of 3 connections examined"), "{all:?}");
    plaid.called("/item/remove", 3);
    let refused = broker
        .token(&[("refresh_token", &third.text("refresh_token"))])
        .unwrap();
    assert_eq!(refused.status, 400, "{refused:?}");
    let log = events(&plaid, &home, Some(&broker));
    let by_operator = log
        .iter()
        .filter(|row| row["actor"] == "operator" && row["event"] == "connection.ended");
    assert_eq!(by_operator.count(), 3);
    let nobody = run(
        &plaid,
        &home,
        Some(&broker),
        &["connections", "revoke", "--client", "nobody", "--yes"],
    );
    nobody.must_say(1, &["nobody"]);
    assert_eq!(broker.process.stop(), Some(0));
}

/// Runs a command on a terminal of its own, with what is typed there. Its output may hold what it reveals, so it is never
/// printed. The terminal is that of util-linux's `script`.
fn on_terminal(start: Start, arguments: &[&str], typed: &str) -> (i32, String) {
    let own = start.into_command();
    let mut line = format!("'{BINARY}'");
    for argument in arguments {
        line = format!("{line} '{argument}'");
    }
    let mut script = std::process::Command::new("script");
    script
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env_clear();
    for (name, value) in own.get_envs() {
        script.env(name, value.unwrap());
    }
    script.env("PATH", std::env::var_os("PATH").unwrap());
    script.current_dir(own.get_current_dir().unwrap());
    script
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let mut script = script.spawn().unwrap_or_else(|error| {
        panic!("`script` cannot be started; install util-linux's (package bsdutils): {error}")
    });
    io::Write::write_all(script.stdin.as_mut().unwrap(), typed.as_bytes()).unwrap();
    let ended = script.wait_with_output().unwrap();
    (
        ended.status.code().unwrap(),
        String::from_utf8_lossy(&ended.stdout).into_owned(),
    )
}

#[test]
fn a_token_is_shown_on_a_terminal_and_audited_and_a_revocation_asks_there() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let mut broker = Broker::of(plaid.broker(&home));
    let tokens = broker.tokens(&plaid.url);
    let item = tokens.text("item_id");
    let own = || command(&plaid, &home, Some(&broker), &[]);
    let reveal = ["connections", "token", &item, "--reveal"];
    let (code, shown) = on_terminal(own(), &reveal, "");
    assert!(
        code == 0 && shown.contains(&tokens.text("access_token")),
        "exit code {code}"
    );
    let log = events(&plaid, &home, Some(&broker));
    let revealed: Vec<_> = log
        .iter()
        .filter(|row| row["event"] == "token.revealed")
        .collect();
    assert!(revealed.len() == 1 && revealed[0]["connection_id"].is_string());
    assert!(!serde_json::to_string(&log).unwrap().contains("access-"));

    let revoke = ["connections", "revoke", &item];
    let (code, said) = on_terminal(own(), &revoke, "no\n");
    assert!(code == 1 && said.contains("Nothing was ended"), "{code}: {said}");
    broker.must_refresh(&tokens.text("refresh_token"), &tokens.text("access_token"));
    let (code, said) = on_terminal(own(), &revoke, "revoke\n");
    assert!(
        code == 0 && said.contains("1 connections ended"),
        "{code}: {said}"
    );
    let (code, said) = on_terminal(own(), &reveal, "");
    assert!(code == 1 && said.contains("was ended"), "exit code {code}");
    // In production it is never shown, and nothing is asked for it.
    let production = own()
        .set("PLAID_ENV", "production")
        .set("PLAID_PRODUCTS", "auth")
        .set("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS", "none");
    let (code, said) = on_terminal(production, &reveal, "");
    assert!(code == 2 && said.contains("never shown"), "exit code {code}");
    assert_eq!(broker.process.stop(), Some(0));
}

/// People connect banks and clients refresh until told to stop, or until the broker is gone. Gives what was answered.
fn load(broker: &Broker, plaid: &Plaid, stop: &AtomicBool) -> Vec<(String, String)> {
    let mut answered = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let Ok(tab) = broker.open("state=s") else { break };
        let landed = broker
            .complete(&tab, &public_token(&plaid.url))
            .and_then(crate::web::Sent::reply);
        let Ok(landed) = landed else { break };
        let Ok(tokens) = broker.token(&[("code", &code_of(&landed))]) else {
            break;
        };
        assert_eq!(tokens.status, 200, "{tokens:?}");
        answered.push((tokens.text("refresh_token"), tokens.text("access_token")));
    }
    answered
}

fn generated(plaid: &Plaid, home: &TempDir) -> String {
    let ended = run(plaid, home, None, &["keys", "generate"]);
    assert_eq!(ended.code, Some(0));
    ended.stdout.trim().to_owned()
}

/// The id of a key, `id:key`.
fn key_id(key: &str) -> &str {
    key.split(':').next().unwrap()
}

/// How many access tokens are sealed with this key.
fn sealed_with(conn: &Sqlite, id: &str) -> usize {
    // An envelope begins with two bytes and the key's id.
    let sql = "SELECT count(*) FROM connections WHERE substr(access_token, 3, ?2) = ?1";
    let count: i64 = conn
        .query_row(sql, (id.as_bytes(), i64::try_from(id.len()).unwrap()), |row| {
            row.get(0)
        })
        .unwrap();
    usize::try_from(count).unwrap()
}

/// Waits until some of the values that this key sealed are sealed anew and others are not, and stops the broker's writes at
/// that point, for as long as the result lives. `None`: the rotation was at its end before that.
fn stop_halfway(database: &Path, old: &str) -> Option<Sqlite> {
    let conn = Sqlite::open(database).unwrap();
    // Between two steps there is little time: it is not slept through.
    conn.busy_timeout(Duration::ZERO).unwrap();
    let before = sealed_with(&conn, old);
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "nothing is sealed anew");
        // The one lock for writing: nothing is committed while this holds it.
        if conn.execute_batch("BEGIN IMMEDIATE").is_err() {
            continue;
        }
        match sealed_with(&conn, old) {
            0 => return None,
            left if left < before => return Some(conn),
            _ => conn.execute_batch("COMMIT").unwrap(),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn keys_rotate_under_load_through_a_kill_and_the_old_key_can_go() {
    // More than two steps of a rotation, so that there is a state between.
    const CONNECTIONS: usize = 600;
    const ATTEMPTS: usize = 15;
    let home = directory();
    let plaid = Plaid::start(&home);
    let database = home.path().join("data/sandbox.db");
    let with = |keys: &[String]| {
        plaid
            .broker(&home)
            .set("BROKER_KEYS", &keys.join(","))
            .set("BROKER_RATE_LIMIT", "off")
            .set("RUST_LOG", "warn")
    };
    let rotate = |broker: Option<&Broker>, keys: &[String]| {
        command(&plaid, &home, broker, &["keys", "rotate"]).set("BROKER_KEYS", &keys.join(","))
    };
    let mut keys = vec![generated(&plaid, &home)];
    let mut broker = Broker::of(with(&keys));
    let stop = AtomicBool::new(false);
    let mut answered: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| load(&broker, &plaid, &stop)))
            .collect();
        let conn = Sqlite::open(&database).unwrap();
        while sealed_with(&conn, key_id(&keys[0])) < CONNECTIONS
            && !workers.iter().all(std::thread::ScopedJoinHandle::is_finished)
        {
            std::thread::sleep(Duration::from_millis(20));
        }
        stop.store(true, Ordering::SeqCst);
        let answered = workers.into_iter().map(|worker| worker.join().unwrap());
        answered.flatten().collect()
    });
    assert!(answered.len() >= CONNECTIONS - 4, "{}", answered.len());
    // The broker does not know the new key yet.
    keys.insert(0, generated(&plaid, &home));
    rotate(Some(&broker), &keys)
        .run()
        .must_say(1, &["restart the broker"]);
    assert_eq!(broker.process.stop(), Some(0));

    // Killed in the middle of a rotation, under load. One that ends sooner is repeated with the next key.
    let mut halfway = false;
    for _ in 0..ATTEMPTS {
        let mut broker = Broker::of(with(&keys));
        let stop = AtomicBool::new(false);
        let id = broker.process.id();
        let old = key_id(&keys[1]);
        let more = std::thread::scope(|scope| {
            let worker = scope.spawn(|| load(&broker, &plaid, &stop));
            let rotating = rotate(Some(&broker), &keys).spawn();
            let held = stop_halfway(&database, old);
            halfway = held.is_some();
            let killed = std::process::Command::new("sh")
                .args(["-c", "kill -9 \"$0\"", &id.to_string()])
                .status();
            assert!(killed.unwrap().success());
            stop.store(true, Ordering::SeqCst);
            drop((held, rotating));
            worker.join().unwrap()
        });
        broker.process.wait();
        answered.extend(more);
        if halfway {
            break;
        }
        keys.insert(0, generated(&plaid, &home));
    }
    assert!(halfway, "no rotation was killed in its middle");
    let left = sealed_with(&Sqlite::open(&database).unwrap(), key_id(&keys[1]));
    assert!(left > 0, "the rotation had ended");

    // Resumed while it serves.
    let mut broker = Broker::of(with(&keys));
    let stop = AtomicBool::new(false);
    let more = std::thread::scope(|scope| {
        let worker = scope.spawn(|| load(&broker, &plaid, &stop));
        let done = rotate(Some(&broker), &keys).run();
        stop.store(true, Ordering::SeqCst);
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(
            done.stdout.contains("No longer needed by the store: "),
            "{done:?}"
        );
        assert!(done.stdout.contains(key_id(&keys[1])), "{done:?}");
        worker.join().unwrap()
    });
    answered.extend(more);
    let again = rotate(Some(&broker), &keys).run();
    assert!(again.stdout.contains("0 values were sealed again"), "{again:?}");
    assert_eq!(broker.process.stop(), Some(0));

    // The new key alone opens everything.
    let broker = Broker::of(with(&keys[..1]));
    for (refresh_token, access_token) in &answered {
        broker.must_refresh(refresh_token, access_token);
    }
}

#[test]
fn a_backup_under_load_restores_elsewhere_with_every_acknowledged_connection() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let start = || {
        plaid
            .broker(&home)
            .set("BROKER_RATE_LIMIT", "off")
            .set("RUST_LOG", "warn")
    };
    let mut broker = Broker::of(start());
    let mut answered: Vec<_> = (0..5)
        .map(|_| broker.tokens(&plaid.url))
        .map(|tokens| (tokens.text("refresh_token"), tokens.text("access_token")))
        .collect();
    let stop = AtomicBool::new(false);
    let file = home.path().join("backup.db");
    let name = file.to_str().unwrap();
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| load(&broker, &plaid, &stop));
        let done = run(&plaid, &home, Some(&broker), &["backup", name]);
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.stderr.contains("keys are not in it"), "{done:?}");
        stop.store(true, Ordering::SeqCst);
        worker.join().unwrap();
    });
    assert_eq!(mode(&file), 0o600);
    run(&plaid, &home, Some(&broker), &["backup", name]).must_say(1, &["is there already"]);
    let in_use = run(&plaid, &home, Some(&broker), &["restore", name, "--force"]);
    in_use.must_say(1, &["in use", "Stop the broker"]);
    // What was acknowledged after the backup is not in it: these were before.
    answered.truncate(5);
    assert_eq!(broker.process.stop(), Some(0));

    let there = directory();
    let lonely = run(&plaid, &there, None, &["restore", name]);
    lonely.must_say(0, &["there is no key here yet"]);
    std::fs::copy(
        home.path().join("data/broker.key"),
        there.path().join("data/broker.key"),
    )
    .unwrap();
    run(&plaid, &there, None, &["restore", name]).must_say(1, &["is there already", "--force"]);
    let restored = run(&plaid, &there, None, &["restore", name, "--force"]);
    restored.must_say(0, &["previous store is now"]);
    assert!(restored.stdout.starts_with("restored: "), "{restored:?}");
    let broker = Broker::of(plaid.broker(&there));
    for (refresh_token, access_token) in &answered {
        broker.must_refresh(refresh_token, access_token);
    }
    let log = events(&plaid, &there, Some(&broker));
    assert!(log.iter().any(|row| row["event"] == "store.restored"));

    write(&home, "diary.db", "no database");
    let diary = home.path().join("diary.db");
    run(&plaid, &directory(), None, &["restore", diary.to_str().unwrap()])
        .must_say(1, &["diary.db", "not a backup"]);
}

#[test]
fn every_connection_has_its_row_in_the_audit_log_whenever_it_is_killed() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let mut connections = 0;
    for _ in 0..4 {
        let mut broker = Broker::of(
            plaid
                .broker(&home)
                .set("BROKER_RATE_LIMIT", "off")
                .set("RUST_LOG", "warn"),
        );
        let stop = AtomicBool::new(false);
        let id = broker.process.id();
        let exchanges = plaid.count("/item/public_token/exchange");
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| load(&broker, &plaid, &stop)))
                .collect();
            // Anywhere in the fourth flow or later of this round.
            let deadline = Instant::now() + PATIENCE;
            while plaid.count("/item/public_token/exchange") < exchanges + 4 {
                assert!(Instant::now() < deadline, "no load");
            }
            std::thread::sleep(Duration::from_micros(u64::from(rand::random::<u16>())));
            let killed = std::process::Command::new("sh")
                .args(["-c", "kill -9 \"$0\"", &id.to_string()])
                .status();
            assert!(killed.unwrap().success());
            stop.store(true, Ordering::SeqCst);
            for worker in workers {
                worker.join().unwrap();
            }
        });
        broker.process.wait();
        // As it lies on the disk after the kill, before any start repairs anything.
        let database = home.path().join("data/sandbox.db");
        let conn = Sqlite::open(&database).unwrap();
        let ids = |sql: &str| -> BTreeSet<Vec<u8>> {
            let mut statement = conn.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let stored = ids("SELECT id FROM connections");
        let told = ids("SELECT connection_id FROM audit WHERE event = 'authorization.completed'");
        assert_eq!(stored, told);
        let grants = ids("SELECT id FROM grants");
        assert_eq!(
            grants,
            ids("SELECT grant_id FROM audit WHERE event = 'code.redeemed'")
        );
        let opened = ids("SELECT id FROM authorizations");
        assert_eq!(
            opened,
            ids("SELECT authorization_id FROM audit WHERE event = 'authorization.opened'")
        );
        connections = stored.len();
    }
    println!("{connections} connections, 4 kills");
    assert!(connections >= 10, "{connections}: no load");
}

#[test]
fn what_fails_in_a_wrong_directory_makes_nothing_and_says_what_to_do() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let mut broker = Broker::of(plaid.broker(&home));
    broker.tokens(&plaid.url);
    let good = home.path().join("good.db");
    let good = good.to_str().unwrap();
    assert_eq!(run(&plaid, &home, Some(&broker), &["backup", good]).code, Some(0));
    // While it runs and stopped.
    let away = home.path().join("not-there/x.db");
    let away = away.to_str().unwrap();
    for running in [true, false] {
        let there = running.then_some(&broker);
        run(&plaid, &home, there, &["backup", away]).must_say(1, &[away, "make its directory first"]);
        if running {
            assert_eq!(broker.process.stop(), Some(0));
        }
    }

    let wrong = directory();
    write(&wrong, "text.db", "no database");
    let keys = "main:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (arguments, words) in [
        (&["backup", "x.db"][..], &["there is no store"][..]),
        (&["keys", "rotate"], &["there is no store"]),
        (
            &["restore", "text.db"],
            &["is not a backup", "plaid-token-broker backup"],
        ),
        (&["restore", "nope.db"], &["nope.db", "plaid-token-broker backup"]),
        (
            &["restore", ".", "--force"],
            &["is a directory", "plaid-token-broker backup"],
        ),
    ] {
        command(&plaid, &wrong, None, arguments)
            .set("BROKER_KEYS", keys)
            .run()
            .must_say(1, words);
        let left: Vec<_> = std::fs::read_dir(wrong.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{arguments:?} left {left:?}");
    }
    // Of another account.
    command(&plaid, &wrong, None, &["restore", good])
        .set("PLAID_ENV", "production")
        .set("PLAID_PRODUCTS", "auth")
        .set("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS", "none")
        .run()
        .must_say(1, &["correct PLAID_ENV"]);
    assert!(!wrong.path().join("data").exists());
    // And beside a store nothing of it is left either.
    run(
        &plaid,
        &home,
        None,
        &["restore", wrong.path().to_str().unwrap(), "--force"],
    )
    .must_say(1, &["is a directory"]);
    let restored = run(&plaid, &home, None, &["restore", good, "--force"]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
}
