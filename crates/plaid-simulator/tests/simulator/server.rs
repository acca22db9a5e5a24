//! The server's end of life, and what another server makes of a fault.

use std::future::IntoFuture as _;
use std::time::Duration;

use plaid_simulator::{Fault, Options, Simulator, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::support::client;

#[tokio::test]
async fn calls_in_flight_end_before_the_server_does() {
    let simulator = Simulator::new(Options::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/item/get", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        stopped.await.ok();
    };
    let server = tokio::spawn(serve(listener, simulator.clone(), shutdown));

    simulator.enqueue("/item/get", Fault::Delay(Duration::from_millis(200)));
    let in_flight = tokio::spawn(client().post(&url).send());
    while simulator.count("/item/get") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.send(()).unwrap();
    assert_eq!(in_flight.await.unwrap().unwrap().status(), 400);
    server.await.unwrap();
    assert!(client().post(&url).send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_hanging_call_does_not_prevent_the_end() {
    let simulator = Simulator::new(Options::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/item/get", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        stopped.await.ok();
    };
    let server = tokio::spawn(serve(listener, simulator.clone(), shutdown));
    simulator.enqueue("/item/get", Fault::Hang);
    let hanging = tokio::spawn(client().post(&url).send());
    while simulator.count("/item/get") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.send(()).unwrap();
    server.await.unwrap();
    assert!(hanging.await.unwrap().is_err());
}

#[tokio::test]
async fn under_another_server_an_unanswered_call_breaks_off() {
    let simulator = Simulator::new(Options::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/item/get", listener.local_addr().unwrap());
    let server = tokio::spawn(axum::serve(listener, simulator.router()).into_future());
    simulator.enqueue("/item/get", Fault::Reset);
    let response = client().post(&url).send().await;
    let whole = match response {
        Ok(response) => response.bytes().await.is_ok(),
        Err(_) => false,
    };
    assert!(!whole, "the call was answered");
    server.abort();
}
