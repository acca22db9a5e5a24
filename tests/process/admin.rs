//! Getting in: the link that the start prints, and `admin-link`.

use crate::flow::Broker;
use crate::harness::{Ended, Start, directory};
use crate::web::{Reply, Sent, encode, get, send};

/// The path of a link, which must be one of this base.
#[track_caller]
fn path_of<'u>(url: &'u str, base: &str) -> &'u str {
    let path = url.strip_prefix(base).expect("a link of this broker");
    assert!(
        path.starts_with("/setup/login/ptb_al_") && path.len() == 63,
        "{path}"
    );
    path
}

/// Opens a link as a browser does, and presses its button.
fn log_in(url: &str, path: &str) -> Reply {
    let followed = get(url, path);
    assert_eq!(followed.status, 303, "{followed:?}");
    let cookies = followed.headers("set-cookie");
    let cookie = cookies
        .first()
        .map_or("", |cookie| cookie.split(';').next().unwrap());
    let headers = [
        ("Cookie", cookie),
        ("Sec-Fetch-Site", "same-origin"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    send(url, "POST", "/setup/login", &headers, "")
        .and_then(Sent::reply)
        .unwrap()
}

/// Allows a callback on the set-up page of the broker at this address, with the link that `admin-link` printed.
pub fn allow_on_page(broker: &str, link: &Ended, callback: &str) {
    let url = printed(link);
    let path = &url[url.find("/setup/login/").expect("a link")..];
    let cookies = log_in(broker, path).headers("set-cookie");
    let session = cookies.iter().find(|cookie| cookie.contains("ptb_admin="));
    let session = session.expect("a session").split(';').next().unwrap();
    let page = send(broker, "GET", "/setup", &[("Cookie", session)], "")
        .and_then(Sent::reply)
        .unwrap();
    let between = |text: &str, start: &str| -> String {
        let rest = text.split(start).nth(1).expect(start);
        rest.split('"').next().unwrap().to_owned()
    };
    let proof = between(&page.body, "name=\"proof\" value=\"");
    let form = encode(&[
        ("proof", &proof),
        ("act", "allow"),
        ("client_id", plaid_token_broker::simulator::CLIENT_ID),
        ("redirect_uri", callback),
    ]);
    let headers = [
        ("Cookie", session),
        ("Sec-Fetch-Site", "same-origin"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let allowed = send(broker, "POST", "/setup/callbacks", &headers, &form)
        .and_then(Sent::reply)
        .unwrap();
    assert_eq!(allowed.status, 303, "{:?}", allowed.body);
}

fn let_in(reply: &Reply) -> bool {
    reply.headers("location") == ["../setup"]
}

/// `admin-link` beside this broker.
fn admin_link(home: &tempfile::TempDir, ops: &str) -> Start {
    let address = ops.strip_prefix("http://").unwrap();
    Start::command(home, &["admin-link"]).set("BROKER_OPS_BIND", address)
}

#[track_caller]
fn printed(ended: &Ended) -> String {
    assert_eq!(ended.code, Some(0), "{:?}", ended.stderr);
    let mut lines = ended.stdout.lines();
    let url = lines.next().expect("a link").to_owned();
    assert_eq!(lines.next(), None, "the link alone, for scripts");
    url
}

#[test]
fn the_start_prints_a_link_that_works_once_and_the_log_does_not_have_it() {
    let home = directory();
    let mut broker = Broker::of(Start::broker(&home).set("RUST_LOG", "trace"));
    let url = broker.process.stdout.line("  http://localhost:");
    let (port, _) = url.split_once('/').unwrap();
    let url = format!("http://localhost:{url}");
    let path = path_of(&url, &format!("http://localhost:{port}"));
    assert!(let_in(&log_in(&broker.url, path)));
    assert!(!let_in(&log_in(&broker.url, path)), "once");
    assert_eq!(broker.process.stop(), Some(0));
    let log = broker.process.stderr.text();
    assert!(
        log.contains("/setup/login/{token}"),
        "the request was logged by its route"
    );
    assert!(!log.contains("ptb_al_") && !log.contains("ptb_as_"));
}

#[test]
fn with_a_public_url_the_link_is_printed_for_both_addresses() {
    let home = directory();
    let broker = Broker::of(Start::broker(&home).set("PUBLIC_URL", "https://broker.example"));
    let url = format!("https://{}", broker.process.stdout.line("  https://"));
    let path = path_of(&url, "https://broker.example");
    let local = broker.process.stdout.line("  on this machine also: ");
    assert!(
        local.starts_with("http://localhost:") && local.ends_with(path),
        "{local}"
    );
    assert!(let_in(&log_in(&broker.url, path)));
}

#[test]
fn admin_link_prints_a_fresh_link_of_the_running_broker() {
    let home = directory();
    let broker = Broker::of(Start::broker(&home));
    let port = broker.url.rsplit(':').next().unwrap();
    let mut links = Vec::new();
    for _ in 0..2 {
        let ended = admin_link(&home, &broker.ops).run();
        let url = printed(&ended);
        assert!(ended.stderr.contains("works once"), "{:?}", ended.stderr);
        let path = path_of(&url, &format!("http://localhost:{port}"));
        assert!(let_in(&log_in(&broker.url, path)));
        links.push(url);
    }
    assert_ne!(links[0], links[1]);
}

#[test]
fn admin_link_says_why_there_is_none() {
    let home = directory();
    // No broker has ever run here: nothing is made by asking.
    let ended = Start::command(&home, &["admin-link"])
        .set("BROKER_OPS_BIND", "127.0.0.1:9")
        .run();
    ended.must_say(3, &["key file", "start it"]);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);

    let mut broker = Broker::of(Start::broker(&home));
    // Another environment's settings, and other keys, are not this broker's.
    let other = admin_link(&home, &broker.ops)
        .set("PLAID_ENV", "sandbox")
        .set("PLAID_CLIENT_ID", "0123456789abcdef01234567")
        .set("PLAID_SECRET", "0123456789abcdef0123456789abcd");
    other.run().must_say(1, &["PLAID_ENV"]);
    let keys = "other:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let other = admin_link(&home, &broker.ops).set("BROKER_KEYS", keys);
    other.run().must_say(1, &["BROKER_KEYS"]);
    let unnamed = Start::command(&home, &["admin-link"]).set("BROKER_OPS_BIND", "127.0.0.1:0");
    unnamed
        .run()
        .must_say(2, &["BROKER_OPS_BIND", "operations listening on"]);

    // The address of a broker that has stopped.
    assert_eq!(broker.process.stop(), Some(0));
    let ended = admin_link(&home, &broker.ops).run();
    ended.must_say(
        3,
        &["cannot be reached", "Is the broker running", "BROKER_OPS_BIND"],
    );
    assert!(ended.stdout.is_empty());
}
