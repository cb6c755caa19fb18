//! One question, one answer: claim, check-in, report, trust documents.
//!
//! Touches: `wire_transport`, `verifier`. The servers of a list are tried in turn, beginning with
//! the one that last answered. Source: RFC 9110, RFC 7617.
//! Never: sends the device's secret over a channel that does not keep it.

use super::artifact::Wanted;
use super::coap::{self, Listening, SecurityContext};
use super::credentials::{Credentials, basic};
use super::dial::Dial;
use super::limits::{BACK_TO_FIRST, HEAD_BYTES_MAX, RETRY_AFTER_MAX};
use super::meter::Meter;
use super::server_url::{PlainHttp, ServerUrl};
use super::verifier::client_config;
use super::wire_transport::{NoResolver, WireConnector};
use lapwing_coap::Code;
use lapwing_core::limits;
use lapwing_core::trust::TlsAnchor;
use std::cell::Cell;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use ureq::http::{HeaderMap, Request, Response, StatusCode, header};
use ureq::{Agent, Body, RequestExt};

const CBOR: &str = "application/cbor";

/// Where to talk, and how long to wait.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Servers, best first.
    pub servers: Vec<ServerUrl>,
    /// Whether plain HTTP may leave this machine.
    pub plain_http: PlainHttp,
    /// Longest wait for a connection, TLS included.
    pub connect_timeout: Duration,
    /// Longest silence in the middle of a transfer.
    pub stall_timeout: Duration,
    /// Longest exchange of anything but an artifact.
    pub exchange_timeout: Duration,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// No connection, or it ended early.
    #[error("the connection failed: {0}")]
    Connection(io::ErrorKind),
    /// The other end is none of the servers that the root document names.
    #[error("the server is none that the root document names")]
    WrongServer,
    /// Silence.
    #[error("the server did not answer in time")]
    Timeout,
    /// The answer is not HTTP, or not the answer to this question.
    #[error("the answer makes no sense")]
    Nonsense,
    /// The server is there and cannot answer now.
    #[error("the server answered {status}")]
    Busy {
        /// The status.
        status: u16,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The server answered and refused.
    #[error("the server refused with {status}")]
    Refused {
        /// The status.
        status: u16,
    },
    /// The channel would give the secret away, or plain HTTP is not allowed to this host, or CoAP without a context.
    #[error("the address is not https and not on this machine, or CoAP without a security context")]
    Insecure,
    /// Sequence numbers could not be reserved.
    #[error("the numbers of the security context cannot be kept: {0}")]
    Numbers(io::ErrorKind),
}

impl ExchangeError {
    /// How long the server asked to be left alone, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the server heard the question and will answer the same next time.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Insecure)
    }
}

/// The device's end of the device plane. Holds no connection and no buffer between two calls.
#[derive(Debug)]
pub struct Client {
    settings: ClientSettings,
    dial: Arc<dyn Dial>,
    context: Option<Arc<Mutex<SecurityContext>>>,
    pub(super) meter: Meter,
    /// Which server, and when it was taken instead of the first.
    answered_last: Cell<(usize, Instant)>,
}

/// A message of the device plane, as both ways spell it.
#[derive(Clone, Copy)]
struct Message<'a> {
    /// Over HTTP, and over CoAP.
    paths: (&'a str, &'a [&'a str]),
    body: Option<&'a [u8]>,
    secrecy: Secrecy<'a>,
    /// Longest answer.
    bytes_max: usize,
}

/// Whether a question carries the device's secret.
#[derive(Clone, Copy)]
pub(super) enum Secrecy<'a> {
    /// In its body.
    Inside,
    /// As credentials.
    With(&'a Credentials),
    /// Not at all.
    Open,
}

/// One question.
pub(super) struct Question<'a> {
    pub(super) path: String,
    pub(super) body: Option<&'a [u8]>,
    pub(super) secrecy: Secrecy<'a>,
    /// Further headers.
    pub(super) headers: HeaderMap,
    /// Longest time for all of it, unless it is a transfer.
    pub(super) timeout: Option<Duration>,
}

impl Client {
    /// A client for these servers.
    #[must_use]
    pub fn new(settings: ClientSettings, dial: Arc<dyn Dial>) -> Self {
        let (meter, answered_last) = (Meter::new(), Cell::new((0, Instant::now())));
        Self { settings, dial, context: None, meter, answered_last }
    }

    /// Talks CoAP in this context; without one, servers that are asked by CoAP are passed over.
    #[must_use]
    pub fn with_context(self, context: SecurityContext) -> Self {
        let context = context.counted(self.meter.clone());
        Self { context: Some(Arc::new(Mutex::new(context))), ..self }
    }

    /// Bytes that have crossed the link for this client, at the IP layer, both ways; of TCP, what it adds is estimated
    /// from above.
    #[must_use]
    pub fn crossed_bytes(&self) -> u64 {
        self.meter.crossed_bytes()
    }

    /// Lets artifacts cost so many bytes, counted in the same way, and come for so long from now on, and no further then.
    pub fn allow(&self, bytes: u64, ms: u64) {
        self.meter.allow(bytes, ms);
    }

    /// Whether they may come no further some time.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.meter.is_limited()
    }

    /// Sends a claim. The same one may be sent again. It goes by HTTP only.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn claim(&self, anchors: &[TlsAnchor], claim: &[u8]) -> Result<(), ExchangeError> {
        self.message(anchors, ("/v1/claim", &[]), claim, Secrecy::Inside).map(drop)
    }

    /// Sends a check-in and gives its answer.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn check_in(
        &self,
        anchors: &[TlsAnchor],
        who: &Credentials,
        check_in: &[u8],
    ) -> Result<Vec<u8>, ExchangeError> {
        self.message(anchors, ("/v1/check-in", &[]), check_in, Secrecy::With(who))
    }

    /// Sends a report.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn report(
        &self,
        anchors: &[TlsAnchor],
        who: &Credentials,
        report: &[u8],
    ) -> Result<(), ExchangeError> {
        self.message(anchors, ("/v1/report", &["r"]), report, Secrecy::With(who)).map(drop)
    }

    /// Fetches the root document of this version.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn root(&self, anchors: &[TlsAnchor], version: u32) -> Result<Vec<u8>, ExchangeError> {
        let (path, version) = (format!("/v1/trust/root/{version}"), version.to_string());
        self.trust_document(anchors, (&path, &["t", &version]))
    }

    /// Fetches the newest delegation.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn delegation(&self, anchors: &[TlsAnchor]) -> Result<Vec<u8>, ExchangeError> {
        self.trust_document(anchors, ("/v1/trust/delegation", &["t", "d"]))
    }

    fn message(
        &self,
        anchors: &[TlsAnchor],
        paths: (&str, &[&str]),
        body: &[u8],
        secrecy: Secrecy<'_>,
    ) -> Result<Vec<u8>, ExchangeError> {
        let bytes_max = limits::ANSWER_BYTES_MAX;
        self.ask(anchors, &Message { paths, body: Some(body), secrecy, bytes_max })
    }

    fn trust_document(
        &self,
        anchors: &[TlsAnchor],
        paths: (&str, &[&str]),
    ) -> Result<Vec<u8>, ExchangeError> {
        let bytes_max = limits::ENVELOPE_BYTES_MAX;
        self.ask(anchors, &Message { paths, body: None, secrecy: Secrecy::Open, bytes_max })
    }

    /// The whole answer to a message, by whatever way the servers are asked.
    fn ask(&self, anchors: &[TlsAnchor], message: &Message<'_>) -> Result<Vec<u8>, ExchangeError> {
        let Message { paths: (path, coap_path), body, secrecy, bytes_max } = *message;
        let timeout = self.settings.exchange_timeout;
        self.in_turn(|server| {
            if !server.is_coap() {
                let (path, timeout, headers) = (path.to_owned(), Some(timeout), HeaderMap::new());
                let question = Question { path, body, secrecy, headers, timeout };
                return bounded(self.ask_server(server, anchors, &question)?, bytes_max);
            }
            let context = self.context.as_ref().filter(|_| !matches!(secrecy, Secrecy::Inside));
            let mut context =
                context.ok_or(ExchangeError::Insecure)?.lock().unwrap_or_else(PoisonError::into_inner);
            let code = if body.is_some() { Code::POST } else { Code::GET };
            let body = body.unwrap_or_default();
            let question = coap::Ask { code, path: coap_path, wish: None, body, bytes_max, timeout };
            coap::ask(&mut context, server, &question)
        })
    }

    /// Has the first server that is asked by CoAP call this device when it should check in.
    ///
    /// # Errors
    /// See [`ExchangeError`]; [`ExchangeError::Insecure`] without such a server, or without a context.
    pub fn listen(&self) -> Result<Listening, ExchangeError> {
        let context = self.context.as_ref().ok_or(ExchangeError::Insecure)?;
        let mut failure = ExchangeError::Insecure;
        for server in self.settings.servers.iter().filter(|server| server.is_coap()) {
            match Listening::begin(context, server, self.settings.exchange_timeout) {
                Ok(listening) => return Ok(listening),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Waits at a broker for calls to this device. `login` is `user:password`, if the broker wants one.
    ///
    /// # Errors
    /// See [`ExchangeError`]; a login that is not taken is [`ExchangeError::Refused`].
    #[cfg(feature = "mqtt")]
    pub fn subscribe(
        &self,
        broker: &super::BrokerUrl,
        device: &lapwing_core::DeviceId,
        login: Option<&str>,
        anchors: &[TlsAnchor],
    ) -> Result<super::Subscription, ExchangeError> {
        let how = (self.settings.connect_timeout, &self.meter);
        super::Subscription::begin(broker, device, login, anchors, how)
    }

    /// A transfer by CoAP, if this server is asked that way.
    pub(super) fn fetching(
        &self,
        server: &ServerUrl,
        wanted: &Wanted<'_>,
    ) -> Result<coap::Fetching, ExchangeError> {
        let context = self.context.as_ref().ok_or(ExchangeError::Insecure)?;
        coap::Fetching::begin(context, server, wanted, self.settings.stall_timeout)
    }

    /// The server that was asked last brings nothing: the one behind it is asked first from now on.
    pub fn pass_over(&self) {
        let (last, _) = self.answered_last.get();
        self.answered_last.set(((last + 1) % self.settings.servers.len().max(1), Instant::now()));
    }

    /// The first answer that is one, from the servers in turn.
    pub(super) fn in_turn<T>(
        &self,
        ask: impl Fn(&ServerUrl) -> Result<T, ExchangeError>,
    ) -> Result<T, ExchangeError> {
        let servers = &self.settings.servers;
        let (last, since) = self.answered_last.get();
        let first = if since.elapsed() < BACK_TO_FIRST { last } else { 0 };
        let mut failure = ExchangeError::Insecure;
        for turn in 0..servers.len() {
            let at = (first + turn) % servers.len();
            let Some(server) = servers.get(at) else { break };
            match ask(server) {
                Err(error) if !error.is_refusal() || error == ExchangeError::Insecure => failure = error,
                outcome => {
                    if at != last || first != last {
                        self.answered_last.set((at, Instant::now()));
                    }
                    return outcome;
                }
            }
        }
        Err(failure)
    }

    pub(super) fn ask_server(
        &self,
        server: &ServerUrl,
        anchors: &[TlsAnchor],
        question: &Question<'_>,
    ) -> Result<Response<Body>, ExchangeError> {
        let secret = matches!(question.secrecy, Secrecy::Inside);
        if !server.is_allowed(self.settings.plain_http) || (secret && !server.keeps_secrets()) {
            return Err(ExchangeError::Insecure);
        }
        let mut request = Request::builder().uri(format!("{server}{}", question.path));
        if let Secrecy::With(who) = question.secrecy
            && server.keeps_secrets()
        {
            request = request.header(header::AUTHORIZATION, basic(who));
        }
        if let Some(headers) = request.headers_mut() {
            headers.extend(question.headers.clone());
        }
        let agent = self.agent(server, anchors, question.timeout)?;
        let response = match question.body {
            Some(body) => {
                let request = request.method("POST").header(header::CONTENT_TYPE, CBOR).body(body);
                request.map(|request| request.with_agent(&agent).run())
            }
            None => request.body(()).map(|request| request.with_agent(&agent).run()),
        };
        judge(response.map_err(|_| ExchangeError::Nonsense)?.map_err(why)?)
    }

    /// Made for one question and dropped with its answer: an idle device holds nothing of it.
    fn agent(
        &self,
        server: &ServerUrl,
        anchors: &[TlsAnchor],
        timeout: Option<Duration>,
    ) -> Result<Agent, ExchangeError> {
        let ClientSettings { connect_timeout, stall_timeout, .. } = self.settings;
        let tls = match server.is_tls() {
            true => Some(Arc::new(client_config(anchors).map_err(|_| ExchangeError::WrongServer)?)),
            false => None,
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .accept(CBOR)
            .user_agent(concat!("lapwing/", env!("CARGO_PKG_VERSION")))
            .max_response_header_size(HEAD_BYTES_MAX)
            .max_idle_connections(0)
            .max_idle_connections_per_host(0)
            .timeout_connect(Some(connect_timeout))
            .timeout_per_read(Some(stall_timeout))
            .timeout_per_write(Some(stall_timeout))
            .timeout_global(timeout)
            .build();
        let (dial, meter) = (self.dial.clone(), self.meter.clone());
        let connector = WireConnector { dial, server: server.clone(), tls, meter };
        Ok(Agent::with_parts(config, connector, NoResolver))
    }
}

/// Sorts statuses: an answer, come back later, or no.
fn judge(response: Response<Body>) -> Result<Response<Body>, ExchangeError> {
    let status = response.status();
    let later = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    if status.is_success() {
        Ok(response)
    } else if later {
        let retry_after = retry_after(response.headers());
        Err(ExchangeError::Busy { status: status.as_u16(), retry_after })
    } else {
        Err(ExchangeError::Refused { status: status.as_u16() })
    }
}

/// Seconds only: the other form is a date, and a device has no clock to hold against it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

/// The whole body, if it is no longer than it may be.
fn bounded(mut response: Response<Body>, bytes_max: usize) -> Result<Vec<u8>, ExchangeError> {
    let body = response.body_mut().with_config().limit(bytes_max as u64 + 1).read_to_vec().map_err(why)?;
    if body.len() > bytes_max { Err(ExchangeError::Nonsense) } else { Ok(body) }
}

/// What an error of the protocol means here.
pub(super) fn why(error: ureq::Error) -> ExchangeError {
    match error {
        ureq::Error::Io(error) => why_io(&error),
        ureq::Error::Timeout(_) => ExchangeError::Timeout,
        _ => ExchangeError::Nonsense,
    }
}

pub(super) fn why_io(error: &io::Error) -> ExchangeError {
    let inner = error.get_ref();
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return match error {
            rustls::Error::InvalidCertificate(_) => ExchangeError::WrongServer,
            _ => ExchangeError::Connection(io::ErrorKind::InvalidData),
        };
    }
    match inner.and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        Some(ureq::Error::Timeout(_)) => ExchangeError::Timeout,
        _ => ExchangeError::Connection(error.kind()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_in_seconds_is_obeyed_up_to_a_day_and_a_date_is_not_read() {
        let check = |text: &str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            assert_eq!(retry_after(&headers), expected, "{text}");
        };
        check("7", Some(Duration::from_secs(7)));
        check("99999999999", Some(RETRY_AFTER_MAX));
        check("Fri, 31 Dec 1999 23:59:59 GMT", None);
    }
}
