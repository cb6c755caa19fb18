//! One message to one endpoint: a CloudEvent as JSON, signed, by HTTP, or by `mqtt` where a broker stands.
//!
//! Touches: `ureq`, in a thread that may block; the certificates that this machine trusts.
//! Source: CloudEvents 1.0.2, JSON format and HTTP structured mode.
//! Never: follows a redirect, or hands what an endpoint says to anybody but the operator's eyes.

use super::signing::signature;
use crate::limits::{WEBHOOK_TIMEOUT_S, WEBHOOK_URL_BYTES_MAX};
use crate::mqtt::{Broker, Login};
use crate::store::{EventRow, WebhookRow};
use lapwing_core::UnixSeconds;
use lapwing_fleet::Taken;
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
    id: String,
    /// Of the event.
    name: String,
    body: String,
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
    Message { id: format!("{source}:{id}"), name: name.to_owned(), body: body.to_string() }
}

/// How a try ended.
pub(crate) struct Outcome {
    pub(crate) taken: Taken,
    /// For people.
    pub(crate) words: String,
}

impl Outcome {
    fn answered(status: u16) -> Self {
        Self { taken: Taken::by_status(Some(status)), words: format!("it answered {status}") }
    }

    fn no_answer(why: impl fmt::Display) -> Self {
        Self { taken: Taken::Away, words: format!("no answer: {why}") }
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
        if let Some(broker) = Broker::of(&webhook.url) {
            let login = Login(String::from_utf8_lossy(&webhook.secret).into_owned());
            // A level for each word, so that subscribers can take them together.
            let message = [(message.name.replace('.', "/"), message.body.as_str())];
            return match broker.publish(&login, &message).await {
                Ok(()) => Outcome { taken: Taken::Yes, words: "the broker has it".to_owned() },
                Err(error) => Outcome::no_answer(error),
            };
        }
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
                Ok(answer) => Outcome::answered(answer.status().as_u16()),
                Err(error) => Outcome::no_answer(error),
            }
        };
        tokio::task::spawn_blocking(exchange).await.unwrap_or_else(Outcome::no_answer)
    }
}

/// Whether messages may go there: `https` or `mqtts`, or plain `http` or `mqtt` on this machine.
pub(crate) fn is_endpoint(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let no_secret = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    url.len() <= WEBHOOK_URL_BYTES_MAX
        && !host.is_empty()
        && no_secret
        && (is_broker(url) || uri.scheme_str() == Some("https") || uri.scheme_str() == Some("http") && here)
}

/// Whether a broker stands there.
pub(crate) fn is_broker(url: &str) -> bool {
    Broker::of(url).is_some()
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
        check("mqtts://broker.example/lapwing", true);
        check("mqtt://broker.example/lapwing", false);
        check("mqtts://user:secret@broker.example/", false);
        check("https://user:secret@hooks.example/", false);
        check("ftp://hooks.example/", false);
        check("/relative", false);
        check("", false);
    }
}
