//! Sends what is in the outbox.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::simulator::Simulator;
use crate::spec::lock;
use crate::webhooks::outbox::Parcel;

/// An answer that takes longer counts as none (<https://plaid.com/docs/api/webhooks/#retries>).
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often the clock is looked at while something waits for it: a clock that tests move wakes nobody.
const LOOK: Duration = Duration::from_millis(50);
/// How often lapsed logins and news of banks are looked for.
const SWEEP: Duration = Duration::from_secs(60);
/// More than this many at a time wait for their turn.
const MOST_AT_ONCE: usize = 32;

/// Sends webhooks until it is dropped.
pub(crate) async fn run(simulator: Simulator) {
    let mut client = None;
    let mut sending: JoinSet<()> = JoinSet::new();
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        // Before the look at the outbox, so that nothing posted in between is slept over.
        let changed = simulator.0.outbox_changed.notified();
        let mut changed = std::pin::pin!(changed);
        changed.as_mut().enable();
        if sending.len() < MOST_AT_ONCE {
            let parcels = lock(&simulator.0.outbox).take_due(simulator.now());
            for parcel in parcels {
                let client = client.get_or_insert_with(client_of_ours).clone();
                sending.spawn(deliver(simulator.clone(), client, parcel));
            }
        }
        let busy = lock(&simulator.0.outbox).is_busy();
        tokio::select! {
            () = changed => {}
            Some(_) = sending.join_next() => {}
            () = tokio::time::sleep(LOOK), if busy => {}
            _ = sweep.tick() => simulator.announce(),
        }
    }
}

/// Redirects are not followed: Plaid does not say that it follows them, and a receiver must not depend on it.
fn client_of_ours() -> Option<reqwest::Client> {
    // Only the first of these calls installs a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(TIMEOUT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .inspect_err(|error| tracing::error!(%error, "webhooks cannot be sent"))
        .ok()
}

async fn deliver(simulator: Simulator, client: Option<reqwest::Client>, parcel: Parcel) {
    let signature = lock(&simulator.0.webhook_keys).sign(parcel.body.as_bytes(), simulator.0.clock.wall());
    let status = match (client, signature) {
        (Some(client), Some(signature)) => {
            let request = client
                .post(&parcel.url)
                .header("content-type", "application/json")
                .header("plaid-verification", signature)
                .body(parcel.body);
            request.send().await.ok().map(|answer| answer.status().as_u16())
        }
        _ => None,
    };
    let pause = simulator.switches().guesses.webhook_pause;
    lock(&simulator.0.outbox).settle(parcel.id, status, pause, simulator.now());
}
