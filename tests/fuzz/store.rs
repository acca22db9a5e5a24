//! What comes back from the disk, and tokens of our own.

use plaid_token_broker::config::{DatabaseUrl, KeySource, SealingKey, StoreConfig};
use plaid_token_broker::store::keyring::Keyring;
use plaid_token_broker::store::model::{Account, Nonce};
use plaid_token_broker::store::seal::Place;
use plaid_token_broker::store::{Durability, OpenOptions, Store, TokenKind};
use proptest::prelude::*;

use crate::mutation::{cases, feed, mutated, mutated_text};

fn key(id: &str, byte: u8) -> SealingKey {
    SealingKey {
        id: id.to_owned(),
        key: zeroize::Zeroizing::new([byte; 32]),
    }
}

#[test]
fn a_sealed_envelope_opens_as_it_was_or_not_at_all() {
    let ring = Keyring::new(vec![key("new", 1), key("old", 2)]).unwrap();
    let old = Keyring::new(vec![key("old", 2)]).unwrap();
    let place = Place::new("connections/access_token", 7);
    let plain: &[u8] = b"access-sandbox-x";
    let envelopes = vec![
        ring.seal(&place, plain).unwrap(),
        old.seal(&place, plain).unwrap(),
        ring.seal(&place, b"").unwrap(),
    ];
    let opened = std::cell::Cell::new(0);
    feed(cases(1), &mutated(envelopes.clone()), |envelope| {
        let genuine = envelopes.contains(&envelope);
        match ring.open(&place, &envelope) {
            Ok(text) => {
                opened.set(opened.get() + 1);
                prop_assert!(genuine && (text.as_slice() == plain || text.is_empty()));
            }
            Err(error) => {
                prop_assert!(!genuine);
                let text = error.to_string();
                prop_assert!(text.len() < 200 && !text.contains(char::is_control), "{text:?}");
            }
        }
        prop_assert!(
            ring.open(&Place::new("connections/access_token", 8), &envelope)
                .is_err()
        );
        Ok(())
    });
    assert!(opened.get() > 0);
}

#[test]
fn a_token_of_our_own_is_read_in_one_spelling_alone() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let account = Account {
        environment: "simulator".to_owned(),
        client_id: "x".to_owned(),
    };
    let options = OpenOptions {
        config: StoreConfig {
            database: DatabaseUrl::Sqlite(dir.path().join("fuzz.db")),
            keys: KeySource::Given(vec![key("k", 1)]),
        },
        account,
        durability: Durability::Off,
    };
    let store = runtime.block_on(Store::open(options)).unwrap();
    let nonce = Nonce([3; 32]);
    let genuine: Vec<String> = TokenKind::ALL
        .into_iter()
        .map(|kind| {
            store
                .tokens()
                .issue(kind, uuid::Uuid::from_u128(5), &nonce)
                .expose()
                .to_owned()
        })
        .collect();
    let corpus: Vec<&str> = genuine.iter().map(String::as_str).collect();
    let read = std::cell::Cell::new(0);
    feed(cases(1), &mutated_text(&corpus), |text| {
        for (kind, token) in TokenKind::ALL.into_iter().zip(&genuine) {
            let presented = store.tokens().parse(kind, &text);
            prop_assert_eq!(presented.is_some(), text == *token, "{}", text);
            if let Some(presented) = presented {
                read.set(read.get() + 1);
                prop_assert!(presented.belongs_to(store.tokens(), &nonce));
            }
        }
        Ok(())
    });
    assert!(read.get() > 0);
    runtime.block_on(store.close());
}
