#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod admin;

use super::*;

fn link_page() -> LinkPage {
    LinkPage {
        root: "./",
        nonce: "bm9uY2U".to_owned(),
        handle: "the-handle".to_owned(),
        request: "the-request".to_owned(),
        client_name: Some("Acme Bank Assistant".to_owned()),
        products: plain_products(&["auth".to_owned(), "transactions".to_owned()]),
        environment: PageEnvironment::Production,
        can_cancel: true,
        return_host: Some("idp.kore.ai".to_owned()),
        resume: false,
    }
}

fn error_page() -> ErrorPage {
    ErrorPage {
        root: "../",
        title: "This link is not complete".to_owned(),
        message: "The application sent no return address.".to_owned(),
        advice: vec!["Go back to the application and start again.".to_owned()],
        request_id: "0199-req".to_owned(),
        environment: Some(PageEnvironment::Sandbox),
    }
}

fn result_page() -> ResultPage {
    let account = |name: &str, mask: Option<&str>, kind: &str| ResultAccount {
        name: name.to_owned(),
        mask: mask.map(str::to_owned),
        kind: kind.to_owned(),
    };
    ResultPage {
        root: "../",
        institution: Some("First Platypus Bank".to_owned()),
        accounts: vec![
            account("Plaid Checking", Some("0000"), "checking"),
            account("Plaid IRA", None, "ira"),
        ],
        environment: PageEnvironment::Simulator,
    }
}

fn every_page() -> Vec<String> {
    let mut simulator = link_page();
    simulator.environment = PageEnvironment::Simulator;
    let mut pages = admin::pages("a");
    pages.extend([
        link_page().render().unwrap(),
        simulator.render().unwrap(),
        error_page().render().unwrap(),
        FramedPage {
            root: "./",
            continue_url: "./?state=a&code=b".to_owned(),
        }
        .render()
        .unwrap(),
        result_page().render().unwrap(),
        AboutPage {
            root: "./",
            for_admin: true,
        }
        .render()
        .unwrap(),
    ]);
    pages
}

/// The values of all attributes of this name.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    html.split(&format!(" {name}=\""))
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn every_url_of_a_page_is_relative() {
    for html in every_page() {
        for url in ["href", "src"]
            .into_iter()
            .flat_map(|name| attributes(&html, name))
        {
            assert!(url.starts_with("./") || url.starts_with("../"), "{url} in {html}");
        }
    }
    assert!(error_page().render().unwrap().contains("href=\"../static/page."));
}

#[test]
fn nothing_on_a_page_needs_an_exception_from_the_content_security_policy() {
    for html in every_page() {
        assert!(!html.contains(" style=") && !html.contains("<style"), "{html}");
        for script in html.split("<script").skip(1) {
            let (tag, rest) = script.split_once('>').unwrap();
            assert!(
                tag.contains(" nonce=\"bm9uY2U\"") && tag.contains(" src="),
                "{tag}"
            );
            assert!(rest.starts_with("</script>"), "inline script in {html}");
        }
        let handlers = html
            .split('<')
            .flat_map(|tag| tag.split_whitespace())
            .filter(|word| word.starts_with("on"));
        assert_eq!(handlers.filter(|word| word.contains("=\"")).count(), 0, "{html}");
    }
}

#[test]
fn a_hostile_name_stays_text() {
    let hostile = "\"><script>alert(1)</script>'&";
    let mut page = link_page();
    page.client_name = Some(hostile.to_owned());
    page.return_host = Some(hostile.to_owned());
    page.products = vec![hostile.to_owned()];
    let mut error = error_page();
    error.title = hostile.to_owned();
    error.message = hostile.to_owned();
    error.advice = vec![hostile.to_owned()];
    let mut result = result_page();
    result.institution = Some(hostile.to_owned());
    result.accounts = vec![ResultAccount {
        name: hostile.to_owned(),
        mask: Some(hostile.to_owned()),
        kind: hostile.to_owned(),
    }];
    let framed = FramedPage {
        root: "./",
        continue_url: hostile.to_owned(),
    };
    let pages = [page.render(), error.render(), result.render(), framed.render()];
    for html in pages.map(Result::unwrap) {
        assert!(
            !html.contains("<script>") && !html.contains("\"><script"),
            "{html}"
        );
        assert!(html.contains("&#60;script&#62;"), "{html}");
    }
}

#[test]
fn the_link_page_says_who_asks_for_what_and_where_it_leads() {
    let html = link_page().render().unwrap();
    for text in [
        "Acme Bank Assistant",
        "idp.kore.ai",
        "Account and routing numbers",
        "Transaction history",
        "Continue only if you started this yourself.",
        "Cancel and return to",
        "data-handle=\"the-handle\"",
        "data-request=\"the-request\"",
        "data-root=\"./\"",
        "<noscript>",
    ] {
        assert!(html.contains(text), "{text} is missing in {html}");
    }
    let button = html
        .split("id=\"connect\"")
        .nth(1)
        .unwrap()
        .split_once('>')
        .unwrap()
        .1;
    assert!(button.starts_with("Connect"), "{button}");
}

#[test]
fn in_the_browser_login_flow_nobody_asks_and_nobody_can_be_returned_to() {
    let page = LinkPage {
        client_name: None,
        return_host: None,
        resume: false,
        can_cancel: false,
        ..link_page()
    };
    let html = page.render().unwrap();
    assert!(
        !html.contains("id=\"cancel\"") && !html.contains("asks to connect"),
        "{html}"
    );
}

#[test]
fn only_the_test_environments_have_a_banner_and_a_test_login() {
    let render = |environment| {
        LinkPage {
            environment,
            ..link_page()
        }
        .render()
        .unwrap()
    };
    let test_marks = ["class=\"banner\"", "user_good", "pass_good", "1234", "copy."];
    let simulator = render(PageEnvironment::Simulator);
    let sandbox = render(PageEnvironment::Sandbox);
    let production = render(PageEnvironment::Production);
    for mark in test_marks {
        assert!(simulator.contains(mark) && sandbox.contains(mark), "{mark}");
        assert!(!production.contains(mark), "{mark}");
    }
    assert!(simulator.contains("Simulator:") && !simulator.contains("plaid.com"));
    assert!(sandbox.contains("Sandbox:") && sandbox.contains("data-environment=\"sandbox\""));
}

#[test]
fn real_environments_load_link_from_plaid_and_the_page_and_its_script_agree_on_where() {
    let script = include_str!("../../../static/link.js");
    let source = PageEnvironment::Production.link_script();
    assert_eq!(source, "https://cdn.plaid.com/link/v2/stable/link-initialize.js");
    assert_eq!(source, PageEnvironment::Sandbox.link_script());
    assert!(script.contains(&format!("const PLAID_SCRIPT = \"{source}\";")));
}

#[test]
fn the_framed_page_opens_a_window_that_keeps_its_opener() {
    let html = FramedPage {
        root: "./",
        continue_url: "./?state=s".to_owned(),
    }
    .render()
    .unwrap();
    assert!(
        html.contains("href=\"./?state=s\" target=\"_blank\" rel=\"opener\""),
        "{html}"
    );
}

#[test]
fn products_are_told_in_plain_words_without_repeats() {
    let names = |list: &[&str]| -> Vec<String> { list.iter().map(|name| (*name).to_owned()).collect() };
    assert_eq!(
        plain_products(&names(&[
            "auth",
            "balance",
            "transactions",
            "transactions_refresh",
            "cra_base_report"
        ])),
        [
            "Account names, types and balances",
            "Account and routing numbers",
            "Transaction history",
            "Cra base report"
        ]
    );
    assert_eq!(plain_products(&names(&[" ", "_"])).len(), 2);
    assert!(plain_products(&[]).is_empty());
}
