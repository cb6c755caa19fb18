//! A message's signature: whoever has the secret can tell that this server sent it, and when.
//!
//! Touches: HMAC with SHA-256. Source: Standard Webhooks 1.0.0, "Signature scheme" (symmetric).
//! Never: shows the secret but once, to whoever made the endpoint.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use lapwing_core::UnixSeconds;
use sha2::Sha256;

/// Length of a secret, bytes.
const SECRET_BYTES: usize = 32;
/// What a secret begins with, so that people and scanners know it for one.
const PREFIX: &str = "whsec_";

/// What signs messages to one endpoint.
pub(crate) struct WebhookSecret(pub(crate) Vec<u8>);

impl WebhookSecret {
    /// A new one.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut secret = vec![0; SECRET_BYTES];
        getrandom::fill(&mut secret)?;
        Ok(Self(secret))
    }

    /// As its owner keeps it.
    pub(crate) fn text(&self) -> String {
        format!("{PREFIX}{}", BASE64_STANDARD.encode(&self.0))
    }
}

/// The `webhook-signature` of a message.
pub(crate) fn signature(secret: &[u8], id: &str, time: UnixSeconds, body: &[u8]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{id}.{}.", time.0).as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn signs_as_the_specification_says() {
        let secret = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", UnixSeconds(1_614_265_330), body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
