//! Tunnels: found by what their agents tell, offered at the start, taken with `--tunnel`.

use crate::check::{Checked, broker_on, check};
use crate::flow::{Broker, Plaid};
use crate::harness::{Start, directory};
use crate::stand_in::{Agent, Certificate, Flaw, Passing, free_port, page, tunnel, tunnels};
use crate::web::get;

const LIKE_NGROK: Passing = Passing {
    forwarded: true,
    warning: true,
};

/// A broker that takes the address of a tunnel.
fn serve(home: &tempfile::TempDir, agent: &str, port: u16, arguments: &[&str]) -> Start {
    Start::command(home, &[&["serve"], arguments].concat())
        .set("APP_PORT", &port.to_string())
        .set("BROKER_OPS_BIND", "127.0.0.1:0")
        .set("BROKER_SIMULATOR_BIND", "127.0.0.1:0")
        .set("BROKER_NGROK_API", agent)
        .set("BROKER_CLOUDFLARED_METRICS", agent)
}

#[test]
fn check_finds_the_tunnel_and_says_what_public_url_should_be() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let certificate = Certificate::new(Flaw::None);
    let authority = certificate.write_authority(home.path());
    let port = free_port();
    let _broker = broker_on(port, &home, &plaid);
    let url = tunnel(&certificate, port, LIKE_NGROK);
    let agent = Agent::start(&tunnels(&[]));
    let start = || {
        check(&home, &plaid)
            .set("APP_PORT", &port.to_string())
            .set("BROKER_NGROK_API", &agent.url)
            .set("SSL_CERT_FILE", &authority)
    };
    Checked::of(start()).must("tunnel", "skipped", &["without an https tunnel"]);
    for addr in [
        format!("http://localhost:{port}"),
        format!("localhost:{port}"),
        port.to_string(),
        format!("127.0.0.1:{port}"),
    ] {
        agent.tells(&tunnels(&[
            ("https://other.ngrok-free.app", "http://localhost:3000"),
            ("tcp://0.tcp.ngrok.io:12345", &format!("localhost:{port}")),
            (&url.replace("https", "http"), &addr),
            (&url, &addr),
        ]));
        let set = format!("PUBLIC_URL={url}");
        Checked::of(start())
            .only(&[])
            .must("tunnel", "warning", &[&url, &set, "--tunnel ngrok"])
            .must("public_url", "warning", &[&set]);
        Checked::of(start().set("PUBLIC_URL", &url))
            .only(&[])
            .must("tunnel", "ok", &[&url])
            .must("public_url_answers", "ok", &[])
            .must("browser_warning", "warning", &[]);
    }
    agent.tells(&tunnels(&[(&url, "http://localhost:3000")]));
    Checked::of(start()).must("tunnel", "skipped", &["lead to http://localhost:3000"]);
    Checked::of(start().set("PUBLIC_URL", &url))
        .only(&["tunnel"])
        .must(
            "tunnel",
            "failed",
            &["leads to http://localhost:3000", &format!("ngrok http {port}")],
        );
    agent.tells(&tunnels(&[(&url, &format!("https://localhost:{port}"))]));
    Checked::of(start())
        .only(&["tunnel"])
        .must("tunnel", "failed", &["uses https"]);
}

#[test]
fn what_is_no_agent_is_not_believed() {
    let home = directory();
    let plaid = Plaid::start(&home);
    for told in [
        "",
        "[]",
        "{}",
        "{\"tunnels\": 1}",
        "{\"tunnels\": [7]}",
        "<html>",
        "{\"tunnels\": [{\"public_url\": 1}]}",
    ] {
        let agent = Agent::start(told);
        Checked::of(check(&home, &plaid).set("BROKER_NGROK_API", &agent.url))
            .only(&[])
            .must("tunnel", "warning", &["BROKER_NGROK_API"]);
    }
    // What may be missing, is missing; more than is known, is there.
    let agent = Agent::start(
        "{\"tunnels\": [{}, {\"public_url\": \"https://a.example\", \"config\": {}, \"more\": [1]}]}",
    );
    Checked::of(check(&home, &plaid).set("BROKER_NGROK_API", &agent.url)).must("tunnel", "skipped", &[]);
    let nobody = format!("http://127.0.0.1:{}", free_port());
    Checked::of(check(&home, &plaid).set("BROKER_NGROK_API", &nobody)).must(
        "tunnel",
        "skipped",
        &["Neither"],
    );
}

#[test]
fn serve_takes_the_address_of_ngroks_tunnel_also_when_it_is_late() {
    let home = directory();
    let certificate = Certificate::new(Flaw::None);
    let port = free_port();
    let url = tunnel(&certificate, port, LIKE_NGROK);
    let agent = Agent::start(&tunnels(&[]));
    let process = serve(&home, &agent.url, port, &["--tunnel", "ngrok"])
        .set("PUBLIC_URL", "https://stale.ngrok-free.app")
        .spawn();
    process.stderr.says("looking for its tunnel");
    agent.tells(&tunnels(&[(&url, &format!("http://localhost:{port}"))]));
    let own = process.stdout.line("listening on ");
    process.stderr.says(&format!(
        "PUBLIC_URL is {url} for this run, and not https://stale.ngrok-free.app"
    ));
    let metadata = get(&own, "/.well-known/oauth-authorization-server").json();
    assert_eq!(metadata["issuer"], url);
    // And the address really leads to it.
    let authority = certificate.write_authority(home.path());
    let start = Start::command(&home, &["check", "--json"])
        .set("APP_PORT", &port.to_string())
        .set("BROKER_NGROK_API", &agent.url)
        .set("BROKER_CLOUDFLARED_METRICS", "off")
        .set("SSL_CERT_FILE", &authority)
        .set("PUBLIC_URL", &url);
    Checked::of(start)
        .only(&[])
        .must("public_url_answers", "ok", &[])
        .must("proxies", "ok", &[])
        .must("tunnel", "ok", &[]);
}

#[test]
fn the_commands_find_a_broker_whose_address_is_a_tunnels() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let certificate = Certificate::new(Flaw::None);
    let authority = certificate.write_authority(home.path());
    let port = free_port();
    let url = tunnel(&certificate, port, LIKE_NGROK);
    let agent = Agent::start(&tunnels(&[(&url, &format!("http://localhost:{port}"))]));
    // As in the README, with `/link/return` of a tunnel that keeps its name.
    let settings = |start: Start| {
        start
            .set("APP_PORT", &port.to_string())
            .set("BROKER_NGROK_API", &agent.url)
            .set("PLAID_LINK_REDIRECT_URI", &format!("{url}/link/return"))
            .set("SSL_CERT_FILE", &authority)
    };
    let broker = Broker::of(settings(
        plaid.broker(&home).arguments(&["serve", "--tunnel", "ngrok"]),
    ));
    let ops = broker.ops.trim_start_matches("http://");
    let command = |arguments: &[&str]| {
        settings(
            plaid
                .broker(&home)
                .arguments(arguments)
                .set("BROKER_OPS_BIND", ops)
                .set("BROKER_CLOUDFLARED_METRICS", "off"),
        )
    };
    let checked = Checked::of(command(&["check", "--json"]));
    // The stand-in for ngrok is on this machine; nobody advises to start what runs.
    assert!(!checked.output.contains("--tunnel ngrok"), "{}", checked.output);
    checked
        .must("public_url", "warning", &[&url])
        .must("public_url_answers", "ok", &[&url])
        .must("proxies", "ok", &[])
        .must("tunnel", "ok", &[&url]);
    let ended = command(&["rehearse", "--actions", "balance"]).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.contains(&format!("the broker answers at {url}")),
        "{ended:?}"
    );
    let link = command(&["admin-link"]).run();
    assert_eq!(link.code, Some(0), "{link:?}");
}

#[test]
fn serve_says_why_it_has_no_tunnel() {
    let home = directory();
    let port = free_port();
    let command = format!("ngrok http {port}");
    let late = ["--tunnel", "ngrok", "--tunnel-wait", "1"];
    let nobody = format!("http://127.0.0.1:{}", free_port());
    serve(&home, &nobody, port, &late)
        .run()
        .must_say(3, &["nothing answers", &nobody, &command]);
    let agent = Agent::start(&tunnels(&[]));
    serve(&home, &agent.url, port, &late)
        .run()
        .must_say(3, &["has none", &command]);
    agent.tells(&tunnels(&[("https://a.ngrok-free.app", "http://localhost:3000")]));
    serve(&home, &agent.url, port, &late).run().must_say(
        1,
        &["leads to http://localhost:3000", &port.to_string(), "APP_PORT"],
    );
    let html = page("200 OK", "Content-Type: text/html\r\n", "<html>");
    serve(&home, &html, port, &late)
        .run()
        .must_say(1, &["not its agent", "BROKER_NGROK_API"]);
    serve(&home, "off", port, &late)
        .run()
        .must_say(2, &["BROKER_NGROK_API", "off"]);
    serve(&home, &nobody, 0, &late).run().must_say(2, &["APP_PORT"]);
    serve(&home, "http://127.0.0.1:4040/api", port, &late)
        .run()
        .must_say(2, &["BROKER_NGROK_API", "without a path"]);
    // What hangs on PUBLIC_URL is checked with the tunnel's.
    agent.tells(&tunnels(&[("https://a.ngrok-free.app", &port.to_string())]));
    serve(&home, &agent.url, port, &late)
        .set("PLAID_LINK_REDIRECT_URI", "https://other.example/link/return")
        .run()
        .must_say(2, &["https://a.ngrok-free.app/link/return"]);
    assert!(!home.path().join("data").exists(), "nothing was begun");
}

#[test]
fn the_start_offers_a_tunnel_that_leads_here() {
    let home = directory();
    let port = free_port();
    let agent = Agent::start(&tunnels(&[("https://a.ngrok-free.app", &port.to_string())]));
    let broker = Broker::of(serve(&home, &agent.url, port, &[]));
    broker
        .process
        .stdout
        .says("ngrok forwards https://a.ngrok-free.app to this port");
    broker.process.stdout.says("serve --tunnel ngrok");
    assert_eq!(get(&broker.url, "/").status, 200);
}

#[test]
fn cloudflareds_quick_tunnel_is_found_and_taken() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let certificate = Certificate::new(Flaw::None);
    let authority = certificate.write_authority(home.path());
    let port = free_port();
    let url = tunnel(
        &certificate,
        port,
        Passing {
            forwarded: true,
            warning: false,
        },
    );
    let hostname = url.strip_prefix("https://").unwrap();
    let agent = Agent::start(&format!("{{\"hostname\":\"{hostname}\"}}"));
    {
        let _broker = broker_on(port, &home, &plaid);
        let start = || {
            check(&home, &plaid)
                .set("APP_PORT", &port.to_string())
                .set("BROKER_CLOUDFLARED_METRICS", &agent.url)
                .set("SSL_CERT_FILE", &authority)
        };
        let set = format!("PUBLIC_URL={url}");
        Checked::of(start())
            .only(&[])
            .must("tunnel", "warning", &[&set, "--tunnel cloudflared"]);
        Checked::of(start().set("PUBLIC_URL", &url))
            .only(&[])
            .must("tunnel", "ok", &[&url]);
        agent.tells("{\"hostname\":\"127.0.0.1:9\"}");
        Checked::of(start()).must("tunnel", "skipped", &["does not lead to this broker"]);
        agent.tells("{\"hostname\":\"\"}");
        Checked::of(start()).must("tunnel", "skipped", &["Neither"]);
    }
    agent.tells(&format!("{{\"hostname\":\"{hostname}\"}}"));
    let elsewhere = directory();
    let process = serve(&elsewhere, &agent.url, port, &["--tunnel", "cloudflared"]).spawn();
    let own = process.stdout.line("listening on ");
    let metadata = get(&own, "/.well-known/oauth-authorization-server").json();
    assert_eq!(metadata["issuer"], url);
}
