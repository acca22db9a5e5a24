//! Whatever stands in the file: reading ends, and no hash is repeated.

use proptest::prelude::*;

use super::*;

/// Lines that are nearly right, with the hash wherever it may be pasted.
fn line() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        "id|name|secret_hash|public|redirect_uris|products|raw_public_tokens|send_iss|refresh_lifetime",
        "secret|client|[a-z\"'.\\[\\]]{1,8}",
        Just(format!("\"{HASH}\"")),
    ];
    let value = prop_oneof![
        Just(format!("'{HASH}'")),
        Just(format!("['{HASH}', 1]")),
        Just(format!("{{ secret = '{HASH}' }}")),
        Just(HASH.to_owned()),
        "true|false|[0-9]{1,20}|'[ -~&&[^']]{0,20}'|\\['[ -~&&[^']]{0,30}'\\]",
        ".{0,20}",
    ];
    prop_oneof![
        1 => "\\[\\[client\\]\\]|\\[client\\]|#.{0,10}",
        4 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
    ]
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in ".{0,200}", deep in 0..5000_usize) {
        let _ = read(&text);
        let _ = read(&format!("client = {}", "[".repeat(deep)));
    }

    #[test]
    fn no_problem_shows_a_hash(lines in proptest::collection::vec(line(), 0..12)) {
        let text = format!("[[client]]\nsecret_hash = '{HASH}'\n{}", lines.join("\n"));
        if let Err(problems) = read(&text) {
            for part in HASH.split(':').skip(1) {
                prop_assert!(!problems.concat().contains(part), "{:?}", problems);
            }
        }
    }

    #[test]
    fn what_is_read_keeps_its_promises(lines in proptest::collection::vec(line(), 0..6)) {
        let text = with(&lines.join("\n"));
        for client in read(&text).unwrap_or_default() {
            prop_assert!(!client.id.is_empty() && client.id != "first");
            prop_assert!(!matches!(client.kind, ClientKind::Public) || !client.raw_public_tokens);
            prop_assert!(client.redirect_uris != RedirectUris::AnyLoopback);
        }
    }
}
