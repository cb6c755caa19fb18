//! Attestations: what a build system says of an image, as an in-toto statement, in a DSSE envelope or without.
//!
//! Touches: the bytes of one document. Source: in-toto Statement 0.1 and 1, DSSE 1.0.
//! Never: believes one; whoever gave it stands in the audit log, and its signatures are for those who read it.

use crate::limits::ATTESTATION_SUBJECTS_MAX;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lapwing_core::Digest;
use lapwing_fleet::rollout::is_predicate_type;
use serde::Deserialize;

/// Why a document is not taken for an attestation of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AttestationError {
    #[error("it is no in-toto statement in JSON, in a DSSE envelope or without")]
    Form,
    #[error("its predicate type is no URI that a plan could require")]
    PredicateType,
    #[error("none of its subjects has the SHA-256 of the release's image")]
    Subject,
}

#[derive(Deserialize)]
struct Envelope {
    payload: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    form: String,
    subject: Vec<Subject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    digest: Digests,
}

#[derive(Deserialize)]
struct Digests {
    sha256: Option<String>,
}

/// What is attested of `image`, by its predicate type.
pub(crate) fn predicate_type(bytes: &[u8], image: Digest) -> Result<String, AttestationError> {
    let opened = serde_json::from_slice(bytes).ok().map(|Envelope { payload }| STANDARD.decode(payload));
    let payload = opened.transpose().map_err(|_| AttestationError::Form)?;
    let statement = payload.as_deref().unwrap_or(bytes);
    let Statement { form, subject, predicate_type } =
        serde_json::from_slice(statement).map_err(|_| AttestationError::Form)?;
    if !["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"].contains(&form.as_str()) {
        return Err(AttestationError::Form);
    }
    if !is_predicate_type(&predicate_type) {
        return Err(AttestationError::PredicateType);
    }
    let is_image =
        |subject: &Subject| subject.digest.sha256.as_deref().and_then(|hex| hex.parse().ok()) == Some(image);
    if subject.iter().take(ATTESTATION_SUBJECTS_MAX).any(is_image) {
        Ok(predicate_type)
    } else {
        Err(AttestationError::Subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_statement_says_what_of_which_image() {
        let image = Digest::of(b"image");
        let statement = |form: &str, kind: &str, image: Digest| {
            json!({ "_type": form, "predicateType": kind, "predicate": { "passed": 12 },
                "subject": [{ "name": "other", "digest": { "sha1": "00" } },
                            { "name": "app.bin", "digest": { "sha256": image.to_string() } }] })
            .to_string()
        };
        let (v1, tests) =
            ("https://in-toto.io/Statement/v1", "https://in-toto.io/attestation/test-result/v0.1");
        let plain = statement(v1, tests, image);
        assert_eq!(predicate_type(plain.as_bytes(), image).as_deref(), Ok(tests));
        let envelope = json!({ "payloadType": "application/vnd.in-toto+json", "signatures": [{ "sig": "" }],
            "payload": STANDARD.encode(&plain) });
        assert_eq!(predicate_type(envelope.to_string().as_bytes(), image).as_deref(), Ok(tests));
        let refused = |document: &str| predicate_type(document.as_bytes(), image).unwrap_err();
        assert_eq!(refused(&statement(v1, tests, Digest::of(b"other"))), AttestationError::Subject);
        assert_eq!(
            refused(&statement("https://example.com/Statement", tests, image)),
            AttestationError::Form
        );
        assert_eq!(refused(&statement(v1, "two words", image)), AttestationError::PredicateType);
        assert_eq!(refused(&json!({ "payload": "!" }).to_string()), AttestationError::Form);
        assert_eq!(refused("{}"), AttestationError::Form);
    }
}
