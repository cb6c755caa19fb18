//! The certificate of the device plane: made at first start and kept, or given.
//!
//! Touches: `rcgen`, `rustls`, `<data>/tls`. Devices know the server by the SHA-256 of its public key,
//! so the dates in the certificate matter to nobody. Never: replaces a key that devices may hold.

use crate::config::{Certificate, Door};
use crate::durable::{read_if_there, write_file};
use lapwing_core::Digest;
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio_rustls::rustls::{self, ServerConfig};

/// Why there is no certificate to show.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("reading or writing {0}")]
    Io(PathBuf, #[source] io::Error),
    /// A certificate could not be made, or a key not understood.
    #[error("making or reading the certificate's key")]
    Key(#[from] rcgen::Error),
    /// Not PEM.
    #[error("reading the certificate")]
    Pem(#[from] pem::Error),
    /// Certificate and key do not go together.
    #[error("using the certificate")]
    Unusable(#[from] rustls::Error),
}

/// What the device plane shows.
pub(crate) struct Identity {
    pub(crate) acceptor: TlsAcceptor,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub(crate) spki: Digest,
}

/// Reads the certificate, or makes one if there is none.
pub(crate) fn identity(door: &Door, dir: &Path) -> Result<Identity, TlsError> {
    let (chain, key) = match &door.certificate {
        Certificate::Given { chain, key } => (read(chain)?, read(key)?),
        Certificate::SelfMade => self_made(&door.names, dir)?,
    };
    let spki = Digest::of(&KeyPair::from_pem(&key)?.subject_public_key_info());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain?, key)?;
    Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)), spki })
}

fn read(path: &Path) -> Result<String, TlsError> {
    std::fs::read_to_string(path).map_err(|error| TlsError::Io(path.to_owned(), error))
}

/// The key is written first: a certificate can be made again from it, a key that devices know cannot.
fn self_made(names: &[String], dir: &Path) -> Result<(String, String), TlsError> {
    let (chain_path, key_path) = (dir.join("certificate.pem"), dir.join("key.pem"));
    let io_error = |path: &Path| {
        let path = path.to_owned();
        move |error| TlsError::Io(path, error)
    };
    std::fs::create_dir_all(dir).map_err(io_error(dir))?;
    let key = match read_if_there(&key_path).map_err(io_error(&key_path))? {
        Some(key) => key,
        None => {
            let key = KeyPair::generate()?.serialize_pem();
            write_file(&key_path, key.as_bytes(), 0o600).map_err(io_error(&key_path))?;
            key
        }
    };
    let chain = match read_if_there(&chain_path).map_err(io_error(&chain_path))? {
        Some(chain) => chain,
        None => {
            let pair = KeyPair::from_pem(&key)?;
            let chain = CertificateParams::new(names)?.self_signed(&pair)?.pem();
            write_file(&chain_path, chain.as_bytes(), 0o644).map_err(io_error(&chain_path))?;
            chain
        }
    };
    Ok((chain, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_certificate_is_made_once_and_keeps_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let door = Config::in_dir(dir.path()).resolve().unwrap().door;
        let first = identity(&door, dir.path()).unwrap().spki;
        std::fs::remove_file(dir.path().join("certificate.pem")).unwrap();
        assert_eq!(identity(&door, dir.path()).unwrap().spki, first);
    }
}
