//! Where a running server spends its time and its memory.
//!
//! Touches: `pprof` for time, `heap_profile` for memory. One profile of time at a time.
//! Never: costs anything while nobody asks.

use super::auth::{Action, authorise};
use crate::app::App;
use crate::heap_profile::{HeapProfileError, heap_profile};
use crate::limits::{PROFILE_HZ, PROFILE_SECONDS_MAX};
use crate::problem::Problem;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use pprof::{Frames, ProfilerGuardBuilder, Report};
use serde::Deserialize;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use utoipa::IntoParams;

/// Libraries in whose midst a stack cannot be walked safely.
const BLOCKED: [&str; 4] = ["libc", "libgcc", "pthread", "vdso"];

/// For how long.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Span {
    /// 10 if not given.
    #[param(minimum = 1, maximum = 120)]
    seconds: Option<u32>,
}

/// Take a profile of time: folded stacks, one a line, as flame graph tools read them.
#[utoipa::path(get, path = "/debug/profile/cpu", security(("token" = ["admin"])), params(Span),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 409, description = "`profiling`")))]
pub(super) async fn cpu(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    span: Result<Query<Span>, QueryRejection>,
) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::Diagnose).await?;
    let Query(Span { seconds }) = span?;
    let seconds = seconds.unwrap_or(10);
    if !(1..=PROFILE_SECONDS_MAX).contains(&seconds) {
        return Err(Problem::bad_request("range", format!("seconds is 1 to {PROFILE_SECONDS_MAX}")));
    }
    let builder = ProfilerGuardBuilder::default().frequency(PROFILE_HZ).blocklist(&BLOCKED);
    let busy = |_| Problem::conflict("profiling", "another profile is being taken");
    let guard = builder.build().map_err(busy)?;
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    let folded = tokio::task::spawn_blocking(move || guard.report().build().map(|report| fold(&report)));
    let folded = folded.await.map_err(|error| Problem::internal(&error))?;
    let text = folded.map_err(|error| Problem::internal(&io::Error::other(error.to_string())))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

fn fold(report: &Report) -> String {
    let mut lines: Vec<String> = report.data.iter().map(|(frames, count)| line(frames, *count)).collect();
    lines.sort_unstable();
    lines.concat()
}

/// Outermost first, and the count last.
fn line(frames: &Frames, count: isize) -> String {
    let mut text = frames.thread_name.clone();
    for symbol in frames.frames.iter().rev().flatten() {
        let _ = write!(text, ";{symbol}");
    }
    let _ = writeln!(text, " {count}");
    text
}

/// Take a profile of memory: what is allocated now and by whom, as jemalloc writes it; jeprof and
/// `go tool pprof` read it.
#[utoipa::path(get, path = "/debug/profile/heap", security(("token" = ["admin"])),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 409, description = "`heap-profile`")))]
pub(super) async fn heap(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::Diagnose).await?;
    let dir = app.settings.data_dir.clone();
    let dumped = tokio::task::spawn_blocking(move || heap_profile(&dir));
    let bytes = dumped.await.map_err(|error| Problem::internal(&error))?;
    let bytes = bytes.map_err(|why| match why {
        HeapProfileError::Off(how) => Problem::conflict("heap-profile", how),
        HeapProfileError::Io(error) => Problem::internal(&error),
    })?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}
