//! The device plane: what a device and its fleet say to each other.
//!
//! One room a message. The same bytes travel over HTTP and CoAP. Source: `formats/device-plane.cddl`.

pub mod answer;
pub mod cause;
pub mod check_in;
pub mod claim;
pub mod report;
