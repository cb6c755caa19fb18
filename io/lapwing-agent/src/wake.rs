//! Listening for wake-up calls: keeps open the one way on which somebody may call.
//!
//! Touches: `talking`, a socket while the settings want one. Entered from: `boot`, when nothing else is to be done.
//! Never: acts on a call; what follows from it the brain decides. A way that cannot be opened holds up nothing.

use crate::config::WakeSettings;
use crate::limits::LISTEN_DELAY_MS;
use crate::talking::Talking;
use lapwing_core::Uptime;
use lapwing_core::trust::TlsAnchor;
#[cfg(feature = "wake-mqtt")]
use lapwing_transport::client::Subscription;
use lapwing_transport::client::{ExchangeError, Listening};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// What hears calls, if anything does.
pub(crate) struct Ear {
    wake: Option<WakeSettings>,
    /// When to see to it that somebody calls, for the first time or again.
    due: Uptime,
    delay_ms: u64,
    open: Option<Open>,
}

/// A way to be called.
enum Open {
    Observing(Listening),
    #[cfg(feature = "wake-mqtt")]
    Subscribed(Subscription),
}

impl Ear {
    pub(crate) fn new(wake: Option<WakeSettings>) -> Self {
        Self { wake, due: Uptime(0), delay_ms: *LISTEN_DELAY_MS.start(), open: None }
    }

    /// When it wants to see to it.
    pub(crate) fn due(&self) -> Option<Uptime> {
        self.wake.as_ref().map(|_| self.due)
    }

    /// Can be read when somebody calls.
    pub(crate) fn calls(&self) -> Option<BorrowedFd<'_>> {
        self.open.as_ref().map(|open| match open {
            Open::Observing(listening) => listening.as_fd(),
            #[cfg(feature = "wake-mqtt")]
            Open::Subscribed(subscription) => subscription.as_fd(),
        })
    }

    /// Whether somebody called.
    pub(crate) fn called(&mut self, now: Uptime) -> bool {
        let called = match &mut self.open {
            None => return false,
            Some(Open::Observing(listening)) => listening.called(),
            #[cfg(feature = "wake-mqtt")]
            Some(Open::Subscribed(subscription)) => subscription.called(),
        };
        called.unwrap_or_else(|error| {
            log::info!("nobody calls any more, asking again in a while: {error}");
            (self.open, self.due) = (None, now.after(self.delay_ms));
            false
        })
    }

    /// Asks to be called if that is due.
    pub(crate) fn ask(&mut self, talking: &Talking, anchors: &[TlsAnchor], now: Uptime, entropy: u64) {
        let Some(wake) = self.wake.as_ref().filter(|_| now >= self.due) else { return };
        let news = if self.open.is_some() { log::Level::Debug } else { log::Level::Info };
        let pause_ms = match kept_open(wake, self.open.take(), talking, anchors) {
            Ok((open, lasts)) => {
                (self.open, self.delay_ms) = (Some(open), *LISTEN_DELAY_MS.start());
                let lasts_ms = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
                log::log!(news, "listening for calls, for {} s", lasts_ms / 1_000);
                lasts_ms
            }
            Err(error) => {
                log::info!("failed to ask for calls, checking in as always: {error}");
                let delay_ms = self.delay_ms;
                self.delay_ms = delay_ms.saturating_mul(2).min(*LISTEN_DELAY_MS.end());
                delay_ms
            }
        };
        // Devices that lost the same server do not come back together.
        let early_ms = entropy.checked_rem(pause_ms / 4).unwrap_or(0);
        self.due = now.after(pause_ms.saturating_sub(early_ms));
    }
}

/// The way that is open, or a new one, and for how long it is. A device that observes asks on a new socket each time, so
/// that an address that was translated differently meanwhile is of no matter.
#[cfg_attr(not(feature = "wake-mqtt"), expect(unused_variables, reason = "only brokers are known by them"))]
fn kept_open(
    wake: &WakeSettings,
    open: Option<Open>,
    talking: &Talking,
    anchors: &[TlsAnchor],
) -> Result<(Open, Duration), ExchangeError> {
    match (wake, open) {
        (WakeSettings::Observe, _) => {
            let listening = talking.listen()?;
            let lasts = listening.lasts();
            Ok((Open::Observing(listening), lasts))
        }
        #[cfg(feature = "wake-mqtt")]
        (WakeSettings::Mqtt(broker), open) => {
            let subscription = match open {
                Some(Open::Subscribed(mut subscription)) => {
                    subscription.keep()?;
                    subscription
                }
                _ => talking.subscribe(broker, anchors)?,
            };
            let lasts = subscription.lasts();
            Ok((Open::Subscribed(subscription), lasts))
        }
    }
}
