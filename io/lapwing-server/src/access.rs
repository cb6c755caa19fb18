//! The access log: which device asked what, from where, and what it was told.
//!
//! Touches: memory, bounded; housekeeping writes it. Never: makes a device wait, fails its request, or holds
//! a secret.

use crate::app::App;
use crate::limits::{ACCESS_PENDING_MAX, ACCESS_TEXT_BYTES_MAX};
use crate::store::{AccessRow, Store, StoreError, put_access};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where a request came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What is not written yet, the oldest first.
#[derive(Default)]
pub(crate) struct AccessLog(Mutex<Vec<AccessRow>>);

impl AccessLog {
    /// Notes a request; the server counts what finds no room.
    fn note(&self, row: AccessRow) -> bool {
        let mut pending = self.pending();
        let has_room = pending.len() < ACCESS_PENDING_MAX;
        if has_room {
            pending.push(row);
        }
        has_room
    }

    /// Writes what was noted, in one job. What cannot be written is let go.
    pub(crate) async fn flush(&self, store: &Store) -> Result<(), StoreError> {
        let rows = std::mem::take(&mut *self.pending());
        if rows.is_empty() {
            return Ok(());
        }
        store.write(move |c| put_access(c, &rows)).await
    }

    fn pending(&self) -> MutexGuard<'_, Vec<AccessRow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes how each request of a device ended.
pub(crate) async fn note(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_string());
    let device = device_in(request.headers());
    let asked = bounded(&format!("{} {}", request.method(), request.uri().path()));
    let answered = next.run(request).await;
    record(&app, device, peer.unwrap_or_default(), asked, answered.status());
    answered
}

/// Notes how what a device asked ended.
pub(crate) fn record(
    app: &App,
    device: Option<String>,
    address: String,
    request: String,
    status: StatusCode,
) {
    let row = AccessRow { time: app.now(), device, address, request, status: status.as_u16() };
    if !app.access.note(row) {
        app.metrics.access_lost();
    }
}

/// Who the request says it is from; its status says whether that was believed.
fn device_in(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let text = BASE64_STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let end = text.iter().position(|byte| *byte == b':')?;
    text.get(..end).map(|id| bounded(&String::from_utf8_lossy(id)))
}

fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(ACCESS_TEXT_BYTES_MAX / 4).collect()
}
