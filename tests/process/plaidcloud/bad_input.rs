//! Wrong configurations, wrong paths and wrong servers: a clear message, an exit code, and no secret.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::{PATHS, SECRET, Server, conf, names_in, run, run_with, start};
use crate::harness::{BINARY, Start, directory, is_root, write};
use crate::stand_in::reply;

#[test]
fn a_text_that_is_no_configuration_is_named_and_not_imported() {
    let home = directory();
    let complete = conf("h");
    let half = &complete[..complete.find("s3cr3t").unwrap() + 9];
    let open_quote = complete.replace(SECRET, &format!("'{SECRET}"));
    let cases = [
        ("", "the text is empty"),
        ("\n  \n", "the text is empty"),
        ("[plaid]\nclient_secret = s3cr3t-of-the-client\n", "INI format"),
        ("client_secret = s3cr3t-of-the-client\n", "INI format"),
        (half, "hostname is missing"),
        (open_quote.as_str(), "Is the text complete?"),
        (SECRET, "Is it complete?"),
        ("<html>", "Is it complete?"),
    ];
    for (text, words) in cases {
        let refused = run_with(start(&home, &["conf", "import"]), text);
        refused.must_say(2, &["nothing was written", words]);
        assert!(names_in(home.path()).is_empty(), "{text:?}");
        write(&home, "plaid.conf", text);
        run(&home, &["conf", "show"]).must_say(2, &["plaid.conf is not a valid plaid.conf", words]);
        std::fs::remove_file(home.path().join("plaid.conf")).unwrap();
    }
}

#[test]
fn all_problems_of_an_import_come_at_once() {
    let home = directory();
    let text = conf("https://h")
        .replace("client_id", "clientid")
        .replace("realm", "relm");
    let refused = run_with(start(&home, &["conf", "import"]), &text);
    refused.must_say(
        2,
        &[
            "client_id is missing; is `clientid` a typing error for it?",
            "realm is missing; is `relm` a typing error for it?",
            "hostname must be the host alone",
        ],
    );
}

/// Modes do not bind root, so there the program runs as another user.
#[test]
fn a_configuration_that_may_not_be_read_is_named() {
    const NOBODY: u32 = 65534;
    let home = directory();
    write(&home, "plaid.conf", &conf("h"));
    let path = home.path().join("plaid.conf");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).unwrap();
    let mut start = start(&home, &["conf", "show"]);
    if is_root(&home) {
        std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let copy = home.path().join("program");
        std::fs::copy(BINARY, &copy).unwrap();
        start = start.by_user(copy, NOBODY);
    }
    start
        .run()
        .must_say(2, &["plaid.conf cannot be read", "ermission denied"]);
}

#[test]
fn what_is_in_the_place_of_the_configuration_is_named() {
    let home = directory();
    let nested = home.path().join(".plaid");
    let locate = |words: &str| run(&home, &["conf", "locate"]).must_say(2, &["The search began in", words]);
    std::fs::create_dir(&nested).unwrap();
    locate(".plaid has no plaid.conf");
    symlink("plaid.conf", nested.join("plaid.conf")).unwrap();
    locate("plaid.conf is a symbolic link");
    std::fs::remove_dir_all(&nested).unwrap();
    symlink(".plaid", &nested).unwrap();
    locate(".plaid is a symbolic link");
    std::fs::remove_file(&nested).unwrap();
    write(&home, ".plaid", "a file");
    locate(".plaid is a file where a directory is expected");
    run_with(start(&home, &["conf", "import"]), &conf("h")).must_say(1, &["not a directory"]);
    std::fs::create_dir(home.path().join("plaid.conf")).unwrap();
    run(&home, &["conf", "locate"]).must_say(2, &["this is a directory, and plaid.conf must be a file"]);
    run(&home, &["conf", "locate", "--start", ".plaid"]).must_say(2, &["a file and not a directory"]);
    run(&home, &["conf", "locate", "--start", "missing"]).must_say(2, &["cannot begin in missing"]);
}

#[test]
fn paths_that_cannot_be_resolved_are_named_and_nothing_is_made() {
    let home = directory();
    write(&home, "plaid.conf", &conf("h"));
    run(&home, &["paths"]).must_say(2, &["no YAML file beside plaid.conf has `paths`"]);
    for (from, to, words) in [
        (
            "{WORKING_USER}/Documents",
            "{HOME}/x",
            "the placeholder {HOME} is not known here",
        ),
        (
            "{PROJECT_ROOT}/reports",
            "{DEBUG}/x",
            "REPORTS: the placeholder {DEBUG}",
        ),
        (
            "{PROJECT_ROOT}/reports",
            "{PROJECT_ROOT/x",
            "REPORTS: there is a { without its }",
        ),
        (
            "{PROJECT_ROOT}/reports",
            "x}",
            "REPORTS: there is a } without its {",
        ),
        (" REPORTS:", " REPORT:", "REPORTS must be there"),
        (
            "create: []",
            "create: ['{NOPE}/x']",
            "create: the placeholder {NOPE}",
        ),
        ("paths:", "paths: [", "paths.yaml cannot be read: line"),
    ] {
        write(&home, "paths.yaml", &PATHS.replace(from, to));
        run(&home, &["paths", "--create"]).must_say(2, &[words]);
    }
    write(&home, "paths.yaml", PATHS);
    let unknown = run(&home, &["paths", "{NOPE}/x"]);
    unknown.must_say(1, &["unknown placeholder {NOPE}"]);
    assert_eq!(unknown.stdout, "{NOPE}/x\n");
    run(&home, &["paths", "{DEBUG"]).must_say(2, &["{ without its }"]);
    run(&home, &["paths", "REPORT"]).must_say(2, &["did you mean REPORTS?"]);
    assert_eq!(names_in(home.path()), ["paths.yaml", "plaid.conf"]);
    write(&home, "Documents", "a file");
    run(&home, &["paths", "--create"]).must_say(1, &["Documents cannot be made"]);
}

#[test]
fn a_server_that_responds_with_something_else_is_named() {
    let home = directory();
    let cases = [
        (
            reply("200 OK", "Content-Type: text/html\r\n", "<!doctype html>"),
            "HTML page",
        ),
        (
            reply("200 OK", "", "{\"id\":\"1\",\"ok\":true,\"resu"),
            "it ends early",
        ),
        (
            reply(
                "200 OK",
                "",
                "{\"ok\":false,\"error\":{\"code\":5,\"message\":\"no table\"}}",
            ),
            "no table (code 5)",
        ),
        (
            reply("307 x", "Location: https://elsewhere.example/x\r\n", ""),
            "redirects to elsewhere.example (status 307), which is not followed",
        ),
        (reply("401 x", "", ""), "It comes from __PLAID_RPC_AUTH_TOKEN__"),
    ];
    for (response, words) in cases {
        let server = Server::start(&[response]);
        for arguments in [
            &["call", "analyze/table/clear_data"][..],
            &["download", "analyze/table/clear_data", "-o", "x"],
        ] {
            let ended = server.call(&home, arguments);
            // Bytes that are no JSON are a file, also when they look like its beginning.
            if arguments[0] == "download" && words == "it ends early" {
                assert_eq!(ended.code, Some(0));
                std::fs::remove_file(home.path().join("x")).unwrap();
                continue;
            }
            ended.must_say(1, &[words]);
            assert!(ended.stdout.is_empty(), "{ended:?}");
        }
        assert_eq!(server.requests().len(), 2, "{words}");
        assert!(names_in(home.path()).is_empty(), "{words}");
    }
}

#[test]
fn a_configuration_that_would_send_a_secret_in_clear_is_refused() {
    let home = directory();
    let start = Start::command(&home, &["plaidcloud", "call", "a/b"])
        .set("__PLAID_RPC_URI__", "http://tenant.plaid.cloud/json-rpc/")
        .set("__PLAID_RPC_AUTH_TOKEN__", super::TOKEN);
    super::without_secrets(start.run()).must_say(2, &["__PLAID_RPC_URI__", "must begin with https://"]);
}
