//! `agent.sock`: how `lapwing-agent status` and `trigger` reach a running agent.
//!
//! One short request a connection, served between two steps of the loop. Touches: a Unix socket in
//! the device directory, whose permissions say who may ask.
//! Never: waits for a client longer than a moment, or takes more than a few bytes from it.

use crate::config::DEFAULT_CONFIG_NAME;
use crate::device_dir::DeviceDir;
use crate::limits::{CONTROL_REQUEST_BYTES_MAX, CONTROL_TIMEOUT_MS};
use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

/// The listening end.
#[derive(Debug)]
pub(crate) struct Control(UnixListener);

/// What a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Status,
    Trigger,
}

/// Why the agent could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No agent runs there.
    #[error("no agent answers in this device directory (is there an {DEFAULT_CONFIG_NAME}?)")]
    NotRunning(#[source] io::Error),
    /// It did not answer.
    #[error("the agent did not answer")]
    NoAnswer(#[source] io::Error),
}

impl Control {
    /// Listens. The caller holds the mark that it is the only agent here, so what lies there is old.
    pub(crate) fn listen(dir: &DeviceDir) -> io::Result<Self> {
        let path = dir.control_socket();
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Can be read when a client is there.
    pub(crate) fn clients(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// The next client's request, and the way to answer it.
    pub(crate) fn next(&self) -> Option<(Request, UnixStream)> {
        let (stream, _) = self.0.accept().ok()?;
        receive(stream).inspect_err(|error| log::debug!("failed to serve a client: {error}")).ok()
    }
}

/// Sends an answer; a client that does not take it is its own fault.
pub(crate) fn answer(mut client: UnixStream, text: &str) {
    if let Err(error) = client.write_all(text.as_bytes()).and_then(|()| client.write_all(b"\n")) {
        log::debug!("failed to answer a client: {error}");
    }
}

fn receive(mut stream: UnixStream) -> io::Result<(Request, UnixStream)> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_millis(CONTROL_TIMEOUT_MS)))?;
    stream.set_write_timeout(Some(Duration::from_millis(CONTROL_TIMEOUT_MS)))?;
    let mut request = [0; CONTROL_REQUEST_BYTES_MAX];
    let length = stream.read(&mut request)?;
    match request.get(..length) {
        Some(b"status\n") => Ok((Request::Status, stream)),
        Some(b"trigger\n") => Ok((Request::Trigger, stream)),
        _ => {
            stream.write_all(b"unknown request\n")?;
            Err(io::ErrorKind::InvalidData.into())
        }
    }
}

/// The status of the agent that runs in this device directory, as JSON.
///
/// # Errors
/// See [`ControlError`].
pub fn ask_status(device_dir: &Path) -> Result<String, ControlError> {
    ask(device_dir, "status\n")
}

/// Has the agent that runs in this device directory check in at once.
///
/// # Errors
/// See [`ControlError`].
pub fn ask_trigger(device_dir: &Path) -> Result<(), ControlError> {
    ask(device_dir, "trigger\n").map(drop)
}

fn ask(device_dir: &Path, request: &str) -> Result<String, ControlError> {
    const PATIENCE: Duration = Duration::from_secs(60);
    let path = DeviceDir::new(device_dir.to_owned()).control_socket();
    let mut stream = UnixStream::connect(path).map_err(ControlError::NotRunning)?;
    let mut exchange = || {
        // The agent may be in the middle of an exchange with its server.
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.trim_end().to_owned())
    };
    exchange().map_err(ControlError::NoAnswer)
}
