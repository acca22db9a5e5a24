//! The rehearsal judges by the accounts that Link would offer a person, which are fewer than the test bank's.

use super::{Stage, failed, with};

const GUIDE: (&str, &str) = (
    "PLAID_PRODUCTS",
    "auth,transactions,identity,investments,liabilities",
);

#[test]
fn actions_that_would_fail_for_a_person_fail() {
    let both = [
        ("PLAID_PRODUCTS", "auth"),
        (
            "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS",
            "transactions,investments,liabilities",
        ),
    ];
    for settings in [&[GUIDE][..], &both] {
        let stage = Stage::sandbox(settings);
        let ended = with(stage.command(&[]), settings).run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for step in [
            "accounts that Plaid Link offers",
            "investment holdings",
            "investment transactions",
            "liabilities",
        ] {
            let fix = failed(&ended, step);
            assert!(
                fix.contains(
                    "set PLAID_PRODUCTS=transactions and PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS=auth,"
                ),
                "{step}: {fix}"
            );
        }
        assert!(
            ended.stdout.contains("✓ Kore.ai's action: real-time balance"),
            "{ended:?}"
        );
        stage.has_no_item();
    }
    // A bot that uses balances only lacks nothing, as long as people can finish Link.
    let stage = Stage::sandbox(&both);
    let ended = with(stage.command(&["--actions", "balance"]), &both).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let ended = with(stage.command(&["--actions", "balance"]), &[GUIDE]).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    failed(&ended, "accounts that Plaid Link offers");
    stage.has_no_item();
}

#[test]
fn in_production_the_settings_alone_are_judged() {
    let hidden = [
        ("PLAID_ENV", "production"),
        ("PLAID_PRODUCTS", "auth,investments"),
        ("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS", "none"),
    ];
    let stage = Stage::sandbox(&hidden);
    let ended = with(stage.command(&[]), &hidden).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    failed(&ended, "accounts that Plaid Link offers");
    assert_eq!(stage.plaid.count("/sandbox/public_token/create"), 0);
}
