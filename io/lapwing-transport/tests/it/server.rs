//! A server at the other end of a wire in memory: fixed answers, and TLS if it has a key.
//!
//! Touches: memory. Never: blocks; what it has to say it says at once.

use lapwing_core::wire::claim::DeviceSecret;
use lapwing_transport::client::{Client, ClientSettings, Credentials, Dial, PlainHttp, ServerUrl, Wire};
use rustls::{ServerConfig, ServerConnection};
use std::collections::HashMap;
use std::fmt;
use std::io::{ErrorKind, Read, Result, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Servers by their addresses, and what they heard.
#[derive(Clone, Default)]
pub(crate) struct Network(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    servers: HashMap<String, Server>,
    heard: Vec<(String, String)>,
}

/// What one server says to everything.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) answer: Vec<u8>,
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

impl Network {
    /// Puts a server there.
    pub(crate) fn with(self, url: &str, answer: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let server = Server { answer: answer.replace('\n', "\r\n").into_bytes(), tls };
        self.0.lock().unwrap().servers.insert(url.parse::<ServerUrl>().unwrap().to_string(), server);
        self
    }

    /// Requests that arrived, each with the server that got it.
    pub(crate) fn heard(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().heard.clone()
    }

    /// A client that knows these servers.
    pub(crate) fn client(&self, urls: &[&str], plain_http: PlainHttp) -> Client {
        let settings = ClientSettings {
            servers: urls.iter().map(|url| url.parse().unwrap()).collect(),
            plain_http,
            connect_timeout: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(5),
            exchange_timeout: Duration::from_secs(5),
        };
        Client::new(settings, Arc::new(self.clone()))
    }
}

pub(crate) fn who() -> Credentials {
    Credentials { device: "sensor-1".parse().unwrap(), secret: DeviceSecret([0xab; 32]) }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

impl Dial for Network {
    fn dial(&self, server: &ServerUrl, _: Duration) -> Result<Box<dyn Wire>> {
        let name = server.to_string();
        let found = self.0.lock().unwrap().servers.get(&name).cloned().ok_or(ErrorKind::ConnectionRefused)?;
        let tls = found.tls.clone().map(|config| ServerConnection::new(config).unwrap());
        let connection = Connection {
            network: self.clone(),
            name,
            server: found,
            tls,
            asked: Vec::new(),
            said: Vec::new(),
        };
        Ok(Box::new(connection))
    }
}

struct Connection {
    network: Network,
    name: String,
    server: Server,
    tls: Option<ServerConnection>,
    asked: Vec<u8>,
    said: Vec<u8>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl Connection {
    /// Answers once the request is whole.
    fn hear(&mut self, plain: &[u8]) -> Option<Vec<u8>> {
        self.asked.extend(plain);
        let text = String::from_utf8_lossy(&self.asked).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() < length.map_or(0, |length| length.parse().unwrap()) {
            return None;
        }
        self.asked.clear();
        self.network.0.lock().unwrap().heard.push((self.name.clone(), text));
        Some(self.server.answer.clone())
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let Some(mut tls) = self.tls.take() else {
            let answer = self.hear(bytes).unwrap_or_default();
            self.said.extend(answer);
            return Ok(bytes.len());
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            tls.read_tls(&mut rest)?;
            if let Err(error) = tls.process_new_packets() {
                // What a server that dislikes its client does: it says so and closes.
                let _ = tls.write_tls(&mut self.said);
                self.tls = Some(tls);
                return Err(std::io::Error::other(error));
            }
            let mut plain = Vec::new();
            let _ = tls.reader().read_to_end(&mut plain);
            if let Some(answer) = self.hear(&plain) {
                tls.writer().write_all(&answer)?;
            }
        }
        while tls.wants_write() {
            tls.write_tls(&mut self.said)?;
        }
        self.tls = Some(tls);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Read for Connection {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let length = out.len().min(self.said.len());
        for (byte, said) in out.iter_mut().zip(self.said.drain(..length)) {
            *byte = said;
        }
        Ok(length)
    }
}

impl Wire for Connection {
    fn set_timeout(&mut self, _: Option<Duration>) -> Result<()> {
        Ok(())
    }
}
