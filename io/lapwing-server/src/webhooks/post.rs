//! One message to one endpoint: a CloudEvent as JSON, signed, by HTTP.
//!
//! Touches: `ureq`, in a thread that may block; the certificates that this machine trusts.
//! Source: CloudEvents 1.0.2, JSON format and HTTP structured mode.
//! Never: follows a redirect, or hands what an endpoint says to anybody but the operator's eyes.

use super::signing::signature;
use crate::limits::{WEBHOOK_TIMEOUT_S, WEBHOOK_URL_BYTES_MAX};
use crate::store::{EventRow, WebhookRow};
use lapwing_core::UnixSeconds;
use serde_json::{Value, json};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::ring;
use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};

/// A message.
pub(crate) struct Message {
    /// The same for every try of one event, so that whoever got it twice knows.
    pub(crate) id: String,
    pub(crate) body: String,
}

/// An event as a CloudEvent.
pub(crate) fn message(source: &str, event: &EventRow) -> Message {
    cloud_event(source, &event.id.to_string(), &event.name, event.time(), event.device(), &json!(event))
}

/// A CloudEvent that only says that the way is open.
pub(crate) fn test_message(source: &str, id: &str, now: UnixSeconds) -> Message {
    cloud_event(source, id, "webhook.test", now, None, &json!({}))
}

fn cloud_event(
    source: &str,
    id: &str,
    name: &str,
    time: UnixSeconds,
    device: Option<&str>,
    data: &Value,
) -> Message {
    let seconds = i64::try_from(time.0).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
    let body = json!({
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": format!("lapwing.{name}"),
        "subject": device,
        "time": time.to_string(),
        "datacontenttype": "application/json",
        "data": data,
    });
    Message { id: format!("{source}:{id}"), body: body.to_string() }
}

/// How a try ended.
pub(crate) struct Outcome {
    /// None if there was no answer.
    pub(crate) status: Option<u16>,
    why: Option<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, &self.why) {
            (Some(status), _) => write!(f, "it answered {status}"),
            (None, Some(why)) => write!(f, "no answer: {why}"),
            (None, None) => f.write_str("no answer"),
        }
    }
}

/// What sends messages. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Post(Arc<Agent>);

impl Post {
    pub(crate) fn new() -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("lapwing/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(Duration::from_secs(WEBHOOK_TIMEOUT_S)))
            .build();
        Self(Arc::new(config.new_agent()))
    }

    /// Sends one message, and says how it was taken.
    pub(crate) async fn send(&self, webhook: &WebhookRow, message: &Message, now: UnixSeconds) -> Outcome {
        let (agent, url, body) = (Arc::clone(&self.0), webhook.url.clone(), message.body.clone());
        let signature = signature(&webhook.secret, &message.id, now, body.as_bytes());
        let (id, time) = (message.id.clone(), now.0.to_string());
        let exchange = move || {
            let request = agent
                .post(&url)
                .header("content-type", "application/cloudevents+json")
                .header("webhook-id", &id)
                .header("webhook-timestamp", &time)
                .header("webhook-signature", &signature);
            match request.send(body) {
                Ok(answer) => Outcome { status: Some(answer.status().as_u16()), why: None },
                Err(error) => Outcome { status: None, why: Some(error.to_string()) },
            }
        };
        tokio::task::spawn_blocking(exchange).await.unwrap_or(Outcome { status: None, why: None })
    }
}

/// Whether messages may go there: `https`, or plain `http` on this machine.
pub(crate) fn is_endpoint(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let no_secret = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    url.len() <= WEBHOOK_URL_BYTES_MAX
        && !host.is_empty()
        && no_secret
        && (uri.scheme_str() == Some("https") || uri.scheme_str() == Some("http") && here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_https_or_here() {
        let check = |url: &str, expected| assert_eq!(is_endpoint(url), expected, "{url}");
        check("https://hooks.example/x?y", true);
        check("http://127.0.0.1:9000/", true);
        check("http://[::1]:9000/", true);
        check("http://localhost/", true);
        check("http://hooks.example/", false);
        check("https://user:secret@hooks.example/", false);
        check("ftp://hooks.example/", false);
        check("/relative", false);
        check("", false);
    }
}
