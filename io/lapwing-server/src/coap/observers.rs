//! Who wants to be called by datagram: where each device is, and the request that a call answers.
//!
//! Touches: memory, bounded: one place a device, the one that asked longest ago gives way. Lost with a restart;
//! devices ask again before `WAKE_MAX_AGE_S` is over. Never: sends.

use crate::limits::{COAP_OBSERVERS_MAX, COAP_OBSERVERS_PER_ADDRESS_MAX};
use lapwing_coap::Token;
use lapwing_core::DeviceId;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All of them.
#[derive(Default)]
pub(crate) struct Observers(Mutex<Table>);

#[derive(Default)]
struct Table {
    devices: HashMap<DeviceId, (u64, Observer)>,
    /// By the number of the asking.
    by_age: BTreeMap<u64, DeviceId>,
    by_address: HashMap<IpAddr, usize>,
    /// Of the last message to any of them.
    number: u64,
}

/// A device that wants to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Observer {
    pub(super) from: SocketAddr,
    pub(super) token: Token,
    /// The security context, and the number of its request.
    pub(super) kid: Vec<u8>,
    pub(super) request: u64,
}

impl Observers {
    /// Takes a device up, or anew, and says which place the answer has among what follows; none if too many are called
    /// at its address already.
    pub(super) fn put(&self, device: &DeviceId, observer: Observer) -> Option<u32> {
        let mut table = self.lock();
        table.remove(device);
        let address = observer.from.ip();
        if table.by_address.get(&address).is_some_and(|count| *count >= COAP_OBSERVERS_PER_ADDRESS_MAX) {
            return None;
        }
        if table.devices.len() >= COAP_OBSERVERS_MAX {
            let oldest = table.by_age.first_key_value().map(|(_, oldest)| oldest.clone());
            oldest.inspect(|oldest| table.remove(oldest));
        }
        let place = table.next_place();
        let asked = table.number;
        table.by_age.insert(asked, device.clone());
        *table.by_address.entry(address).or_default() += 1;
        table.devices.insert(device.clone(), (asked, observer));
        Some(place)
    }

    pub(super) fn remove(&self, device: &DeviceId) {
        self.lock().remove(device);
    }

    /// Forgets a device that did not take its call, unless it has asked anew since.
    pub(super) fn forget(&self, device: &DeviceId, called: &Observer) {
        let mut table = self.lock();
        if table.devices.get(device).is_some_and(|(_, known)| known == called) {
            table.remove(device);
        }
    }

    /// Whom to call, and which place the call has.
    pub(super) fn call(&self, device: &DeviceId) -> Option<(Observer, u32)> {
        let mut table = self.lock();
        let (_, observer) = table.devices.get(device).cloned()?;
        Some((observer, table.next_place()))
    }

    pub(crate) fn has(&self, device: &DeviceId) -> bool {
        self.lock().devices.contains_key(device)
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().devices.len()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// A later message has a higher place, for whoever passes them on (RFC 7641 section 4.4).
    fn next_place(&mut self) -> u32 {
        self.number += 1;
        // 24 bits fit.
        u32::try_from(self.number & 0xff_ffff).unwrap_or(0)
    }

    fn remove(&mut self, device: &DeviceId) {
        let Some((asked, observer)) = self.devices.remove(device) else { return };
        self.by_age.remove(&asked);
        let address = observer.from.ip();
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(at: usize) -> DeviceId {
        format!("d{at}").parse().unwrap()
    }

    /// At the address with this number, by the request with this one.
    fn observer(address: u32, request: u64) -> Observer {
        let from = SocketAddr::from((address.to_be_bytes(), 5_683));
        Observer { from, token: Token::EMPTY, kid: vec![1], request }
    }

    #[test]
    fn the_one_that_asked_longest_ago_gives_way_and_nothing_is_left_of_it() {
        let observers = Observers::default();
        for at in 0..COAP_OBSERVERS_MAX {
            assert!(observers.put(&device(at), observer(u32::try_from(at).unwrap(), 1)).is_some());
        }
        // Who asks anew is the youngest.
        assert!(observers.put(&device(0), observer(0, 2)).is_some());
        assert!(observers.put(&device(COAP_OBSERVERS_MAX), observer(u32::MAX, 1)).is_some());
        assert!(observers.has(&device(0)) && !observers.has(&device(1)));
        assert_eq!(observers.count(), COAP_OBSERVERS_MAX);
        (0..=COAP_OBSERVERS_MAX).for_each(|at| observers.remove(&device(at)));
        let table = observers.lock();
        assert_eq!((table.devices.len(), table.by_age.len(), table.by_address.len()), (0, 0, 0));
    }

    #[test]
    fn one_address_takes_its_own_places_and_no_others() {
        let observers = Observers::default();
        for at in 0..COAP_OBSERVERS_PER_ADDRESS_MAX {
            assert!(observers.put(&device(at), observer(1, 1)).is_some());
        }
        let one_more = device(COAP_OBSERVERS_PER_ADDRESS_MAX);
        assert_eq!(observers.put(&one_more, observer(1, 1)), None);
        assert!(observers.put(&device(0), observer(1, 2)).is_some(), "it has its place");
        assert!(observers.put(&one_more, observer(2, 1)).is_some());
    }

    #[test]
    fn who_has_asked_anew_is_not_forgotten_for_an_older_call() {
        let observers = Observers::default();
        assert_eq!(observers.put(&device(1), observer(1, 1)), Some(1));
        assert_eq!(observers.put(&device(1), observer(1, 2)), Some(2));
        observers.forget(&device(1), &observer(1, 1));
        assert_eq!(observers.call(&device(1)), Some((observer(1, 2), 3)));
        observers.forget(&device(1), &observer(1, 2));
        assert!(!observers.has(&device(1)));
    }
}
