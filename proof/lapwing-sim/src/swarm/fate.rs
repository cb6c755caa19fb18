//! What an image does to a device: it says so itself, and the device's name decides whom it hits.
//!
//! Touches: nothing. The same image does the same to the same device, in every run.

use lapwing_core::{DeviceId, Digest};

/// Looked for in the first bytes of an image.
const MARK: &str = "lapwing-swarm:";
const MARK_WITHIN_BYTES: usize = 4_096;
/// Rates are of so many devices.
const OF: u64 = 1_000;

/// What becomes of a device that starts an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing.
    Good,
    /// Its health check fails.
    Unhealthy,
    /// It ends before it can say anything; the launcher goes back.
    Dies,
    /// It is never heard of again.
    Silent,
}

/// What `image` does to `device`.
pub(super) fn fate(device: &DeviceId, image: &[u8], digest: &Digest) -> Fate {
    let head = String::from_utf8_lossy(image.get(..MARK_WITHIN_BYTES).unwrap_or(image));
    let Some((_, words)) = head.split_once(MARK) else { return Fate::Good };
    let words = words.lines().next().unwrap_or_default();
    let rate = |name: &str| {
        let mut rates = words.split_whitespace().filter_map(|word| word.split_once('='));
        rates.find(|(known, _)| *known == name).and_then(|(_, rate)| rate.parse().ok()).unwrap_or(0_u64)
    };
    let drawn = Digest::of(&[device.as_str().as_bytes(), digest.as_bytes()].concat());
    let [a, b, c, d, ..] = *drawn.as_bytes();
    let drawn = u64::from(u32::from_be_bytes([a, b, c, d])) % OF;
    let mut end = 0;
    for (fate, name) in [(Fate::Unhealthy, "unhealthy"), (Fate::Dies, "dies"), (Fate::Silent, "silent")] {
        end += rate(name);
        if drawn < end {
            return fate;
        }
    }
    Fate::Good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_hits_as_many_as_it_says_and_the_same_each_time() {
        let image = b"\x7fELF lapwing-swarm: unhealthy=100 silent=50\nand so on";
        let digest = Digest::of(image);
        let fates = || {
            (0..10_000).map(|number| {
                let device: DeviceId = format!("swarm-{number:05}").parse().unwrap();
                fate(&device, image, &digest)
            })
        };
        let count = |wanted: Fate| fates().filter(|fate| *fate == wanted).count();
        assert!((900..1_100).contains(&count(Fate::Unhealthy)), "{}", count(Fate::Unhealthy));
        assert!((420..580).contains(&count(Fate::Silent)), "{}", count(Fate::Silent));
        assert_eq!(count(Fate::Dies), 0);
        assert!(fates().eq(fates()));
        let device: DeviceId = "swarm-00001".parse().unwrap();
        assert_eq!(fate(&device, b"an ordinary image", &digest), Fate::Good);
        assert_eq!(fate(&device, b"lapwing-swarm: dies=1000", &digest), Fate::Dies);
        assert_eq!(fate(&device, b"lapwing-swarm: dies=x", &digest), Fate::Good);
    }
}
