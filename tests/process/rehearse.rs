//! `rehearse` against a running broker: it succeeds where an OAuth client would, names the fix where it would not, and
//! leaves no Item behind either way.

mod products;

use plaid_token_broker::simulator;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::flow::{Broker, CALLBACK, Plaid};
use crate::harness::{Ended, Start, directory};
use crate::web::get;

/// A broker, and the simulator that it uses.
struct Stage {
    broker: Broker,
    plaid: Plaid,
    home: TempDir,
}

impl Stage {
    /// As the real environments have it: Plaid is somewhere else. Both sides get these settings.
    fn sandbox(settings: &[(&str, &str)]) -> Self {
        let home = directory();
        let plaid = Plaid::start(&home);
        let broker = Broker::of(with(plaid.broker(&home), settings));
        Self { broker, plaid, home }
    }

    /// What the broker says of itself without `PUBLIC_URL`.
    fn public_url(&self) -> String {
        self.broker.url.replace("127.0.0.1", "localhost")
    }

    /// The command with the broker's settings.
    fn command(&self, arguments: &[&str]) -> Start {
        let arguments: Vec<&str> = ["rehearse"].iter().chain(arguments).copied().collect();
        Start::command(&self.home, &arguments)
            .set("PLAID_CLIENT_ID", simulator::CLIENT_ID)
            .set("PLAID_SECRET", simulator::SECRET)
            .set("PLAID_BASE_URL", &self.plaid.url)
            .set("PLAID_REDIRECT_URI", CALLBACK)
            .set("PUBLIC_URL", &self.public_url())
            .set("BROKER_CONTROL_SOCKET", "elsewhere.sock")
    }

    /// The same beside the running broker: it can be asked, and its address is in no setting.
    fn beside(&self, arguments: &[&str]) -> Start {
        self.command(arguments)
            .unset("PUBLIC_URL")
            .unset("BROKER_CONTROL_SOCKET")
    }

    #[track_caller]
    fn has_no_item(&self) {
        no_item(&self.plaid.url);
    }
}

fn with(start: Start, settings: &[(&str, &str)]) -> Start {
    settings
        .iter()
        .fold(start, |start, (name, value)| start.set(name, value))
}

#[track_caller]
fn no_item(plaid: &str) {
    let state = get(plaid, "/_simulator/state").json();
    assert_eq!(state["items"], json!([]), "an Item is left behind");
}

/// The steps of `--json`, and the verdict at the end.
#[track_caller]
fn steps(ended: &Ended) -> (Vec<Value>, String) {
    let mut lines: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let verdict = lines.pop().expect("a verdict")["verdict"]
        .as_str()
        .unwrap()
        .to_owned();
    (lines, verdict)
}

/// The one step that failed, in the words of people: its name, and its fix.
#[track_caller]
fn failed<'t>(ended: &'t Ended, step: &str) -> &'t str {
    let mut lines = ended.stdout.lines();
    let found = lines.find(|line| line.starts_with("✗ ") && line.contains(step));
    assert!(found.is_some(), "no failed step `{step}` in {ended:?}");
    let fix = lines.next().and_then(|line| line.strip_prefix("  → "));
    fix.unwrap_or_else(|| panic!("no fix in {ended:?}"))
}

#[track_caller]
fn tells_no_secret(ended: &Ended) {
    for secret in [
        "access-sandbox",
        "public-sandbox",
        "link-sandbox",
        "ptb_",
        simulator::SECRET,
    ] {
        assert!(
            !ended.stdout.contains(secret) && !ended.stderr.contains(secret),
            "{secret} in {ended:?}"
        );
    }
}

#[test]
fn everything_works_against_a_sandbox() {
    let stage = Stage::sandbox(&[]);
    let ended = stage.command(&["--json"]).run();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let (steps, verdict) = steps(&ended);
    assert_eq!(verdict, "ok");
    for step in &steps {
        assert_eq!(step["status"], "ok", "{step}");
        // What they were called before.
        assert_eq!(
            (&step["outcome"], &step["name"]),
            (&step["status"], &step["title"])
        );
        assert!(step["fix"].is_null(), "{step}");
    }
    let named = |word: &str| {
        steps
            .iter()
            .filter(|step| step["title"].as_str().unwrap().contains(word))
            .count()
    };
    for (word, count) in [
        ("reach the broker", 1),
        (CALLBACK, 1),
        ("token request (", 6),
        ("refuse a wrong secret", 1),
        ("start Plaid Link", 1),
        ("accounts that Plaid Link offers", 1),
        ("connect a bank", 6),
        ("code for a token (", 6),
        ("refresh (", 6),
        ("as Kore.ai's guide has it", 1),
        ("Kore.ai's action: ", 4),
        ("clean up", 1),
    ] {
        assert_eq!(named(word), count, "{word}: {steps:?}");
    }
    tells_no_secret(&ended);
    stage.has_no_item();
    assert_eq!(
        stage.plaid.count("/item/public_token/exchange"),
        7,
        "one for each shape, and a raw one"
    );
    for path in [
        "/accounts/balance/get",
        "/investments/holdings/get",
        "/investments/transactions/get",
        "/liabilities/get",
    ] {
        // More than once where the data was not ready at first.
        assert!(stage.plaid.count(path) >= 1, "{path}");
    }
}

#[test]
fn everything_works_with_the_built_in_simulator() {
    let home = directory();
    let broker = Broker::of(Start::broker(&home));
    let plaid = broker.process.stdout.line("simulator listening on http://");
    let ended = Start::command(&home, &["rehearse"])
        .set("BROKER_SIMULATOR_BIND", &plaid)
        .set("BROKER_OPS_BIND", "127.0.0.1:0")
        .set("PUBLIC_URL", &broker.url.replace("127.0.0.1", "localhost"))
        .run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("All good."), "{ended:?}");
    assert!(
        !ended.stdout.contains('✗') && !ended.stdout.contains('→'),
        "{ended:?}"
    );
    tells_no_secret(&ended);
    no_item(&format!("http://{plaid}"));
}

#[test]
fn each_callback_is_opened() {
    let other = "https://idp.kore.com/workflows/callback";
    let both = format!("{CALLBACK},{other}");
    let stage = Stage::sandbox(&[("PLAID_REDIRECT_URI", &both)]);
    let ended = stage
        .command(&["--actions", "balance"])
        .set("PLAID_REDIRECT_URI", &both)
        .run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains(&format!("✓ open the authorization URL for {other}")),
        "{ended:?}"
    );
    stage.has_no_item();
}

#[test]
fn a_wrong_public_url_is_named() {
    let stage = Stage::sandbox(&[]);
    let nobody = "http://127.0.0.1:9";
    let ended = stage.command(&[]).set("PUBLIC_URL", nobody).run();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(failed(&ended, "reach the broker").contains("PUBLIC_URL"));
    // Somebody else's address, and our own by another name.
    for other in [&stage.broker.ops, &stage.broker.url] {
        let ended = stage.command(&[]).set("PUBLIC_URL", other).run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(failed(&ended, "reach the broker").contains("PUBLIC_URL"));
    }
    stage.has_no_item();
}

#[test]
fn a_client_secret_of_one_side_alone_is_named_and_nothing_is_made() {
    let stage = Stage::sandbox(&[("OAUTH_CLIENT_SECRET", "the-secret-of-the-broker-alone")]);
    let ended = stage.command(&[]).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(failed(&ended, "token request (form, secret in the body)").contains("OAUTH_CLIENT_SECRET"));
    assert!(ended.stdout.contains("nothing is made"), "{ended:?}");
    assert_eq!(stage.plaid.count("/sandbox/public_token/create"), 0);
    tells_no_secret(&ended);
    stage.has_no_item();
}

#[test]
fn a_callback_that_the_broker_does_not_list_is_named() {
    let stage = Stage::sandbox(&[]);
    let wrong = format!("{CALLBACK}/");
    let ended = stage.command(&["--callback", &wrong]).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let fix = failed(&ended, &format!("open the authorization URL for {wrong}"));
    assert!(
        fix.contains("PLAID_REDIRECT_URI") && fix.contains(&wrong),
        "{fix}"
    );
    stage.has_no_item();
}

#[test]
fn without_a_callback_it_says_where_to_find_it() {
    let stage = Stage::sandbox(&[]);
    let ended = stage.command(&[]).unset("PLAID_REDIRECT_URI").run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let fix = failed(&ended, "open the authorization URL");
    assert!(
        fix.contains("PLAID_REDIRECT_URI") && fix.contains("set-up page"),
        "{fix}"
    );
    assert!(ended.stdout.contains("– start Plaid Link"), "{ended:?}");
}

#[test]
fn a_callback_that_was_allowed_on_the_page_counts() {
    let mut stage = Stage::sandbox(&[]);
    assert_eq!(stage.broker.process.stop(), Some(0));
    let callback = "https://idp.kore.com/workflows/callback";
    let database = rusqlite::Connection::open(stage.home.path().join("data/sandbox.db")).unwrap();
    let row = (simulator::CLIENT_ID, callback);
    let sql =
        "INSERT INTO redirect_uris (client_id, uri, allowed_at, allowed_by) VALUES (?1, ?2, 1, 'admin')";
    database.execute(sql, row).unwrap();
    drop(database);
    stage.broker = Broker::of(stage.plaid.broker(&stage.home).unset("PLAID_REDIRECT_URI"));
    let arguments = ["--actions", "balance"];
    // The running broker is asked, or else the store is looked at.
    for command in [
        stage.beside(&arguments),
        stage.command(&arguments).set("PUBLIC_URL", &stage.public_url()),
    ] {
        let ended = command.unset("PLAID_REDIRECT_URI").run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let opened = format!("✓ open the authorization URL for {callback}");
        assert!(
            ended.stdout.contains(&opened) && ended.stdout.contains("✓ clean up"),
            "{ended:?}"
        );
    }
    stage.has_no_item();
}

#[test]
fn the_running_broker_says_where_it_is() {
    let stage = Stage::sandbox(&[]);
    let own = format!(
        "✓ reach the broker by PUBLIC_URL: the broker answers at {}",
        stage.public_url()
    );
    let ended = stage.beside(&["--actions", "balance"]).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains(&own), "{ended:?}");
    // What the settings say besides is told.
    let other = "https://other.example";
    let ended = stage
        .beside(&["--actions", "balance"])
        .set("PUBLIC_URL", other)
        .run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.contains(&own) && ended.stdout.contains(other),
        "{ended:?}"
    );
    stage.has_no_item();
}

#[test]
fn another_broker_is_noticed_and_nothing_is_done_there() {
    let stage = Stage::sandbox(&[]);
    let home = directory();
    let command = || stage.command(&["--actions", "balance"]).directory(&home);
    // Nothing is known of any broker here, so whoever has the usual port is left alone.
    let ended = command().unset("PUBLIC_URL").run();
    ended.must_say(2, &["there is no store in this directory", "PUBLIC_URL"]);
    assert_eq!(stage.plaid.count("/sandbox/public_token/create"), 0);
    // Named, it is rehearsed with, and told that it could be any.
    let ended = command().run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("it is not known whether it is the one of these settings"),
        "{ended:?}"
    );
    assert!(ended.stdout.contains(env!("CARGO_PKG_VERSION")), "{ended:?}");
    let made = stage.plaid.count("/sandbox/public_token/create");
    // A broker of this directory's own is another one.
    let mut own = Broker::of(stage.plaid.broker(&home));
    assert_eq!(own.process.stop(), Some(0));
    let ended = command().run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("another broker answers at"), "{ended:?}");
    assert!(failed(&ended, "reach the broker").contains("PUBLIC_URL"));
    assert_eq!(stage.plaid.count("/sandbox/public_token/create"), made);
    stage.has_no_item();
}

#[test]
fn plaid_being_down_is_named() {
    let mut stage = Stage::sandbox(&[]);
    stage.plaid.process.kill();
    let ended = stage.command(&[]).run();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(failed(&ended, "start Plaid Link").contains("Plaid does not answer"));
}

#[test]
fn a_product_that_an_action_lacks_is_named() {
    let products = [("PLAID_PRODUCTS", "transactions,liabilities")];
    let stage = Stage::sandbox(&products);
    let ended = with(stage.command(&[]), &products).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for action in ["investment holdings", "investment transactions"] {
        let fix = failed(&ended, action);
        assert!(
            fix.contains("add investments to PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS")
                && fix.contains("--actions"),
            "{fix}"
        );
    }
    for action in ["real-time balance", "liabilities"] {
        assert!(
            ended.stdout.contains(&format!("✓ Kore.ai's action: {action}")),
            "{ended:?}"
        );
    }
    stage.has_no_item();
    // Plaid says it when the settings here list what the broker's people did not consent to.
    let ended = with(stage.command(&["--actions", "balance,liabilities"]), &products).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    stage.has_no_item();
}

#[test]
fn whatever_fails_in_the_middle_nothing_is_left() {
    let broken = |status: u16, code: &str| json!({ "kind": "error", "status": status, "error_type": "API_ERROR", "error_code": code });
    for (path, fault, step, code) in [
        (
            "/item/public_token/exchange",
            broken(400, "INVALID_API_KEYS"),
            "connect a bank",
            1,
        ),
        (
            "/sandbox/public_token/create",
            broken(400, "INVALID_API_KEYS"),
            "connect a bank",
            1,
        ),
        (
            "/accounts/balance/get",
            broken(500, "INTERNAL_SERVER_ERROR"),
            "real-time balance",
            1,
        ),
        (
            "/accounts/balance/get",
            json!({ "kind": "reset" }),
            "real-time balance",
            3,
        ),
        (
            "/item/remove",
            broken(500, "INTERNAL_SERVER_ERROR"),
            "clean up",
            1,
        ),
    ] {
        let stage = Stage::sandbox(&[]);
        stage.plaid.fault(path, &fault);
        let ended = stage.command(&[]).run();
        assert_eq!(ended.code, Some(code), "{path}: {ended:?}");
        failed(&ended, step);
        tells_no_secret(&ended);
        stage.has_no_item();
    }
}

#[test]
fn in_production_nothing_is_made() {
    let production = [
        ("PLAID_ENV", "production"),
        ("PLAID_PRODUCTS", "auth"),
        ("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS", "none"),
    ];
    let stage = Stage::sandbox(&production);
    let ended = with(stage.command(&[]), &production).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("✓ start Plaid Link"), "{ended:?}");
    assert!(ended.stdout.contains("– connect a bank"), "{ended:?}");
    assert!(ended.stdout.contains("only a person"), "{ended:?}");
    assert_eq!(stage.plaid.count("/sandbox/public_token/create"), 0);
}

#[test]
fn settings_that_are_not_enough_are_told() {
    let home = directory();
    let ended = Start::command(&home, &["rehearse"])
        .set("APP_PORT", "0")
        .set("BROKER_OPS_BIND", "127.0.0.1:0")
        .run();
    ended.must_say(2, &["PUBLIC_URL"]);
    let ended = Start::command(&home, &["rehearse"])
        .set("PLAID_ENV", "nowhere")
        .run();
    ended.must_say(2, &["PLAID_ENV"]);
}
