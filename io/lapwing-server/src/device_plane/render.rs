//! How an answer is spelled: CBOR for devices, JSON for people who ask for it.
//!
//! Touches: `lapwing_core::wire`. Signed parts stay bytes, as base64url in JSON.

use super::auth::CBOR;
use crate::problem::Problem;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lapwing_core::cbor::encode;
use lapwing_core::limits::ANSWER_BYTES_MAX;
use lapwing_core::wire::answer::{Answer, WaitReason};
use serde_json::{Value, json};
use std::sync::Arc;

/// An answer that owns its parts.
pub(crate) enum Reply {
    Plain(Answer<'static>),
    Status(Vec<u8>),
    Offer { offer: Vec<u8>, release: Arc<[u8]> },
}

impl Reply {
    fn answer(&self) -> Answer<'_> {
        match self {
            Self::Plain(answer) => *answer,
            Self::Status(status) => Answer::Status(status),
            Self::Offer { offer, release } => Answer::Offer { offer, release: Some(release) },
        }
    }

    /// As devices read it.
    pub(crate) fn spell(&self) -> Result<Vec<u8>, Problem> {
        let mut buffer = [0; ANSWER_BYTES_MAX];
        let bytes = encode(&self.answer(), &mut buffer).map_err(|error| Problem::internal(&error))?;
        Ok(bytes.to_vec())
    }

    /// Its name in metrics and JSON.
    pub(super) fn label(&self) -> &'static str {
        match self.answer() {
            Answer::Nothing { .. } => "nothing",
            Answer::Ask(_) => "ask",
            Answer::Status(_) => "status",
            Answer::Offer { .. } => "offer",
            Answer::CatchUp { .. } => "catch-up",
            Answer::Wait { .. } => "wait",
        }
    }
}

/// The answer as a response.
pub(super) fn render(headers: &HeaderMap, reply: &Reply) -> Result<Response, Problem> {
    let people = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes() == b"application/json");
    let (kind, body) = if people {
        ("application/json", json(reply).to_string().into_bytes())
    } else {
        (CBOR, reply.spell()?)
    };
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], body).into_response())
}

fn json(reply: &Reply) -> Value {
    let base64url = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let detail = match reply.answer() {
        Answer::Nothing { next_check_in_s } => json!({ "next_check_in_s": next_check_in_s }),
        Answer::Ask(ask) => json!({ "nonce": ask.nonce, "facts": ask.facts }),
        Answer::Status(status) => json!({ "status": base64url(status) }),
        Answer::Offer { offer, release } => {
            json!({ "offer": base64url(offer), "release": release.map(base64url) })
        }
        Answer::CatchUp { root, delegation } => json!({ "root": root, "delegation": delegation }),
        Answer::Wait { after_s, reason } => json!({ "after_s": after_s, "reason": wait_label(reason) }),
    };
    json!({ "answer": reply.label(), "detail": detail })
}

fn wait_label(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::Busy => "busy",
        WaitReason::Preparing => "preparing",
        WaitReason::Quarantined => "quarantined",
    }
}
