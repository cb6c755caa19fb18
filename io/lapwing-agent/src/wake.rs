//! Listening for wake-up calls: keeps open the one way on which somebody may call.
//!
//! Touches: `talking`, a socket while the settings want one. Entered from: `boot`, when nothing else is to be done.
//! Never: acts on a call; what follows from it the brain decides. A way that cannot be opened holds up nothing.

use crate::config::WakeSettings;
use crate::limits::LISTEN_DELAY_MS;
use crate::talking::Talking;
use lapwing_core::Uptime;
use lapwing_transport::client::Listening;
use std::os::fd::{AsFd, BorrowedFd};

/// What hears calls, if anything does.
pub(crate) struct Ear {
    /// When to ask to be called, for the first time or again.
    due: Option<Uptime>,
    delay_ms: u64,
    open: Option<Listening>,
}

impl Ear {
    pub(crate) fn new(wake: Option<&WakeSettings>) -> Self {
        let due = wake.map(|WakeSettings::Observe| Uptime(0));
        Self { due, delay_ms: *LISTEN_DELAY_MS.start(), open: None }
    }

    /// When it wants to ask.
    pub(crate) fn due(&self) -> Option<Uptime> {
        self.due
    }

    /// Can be read when somebody calls.
    pub(crate) fn calls(&self) -> Option<BorrowedFd<'_>> {
        self.open.as_ref().map(AsFd::as_fd)
    }

    /// Whether somebody called.
    pub(crate) fn called(&mut self, now: Uptime) -> bool {
        let Some(open) = &mut self.open else { return false };
        open.called().unwrap_or_else(|error| {
            log::info!("nobody calls any more, asking again in a while: {error}");
            (self.open, self.due) = (None, Some(now.after(self.delay_ms)));
            false
        })
    }

    /// Asks to be called if that is due. Asking again moves to a new socket, so that an address that was translated
    /// differently meanwhile is of no matter.
    pub(crate) fn ask(&mut self, talking: &Talking, now: Uptime, entropy: u64) {
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        let pause_ms = match talking.listen() {
            Ok(open) => {
                let lasts_ms = u64::try_from(open.lasts().as_millis()).unwrap_or(u64::MAX);
                log::info!("listening for calls, for {} s", lasts_ms / 1_000);
                (self.open, self.delay_ms) = (Some(open), *LISTEN_DELAY_MS.start());
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
        let spread_ms = pause_ms / 4;
        let early_ms = entropy.checked_rem(spread_ms).unwrap_or(0);
        self.due = Some(now.after(pause_ms.saturating_sub(early_ms)));
    }
}
