//! Signed bytes: COSE_Sign1 and COSE_Sign around a payload, spelled in exactly one way.
//!
//! Touches: `crate::{cbor, signature}`. What a signature was made for (type, fleet, device,
//! nonce) is authenticated with it and costs nothing on the wire. Source: RFC 9052 section 4.4.
//! Never: says whom to believe; `anchor.rs` does, and it alone makes `Verified` values.

use crate::cbor::{DecodeError, NoRoom, Out, Wire, decode, read_array, read_list};
use crate::id::{DeviceId, FleetId, KeyId, Nonce};
use crate::limits::{DEVICE_ID_BYTES_MAX, ENVELOPE_BYTES_MAX, PAYLOAD_BYTES_MAX, SIGNATURES_MAX};
use crate::signature::{SIGNATURE_LEN, verify};
use crate::trust::{Algorithm, PublicKey};
use minicbor::Decoder;
use minicbor::encode::write::Cursor;

/// The first word of every external authenticated data of this protocol generation.
const DOMAIN: &str = "lapwing1";
const AAD_BYTES_MAX: usize = DEVICE_ID_BYTES_MAX + 64;
const SIGNED_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + AAD_BYTES_MAX + 64;

/// What kind of object a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A root document.
    Root,
    /// A delegation of online keys.
    Delegation,
    /// A release.
    Release,
    /// A status for one device and nonce.
    Status,
    /// An offer for one device and nonce.
    Offer,
}

impl Kind {
    const fn text(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Delegation => "delegation",
            Self::Release => "release",
            Self::Status => "status",
            Self::Offer => "offer",
        }
    }
}

/// What a signature is bound to beside its payload.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Type of the object.
    pub kind: Kind,
    /// Whose fleet.
    pub fleet: FleetId,
    /// For statuses and offers: which device asked, with which nonce.
    pub session: Option<(&'a DeviceId, Nonce)>,
}

impl Wire<'_> for Context<'_> {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(if self.session.is_some() { 5 } else { 3 })?;
        self.fleet.write(out.str(DOMAIN)?.str(self.kind.text())?)?;
        if let Some((device, nonce)) = self.session {
            device.write(out)?;
            nonce.write(out)?;
        }
        Ok(())
    }

    /// Contexts are authenticated, never transmitted.
    fn read(_: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Err(DecodeError::BadValue)
    }
}

/// Whether an envelope has one signature for good, or may collect several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// COSE_Sign1.
    Single,
    /// COSE_Sign: more signatures may be added later, elsewhere.
    Several,
}

/// One signature and the key it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureEntry {
    /// How it was made.
    pub algorithm: Algorithm,
    /// By which key.
    pub key: KeyId,
    /// The signature.
    pub signature: [u8; SIGNATURE_LEN],
}

impl SignatureEntry {
    fn write_protected(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        write_protected(self.algorithm, self.key, out)
    }
}

/// Signed bytes that nobody has believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'b> {
    /// One signature or several.
    pub form: Form,
    /// What was signed.
    pub payload: &'b [u8],
    /// By whom, they say.
    pub signatures: heapless::Vec<SignatureEntry, SIGNATURES_MAX>,
}

impl<'b> Envelope<'b> {
    /// Takes an envelope apart. Nothing in it is to be believed yet.
    ///
    /// # Errors
    /// As [`decode`].
    pub fn parse(bytes: &'b [u8]) -> Result<Self, DecodeError> {
        decode(bytes)
    }

    /// Whether `key` signed this payload for this context. Signatures are checked strictly: no
    /// small-order keys, no second spelling of a signature.
    ///
    /// Memory: [`PAYLOAD_BYTES_MAX`] bytes of stack and 256 more.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey, context: &Context<'_>) -> bool {
        let id = key.id();
        let mut buffer = [0; SIGNED_BYTES_MAX];
        self.signatures.iter().filter(|entry| entry.key == id && entry.algorithm == key.algorithm).any(
            |entry| {
                to_be_signed(context, self.form, (entry.algorithm, id), self.payload, &mut buffer)
                    .is_ok_and(|message| verify(key, message, &entry.signature))
            },
        )
    }
}

impl<'b> Wire<'b> for Envelope<'b> {
    const BYTES_MAX: usize = ENVELOPE_BYTES_MAX;

    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(4)?;
        match (self.form, self.signatures.first()) {
            (Form::Single, Some(entry)) => {
                write_nested(out, |inner| entry.write_protected(inner))?;
                out.map(0)?.bytes(self.payload)?.bytes(&entry.signature)?;
            }
            _ => {
                out.bytes(&[])?.map(0)?.bytes(self.payload)?.array(self.signatures.len() as u64)?;
                for entry in &self.signatures {
                    out.array(3)?;
                    write_nested(out, |inner| entry.write_protected(inner))?;
                    out.map(0)?.bytes(&entry.signature)?;
                }
            }
        }
        Ok(())
    }

    fn read(input: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        read_array(input, 4)?;
        let protected = input.bytes()?;
        read_empty_map(input)?;
        let payload = input.bytes()?;
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(DecodeError::OverLimit);
        }
        let (form, signatures) = if protected.is_empty() {
            (Form::Several, read_list(input, read_signature)?)
        } else {
            let entry = read_entry(protected, input)?;
            (Form::Single, heapless::Vec::from_iter([entry]))
        };
        Ok(Self { form, payload, signatures })
    }
}

fn read_signature(input: &mut Decoder<'_>) -> Result<SignatureEntry, DecodeError> {
    read_array(input, 3)?;
    let protected = input.bytes()?;
    read_empty_map(input)?;
    read_entry(protected, input)
}

fn read_entry(protected: &[u8], input: &mut Decoder<'_>) -> Result<SignatureEntry, DecodeError> {
    let Protected { algorithm, key } = decode(protected)?;
    Ok(SignatureEntry { algorithm, key, signature: crate::cbor::read_bytes(input)? })
}

fn read_empty_map(input: &mut Decoder<'_>) -> Result<(), DecodeError> {
    (input.map()? == Some(0)).then_some(()).ok_or(DecodeError::Malformed)
}

/// The header that a signature covers: which algorithm, which key.
struct Protected {
    algorithm: Algorithm,
    key: KeyId,
}

impl Wire<'_> for Protected {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        write_protected(self.algorithm, self.key, out)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        const { assert!(size_of::<KeyId>() == 4) }
        if input.map()? != Some(2) || input.u8()? != 1 {
            return Err(DecodeError::Malformed);
        }
        let algorithm = Algorithm::read(input)?;
        if input.u8()? != 4 {
            return Err(DecodeError::Malformed);
        }
        Ok(Self { algorithm, key: KeyId::read(input)? })
    }
}

fn write_protected(algorithm: Algorithm, key: KeyId, out: &mut Out<'_>) -> Result<(), NoRoom> {
    algorithm.write(out.map(2)?.u8(1)?)?;
    key.write(out.u8(4)?)
}

/// Writes what `inner` writes as a byte string.
fn write_nested(
    out: &mut Out<'_>,
    inner: impl FnOnce(&mut Out<'_>) -> Result<(), NoRoom>,
) -> Result<(), NoRoom> {
    let mut buffer = [0; AAD_BYTES_MAX];
    let mut nested = Out::new(Cursor::new(&mut buffer[..]));
    inner(&mut nested)?;
    let used = nested.writer().position();
    out.bytes(buffer.get(..used).ok_or(NoRoom)?)?;
    Ok(())
}

/// The exact bytes that a key signs. Source: RFC 9052 section 4.4.
///
/// # Errors
/// [`NoRoom`] if `buffer` is smaller than the payload and 256 bytes.
pub fn to_be_signed<'a>(
    context: &Context<'_>,
    form: Form,
    signer: (Algorithm, KeyId),
    payload: &[u8],
    buffer: &'a mut [u8],
) -> Result<&'a [u8], NoRoom> {
    let (algorithm, key) = signer;
    let mut out = Out::new(Cursor::new(&mut *buffer));
    match form {
        Form::Single => out.array(4)?.str("Signature1")?,
        Form::Several => out.array(5)?.str("Signature")?.bytes(&[])?,
    };
    write_nested(&mut out, |inner| write_protected(algorithm, key, inner))?;
    write_nested(&mut out, |inner| context.write(inner))?;
    out.bytes(payload)?;
    let used = out.writer().position();
    buffer.get(..used).ok_or(NoRoom)
}

/// Why a payload could not be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The payload or the envelope is over its limit, or the buffer too small.
    #[error("too large for an envelope")]
    TooLarge,
    /// The signer gave no signature.
    #[error("the signer refused")]
    Refused,
}

impl From<NoRoom> for SealError {
    fn from(_: NoRoom) -> Self {
        Self::TooLarge
    }
}

/// Signs `payload` with one key and spells the envelope into `buffer`.
///
/// # Errors
/// See [`SealError`]; the buffer then holds nothing useful.
pub fn seal<'a>(
    context: &Context<'_>,
    form: Form,
    payload: &[u8],
    key: &PublicKey,
    sign: &mut dyn FnMut(&[u8]) -> Option<[u8; SIGNATURE_LEN]>,
    buffer: &'a mut [u8],
) -> Result<&'a [u8], SealError> {
    let mut envelope = Envelope { form, payload, signatures: heapless::Vec::new() };
    add_signature(&mut envelope, context, key, sign)?;
    Ok(crate::cbor::encode(&envelope, buffer)?)
}

/// Adds one more signature to an envelope of form [`Form::Several`], or the first to any.
///
/// # Errors
/// See [`SealError`]; the envelope is then unchanged.
pub fn add_signature(
    envelope: &mut Envelope<'_>,
    context: &Context<'_>,
    key: &PublicKey,
    sign: &mut dyn FnMut(&[u8]) -> Option<[u8; SIGNATURE_LEN]>,
) -> Result<(), SealError> {
    if envelope.payload.len() > PAYLOAD_BYTES_MAX
        || (envelope.form == Form::Single && !envelope.signatures.is_empty())
    {
        return Err(SealError::TooLarge);
    }
    let mut buffer = [0; SIGNED_BYTES_MAX];
    let signer = (key.algorithm, key.id());
    let message = to_be_signed(context, envelope.form, signer, envelope.payload, &mut buffer)?;
    let signature = sign(message).ok_or(SealError::Refused)?;
    let entry = SignatureEntry { algorithm: key.algorithm, key: key.id(), signature };
    envelope.signatures.push(entry).map_err(|_| SealError::TooLarge)
}
