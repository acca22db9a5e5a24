//! The checks of a broker that runs in this process, as the set-up page makes them.

use plaid_token_broker::config::Environment;
use plaid_token_broker::doctor::checks::{self, ALL, Context};
use plaid_token_broker::doctor::{Finding, Status};
use plaid_token_broker::simulator::{self, CLIENT_ID, Fault, Simulator};
use url::Url;

use crate::harness::{Answer, Setup, TestBroker};

const APART: [(&str, &str); 2] = [("BROKER_NGROK_API", "off"), ("BROKER_CLOUDFLARED_METRICS", "off")];

async fn findings(context: Context) -> Vec<Finding> {
    let mut heard = Vec::new();
    let report = checks::run(&context, |finding| heard.push(finding.clone())).await;
    assert_eq!(heard.len(), report.findings.len());
    let at = |finding: &Finding| ALL.iter().position(|check| check.id == finding.id);
    assert!(
        report.findings.iter().map(at).is_sorted(),
        "in the order of the list"
    );
    for finding in &report.findings {
        assert!(heard.contains(finding));
        let needs_fix = matches!(finding.status, Status::Warning | Status::Failed);
        assert_eq!(finding.fix.is_some(), needs_fix, "{finding:?}");
    }
    report.findings
}

fn one<'f>(findings: &'f [Finding], id: &str) -> &'f Finding {
    findings.iter().find(|finding| finding.id == id).expect(id)
}

#[tokio::test]
async fn a_running_broker_checks_itself() {
    let broker = TestBroker::start_with(&APART).await;
    broker.tokens().await;
    // In a task of its own, as a handler would.
    let found = tokio::spawn(findings(Context::of_app(&broker.app)));
    let found = found.await.unwrap();
    for finding in &found {
        assert_ne!(finding.status, Status::Failed, "{finding:?}");
    }
    assert_eq!(found.len(), ALL.len() - 1, "all but the visit, as nobody came");
    assert_eq!(one(&found, "public_url_answers").status, Status::Ok);
    assert_eq!(one(&found, "store_writable").status, Status::Ok);
    assert!(one(&found, "store_keys").found.contains("all 1 stored"));
    assert_eq!(broker.simulator.live_items(), 1, "no Item was made");
}

#[tokio::test]
async fn the_address_that_the_admin_came_by_is_compared() {
    let settings = [APART[0], APART[1], ("PUBLIC_URL", "https://broker.invalid")];
    let broker = TestBroker::start_with(&settings).await;
    for (visit, status) in [
        ("https://broker.invalid", Status::Ok),
        ("https://broker.invalid:443/", Status::Ok),
        ("http://localhost:8000", Status::Ok),
        ("https://other.example", Status::Warning),
        ("http://broker.invalid", Status::Warning),
        ("https://broker.invalid:8443", Status::Warning),
    ] {
        let found = Box::pin(findings(Context::of_app(&broker.app).reached_at(visit))).await;
        assert_eq!(found[0].id, "public_url_visit", "it stands first");
        assert_eq!(found[0].status, status, "{visit}");
        if status == Status::Warning {
            let fix = found[0].fix.as_deref().unwrap();
            assert!(fix.contains(&format!("PUBLIC_URL={visit}")), "{fix}");
        }
    }
}

#[tokio::test]
async fn the_secret_of_the_other_environment_is_recognised() {
    let secret = "0123456789abcdef0123456789abcd";
    let settings = [APART[0], APART[1], ("PLAID_SECRET", secret)];
    let broker = TestBroker::start_as(Setup {
        settings: &settings,
        plaid: Some(simulator::Options::default()),
        ..Setup::default()
    })
    .await;
    let production = simulator::Options {
        keys: vec![(CLIENT_ID.to_owned(), secret.to_owned())],
        ..simulator::Options::default()
    };
    let production = Simulator::start(production).await.unwrap();
    let url = Url::parse(&production.url()).unwrap();
    let context = Context::of_app(&broker.app).with_other_environment(Environment::Production, url);
    let found = Box::pin(findings(context)).await;
    let keys = one(&found, "plaid_keys");
    assert_eq!(keys.status, Status::Failed);
    assert!(keys.found.contains("is the secret of production"), "{keys:?}");
    assert!(
        keys.fix.as_deref().unwrap().contains("PLAID_ENV=production"),
        "{keys:?}"
    );
}

#[tokio::test]
async fn what_takes_too_long_is_told_to_be_skipped() {
    let broker = TestBroker::start_with(&APART).await;
    broker.simulator.enqueue("/link/token/create", Fault::Hang);
    let mut heard = 0;
    let limit = std::time::Duration::from_millis(1);
    let report = checks::run_within(&Context::of_app(&broker.app), limit, |_| heard += 1).await;
    assert_eq!((heard, report.findings.len()), (ALL.len() - 1, ALL.len() - 1));
    let plaid = one(&report.findings, "plaid_keys");
    assert_eq!(plaid.status, Status::Skipped, "{plaid:?}");
    assert_eq!(one(&report.findings, "client_auth").status, Status::Ok);
}

#[tokio::test]
async fn an_instance_proves_itself_by_its_store_alone() {
    let (one, other) = (TestBroker::start().await, TestBroker::start().await);
    let challenge = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let proof = async |broker: &TestBroker| {
        let answer = Answer::of(broker.get(&format!("/setup/instance?challenge={challenge}"))).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        answer.text("proof")
    };
    let first = proof(&one).await;
    assert_eq!(first, proof(&one).await);
    assert_ne!(first, proof(&other).await);
    for query in [
        "",
        "?challenge=",
        "?challenge=AAAA",
        "?challenge=%FF",
        "?challenge=a&challenge=b",
    ] {
        let answer = Answer::of(one.get(&format!("/setup/instance{query}"))).await;
        assert_eq!(answer.oauth_error(), (400, "invalid_request"), "{query}");
    }
}
