//! The administration: links that work once, the configured token, the session, and what keeps others out.

use std::collections::BTreeMap;
use std::time::Duration;

use plaid_token_broker::store::model::AuditQuery;
use plaid_token_broker::telemetry::audit::Flush;
use reqwest::RequestBuilder;

use crate::harness::{Answer, TestBroker, between, encode};
use crate::visitor::{Visitor, form_of, fresh_link, proof_of};

const TOKEN: &str = "an-admin-token-of-this-test";

#[tokio::test]
async fn a_link_logs_in_once() {
    let broker = TestBroker::start().await;
    let link = fresh_link(&broker);
    let mut first = Visitor::new(&broker);
    let mut second = Visitor::new(&broker);

    let followed = first.get(&link).await;
    assert_eq!(followed.status, 303);
    assert_eq!(followed.header("location"), Some("../login?link=kept"));
    assert_eq!(followed.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(followed.header("cache-control"), Some("no-store"));
    second.get(&link).await;
    let page = first.get("/setup/login?link=kept").await;
    assert!(page.body.contains("It works once"), "{}", page.body);
    let token = link.rsplit('/').next().unwrap();
    assert!(!page.body.contains(token), "the page does not repeat the token");
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("form-action 'self'")
    );

    let entered = first.post("/setup/login", &[]).await;
    assert_eq!(
        (entered.status, entered.header("location")),
        (303, Some("../setup"))
    );
    assert!(first.is_admin().await);
    assert_eq!(
        first.cookies.len(),
        1,
        "the link's cookie is gone: {:?}",
        first.cookies
    );

    let late = second.post("/setup/login", &[]).await;
    assert_eq!(late.header("location"), Some("login?link=over"));
    assert!(!second.is_admin().await);
    let told = second.get("/setup/login?link=over").await;
    assert!(told.body.contains("used already"), "{}", told.body);
    assert_eq!(
        second.get(&link).await.header("location"),
        Some("../login?link=over")
    );
}

#[tokio::test]
async fn of_two_who_press_the_button_at_once_one_is_let_in() {
    let broker = TestBroker::start().await;
    for _ in 0..8 {
        let link = fresh_link(&broker);
        let mut visitors = [Visitor::new(&broker), Visitor::new(&broker)];
        for visitor in &mut visitors {
            visitor.get(&link).await;
        }
        let [one, other] = &mut visitors;
        let (a, b) = tokio::join!(one.post("/setup/login", &[]), other.post("/setup/login", &[]));
        let let_in = [a, b]
            .iter()
            .filter(|answer| answer.header("location") == Some("../setup"))
            .count();
        assert_eq!(let_in, 1);
    }
}

#[tokio::test]
async fn a_link_lives_a_quarter_of_an_hour() {
    let broker = TestBroker::start().await;
    let link = fresh_link(&broker);
    let mut visitor = Visitor::new(&broker);
    visitor.get(&link).await;
    let mut late = visitor.clone();
    broker.clock.advance(Duration::from_secs(15 * 60 - 1));
    assert_eq!(
        visitor.post("/setup/login", &[]).await.header("location"),
        Some("../setup")
    );

    late.get(&fresh_link(&broker)).await;
    broker.clock.advance(Duration::from_secs(15 * 60));
    let answer = late.post("/setup/login", &[]).await;
    assert_eq!(answer.header("location"), Some("login?link=over"));
    assert!(late.session().is_none());
}

#[tokio::test]
async fn who_only_looks_at_a_link_uses_nothing_up() {
    let broker = TestBroker::start().await;
    let link = fresh_link(&broker);
    for _ in 0..3 {
        let head = broker.http.head(format!("{}{link}", broker.url));
        assert_eq!(Answer::of(head).await.status, 303);
        // A chat that fetches a preview, follows the redirect, and keeps no cookies.
        let mut preview = Visitor::new(&broker);
        preview.get(&link).await;
        preview.cookies.clear();
        let page = preview.get("/setup/login?link=kept").await;
        assert!(page.body.contains("did not keep the link"), "{}", page.body);
    }
    let mut person = Visitor::new(&broker);
    person.get(&link).await;
    assert_eq!(
        person.post("/setup/login", &[]).await.header("location"),
        Some("../setup")
    );
}

#[tokio::test]
async fn the_newest_links_are_good_and_their_number_is_bounded() {
    let broker = TestBroker::start().await;
    let links: Vec<String> = (0..17).map(|_| fresh_link(&broker)).collect();
    let mut good = Vec::new();
    for link in &links {
        let answer = Visitor::new(&broker).get(link).await;
        good.push(answer.header("location") == Some("../login?link=kept"));
    }
    assert_eq!(good.iter().filter(|good| **good).count(), 16);
    assert!(!good[0]);
}

#[tokio::test]
async fn the_configured_token_logs_in_and_wrong_ones_are_slowed_down() {
    let broker = TestBroker::start_with(&[("BROKER_ADMIN_TOKEN", TOKEN)]).await;
    let mut visitor = Visitor::new(&broker);
    let page = visitor.get("/setup/login").await;
    assert!(page.body.contains("BROKER_ADMIN_TOKEN") && page.body.contains("name=\"token\""));
    assert!(!page.body.contains(TOKEN));
    let mut statuses = BTreeMap::new();
    for _ in 0..20 {
        let wrong = visitor
            .post("/setup/login", &[("token", "not-the-token-of-it")])
            .await;
        assert!(
            !wrong.body.contains("not-the-token-of-it"),
            "what was typed is not repeated"
        );
        if wrong.status == 429 {
            assert!(wrong.header("retry-after").is_some());
        }
        *statuses.entry(wrong.status).or_insert(0) += 1;
    }
    assert!(visitor.session().is_none());
    assert!(statuses[&403] >= 10 && statuses[&429] >= 8, "{statuses:?}");
    // Another address is not slowed down by that one, and a link is not either.
    let elsewhere = form_of(&broker, "/setup/login", &[("token", TOKEN)])
        .header("x-forwarded-for", "203.0.113.9")
        .header("sec-fetch-site", "same-origin");
    let entered = visitor.clone().ask(elsewhere).await;
    assert_eq!(entered.header("location"), Some("../setup"), "{}", entered.body);
    assert_eq!(visitor.log_in().await.header("location"), Some("../setup"));
}

#[tokio::test]
async fn without_a_configured_token_none_logs_in() {
    let broker = TestBroker::start().await;
    let mut visitor = Visitor::new(&broker);
    let page = visitor.get("/setup/login").await;
    assert!(page.body.contains("plaid-token-broker admin-link") && !page.body.contains("name=\"token\""));
    for token in ["", "x", TOKEN] {
        assert_eq!(
            visitor.post("/setup/login", &[("token", token)]).await.status,
            403
        );
    }
    assert!(visitor.session().is_none());
}

#[tokio::test]
async fn each_login_opens_a_new_session_and_none_can_be_planted() {
    let broker = TestBroker::start().await;
    let mut visitor = Visitor::new(&broker);
    visitor
        .cookies
        .insert("ptb_admin".to_owned(), "ptb_as_planted".to_owned());
    visitor.log_in().await;
    let first = visitor.session().unwrap().clone();
    assert_ne!(first, "ptb_as_planted");
    let mut old = visitor.clone();
    visitor.log_in().await;
    assert_ne!(visitor.session(), Some(&first));
    assert!(visitor.is_admin().await);
    assert!(!old.is_admin().await, "the session of before has ended");
    let mut planted = Visitor::new(&broker);
    planted
        .cookies
        .insert("ptb_admin".to_owned(), "ptb_as_planted".to_owned());
    assert!(!planted.is_admin().await);
}

#[tokio::test]
async fn a_session_ends_after_eight_hours_and_when_told() {
    let broker = TestBroker::start().await;
    let mut visitor = Visitor::new(&broker);
    visitor.log_in().await;
    broker.clock.advance(Duration::from_secs(8 * 3600 - 1));
    assert!(visitor.is_admin().await);
    broker.clock.advance(Duration::from_secs(1));
    assert!(!visitor.is_admin().await);

    visitor.log_in().await;
    let mut copy = visitor.clone();
    let proof = proof_of(&broker, &visitor);
    let out = visitor.post("/setup/logout", &[("proof", &proof)]).await;
    assert_eq!((out.status, out.header("location")), (303, Some("login?bye=1")));
    assert!(visitor.session().is_none());
    assert!(!copy.is_admin().await, "it has ended on this side too");
}

#[tokio::test]
async fn forms_of_other_sites_and_of_earlier_sessions_change_nothing() {
    let broker = TestBroker::start().await;
    let mut visitor = Visitor::new(&broker);
    visitor.log_in().await;
    let proof = proof_of(&broker, &visitor);
    for (site, proof, error) in [
        ("cross-site", proof.as_str(), "cross_site"),
        ("same-site", proof.as_str(), "cross_site"),
        ("none", proof.as_str(), "cross_site"),
        ("same-origin", "", "out_of_date"),
        ("same-origin", "wrong", "out_of_date"),
    ] {
        let form = || form_of(&broker, "/setup/logout", &[("proof", proof)]).header("sec-fetch-site", site);
        let page = visitor.ask(form()).await;
        assert_eq!(page.status, 403, "{site}");
        assert!(page.body.contains("Nothing was changed"), "{}", page.body);
        let call = broker
            .post("/setup/logout")
            .header("sec-fetch-site", site)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encode(&[("proof", proof)]));
        assert_eq!(visitor.ask(call).await.error(), error);
    }
    let json = broker
        .post("/setup/logout")
        .json(&serde_json::json!({ "proof": proof }));
    assert_eq!(visitor.ask(json).await.status, 415);
    assert!(visitor.is_admin().await);

    // Another site cannot log somebody in either.
    let mut other = Visitor::new(&broker);
    other.get(&fresh_link(&broker)).await;
    let forced = form_of(&broker, "/setup/login", &[]).header("sec-fetch-site", "cross-site");
    assert_eq!(other.ask(forced).await.status, 403);
    assert!(other.session().is_none());
}

#[tokio::test]
async fn the_cookies_are_for_this_host_and_no_script() {
    let broker = TestBroker::start().await;
    for (scheme, prefix, secure) in [("https", "__Host-", true), ("http", "", false)] {
        let link = fresh_link(&broker);
        let from = |request: RequestBuilder| {
            request
                .header("x-forwarded-proto", scheme)
                .header("x-forwarded-for", "203.0.113.9")
        };
        let mut visitor = Visitor::new(&broker);
        let followed = visitor.ask(from(broker.get(&link))).await;
        let kept = followed.header("set-cookie").unwrap();
        assert!(
            kept.starts_with(&format!("{prefix}ptb_admin_link=ptb_al_")),
            "{kept}"
        );
        assert!(
            kept.contains("; Path=/; Max-Age=900; HttpOnly; SameSite=Lax"),
            "{kept}"
        );
        let entered = visitor.ask(from(form_of(&broker, "/setup/login", &[]))).await;
        let session = entered.header("set-cookie").unwrap();
        assert!(
            session.starts_with(&format!("{prefix}ptb_admin=ptb_as_")),
            "{session}"
        );
        assert!(
            session.contains("; Path=/; Max-Age=28800; HttpOnly; SameSite=Lax"),
            "{session}"
        );
        for cookie in [kept, session] {
            assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
        }
    }
}

#[tokio::test]
async fn strangers_are_sent_to_log_in_and_programs_get_json() {
    let broker = TestBroker::start().await;
    let mut stranger = Visitor::new(&broker);
    let form = stranger.post("/setup/logout", &[("proof", "x")]).await;
    assert_eq!(
        (form.status, form.header("location")),
        (303, Some("../setup/login"))
    );
    let call = Answer::of(broker.post("/setup/logout").header("accept", "*/*")).await;
    assert_eq!((call.status, call.error().as_str()), (401, "login_required"));
    assert!(call.text("message").contains("/setup/login"));
}

#[tokio::test]
async fn a_login_leads_where_the_admin_wanted_to_go_and_nowhere_else() {
    let broker = TestBroker::start().await;
    for (next, leads_to) in [
        ("connections", "../setup/connections"),
        ("start", "../"),
        ("explorer", "../explorer"),
        ("https://evil.example", "../setup"),
        ("//evil.example", "../setup"),
        ("", "../setup"),
    ] {
        let mut visitor = Visitor::new(&broker);
        visitor.get(&fresh_link(&broker)).await;
        let page = visitor
            .get(&format!("/setup/login?{}", encode(&[("next", next)])))
            .await;
        let kept = between(&page.body, "name=\"next\" value=\"", "\"").unwrap();
        let entered = visitor.post("/setup/login", &[("next", kept)]).await;
        assert_eq!(entered.header("location"), Some(leads_to), "{next}");
        let direct = Visitor::new(&broker).log_in_with(next).await;
        assert_eq!(direct.header("location"), Some(leads_to), "{next}");
    }
}

#[tokio::test]
async fn the_explorer_can_be_the_admins_alone() {
    let broker = TestBroker::start_with(&[("BROKER_EXPLORER", "admin")]).await;
    let mut stranger = Visitor::new(&broker);
    for path in ["/", "/explorer"] {
        let about = stranger.get(path).await;
        assert_eq!(about.status, 200, "{path}");
        assert!(
            about.body.contains("setup/login?next=start") && !about.body.contains("data-handle"),
            "{path}"
        );
    }
    let mut admin = Visitor::new(&broker);
    assert_eq!(admin.log_in_with("start").await.header("location"), Some("../"));
    let page = admin.get("/").await;
    assert!(page.body.contains("data-handle"), "{}", page.body);
    // The explorer answers as it does when it is open to all: no bank is connected yet.
    assert_eq!(admin.get("/explorer").await.status, 401);

    let off = TestBroker::start_with(&[("BROKER_EXPLORER", "off")]).await;
    let mut admin = Visitor::new(&off);
    admin.log_in().await;
    let about = admin.get("/").await;
    assert!(
        !about.body.contains("data-handle") && !about.body.contains("setup/login"),
        "{}",
        about.body
    );
}

#[tokio::test]
async fn who_came_in_and_who_did_not_stands_in_the_audit_log() {
    let broker = TestBroker::start_with(&[("BROKER_ADMIN_TOKEN", TOKEN)]).await;
    let mut visitor = Visitor::new(&broker);
    visitor
        .post("/setup/login", &[("token", "not-the-token-of-it")])
        .await;
    visitor.post("/setup/login", &[]).await;
    visitor.post("/setup/login", &[("token", TOKEN)]).await;
    let proof = proof_of(&broker, &visitor);
    visitor.post("/setup/logout", &[("proof", &proof)]).await;
    visitor.log_in().await;

    broker.app.audit.flush(Flush::All).await.unwrap();
    let query = AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    };
    let rows = broker.app.store.audit(query).await.unwrap();
    let mut told: Vec<String> = rows
        .iter()
        .filter(|row| row.event.starts_with("admin."))
        .map(|row| {
            let detail = row.detail.as_deref().unwrap_or("-");
            assert!(row.address.is_some() && row.request_id.is_some(), "{row:?}");
            format!("{} {} {} {detail}", row.event, row.outcome, row.actor)
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "admin.login done admin by a link",
            "admin.login done admin by the token",
            "admin.login refused person a link that is used, too old or unknown",
            "admin.login refused person wrong token",
            "admin.logout done admin -",
        ]
    );
    assert!(!format!("{rows:?}").contains(TOKEN) && !format!("{rows:?}").contains("not-the-token"));
}
