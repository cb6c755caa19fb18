//! A sensor on an Ethernet: an address by DHCP, readings by UDP, signed commands by TCP. It only has to
//! link; lines marked with `//+` are those that the newer version has more.

#![no_std]
#![no_main]

use core::fmt::Write;
use cortex_m_rt::entry;
use ed25519_dalek::{Signature, VerifyingKey};
use heapless::String;
use smoltcp::iface::{Config, Interface, SocketSet, SocketStorage};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{dhcpv4, tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, IpEndpoint};

const REGISTERS: *mut u32 = 0x4002_8000 as *mut u32;
const COLLECTOR: IpEndpoint = IpEndpoint { addr: IpAddress::v4(10, 0, 0, 1), port: 5683 };

#[derive(Debug, minicbor::Encode, minicbor::Decode)]
struct Reading {
    #[n(0)]
    at_ms: u64,
    #[n(1)]
    millidegrees: i32,
    #[n(2)]
    battery_mv: u16,
    //+ #[n(3)]
    //+ humidity_permille: Option<u16>,
}

#[derive(Debug, minicbor::Decode)]
enum Command {
    #[n(0)]
    Interval(#[n(0)] u32),
    #[n(1)]
    Restart,
    //+ #[n(2)]
    //+ Identify(#[n(0)] u8),
}

#[panic_handler]
fn stop(info: &core::panic::PanicInfo<'_>) -> ! {
    let mut words = String::<256>::new();
    let _ = write!(words, "{info}");
    words.bytes().for_each(|byte| poke(7, byte.into()));
    cortex_m::peripheral::SCB::sys_reset()
}

fn peek(register: usize) -> u32 {
    unsafe { REGISTERS.add(register).read_volatile() }
}

fn poke(register: usize, value: u32) {
    unsafe { REGISTERS.add(register).write_volatile(value) }
}

struct Wire;
struct Frame;

impl RxToken for Frame {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let mut frame = [0; 1514];
        let length = (peek(1) as usize).min(frame.len());
        frame[..length].iter_mut().for_each(|byte| *byte = peek(2) as u8);
        f(&frame[..length])
    }
}

impl TxToken for Frame {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut frame = [0; 1514];
        let result = f(&mut frame[..length]);
        frame[..length].iter().for_each(|byte| poke(3, (*byte).into()));
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Frame;
    type TxToken<'a> = Frame;

    fn receive(&mut self, _: Instant) -> Option<(Frame, Frame)> {
        (peek(0) & 1 != 0).then_some((Frame, Frame))
    }

    fn transmit(&mut self, _: Instant) -> Option<Frame> {
        (peek(0) & 2 != 0).then_some(Frame)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }
}

fn obey(message: &[u8], interval_ms: &mut u32) -> Option<()> {
    let (signature, message) = message.split_first_chunk::<64>()?;
    let key: [u8; 32] = core::array::from_fn(|at| peek(64 + at) as u8);
    let key = VerifyingKey::from_bytes(&key).ok()?;
    key.verify_strict(message, &Signature::from_bytes(signature)).ok()?;
    match minicbor::decode(message).ok()? {
        Command::Interval(ms) => *interval_ms = ms,
        //+ Command::Identify(blinks) => (0..blinks).for_each(|blink| poke(6, u32::from(blink) & 1)),
        Command::Restart => cortex_m::peripheral::SCB::sys_reset(),
    }
    Some(())
}

#[entry]
fn main() -> ! {
    let mut wire = Wire;
    let now = || Instant::from_millis(i64::from(peek(4)));
    let mut config = Config::new(EthernetAddress([2, 0, 0, 0, 0, peek(8) as u8]).into());
    config.random_seed = peek(5).into();
    let mut interface = Interface::new(config, &mut wire, now());
    let (mut rx_meta, mut tx_meta) = ([udp::PacketMetadata::EMPTY; 4], [udp::PacketMetadata::EMPTY; 4]);
    let (mut udp_rx, mut udp_tx) = ([0; 512], [0; 512]);
    let (mut tcp_rx, mut tcp_tx) = ([0; 1024], [0; 1024]);
    let mut storage: [SocketStorage<'_>; 3] = Default::default();
    let mut sockets = SocketSet::new(&mut storage[..]);
    let readings = sockets.add(udp::Socket::new(
        udp::PacketBuffer::new(&mut rx_meta[..], &mut udp_rx[..]),
        udp::PacketBuffer::new(&mut tx_meta[..], &mut udp_tx[..]),
    ));
    let commands = sockets.add(tcp::Socket::new(
        tcp::SocketBuffer::new(&mut tcp_rx[..]),
        tcp::SocketBuffer::new(&mut tcp_tx[..]),
    ));
    let lease = sockets.add(dhcpv4::Socket::new());
    let (mut interval_ms, mut due_ms) = (60_000, 0);
    loop {
        interface.poll(now(), &mut wire, &mut sockets);
        if let Some(dhcpv4::Event::Configured(leased)) = sockets.get_mut::<dhcpv4::Socket>(lease).poll() {
            interface.update_ip_addrs(|addresses| {
                addresses.clear();
                let _ = addresses.push(IpCidr::Ipv4(leased.address));
            });
            leased.router.map(|router| interface.routes_mut().add_default_ipv4_route(router));
        }
        let socket = sockets.get_mut::<tcp::Socket>(commands);
        if !socket.is_open() {
            let _ = socket.listen(23);
        }
        let obeyed = socket.recv(|bytes| (bytes.len(), obey(bytes, &mut interval_ms)));
        if obeyed.is_ok_and(|done| done.is_none()) {
            let _ = socket.write_str("what?\n");
        }
        let at_ms = now().total_millis() as u64;
        if at_ms >= due_ms {
            due_ms = at_ms + u64::from(interval_ms);
            let reading = Reading {
                at_ms,
                millidegrees: peek(9) as i32,
                battery_mv: peek(10) as u16,
                //+ humidity_permille: (peek(11) != 0).then(|| peek(12) as u16),
            };
            let mut bytes = [0; 64];
            if minicbor::encode(&reading, &mut bytes[..]).is_ok() {
                let socket = sockets.get_mut::<udp::Socket>(readings);
                let _ = socket.bind(5683);
                let _ = socket.send_slice(&bytes, COLLECTOR);
            }
        }
    }
}
