//! Ports, addresses, proxies, the explorer and the admin token.

use super::*;
use plaid_token_broker::config::{ExplorerMode, TunnelSettings};

#[test]
fn the_port_is_app_port_else_port() {
    for (env, port) in [
        (&[][..], 8000),
        (&[("PORT", "9000")], 9000),
        (&[("APP_PORT", "0")], 0),
        (&[("APP_PORT", "1"), ("PORT", "1")], 1),
    ] {
        let config = good(env);
        assert_eq!(config.http.port, port);
        assert_eq!(config.warnings, Vec::<String>::new());
    }
    let both = good(&[("APP_PORT", "1"), ("PORT", "2")]);
    assert_eq!(both.http.port, 1);
    warns(&both, "APP_PORT is 1 and PORT is 2; APP_PORT counts.");
    refuses(
        "APP_PORT",
        &[
            ("65536", "0 to 65535"),
            ("http", "0 to 65535"),
            ("-1", "0 to 65535"),
            ("80 80", "0 to 65535"),
        ],
    );
    refuses("PORT", &[("tcp://10.0.0.1:80", "0 to 65535")]);
}

#[test]
fn addresses_to_listen_on_are_ip_addresses() {
    let http = good(&[("BROKER_BIND", "::"), ("BROKER_OPS_BIND", "0.0.0.0:0")]).http;
    assert_eq!(
        (http.bind.to_string().as_str(), http.ops_bind.to_string().as_str()),
        ("::", "0.0.0.0:0")
    );
    let http = good(&[]).http;
    assert_eq!(
        (http.bind.to_string().as_str(), http.ops_bind.to_string().as_str()),
        ("127.0.0.1", "127.0.0.1:9810")
    );
    refuses(
        "BROKER_BIND",
        &[("localhost", "IP address"), ("0.0.0.0:8000", "IP address")],
    );
    refuses(
        "BROKER_OPS_BIND",
        &[("9810", "and a port"), (":9810", "and a port")],
    );
}

#[test]
fn two_of_our_addresses_are_not_the_same() {
    let sandbox = [
        ("PLAID_CLIENT_ID", "5f1e0b2c3d4e5f6071829304"),
        ("PLAID_SECRET", "0123456789abcdef"),
    ];
    for (env, variable, other) in [
        (&[("APP_PORT", "9810")][..], "BROKER_OPS_BIND", "APP_PORT"),
        (
            &[("APP_PORT", "9810"), ("BROKER_BIND", "0.0.0.0")],
            "BROKER_OPS_BIND",
            "APP_PORT",
        ),
        (
            &[("APP_PORT", "9810"), ("BROKER_BIND", "::")],
            "BROKER_OPS_BIND",
            "APP_PORT",
        ),
        (
            &[("BROKER_OPS_BIND", "0.0.0.0:8000")],
            "BROKER_OPS_BIND",
            "APP_PORT",
        ),
        (&[("APP_PORT", "9400")], "BROKER_SIMULATOR_BIND", "APP_PORT"),
        (
            &[("BROKER_SIMULATOR_BIND", "127.0.0.1:9810")],
            "BROKER_SIMULATOR_BIND",
            "BROKER_OPS_BIND",
        ),
    ] {
        let Problems(problems) = load(env).unwrap_err();
        let message: Vec<_> = problems
            .iter()
            .map(|problem| (problem.variable.as_str(), problem.expected.as_str()))
            .collect();
        assert!(
            matches!(message.as_slice(), [(name, words)] if *name == variable && words.contains(&format!("the same address as {other} "))),
            "{env:?}: {message:?}"
        );
    }
    for env in [
        &[
            ("APP_PORT", "0"),
            ("BROKER_OPS_BIND", "127.0.0.1:0"),
            ("BROKER_SIMULATOR_BIND", "127.0.0.1:0"),
        ][..],
        &[("APP_PORT", "9810"), ("BROKER_BIND", "127.0.0.2")],
        &[
            ("APP_PORT", "9810"),
            ("BROKER_BIND", "0.0.0.0"),
            ("BROKER_OPS_BIND", "[::1]:9810"),
        ],
        // The simulator does not listen in the real environments.
        &[sandbox[0], sandbox[1], ("APP_PORT", "9400")],
    ] {
        good(env);
    }
}

#[test]
fn the_public_url_is_an_origin() {
    let base = |value| good(&[("PUBLIC_URL", value)]).http.public_base().unwrap();
    assert_eq!(base("https://bank.example.com"), "https://bank.example.com");
    assert_eq!(
        base("https://Bank.example.com:8443/"),
        "https://bank.example.com:8443"
    );
    assert_eq!(base("http://localhost:8000"), "http://localhost:8000");
    assert_eq!(good(&[]).http.public_base(), None);
    refuses(
        "PUBLIC_URL",
        &[
            ("bank.example.com", "https://"),
            ("http://bank.example.com", "use https"),
            ("https://bank.example.com/broker", "without a path"),
            ("https://bank.example.com/?a=b", "without a path"),
            ("https://bank.example.com/#a", "remove the #"),
            ("https://me:hush@bank.example.com", "password"),
        ],
    );
    let production = with_keys(&[
        ("PLAID_ENV", "production"),
        ("PLAID_PRODUCTS", "auth"),
        ("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS", "none"),
        ("PUBLIC_URL", "http://bank.example.com"),
    ]);
    assert!(problem(production).contains("use https"));
}

#[test]
fn production_without_a_public_url_is_warned_of() {
    let production = [
        ("PLAID_ENV", "production"),
        ("PLAID_PRODUCTS", "auth"),
        ("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS", "none"),
    ];
    let with = |url: &str| with_keys(&[&production[..], &[("PUBLIC_URL", url)]].concat()).unwrap();
    for local in ["", "http://localhost:8000"] {
        warns(
            &with(local),
            "PUBLIC_URL is not the address of this broker on the network",
        );
    }
    for config in [with("https://bank.example.com"), with_keys(&[]).unwrap()] {
        assert!(
            !config.warnings.concat().contains("PUBLIC_URL is not"),
            "{:?}",
            config.warnings
        );
    }
}

#[test]
fn trusted_proxies_are_networks() {
    let proxies = |value| {
        let networks = good(&[("BROKER_TRUSTED_PROXIES", value)]).http.trusted_proxies;
        networks.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(proxies(""), ["127.0.0.0/8", "::1/128"]);
    assert_eq!(proxies("none"), Vec::<String>::new());
    assert_eq!(
        proxies("Loopback, 10.1.2.3/8,192.0.2.7"),
        ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "192.0.2.7/32"]
    );
    refuses(
        "BROKER_TRUSTED_PROXIES",
        &[
            ("nginx", "(found `nginx`)"),
            ("none,loopback", "write none alone"),
            ("10.0.0.0/40", "networks"),
        ],
    );
    warns(
        &good(&[("BROKER_TRUSTED_PROXIES", "0.0.0.0/0")]),
        "trusts every address",
    );
}

#[test]
fn the_rate_limit_is_a_switch() {
    assert!(good(&[]).http.rate_limit);
    assert!(!good(&[("BROKER_RATE_LIMIT", "Off")]).http.rate_limit);
    assert!(good(&[]).http.request_record && !good(&[("BROKER_REQUEST_RECORD", "off")]).http.request_record);
    refuses("BROKER_REQUEST_RECORD", &[("some", "on or off")]);
    refuses("BROKER_RATE_LIMIT", &[("100", "on or off")]);
}

#[test]
fn an_authenticated_client_is_limited_only_where_a_rate_is_set() {
    assert_eq!(good(&[]).http.client_rate, None);
    for (text, rate) in [("off", None), ("0", None), ("1", Some(1)), ("250", Some(250))] {
        assert_eq!(
            good(&[("BROKER_CLIENT_RATE", text)]).http.client_rate,
            rate,
            "{text}"
        );
    }
    for bad in ["on", "-1", "1.5", "100/s", "1000001"] {
        refuses("BROKER_CLIENT_RATE", &[(bad, "requests per second")]);
    }
}

#[test]
fn the_explorer_is_open_outside_production() {
    let production = [
        ("PLAID_ENV", "production"),
        ("PLAID_PRODUCTS", "auth"),
        ("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS", "none"),
    ];
    assert_eq!(good(&[]).http.explorer, ExplorerMode::On);
    assert_eq!(
        good(&[("BROKER_EXPLORER", "off")]).http.explorer,
        ExplorerMode::Off
    );
    assert_eq!(
        good(&[("BROKER_EXPLORER", "Admin")]).http.explorer,
        ExplorerMode::Admin
    );
    assert_eq!(with_keys(&production).unwrap().http.explorer, ExplorerMode::Admin);
    let open = with_keys(&[&production[..], &[("BROKER_EXPLORER", "on")]].concat()).unwrap();
    assert_eq!(open.http.explorer, ExplorerMode::On);
    warns(&open, "on your Plaid bill");
    refuses("BROKER_EXPLORER", &[("everybody", "on, admin or off")]);
}

#[test]
fn the_admin_token_cannot_be_short() {
    assert!(
        good(&[("BROKER_ADMIN_TOKEN", "sixteen-letters!")])
            .http
            .admin_token
            .unwrap()
            .matches("sixteen-letters!")
    );
    assert!(good(&[]).http.admin_token.is_none());
    assert_eq!(
        problem(load(&[("BROKER_ADMIN_TOKEN", "fifteen-letters")])),
        "BROKER_ADMIN_TOKEN: make it at least 16 characters long, or leave it empty"
    );
}

#[test]
fn tunnel_agents_are_asked_where_they_are_unless_that_is_off() {
    let at = |env: &[(&str, &str)]| {
        let apis = good(env).http.tunnels;
        [apis.ngrok, apis.cloudflared].map(|url| url.map(|url| url.to_string()))
    };
    let url = |text: &str| Some(text.to_owned());
    assert_eq!(
        at(&[]),
        [url("http://127.0.0.1:4040/"), url("http://127.0.0.1:20241/")]
    );
    assert_eq!(
        at(&[
            ("BROKER_NGROK_API", "http://ngrok:4040"),
            ("BROKER_CLOUDFLARED_METRICS", "OFF")
        ]),
        [url("http://ngrok:4040/"), None]
    );
    for name in ["BROKER_NGROK_API", "BROKER_CLOUDFLARED_METRICS"] {
        refuses(
            name,
            &[
                ("127.0.0.1:4040", "https://"),
                ("http://127.0.0.1:4040/api", "without a path"),
            ],
        );
    }
}

#[test]
fn a_tunnel_needs_few_settings_and_tells_their_problems_alone() {
    let load = |env: &[(&str, &str)]| TunnelSettings::load(owned(env), Some("PORT=9000\n"));
    let settings = load(&[("PLAID_ENV", "staging"), ("PUBLIC_URL", "https://broker.example")]).unwrap();
    assert_eq!(
        (settings.port, settings.public_url.as_deref()),
        (9000, Some("https://broker.example"))
    );
    let problems = load(&[
        ("PLAID_ENV", "staging"),
        ("APP_PORT", "x"),
        ("BROKER_NGROK_API", "x"),
    ])
    .unwrap_err();
    let named: Vec<&str> = problems
        .0
        .iter()
        .map(|problem| problem.variable.as_str())
        .collect();
    assert_eq!(named, ["APP_PORT", "BROKER_NGROK_API"]);
}
