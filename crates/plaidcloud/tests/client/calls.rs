//! What is sent, what a response means, and when a request is repeated.

use std::fs;
use std::path::Path;

use plaidcloud::{Call, Client, Error, HttpMethod, Kind, RestRequest, ServerError};

use crate::client;
use crate::server::{Server, response, result};

const READING: &str = "identity/me/scopes";
const WRITING: &str = "analyze/table/clear_data";

async fn call(server: &Server, method: &str) -> Result<String, Error> {
    let call = Call::new(method).unwrap();
    client(server).call(&call).await.map(|json| json.get().to_owned())
}

/// The error of a call to a server that always responds so.
async fn refused(answer: String) -> Error {
    let server = Server::start(move |_, _| answer.clone());
    let error = call(&server, WRITING).await.unwrap_err();
    assert_eq!(server.requests().len(), 1, "{error}");
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
    error
}

#[tokio::test]
async fn a_call_is_one_post_with_the_token() {
    let server = Server::start(|_, _| result("[1.10]"));
    assert_eq!(call(&server, READING).await.unwrap(), "[1.10]");
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /json-rpc/identity/me/scopes HTTP/1.1");
    assert_eq!(request.header("authorization"), Some("Bearer the-s3cr3t-token"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(
        request.body,
        r#"{"jsonrpc":"2.0","method":"identity/me/scopes","params":{},"id":"test-1"}"#
    );
}

#[tokio::test]
async fn every_response_that_is_no_result_is_named_and_shows_no_secret() {
    let html = "<!doctype html><html>s3cr3t</html>";
    let cases = [
        (response(200, "", html), "HTML page"),
        (
            response(200, "", "{\"id\":\"1\",\"ok\":true,\"result\":{\"a\""),
            "ends early",
        ),
        (response(200, "", "[1]"), "not a response of the JSON-RPC"),
        (response(200, "", ""), "ends early"),
        (
            response(
                200,
                "",
                "{\"ok\":false,\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}",
            ),
            "Method not found (code -32601)",
        ),
        (
            response(
                200,
                "",
                "{\"ok\":false,\"error\":{\"code\":1,\"message\":\"no the-s3cr3t-token\"}}",
            ),
            "no (hidden)",
        ),
        (
            response(302, "location: https://login.example/x?token=s3cr3t\r\n", ""),
            "redirects to login.example (status 302), which is not followed",
        ),
        (
            response(403, "", "{\"detail\":\"not yours\"}"),
            "status 403: not yours",
        ),
        (response(500, "", html), "status 500"),
        (response(401, "", ""), "refuses the token (401)"),
    ];
    for (answer, words) in cases {
        let error = refused(answer).await;
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.kind(), Kind::Server, "{error}");
    }
    let warning = refused(response(
        200,
        "",
        "{\"ok\":false,\"error\":{\"code\":-1000,\"message\":\"no rows\"}}",
    ));
    let warning = warning.await;
    assert!(matches!(&warning, Error::Server(ServerError::Warning(text)) if text == "no rows"));
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_a_failure_of_the_transport() {
    let error = refused("HTTP/1.1 200 x\r\ncontent-length: 50\r\n\r\n{\"ok\":true".to_owned()).await;
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    assert!(
        error.to_string().contains("before the response was complete"),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_clock_is_named_when_the_token_is_refused() {
    let error = refused(response(401, "date: Mon, 30 Nov 2026 00:00:00 GMT\r\n", "")).await;
    let Error::Server(ServerError::Unauthorized { clock_differs, .. }) = &error else {
        panic!("{error}")
    };
    assert!(clock_differs.is_some(), "{error}");
    assert!(
        error.to_string().contains("The clock of this machine is"),
        "{error}"
    );
}

#[tokio::test]
async fn only_what_reads_is_repeated_after_a_server_error() {
    for (method, expected) in [(READING, 3), (WRITING, 1)] {
        let server = Server::start(|_, _| response(502, "", ""));
        let error = call(&server, method).await.unwrap_err();
        assert!(error.to_string().contains("status 502"), "{error}");
        assert_eq!(server.requests().len(), expected, "{method}");
    }
    for (method, expected) in [(READING, 3), (WRITING, 1)] {
        let server = Server::start(|_, _| String::new());
        let error = call(&server, method).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable, "{error}");
        assert_eq!(server.requests().len(), expected, "{method}");
    }
}

#[tokio::test]
async fn a_refusal_before_execution_is_repeated_for_every_method() {
    let server = Server::start(|number, _| match number {
        0 => response(429, "", ""),
        _ => result("1"),
    });
    assert_eq!(call(&server, WRITING).await.unwrap(), "1");
    let patient = Server::start(|_, _| response(429, "retry-after: 3600\r\n", ""));
    assert!(call(&patient, WRITING).await.is_err());
    assert_eq!(patient.requests().len(), 1, "an hour is not waited for");
}

#[tokio::test]
async fn nothing_that_listens_is_an_unreachable_server() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut server = Server::start(|_, _| String::new());
    server.port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = call(&server, WRITING).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    assert!(error.to_string().contains("refused"), "{error}");
}

async fn download(client: &Client, path: &Path) -> Result<u64, Error> {
    let call = Call::new("analyze/query/download_csv").unwrap();
    client.download(&call, path, &mut |_, _| {}).await
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_download_replaces_the_file_when_all_of_it_is_there() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deep/data.csv");
    let server = Server::start(|number, _| match number {
        0 => response(200, "", "a,b\n1,2\n"),
        1 => response(200, "", "{\"rows\": [1], \"result\": 2}"),
        2 => "HTTP/1.1 200 x\r\ncontent-length: 500\r\n\r\na,b\n".to_owned(),
        3 => response(
            200,
            "",
            "{\"id\":\"1\",\"ok\":false,\"error\":{\"code\":7,\"message\":\"no table\"}}",
        ),
        4 => response(200, "", "{\"id\":\"1\",\"ok\":true,\"result\":[]}"),
        5 => response(200, "", " <!DOCTYPE html><p>"),
        _ => response(200, "", ""),
    });
    let client = client(&server);
    assert_eq!(download(&client, &path).await.unwrap(), 8);
    assert_eq!(fs::read_to_string(&path).unwrap(), "a,b\n1,2\n");
    // A document may be JSON.
    download(&client, &path).await.unwrap();
    let json = fs::read_to_string(&path).unwrap();
    assert!(json.contains("rows"));
    for words in [
        "complete",
        "no table (code 7)",
        "a value and not with a file",
        "HTML",
    ] {
        let error = download(&client, &path).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), json, "the old file stays");
        assert_eq!(
            names_in(path.parent().unwrap()),
            ["data.csv"],
            "nothing else is left"
        );
    }
    assert_eq!(download(&client, &path).await.unwrap(), 0);
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
    let page = Server::start(|_, _| response(200, "", "<!doctype html><p>"));
    let path = home.path().join("report.html");
    assert_eq!(download(&crate::client(&page), &path).await.unwrap(), 18);
}

#[tokio::test]
async fn a_target_that_cannot_be_replaced_is_refused_before_anything_is_sent() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| response(200, "", "x"));
    let client = client(&server);
    fs::write(home.path().join("file"), "x").unwrap();
    let error = download(&client, home.path()).await.unwrap_err();
    assert!(error.to_string().contains("it is a directory"), "{error}");
    assert!(server.requests().is_empty());
    let error = download(&client, &home.path().join("file/data.csv"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Local, "{error}");
    #[cfg(unix)]
    {
        let error = download(&client, Path::new("/dev/null")).await.unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }
}

#[tokio::test]
async fn progress_counts_bytes_up_to_their_announced_number() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| response(200, "", &"x".repeat(300_000)));
    let mut seen = Vec::new();
    let call = Call::new("analyze/query/download_csv").unwrap();
    let path = home.path().join("x");
    let client = client(&server);
    let mut progress = |bytes, total| seen.push((bytes, total));
    let received = client.download(&call, &path, &mut progress).await.unwrap();
    assert_eq!(received, 300_000);
    assert_eq!(seen.first(), Some(&(0, Some(300_000))));
    assert_eq!(seen.last(), Some(&(300_000, Some(300_000))));
    assert!(seen.is_sorted());
}

#[tokio::test]
async fn rest_requests_go_to_their_own_root() {
    let server = Server::start(|number, _| match number {
        0 => response(200, "", "[1.10]"),
        1 => response(204, "", ""),
        2 => response(404, "", "{\"detail\":\"no such dimension\"}"),
        3 => response(200, "", "<html>"),
        _ => response(200, "", "[1"),
    });
    let client = client(&server);
    let get = RestRequest::new(HttpMethod::Get, "analyze/dimension/dimensions").unwrap();
    let get = get.with_query("project_id", "p");
    let post = RestRequest::new(HttpMethod::Post, "a/b")
        .unwrap()
        .with_body("{\"x\": 1}")
        .unwrap();
    assert_eq!(client.rest(&get).await.unwrap(), b"[1.10]");
    assert_eq!(client.rest(&post).await.unwrap(), b"");
    for words in ["status 404: no such dimension", "HTML", "not valid JSON"] {
        let error = client.rest(&post).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let requests = server.requests();
    assert_eq!(
        requests[0].line,
        "GET /rest/v1/analyze/dimension/dimensions?project_id=p HTTP/1.1"
    );
    assert_eq!(requests[0].header("content-type"), None);
    assert_eq!(
        (requests[1].line.as_str(), requests[1].body.as_str()),
        ("POST /rest/v1/a/b HTTP/1.1", "{\"x\": 1}")
    );
}

#[tokio::test]
async fn a_server_that_stays_silent_is_not_waited_for_longer_than_the_caller_says() {
    let server = Server::start(|_, _| {
        std::thread::sleep(std::time::Duration::from_secs(30));
        String::new()
    });
    let mut connection = client(&server).connection().clone();
    connection.rpc_uri = server.url("/json-rpc/").parse().unwrap();
    let mut options = crate::options(None, crate::Hands::new().clock());
    options.timeout = std::time::Duration::from_millis(300);
    let impatient = Client::new(connection, options).unwrap();
    let home = tempfile::tempdir().unwrap();
    let call = Call::new(READING).unwrap();
    let errors = [
        impatient.call(&call).await.unwrap_err(),
        download(&impatient, &home.path().join("x")).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().contains("no response in time"), "{error}");
        assert_eq!(error.kind(), Kind::Unreachable);
    }
    assert_eq!(server.requests().len(), 2, "what timed out is not repeated");
    assert!(names_in(home.path()).is_empty());
}
