//! What `apply` asks of the world around it: base, artifact, scratch area, target.
//!
//! Touches: nothing but memory; files and flash are behind the implementations of others.
//! Never: keeps the reason of a failure; the adapter behind the port knows it.

/// A port could not do what it was asked; the adapter behind it knows why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the adapter behind the port failed")]
pub struct PortError;

/// The image a delta starts from, read at random.
pub trait Base {
    /// Length of the image.
    fn length_bytes(&self) -> u64;

    /// Fills `out` with the bytes from `offset` on.
    /// # Errors
    /// When not all of them can be read.
    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError>;
}

/// The stored artifact, read once from its start to its end.
pub trait Artifact {
    /// Fills some of `out` with the next bytes and says how many; 0 is the end.
    /// # Errors
    /// When the bytes cannot be read.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, PortError>;
}

/// A place for the decoded map of a delta; its content is of no use afterwards.
pub trait Scratch {
    /// How much fits.
    fn capacity_bytes(&self) -> u64;

    /// Keeps `bytes` from `offset` on. Offsets rise without gaps from 0.
    /// # Errors
    /// When not all of them can be kept.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), PortError>;

    /// Fills `out` with what was kept from `offset` on.
    /// # Errors
    /// When not all of it can be read.
    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError>;
}

/// Where the new image goes, in order.
pub trait Target {
    /// Takes the next bytes of the image.
    /// # Errors
    /// When not all of them can be taken.
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError>;
}

/// All that one `apply` works with.
pub struct Ports<'a> {
    /// The image the delta starts from; [`NoBase`] for a full image.
    pub base: &'a mut dyn Base,
    /// The rest of the artifact, after its header was read.
    pub artifact: &'a mut dyn Artifact,
    /// Where the map goes when it does not fit into the memory given; or [`NoScratch`].
    pub scratch: &'a mut dyn Scratch,
    /// Where the new image goes.
    pub target: &'a mut dyn Target,
}

/// The base of a full image.
#[derive(Debug, Clone, Copy)]
pub struct NoBase;

impl Base for NoBase {
    fn length_bytes(&self) -> u64 {
        0
    }

    fn read_at(&mut self, _offset: u64, out: &mut [u8]) -> Result<(), PortError> {
        if out.is_empty() { Ok(()) } else { Err(PortError) }
    }
}

/// No scratch area: the map has to fit into the memory given.
#[derive(Debug, Clone, Copy)]
pub struct NoScratch;

impl Scratch for NoScratch {
    fn capacity_bytes(&self) -> u64 {
        0
    }

    fn write_at(&mut self, _offset: u64, _bytes: &[u8]) -> Result<(), PortError> {
        Err(PortError)
    }

    fn read_at(&mut self, _offset: u64, _out: &mut [u8]) -> Result<(), PortError> {
        Err(PortError)
    }
}

impl Base for &[u8] {
    fn length_bytes(&self) -> u64 {
        length_bytes(self)
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError> {
        copy_from(self, offset, out)
    }
}

impl Artifact for &[u8] {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, PortError> {
        let (now, later) = self.split_at(self.len().min(out.len()));
        out.get_mut(..now.len()).ok_or(PortError)?.copy_from_slice(now);
        *self = later;
        Ok(now.len())
    }
}

impl Scratch for &mut [u8] {
    fn capacity_bytes(&self) -> u64 {
        length_bytes(self)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), PortError> {
        let start = usize::try_from(offset).map_err(|_| PortError)?;
        let kept = self.get_mut(start..).and_then(|rest| rest.get_mut(..bytes.len()));
        kept.ok_or(PortError)?.copy_from_slice(bytes);
        Ok(())
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError> {
        copy_from(self, offset, out)
    }
}

fn length_bytes(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn copy_from(bytes: &[u8], offset: u64, out: &mut [u8]) -> Result<(), PortError> {
    let start = usize::try_from(offset).map_err(|_| PortError)?;
    let wanted = bytes.get(start..).and_then(|rest| rest.get(..out.len()));
    out.copy_from_slice(wanted.ok_or(PortError)?);
    Ok(())
}
