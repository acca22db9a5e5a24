//! `plaidcloud`: what it prints, writes and refuses, and its exit codes. Servers are on loopback.

mod bad_input;
mod transfer;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::harness::{Ended, Start, directory, mode, write};
use crate::stand_in::{Certificate, Flaw, Passing, free_port, head, listen, reply, tunnel};

const SECRET: &str = "s3cr3t-of-the-client";
const TOKEN: &str = "s3cr3t-of-the-token";
const PATHS: &str = "paths:
 PROJECT_ROOT: '{WORKING_USER}/Documents'
 LOCAL_STORAGE: '{PROJECT_ROOT}/local_storage'
 DEBUG: '{PROJECT_ROOT}/local_storage'
 REPORTS: '{PROJECT_ROOT}/reports'

 create: []
 local: {}
";

fn conf(hostname: &str) -> String {
    format!(
        "user_id: 7\nclient_id: the-client\nclient_secret: {SECRET}\nhostname: {hostname}\nrealm: PlaidCloud\n\
         workspace_uuid: w\n"
    )
}

/// `plaidcloud` in this directory, which is the home directory too.
fn start(home: &TempDir, arguments: &[&str]) -> Start {
    let arguments = [&["plaidcloud"], arguments].concat();
    Start::command(home, &arguments).set("HOME", home.path().to_str().unwrap())
}

fn run(home: &TempDir, arguments: &[&str]) -> Ended {
    without_secrets(start(home, arguments).run())
}

#[track_caller]
fn without_secrets(ended: Ended) -> Ended {
    for secret in [SECRET, TOKEN] {
        let shown = ended.stdout.contains(secret) || ended.stderr.contains(secret);
        assert!(!shown, "a secret is shown");
    }
    ended
}

#[track_caller]
fn prints(ended: &Ended, lines: &str) {
    assert_eq!(
        (ended.code, ended.stdout.trim_end()),
        (Some(0), lines),
        "{ended:?}"
    );
}

/// With this text on standard input.
fn run_with(start: Start, input: &str) -> Ended {
    let mut command = start.into_command();
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    without_secrets(Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    })
}

/// A server that always responds so, and what it was asked.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(responses: &[String]) -> Self {
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (kept, responses) = (Arc::clone(&requests), responses.to_vec());
        let port = listen(move |mut stream: TcpStream| {
            let Ok(head) = head(&mut stream) else { return };
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap_or("0");
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            let mut body = vec![0; length];
            if stream.read_exact(&mut body).is_err() {
                return;
            }
            let number = {
                let mut kept = kept.lock().unwrap();
                kept.push(format!("{head}{}", String::from_utf8_lossy(&body)));
                kept.len() - 1
            };
            let response = responses.get(number).or(responses.last()).unwrap();
            let _ = stream.write_all(response.as_bytes());
        });
        let url = format!("http://127.0.0.1:{port}");
        Self { url, requests }
    }

    fn result(json: &str) -> Self {
        Self::start(&[result(json)])
    }

    /// As PlaidCloud's own environments name it: its files always mean https.
    fn of(&self, start: Start) -> Start {
        start
            .set("__PLAID_RPC_URI__", &format!("{}/json-rpc/", self.url))
            .set("__PLAID_RPC_AUTH_TOKEN__", TOKEN)
    }

    fn call(&self, home: &TempDir, arguments: &[&str]) -> Ended {
        without_secrets(self.of(start(home, arguments)).run())
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn result(json: &str) -> String {
    reply(
        "200 OK",
        "",
        &format!("{{\"id\":\"1\",\"ok\":true,\"result\":{json}}}"),
    )
}

#[test]
fn help_has_the_command_last_and_names_the_other_company() {
    let home = directory();
    let help = Start::command(&home, &["--help"]).run();
    let commands = help.stdout.split("\nCommands:\n").nth(1).unwrap();
    let last = commands.split("\n\n").next().unwrap().lines().last().unwrap();
    assert!(last.trim_start().starts_with("plaidcloud "), "{last}");
    assert!(last.contains("PlaidCloud (another company, not Plaid)"), "{last}");
}

#[test]
fn the_brokers_settings_and_store_play_no_part() {
    let home = directory();
    write(&home, ".env", "PLAID_ENV=nonsense\nthis is no setting\n");
    write(&home, "plaid.conf", &conf("tenant.plaid.cloud"));
    let ended = without_secrets(
        start(&home, &["conf", "show", "--json"])
            .set("PLAID_ENV", "nonsense")
            .set("PLAID_CLIENT_SECRET", "x")
            .set("BROKER_KEYS", "nonsense")
            .set("DATABASE_URL", "postgres://nowhere.invalid/x")
            .run(),
    );
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let shown: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(shown["rpc_uri"], "https://tenant.plaid.cloud/json-rpc/");
    assert_eq!(
        shown["token_uri"],
        "https://tenant.plaid.cloud/auth/realms/PlaidCloud/protocol/openid-connect/token"
    );
    assert_eq!(shown["client_secret"], "(hidden, 20 characters)");
    assert!(!home.path().join("data").exists());
}

#[test]
fn the_configuration_is_found_upwards_and_the_search_is_listed() {
    let home = directory();
    std::fs::create_dir_all(home.path().join("a/b/.plaid")).unwrap();
    write(&home, "a/plaid.conf", &conf("h"));
    let path = home.path().canonicalize().unwrap().join("a/plaid.conf");
    let found = run(&home, &["conf", "locate", "--start", "a/b", "--verbose"]);
    prints(&found, path.to_str().unwrap());
    let lines: Vec<&str> = found.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{found:?}");
    assert!(lines[0].ends_with("a/b (.plaid has no plaid.conf)"), "{found:?}");
    let begin = home.path().canonicalize().unwrap();
    let missing = run(&home, &["conf", "locate"]);
    missing.must_say(
        2,
        &["The search began in", begin.to_str().unwrap(), "searched /\n"],
    );
    assert!(missing.stdout.is_empty());
}

#[test]
fn import_writes_a_private_file_once() {
    let home = directory();
    let import =
        |text: &str, more: &[&str]| run_with(start(&home, &[&["conf", "import"], more].concat()), text);
    let text = format!("\u{FEFF}{}", conf("h").replace('\n', "\r\n"));
    let imported = import(&text, &[]);
    prints(&imported, "./.plaid/plaid.conf");
    assert!(imported.stderr.contains("project_id is missing"), "{imported:?}");
    let path = home.path().join(".plaid/plaid.conf");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), conf("h"));
    assert_eq!(mode(&path), 0o600);
    import(&conf("other"), &[]).must_say(2, &["exists and was not changed", "--force"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), conf("h"));
    write(&home, "text", &format!("{}project_id: p\n", conf("other")));
    let replaced = run(&home, &["conf", "import", "text", "--force"]);
    assert_eq!(
        (replaced.code, replaced.stderr.as_str()),
        (Some(0), ""),
        "{replaced:?}"
    );
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .contains("hostname: other")
    );
}

#[test]
fn paths_are_shown_resolved_and_made() {
    let home = directory();
    write(&home, "plaid.conf", &conf("h"));
    write(&home, "paths.yaml", PATHS);
    let root = home.path().to_str().unwrap();
    let shown = run(&home, &["paths"]);
    let expected = format!(
        "PROJECT_ROOT: {root}/Documents\nLOCAL_STORAGE: {root}/Documents/local_storage\n\
         DEBUG: {root}/Documents/local_storage\nREPORTS: {root}/Documents/reports"
    );
    prints(&shown, &expected);
    assert!(
        shown.stderr.contains("`local` under `paths` has no effect"),
        "{shown:?}"
    );
    let text = run(&home, &["paths", "{LOCAL_STORAGE}/../x"]);
    prints(&text, &format!("{root}/Documents/x"));
    prints(
        &run(&home, &["paths", "--create"]),
        &format!("{root}/Documents\n{root}/Documents/local_storage\n{root}/Documents/reports"),
    );
    assert!(home.path().join("Documents/reports").is_dir());
}

#[test]
fn a_call_prints_the_result_as_it_came_and_ends_with_the_documented_codes() {
    let home = directory();
    let works = Server::result("{\"n\":1.10,\"text\":\"é\"}");
    let called = works.call(&home, &["call", "analyze/project/list", "--params", "{\"x\":1}"]);
    prints(&called, "{\"n\":1.10,\"text\":\"é\"}");
    let request = &works.requests()[0];
    assert!(
        request.starts_with("POST /json-rpc/analyze/project/list HTTP/1.1\r\n"),
        "{request}"
    );
    let warning =
        "{\"id\":\"1\",\"ok\":false,\"error\":{\"code\":-1000,\"message\":\"no rows\",\"data\":null}}";
    let warned = Server::start(&[reply("200 OK", "", warning)]).call(&home, &["call", "a/b"]);
    assert_eq!((warned.code, warned.stdout.as_str()), (Some(1), ""));
    assert_eq!(warned.stderr, "warning from the server: no rows\n");
    let usage = works.call(&home, &["call", "a/b", "--params", "[]"]);
    usage.must_say(2, &["the parameters must be one JSON object"]);
    let unreachable = start(&home, &["call", "a/b"])
        .set(
            "__PLAID_RPC_URI__",
            &format!("http://127.0.0.1:{}/json-rpc/", free_port()),
        )
        .set("__PLAID_RPC_AUTH_TOKEN__", TOKEN);
    without_secrets(unreachable.run()).must_say(3, &["cannot be reached", "refused"]);
}

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let home = directory();
    let server = Server::result("1");
    let call = ["call", "analyze/project/project", "--project", "p", "--dry-run"];
    let shown = server.call(&home, &call);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    for words in [
        "POST http://127.0.0.1",
        "Bearer (hidden)",
        "\"params\":{\"project_id\":\"p\"}",
    ] {
        assert!(shown.stdout.contains(words), "{shown:?}");
    }
    server.call(&home, &["rest", "get", "a/b", "--query", "x=1", "--dry-run"]);
    server.call(&home, &["download", "a/b", "-o", "x", "--dry-run"]);
    assert!(server.requests().is_empty());
    // Not even a token is requested.
    write(
        &home,
        "plaid.conf",
        &format!("{}grant_type: client_credentials\n", conf("nowhere.invalid")),
    );
    let shown = run(&home, &call);
    assert!(
        shown
            .stdout
            .contains("POST https://nowhere.invalid/json-rpc/analyze"),
        "{shown:?}"
    );
}

#[test]
fn arguments_go_before_the_environment_and_that_before_the_file() {
    let home = directory();
    write(&home, "plaid.conf", &conf("of-the-file"));
    write(&home, "token", &format!("{TOKEN}\n"));
    let env = |arguments: &[&str]| {
        let start = start(&home, arguments)
            .set("__PLAID_RPC_URI__", "https://of-the-environment/json-rpc/")
            .set("__PLAID_RPC_AUTH_TOKEN__", TOKEN);
        without_secrets(start.run())
    };
    let shows = |ended: &Ended, host: &str| {
        let line = format!("rpc_uri: https://{host}/json-rpc/");
        assert!(ended.stdout.lines().any(|shown| shown == line), "{ended:?}");
    };
    shows(&run(&home, &["conf", "show"]), "of-the-file");
    shows(&env(&["conf", "show"]), "of-the-environment");
    let address = "https://of-the-arguments/json-rpc/";
    let arguments = ["conf", "show", "--rpc-uri", address, "--token-file", "token"];
    shows(&env(&arguments), "of-the-arguments");
    env(&["conf", "show", "--rpc-uri", address]).must_say(2, &["--token-file"]);
    shows(&env(&["conf", "show", "--conf", "plaid.conf"]), "of-the-file");
}

#[test]
fn check_explains_what_is_wrong_with_tls_and_names() {
    let home = directory();
    let target = Server::result("[\"analyze\"]");
    let port: u16 = target.url.rsplit(':').next().unwrap().parse().unwrap();
    let passing = Passing {
        forwarded: false,
        warning: false,
    };
    let check = |flaw: Flaw, more: &str, trusted: bool| {
        let certificate = Certificate::new(flaw);
        let url = tunnel(&certificate, port, passing);
        let host = url.strip_prefix("https://").unwrap();
        write(
            &home,
            "plaid.conf",
            &format!("{}auth_token: {TOKEN}\n{more}", conf(host)),
        );
        let mut start = start(&home, &["conf", "check"]);
        if trusted {
            start = start.set("SSL_CERT_FILE", &certificate.write_authority(home.path()));
        }
        without_secrets(start.run())
    };
    prints(
        &check(Flaw::None, "", true),
        "identity/me/scopes works. Scopes: [\"analyze\"]",
    );
    check(Flaw::None, "", false).must_say(3, &["does not trust the issuer", "verify_ssl: false"]);
    check(Flaw::Expired, "", true).must_say(3, &["has expired, or the clock of this machine is wrong"]);
    check(Flaw::OtherName, "", true).must_say(3, &["for another name"]);
    let unverified = check(Flaw::OtherName, "verify_ssl: false\n", false);
    assert_eq!(unverified.code, Some(0), "{unverified:?}");
    assert!(
        unverified.stderr.contains("certificates are not verified"),
        "{unverified:?}"
    );
    write(
        &home,
        "plaid.conf",
        &format!("{}auth_token: {TOKEN}\n", conf("nowhere.invalid")),
    );
    run(&home, &["conf", "check"]).must_say(3, &["nowhere.invalid: the name cannot be resolved (DNS)"]);
}

/// The names in a directory, sorted.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
