//! Redirect URIs of native apps: which schemes a public client may have.

use super::*;

/// A public client with this redirect URI.
fn public(uri: &str) -> String {
    format!("[[client]]\nid = 'app'\npublic = true\nredirect_uris = ['{uri}']\n")
}

#[test]
fn a_public_client_may_have_a_scheme_of_its_own_in_reverse_domain_form() {
    for good in [
        "com.example.app:/callback",
        "com.example.app://callback",
        "com.example.app:/callback?tenant=a",
        "com.googleusercontent.apps.123-abc:/oauth2redirect",
        "io.example.a1:/",
        "http://localhost/callback",
        "http://localhost:8976/callback",
        "https://app.example/callback",
    ] {
        let clients = read(&public(good)).unwrap();
        let uris = clients.first().map(|client| client.redirect_uris.listed());
        assert_eq!(uris, Some(&[good.to_owned()][..]));
    }
    let schemes = [
        "javascript:alert(1)",
        "javascript://app.example/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "blob:https://app.example/x",
        "view-source:https://app.example/",
        "about:blank",
        "vbscript:x",
        "intent://x#Intent;end",
        "ftp://app.example/",
        "ws://app.example/",
        "mailto:x@app.example",
        "myapp://callback",
        "myapp:/callback",
        "x-apple.systempreferences:/callback",
        "a.example:/callback",
        "Com.example.app:/callback",
        "com.example.App:/callback",
        ".com.example:/callback",
        "com..example:/callback",
        "com.example.:/callback",
        "com.example_app:/callback",
        // An address without its https://.
        "app.example:8443/callback",
        "com.example.app:callback",
        "com.example.app:",
    ];
    for bad in schemes {
        let problems = problems(&public(bad));
        assert!(
            problems.concat().contains("com.example.app:/callback"),
            "{bad}: {problems:?}"
        );
    }
    for bad in [
        "com.example.app:/call back",
        "com.example.app:/a\\b",
        "com.example.app:/é",
        "com.example.app:/callback#x",
        "com.example.app://user@callback",
        "com.example.app:/*",
        "com.example.app:/\"x",
    ] {
        assert_eq!(problems(&public(bad)).len(), 1, "{bad}");
    }
    // A client with a secret runs on a server, which no scheme of an app leads to.
    each_has_one_problem(&[(
        with("redirect_uris = ['com.example.app:/callback']"),
        "redirect_uris",
        "https://",
    )]);
}
