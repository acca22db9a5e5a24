//! The operators' channel: a socket that the broker's own user alone can open, for commands to this broker alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use plaid_token_broker::server::control::{
    Answer as Told, AskError, Call, Line, ListenError, Listener, Remote, Request,
};
use plaid_token_broker::simulator::CLIENT_ID;
use plaid_token_broker::store::model::Account;
use plaid_token_broker::telemetry::audit::{Actor, Origin};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::harness::{Answer, TestBroker};

fn account(environment: &str) -> Account {
    Account {
        environment: environment.to_owned(),
        client_id: CLIENT_ID.to_owned(),
    }
}

fn socket(broker: &TestBroker) -> PathBuf {
    broker.app.config.control_socket.clone()
}

fn remote(broker: &TestBroker) -> Remote {
    Remote {
        socket: socket(broker),
        account: account("simulator"),
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Sends these bytes and reads all that comes back.
async fn send(broker: &TestBroker, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket(broker)).await.unwrap();
    // The broker may close before it has read all of a long call.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[track_caller]
fn failure(answer: &str) -> String {
    match serde_json::from_str(answer) {
        Ok(Line::Answer(Told::Failed { message })) => message,
        other => panic!("{other:?}: {answer}"),
    }
}

#[tokio::test]
async fn a_command_gets_a_link_that_opens_the_broker() {
    let broker = TestBroker::start_with(&[("PUBLIC_URL", "https://broker.example")]).await;
    let answer = remote(&broker).ask(&Request::AdminLink {}, |_| {}).await.unwrap();
    let Told::AdminLink {
        url,
        local_url: Some(local),
        expires_at,
    } = answer
    else {
        panic!("{answer:?}");
    };
    assert!(
        url.starts_with("https://broker.example/setup/login/ptb_al_"),
        "{url}"
    );
    assert_eq!(local.rsplit('/').next(), url.rsplit('/').next());
    let port = broker.url.rsplit(':').next().unwrap();
    assert!(
        local.starts_with(&format!("http://localhost:{port}/setup/login/")),
        "{local}"
    );
    let life = plaid_token_broker::app::admin::LINK_TTL;
    assert_eq!(
        expires_at,
        plaid_token_broker::clock::Clock::now(&*broker.clock).plus(life)
    );
    let path = local.split_once(&format!(":{port}")).unwrap().1;
    assert_eq!(
        Answer::of(broker.get(path)).await.header("location"),
        Some("../login?link=kept")
    );
}

#[tokio::test]
async fn the_socket_is_for_its_owner_alone_and_goes_with_the_broker() {
    let broker = TestBroker::start().await;
    let socket = socket(&broker);
    assert_eq!(socket, broker.dir.path().join("data/test.sock"));
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(mode(socket.parent().unwrap()), 0o700);
    let names: Vec<_> = std::fs::read_dir(socket.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("sock"))
        .collect();
    assert_eq!(names, ["test.sock"], "nothing else is left behind");

    let remote = remote(&broker);
    let dir = broker.dir.clone();
    broker.stop.drain.cancel();
    assert!(broker.running.await.unwrap());
    assert!(!socket.exists());
    let error = remote.ask(&Request::AdminLink {}, |_| {}).await.unwrap_err();
    assert!(matches!(error, AskError::Unreachable { .. }), "{error}");
    drop(dir);
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_a_live_one_or_a_file_is_not() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("new/folder/control.sock");
    let first = Listener::bind(&path).await.unwrap();
    assert_eq!((mode(&path), mode(&dir.path().join("new"))), (0o600, 0o700));
    let refused = Listener::bind(&path).await.unwrap_err();
    assert!(
        matches!(&refused, ListenError::InUse(taken) if *taken == path),
        "{refused}"
    );

    // As after `kill -9`: the file is there, and nobody listens.
    let kept = dir.path().join("kept");
    std::fs::hard_link(&path, &kept).unwrap();
    drop(first);
    assert!(!path.exists());
    std::fs::rename(&kept, &path).unwrap();
    let second = Listener::bind(&path).await.unwrap();
    UnixStream::connect(&path).await.unwrap();

    // What another broker put there in the meantime stays.
    std::fs::remove_file(&path).unwrap();
    let third = Listener::bind(&path).await.unwrap();
    drop(second);
    assert!(path.exists());
    drop(third);

    std::fs::write(&path, "a database").unwrap();
    let refused = Listener::bind(&path).await.unwrap_err();
    assert!(matches!(refused, ListenError::NotASocket(_)), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), b"a database");
    let long = dir.path().join("x".repeat(120));
    let refused = Listener::bind(&long).await.unwrap_err();
    assert!(matches!(refused, ListenError::Io { .. }), "{refused}");
}

/// A broker with many commands waiting refuses further ones for the moment, and is not gone.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_socket_whose_broker_is_busy_is_not_replaced() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("control.sock");
    let socket = tokio::net::UnixSocket::new_stream().unwrap();
    socket.bind(&path).unwrap();
    let _busy = socket.listen(1).unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = UnixStream::connect(&path).await {
        waiting.push(stream);
    }
    let refused = Listener::bind(&path).await.unwrap_err();
    assert!(matches!(refused, ListenError::InUse(_)), "{refused}");
}

#[tokio::test]
async fn the_socket_of_a_broker_that_drains_is_taken_over_when_it_is_gone() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("control.sock");
    let draining = Listener::bind(&path).await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let (later, token) = (path.clone(), stop.clone());
    let next = tokio::spawn(async move { Listener::bind_later(&later, &token).await });
    drop(draining);
    let next = next.await.unwrap();
    assert!(next.is_some() && path.exists());
    stop.cancel();
    assert!(Listener::bind_later(&path, &stop).await.is_none());
}

#[tokio::test]
async fn a_folder_that_other_users_can_write_to_is_refused() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("control.sock");
    for (mode, is_refused) in [(0o777, true), (0o770, true), (0o755, false), (0o1777, false)] {
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
        let bound = Listener::bind(&path).await;
        let refused = matches!(&bound, Err(ListenError::SharedFolder(found)) if *found == folder);
        assert_eq!(refused, is_refused, "{mode:o}: {bound:?}");
        assert_eq!(bound.is_ok(), !is_refused, "{mode:o}: {bound:?}");
    }
}

#[tokio::test]
async fn a_broker_without_its_socket_serves_all_the_same() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("taken"), "").unwrap();
    let path = dir.path().join("taken").display().to_string();
    let broker = TestBroker::start_with(&[("BROKER_CONTROL_SOCKET", &path)]).await;
    assert_eq!(Answer::of(broker.get("/")).await.status, 200);
    let error = remote(&broker)
        .ask(&Request::Describe {}, |_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, AskError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_command_for_another_account_is_refused() {
    let broker = TestBroker::start().await;
    let other_client = Account {
        client_id: "0123456789abcdef01234567".to_owned(),
        ..account("simulator")
    };
    for account in [account("production"), other_client] {
        let elsewhere = Remote {
            account,
            ..remote(&broker)
        };
        let answer = elsewhere.ask(&Request::AdminLink {}, |_| {}).await.unwrap();
        assert!(
            matches!(&answer, Told::Failed { message } if message.contains("PLAID_ENV") && message.contains("simulator")),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_malformed_call_is_refused_and_does_nothing() {
    let broker = TestBroker::start().await;
    let call = serde_json::to_string(&Call {
        account: account("simulator"),
        request: Request::AdminLink {},
    })
    .unwrap();
    let accepted = send(&broker, format!("{call}\n").as_bytes()).await;
    assert!(
        accepted.contains("/setup/login/ptb_al_"),
        "the call itself is good"
    );
    for line in [
        "",
        "{}",
        "[]",
        &call.replace("admin_link", "obey"),
        &call.replace(r#""admin_link""#, r#""admin_link","x":1"#),
        &call.replace(r#""account""#, r#""x":1,"account""#),
        r#"{"request":{"command":"admin_link"}}"#,
    ] {
        let answer = send(&broker, format!("{line}\n").as_bytes()).await;
        assert!(failure(&answer).contains("does not know the command"), "{line}");
    }
    // No whole line: the caller went away, or sends more than any command.
    assert_eq!(send(&broker, call.as_bytes()).await, "");
    assert_eq!(send(&broker, &vec![b'x'; 65 * 1024]).await, "");
    // No address of the network takes commands.
    for url in [&broker.ops_url, &broker.url] {
        let sent = broker.http.post(format!("{url}/control")).body(call.clone());
        assert_eq!(sent.send().await.unwrap().status(), 404);
    }
}

#[tokio::test]
async fn a_running_broker_describes_itself() {
    let broker = TestBroker::start_with(&[("PUBLIC_URL", "https://broker.example")]).await;
    let callback = "https://idp.kore.com/workflows/callback";
    let origin = Origin::actor(Actor::Admin);
    let allowed = broker.app.allow_redirect_uri(CLIENT_ID, callback, origin).await;
    assert!(allowed.unwrap());
    let answer = remote(&broker).ask(&Request::Describe {}, |_| {}).await.unwrap();
    let Told::Description { description } = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(description.public_url, "https://broker.example");
    assert_eq!(format!("http://{}", description.address), broker.url);
    assert_eq!(format!("http://{}", description.operations), broker.ops_url);
    let simulator = description.simulator.map(|address| format!("http://{address}"));
    assert_eq!(simulator.as_deref(), Some(broker.simulator_url.as_str()));
    assert_eq!(description.store, None);
    assert_eq!(
        description.callbacks,
        [(CLIENT_ID.to_owned(), callback.to_owned())]
    );
}
