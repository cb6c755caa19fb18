//! Devices and strangers in great number, at the CoAP plane of a real server.
//!
//! Touches: UDP on loopback, the management plane. What strangers send is made of one seed. Never: an address but loopback.

use crate::fleet::Fleet;
use anyhow::{Context, Result, bail, ensure};
use lapwing_core::Digest;
use lapwing_core::cbor::encode;
use lapwing_core::wire::check_in::{CheckIn, ComponentState};
use lapwing_link::{Asker, MessageId, Said, nonsense};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Devices that ask at the same time.
const AT_ONCE: usize = 32;
/// After this a question is asked again.
const TIMER: Duration = Duration::from_millis(300);
/// So often, before a device gives up.
const TRIES_MAX: u32 = 200;
/// Devices that ask while a flood comes.
const HONEST: usize = 10;
/// A flood goes on for them, until it is so many times what it should be.
const FLOODS_MAX: u32 = 50;
/// Addresses that a flood comes from.
const LIARS: u8 = 64;

/// Devices with a security context each.
#[derive(Debug)]
pub struct Crowd {
    server: SocketAddr,
    devices: Vec<Asker>,
}

/// How it went for devices in a flood, all of whose questions were answered.
#[derive(Debug, Clone, Copy)]
pub struct Flooded {
    /// Datagrams that strangers sent.
    pub sent: u32,
    /// Times that a device had to ask again.
    pub repeated: u32,
    /// The longest that one waited.
    pub longest: Duration,
}

impl Crowd {
    /// Lets devices in. None of them has spoken yet.
    ///
    /// # Errors
    /// When the server refuses one.
    pub fn provisioned(fleet: &Fleet, count: u32) -> Result<Self> {
        let share = count.div_ceil(AT_ONCE as u32).max(1);
        let provision = |range: Range<u32>| -> Result<Vec<Asker>> {
            let agent = ureq::Agent::new_with_defaults();
            range.map(|at| fleet.context(&agent, &format!("crowd-{at}"))).collect()
        };
        let devices = thread::scope(|scope| {
            let shares = (0..count).step_by(share as usize);
            let threads: Vec<_> =
                shares.map(|from| scope.spawn(move || provision(from..(from + share).min(count)))).collect();
            threads.into_iter().map(joined).collect::<Result<Vec<_>>>()
        })?;
        Ok(Self { server: fleet.coap_addr()?, devices: devices.into_iter().flatten().collect() })
    }

    /// Every device checks in so many times; returns how many questions had to be asked again.
    ///
    /// # Errors
    /// When one gets no answer.
    pub fn check_in(&mut self, times: u32) -> Result<u32> {
        let (server, share) = (self.server, self.devices.len().div_ceil(AT_ONCE).max(1));
        thread::scope(|scope| {
            let threads: Vec<_> = self
                .devices
                .chunks_mut(share)
                .map(|devices| {
                    scope.spawn(move || -> Result<u32> {
                        let mut line = Line::to(server)?;
                        let mut repeated = 0;
                        for _ in 0..times {
                            for device in &mut *devices {
                                repeated += line.check_in(device)?;
                            }
                        }
                        Ok(repeated)
                    })
                })
                .collect();
            threads.into_iter().map(joined).sum()
        })
    }

    /// Strangers send so many datagrams, and more until the last devices got `answers` answers, evenly spread over the
    /// first of them. The other devices begin bodies that they do not end.
    ///
    /// # Errors
    /// When a device is not answered, or too late for any flood.
    pub fn flood(&mut self, datagrams: u32, answers: u32) -> Result<Flooded> {
        let (server, sent) = (self.server, AtomicU32::new(0));
        let others = self.devices.len().checked_sub(HONEST).context("a larger crowd")?;
        let (others, honest) = self.devices.split_at_mut(others);
        let liars = liars(server)?;
        thread::scope(|scope| {
            let sent = &sent;
            let devices = scope.spawn(move || -> Result<(u32, Duration)> {
                let (mut line, mut repeated, mut longest) = (Line::to(server)?, 0, Duration::ZERO);
                for at in 0..answers {
                    while u64::from(sent.load(Ordering::Relaxed)) * u64::from(answers)
                        < u64::from(at) * u64::from(datagrams)
                    {
                        thread::yield_now();
                    }
                    let began = Instant::now();
                    repeated += line.check_in(&mut honest[at as usize % HONEST])?;
                    longest = longest.max(began.elapsed());
                }
                Ok((repeated, longest))
            });
            for (at, liar) in (0..datagrams.saturating_mul(FLOODS_MAX)).zip(liars.iter().cycle()) {
                if at >= datagrams && devices.is_finished() {
                    break;
                }
                // What the system has no room for is lost, as anywhere.
                drop(liar.send(&nonsense(at, others)));
                sent.fetch_add(1, Ordering::Relaxed);
            }
            let (repeated, longest) = joined(devices)?;
            Ok(Flooded { sent: sent.load(Ordering::Relaxed), repeated, longest })
        })
    }
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| bail!("a thread panicked"))
}

/// Sockets at other addresses than that of the devices.
fn liars(server: SocketAddr) -> Result<Vec<UdpSocket>> {
    let liar = |at: u8| -> Result<UdpSocket> {
        let socket = UdpSocket::bind((std::net::Ipv4Addr::new(127, 1, at, 1), 0))?;
        socket.set_nonblocking(true)?;
        socket.connect(server)?;
        Ok(socket)
    };
    (0..LIARS).map(liar).collect()
}

/// A socket that devices use one after the other.
struct Line {
    socket: UdpSocket,
    next_id: u16,
}

impl Line {
    fn to(server: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(TIMER))?;
        socket.connect(server)?;
        Ok(Self { socket, next_id: 0 })
    }

    fn ask(&mut self, device: &mut Asker) -> Vec<u8> {
        self.next_id = self.next_id.wrapping_add(1);
        device.ask(MessageId(self.next_id), &idle())
    }

    /// One check-in until its answer; returns how often it had to be asked again.
    fn check_in(&mut self, device: &mut Asker) -> Result<u32> {
        let (mut question, mut repeated, mut room) = (self.ask(device), 0, [0; 2048]);
        self.socket.send(&question)?;
        loop {
            match self.socket.recv(&mut room) {
                Ok(len) => match device.hear(&mut room[..len]) {
                    Said::Answer(_) => return Ok(repeated),
                    Said::Refused(code) => bail!("refused with {code:?}"),
                    Said::Again => question = self.ask(device),
                    Said::Nothing => continue,
                },
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    repeated += 1;
                }
                Err(error) => return Err(error.into()),
            }
            ensure!(repeated < TRIES_MAX, "no answer to {TRIES_MAX} questions");
            self.socket.send(&question)?;
        }
    }
}

/// What a device says that has nothing to say.
fn idle() -> Vec<u8> {
    let component = "app".parse().map(|name| ComponentState {
        name,
        running: Digest::of(b"what runs").short(),
        held: None,
    });
    let check_in = CheckIn {
        root_version: 1,
        delegation_version: 1,
        components: component.into_iter().collect(),
        nonce: None,
        facts: None,
        health: Default::default(),
        gates: Default::default(),
        boot: None,
    };
    encode(&check_in, &mut [0; 256]).map(<[u8]>::to_vec).unwrap_or_default()
}
