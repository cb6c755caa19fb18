//! A small server of one artifact on a real socket, for clients of other people.
//!
//! Touches: a UDP socket. It gives without sealing, and so to anybody: for tests on loopback.

use crate::artifact_server::ArtifactServer;
use std::io;
use std::net::UdpSocket;

/// Larger than any request; a longer datagram is cut and then malformed.
const REQUEST_BYTES_MAX: usize = 2048;

/// Answers what comes until the socket fails or an empty datagram comes.
///
/// # Errors
/// When the socket cannot receive. What cannot be sent is the client's to ask for again.
pub fn serve(socket: &UdpSocket, server: &mut ArtifactServer) -> io::Result<()> {
    let mut buffer = [0; REQUEST_BYTES_MAX];
    loop {
        let (len, from) = socket.recv_from(&mut buffer)?;
        if len == 0 {
            return Ok(());
        }
        if let Some(answer) = server.answer_plain(&buffer[..len]) {
            let _ = socket.send_to(&answer, from);
        }
    }
}
