//! Images come in: streamed to the disk, checked against the name they were sent under.
//!
//! Touches: blobs. Never: holds an image in memory, or keeps one whose digest is another.

use super::auth::{Action, authorise};
use super::check_kind;
use crate::app::App;
use crate::blobs::{Blobs, Draft};
use crate::problem::{Problem, too_large};
use crate::store::{self, StoreError};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use lapwing_core::Digest;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Chunks that wait for the disk.
const CHUNKS_AHEAD: usize = 8;

/// Take an image in, under its SHA-256. What is there already is not read again.
#[utoipa::path(put, path = "/api/v1/blobs/{digest}", security(("token" = ["release-manager"])),
    params(("digest" = String, Path, description = "SHA-256 of the image, 64 hexadecimal digits")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "kept"), (status = 204, description = "kept already"),
        (status = 422, description = "`digest`: the bytes have another SHA-256 than their name")))]
pub(super) async fn put_blob(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::Publish).await?;
    check_kind(&headers, "application/octet-stream")?;
    let digest: Digest =
        name.parse().map_err(|_| Problem::bad_request("name", "a blob is named by its SHA-256"))?;
    if app.store.read(move |c| store::blob(c, digest)).await?.is_some() {
        return Ok(StatusCode::NO_CONTENT);
    }
    let (chunks, inbox) = mpsc::channel(CHUNKS_AHEAD);
    let blobs = app.blobs.clone();
    let written = tokio::task::spawn_blocking(move || write(&blobs, digest, inbox));
    let sent = receive(&app, body, chunks).await;
    let written = written.await.map_err(|error| Problem::internal(&error))?;
    sent?;
    let size_bytes = written?;
    let now = app.now();
    let done = caller.did("image.put", digest, now).after(size_bytes);
    app.store
        .write(move |c| -> Result<(), StoreError> {
            store::put_blob(c, digest, size_bytes, now)?;
            store::log_command(c, &done)
        })
        .await?;
    Ok(StatusCode::CREATED)
}

/// Hands the body on chunk by chunk. An empty chunk at the end says that it was whole.
async fn receive(app: &App, mut body: Body, chunks: mpsc::Sender<Bytes>) -> Result<(), Problem> {
    let bytes_max = app.settings.image_bytes_max;
    let mut size_bytes = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::bad_request("cut-short", "the body ended early"))?;
        let Ok(chunk) = frame.into_data() else { continue };
        size_bytes = size_bytes.saturating_add(chunk.len() as u64);
        if size_bytes > bytes_max {
            return Err(too_large(usize::try_from(bytes_max).unwrap_or(usize::MAX)));
        }
        if !chunk.is_empty() && chunks.send(chunk).await.is_err() {
            // The writer says why.
            return Ok(());
        }
    }
    drop(chunks.send(Bytes::new()).await);
    Ok(())
}

fn write(blobs: &Blobs, digest: Digest, mut inbox: mpsc::Receiver<Bytes>) -> Result<u64, Problem> {
    let failed = |error: std::io::Error| Problem::from(StoreError::from(error));
    let mut draft: Draft = blobs.draft().map_err(failed)?;
    while let Some(chunk) = inbox.blocking_recv() {
        if !chunk.is_empty() {
            draft.write(&chunk).map_err(failed)?;
            continue;
        }
        if draft.digest() != digest {
            let detail = "the bytes have another SHA-256 than their name";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "digest", detail));
        }
        return blobs.keep(draft).map(|(_, size_bytes)| size_bytes).map_err(failed);
    }
    Err(Problem::bad_request("cut-short", "the body ended early"))
}
