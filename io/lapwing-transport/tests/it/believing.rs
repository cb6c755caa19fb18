//! Which servers are believed: those whose key, or whose authority's key, the root document names.

use crate::server::Network;
use lapwing_core::Digest;
use lapwing_core::trust::TlsAnchor;
use lapwing_transport::client::{ExchangeError, PlainHttp};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, PublicKeyData,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

const URL: &str = "https://fleet.example";

struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Chain {
    fn config(&self, versions: &[&'static rustls::SupportedProtocolVersion]) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.certificates.clone(), key)
            .unwrap();
        Arc::new(config)
    }

    fn own(&self) -> Digest {
        Digest::of(&self.key.subject_public_key_info())
    }
}

/// A certificate for another name that ran out long ago: neither matters.
fn leaf_params(purposes: &[ExtendedKeyUsagePurpose]) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["somebody.else".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(1999, 1, 1), date_time_ymd(2000, 1, 1));
    params.extended_key_usages = purposes.to_vec();
    params
}

fn self_signed() -> Chain {
    let key = KeyPair::generate().unwrap();
    let certificate = leaf_params(&[]).self_signed(&key).unwrap();
    Chain { certificates: vec![certificate.der().clone()], key }
}

/// A leaf under an authority; the authority's key as an anchor would name it.
fn under_authority(purposes: &[ExtendedKeyUsagePurpose]) -> (Chain, Digest) {
    let (authority_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let named = Digest::of(&authority_key.subject_public_key_info());
    let issuer = Issuer::new(params, authority_key);
    let leaf = leaf_params(purposes).signed_by(&key, &issuer).unwrap();
    (Chain { certificates: vec![leaf.der().clone(), authority.der().clone()], key }, named)
}

fn believed(chain: &Chain, anchors: &[TlsAnchor]) -> Result<Vec<u8>, ExchangeError> {
    let answers = [&rustls::version::TLS13, &rustls::version::TLS12].map(|version| {
        let network = Network::default().with(
            URL,
            "HTTP/1.1 200 OK\nContent-Length: 4\n\nroot",
            Some(chain.config(&[version])),
        );
        let answer = network.client(&[URL], PlainHttp::LoopbackOnly).root(anchors, 1);
        assert_eq!(network.heard().len(), usize::from(answer.is_ok()), "a stranger heard the request");
        answer
    });
    let [tls13, tls12] = answers;
    assert_eq!(tls13, tls12);
    tls13
}

#[test]
fn a_server_is_known_by_its_key_whatever_its_certificate_says() {
    let chain = self_signed();
    assert_eq!(believed(&chain, &[TlsAnchor::Server(chain.own())]).unwrap(), b"root");
}

#[test]
fn a_server_with_another_key_is_a_stranger() {
    let chain = self_signed();
    for anchors in
        [vec![], vec![TlsAnchor::Server(self_signed().own())], vec![TlsAnchor::Authority(chain.own())]]
    {
        assert_eq!(believed(&chain, &anchors), Err(ExchangeError::WrongServer));
    }
}

#[test]
fn a_server_is_known_by_the_authority_that_signed_its_certificate() {
    for purposes in [vec![], vec![ExtendedKeyUsagePurpose::ServerAuth]] {
        let (chain, authority) = under_authority(&purposes);
        assert_eq!(believed(&chain, &[TlsAnchor::Authority(authority)]).unwrap(), b"root");
    }
}

#[test]
fn showing_the_authority_s_certificate_is_not_enough() {
    let (genuine, authority) = under_authority(&[]);
    let mut stranger = self_signed();
    stranger.certificates.push(genuine.certificates[1].clone());
    assert_eq!(believed(&stranger, &[TlsAnchor::Authority(authority)]), Err(ExchangeError::WrongServer));
}

#[test]
fn a_device_s_certificate_does_not_make_it_a_server() {
    let (chain, authority) = under_authority(&[ExtendedKeyUsagePurpose::ClientAuth]);
    assert_eq!(believed(&chain, &[TlsAnchor::Authority(authority)]), Err(ExchangeError::WrongServer));
}

#[test]
fn an_authority_that_is_not_shown_is_not_found() {
    let (mut chain, authority) = under_authority(&[]);
    chain.certificates.truncate(1);
    assert_eq!(believed(&chain, &[TlsAnchor::Authority(authority)]), Err(ExchangeError::WrongServer));
}
