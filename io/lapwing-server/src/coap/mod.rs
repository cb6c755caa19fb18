//! The device plane by datagram: CoAP (RFC 7252) with OSCORE (RFC 8613), the same answers as over HTTPS.
//!
//! Touches: a UDP socket; `device_plane` for every answer. formats/coap.md has the paths.
//! Never: says more to a stranger than he asked, keeps anything of a message that does not open, or sends a
//! packet of more than 1,280 bytes.

mod contexts;
mod reply;

mod bodies;
mod observers;
mod resources;

mod desk;

pub(crate) use contexts::Contexts;
pub(crate) use observers::Observers;

use crate::app::App;
use crate::listen::told_to_stop;
use desk::Desk;
use lapwing_coap::limits::DATAGRAM_BYTES_MAX;
use lapwing_core::DeviceId;
use lapwing_core::wire::claim::DeviceSecret;
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// What a device is given before it first speaks.
pub(crate) struct Provisioned {
    /// How its messages name its context.
    pub(crate) kid: Vec<u8>,
    /// From which both sides derive the keys.
    pub(crate) secret: DeviceSecret,
}

/// Answers what comes, and calls who is to be called, until the server stops; what is being answered then is let go,
/// and asked again elsewhere.
pub(crate) async fn run(
    app: Arc<App>,
    socket: UdpSocket,
    mut called: mpsc::Receiver<DeviceId>,
    mut stop: watch::Receiver<bool>,
) {
    let desk = match Desk::new(app, socket) {
        Ok(desk) => Arc::new(desk),
        Err(error) => return tracing::error!(%error, "no randomness: CoAP is not served"),
    };
    let mut answers = JoinSet::new();
    // One byte more than a datagram may have, so that a longer one is seen to be.
    let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
    loop {
        let received = tokio::select! {
            () = told_to_stop(&mut stop) => return,
            received = desk.receive(&mut buffer) => received,
            Some(device) = called.recv() => {
                if let Some(line) = desk.line() {
                    let desk = Arc::clone(&desk);
                    answers.spawn(async move {
                        desk.call(device).await;
                        drop(line);
                    });
                }
                continue;
            }
        };
        while answers.try_join_next().is_some() {}
        // An error is about a datagram that was sent before: its receiver is gone.
        let Ok((len, from)) = received else { continue };
        let Some(datagram) = buffer.get(..len).filter(|_| len <= DATAGRAM_BYTES_MAX) else { continue };
        if let Some(place) = desk.glance(datagram, from).await {
            let (desk, datagram) = (Arc::clone(&desk), datagram.to_vec());
            answers.spawn(async move {
                desk.serve(datagram, from).await;
                drop(place);
            });
        }
    }
}
