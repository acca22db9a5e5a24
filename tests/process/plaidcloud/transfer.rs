//! Downloads and uploads: where files are, and that none is ever half there.

#[cfg(target_os = "linux")]
#[path = "../../durability/shim.rs"]
mod shim;

use std::fs;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{PATHS, Server, conf, names_in, prints, result, run, start, without_secrets};
use crate::harness::{directory, write};
use crate::stand_in::{head, listen, reply};

const CSV: [&str; 4] = ["download", "analyze/query/download_csv", "-o", "data.csv"];

#[test]
fn a_download_is_below_the_paths_that_are_configured() {
    let home = directory();
    let server = Server::start(&[reply("200 OK", "", "a,b\n1,2\n")]);
    let root = home.path().to_str().unwrap();
    // Without paths.yaml: the working directory.
    prints(&server.call(&home, &CSV), "data.csv");
    write(&home, "plaid.conf", &conf("h"));
    write(&home, "paths.yaml", PATHS);
    for (more, path) in [
        (&[][..], "Documents/local_storage/data.csv"),
        (&["--into", "reports"], "Documents/reports/data.csv"),
    ] {
        let ended = server.call(&home, &[&CSV, more].concat());
        prints(&ended, &format!("{root}/{path}"));
        assert_eq!(fs::read_to_string(home.path().join(path)).unwrap(), "a,b\n1,2\n");
    }
    prints(
        &server.call(&home, &[&CSV[..], &["--into", "here"]].concat()),
        "data.csv",
    );
    let text = server.call(&home, &["rest", "GET", "a/b", "-o", "{DEBUG}/x/y.csv"]);
    prints(&text, &format!("{root}/Documents/local_storage/x/y.csv"));
    server
        .call(&home, &["rest", "GET", "a/b", "-o", "{NOPE}/y.csv"])
        .must_say(2, &["unknown placeholder {NOPE}"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_a_download_without_a_partial_file() {
    let home = directory();
    write(&home, "data.csv", "old");
    let gate = directory();
    let library = shim::build("full_disk", gate.path());
    write(&gate, "full", "");
    let server = Server::start(&[reply("200 OK", "", &"x".repeat(500_000))]);
    let start = server
        .of(start(&home, &CSV))
        .set("LD_PRELOAD", library.to_str().unwrap())
        .set("DISK_FULL_WHILE", gate.path().join("full").to_str().unwrap());
    let ended = without_secrets(start.run());
    ended.must_say(1, &["data.csv was not written: No space left on device"]);
    assert!(ended.stdout.is_empty());
    assert_eq!(names_in(home.path()), ["data.csv"]);
    assert_eq!(fs::read_to_string(home.path().join("data.csv")).unwrap(), "old");
    // Data on standard output is not lost in silence either.
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let called = Server::result("1")
        .of(super::start(&home, &["call", "a/b"]))
        .into_command()
        .stdout(full)
        .output();
    let called = called.unwrap();
    assert_eq!(called.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&called.stderr).contains("standard output cannot be written"));
}

#[test]
fn a_download_that_is_cut_off_or_interrupted_leaves_nothing() {
    let home = directory();
    let cut = Server::start(&["HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\na,b\n".to_owned()]);
    cut.call(&home, &CSV)
        .must_say(3, &["closed before the response was complete"]);
    assert!(names_in(home.path()).is_empty());
    // The first bytes come, and no more.
    let port = listen(|mut stream| {
        if head(&mut stream).is_ok() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\na,b\n");
            std::thread::sleep(crate::harness::PATIENCE);
        }
    });
    let mut process = start(&home, &CSV)
        .set("__PLAID_RPC_URI__", &format!("http://127.0.0.1:{port}/json-rpc/"))
        .set("__PLAID_RPC_AUTH_TOKEN__", "t")
        .spawn();
    let soon = std::time::Instant::now() + crate::harness::PATIENCE;
    while names_in(home.path()).is_empty() && std::time::Instant::now() < soon {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(names_in(home.path()).len(), 1, "a temporary file");
    process.signal("INT");
    assert_eq!(process.wait().code(), Some(1));
    process.stderr.says("interrupted; no file was written");
    assert!(names_in(home.path()).is_empty());
}

fn params(request: &str) -> Value {
    let body = request.split("\r\n\r\n").nth(1).unwrap();
    serde_json::from_str::<Value>(body).unwrap()["params"].clone()
}

#[test]
fn an_upload_asks_for_the_columns_and_sends_the_file_whole() {
    let home = directory();
    write(&home, "sales.csv", "a,b\n1,é\n");
    let columns = json!([{"id": "a", "dtype": "numeric"}, {"id": "b", "dtype": "text"}]);
    let server = Server::start(&[result(&columns.to_string()), result("null")]);
    let upload = ["upload", "sales.csv", "--table", "t", "--project", "p"];
    prints(&server.call(&home, &upload), "null");
    let requests = server.requests();
    assert!(
        requests[0].starts_with("POST /json-rpc/analyze/table/table_meta "),
        "{requests:?}"
    );
    assert_eq!(params(&requests[0]), json!({"project_id": "p", "table_id": "t"}));
    assert!(
        requests[1].starts_with("POST /json-rpc/analyze/table/load_csv "),
        "{requests:?}"
    );
    let mut sent = params(&requests[1]);
    let data = sent["csv_data"].take();
    assert_eq!(
        STANDARD.decode(data.as_str().unwrap()).unwrap(),
        "a,b\n1,é\n".as_bytes()
    );
    assert_eq!(
        sent,
        json!({
            "project_id": "p", "table_id": "t", "meta": columns, "csv_data": null, "header": true, "delimiter": ",",
            "null_as": "", "quote": "\"", "escape": "\"", "date_format": "YYYY-MM-DD\"T\"HH24:MI:SS",
            "source_columns": null, "append": false, "update_table_shape": true, "compressed": false,
        })
    );
    let given = [&upload[..], &["--meta", "[]", "--append"]].concat();
    prints(&Server::result("7").call(&home, &given), "7");
}

#[test]
fn an_upload_that_cannot_work_sends_nothing() {
    let home = directory();
    write(&home, "empty.csv", "\n");
    write(&home, "sales.csv", "a\n1\n");
    let server = Server::result("1");
    for (arguments, words) in [
        (
            &["upload", "missing.csv", "--table", "t"][..],
            "missing.csv cannot be read",
        ),
        (&["upload", "empty.csv", "--table", "t"], "empty.csv is empty"),
        (
            &["upload", "sales.csv", "--table", "t"],
            "the configuration has no project_id",
        ),
        (
            &[
                "upload",
                "sales.csv",
                "--table",
                "t",
                "--project",
                "p",
                "--meta",
                "{}",
            ],
            "--meta must be a JSON list",
        ),
    ] {
        server.call(&home, arguments).must_say(2, &[words]);
    }
    assert!(server.requests().is_empty());
    assert_eq!(
        run(&home, &["upload", "sales.csv"]).code,
        Some(2),
        "the table is missing"
    );
}
