//! Wake-up calls: who is to be told to check in now, a few each second.
//!
//! Touches: the device table, page by page, when a rollout brings more; the way to `coap`. Order and occasions are
//! decided in `lapwing_fleet`. Never: says what for, waits for a device, or calls one that did not say it listens.

use crate::app::App;
use crate::coap::Observers;
use crate::limits::CALLS_PER_S_MAX;
use crate::listen::told_to_stop;
use crate::orchestrator::every_device;
use crate::store::StoreError;
use crate::view::View;
use lapwing_core::DeviceId;
use lapwing_fleet::{CallFor, Calls, Decision};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};

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

impl Wake {
    /// Nobody waits yet. Devices to be called by CoAP come out at the other end.
    pub(crate) fn new() -> (Self, mpsc::Receiver<DeviceId>) {
        let (by_coap, called) = mpsc::channel(CALLS_PER_S_MAX);
        let (observers, waiting, look, news) = Default::default();
        (Self { observers, by_coap, waiting, look, news }, called)
    }

    /// A person wants this device's update now.
    pub(crate) fn call(&self, device: DeviceId) {
        if self.observers.has(&device) {
            self.waiting().add(device, CallFor::Person);
            self.news.notify_one();
        }
    }

    /// A rollout brings something to devices that got nothing from it before.
    pub(crate) fn look(&self) {
        self.look.store(true, Ordering::Relaxed);
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
    loop {
        let round = async {
            app.wake.due().await;
            if app.wake.look.swap(false, Ordering::Relaxed)
                && let Err(error) = gather(&app).await
            {
                tracing::warn!(%error, "devices are not called, and check in when they always do");
            }
            let called = app.wake.waiting().next(CALLS_PER_S_MAX);
            for device in called {
                // A device that is gone by now, or finds no room, is not called.
                drop(app.wake.by_coap.try_send(device));
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

/// Has everyone called who listens and would be offered something now.
async fn gather(app: &App) -> Result<(), StoreError> {
    if app.wake.observers.count() == 0 {
        return Ok(());
    }
    let (catalogue, steering) = (app.catalogue(), app.orchestrator.steering());
    every_device(app, |device| {
        if app.wake.observers.has(&device.id) {
            let view = View::of(device, &catalogue, &steering)?;
            let decision = steering.bringing(|bringing| view.decide(&catalogue, bringing, app.now()));
            if matches!(decision, Decision::Offer(_)) {
                app.wake.waiting().add(device.id.clone(), CallFor::Rollout);
            }
        }
        Ok(())
    })
    .await
}
