//! `/setup/connections`: what an admin sees of connections, and how they are ended.

use std::time::Duration;

use plaid_token_broker::secret::{ClientSecret, SecretHash};
use plaid_token_broker::store::model::AuditQuery;

use crate::harness::{Answer, CALLBACK, TestBroker, between};
use crate::visitor::{Visitor, form_of, proof_of};

const SECRET: &str = "a secret of the shop, long enough to be hashed";

/// A broker with a second client, `shop`.
async fn with_shop() -> (TestBroker, tempfile::TempDir) {
    let home = tempfile::TempDir::new().unwrap();
    let path = home.path().join("clients.toml");
    let hash = SecretHash::of(&ClientSecret::new(SECRET), [7; 16]).line();
    let client = format!(
        "[[client]]\nid = 'shop'\nname = 'The shop & more'\nsecret_hash = '{hash}'\nredirect_uris = ['{CALLBACK}']\n"
    );
    std::fs::write(&path, client).unwrap();
    let broker = TestBroker::start_with(&[("OAUTH_CLIENTS_FILE", path.to_str().unwrap())]).await;
    (broker, home)
}

async fn shop_tokens(broker: &TestBroker) -> Answer {
    let code = broker.code_of("?client_id=shop&state=s").await;
    as_shop(broker, &[("code", &code)]).await
}

async fn as_shop(broker: &TestBroker, form: &[(&str, &str)]) -> Answer {
    let form = [form, &[("client_id", "shop"), ("client_secret", SECRET)]].concat();
    broker.token(&form).await
}

async fn admin(broker: &TestBroker) -> Visitor<'_> {
    let mut visitor = Visitor::new(broker);
    visitor.log_in().await;
    visitor
}

fn rows(page: &Answer) -> usize {
    page.body.matches("role=\"rowheader\"").count()
}

/// The row of this Item, as text.
#[track_caller]
fn row_of<'p>(page: &'p Answer, item_id: &str) -> &'p str {
    let rows = page.body.split("<tr role=\"row\">");
    let mut found = rows.filter(|row| row.contains(item_id));
    let row = found
        .next()
        .unwrap_or_else(|| panic!("no row of {item_id} in {}", page.body));
    assert!(found.next().is_none(), "one row each");
    row
}

#[tokio::test]
async fn strangers_see_no_connections_and_end_none() {
    let broker = TestBroker::start().await;
    let tokens = broker.tokens().await;
    let mut stranger = Visitor::new(&broker);
    for path in [
        "/setup/connections",
        "/setup/connections?state=all",
        "/setup/connections/revoke?all=1",
    ] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, 303, "{path}");
        let leads_to = answer.header("location").unwrap();
        assert!(leads_to.ends_with("setup/login?next=connections"), "{leads_to}");
        assert!(!answer.body.contains(&tokens.text("item_id")));
        let call = Answer::of(broker.get(path)).await;
        assert_eq!((call.status, call.error().as_str()), (401, "login_required"));
    }
    let forced = stranger
        .post(
            "/setup/connections/revoke",
            &[("all", "1"), ("typed", "revoke all")],
        )
        .await;
    assert_eq!(forced.status, 303);
    assert_eq!(broker.refresh(&tokens.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn an_admin_sees_how_each_connection_stands_and_no_token() {
    let (broker, _home) = with_shop().await;
    let first = broker.tokens().await;
    let second = shop_tokens(&broker).await;
    broker.clock.advance(Duration::from_secs(3600));
    broker.refresh(&first.text("refresh_token")).await;
    broker
        .app
        .audit
        .flush(plaid_token_broker::telemetry::audit::Flush::All)
        .await
        .unwrap();

    let mut admin = admin(&broker).await;
    let page = admin.get("/setup/connections").await;
    assert_eq!(page.status, 200);
    assert_eq!(rows(&page), 2);
    for tokens in [&first, &second] {
        for secret in [tokens.text("access_token"), tokens.text("refresh_token")] {
            assert!(!page.body.contains(&secret));
        }
    }
    assert!(!page.body.contains("access-sandbox-"));
    let row = row_of(&page, &first.text("item_id"));
    assert!(
        row.contains("First Platypus Bank") && row.contains("Healthy") && row.contains("transactions"),
        "{row}"
    );
    let times: Vec<&str> = row.split("datetime=\"").skip(1).map(|rest| &rest[..20]).collect();
    assert_eq!(times.len(), 2, "{row}");
    assert!(times[0] < times[1], "created before refreshed: {times:?}");
    let row = row_of(&page, &second.text("item_id"));
    assert!(
        row.contains("The shop &#38; more") && row.contains("never"),
        "{row}"
    );

    let of_shop = admin.get("/setup/connections?client=shop").await;
    assert_eq!(rows(&of_shop), 1);
    assert!(
        of_shop.body.contains("Revoke all of The shop"),
        "{}",
        of_shop.body
    );
    assert_eq!(rows(&admin.get("/setup/connections?state=removed").await), 0);
    let looked_for = admin
        .get(&format!("/setup/connections?id={}", first.text("item_id")))
        .await;
    assert_eq!(rows(&looked_for), 1);
    for nothing in [
        "id=nothing",
        "client=nobody",
        "client=%3Cscript%3E",
        "before=x&client=nobody",
    ] {
        let page = admin.get(&format!("/setup/connections?{nothing}")).await;
        assert_eq!((page.status, rows(&page)), (200, 0), "{nothing}");
        assert!(!page.body.contains("<script>"), "{}", page.body);
    }
}

#[tokio::test]
async fn many_connections_are_shown_by_pages() {
    let broker = TestBroker::start().await;
    for _ in 0..27 {
        broker.tokens().await;
    }
    let mut admin = admin(&broker).await;
    let first = admin.get("/setup/connections").await;
    assert_eq!(rows(&first), 25);
    assert!(!first.body.contains(">Newest<"));
    let older =
        between(&first.body, "<a href=\"../setup/connections?", "\">Older</a>").expect("another page");
    let second = admin
        .get(&format!("/setup/connections?{}", older.replace("&#38;", "&")))
        .await;
    assert_eq!(rows(&second), 2);
    assert!(second.body.contains(">Newest<") && !second.body.contains(">Older<"));
    let ids = |page: &Answer| -> Vec<String> {
        let links = page.body.split("revoke?connection=").skip(1);
        links.map(|rest| rest[..32].to_owned()).collect()
    };
    let (a, b) = (ids(&first), ids(&second));
    assert!(a.windows(2).all(|pair| pair[0] > pair[1]), "the newest first");
    assert!(a.last() > b.first());
}

#[tokio::test]
async fn one_is_revoked_after_a_page_that_says_what_it_means() {
    let broker = TestBroker::start().await;
    let (ended, kept) = (broker.tokens().await, broker.tokens().await);
    let mut admin = admin(&broker).await;
    let list = admin.get("/setup/connections").await;
    let row = row_of(&list, &ended.text("item_id"));
    let link = between(row, "href=\"../setup/connections/", "\"").unwrap();
    let asked = admin.get(&format!("/setup/connections/{link}")).await;
    assert_eq!(asked.status, 200);
    for words in [
        "First Platypus Bank",
        &ended.text("item_id"),
        "cannot be undone",
        "Each Item is removed at Plaid",
    ] {
        assert!(asked.body.contains(words), "{words}: {}", asked.body);
    }
    assert!(!asked.body.contains("name=\"typed\""));
    assert_eq!(
        broker.refresh(&ended.text("refresh_token")).await.status,
        200,
        "asking ends nothing"
    );

    let id = between(&asked.body, "name=\"connection\" value=\"", "\"")
        .unwrap()
        .to_owned();
    let proof = between(&asked.body, "name=\"proof\" value=\"", "\"")
        .unwrap()
        .to_owned();
    for form in [
        vec![("connection", id.as_str())],
        vec![("connection", id.as_str()), ("proof", "another")],
        vec![
            ("connection", id.as_str()),
            ("all", "1"),
            ("typed", "revoke all"),
            ("proof", "another"),
        ],
    ] {
        assert_eq!(admin.post("/setup/connections/revoke", &form).await.status, 403);
    }
    let forged = form_of(
        &broker,
        "/setup/connections/revoke",
        &[("connection", &id), ("proof", &proof)],
    );
    assert_eq!(
        admin
            .ask(forged.header("sec-fetch-site", "cross-site"))
            .await
            .status,
        403
    );
    assert_eq!(broker.refresh(&ended.text("refresh_token")).await.status, 200);

    let done = admin
        .post(
            "/setup/connections/revoke",
            &[("connection", &id), ("proof", &proof)],
        )
        .await;
    assert_eq!(
        (done.status, done.header("location")),
        (303, Some("../connections?ended=1"))
    );
    let told = admin.get("/setup/connections?ended=1").await;
    assert!(told.body.contains("One connection was ended"), "{}", told.body);
    assert_eq!(rows(&told), 1);
    assert_eq!(
        broker.refresh(&ended.text("refresh_token")).await.oauth_error(),
        (400, "invalid_grant")
    );
    assert_eq!(broker.refresh(&kept.text("refresh_token")).await.status, 200);
    let again = admin
        .post(
            "/setup/connections/revoke",
            &[("connection", &id), ("proof", &proof)],
        )
        .await;
    assert_eq!(again.header("location"), Some("../connections?ended=0"));

    let all = admin.get("/setup/connections?state=all").await;
    let row = row_of(&all, &ended.text("item_id"));
    assert!(
        row.contains("emoved") && !row.contains("revoke?connection"),
        "{row}"
    );
    let query = AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    };
    let log = broker.app.store.audit(query).await.unwrap();
    let row = log
        .iter()
        .find(|row| row.event == "connection.ended")
        .expect("it is audited");
    assert_eq!(
        (row.actor.as_str(), row.connection_id.as_deref()),
        ("admin", Some(id.as_str()))
    );
    assert!(row.address.is_some() && row.request_id.is_some(), "{row:?}");
}

#[tokio::test]
async fn all_of_a_client_are_revoked_and_no_others() {
    let (broker, _home) = with_shop().await;
    let kept = broker.tokens().await;
    let ended = [shop_tokens(&broker).await, shop_tokens(&broker).await];
    let mut admin = admin(&broker).await;
    let asked = admin.get("/setup/connections/revoke?client=shop").await;
    assert!(
        asked.body.contains("2 connections in use") && asked.body.contains("The shop &#38; more"),
        "{}",
        asked.body
    );
    let proof = proof_of(&broker, &admin);
    let done = admin
        .post(
            "/setup/connections/revoke",
            &[("client", "shop"), ("proof", &proof)],
        )
        .await;
    assert_eq!(done.header("location"), Some("../connections?ended=2"));
    for tokens in &ended {
        let refresh_token = tokens.text("refresh_token");
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.as_str()),
        ];
        let refused = as_shop(&broker, &form).await;
        assert_eq!(refused.oauth_error(), (400, "invalid_grant"));
    }
    assert_eq!(broker.refresh(&kept.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn everything_is_revoked_only_when_the_words_are_typed() {
    let (broker, _home) = with_shop().await;
    let tokens = broker.tokens().await;
    shop_tokens(&broker).await;
    let mut admin = admin(&broker).await;
    let asked = admin.get("/setup/connections/revoke?all=1").await;
    assert!(
        asked.body.contains("All 2 connections in use") && asked.body.contains("simulator"),
        "{}",
        asked.body
    );
    let proof = proof_of(&broker, &admin);
    for typed in ["", "yes", "revoke", "REVOKE ALL"] {
        let form = [("all", "1"), ("typed", typed), ("proof", proof.as_str())];
        let refused = admin.post("/setup/connections/revoke", &form).await;
        assert_eq!(refused.status, 400, "{typed}");
        assert!(refused.body.contains("Nothing was ended"), "{}", refused.body);
    }
    assert_eq!(broker.refresh(&tokens.text("refresh_token")).await.status, 200);
    let form = [("all", "1"), ("typed", " revoke all "), ("proof", proof.as_str())];
    let done = admin.post("/setup/connections/revoke", &form).await;
    assert_eq!(done.header("location"), Some("../connections?ended=2"));
    assert_eq!(
        broker.refresh(&tokens.text("refresh_token")).await.oauth_error(),
        (400, "invalid_grant")
    );
}

#[tokio::test]
async fn what_names_no_connection_is_told_so() {
    let broker = TestBroker::start().await;
    let mut admin = admin(&broker).await;
    let proof = proof_of(&broker, &admin);
    for query in [
        "",
        "connection=nothing",
        "connection=&client=",
        "connection=a&client=b",
        "client=a&all=1",
    ] {
        let asked = admin.get(&format!("/setup/connections/revoke?{query}")).await;
        assert_eq!(asked.status, 404, "{query}");
    }
    let form = [
        ("connection", "a"),
        ("all", "1"),
        ("typed", "revoke all"),
        ("proof", proof.as_str()),
    ];
    assert_eq!(admin.post("/setup/connections/revoke", &form).await.status, 404);
}
