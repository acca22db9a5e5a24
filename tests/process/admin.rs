//! Getting in: the link that the start prints, and `admin-link`.

use std::os::unix::fs::PermissionsExt as _;

use crate::flow::Broker;
use crate::harness::{BINARY, Ended, Start, directory, is_root};
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

/// `admin-link` in the broker's directory.
fn admin_link(home: &tempfile::TempDir) -> Start {
    Start::command(home, &["admin-link"])
}

#[track_caller]
fn printed(ended: &Ended) -> String {
    assert_eq!(ended.code, Some(0), "{:?}", ended.stderr);
    let mut lines = ended.stdout.lines();
    let url = lines.next().expect("a link").to_owned();
    assert_eq!(lines.next(), None, "the link alone, for scripts");
    url
}

/// `serve` with a terminal as its standard output, and its log in a file.
fn on_terminal(home: &tempfile::TempDir, start: Start) -> Start {
    let log = home.path().join("log");
    let line = format!("exec '{BINARY}' 2>'{}'", log.display());
    start
        .set("PATH", &std::env::var("PATH").unwrap())
        .program("script")
        .arguments(&["--quiet", "--return", "--command", &line, "/dev/null"])
}

#[test]
fn on_a_terminal_the_start_prints_a_link_that_works_once_and_the_log_does_not_have_it() {
    let home = directory();
    let start = Start::broker(&home).set("RUST_LOG", "trace");
    let broker = Broker::of(on_terminal(&home, start));
    let url = broker.process.stdout.line("  http://localhost:");
    let (port, _) = url.split_once('/').unwrap();
    let url = format!("http://localhost:{url}");
    let path = path_of(&url, &format!("http://localhost:{port}"));
    assert!(let_in(&log_in(&broker.url, path)));
    assert!(!let_in(&log_in(&broker.url, path)), "once");
    let log = std::fs::read_to_string(home.path().join("log")).unwrap();
    assert!(
        log.contains("/setup/login/{token}"),
        "the request was logged by its route"
    );
    assert!(!log.contains("ptb_al_") && !log.contains("ptb_as_"));
}

/// As in a container, whose output is kept and read by others.
#[test]
fn elsewhere_the_start_names_the_command_and_makes_no_link() {
    let home = directory();
    let mut broker = Broker::of(Start::broker(&home));
    broker.process.stdout.says("run `plaid-token-broker admin-link`");
    let log = Start::command(&home, &["connections", "audit", "--json"]).run();
    assert!(
        log.code == Some(0) && !log.stdout.contains("admin.link"),
        "{log:?}"
    );
    assert_eq!(broker.process.stop(), Some(0));
    let said = broker.process.stdout.text();
    assert!(
        !said.contains("/setup/login/") && !said.contains("ptb_al_"),
        "{said}"
    );
}

#[test]
fn with_a_public_url_the_link_is_printed_for_both_addresses() {
    let home = directory();
    let start = Start::broker(&home).set("PUBLIC_URL", "https://broker.example");
    let broker = Broker::of(on_terminal(&home, start));
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
        let ended = admin_link(&home).run();
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
    let advice = [
        "data/simulator.sock",
        "Is the broker running?",
        "BROKER_CONTROL_SOCKET",
    ];
    admin_link(&home).run().must_say(3, &advice);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);

    let mut broker = Broker::of(Start::broker(&home));
    // Another environment's settings are not this broker's, and it does not obey them on its socket either.
    let sandbox = || {
        admin_link(&home)
            .set("PLAID_ENV", "sandbox")
            .set("PLAID_CLIENT_ID", "0123456789abcdef01234567")
            .set("PLAID_SECRET", "0123456789abcdef0123456789abcd")
    };
    sandbox().run().must_say(3, &["data/sandbox.sock"]);
    let socket = "data/simulator.sock";
    let other = sandbox().set("BROKER_CONTROL_SOCKET", socket);
    other.run().must_say(1, &["another Plaid account", "PLAID_ENV"]);

    // A broker that was killed, and one that has stopped.
    broker.process.kill();
    assert!(home.path().join(socket).exists());
    admin_link(&home).run().must_say(3, &advice);
    let mut broker = Broker::of(Start::broker(&home));
    printed(&admin_link(&home).run());
    assert_eq!(broker.process.stop(), Some(0));
    let ended = admin_link(&home).run();
    ended.must_say(3, &["cannot be reached", "Is the broker running?"]);
    assert!(ended.stdout.is_empty() && !home.path().join(socket).exists());
}

/// Commands are for the broker's own user and for root.
#[test]
fn another_user_reaches_no_broker() {
    const USER: u32 = 65_532;
    let home = directory();
    if !is_root(&home) {
        return;
    }
    let shared = directory();
    let program = shared.path().join("program");
    std::fs::copy(BINARY, &program).unwrap();
    // Sticky, as /tmp is: where others can replace a socket, none is made.
    for path in [home.path(), shared.path(), &program] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o1777)).unwrap();
    }
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::os::unix::fs::chown(&data, Some(USER), None).unwrap();
    let broker = Broker::of(Start::broker(&home).by_user(program.clone(), USER));
    let stranger = admin_link(&home).by_user(program.clone(), USER + 1).run();
    stranger.must_say(3, &["Permission denied", "as its user"]);
    assert!(stranger.stdout.is_empty());
    printed(&admin_link(&home).by_user(program.clone(), USER).run());
    printed(&admin_link(&home).run());
    drop(broker);

    // A socket that a stranger put where everybody may write is not believed, not even by root.
    let path = shared.path().join("control.sock");
    let path = path.to_str().unwrap();
    let socket = |start: Start| start.set("BROKER_CONTROL_SOCKET", path);
    let _stranger = Broker::of(socket(Start::broker(&home).by_user(program, USER)));
    socket(admin_link(&home)).run().must_say(1, &["another user"]);
}
