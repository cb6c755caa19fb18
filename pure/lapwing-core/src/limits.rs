//! Every limit of the formats, in one place.
//!
//! Decoders check these before they store anything; encoders cannot exceed them,
//! because the types cannot. `formats/*.cddl` states the same numbers.

/// Longest component name, bytes.
pub const COMPONENT_NAME_BYTES_MAX: usize = 16;
/// Longest version label, bytes.
pub const VERSION_BYTES_MAX: usize = 32;
/// Longest device id, bytes.
pub const DEVICE_ID_BYTES_MAX: usize = 64;
/// Longest build id, bytes.
pub const BUILD_ID_BYTES_MAX: usize = 40;
/// Longest variant name, bytes.
pub const VARIANT_BYTES_MAX: usize = 16;
/// Longest encryption information, bytes.
pub const ENCRYPTION_INFO_BYTES_MAX: usize = 128;
/// Hardware classes one release may name.
pub const HARDWARE_CLASSES_MAX: usize = 8;
/// Version ranges in one list of a release.
pub const VERSION_RANGES_MAX: usize = 4;
/// Other components one release may require.
pub const REQUIRES_MAX: usize = 4;
/// Components one device may have.
pub const COMPONENTS_MAX: usize = 4;
/// Keys in one root document.
pub const ROOT_KEYS_MAX: usize = 16;
/// Keys one role may name.
pub const ROLE_KEYS_MAX: usize = 8;
/// Revoked release keys in one root document.
pub const REVOKED_KEYS_MAX: usize = 8;
/// TLS anchors in one root document, previous ones included.
pub const TLS_ANCHORS_MAX: usize = 8;
/// Online keys in one delegation.
pub const ONLINE_KEYS_MAX: usize = 4;
/// Signatures on one envelope.
pub const SIGNATURES_MAX: usize = 8;
/// Longest window of a delegation, days.
pub const DELEGATION_DAYS_MAX: u32 = 100;
/// Largest payload of a signed object and largest claim, bytes. Verifying needs this much stack and 256 bytes more.
pub const PAYLOAD_BYTES_MAX: usize = 2048;
/// Largest envelope: payload, eight signatures and their headers, bytes.
pub const ENVELOPE_BYTES_MAX: usize = 3072;
/// Largest encoded check-in, bytes.
pub const CHECK_IN_BYTES_MAX: usize = 2048;
/// Largest answer to a check-in: two envelopes and a frame, bytes.
pub const ANSWER_BYTES_MAX: usize = 4096;
/// Facts one device may report beside its hardware class.
pub const FACTS_MAX: usize = 16;
/// Longest name of a fact, bytes.
pub const FACT_NAME_BYTES_MAX: usize = 24;
/// Longest value of a fact, bytes.
pub const FACT_VALUE_BYTES_MAX: usize = 48;
/// Running versions one health summary speaks of.
pub const HEALTH_ROWS_MAX: usize = 4;
/// Gates one check-in may name: a few more than there are, for devices that are newer than their fleet.
pub const GATES_MAX: usize = 16;
/// Events in one report.
pub const REPORT_EVENTS_MAX: usize = 24;
/// Largest encoded report, bytes.
pub const REPORT_BYTES_MAX: usize = 2048;
/// Deepest nesting of arrays and maps.
pub const NESTING_MAX: u8 = 6;
