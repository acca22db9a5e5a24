//! The simulator as a library: what a test of a program that talks to Plaid does with it.
//!
//! `cargo run -p plaid-simulator --example in_a_test`

#![expect(
    clippy::indexing_slicing,
    reason = "serde_json's indexing returns null for what is missing"
)]

use plaid_simulator::{CLIENT_ID, Options, SECRET, Simulator};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // reqwest is built here without a TLS provider of its own.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();

    // Port 0: tests run side by side. The simulator stops when `plaid` is dropped.
    let plaid = Simulator::start(Options::default()).await?;
    let call = async |path: &str, mut body: Value| -> anyhow::Result<Value> {
        body["client_id"] = CLIENT_ID.into();
        body["secret"] = SECRET.into();
        let url = format!("{}{path}", plaid.url());
        Ok(http.post(url).json(&body).send().await?.json().await?)
    };

    // A person logs in at First Platypus Bank, without a browser.
    let made = json!({ "institution_id": "ins_109508", "initial_products": ["transactions"] });
    let made = call("/sandbox/public_token/create", made).await?;
    let exchanged = call(
        "/item/public_token/exchange",
        json!({ "public_token": made["public_token"] }),
    )
    .await?;
    let accounts = call(
        "/accounts/get",
        json!({ "access_token": exchanged["access_token"] }),
    )
    .await?;
    let count = accounts["accounts"].as_array().map_or(0, Vec::len);
    anyhow::ensure!(count > 0, "the Item has accounts");

    // The same Item, as a test looks at it.
    anyhow::ensure!(plaid.simulator().live_items() == 1, "one Item was made");
    anyhow::ensure!(
        plaid.simulator().count("/accounts/get") == 1,
        "the call was counted"
    );
    say(&format!("{count} accounts at {}", plaid.url()))
}

fn say(line: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

#[cfg(test)]
#[test]
fn the_example_runs() -> anyhow::Result<()> {
    main()
}
