//! Webhooks: every endpoint is told of the events it wants, in their order, at least once each.
//!
//! Touches: the event log, the endpoints' places in it, the clock, `mqtt`. `post` sends one message, `signing` signs
//! it, `lapwing_fleet::after_try` says what follows. Each is a task while it is due.
//! Never: in the way of a device; an endpoint that is away holds up nobody but itself.

mod post;
mod signing;

pub(crate) use post::{Post, is_broker, is_endpoint};
pub(crate) use signing::WebhookSecret;

use post::{message, test_message};

use crate::app::App;
use crate::limits::{WEBHOOK_BATCH, WEBHOOK_LEASE_S};
use crate::listen::told_to_stop;
use crate::store::{
    EventRow, StoreError, WebhookRow, drop_dead_letter, events_after, lease_webhook, move_webhook,
    put_dead_letter, webhooks,
};
use lapwing_fleet::{Next, Taken, after_try};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// Runs until `stop` says so. What is under way then is told again by the next server.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut rounds = tokio::time::interval(app.settings.webhook_interval);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            () = told_to_stop(&mut stop) => return,
            _ = rounds.tick() => {}
        }
        while tasks.try_join_next().is_some() {}
        match due(&app).await {
            Ok(due) => {
                for webhook in due {
                    tasks.spawn(tell(Arc::clone(&app), webhook));
                }
            }
            Err(error) => tracing::warn!(%error, "webhooks wait"),
        }
    }
}

/// Endpoints that may be told something now, and are by this server.
async fn due(app: &App) -> Result<Vec<(WebhookRow, Vec<EventRow>)>, StoreError> {
    let now = app.now();
    let waiting = app.store.read(move |c| {
        let due = webhooks(c)?.into_iter().filter(|webhook| !webhook.paused && webhook.due <= now);
        let with_events = |webhook: WebhookRow| {
            let events = events_after(c, webhook.place, None, WEBHOOK_BATCH)?;
            Ok((webhook, events))
        };
        due.map(with_events).collect::<Result<Vec<_>, StoreError>>()
    });
    let mut mine = Vec::new();
    for (webhook, events) in waiting.await? {
        if events.is_empty() {
            continue;
        }
        let (found, until) = (webhook.clone(), now.after(WEBHOOK_LEASE_S));
        if app.store.write(move |c| lease_webhook(c, &found, until)).await? {
            mine.push((WebhookRow { due: until, ..webhook }, events));
        }
    }
    Ok(mine)
}

/// Sends what waits for one endpoint until something is not taken, and writes down how far it came.
async fn tell(app: Arc<App>, (mut webhook, events): (WebhookRow, Vec<EventRow>)) {
    let leased = webhook.due;
    let mut set_aside = Vec::new();
    webhook.due = app.now();
    for event in events {
        let next = match is_wanted(&webhook.events, &event.name) {
            true => send(&app, &mut webhook, &event).await,
            false => Next::GoOn,
        };
        match next {
            Next::GoOn => {}
            Next::SetAside => set_aside.push(event.id),
            Next::Again(at) => {
                (webhook.failures, webhook.due) = (webhook.failures.saturating_add(1), at);
                break;
            }
            Next::Pause => {
                webhook.paused = true;
                break;
            }
        }
        (webhook.place, webhook.failures) = (event.id, 0);
    }
    let now = app.now();
    let written = app.store.write(move |c| -> Result<(), StoreError> {
        for event in set_aside {
            put_dead_letter(c, &webhook.name, event, now, &webhook.last)?;
        }
        move_webhook(c, &webhook, leased)
    });
    if let Err(error) = written.await {
        tracing::warn!(%error, "a webhook's place was not written down; it is told again");
    }
}

async fn send(app: &App, webhook: &mut WebhookRow, event: &EventRow) -> Next {
    let (now, chance) = (app.now(), getrandom::u64().unwrap_or(0));
    let message = message(&source(app), event);
    let outcome = app.post.send(webhook, &message, now).await;
    let taken = outcome.taken;
    webhook.last = outcome.words;
    app.metrics.webhook(if taken == Taken::Yes { "ok" } else { "failed" });
    let next = after_try(taken, webhook.failures, now, chance);
    match next {
        Next::SetAside => {
            tracing::error!(
                webhook = webhook.name,
                event = event.id,
                last = webhook.last,
                "an event was set aside"
            );
        }
        Next::Pause => tracing::error!(webhook = webhook.name, "the endpoint is gone; it is paused"),
        Next::GoOn | Next::Again(_) => {}
    }
    next
}

/// Sends one event that was set aside again, now.
pub(crate) async fn send_again(
    app: &App,
    webhook: &WebhookRow,
    event: &EventRow,
) -> Result<bool, StoreError> {
    let outcome = app.post.send(webhook, &message(&source(app), event), app.now()).await;
    if outcome.taken != Taken::Yes {
        return Ok(false);
    }
    let (name, id) = (webhook.name.clone(), event.id);
    app.store.write(move |c| drop_dead_letter(c, &name, id)).await?;
    Ok(true)
}

/// Sends a message that only says that the way is open; whether it was taken, and what came back.
pub(crate) async fn send_test(app: &App, webhook: &WebhookRow) -> (bool, String) {
    let (now, id) = (app.now(), format!("test-{}", getrandom::u64().unwrap_or(0)));
    let outcome = app.post.send(webhook, &test_message(&source(app), &id, now), now).await;
    (outcome.taken == Taken::Yes, outcome.words)
}

/// Where events come from, as CloudEvents name it.
fn source(app: &App) -> String {
    match app.trust().anchor() {
        Some(anchor) => format!("urn:lapwing:fleet:{}", anchor.root().fleet),
        None => "urn:lapwing:fleet".to_owned(),
    }
}

/// Whether a list of names, or of their beginnings up to a dot, has this one; an empty list has all.
fn is_wanted(list: &str, name: &str) -> bool {
    let has =
        |wanted: &str| name.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    list.is_empty() || list.split_whitespace().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_wanted_whole_or_up_to_a_dot() {
        let check =
            |list: &str, name: &str, expected| assert_eq!(is_wanted(list, name), expected, "{list}: {name}");
        check("", "update.confirmed", true);
        check("update", "update.confirmed", true);
        check("update.confirmed rollout", "rollout.halted", true);
        check("update.confirm", "update.confirmed", false);
        check("device", "update.confirmed", false);
    }
}
