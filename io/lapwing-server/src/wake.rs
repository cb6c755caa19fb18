//! Wake-up calls: who is to be told to check in now, a few each second.
//!
//! Touches: the device table, page by page, when a rollout brings more; a broker, and the way to `coap`. Order and
//! occasions are decided in `lapwing_fleet`. Never: says what for, waits for a device, or calls one that does not listen.

use crate::app::App;
use crate::coap::Observers;
use crate::device_plane;
use crate::limits::CALLS_PER_S_MAX;
use crate::listen::told_to_stop;
use crate::orchestrator::every_device;
use crate::store::{Device, StoreError};
use lapwing_core::DeviceId;
use lapwing_fleet::{CallFor, Calls, Decision};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

/// The fact by which a device says that it listens at the broker.
const LISTENS_AT_BROKER: (&str, &str) = ("wake", "mqtt");

/// Who waits to be called.
pub(crate) struct Wake {
    /// Those that listen by CoAP.
    pub(crate) observers: Observers,
    by_coap: mpsc::Sender<DeviceId>,
    waiting: Mutex<Calls>,
    /// A rollout brings more: everyone is to be asked.
    look: AtomicBool,
    news: Notify,
}

/// How a device listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Coap,
    Broker,
}

impl Wake {
    /// Nobody waits yet. Devices to be called by CoAP come out at the other end.
    pub(crate) fn new() -> (Self, mpsc::Receiver<DeviceId>) {
        let (by_coap, called) = mpsc::channel(CALLS_PER_S_MAX);
        let (observers, waiting, look, news) = Default::default();
        (Self { observers, by_coap, waiting, look, news }, called)
    }

    /// A person wants this device's update now.
    pub(crate) fn call(&self, device: DeviceId) {
        self.add(device, CallFor::Person);
    }

    /// A rollout brings something to devices that got nothing from it before.
    pub(crate) fn look(&self) {
        self.look.store(true, Ordering::Relaxed);
        self.news.notify_one();
    }

    fn add(&self, device: DeviceId, reason: CallFor) {
        self.waiting().add(device, reason);
        self.news.notify_one();
    }

    /// Returns when there is something to do.
    async fn due(&self) {
        while self.waiting().is_empty() && !self.look.load(Ordering::Relaxed) {
            self.news.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Calls> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls those that wait until `stop` says so. Who was not called then checks in when it always does.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut published = JoinSet::new();
    loop {
        let round = async {
            app.wake.due().await;
            while published.try_join_next().is_some() {}
            match call_next(&app).await {
                Ok(at_broker) if at_broker.is_empty() => {}
                Ok(at_broker) => drop(published.spawn(publish(Arc::clone(&app), at_broker))),
                Err(error) => {
                    tracing::warn!(%error, "devices are not called, and check in when they always do");
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        tokio::select! {
            () = told_to_stop(&mut stop) => return,
            () = round => {}
        }
    }
}

/// Another server on this database changed a device: a person may have asked it there for an update.
pub(crate) async fn changed(app: &App, device: &DeviceId) -> Result<(), StoreError> {
    if app.wake.observers.has(device) && app.devices.get(device).await?.is_some_and(|known| known.update_now)
    {
        app.wake.call(device.clone());
    }
    Ok(())
}

/// A device is called from now on. What it was not there for, or had no place in, it is called for now, unless it is at
/// something already.
pub(crate) fn listens(app: &App, device: &Device) -> Result<(), StoreError> {
    let is_busy = device_plane::offered(app, device).is_some();
    if device.update_now || !is_busy && would_be_offered(app, device)? {
        app.wake.add(device.id.clone(), CallFor::Rollout);
    }
    Ok(())
}

/// Calls as many as may be called in a second, but for those that are returned: they listen at the broker.
async fn call_next(app: &App) -> Result<Vec<DeviceId>, StoreError> {
    if app.wake.look.swap(false, Ordering::Relaxed) {
        gather(app).await?;
    }
    let called = app.wake.waiting().next(CALLS_PER_S_MAX);
    let mut at_broker = Vec::new();
    for id in called {
        let Some(device) = app.devices.get(&id).await? else { continue };
        match way(app, &device)? {
            // One that finds no room is not called.
            Some(Way::Coap) => drop(app.wake.by_coap.try_send(id)),
            Some(Way::Broker) => at_broker.push(id),
            None => {}
        }
    }
    Ok(at_broker)
}

/// Has everyone called who listens and would be offered something now.
async fn gather(app: &App) -> Result<(), StoreError> {
    if app.wake.observers.count() == 0 && app.settings.wake_broker.is_none() {
        return Ok(());
    }
    every_device(app, |device| {
        if way(app, device)?.is_some() && would_be_offered(app, device)? {
            app.wake.add(device.id.clone(), CallFor::Rollout);
        }
        Ok(())
    })
    .await
}

fn would_be_offered(app: &App, device: &Device) -> Result<bool, StoreError> {
    let (view, steering) = app.view(device)?;
    let decision = steering.bringing(|bringing| view.decide(&app.catalogue(), bringing, app.now()));
    Ok(matches!(decision, Decision::Offer(_)))
}

/// How this device listens, if it does.
fn way(app: &App, device: &Device) -> Result<Option<Way>, StoreError> {
    if app.wake.observers.has(&device.id) {
        return Ok(Some(Way::Coap));
    }
    let said = device.said()?;
    let says = said.facts.is_some_and(|facts| facts.named.iter().any(|fact| fact == LISTENS_AT_BROKER));
    Ok((says && app.settings.wake_broker.is_some()).then_some(Way::Broker))
}

/// Calls these at the broker, each below its own name.
async fn publish(app: Arc<App>, devices: Vec<DeviceId>) {
    let Some((broker, login)) = &app.settings.wake_broker else { return };
    let calls: Vec<_> = devices.iter().map(|device| (format!("{device}/wake"), "")).collect();
    let published = broker.publish(login, &calls).await;
    if let Err(error) = &published {
        tracing::warn!(%error, "the broker took no calls; devices check in when they always do");
    }
    for _ in &devices {
        app.metrics.called(if published.is_ok() { "ok" } else { "failed" });
    }
}
