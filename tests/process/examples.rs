//! The programs in `examples/`, run against a real broker.

use std::net::TcpListener;

use tempfile::TempDir;

use crate::flow::{Broker, Plaid};
use crate::harness::directory;
use crate::web::get;

#[path = "../../examples/oauth_client.rs"]
#[expect(dead_code, reason = "a program, whose main is not called here")]
mod oauth_client;

/// Serves the example on a thread of its own until the test's process ends; returns its base URL.
fn serve(listener: TcpListener, broker: &str) -> String {
    let own = format!("http://{}", listener.local_addr().unwrap());
    listener.set_nonblocking(true).unwrap();
    let application = oauth_client::application(broker, &own);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, application).await.unwrap();
        });
    });
    own
}

#[test]
fn the_example_client_connects_a_bank_and_refreshes() {
    let (dir, plaid_dir): (TempDir, TempDir) = (directory(), directory());
    let plaid = Plaid::start(&plaid_dir);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let callback = format!("http://{}/callback", listener.local_addr().unwrap());
    let broker = Broker::of(plaid.broker(&dir).set("PLAID_REDIRECT_URI", &callback));
    let own = serve(listener, &broker.url);

    let started = get(&own, "/start");
    let location = started.headers("location").concat();
    let tab = broker
        .open_at(location.strip_prefix(&broker.url).expect("the broker's address"))
        .unwrap();
    let landed = broker.complete(&tab, &plaid.public_token()).unwrap();
    let back = landed.reply().unwrap().text("redirect_to");
    let answer = get(&own, back.strip_prefix(&own).expect("the example's callback"));
    assert!(answer.body.starts_with("Connected "), "{answer:?}");

    // The same answer once more is somebody else's: its `state` was used.
    let again = get(&own, back.strip_prefix(&own).expect("the example's callback"));
    assert!(again.body.starts_with("Not connected: "), "{again:?}");
}
