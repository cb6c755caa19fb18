//! First contact: a device makes its own secret, then claims its place with a token.
//!
//! The same claim again succeeds, another secret for the same id goes to quarantine; the server
//! decides that. Never: travels over a channel that does not authenticate the server.

use crate::cbor::{DecodeError, NoRoom, Out, Wire, read_array, read_bytes};
use crate::id::DeviceId;
use crate::wire::check_in::Facts;
use core::fmt;
use minicbor::Decoder;

/// 256 bits that only a device and, hashed, its server know.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceSecret(pub [u8; 32]);

impl fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceSecret(..)")
    }
}

/// What provisioning wrote beside the root document, good for a counted number of claims.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimToken(pub [u8; 16]);

impl fmt::Debug for ClaimToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimToken(..)")
    }
}

/// "I am this device, this is my secret, I was provisioned by you."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim<'b> {
    /// Who claims.
    pub device: DeviceId,
    /// With which token.
    pub token: ClaimToken,
    /// The secret that the device made and already stored.
    pub secret: DeviceSecret,
    /// What it is.
    pub facts: Facts<'b>,
}

impl<'b> Wire<'b> for Claim<'b> {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        self.device.write(out.array(5)?.u64(super::check_in::PROTOCOL)?)?;
        out.bytes(&self.token.0)?.bytes(&self.secret.0)?;
        self.facts.write(out)
    }

    fn read(input: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        read_array(input, 5)?;
        match input.u64()? {
            super::check_in::PROTOCOL => {}
            other => return Err(DecodeError::UnknownVersion(other)),
        }
        Ok(Self {
            device: DeviceId::read(input)?,
            token: ClaimToken(read_bytes(input)?),
            secret: DeviceSecret(read_bytes(input)?),
            facts: Facts::read(input)?,
        })
    }
}
