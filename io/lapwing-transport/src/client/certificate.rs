//! The few fields of an X.509 certificate that matter without a clock: its key, who signed it,
//! what it is for.
//!
//! Source: RFC 5280 section 4.1; DER as in X.690, lengths up to four bytes.
//! Never: reads names or dates, trusts a field, or panics on one.

/// The fields, as they lie in the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Certificate<'a> {
    /// What was signed.
    pub(super) to_be_signed: &'a [u8],
    /// Content of the signature's algorithm.
    pub(super) signature_algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    /// SubjectPublicKeyInfo, complete: what an anchor is a hash of.
    pub(super) key_info: &'a [u8],
    /// Content of the key's algorithm.
    pub(super) key_algorithm: &'a [u8],
    pub(super) key: &'a [u8],
    /// Content of the list of purposes, if the certificate names any.
    purposes: Option<&'a [u8]>,
}

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// id-ce-extKeyUsage, id-kp-serverAuth, anyExtendedKeyUsage.
const KEY_PURPOSES: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];

impl<'a> Certificate<'a> {
    /// The certificate in these bytes, all of them.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let mut outer = Fields(der);
        let mut fields = Fields(outer.take(SEQUENCE)?.content);
        outer.end()?;
        let to_be_signed = fields.take(SEQUENCE)?;
        let signature_algorithm = fields.take(SEQUENCE)?.content;
        let signature = bits(fields.take(BIT_STRING)?.content)?;
        fields.end()?;

        let mut inner = Fields(to_be_signed.content);
        inner.take_if(VERSION);
        inner.take(INTEGER)?;
        // The signed copy of the algorithm must be the one beside the signature.
        (inner.take(SEQUENCE)?.content == signature_algorithm).then_some(())?;
        for _issuer_validity_subject in 0..3 {
            inner.take(SEQUENCE)?;
        }
        let key_info = inner.take(SEQUENCE)?;
        let mut key_fields = Fields(key_info.content);
        let key_algorithm = key_fields.take(SEQUENCE)?.content;
        let key = bits(key_fields.take(BIT_STRING)?.content)?;
        key_fields.end()?;
        Some(Self {
            to_be_signed: to_be_signed.whole,
            signature_algorithm,
            signature,
            key_info: key_info.whole,
            key_algorithm,
            key,
            purposes: purposes(inner)?,
        })
    }

    /// Whether it may speak for a server: it names no purpose, or that one among others.
    pub(super) fn is_for_servers(&self) -> bool {
        let Some(purposes) = self.purposes else { return true };
        let mut purposes = Fields(purposes);
        core::iter::from_fn(|| purposes.take(OBJECT_ID))
            .any(|purpose| purpose.content == SERVER_AUTH || purpose.content == ANY_PURPOSE)
    }
}

/// The list of purposes among the rest of the signed fields. `None` if those are malformed.
fn purposes(mut rest: Fields<'_>) -> Option<Option<&[u8]>> {
    let mut extensions = loop {
        match rest.0.first() {
            None => return Some(None),
            Some(&EXTENSIONS) => {
                break Fields(Fields(rest.take(EXTENSIONS)?.content).take(SEQUENCE)?.content);
            }
            Some(&tag) => rest.take(tag).map(drop)?,
        }
    };
    let mut found = None;
    while !extensions.0.is_empty() {
        let mut extension = Fields(extensions.take(SEQUENCE)?.content);
        let id = extension.take(OBJECT_ID)?.content;
        extension.take_if(BOOLEAN);
        let value = extension.take(OCTET_STRING)?.content;
        if id == KEY_PURPOSES {
            found = Some(Fields(value).take(SEQUENCE)?.content);
        }
    }
    Some(found)
}

/// The bytes of a bit string that has no half bytes.
fn bits(content: &[u8]) -> Option<&[u8]> {
    match content {
        [0, bytes @ ..] => Some(bytes),
        _ => None,
    }
}

/// One element: with its head, and without.
struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
}

/// Elements one after another.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, tag: u8) -> Option<Element<'a>> {
        let (head, length) = match self.0 {
            [first, short, ..] if *first == tag && *short < 0x80 => (2, usize::from(*short)),
            [first, 0x81, length, ..] if *first == tag => (3, usize::from(*length)),
            [first, 0x82, high, low, ..] if *first == tag => {
                (4, usize::from(u16::from_be_bytes([*high, *low])))
            }
            _ => return None,
        };
        let (whole, rest) = self.0.split_at_checked(head + length)?;
        self.0 = rest;
        Some(Element { whole, content: whole.get(head..)? })
    }

    fn take_if(&mut self, tag: u8) {
        if self.0.first() == Some(&tag) {
            // A malformed element is left in place and fails the next take.
            let _ = self.take(tag);
        }
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, PublicKeyData};

    fn made(purposes: &[ExtendedKeyUsagePurpose]) -> (Vec<u8>, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["server".to_owned()]).unwrap();
        params.extended_key_usages = purposes.to_vec();
        (params.self_signed(&key).unwrap().der().to_vec(), key.subject_public_key_info())
    }

    #[test]
    fn the_key_is_found() {
        let (der, key_info) = made(&[]);
        assert_eq!(Certificate::parse(&der).unwrap().key_info, key_info);
    }

    #[test]
    fn a_certificate_for_clients_does_not_speak_for_a_server() {
        let check = |purposes: &[ExtendedKeyUsagePurpose], expected| {
            let (der, _) = made(purposes);
            assert_eq!(Certificate::parse(&der).unwrap().is_for_servers(), expected, "{purposes:?}");
        };
        check(&[], true);
        check(&[ExtendedKeyUsagePurpose::ClientAuth], false);
        check(&[ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth], true);
        check(&[ExtendedKeyUsagePurpose::Any], true);
    }

    #[test]
    fn cut_or_changed_bytes_never_panic_and_cut_ones_are_refused() {
        let (der, _) = made(&[ExtendedKeyUsagePurpose::ServerAuth]);
        for length in 0..der.len() {
            assert_eq!(Certificate::parse(&der[..length]), None, "{length}");
        }
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 0xff;
            if let Some(certificate) = Certificate::parse(&changed) {
                certificate.is_for_servers();
            }
        }
    }
}
