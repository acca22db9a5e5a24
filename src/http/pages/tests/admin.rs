//! The administration's pages.

use super::*;

pub(super) fn login_page(way: AdminLoginWay) -> AdminLoginPage {
    AdminLoginPage {
        root: "../",
        environment: PageEnvironment::Sandbox,
        way,
        next: "setup",
        notice: Some("This is not the admin token."),
    }
}

/// With this in every place where somebody else's words can stand.
fn connections_page(words: &str) -> ConnectionsPage {
    let text = words.to_owned();
    let moment = Moment {
        machine: "2026-11-18T11:07:39Z".to_owned(),
        human: "2026-11-18 11:07".to_owned(),
    };
    let choice = Choice {
        value: text.clone(),
        label: text.clone(),
        chosen: true,
    };
    ConnectionsPage {
        root: "../",
        environment: PageEnvironment::Production,
        proof: "the-proof".to_owned(),
        notice: Some("One connection was ended.".to_owned()),
        clients: vec![choice.clone()],
        states: vec![choice],
        search: text.clone(),
        rows: vec![ConnectionRow {
            id: "0".repeat(32),
            bank: text.clone(),
            item_id: text.clone(),
            products: vec![text.clone()],
            health: "Does not work".to_owned(),
            health_detail: Some(text.clone()),
            tone: Tone::Bad,
            clients: vec![text.clone(), text.clone()],
            created: moment.clone(),
            refreshed: Some(moment),
            is_live: true,
        }],
        is_first: false,
        older: Some("client=a&state=live".to_owned()),
        newest: "client=a".to_owned(),
        of_client: Some((text, "client=a".to_owned())),
    }
}

fn revoke_page(words: &str) -> RevokePage {
    RevokePage {
        root: "../../",
        environment: PageEnvironment::Production,
        proof: "the-proof".to_owned(),
        question: format!("Revoke all connections of {words}?"),
        concerns: vec![words.to_owned()],
        target: ("client", words.to_owned()),
        must_type: Some("revoke all"),
        problem: Some("Nothing was ended."),
        button: "Revoke all of them".to_owned(),
    }
}

pub(super) fn pages(words: &str) -> Vec<String> {
    vec![
        login_page(AdminLoginWay::Link).render().unwrap(),
        login_page(AdminLoginWay::Token).render().unwrap(),
        login_page(AdminLoginWay::None).render().unwrap(),
        connections_page(words).render().unwrap(),
        revoke_page(words).render().unwrap(),
    ]
}

#[test]
fn a_hostile_bank_or_client_stays_text() {
    for html in pages("\"><script>alert(1)</script>'&") {
        assert!(!html.contains("<script"), "{html}");
        assert!(!html.contains("\"><script") && !html.contains("'&\""), "{html}");
    }
}

#[test]
fn what_a_form_sends_to_is_relative_too() {
    for html in pages("a") {
        let actions = attributes(&html, "action");
        assert!(actions.iter().all(|url| url.starts_with("../")), "{actions:?}");
    }
}
