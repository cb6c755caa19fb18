//! Changes as they happen: the event log as server-sent events.
//!
//! Touches: the store, which says when it has committed. A reader that comes back with `Last-Event-ID` gets
//! all that it missed. Never: keeps anything for a reader, who therefore can only slow down itself.

use super::auth::{Action, authorise};
use crate::app::App;
use crate::limits::{CHANGES_BEAT_S, CHANGES_PATIENCE_S, CHANGES_POLL_S, CHANGES_ROWS};
use crate::problem::Problem;
use crate::store::{EventRow, StoreError, event_ids, events_after};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use http_body_util::channel::{Channel, Sender};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, timeout};

/// Follow what happens, as server-sent events: each of the log's events is one, with its id. Begins with what
/// happens from now on, or behind `Last-Event-ID`. An event `gap` says that some were let go meanwhile.
#[utoipa::path(get, path = "/api/v1/changes", security(("token" = ["viewer"])),
    params(("Last-Event-ID" = Option<String>, Header, description = "the id of the last event that was read")),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub(super) async fn follow(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let place = Arc::clone(&app.followers).try_acquire_owned();
    let place = place.map_err(|_| Problem::busy(CHANGES_POLL_S))?;
    let (oldest, newest) = app.store.read(event_ids).await?;
    let said = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default().parse());
    let after = match said {
        None => newest,
        Some(Ok(after)) => after,
        Some(Err(_)) => return Err(Problem::bad_request("query", "Last-Event-ID is the id of an event")),
    };
    let (sender, body) = Channel::<Bytes, io::Error>::new(1);
    let gap = (after + 1 < oldest).then(|| format!("event: gap\ndata: {{\"oldest\":{oldest}}}\n\n"));
    tokio::spawn(tell(app, sender, after, gap, place));
    let head = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((head, Body::new(body)).into_response())
}

/// Tells one reader until it hangs up, takes too long, or the server stops.
async fn tell(
    app: Arc<App>,
    mut sender: Sender<Bytes, io::Error>,
    mut after: i64,
    gap: Option<String>,
    _place: OwnedSemaphorePermit,
) {
    let (mut commits, mut stopping) = (app.store.commits(), app.stop.subscribe());
    let mut said_last = Instant::now();
    // Something at once, so that whoever stands between passes the head on.
    let mut text = gap.unwrap_or_else(|| ": from here on\n\n".to_owned());
    loop {
        if !text.is_empty() {
            let sent = timeout(Duration::from_secs(CHANGES_PATIENCE_S), sender.send_data(text.into())).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
            said_last = Instant::now();
        }
        commits.mark_unchanged();
        text = match app.store.read(move |c| events_after(c, after, None, CHANGES_ROWS)).await {
            Ok(events) => {
                after = events.last().map_or(after, |event| event.id);
                events.iter().map(spelled).collect()
            }
            Err(StoreError::Closed) => return,
            // It says so itself, and comes back.
            Err(_) => String::new(),
        };
        if text.is_empty() {
            if !wait(&mut commits, &mut stopping).await {
                return;
            }
            if said_last.elapsed() >= Duration::from_secs(CHANGES_BEAT_S) {
                text = ": still here\n\n".to_owned();
            }
        }
    }
}

/// Waits for a commit, or a while, because other servers may write too; false once this one stops.
async fn wait(commits: &mut watch::Receiver<impl Sized>, stopping: &mut watch::Receiver<bool>) -> bool {
    let poll = Duration::from_secs(CHANGES_POLL_S.into());
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => false,
        _ = timeout(poll, commits.changed()) => true,
    }
}

fn spelled(event: &EventRow) -> String {
    let data = serde_json::to_string(event).unwrap_or_default();
    format!("id: {}\ndata: {data}\n\n", event.id)
}
