//! Thin radio links in virtual time, with the real CoAP machines at both ends.
//!
//! A link carries datagrams as a radio would: slowly, late, sometimes not at all. On it meet a device that
//! fetches and a server that gives, both made of `lapwing-coap`, and models of what others do. One seed
//! gives everything. Never: a wall clock or a socket outside `udp` and `proxy`.

mod numbers;

mod air;
mod link;

mod artifact_server;
mod asker;
mod endpoint;

mod fetching;
mod https;
mod one_at_a_time;

mod outcome;

mod check_in;

mod nonsense;

mod proxy;
pub mod udp;

pub use air::{Air, Awake, Counters};
pub use artifact_server::{ARTIFACT_PATH, ArtifactServer, artifact};
pub use asker::{Asker, Said};
pub use check_in::{CheckIn, check_ins};
pub use fetching::fetch_windowed;
pub use https::fetch_https;
pub use lapwing_coap::MessageId;
pub use link::{Link, Side};
pub use nonsense::nonsense;
pub use numbers::Numbers;
pub use one_at_a_time::fetch_one_at_a_time;
pub use outcome::Outcome;
pub use proxy::Proxy;
