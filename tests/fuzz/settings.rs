//! What operators write.

use plaid_token_broker::config::{Config, LoadOptions};
use proptest::prelude::*;

use crate::mutation::{cases, feed, mutated_text};

#[test]
fn any_env_file_is_settings_or_a_list_of_problems() {
    let corpus = [
        "PLAID_CLIENT_ID=0a0b0c0d0e0f010203040506\nPLAID_SECRET='7e57ab1e5ec2e7000000000000aa01'\nPLAID_ENV=sandbox\n",
        "export PLAID_PRODUCTS=\"auth,transactions\" # why\r\nAPP_PORT=8000\r\nPUBLIC_URL=https://b.example/\r\n",
        "PLAID_REDIRECT_URI=https://a.example/cb,https://b.example/cb\nBROKER_TRUSTED_PROXIES=10.0.0.0/8,loopback\n",
        "BROKER_KEYS=k:BQYHBQYHBQYHBQYHBQYHBQYHBQYHBQYHBQYHBQYHBQY=\nOAUTH_CODE_TTL=60\nRUST_LOG=info\n",
        "A=\"two\nlines\"\nB=${A}\n\u{feff}C=1\n",
    ];
    let fine = std::cell::Cell::new(0);
    feed(cases(10), &mutated_text(&corpus), |content| {
        // Files that a mutation happens to name are not this target's matter.
        prop_assume!(!content.contains("_FILE"));
        match Config::load([], Some(&content), LoadOptions::default()) {
            Ok(_) => fine.set(fine.get() + 1),
            Err(problems) => {
                prop_assert!(!problems.0.is_empty());
                for problem in &problems.0 {
                    let text = problem.to_string();
                    prop_assert!(!text.contains(char::is_control), "one line each: {text:?}");
                }
            }
        }
        Ok(())
    });
    assert!(fine.get() > 0);
}
