//! Keys of a security context, derived from what was provisioned.
//!
//! Touches: HKDF with SHA-256. Never: shows a key. Source: RFC 8613 section 3.2.

use crate::limits::{ID_CONTEXT_BYTES_MAX, KID_BYTES_MAX, MASTER_BYTES_MAX};
use heapless::Vec;
use hkdf::Hkdf;
use sha2::Sha256;

/// COSE number of AES-CCM-16-64-128.
pub(super) const ALGORITHM: u8 = 10;
pub(super) const NONCE_BYTES: usize = 13;
const KEY_BYTES: usize = 16;

/// Id of one side of a context.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kid(Vec<u8, KID_BYTES_MAX>);

/// A value of the context is longer than its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("shorten the ids, salt or secret of the security context")]
pub struct TooLong;

impl Kid {
    /// The id of these bytes.
    ///
    /// # Errors
    /// [`TooLong`] over [`KID_BYTES_MAX`].
    pub fn new(bytes: &[u8]) -> Result<Self, TooLong> {
        Vec::from_slice(bytes).map(Self).map_err(|_| TooLong)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What both sides were provisioned with.
#[derive(Clone, Copy)]
pub struct Master<'a> {
    /// At most [`MASTER_BYTES_MAX`], random.
    pub secret: &'a [u8],
    /// At most [`MASTER_BYTES_MAX`]; may be empty.
    pub salt: &'a [u8],
    /// Tells contexts of one secret apart; a restored server takes a new one.
    pub id_context: IdContext<'a>,
}

/// Whether a context has an id context, and whether requests carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdContext<'a> {
    /// None.
    None,
    /// Both sides know it.
    Known(&'a [u8]),
    /// Requests carry it, because the server may hold another one.
    Announced(&'a [u8]),
}

impl<'a> IdContext<'a> {
    const fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::None => None,
            Self::Known(bytes) | Self::Announced(bytes) => Some(bytes),
        }
    }
}

impl core::fmt::Debug for Master<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Master").field("id_context", &self.id_context).finish_non_exhaustive()
    }
}

/// Derived keys and ids of one side.
#[derive(Clone)]
pub struct Keys {
    pub(super) sender: (Kid, [u8; KEY_BYTES]),
    pub(super) recipient: (Kid, [u8; KEY_BYTES]),
    pub(super) common_iv: [u8; NONCE_BYTES],
    pub(super) announced: Option<Vec<u8, ID_CONTEXT_BYTES_MAX>>,
}

impl core::fmt::Debug for Keys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { sender, recipient, .. } = self;
        f.debug_struct("Keys")
            .field("sender", &sender.0)
            .field("recipient", &recipient.0)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// The keys of the side whose id is `sender`.
    ///
    /// # Errors
    /// [`TooLong`] if a part of `master` is longer than its limit.
    pub fn derive(master: &Master<'_>, sender: Kid, recipient: Kid) -> Result<Self, TooLong> {
        let id_context = master.id_context.bytes();
        if master.secret.len().max(master.salt.len()) > MASTER_BYTES_MAX
            || id_context.is_some_and(|bytes| bytes.len() > ID_CONTEXT_BYTES_MAX)
        {
            return Err(TooLong);
        }
        let hkdf = Hkdf::new(Some(master.salt), master.secret);
        let announced = match master.id_context {
            IdContext::Announced(bytes) => Some(Vec::from_slice(bytes).map_err(|_| TooLong)?),
            IdContext::None | IdContext::Known(_) => None,
        };
        Ok(Self {
            sender: (sender.clone(), expand(&hkdf, &sender, id_context, "Key")?),
            recipient: (recipient.clone(), expand(&hkdf, &recipient, id_context, "Key")?),
            common_iv: expand(&hkdf, &Kid::default(), id_context, "IV")?,
            announced,
        })
    }

    /// The nonce of a message that the owner of `kid` sent under `piv`.
    pub(super) fn nonce(&self, kid: &Kid, piv: &[u8]) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        let put_left_padded = |to: &mut [u8], from: &[u8]| {
            to.iter_mut().rev().zip(from.iter().rev()).for_each(|(to, from)| *to = *from);
        };
        let [size, id_and_piv @ ..] = &mut nonce;
        *size = u8::try_from(kid.0.len()).unwrap_or(0);
        let (id, piv_room) = id_and_piv.split_at_mut(KID_BYTES_MAX);
        put_left_padded(id, &kid.0);
        put_left_padded(piv_room, piv);
        nonce.iter_mut().zip(self.common_iv).for_each(|(to, iv)| *to ^= iv);
        nonce
    }
}

/// One output of the derivation. `L` counts bytes and equals the array's length.
fn expand<const L: usize>(
    hkdf: &Hkdf<Sha256>,
    id: &Kid,
    id_context: Option<&[u8]>,
    what: &str,
) -> Result<[u8; L], TooLong> {
    let mut info = CborArray::<48>::of(5);
    info.bytes(&id.0);
    match id_context {
        None => info.push(&[0xf6]),
        Some(bytes) => info.bytes(bytes),
    }
    info.push(&[ALGORITHM]);
    info.head(0x60, what.len());
    info.push(what.as_bytes());
    info.push(&[u8::try_from(L).unwrap_or(0)]);
    let mut output = [0; L];
    hkdf.expand(&info.0, &mut output).map_err(|_| TooLong)?;
    Ok(output)
}

/// The few bytes of CBOR that OSCORE derives from and authenticates: short arrays of short things.
#[derive(Debug)]
pub(super) struct CborArray<const N: usize>(pub(super) Vec<u8, N>);

impl<const N: usize> CborArray<N> {
    pub(super) fn of(items: u8) -> Self {
        let mut array = Self(Vec::new());
        array.push(&[0x80 | items]);
        array
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.head(0x40, bytes.len());
        self.push(bytes);
    }

    /// Everything here is shorter than 24 bytes, so that a head is one byte.
    pub(super) fn head(&mut self, major: u8, len: usize) {
        self.push(&[major | u8::try_from(len).unwrap_or(0)]);
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        // Sizes are chosen for the longest ids; a test derives with them.
        let fits = self.0.extend_from_slice(bytes);
        debug_assert!(fits.is_ok());
    }
}
