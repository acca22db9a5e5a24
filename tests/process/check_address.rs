//! `check` and `PUBLIC_URL`: whatever else answers there is told from the broker, and why it does not answer has words.

use crate::check::{Checked, broker_on, check};
use crate::flow::Plaid;
use crate::harness::{Start, directory};
use crate::stand_in::{Certificate, Flaw, Passing, free_port, page, tunnel};

const PLAIN: Passing = Passing {
    forwarded: true,
    warning: false,
};

#[test]
fn what_else_answers_at_public_url_is_told_from_the_broker() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let port = free_port();
    let _broker = broker_on(port, &home, &plaid);
    let start = |public: &str| {
        check(&home, &plaid)
            .set("APP_PORT", &port.to_string())
            .set("PUBLIC_URL", public)
    };
    let own = format!("http://127.0.0.1:{port}");
    Checked::of(start(&own))
        .only(&[])
        .must("public_url_answers", "ok", &[&own]);

    let elsewhere = directory();
    let other_port = free_port();
    let _other = broker_on(other_port, &elsewhere, &plaid);
    Checked::of(start(&format!("http://127.0.0.1:{other_port}")))
        .only(&["public_url_answers"])
        .must(
            "public_url_answers",
            "failed",
            &["Another broker", "its own store"],
        );

    let dead = format!("http://127.0.0.1:{}", free_port());
    let html = "Content-Type: text/html\r\n";
    for (public, words) in [
        (dead, ["nothing listens", "tunnel or proxy"]),
        (
            page("200 OK", html, "<html>welcome"),
            ["not this broker (status 200, text/html)", "/setup/instance"],
        ),
        (
            page("200 OK", "Content-Type: application/json\r\n", "{\"proof\":1}"),
            ["not this broker", "Correct PUBLIC_URL"],
        ),
        (
            page("404 Not Found", "", ""),
            ["status 404", "Correct PUBLIC_URL"],
        ),
        (
            page("502 Bad Gateway", html, ""),
            ["does not reach the broker", "status 502"],
        ),
        (
            page(
                "302 Found",
                "Location: https://login.example/in?token=hush-hush\r\n",
                "",
            ),
            [
                "redirects to https://login.example",
                "PUBLIC_URL=https://login.example",
            ],
        ),
        (
            page("404 Not Found", "Ngrok-Error-Code: ERR_NGROK_3200\r\n", ""),
            ["ERR_NGROK_3200", "docs/tunnels.md"],
        ),
    ] {
        let checked = Checked::of(start(&public));
        checked
            .only(&["public_url_answers"])
            .must("public_url_answers", "failed", &words);
        assert!(!checked.output.contains("hush-hush"));
    }
}

#[test]
fn names_that_cannot_be_resolved_are_told_without_a_broker() {
    let home = directory();
    let plaid = Plaid::start(&home);
    Checked::of(check(&home, &plaid).set("PUBLIC_URL", "https://broker.invalid"))
        .only(&["public_url_answers"])
        .must(
            "public_url_answers",
            "failed",
            &["https://broker.invalid", "name"],
        );
    Checked::of(check(&home, &plaid).set("PUBLIC_URL", "https://10.255.255.1:1")).must(
        "public_url",
        "warning",
        &["10.255.255.1", "local network"],
    );
}

#[test]
fn certificates_have_their_problems_told_in_words() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let port = free_port();
    let _broker = broker_on(port, &home, &plaid);
    for (flaw, is_trusted, words) in [
        (Flaw::None, false, "does not trust its issuer"),
        (Flaw::Expired, true, "has expired"),
        (Flaw::OtherName, true, "for another name"),
    ] {
        let certificate = Certificate::new(flaw);
        let mut start = check(&home, &plaid)
            .set("APP_PORT", &port.to_string())
            .set("PUBLIC_URL", &tunnel(&certificate, port, PLAIN));
        let authority = certificate.write_authority(home.path());
        if is_trusted {
            start = start.set("SSL_CERT_FILE", &authority);
        }
        Checked::of(start).only(&["public_url_answers"]).must(
            "public_url_answers",
            "failed",
            &["certificate", words],
        );
    }
    let without_tls = format!("https://localhost:{port}");
    Checked::of(check(&home, &plaid).set("PUBLIC_URL", &without_tls))
        .only(&["public_url_answers"])
        .must("public_url_answers", "failed", &["does not speak TLS"]);
}

#[test]
fn a_proxy_that_is_not_trusted_is_told() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let certificate = Certificate::new(Flaw::None);
    let authority = certificate.write_authority(home.path());
    let port = free_port();
    let start = |public: &str| {
        check(&home, &plaid)
            .set("APP_PORT", &port.to_string())
            .set("PUBLIC_URL", public)
            .set("SSL_CERT_FILE", &authority)
    };
    let silent = Passing {
        forwarded: false,
        ..PLAIN
    };
    {
        let _broker = broker_on(port, &home, &plaid);
        let good = tunnel(&certificate, port, PLAIN);
        Checked::of(start(&good))
            .only(&[])
            .must("public_url_answers", "ok", &[])
            .must("proxies", "ok", &[])
            .must("browser_warning", "ok", &[]);
        Checked::of(start(&tunnel(&certificate, port, silent)))
            .only(&["proxies"])
            .must(
                "proxies",
                "failed",
                &["BROKER_TRUSTED_PROXIES", "X-Forwarded-Proto"],
            );
    }
    let distrusting = plaid
        .broker(&home)
        .set("APP_PORT", &port.to_string())
        .set("BROKER_TRUSTED_PROXIES", "none");
    let _broker = crate::flow::Broker::of(distrusting);
    Checked::of(start(&tunnel(&certificate, port, PLAIN)))
        .only(&["proxies"])
        .must("proxies", "failed", &["BROKER_TRUSTED_PROXIES"]);
}

#[test]
fn ngroks_warning_page_is_recognised() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let certificate = Certificate::new(Flaw::None);
    let port = free_port();
    let _broker = broker_on(port, &home, &plaid);
    let passing = Passing {
        warning: true,
        ..PLAIN
    };
    let start: Start = check(&home, &plaid)
        .set("APP_PORT", &port.to_string())
        .set("PUBLIC_URL", &tunnel(&certificate, port, passing))
        .set("SSL_CERT_FILE", &certificate.write_authority(home.path()));
    Checked::of(start)
        .only(&[])
        .must("public_url_answers", "ok", &[])
        .must("browser_warning", "warning", &["Visit Site", "docs/tunnels.md"]);
}
