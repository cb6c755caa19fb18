//! Where the device's secret goes, and where it does not.

use crate::server::{Network, who};
use lapwing_transport::client::{ExchangeError, PlainHttp};

const NOTHING: &str = "HTTP/1.1 204 No Content\n\n";

/// Of `sensor-1:` and 64 digits, as RFC 7617 spells it.
const AUTHORIZATION: &str = "authorization: Basic c2Vuc29yLTE6YWJhYmFi";

#[test]
fn the_secret_is_told_to_this_machine_even_in_plain_words() {
    for url in ["http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost:8080"] {
        let network = Network::default().with(url, NOTHING, None);
        network.client(&[url], PlainHttp::LoopbackOnly).report(&[], &who(), b"report").unwrap();
        let (_, request) = &network.heard()[0];
        assert!(request.starts_with("POST /v1/report HTTP/1.1"), "{request}");
        assert!(request.contains(AUTHORIZATION) && request.ends_with("report"), "{request}");
    }
}

#[test]
fn plain_http_to_another_machine_is_refused_unless_asked_for() {
    let url = "http://fleet.example";
    let network = Network::default().with(url, NOTHING, None);
    let refused = network.client(&[url], PlainHttp::LoopbackOnly).report(&[], &who(), b"report");
    assert_eq!(refused, Err(ExchangeError::Insecure));
    assert!(network.heard().is_empty());
}

#[test]
fn the_secret_is_never_told_to_another_machine_in_plain_words() {
    let url = "http://fleet.example";
    let network = Network::default().with(url, NOTHING, None);
    let client = network.client(&[url], PlainHttp::Anywhere);
    client.report(&[], &who(), b"report").unwrap();
    assert!(!network.heard()[0].1.contains("authorization"));
    // A claim has the secret inside.
    assert_eq!(client.claim(&[], b"claim"), Err(ExchangeError::Insecure));
    assert_eq!(network.heard().len(), 1);
}
