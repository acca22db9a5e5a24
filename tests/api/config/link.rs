//! Products, countries, language, names and Link's addresses.

use super::*;

const REQUIRED: &str = "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS";
const OPTIONAL: &str = "PLAID_OPTIONAL_PRODUCTS";
const CONSENTED: &str = "PLAID_ADDITIONAL_CONSENTED_PRODUCTS";

const DEFAULT_REQUIRED: [&str; 4] = ["auth", "identity", "investments", "liabilities"];
const GUIDE: (&str, &str) = (
    "PLAID_PRODUCTS",
    "auth,transactions,identity,investments,liabilities",
);

#[test]
fn auth_filters_no_accounts_by_default() {
    for config in [good(&[]), with_keys(&[]).unwrap()] {
        let lists = config.link.products;
        assert_eq!(lists.products, ["transactions"]);
        assert_eq!(lists.required_if_supported, DEFAULT_REQUIRED);
        assert_eq!(lists.auth_filter(), None);
    }
}

#[test]
fn a_list_that_is_set_empties_the_default_of_the_other_as_far_as_needed() {
    let none: &[&str] = &[];
    for (settings, products, required) in [
        (&[("PLAID_PRODUCTS", "auth")][..], &["auth"][..], none),
        (&[(REQUIRED, "investments")], &["transactions"], &["investments"]),
        (&[(REQUIRED, "none")], &["transactions"], none),
        (
            &[(OPTIONAL, "auth"), (CONSENTED, "liabilities,assets")],
            &["transactions"],
            &["identity", "investments"],
        ),
        (
            &[("PLAID_PRODUCTS", "transactions"), (REQUIRED, "auth")],
            &["transactions"],
            &["auth"],
        ),
    ] {
        let lists = good(settings).link.products;
        assert_eq!(lists.products, products, "{settings:?}");
        assert_eq!(lists.required_if_supported, required, "{settings:?}");
    }
    for list in [REQUIRED, OPTIONAL, CONSENTED] {
        let problem = problem(load(&[(list, "transactions")]));
        assert!(
            problem.starts_with("PLAID_PRODUCTS: name at least one product"),
            "{problem}"
        );
    }
}

#[test]
fn none_is_an_empty_list_and_stands_alone() {
    let lists = good(&[(REQUIRED, "None"), (OPTIONAL, "none"), (CONSENTED, "none")])
        .link
        .products;
    assert_eq!(lists.all().collect::<Vec<_>>(), ["transactions"]);
    for list in [REQUIRED, OPTIONAL, CONSENTED] {
        refuses(list, &[("none,identity", "write none alone")]);
    }
    refuses("PLAID_PRODUCTS", &[("none", "name at least one product")]);
}

#[test]
fn production_demands_both_lists() {
    let production = ("PLAID_ENV", "production");
    for (given, missing) in [
        (("PLAID_PRODUCTS", "transactions"), REQUIRED),
        ((REQUIRED, "auth"), "PLAID_PRODUCTS"),
    ] {
        for (empty, words) in [("", "name the products"), (",", "name at least one product")] {
            let problem = problem(with_keys(&[production, given, (missing, empty)]));
            assert!(problem.starts_with(&format!("{missing}: {words}")), "{problem}");
        }
    }
    let lists = with_keys(&[production, ("PLAID_PRODUCTS", "transactions"), (REQUIRED, "none")])
        .unwrap()
        .link
        .products;
    assert_eq!(lists.all().collect::<Vec<_>>(), ["transactions"]);
}

#[test]
fn the_list_of_the_guide_is_accepted_with_what_it_costs() {
    let config = good(&[GUIDE]);
    assert_eq!(config.link.products.products.join(","), GUIDE.1);
    for words in [
        "only checking, savings and cash management",
        "investments and liabilities",
        "NO_INVESTMENT_ACCOUNTS or NO_LIABILITY_ACCOUNTS",
        "Set PLAID_PRODUCTS=transactions and PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS=auth,identity,investments,liabilities instead",
    ] {
        warns(&config, words);
    }
}

#[test]
fn the_lines_to_use_instead_keep_every_product_and_hide_no_account() {
    for (settings, ends_link, instead) in [
        (
            &[("PLAID_PRODUCTS", "auth,investments")][..],
            true,
            &[
                "PLAID_PRODUCTS=transactions",
                "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS=auth,investments",
            ][..],
        ),
        (
            &[
                ("PLAID_PRODUCTS", "auth,assets,liabilities"),
                (REQUIRED, "identity"),
            ],
            true,
            &[
                "PLAID_PRODUCTS=assets",
                "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS=auth,liabilities,identity",
            ],
        ),
        (
            &[("PLAID_PRODUCTS", "auth"), (REQUIRED, "transactions,liabilities")],
            false,
            &[
                "PLAID_PRODUCTS=transactions",
                "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS=auth,liabilities",
            ],
        ),
        (
            &[("PLAID_PRODUCTS", "auth"), (OPTIONAL, "investments")],
            false,
            &[
                "PLAID_PRODUCTS=transactions",
                "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS=auth",
            ],
        ),
    ] {
        let lists = good(settings).link.products;
        let cost = lists.auth_filter().unwrap();
        assert_eq!(cost.ends_link, ends_link);
        assert_eq!(cost.instead, instead);
        let lines: Vec<_> = cost
            .instead
            .iter()
            .filter_map(|line| line.split_once('='))
            .collect();
        let unchanged = settings
            .iter()
            .filter(|(name, _)| lines.iter().all(|(changed, _)| changed != name));
        let lines: Vec<_> = lines.iter().chain(unchanged).copied().collect();
        let better = good(&lines).link.products;
        assert_eq!(better.auth_filter(), None, "{settings:?}");
        let sorted = |lists: &plaid_token_broker::config::ProductLists| {
            let mut all: Vec<String> = lists.all().map(str::to_owned).collect();
            all.sort_unstable();
            all
        };
        let all = sorted(&better);
        assert!(
            sorted(&lists).iter().all(|product| all.contains(product)),
            "{all:?}"
        );
    }
    for products in [
        "auth",
        "auth,transactions",
        "transactions,investments,liabilities",
    ] {
        assert_eq!(
            good(&[("PLAID_PRODUCTS", products)]).link.products.auth_filter(),
            None
        );
    }
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
            format!("{later}: list a product only once: this one is in {earlier} as well (found `identity`)")
        );
    }
    for list in [REQUIRED, OPTIONAL, CONSENTED] {
        assert_eq!(
            problem(load(&[base, (list, "auth")])),
            format!("{list}: list a product only once: this one is in PLAID_PRODUCTS as well (found `auth`)")
        );
    }
}

#[test]
fn separators_alone_are_no_list() {
    refuses("PLAID_PRODUCTS", &[(",", "name at least one product")]);
    refuses(REQUIRED, &[(" , ", "or write none")]);
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
