//! A receiver of webhooks, which checks each as <https://plaid.com/docs/api/webhooks/webhook-verification/> says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::Plaid;

/// One delivery: the header `Plaid-Verification` and the bytes.
pub(crate) struct Delivery {
    pub(crate) signature: String,
    pub(crate) body: Bytes,
}

/// The receiver. It answers each delivery with the status that is set.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    deliveries: Arc<Mutex<Vec<Delivery>>>,
    status: Arc<Mutex<StatusCode>>,
}

impl Receiver {
    /// The receiver and its URL.
    pub(crate) async fn start() -> (Self, String) {
        let receiver = Self::default();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async { axum_serve(listener, router).await });
        (receiver, url)
    }

    pub(crate) fn answer_with(&self, status: u16) {
        *self.status.lock().unwrap() = StatusCode::from_u16(status).unwrap();
    }

    pub(crate) fn count(&self) -> usize {
        self.deliveries.lock().unwrap().len()
    }

    fn oldest(&self) -> Option<Delivery> {
        let mut deliveries = self.deliveries.lock().unwrap();
        (!deliveries.is_empty()).then(|| deliveries.remove(0))
    }

    /// Waits for a delivery, the oldest first.
    pub(crate) async fn next(&self) -> Delivery {
        for _ in 0..400 {
            if let Some(delivery) = self.oldest() {
                return delivery;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no webhook came");
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    assert_eq!(headers["content-type"], "application/json");
    let signature = headers["plaid-verification"].to_str().unwrap().to_owned();
    receiver
        .deliveries
        .lock()
        .unwrap()
        .push(Delivery { signature, body });
    *receiver.status.lock().unwrap()
}

async fn axum_serve(listener: tokio::net::TcpListener, router: Router) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        let io = hyper_util::rt::TokioIo::new(stream);
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
    }
}

impl Delivery {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The id of the key that signed.
    pub(crate) fn kid(&self) -> String {
        let header = part(self.signature.split('.').next().unwrap());
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("JWT")));
        header["kid"].as_str().unwrap().to_owned()
    }

    /// Signature, age and digest; gives the key.
    pub(crate) async fn verified(&self, plaid: &Plaid) -> Value {
        let answer = plaid
            .call("/webhook_verification_key/get", json!({"key_id": self.kid()}))
            .await
            .ok();
        let key = answer["key"].clone();
        let point = [
            vec![4],
            part(key["x"].as_str().unwrap()),
            part(key["y"].as_str().unwrap()),
        ]
        .concat();
        let (signed, signature) = self.signature.rsplit_once('.').unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &part(signature))
            .expect("the signature is good");
        let payload: Value = serde_json::from_slice(&part(signed.split_once('.').unwrap().1)).unwrap();
        let digest: Vec<_> = Sha256::digest(&self.body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(payload["request_body_sha256"], digest.concat());
        assert_eq!(payload["iat"], 1_750_000_000);
        key
    }
}

fn part(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
