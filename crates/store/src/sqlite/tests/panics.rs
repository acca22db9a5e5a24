//! Panics outside of decisions.

use std::sync::mpsc;

use super::faults::on_writer;
use super::fresh;
use crate::helpers::completed;

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// An outcome whose caller has gone away is dropped by the writer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_outside_a_decision_does_not_end_the_writer() {
    let (store, directory) = fresh().await;
    let (go, wait) = mpsc::channel::<()>();
    let (reach, reached) = tokio::sync::oneshot::channel();
    let mut reach = Some(reach);
    let caller = {
        let store = store.clone();
        tokio::spawn(async move {
            let outcome = on_writer(&store, move |_| {
                if let Some(reach) = reach.take() {
                    reach.send(()).unwrap();
                }
                wait.recv().unwrap_or_default();
                Ok(PanicsWhenDropped)
            });
            std::mem::forget(outcome.await);
        })
    };
    reached.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    drop(go);
    let (_, connection) = completed(&store).await;
    store.close().await;
    let store = crate::Store::open(super::options(directory.path()))
        .await
        .unwrap();
    assert!(store.connection(connection).await.unwrap().is_some());
}
