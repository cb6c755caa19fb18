//! Webhooks: endpoints that are told of events, made, looked at, paused, tried and taken away.
//!
//! Touches: their tables; `crate::webhooks` for a message at once. A secret is shown when it is made.
//! Never: shows a secret again.

use super::auth::{Action, Caller, authorise, recorded};
use super::paging::{Page, cut, rows_max};
use super::read_json;
use crate::app::App;
use crate::limits::{BROKER_LOGIN_BYTES_MAX, REDELIVERY_S_MAX, WEBHOOK_EVENTS_BYTES_MAX, WEBHOOKS_MAX};
use crate::problem::Problem;
use crate::store::{
    DeadLetter, EventRow, Sql, StoreError, WebhookRow, dead_letters, drop_webhook, last_event, log_command,
    new_webhook, pause_webhook, webhook, webhooks,
};
use crate::webhooks::{WebhookSecret, is_broker, is_endpoint, send_again, send_test};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use lapwing_core::{Name, UnixSeconds};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// A webhook to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookOrder)]
pub(super) struct Make {
    /// At most 32 of A-Z a-z 0-9 . _ - + ~
    name: String,
    /// `https`, or plain `http` on the server's machine; or the broker that messages are published to, `mqtts`, or
    /// plain `mqtt` on the server's machine, with the beginning of their topics as its path.
    url: String,
    /// What a broker wants to hear, `user:password`. It is never shown.
    #[schema(max_length = 256)]
    login: Option<String>,
    /// Names of events, or their beginnings up to a dot; all if there is none.
    #[serde(default)]
    events: Vec<String>,
}

/// A webhook with its secret, shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = NewWebhook)]
pub(super) struct Made {
    #[serde(flatten)]
    webhook: WebhookAnswer,
    /// What verifies the signatures of its messages, as Standard Webhooks spells it; none for a broker.
    secret: Option<String>,
}

/// A webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookAnswer {
    name: String,
    url: String,
    events: Vec<String>,
    /// Nothing is sent until somebody resumes it.
    paused: bool,
    /// Tries of the next message that failed.
    failures: u32,
    /// When it is tried again, if it failed.
    due: Option<u64>,
    /// How the last try ended; empty before the first.
    last: String,
    /// Events of the log that it was not asked about yet.
    behind: u64,
    /// Events that it would not take.
    dead_letters: u64,
    made: u64,
}

/// Webhooks, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhooks)]
pub(super) struct WebhooksAnswer {
    webhooks: Vec<WebhookAnswer>,
    cursor: Option<String>,
}

/// An event that a webhook would not take.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(super) struct DeadLetterAnswer {
    event: EventRow,
    /// When it was set aside.
    time: u64,
    /// How the last try ended.
    last: String,
}

/// Events that a webhook would not take, the oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetters)]
pub(super) struct DeadLettersAnswer {
    dead_letters: Vec<DeadLetterAnswer>,
}

/// How many messages to send again.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Limit {
    /// At most; 500 if not given.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// How a test went.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookTest)]
pub(super) struct TestAnswer {
    /// Whether the endpoint took it.
    taken: bool,
    /// What came back, in words.
    outcome: String,
}

/// What became of events sent again.
#[derive(Serialize, ToSchema)]
#[schema(as = Redelivery)]
pub(super) struct RedeliveryAnswer {
    taken: u64,
    /// Still set aside.
    left: u64,
}

/// Make a webhook, and show its secret this once.
#[utoipa::path(post, path = "/api/v1/webhooks", security(("token" = ["admin"])), request_body = Make,
    responses((status = 201, body = Made)))]
pub(super) async fn make(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let caller = authorise(&app, &headers, Action::ManageWebhooks).await?;
    let Make { name, url, login, events } = read_json(&app, &headers, body).await?;
    if name.parse::<Name<32>>().is_err() {
        return Err(Problem::bad_request("name", "a webhook is named by 1 to 32 of A-Z a-z 0-9 . _ - + ~"));
    }
    if !is_endpoint(&url) {
        let detail = "the URL of a webhook is https or mqtts, or plain http or mqtt on the server's machine, without a password";
        return Err(Problem::bad_request("url", detail));
    }
    let word = |event: &String| {
        !event.is_empty() && event.bytes().all(|byte| byte.is_ascii_lowercase() || b".-".contains(&byte))
    };
    let events = events.iter().all(word).then(|| events.join(" "));
    let events = events.filter(|events| events.len() <= WEBHOOK_EVENTS_BYTES_MAX).ok_or_else(|| {
        Problem::bad_request("name", "an event is named by lower-case letters, dots and dashes")
    })?;
    let (secret, shown) = secret(&url, login)?;
    let row = WebhookRow {
        name,
        url,
        secret,
        events,
        place: 0,
        failures: 0,
        due: UnixSeconds(0),
        paused: false,
        last: String::new(),
        made: app.now(),
        dead_letters: 0,
    };
    let kept = row.clone();
    let after = json!({ "url": row.url, "events": row.events });
    let command = caller.did("webhook.make", &row.name, row.made).after(after);
    let made = app.store.write(move |c| -> Result<Result<(), Problem>, StoreError> {
        if webhooks(c)?.len() >= WEBHOOKS_MAX {
            let detail = format!("there are {WEBHOOKS_MAX} webhooks already; remove one first");
            return Ok(Err(Problem::conflict("count", detail)));
        }
        Ok(match new_webhook(c, &kept)? {
            true => Ok(log_command(c, &command)?),
            false => Err(Problem::conflict("duplicate", "there is a webhook of this name")),
        })
    });
    made.await??;
    let webhook = describe(&row, 0);
    Ok((StatusCode::CREATED, Json(Made { webhook, secret: shown })))
}

/// What an endpoint knows this server by, and how it is shown, if it is.
fn secret(url: &str, login: Option<String>) -> Result<(Vec<u8>, Option<String>), Problem> {
    let fits = |login: &String| login.contains(':') && login.len() <= BROKER_LOGIN_BYTES_MAX;
    match (is_broker(url), login) {
        (true, login) if login.as_ref().is_none_or(fits) => {
            Ok((login.unwrap_or_default().into_bytes(), None))
        }
        (false, None) => {
            let secret =
                WebhookSecret::new().map_err(|error| Problem::internal(&std::io::Error::other(error)))?;
            let shown = secret.text();
            Ok((secret.0, Some(shown)))
        }
        _ => Err(Problem::bad_request("login", "a broker's login is user:password in at most 256 bytes")),
    }
}

/// List the webhooks.
#[utoipa::path(get, path = "/api/v1/webhooks", security(("token" = ["viewer"])), params(Page),
    responses((status = 200, body = WebhooksAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<WebhooksAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let Query(page) = page?;
    let described = app.store.read(|c| {
        let newest = last_event(c)?;
        Ok(webhooks(c)?.iter().map(|row| describe(row, newest)).collect())
    });
    let (webhooks, cursor) = cut(described.await?, &page, |webhook| webhook.name.clone())?;
    Ok(Json(WebhooksAnswer { webhooks, cursor }))
}

/// Show a webhook.
#[utoipa::path(get, path = "/api/v1/webhooks/{name}", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "its name")), responses((status = 200, body = WebhookAnswer)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<WebhookAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let described = app.store.read(move |c| {
        let Some(row) = webhook(c, &name)? else { return Ok(None) };
        Ok(Some(describe(&row, last_event(c)?)))
    });
    described.await?.map(Json).ok_or_else(no_such_webhook)
}

/// Take a webhook away, with what was set aside for it.
#[utoipa::path(delete, path = "/api/v1/webhooks/{name}", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "its name")),
    responses((status = 204, description = "it is told nothing any more")))]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::ManageWebhooks).await?;
    change(&app, &caller, ("webhook.remove", name), drop_webhook).await
}

/// Tell a webhook nothing until it is resumed.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/pause", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "its name")), responses((status = 204, description = "done")))]
pub(super) async fn pause(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::ManageWebhooks).await?;
    change(&app, &caller, ("webhook.pause", name), |c, name| pause_webhook(c, name, true)).await
}

/// Tell a webhook what happened since it was paused, or try at once what it did not take.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/resume", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "its name")), responses((status = 204, description = "done")))]
pub(super) async fn resume(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::ManageWebhooks).await?;
    change(&app, &caller, ("webhook.resume", name), |c, name| pause_webhook(c, name, false)).await
}

/// Send a webhook a message of the type `lapwing.webhook.test`, now.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/test", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "its name")), responses((status = 200, body = TestAnswer)))]
pub(super) async fn test(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<TestAnswer>, Problem> {
    authorise(&app, &headers, Action::ManageWebhooks).await?;
    let (taken, outcome) = send_test(&app, &found(&app, &name).await?).await;
    Ok(Json(TestAnswer { taken, outcome }))
}

/// List what a webhook would not take.
#[utoipa::path(get, path = "/api/v1/webhooks/{name}/dead-letters", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "its name"), Limit),
    responses((status = 200, body = DeadLettersAnswer)))]
pub(super) async fn set_aside(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    limit: Result<Query<Limit>, QueryRejection>,
) -> Result<Json<DeadLettersAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let limit = rows_max(limit?.limit)?;
    found(&app, &name).await?;
    let letters = app.store.read(move |c| dead_letters(c, &name, limit)).await?;
    let described = letters.into_iter().map(|DeadLetter { event, time, last }| DeadLetterAnswer {
        event,
        time: time.0,
        last,
    });
    Ok(Json(DeadLettersAnswer { dead_letters: described.collect() }))
}

/// Send a webhook once more what it would not take, now.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/dead-letters/redeliver", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "its name"), Limit),
    responses((status = 200, body = RedeliveryAnswer)))]
pub(super) async fn redeliver(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    limit: Result<Query<Limit>, QueryRejection>,
) -> Result<Json<RedeliveryAnswer>, Problem> {
    authorise(&app, &headers, Action::ManageWebhooks).await?;
    let limit = rows_max(limit?.limit)?;
    let row = found(&app, &name).await?;
    let of = name.clone();
    let letters = app.store.read(move |c| dead_letters(c, &of, limit)).await?;
    let mut taken = 0;
    let all = async {
        for letter in letters {
            // An endpoint that does not take one will not take the next either.
            if !send_again(&app, &row, &letter.event).await? {
                break;
            }
            taken += 1;
        }
        Ok::<_, StoreError>(())
    };
    // What time did not suffice for is left for the next request.
    tokio::time::timeout(Duration::from_secs(REDELIVERY_S_MAX), all).await.unwrap_or(Ok(()))?;
    let left = found(&app, &name).await?.dead_letters;
    Ok(Json(RedeliveryAnswer { taken, left }))
}

async fn found(app: &App, name: &str) -> Result<WebhookRow, Problem> {
    let name = name.to_owned();
    app.store.read(move |c| webhook(c, &name)).await?.ok_or_else(no_such_webhook)
}

fn no_such_webhook() -> Problem {
    Problem::not_found("no such webhook").advice("`lapwing webhook list` names them")
}

/// Does something to a webhook and writes down who did.
async fn change(
    app: &App,
    caller: &Caller,
    (action, name): (&str, String),
    job: fn(&Sql, &str) -> Result<bool, StoreError>,
) -> Result<StatusCode, Problem> {
    let command = caller.did(action, &name, app.now());
    let found = recorded(app, command, move |c| job(c, &name)).await?;
    found.then_some(StatusCode::NO_CONTENT).ok_or_else(no_such_webhook)
}

fn describe(row: &WebhookRow, newest: i64) -> WebhookAnswer {
    WebhookAnswer {
        name: row.name.clone(),
        url: row.url.clone(),
        events: row.events.split_whitespace().map(str::to_owned).collect(),
        paused: row.paused,
        failures: row.failures,
        due: (row.failures > 0).then_some(row.due.0),
        last: row.last.clone(),
        behind: u64::try_from(newest.saturating_sub(row.place)).unwrap_or(0),
        dead_letters: row.dead_letters,
        made: row.made.0,
    }
}
