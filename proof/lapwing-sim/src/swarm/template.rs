//! What the devices of a swarm have in common: a device as `lapwing device provision` made it.
//!
//! Touches: its directory, read only.

use super::library::Bytes;
use lapwing_core::wire::claim::ClaimToken;
use lapwing_core::{ComponentName, DeviceId, Digest, HardwareClass, TrustAnchor, Version};
use lapwing_device::{Identity, Provisioned};
use lapwing_transport::client::ServerUrl;
use serde::Deserialize;
use std::fs;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// A device like many others.
pub(super) struct Template {
    pub(super) server: ServerUrl,
    pub(super) hardware: HardwareClass,
    pub(super) component: ComponentName,
    pub(super) provisioned: Provisioned,
    pub(super) roots: Vec<Vec<u8>>,
    pub(super) delegation: Vec<u8>,
    pub(super) token: ClaimToken,
    pub(super) image: Arc<Bytes>,
}

/// The keys of `agent.toml` that matter here.
#[derive(Deserialize)]
struct AgentToml {
    hardware: String,
    component: String,
    servers: Vec<String>,
    #[serde(default)]
    provisioned: ProvisionedToml,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProvisionedToml {
    version: Option<String>,
    seq: u64,
    security_version: u32,
}

impl Template {
    /// The device in `folder`, asking `server` if that is given.
    pub(super) fn read(folder: &Path, server: Option<&str>) -> Result<Self, String> {
        let bytes = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).map_err(|error| format!("read {}: {error}", path.display()))
        };
        let text = |name: &str| {
            String::from_utf8(bytes(name)?).map_err(|_| format!("{name} in {} is no text", folder.display()))
        };
        let config: AgentToml =
            toml::from_str(&text("agent.toml")?).map_err(|error| format!("read agent.toml: {error}"))?;
        let server = server.or(config.servers.first().map(String::as_str));
        let version = config.provisioned.version.as_deref().unwrap_or("0.0.0");
        let image = bytes("slots/a/image")?;
        let mut roots = vec![bytes("trust/root-1.cbor")?];
        while let Ok(next) = bytes(&format!("trust/root-{}.cbor", roots.len() + 1)) {
            roots.push(next);
        }
        Ok(Self {
            server: parsed("a server", server.unwrap_or_default())?,
            hardware: parsed("a hardware class", &config.hardware)?,
            component: parsed("a component", &config.component)?,
            provisioned: Provisioned {
                version: parsed::<Version>("a version", version)?,
                seq: config.provisioned.seq,
                security_version: config.provisioned.security_version,
            },
            roots,
            delegation: bytes("trust/delegation.cbor")?,
            token: ClaimToken(digits("a claim token", text("claim-token")?.trim())?),
            image: Arc::new(Bytes { digest: Digest::of(&image), bytes: image }),
        })
    }

    /// What such a device believes.
    pub(super) fn anchor(&self) -> Result<TrustAnchor, String> {
        let wrong = |_| "the trust documents do not hold together".to_owned();
        let (first, later) = self.roots.split_first().ok_or("there is no root document")?;
        let mut anchor = TrustAnchor::provisioned(first).map_err(wrong)?;
        for root in later {
            anchor = anchor.advance(root).map_err(wrong)?;
        }
        anchor.delegate(&self.delegation).map_err(wrong)
    }

    pub(super) fn identity(&self, device: DeviceId) -> Identity {
        Identity {
            device,
            hardware: self.hardware,
            bootloader: 0,
            component: self.component.clone(),
            profile: lapwing_delta::Profile::Free as u8,
            slot_bytes_max: u32::MAX.into(),
            provisioned: self.provisioned.clone(),
        }
    }
}

fn parsed<T: FromStr>(what: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is not {what}"))
}

/// 16 bytes as hexadecimal digits.
fn digits(what: &str, text: &str) -> Result<[u8; 16], String> {
    let number = (text.len() == 32).then(|| u128::from_str_radix(text, 16).ok()).flatten();
    number.map(u128::to_be_bytes).ok_or_else(|| format!("{what} has 32 hexadecimal digits"))
}
