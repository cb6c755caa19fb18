//! One attack: how it is written down, and how it is tried from what was written down.
//!
//! Touches: `formats/vectors`. A case says everything a verifier in another language needs.

use crate::fleet::{NONCE, device};
use crate::kept;
use lapwing_core::cbor::decode;
use lapwing_core::wire::answer::Answer;
use lapwing_core::wire::check_in::CheckIn;
use lapwing_core::wire::claim::Claim;
use lapwing_core::wire::report::Report;
use lapwing_core::{DecodeError, OpenError, TrustAnchor};
use std::collections::BTreeMap;

/// Bytes that must be refused.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    story: &'static str,
    open: &'static str,
    root: &'static str,
    delegation: &'static str,
    pub(crate) bytes: Vec<u8>,
    expected: OpenError,
}

/// An attack on a device that holds the small root and delegation.
pub(crate) fn attack(
    name: &'static str,
    story: &'static str,
    open: &'static str,
    bytes: Vec<u8>,
    expected: impl Into<OpenError>,
) -> Attack {
    let (root, delegation) = ("root/small", "delegation/small");
    Attack { name, story, open, root, delegation, bytes, expected: expected.into() }
}

impl Attack {
    /// The same, on a device that holds this root and no delegation.
    pub(crate) fn under(self, root: &'static str) -> Self {
        Self { root, delegation: "none", ..self }
    }

    /// The same, on a device that holds this delegation.
    pub(crate) fn with(self, delegation: &'static str) -> Self {
        Self { delegation, ..self }
    }

    pub(crate) fn case(&self) -> String {
        let Self { story, open, root, delegation, expected, .. } = self;
        let asked = format!("device: {}\nnonce: {NONCE}", device());
        format!(
            "# {story}\nopen: {open}\nroot: {root}\ndelegation: {delegation}\n{asked}\nrefused: {expected:?}\n"
        )
    }
}

/// A case as it stands in its folder.
pub(crate) struct Case {
    lines: BTreeMap<String, String>,
    bytes: Vec<u8>,
    pub(crate) expected: String,
}

impl Case {
    pub(crate) fn read(name: &str) -> Self {
        let text = String::from_utf8(kept::read(&format!("hostile/{name}/case.txt"))).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let lines: BTreeMap<String, String> =
            lines.map(|line| line.split_once(": ").unwrap()).map(|(k, v)| (k.into(), v.into())).collect();
        let expected = lines["refused"].clone();
        Self { lines, bytes: kept::read(&format!("hostile/{name}/object.cbor")), expected }
    }

    /// The anchor of the device that is attacked.
    fn anchor(&self) -> TrustAnchor {
        let held = |what: &str| kept::read(&format!("{}.cbor", self.lines[what]));
        let anchor = TrustAnchor::provisioned(&held("root")).unwrap();
        match self.lines["delegation"].as_str() {
            "none" => anchor,
            _ => anchor.delegate(&held("delegation")).unwrap(),
        }
    }

    /// The error that opening gives, by its name.
    pub(crate) fn open(&self) -> String {
        let bytes = &self.bytes;
        let device = self.lines["device"].parse().unwrap();
        let nonce = self.lines["nonce"].parse().unwrap();
        let plain = |result: Result<(), DecodeError>| result.map_err(OpenError::Decode);
        let result = match self.lines["open"].as_str() {
            "provisioned root" => TrustAnchor::provisioned(bytes).map(drop),
            "next root" => self.anchor().advance(bytes).map(drop),
            "delegation" => self.anchor().delegate(bytes).map(drop),
            "release" => self.anchor().open_release(bytes).map(drop),
            "status" => self.anchor().open_status(bytes, &device, nonce).map(drop),
            "offer" => self.anchor().open_offer(bytes, &device, nonce).map(drop),
            "answer" => plain(decode::<Answer<'_>>(bytes).map(drop)),
            "check-in" => plain(decode::<CheckIn<'_>>(bytes).map(drop)),
            "report" => plain(decode::<Report>(bytes).map(drop)),
            "claim" => plain(decode::<Claim<'_>>(bytes).map(drop)),
            other => panic!("a case that opens {other}"),
        };
        result.map_or_else(|error| format!("{error:?}"), |()| "believed".into())
    }
}
