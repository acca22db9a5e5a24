use super::*;

const COMPLETE: &str = "user_id: 7\nclient_id: the-client\nclient_secret: s3cr3t-of-client\n\
    hostname: tenant.plaid.cloud\nrealm: PlaidCloud\nworkspace_uuid: the-workspace\n";

fn problems(text: &str) -> Vec<String> {
    let problems = Conf::parse_new(text).unwrap_err();
    let shown = problems.to_string();
    assert!(!shown.contains("s3cr3t"), "{shown}");
    problems.0
}

#[test]
fn what_is_left_out_has_the_documented_defaults() {
    let conf = Conf::parse_new(COMPLETE).unwrap();
    assert_eq!(conf.auth_uri.as_str(), "https://tenant.plaid.cloud/auth");
    assert_eq!(conf.grant_type, GrantType::Code);
    assert!(conf.verify_tls && conf.auth_token.is_none() && conf.auth_code.is_none());
    assert_eq!((conf.project_id.as_str(), conf.user_id.as_str()), ("", "7"));
}

#[test]
fn json_a_byte_order_mark_and_windows_line_ends_are_accepted() {
    let windows = format!("\u{FEFF}{}", COMPLETE.replace('\n', "\r\n"));
    let text = decode(windows.as_bytes()).unwrap();
    assert_eq!(
        Conf::parse_new(&text).unwrap().client_secret.expose(),
        "s3cr3t-of-client"
    );
    let json = r#"{"user_id": 7, "client_id": "c", "client_secret": "s", "hostname": "h", "realm": "r",
        "workspace_uuid": "w", "auth_token": "t", "surplus": [1]}"#;
    assert_eq!(Conf::parse_new(json).unwrap().auth_token.unwrap().expose(), "t");
    for (bytes, word) in [(&b"\xFF\xFEu\0"[..], "UTF-16"), (&b"\xC3\x28"[..], "UTF-8")] {
        assert!(decode(bytes).unwrap_err().to_string().contains(word));
    }
}

#[test]
fn all_problems_come_at_once_with_the_nearest_key() {
    let text = "clientid: x\nclient_secret: s3cr3t\nhostname: https://h/\ngrant_type: s3cr3t\nverify_ssl: 7\n\
        workspace_uuid: [a]\nauth_uri: http://elsewhere/auth\nredirect_uri: nowhere\nrealm: a/b\nuser_id:\n";
    assert_eq!(
        problems(text),
        [
            "user_id has no value",
            "client_id is missing; is `clientid` a typing error for it?",
            "workspace_uuid must be one value, not a list or a map",
            "hostname must be the host alone, as in my-company.plaid.cloud: no https:// and no path",
            "auth_uri must begin with https:// (secrets are sent there)",
            "realm must be a name without /, ? and #",
            "grant_type must be `code` or `client_credentials`",
            "verify_ssl must be true or false",
            "redirect_uri is not a URL",
        ]
    );
}

#[test]
fn an_old_file_without_realm_is_read_and_not_imported() {
    let old = COMPLETE.replace("realm: PlaidCloud\n", "");
    assert_eq!(Conf::parse(&old).unwrap().realm, None);
    assert_eq!(problems(&old), ["realm is missing"]);
}

#[test]
fn texts_that_are_no_configuration_are_named() {
    for (text, word) in [
        ("", "empty"),
        (" \n\n", "empty"),
        ("[plaid]\nclient_secret = s3cr3t\n", "INI"),
        ("client_secret = s3cr3t\n", "INI"),
        ("s3cr3t", "complete"),
        ("- s3cr3t", "complete"),
        ("user_id: 1\nclient_secret: 's3cr3t", "complete"),
        ("user_id: 1\nclient_secret", "complete"),
        ("client_id: a\n---\nclient_id: b\n", "second document"),
    ] {
        let shown = problems(text).join("\n");
        assert!(shown.contains(word), "{text:?}: {shown}");
    }
}

#[test]
fn unknown_keys_are_tolerated_and_likely_typing_errors_noted() {
    let conf = Conf::parse(&format!("{COMPLETE}projectid: p\nsurplus: 1\n")).unwrap();
    assert_eq!(
        conf.notes,
        ["the key `projectid` is not used; did you mean `project_id`?"]
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(?s)([a-z_]{0,12}(: |=|:\n)?[ -~\n]{0,20}){0,8}|\\PC{0,60}") {
        let _ = Conf::parse(&text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(0_u8.., 0..80)) {
        let _ = decode(&bytes).and_then(|text| Conf::parse(&text));
    }

    #[test]
    fn what_was_quoted_comes_back(secret in "[!-~]([ -~]{0,30}[!-~])?") {
        let quoted = secret.replace('\'', "''");
        let text = COMPLETE.replace("s3cr3t-of-client", &format!("'{quoted}'"));
        let conf = Conf::parse(&text).unwrap();
        proptest::prop_assert_eq!(conf.client_secret.expose(), secret);
    }
}
