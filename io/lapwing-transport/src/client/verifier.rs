//! Whether the other end of a TLS channel is one of the servers that the root document names.
//!
//! Dates and names are not looked at: a device has no clock that it may trust, and servers move.
//! What counts is a key: the server's own, or that of the authority that signed its certificate.
//! Touches: `rustls`. Never: knows a certificate store of the system.

use super::certificate::Certificate;
use super::limits::CHAIN_CERTIFICATES_MAX;
use lapwing_core::Digest;
use lapwing_core::trust::TlsAnchor;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, KeyProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::SigningKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::Arc;

/// Checks against anchors.
#[derive(Debug)]
struct AnchorVerifier {
    anchors: Vec<TlsAnchor>,
    provider: Arc<CryptoProvider>,
}

/// A TLS client that believes these anchors and nothing else.
///
/// # Errors
/// When the build of rustls has no protocol version left to speak.
pub(super) fn client_config(anchors: &[TlsAnchor]) -> Result<ClientConfig, Error> {
    let provider =
        Arc::new(CryptoProvider { key_provider: &NoKeys, ..rustls::crypto::ring::default_provider() });
    let verifier = AnchorVerifier { anchors: anchors.to_vec(), provider: provider.clone() };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // Nothing is kept between two exchanges, so there is nothing to resume.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// A device signs nothing in TLS, so the code that could stays out of the program.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("a device has no key of its own".to_owned()))
    }
}

impl AnchorVerifier {
    fn is_anchored(&self, leaf: &Certificate<'_>, chain: &[CertificateDer<'_>]) -> bool {
        let own = Digest::of(leaf.key_info);
        if self.anchors.contains(&TlsAnchor::Server(own)) {
            return true;
        }
        let issuers = chain.iter().take(CHAIN_CERTIFICATES_MAX).filter_map(|der| Certificate::parse(der));
        // Only the certificate right above counts: a longer chain would need to know which of
        // its members may sign others.
        leaf.is_for_servers()
            && issuers
                .filter(|issuer| self.anchors.contains(&TlsAnchor::Authority(Digest::of(issuer.key_info))))
                .any(|issuer| self.is_signed_by(leaf, &issuer))
    }

    fn is_signed_by(&self, leaf: &Certificate<'_>, issuer: &Certificate<'_>) -> bool {
        self.provider.signature_verification_algorithms.all.iter().any(|algorithm| {
            algorithm.public_key_alg_id().as_ref() == issuer.key_algorithm
                && algorithm.signature_alg_id().as_ref() == leaf.signature_algorithm
                && algorithm.verify_signature(issuer.key, leaf.to_be_signed, leaf.signature).is_ok()
        })
    }
}

impl ServerCertVerifier for AnchorVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let leaf = Certificate::parse(end_entity).ok_or(CertificateError::BadEncoding)?;
        if self.is_anchored(&leaf, intermediates) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::UnknownIssuer.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
