//! Puts signatures on payloads, and checks each before anybody else has to.
//!
//! Touches: `lapwing_core::envelope`. Never: decides whether the signer was the right one.

use super::{Key, key_file, sign};
use crate::exit::{Code, Refusal};
use anyhow::{Context as _, Result, anyhow};
use lapwing_core::cbor;
use lapwing_core::envelope::{Context, Envelope, Form, add_signature};
use lapwing_core::limits::ENVELOPE_BYTES_MAX;

/// An envelope around `payload` with the signatures of all `keys`, of which there may be none yet.
pub(crate) fn seal(context: &Context<'_>, form: Form, payload: &[u8], keys: &[Key]) -> Result<Vec<u8>> {
    let mut envelope = Envelope { form, payload, signatures: heapless::Vec::new() };
    sign_all(&mut envelope, context, keys)?;
    encode(&envelope)
}

/// The envelope in `bytes` with the signatures of those `keys` added that have not signed it yet.
pub(crate) fn add_signatures(context: &Context<'_>, bytes: &[u8], keys: &[Key]) -> Result<Vec<u8>> {
    let mut envelope = Envelope::parse(bytes).context("read the envelope")?;
    if envelope.form == Form::Single && keys.iter().any(|key| !has_signed(&envelope, context, key)) {
        let what = "sign: the envelope has its one signature and no room for another";
        let advice = "create it afresh and give the first signature with --several";
        return Err(Refusal::new(Code::Conflict, what).advice(advice).into());
    }
    sign_all(&mut envelope, context, keys)?;
    encode(&envelope)
}

/// Whether `key`'s signature is there and good.
pub(crate) fn has_signed(envelope: &Envelope<'_>, context: &Context<'_>, key: &Key) -> bool {
    envelope.is_signed_by(key.public(), context)
}

fn sign_all(envelope: &mut Envelope<'_>, context: &Context<'_>, keys: &[Key]) -> Result<()> {
    key_file::warn_of_files(keys);
    for key in keys {
        if has_signed(envelope, context, key) {
            continue;
        }
        let mut failure = None;
        let added = add_signature(envelope, context, key.public(), &mut |message| {
            sign(key, message).map_err(|error| failure = Some(error)).ok()
        });
        if let Some(failure) = failure {
            return Err(failure.context(format!("sign with {key}")));
        }
        added.with_context(|| format!("sign with {key}"))?;
        if !has_signed(envelope, context, key) {
            let what = format!("sign with {key}: its signature does not fit its public key");
            let advice = "check that --signer-public is the key that the signer command uses";
            return Err(Refusal::new(Code::Verification, what).advice(advice).into());
        }
    }
    Ok(())
}

fn encode(envelope: &Envelope<'_>) -> Result<Vec<u8>> {
    let mut buffer = [0; ENVELOPE_BYTES_MAX];
    let bytes =
        cbor::encode(envelope, &mut buffer).map_err(|_| anyhow!("sign: too large for an envelope"))?;
    Ok(bytes.to_vec())
}
