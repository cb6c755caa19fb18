//! Why an attempt failed: frozen numbers, each with its blame.
//!
//! Numbers are never reused and never reordered. Blame says whether the failure counts against
//! the image: only then is its seq burnt on the device that saw it. A number that is newer than this code
//! passes through as it came and blames nobody.

/// Whether a failure counts against the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The image is at fault; this device will not take its seq again.
    Image,
    /// Something else is: link, power, disk, window, or a rule that may change.
    None,
}

/// Defines the causes once: number, blame, name, words.
macro_rules! causes {
    ($($code:literal $blame:ident $name:ident $label:literal: $words:literal;)*) => {
        /// Why an attempt failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Cause {
            $(#[doc = $words] $name,)*
            /// One that this code does not know; never the number of one that it does.
            Unknown(u16),
        }

        impl Cause {
            /// All known causes, in order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its frozen number.
            #[must_use]
            pub const fn code(self) -> u16 {
                match self { $(Self::$name => $code,)* Self::Unknown(code) => code }
            }

            /// The cause with this number.
            #[must_use]
            pub const fn from_code(code: u16) -> Self {
                match code { $($code => Self::$name,)* code => Self::Unknown(code) }
            }

            /// Whether it counts against the image.
            #[must_use]
            pub const fn blame(self) -> Blame {
                match self { $(Self::$name => Blame::$blame,)* Self::Unknown(_) => Blame::None }
            }

            /// Its name in logs, metrics and JSON.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* Self::Unknown(_) => "unknown" }
            }

            /// What it means, in words.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                    Self::Unknown(_) => "The device is newer than this program and named a cause it does not know.",
                }
            }
        }
    };
}

causes! {
    1 None LinkDown "link-down": "The server could not be reached before the attempt ended.";
    2 None ServerRefused "server-refused": "The server refused to serve the artifact.";
    10 None TransferDigest "transfer-digest": "The artifact arrived with a wrong digest every time it was fetched.";
    11 None TransferOversize "transfer-oversize": "The offered artifact is larger than the image can justify, or than the budget.";
    20 None OfferUntrusted "offer-untrusted": "The offer's signature was not made by a delegated online key for this device and nonce.";
    21 None OfferStale "offer-stale": "The offer's time is outside the delegation's window or below the device's floor.";
    22 None ReleaseUntrusted "release-untrusted": "Too few release keys signed the release.";
    23 None ReleaseUndecodable "release-undecodable": "The release does not decode, or uses a format this device does not know.";
    24 None ReleaseMismatch "release-mismatch": "The release is not the one that the offer names.";
    25 None ReleaseMissing "release-missing": "The offer came without a release that the device does not hold.";
    26 None HardwareClass "hardware-class": "The release is for other hardware.";
    27 None BootloaderTooOld "bootloader-too-old": "The release needs a newer bootloader.";
    28 None SeqNotNewer "seq-not-newer": "The release's seq is not above what this device confirmed or what failed on it.";
    29 None SecurityVersionTooLow "security-version-too-low": "The release's security version is below the device's floor.";
    30 None NotInstallableFrom "not-installable-from": "The release cannot be installed from the version that runs.";
    31 None DowngradeNotAllowed "downgrade-not-allowed": "The release is a downgrade that its maker did not allow.";
    32 None RequiresUnmet "requires-unmet": "Another component must be updated first.";
    33 None ReleaseExpired "release-expired": "The release may not be installed any more.";
    34 None RootExpired "root-expired": "The root document has expired and no newer one was offered.";
    35 None ImageTooLarge "image-too-large": "The image does not fit the slot.";
    36 None EncryptionUnsupported "encryption-unsupported": "The artifact is encrypted in a way this device cannot undo.";
    37 None ProfileTooLarge "profile-too-large": "Applying the artifact needs more memory than this device has.";
    38 None ComponentUnknown "component-unknown": "The release is for a component this device does not have.";
    39 None BaseUnknown "base-unknown": "The delta needs a base that this device does not run.";
    40 None TrustChain "trust-chain": "A root document or delegation does not follow from the ones held.";
    50 None DeltaUndecodable "delta-undecodable": "The artifact could not be decoded, and neither could the full image.";
    51 None ImageDigest "image-digest": "The decoded image is not the one that was released.";
    52 Image BootChain "boot-chain": "The boot chain would refuse the image.";
    60 None DiskFull "disk-full": "No space was left on the storage.";
    61 None StorageReadOnly "storage-read-only": "The storage does not take writes.";
    62 None StorageFault "storage-fault": "The storage failed while it was read or written.";
    63 None SlotTampered "slot-tampered": "The slot changed between being written and being started.";
    64 None PowerUnstable "power-unstable": "The power was lost too often before the image could show a sign of life.";
    70 Image SilentStarts "silent-starts": "The image was started as often as allowed without showing a sign of life.";
    71 Image TrialStarts "trial-starts": "The image was started as often as a trial allows without proving itself.";
    72 Image NotStartable "not-startable": "The image could not be started at all.";
    73 Image HealthFailed "health-failed": "A health check failed for longer than allowed.";
    74 Image TrialDeadline "trial-deadline": "The trial ended before the image had proven itself.";
    75 Image RebootLoop "reboot-loop": "The device restarted too often in a short time.";
    76 Image WatchdogLoop "watchdog-loop": "The watchdog reset the device too often in a short time.";
    77 None LinkLost "link-lost": "The link was up before the switch and gone after it.";
    78 Image LinkLostByImage "link-lost-by-image": "The link was gone under the new image and came back under the old one.";
    79 None TryNotRecorded "try-not-recorded": "A start could not be recorded, so the old image was started instead.";
    80 None ServerUnreachable "server-unreachable": "No check-in succeeded in the longest trial allowed, although the link was up.";
    90 None Withdrawn "withdrawn": "The fleet withdrew the offer before the switch.";
    91 None Superseded "superseded": "A newer release took its place before the switch.";
    92 None RecordUnreadable "record-unreadable": "The device's record could not be read, so the attempt was given up.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_labels_are_unique_and_rising() {
        assert!(Cause::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
        for cause in Cause::ALL {
            assert_eq!(Cause::from_code(cause.code()), *cause);
            assert_eq!(Cause::ALL.iter().filter(|other| other.label() == cause.label()).count(), 1);
        }
        assert_eq!((Cause::from_code(999).code(), Cause::from_code(999).blame()), (999, Blame::None));
    }
}
