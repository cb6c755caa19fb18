//! One datagram in, at most one out; and calls, each sent until its device has it.
//!
//! Touches: the socket, contexts, what was answered lately. Sealed requests are a device's; the others get trust
//! documents and nothing else. Never: acts on a message twice, or answers what does not open.

use super::contexts::Live;
use super::observers::Observer;
use super::reply::Reply;
use super::resources::Resources;
use crate::app::App;
use crate::limits::{COAP_AT_ONCE_MAX, COAP_CALL_TIMER_MS, COAP_CALLS_AT_ONCE_MAX, COAP_RECENT_MAX};
use lapwing_coap::limits::DATAGRAM_BYTES_MAX;
use lapwing_coap::oscore::{Freshness, Header, Opened, Verdict};
use lapwing_coap::{
    Code, EchoKey, Entry, Estimator, Exchange, Kind, Message, MessageId, OptionNumber, Peer, Recent, Turn,
    empty, reset_for,
};
use lapwing_core::{DeviceId, Uptime};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Where datagrams are answered.
pub(super) struct Desk {
    app: Arc<App>,
    socket: UdpSocket,
    resources: Resources,
    recent: Mutex<Recent<Vec<Entry>>>,
    echo: EchoKey,
    began: Instant,
    next_id: AtomicU16,
    places: Arc<Semaphore>,
    /// Calls that wait for an acknowledgement or a reset.
    calling: Mutex<HashMap<(SocketAddr, u16), oneshot::Sender<Kind>>>,
    lines: Arc<Semaphore>,
}

impl Desk {
    pub(super) fn new(app: Arc<App>, socket: UdpSocket) -> Result<Self, getrandom::Error> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        Ok(Self {
            app,
            socket,
            resources: Resources::default(),
            recent: Mutex::new(Recent::new(vec![Entry::default(); COAP_RECENT_MAX])),
            echo: EchoKey::new(random),
            began: Instant::now(),
            next_id: AtomicU16::new(0),
            places: Arc::new(Semaphore::new(COAP_AT_ONCE_MAX)),
            calling: Mutex::default(),
            lines: Arc::new(Semaphore::new(COAP_CALLS_AT_ONCE_MAX)),
        })
    }

    pub(super) async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buffer).await
    }

    /// Answers what needs no thought. For a request that does, the place in which it may be answered; while all
    /// are taken it is dropped, and its sender asks again.
    pub(super) async fn glance(&self, datagram: &[u8], from: SocketAddr) -> Option<OwnedSemaphorePermit> {
        let Ok(message) = Message::parse(datagram) else {
            self.send(reset_for(datagram).as_ref()?, from).await;
            return None;
        };
        let confirmable = message.kind == Kind::Confirmable;
        if message.code == Code::EMPTY && confirmable {
            self.send(&empty(Kind::Reset, message.id), from).await;
            return None;
        }
        if matches!(message.kind, Kind::Acknowledgement | Kind::Reset) {
            let called = self.calling().remove(&(from, message.id.0));
            // Who called may have given up meanwhile.
            let _ = called.map(|called| called.send(message.kind));
            return None;
        }
        if !message.code.is_request() {
            return None;
        }
        if confirmable {
            let answered = self.recent().answer(self.now(), peer(from), message.id).map(<[u8]>::to_vec);
            if let Some(answer) = answered {
                self.send(&answer, from).await;
                return None;
            }
        }
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Answers a request, if it is one to be answered.
    pub(super) async fn serve(&self, mut datagram: Vec<u8>, from: SocketAddr) {
        let mut out = [0; DATAGRAM_BYTES_MAX];
        let Ok(message) = Message::parse(&datagram) else { return };
        let len = match message.options.first(OptionNumber::OSCORE) {
            Some(_) => self.sealed(&mut datagram, from, &mut out).await,
            None => self.open(&message, datagram.len(), from, &mut out),
        };
        if let Some(answer) = len.and_then(|len| out.get(..len)) {
            self.send(answer, from).await;
        }
    }

    /// What a stranger asks, in so many bytes.
    fn open(&self, request: &Message<'_>, bytes: usize, from: SocketAddr, out: &mut [u8]) -> Option<usize> {
        let (peer, now) = (peer(from).0, self.now());
        let echo = request.options.first(OptionNumber::ECHO);
        let (reply, short, is_there) = match self.app.throttle.datagram(from.ip()) {
            Err(problem) => (problem.into(), Reply::code(Code::TOO_MANY_REQUESTS), false),
            Ok(()) => {
                let again = Reply::again_with(self.echo.value(now, &peer));
                let is_there = echo.is_some_and(|echo| self.echo.is_fresh(now, &peer, echo));
                (self.resources.open(&self.app, request), again, is_there)
            }
        };
        // Who wants a value to show leaves room for it, with an old one or any.
        let replies = [reply, short, Reply::code(Code::UNAUTHORIZED)];
        replies.iter().find_map(|reply| {
            let len = reply.write(request, self.own_id(), out).ok()?;
            (is_there || len <= bytes).then_some(len)
        })
    }

    /// What a device asks.
    async fn sealed(&self, datagram: &mut [u8], from: SocketAddr, out: &mut [u8]) -> Option<usize> {
        let message = Message::parse(datagram).ok()?;
        let (kind, id) = (message.kind, message.id);
        let header = Header::parse(message.options.first(OptionNumber::OSCORE)?).ok()?;
        let kid = header.kid?.to_vec();
        let contexts = self.app.contexts.as_ref()?;
        let known = contexts.of(&self.app, &kid).await;
        let known = known.inspect_err(|error| tracing::debug!(%error, "a context could not be looked up"));
        let (device, live) = known.ok()??;

        let mut plain = [0; DATAGRAM_BYTES_MAX];
        let opened = live.context().open_request(datagram, &mut plain).ok()?;
        if kind == Kind::Confirmable {
            // While it is being answered, its repetitions get nothing.
            self.recent().keep(self.now(), peer(from), id, &[]);
        }
        let request = Message::parse(plain.get(..opened.len)?).ok()?;
        let now = self.now();
        let answer = match self.is_fresh(&live, &opened, &kid, &request)? {
            true => {
                let observer = Observer { from, token: request.token, kid, request: opened.sequence };
                self.resources.sealed(&self.app, (&device, observer), now, &request).await
            }
            false => Reply::again_with(self.echo.value(now, &kid)),
        };
        let mut said = [0; DATAGRAM_BYTES_MAX];
        let len = answer.write(&request, self.own_id(), &mut said).ok()?;
        if opened.freshness == Freshness::Unknown {
            contexts.lend_number(&live).await.ok()?;
        }
        let sealed = live.context().seal_answer(opened.ticket, said.get(..len)?, out).ok()?;
        if kind == Kind::Confirmable {
            self.recent().keep(self.now(), peer(from), id, out.get(..sealed)?);
        }
        Some(sealed)
    }

    /// Whether a request may be acted on; none if it was, meanwhile.
    fn is_fresh(&self, live: &Live, opened: &Opened, kid: &[u8], request: &Message<'_>) -> Option<bool> {
        if opened.freshness == Freshness::Fresh {
            return Some(true);
        }
        let echo = request.options.first(OptionNumber::ECHO);
        if !echo.is_some_and(|echo| self.echo.is_fresh(self.now(), kid, echo)) {
            return Some(false);
        }
        let mut context = live.context();
        (context.replay.judge(opened.sequence) != Verdict::Replayed).then(|| {
            context.replay.record(opened.sequence);
            true
        })
    }

    /// A place for one more call, while there is one.
    pub(super) fn line(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.lines).try_acquire_owned().ok()
    }

    /// Tells a device that it should check in, until it says that it heard. Who does not is called no more.
    pub(super) async fn call(&self, device: DeviceId) {
        let Some((observer, place)) = self.app.wake.observers.call(&device) else { return };
        let id = self.own_id();
        let mut out = [0; DATAGRAM_BYTES_MAX];
        let Some(sealed) = self.sealed_call(&observer, (id, place), &mut out).await else { return };
        let (called, mut heard) = oneshot::channel();
        self.calling().insert((observer.from, id.0), called);
        let mut exchange = Exchange::new(id, observer.token, &Estimator::new(COAP_CALL_TIMER_MS), 0);
        let answered = loop {
            match exchange.poll(self.now()) {
                Turn::Send => self.send(out.get(..sealed).unwrap_or_default(), observer.from).await,
                Turn::Wait(until) => {
                    let left = Duration::from_millis(until.since(self.now()));
                    if let Ok(Ok(kind)) = tokio::time::timeout(left, &mut heard).await {
                        break kind == Kind::Acknowledgement;
                    }
                }
                Turn::Gone => break false,
            }
        };
        self.calling().remove(&(observer.from, id.0));
        self.app.metrics.called(if answered { "ok" } else { "failed" });
        if !answered {
            self.app.wake.observers.forget(&device, &observer);
        }
    }

    /// A call to this device, as it goes out.
    async fn sealed_call(
        &self,
        observer: &Observer,
        (id, place): (MessageId, u32),
        out: &mut [u8],
    ) -> Option<usize> {
        let contexts = self.app.contexts.as_ref()?;
        let known = contexts.of(&self.app, &observer.kid).await;
        let known = known.inspect_err(|error| tracing::debug!(%error, "a context could not be looked up"));
        let (_, live) = known.ok()??;
        let mut plain = [0; DATAGRAM_BYTES_MAX];
        let len = Reply::wake(Some(place)).call(observer.token, id, &mut plain).ok()?;
        contexts.lend_number(&live).await.ok()?;
        live.context().seal_call(observer.request, plain.get(..len)?, out).ok()
    }

    async fn send(&self, datagram: &[u8], to: SocketAddr) {
        if !datagram.is_empty() {
            // What cannot be sent is lost, as on any other way.
            drop(self.socket.send_to(datagram, to).await);
        }
    }

    fn now(&self) -> Uptime {
        Uptime(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn own_id(&self) -> MessageId {
        MessageId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    fn calling(&self) -> MutexGuard<'_, HashMap<(SocketAddr, u16), oneshot::Sender<Kind>>> {
        self.calling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent(&self) -> MutexGuard<'_, Recent<Vec<Entry>>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address and a port.
fn peer(of: SocketAddr) -> Peer {
    let mut bytes = [0; 18];
    let address = match of.ip() {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    bytes[..16].copy_from_slice(&address.octets());
    bytes[16..].copy_from_slice(&of.port().to_be_bytes());
    Peer(bytes)
}
