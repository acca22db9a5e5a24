//! What the product lists mean for a person: the accounts that Link offers, and what the page promises.

use serde_json::json;

use crate::harness::{Answer, Browser, TestBroker, encode};

const GUIDE: (&str, &str) = (
    "PLAID_PRODUCTS",
    "auth,transactions,identity,investments,liabilities",
);

#[tokio::test]
async fn a_scope_with_auth_hides_no_account_of_what_it_asks_for() {
    for settings in [&[][..], &[GUIDE]] {
        let broker = TestBroker::start_with(settings).await;
        for (scope, products, required) in [
            ("auth investments", json!(["investments"]), json!(["auth"])),
            ("liabilities auth", json!(["liabilities"]), json!(["auth"])),
            ("auth", json!(["auth"]), json!(null)),
        ] {
            let browser = Browser::open(&broker, &format!("?state=s&{}", encode(&[("scope", scope)]))).await;
            let link_token = browser.create_link_token().await.text("link_token");
            let sent = broker.simulator.requests().pop().unwrap();
            assert_eq!(sent.body["products"], products, "{scope}");
            assert_eq!(sent.body["required_if_supported_products"], required, "{scope}");
            assert!(broker.simulator.complete_link(&link_token).is_some(), "{scope}");
        }
    }
}

#[tokio::test]
async fn people_can_finish_link_unless_auth_hides_what_the_products_need() {
    for (settings, finishes) in [
        (&[][..], true),
        (&[GUIDE], false),
        (&[("PLAID_PRODUCTS", "auth,transactions")], true),
    ] {
        let broker = TestBroker::start_with(settings).await;
        let browser = Browser::open(&broker, "?state=s").await;
        let link_token = browser.create_link_token().await.text("link_token");
        let success = broker.simulator.complete_link(&link_token);
        assert_eq!(success.is_some(), finishes, "{settings:?}");
    }
}

#[tokio::test]
async fn the_page_lists_only_what_people_can_share() {
    let (holdings, loans) = ("Investment holdings and trades", "Credit card and loan details");
    let others = (
        "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS",
        "transactions,investments,liabilities",
    );
    for (settings, query, listed) in [
        (&[][..], "", true),
        (&[GUIDE], "", false),
        (&[("PLAID_PRODUCTS", "auth"), others], "", false),
        (&[GUIDE], "&scope=auth+investments+liabilities", true),
    ] {
        let broker = TestBroker::start_with(settings).await;
        let page = Answer::of(broker.get(&format!("/?state=s{query}"))).await.body;
        assert!(page.contains("Account and routing numbers"), "{page}");
        assert_eq!(page.contains(holdings), listed, "{settings:?}: {page}");
        assert_eq!(page.contains(loans), listed, "{settings:?}: {page}");
    }
}
