//! Products, countries, language, names and Link's addresses.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;

const REQUIRED: &str = "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS";
const OPTIONAL: &str = "PLAID_OPTIONAL_PRODUCTS";
const CONSENTED: &str = "PLAID_ADDITIONAL_CONSENTED_PRODUCTS";

#[test]
fn the_five_products_of_the_guide_are_the_default_outside_production() {
    let five = ["auth", "transactions", "identity", "investments", "liabilities"];
    assert_eq!(good(&[]).link.products.products, five);
    assert_eq!(with_keys(&[]).unwrap().link.products.products, five);
    let problem = problem(with_keys(&[("PLAID_ENV", "production")]));
    assert!(
        problem.starts_with("PLAID_PRODUCTS: name the products you need"),
        "{problem}"
    );
}

#[test]
fn four_lists_are_read() {
    let lists = good(&[
        ("PLAID_PRODUCTS", "Transactions, auth,"),
        (REQUIRED, "identity"),
        (OPTIONAL, "signal"),
        (CONSENTED, "assets"),
    ])
    .link
    .products;
    assert_eq!(lists.products, ["transactions", "auth"]);
    assert_eq!(lists.required_if_supported, ["identity"]);
    assert_eq!(lists.optional, ["signal"]);
    assert_eq!(lists.additional_consented, ["assets"]);
}

#[test]
fn names_that_link_does_not_take_are_refused_with_the_reason() {
    for (name, word) in [
        ("balance", "comes with every other product"),
        ("recurring_transactions", "use transactions"),
        ("investments_refresh", "use investments"),
        ("monitor", "without Link"),
        ("transaction", "is no product of Plaid"),
    ] {
        for variable in [REQUIRED, OPTIONAL, CONSENTED] {
            refuses(variable, &[(name, word)]);
        }
        let problem = problem(load(&[("PLAID_PRODUCTS", &format!("auth,{name}"))]));
        assert!(
            problem.contains(word) && problem.contains(&format!("(found `{name}`)")),
            "{problem}"
        );
    }
}

#[test]
fn duplicates_and_overlaps_are_refused() {
    refuses(
        "PLAID_PRODUCTS",
        &[("auth,identity,AUTH", "remove the duplicate")],
    );
    let base = ("PLAID_PRODUCTS", "auth");
    for (earlier, later) in [(REQUIRED, OPTIONAL), (REQUIRED, CONSENTED), (OPTIONAL, CONSENTED)] {
        assert_eq!(
            problem(load(&[base, (earlier, "identity"), (later, "identity")])),
            format!(
                "{later}: a product stands in one list only: this one is also in {earlier} (found `identity`)"
            )
        );
    }
    for list in [REQUIRED, OPTIONAL, CONSENTED] {
        assert!(
            problem(load(&[base, (list, "auth")]))
                .starts_with(&format!("{list}: a product stands in one list only"))
        );
        assert!(problem(load(&[(list, "auth")])).contains("PLAID_PRODUCTS, which has its default value"));
    }
}

#[test]
fn the_other_lists_need_products() {
    refuses("PLAID_PRODUCTS", &[(",", "name at least one product")]);
}

#[test]
fn lists_that_give_no_access_token_are_refused_with_the_reason() {
    for (list, word) in [
        ("payment_initiation", "no public token and so no access token"),
        ("auth,payment_initiation", "Plaid wants it alone"),
        ("cra_base_report,cra_lend_score", "Plaid Check alone"),
        ("identity_verification", "Identity Verification alone"),
        ("income_verification", "income and employment alone"),
        ("employment", "income and employment alone"),
    ] {
        refuses("PLAID_PRODUCTS", &[(list, word)]);
    }
    warns(
        &good(&[("PLAID_PRODUCTS", "auth,cra_base_report")]),
        "PLAID_PRODUCTS has cra_base_report",
    );
}

#[test]
fn countries_and_language_are_plaids() {
    let link = good(&[("PLAID_COUNTRY_CODES", "us, gb,US"), ("PLAID_LANGUAGE", "FR")]).link;
    assert_eq!(
        (link.country_codes, link.language.as_str()),
        (vec!["US".to_owned(), "GB".to_owned()], "fr")
    );
    refuses(
        "PLAID_COUNTRY_CODES",
        &[("US,XX", "(found `XX`)"), (",", "at least one")],
    );
    refuses(
        "PLAID_LANGUAGE",
        &[("en-US", "choose one of Link's languages"), ("english", "en")],
    );
}

#[test]
fn a_long_client_name_is_warned_of() {
    assert_eq!(
        good(&[("PLAID_CLIENT_NAME", "My bank bot")]).link.client_name,
        "My bank bot"
    );
    assert_eq!(
        good(&[("PLAID_CLIENT_NAME", &"é".repeat(30))]).warnings,
        Vec::<String>::new()
    );
    warns(
        &good(&[("PLAID_CLIENT_NAME", &"é".repeat(31))]),
        "This Application",
    );
    refuses("PLAID_CLIENT_NAME", &[("a\u{7}b", "control characters")]);
}

#[test]
fn mode_and_customization_are_read() {
    let link = good(&[
        ("PLAID_LINK_MODE", "Embedded"),
        ("PLAID_LINK_CUSTOMIZATION_NAME", "bot"),
    ])
    .link;
    assert_eq!(link.customization_name.as_deref(), Some("bot"));
    refuses(
        "PLAID_LINK_MODE",
        &[("popup", "embedded"), ("hosted", "not supported")],
    );
}

#[test]
fn links_redirect_uri_is_our_own_return_page() {
    let name = "PLAID_LINK_REDIRECT_URI";
    let public = ("PUBLIC_URL", "https://bank.example.com/");
    let own = "https://bank.example.com/link/return";
    assert_eq!(
        good(&[public, (name, own)]).link.redirect_uri.as_deref(),
        Some(own)
    );
    let other = problem(load(&[public, (name, CALLBACK)]));
    assert!(
        other.contains(own) && other.contains("PLAID_REDIRECT_URI"),
        "{other}"
    );
    refuses(name, &[(own, "set PUBLIC_URL too")]);
}

#[test]
fn the_webhook_is_an_address_that_plaid_can_reach_safely() {
    let url = "https://bank.example.com/webhooks/plaid";
    assert_eq!(
        good(&[("PLAID_WEBHOOK_URL", url)]).link.webhook_url.as_deref(),
        Some(url)
    );
    refuses(
        "PLAID_WEBHOOK_URL",
        &[
            ("bank.example.com", "https://"),
            ("http://bank.example.com/", "use https"),
        ],
    );
    let token = problem(load(&[(
        "PLAID_WEBHOOK_URL",
        "http://bank.example.com/?token=hush",
    )]));
    assert!(
        token.contains("http://bank.example.com/?…") && !token.contains("hush"),
        "{token}"
    );
}
