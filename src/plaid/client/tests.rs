//! Headers that are read, and redirects that are not followed.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;

#[test]
fn http_dates_are_read() {
    let date = |text| read_date(&HeaderValue::from_static(text)).map(Timestamp::as_secs);
    assert_eq!(date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
    assert_eq!(date("yesterday"), None);
}

#[test]
fn retry_after_is_read_as_seconds_and_as_a_date() {
    let read = |retry_after: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
        headers.insert(RETRY_AFTER, HeaderValue::from_static(retry_after));
        read_retry_after(&headers)
    };
    assert_eq!(read("120"), Some(Duration::from_secs(120)));
    assert_eq!(
        read("Sun, 06 Nov 1994 08:50:37 GMT"),
        Some(Duration::from_secs(60))
    );
    assert_eq!(
        read("Sun, 06 Nov 1994 08:00:00 GMT"),
        Some(Duration::ZERO),
        "a date that is over"
    );
    assert_eq!(read("soon"), None);
    assert_eq!(read_retry_after(&HeaderMap::new()), None);
}

/// Answers one request with a redirect to this address.
async fn redirecting(listener: tokio::net::TcpListener, status: &str, location: String) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
    }
    let answer = format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    // Until the client has read it.
    let _ = stream.read(&mut [0; 1024]).await;
}

/// The headers with the secret and the body with the token would go with a redirect that keeps the method.
#[tokio::test]
async fn a_redirect_is_not_followed_so_that_the_secret_stays_with_plaid() {
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let plaid = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let location = format!("http://{}/item/get", elsewhere.local_addr().unwrap());
        let client = PlaidClient::new(&PlaidOptions {
            base_url: Url::parse(&format!("http://{}", plaid.local_addr().unwrap())).unwrap(),
            client_id: "0123456789abcdef01234567".to_owned(),
            secret: PlaidSecret::new("a-secret-of-plaid"),
            timeouts: Timeouts::default(),
        })
        .unwrap();
        let answering = tokio::spawn(redirecting(plaid, status, location));
        let token = PlaidAccessToken::new("access-sandbox-token");
        let asked = client.item_get(&token);
        tokio::select! {
            answer = asked => {
                assert!(matches!(answer, Err(PlaidError::Malformed { .. })), "{status}: {answer:?}");
            }
            _ = elsewhere.accept() => panic!("{status}: followed"),
        }
        drop(client);
        answering.await.unwrap();
    }
}
