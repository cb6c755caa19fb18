//! The link between real programs: a UDP proxy that lets every datagram cross it.
//!
//! Touches: UDP sockets on loopback, the clock, a thread of its own. One device at a time; to the server every address
//! that it had is the proxy's. Never: looks into a datagram, or ends well after one that was larger than its MTU.

use crate::air::{Air, Counters};
use crate::link::{Link, Side};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Larger than any datagram that may cross.
const DATAGRAM_BYTES_MAX: usize = 2048;
/// How long the thread may be deaf to its end.
const LONGEST_WAIT: Duration = Duration::from_millis(50);

/// A proxy at work, until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    link: Arc<Mutex<Link>>,
    stopped: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy in front of `server`, over a link of this kind.
    ///
    /// # Errors
    /// When there is no socket or thread to be had.
    pub fn start(server: SocketAddr, air: Air, seed: u64) -> io::Result<Self> {
        let (near, far) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
        far.connect(server)?;
        let address = near.local_addr()?;
        let link = Arc::new(Mutex::new(Link::new(air, seed)));
        let (stopped, device, began) =
            (Arc::<AtomicBool>::default(), Arc::<Mutex<_>>::default(), Instant::now());
        let ends = [(Side::Server, near.try_clone()?, far.try_clone()?), (Side::Device, far, near)];
        let mut threads = Vec::new();
        for (to, from_here, _) in &ends {
            let (to, socket, link) = (*to, from_here.try_clone()?, Arc::clone(&link));
            let (stopped, device) = (Arc::clone(&stopped), Arc::clone(&device));
            threads.push(
                std::thread::Builder::new()
                    .spawn(move || listen(to, &socket, &link, &device, began, &stopped))?,
            );
        }
        let [(_, near, far), _] = ends;
        let (crossing, over) = (Arc::clone(&link), Arc::clone(&stopped));
        threads.push(
            std::thread::Builder::new()
                .spawn(move || carry(&near, &far, &crossing, &device, began, &over))?,
        );
        Ok(Self { address, link, stopped, threads })
    }

    /// Where the device finds the server.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was sent to one side so far.
    #[must_use]
    pub fn counters(&self, to: Side) -> Counters {
        lock(&self.link).counters(to)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
        let oversized = [Side::Device, Side::Server].map(|side| self.counters(side).oversized);
        assert!(oversized == [0, 0] || std::thread::panicking(), "datagrams over the MTU: {oversized:?}");
    }
}

/// Puts what arrives at one end onto the link.
fn listen(
    to: Side,
    socket: &UdpSocket,
    link: &Mutex<Link>,
    device: &Mutex<Option<SocketAddr>>,
    began: Instant,
    stopped: &AtomicBool,
) {
    let mut buffer = [0; DATAGRAM_BYTES_MAX];
    while !stopped.load(Ordering::Relaxed) {
        if socket.set_read_timeout(Some(LONGEST_WAIT)).is_err() {
            return;
        }
        let Ok((len, from)) = socket.recv_from(&mut buffer) else { continue };
        if to == Side::Server {
            *lock(device) = Some(from);
        }
        lock(link).send(now_us(began), to, buffer.get(..len).unwrap_or_default());
    }
}

/// Gives out at the other end what has crossed.
fn carry(
    near: &UdpSocket,
    far: &UdpSocket,
    link: &Mutex<Link>,
    device: &Mutex<Option<SocketAddr>>,
    began: Instant,
    stopped: &AtomicBool,
) {
    while !stopped.load(Ordering::Relaxed) {
        let now_us = now_us(began);
        let (arrived, next_us) = {
            let mut link = lock(link);
            (link.receive(now_us), link.next_us())
        };
        // What cannot be sent is lost, as on the air.
        match (arrived, *lock(device)) {
            (Some((Side::Server, datagram)), _) => drop(far.send(&datagram)),
            (Some((Side::Device, datagram)), Some(device)) => drop(near.send_to(&datagram, device)),
            (Some(_), None) => {}
            (None, _) => {
                let wait_us =
                    next_us.map_or(1_000, |next_us| next_us.saturating_sub(now_us).clamp(100, 1_000));
                std::thread::sleep(Duration::from_micros(wait_us));
            }
        }
    }
}

fn now_us(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

fn lock<T>(what: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
