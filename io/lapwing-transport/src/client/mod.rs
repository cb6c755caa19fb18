//! The device's end of HTTP/1.1 and of CoAP: one blocking exchange at a time, no connection kept between two.
//!
//! Touches: `ureq` for the protocol, `rustls` for the channel, [`Dial`] for the bytes; `coap` for datagrams.
//! Never: retries, follows a redirect, or sends a secret where somebody could read it.

pub mod limits;

mod server_url;

mod dial;
mod meter;

mod certificate;
mod verifier;
mod wire_transport;

mod coap;
mod credentials;
mod exchange;

mod artifact;
#[cfg(feature = "mqtt")]
mod mqtt;

pub use artifact::{ArtifactBytes, Piece, Wanted};
pub use coap::{Listening, ReserveNumbers, SecurityContext};
pub use credentials::Credentials;
pub use dial::{Dial, TcpDial, Wire};
pub use exchange::{Client, ClientSettings, ExchangeError};
#[cfg(feature = "mqtt")]
pub use mqtt::{BrokerUrl, ParseBrokerUrlError, Subscription};
pub use server_url::{ParseServerUrlError, PlainHttp, ServerUrl};
