//! A small HTTP client that can also misbehave.
//!
//! Touches: one connection a request, so that nothing is hidden by reuse.

use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

/// What came back.
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// Asserts the status, and that an error speaks problem+json.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, String::from_utf8_lossy(&self.body));
        if status >= 400 {
            assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.head);
            assert_eq!(self.json()["status"], status);
        }
        self
    }
}

impl Response {
    /// Asserts the status of an answer that is no problem, whatever its status.
    #[track_caller]
    pub(crate) fn expect_plain(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.head);
        self
    }
}

/// One request.
pub(crate) struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// States a longer body than is sent, then ends.
    pub(crate) missing_bytes: usize,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: Vec::new(), missing_bytes: 0 }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: localhost\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let length = self.body.len() + self.missing_bytes;
        head += &format!("Content-Length: {length}\r\nConnection: close\r\n\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(&self.body);
        bytes
    }

    /// Sends it in the clear.
    pub(crate) async fn plain(self, to: SocketAddr) -> Response {
        let stream = TcpStream::connect(to).await.unwrap();
        self.exchange(stream).await
    }

    /// Sends it over TLS, trusting only this certificate.
    pub(crate) async fn tls(self, to: SocketAddr, certificate: &[u8]) -> Response {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(certificate).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(to).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        self.exchange(stream).await
    }

    async fn exchange(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Response {
        stream.write_all(&self.bytes()).await.unwrap();
        stream.flush().await.unwrap();
        if self.missing_bytes > 0 {
            drop(stream.shutdown().await);
        }
        let mut bytes = Vec::new();
        // A server that refuses early may reset the rest of the connection.
        drop(stream.read_to_end(&mut bytes).await);
        parse(&bytes)
    }
}

fn parse(bytes: &[u8]) -> Response {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = bytes[end + 4..].to_vec();
    let response = Response { status, head, body };
    assert_eq!(response.header("transfer-encoding"), None, "bodies have a length");
    response
}
