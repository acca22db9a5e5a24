//! What operators write.

use plaid_token_broker::config::{Config, LoadOptions};
use proptest::prelude::*;

use crate::mutation::{cases, feed, mutated_text};

#[test]
fn any_env_file_is_settings_or_a_list_of_problems() {
    let corpus = [
        "PLAID_CLIENT_ID=0a0b0c0d0e0f010203040506\nPLAID_SECRET='7e57ab1e5ec2e7000000000000aa01'\nPLAID_ENV=sandbox\n",
        "export PLAID_PRODUCTS=\"auth,transactions\" # why\r\nAPP_PORT=8000\r\nPUBLIC_URL=https://b.example/\r\n",
        "PLAID_REDIRECT_URI=https://a.example/cb,https://b.example/cb\nBROKER_TRUSTED_PROXIES=10.0.0.0/8,loopback\n",
        "BROKER_KEYS=k:BQYHBQYHBQYHBQYHBQYHBQYHBQYHBQYHBQYHBQYHBQY=\nOAUTH_CODE_TTL=60\nRUST_LOG=info\n",
        "A=\"two\nlines\"\nB=${A}\n\u{feff}C=1\n",
    ];
    let fine = std::cell::Cell::new(0);
    feed(cases(10), &mutated_text(&corpus), |content| {
        // Files that a mutation happens to name are not this target's matter.
        prop_assume!(!content.contains("_FILE"));
        match Config::load([], Some(&content), LoadOptions::default()) {
            Ok(_) => fine.set(fine.get() + 1),
            Err(problems) => {
                prop_assert!(!problems.0.is_empty());
                for problem in &problems.0 {
                    let text = problem.to_string();
                    prop_assert!(!text.contains(char::is_control), "one line each: {text:?}");
                }
            }
        }
        Ok(())
    });
    assert!(fine.get() > 0);
}

#[test]
fn any_clients_file_is_clients_or_a_list_of_problems() {
    let example = include_str!("../../docs/clients.example.toml");
    let hash = "OmJJ6YDcTb0izt5ldxyf67g1WG85jUajpLDGcZaGgZQ";
    let first = example.split("\n[[client]]").nth(1).expect("a client");
    let first = format!("[[client]]{first}");
    let corpus = [
        example,
        &first,
        "[[client]]\nid = \"a\"\npublic = true\nredirect_uris = [\"http://127.0.0.1/cb\"]\nproducts = []\n",
        "client = [{ id = \"a\", refresh_lifetime = 9e9, send_iss = 1 }, 2]\n[x]\ny.z = 2020-01-01\n",
    ];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clients.toml");
    let settings = [("OAUTH_CLIENTS_FILE".to_owned(), path.display().to_string())];
    let fine = std::cell::Cell::new(0);
    feed(cases(10), &mutated_text(&corpus), |content| {
        std::fs::write(&path, &content).unwrap();
        match Config::load(settings.clone(), None, LoadOptions::default()) {
            Ok(config) => {
                fine.set(fine.get() + 1);
                let shown = format!("{config:?}");
                prop_assert!(!shown.contains(hash));
            }
            Err(problems) => {
                prop_assert!(!problems.0.is_empty());
                for problem in &problems.0 {
                    let text = problem.to_string();
                    prop_assert!(!text.contains(char::is_control), "one line each: {text:?}");
                    prop_assert!(!text.contains(hash), "a hash is not repeated: {text}");
                }
            }
        }
        Ok(())
    });
    assert!(fine.get() > 0);
}
