//! Who asks too often: a meter for each device that proved who it is, and so many for all strangers, by address.
//!
//! Touches: memory, bounded; the time since the start. `lapwing_fleet::Rate` decides. Never: grows by what a stranger
//! sends, or makes a device pay for the strangers beside it.

use crate::access::Peer;
use crate::app::App;
use crate::config::Settings;
use crate::device_plane::CLAIM_PATH;
use crate::limits::STRANGER_METERS;
use crate::metrics::Metrics;
use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lapwing_core::{DeviceId, Uptime};
use lapwing_fleet::{Asked, Rate, TooOften};
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// All meters.
pub(crate) struct Throttle {
    began: Instant,
    device: Rate,
    devices: Cache<DeviceId, Arc<Meter>>,
    stranger: Rate,
    /// Apart from each other, since the sender of a datagram may be a lie.
    connections: Strangers,
    datagrams: Strangers,
    metrics: Metrics,
}

/// What was asked of one meter.
#[derive(Default)]
struct Meter(Mutex<Asked>);

/// Meters that addresses share.
struct Strangers {
    meters: Box<[Meter]>,
    hasher: RandomState,
}

impl Throttle {
    pub(crate) fn new(settings: &Settings, metrics: Metrics) -> Self {
        Self {
            began: Instant::now(),
            device: settings.device_rate,
            devices: Cache::new(settings.devices_cached_max),
            stranger: settings.stranger_rate,
            connections: Strangers::new(),
            datagrams: Strangers::new(),
            metrics,
        }
    }

    /// A device that proved who it is says something.
    pub(crate) fn device(&self, id: &DeviceId) -> Result<(), Problem> {
        let Ok(meter) = self.devices.get_or_insert_with(id, || Ok::<_, Infallible>(Arc::default()));
        meter.ask(&self.device, self.now()).map_err(|too_often| self.refuse("device", too_often))
    }

    /// A stranger asks by a datagram that says it is from this address.
    pub(crate) fn datagram(&self, from: IpAddr) -> Result<(), Problem> {
        let asked = self.datagrams.meter(from).ask(&self.stranger, self.now());
        asked.map_err(|too_often| self.refuse("stranger", too_often))
    }

    fn refuse(&self, who: &'static str, TooOften { wait_ms }: TooOften) -> Problem {
        self.metrics.throttled(who);
        Problem::too_often(wait_ms.div_ceil(1_000))
    }

    fn now(&self) -> Uptime {
        Uptime(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

impl Meter {
    fn ask(&self, rate: &Rate, now: Uptime) -> Result<(), TooOften> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *asked = asked.once_more(rate, now)?;
        Ok(())
    }

    /// Whether it could be asked, without asking.
    fn would_take(&self, rate: &Rate, now: Uptime) -> Result<(), TooOften> {
        let asked = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.once_more(rate, now).map(drop)
    }
}

impl Strangers {
    fn new() -> Self {
        let meters = (0..STRANGER_METERS).map(|_| Meter::default()).collect();
        Self { meters, hasher: RandomState::new() }
    }

    /// The meter of an address; of IPv6 the network, since a host there has addresses without end.
    fn meter(&self, from: IpAddr) -> &Meter {
        let network = match from.to_canonical() {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
        };
        let at = self.hasher.hash_one(network) % STRANGER_METERS as u64;
        // The remainder is below the number of meters.
        &self.meters[usize::try_from(at).unwrap_or(0)]
    }
}

/// Counts what is refused for want of a good secret or claim token. Where there was too much of it no claim is looked
/// at, and a device's secret still is.
pub(crate) async fn strangers(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(Peer(from)) = request.extensions().get().copied() else { return next.run(request).await };
    let (throttle, is_claim) = (&app.throttle, request.uri().path() == CLAIM_PATH);
    let meter = throttle.connections.meter(from.ip());
    let answer_to = |asked: Result<(), TooOften>| {
        asked.err().map(|too_often| throttle.refuse("stranger", too_often).into_response())
    };
    if is_claim && let Some(refusal) = answer_to(meter.would_take(&throttle.stranger, throttle.now())) {
        return refusal;
    }
    let response = next.run(request).await;
    let is_refused = response.status() == StatusCode::UNAUTHORIZED
        || is_claim && matches!(response.status(), StatusCode::FORBIDDEN | StatusCode::CONFLICT);
    let refusal = is_refused.then(|| answer_to(meter.ask(&throttle.stranger, throttle.now()))).flatten();
    refusal.unwrap_or(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::num::NonZeroU32;

    #[test]
    fn strangers_take_no_memory_however_many_there_are_and_a_network_is_one() {
        let strangers = Strangers::new();
        let (rate, at) = (Rate::an_hour(NonZeroU32::MIN), Uptime(0));
        let ask = |bits: u32| strangers.meter(Ipv4Addr::from_bits(bits).into()).ask(&rate, at);
        let welcome = (0..200_000).filter(|bits| ask(*bits).is_ok()).count();
        // Every meter was asked once, whoever is behind the addresses.
        assert_eq!((welcome, strangers.meters.len()), (STRANGER_METERS, STRANGER_METERS));
        let meter = |bits: u128| std::ptr::from_ref(strangers.meter(Ipv6Addr::from_bits(bits).into()));
        let network = 0x2001_0db8_u128 << 96;
        assert_eq!(meter(network | 1), meter(network | u128::from(u64::MAX)));
        let mapped = Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped();
        assert_eq!(
            meter(mapped.to_bits()),
            std::ptr::from_ref(strangers.meter(Ipv4Addr::new(192, 0, 2, 1).into()))
        );
    }
}
