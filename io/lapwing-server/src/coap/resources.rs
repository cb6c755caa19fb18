//! What is to be had, and under which path; the answers themselves come from `device_plane`.
//!
//! Touches: files of artifacts. Source: formats/coap.md.
//! Never: gives an artifact to a device that has no open offer for it, or anything but trust documents to a stranger.

use super::bodies::{Bodies, Came};
use super::observers::Observer;
use super::reply::Reply;
use crate::access::record;
use crate::app::App;
use crate::device_plane;
use crate::problem::Problem;
use crate::store::Device;
use crate::wake::listens;
use axum::http::StatusCode;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lapwing_coap::{Code, Etag, MAX_AGE_S_UNSAID, Message, OptionNumber, Part, Representation, Wish};
use lapwing_core::{Digest, Uptime};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Options that are understood.
const KNOWN: &[OptionNumber] = &[
    OptionNumber::URI_HOST,
    OptionNumber::URI_PORT,
    OptionNumber::URI_PATH,
    OptionNumber::BLOCK2,
    OptionNumber::BLOCK1,
];

/// Characters of an artifact's digest that must be given at least.
const ARTIFACT_NAME_LEN_MIN: usize = 6;
/// A root document never changes.
const ROOT_MAX_AGE_S: u32 = 31_536_000;

/// What a request is about.
enum Subject<'a> {
    CheckIn,
    Report,
    Wake,
    Delegation,
    Root(u32),
    Artifact(&'a str),
    Nothing(Code),
}

fn subject<'a>(request: &Message<'a>) -> Subject<'a> {
    if request.options.unknown_critical(KNOWN).is_some() {
        return Subject::Nothing(Code::BAD_OPTION);
    }
    let path: Vec<&[u8]> = request.options.all(OptionNumber::URI_PATH).take(3).collect();
    match (request.code, path.as_slice()) {
        (Code::POST, []) => Subject::CheckIn,
        (Code::POST, [b"r"]) => Subject::Report,
        (Code::GET, [b"w"]) => Subject::Wake,
        (Code::GET, [b"t", b"d"]) => Subject::Delegation,
        (Code::GET, [b"t", version]) => {
            let version = std::str::from_utf8(version).ok().and_then(|text| text.parse().ok());
            version.map_or(Subject::Nothing(Code::NOT_FOUND), Subject::Root)
        }
        (Code::GET, [name]) => {
            let name = std::str::from_utf8(name).ok().filter(|name| name.len() >= ARTIFACT_NAME_LEN_MIN);
            name.map_or(Subject::Nothing(Code::NOT_FOUND), Subject::Artifact)
        }
        (Code::GET | Code::POST, _) => Subject::Nothing(Code::NOT_FOUND),
        _ => Subject::Nothing(Code::METHOD_NOT_ALLOWED),
    }
}

/// Everything that is to be had.
#[derive(Default)]
pub(super) struct Resources(Bodies);

impl Resources {
    /// What anybody may have.
    pub(super) fn open(&self, app: &App, request: &Message<'_>) -> Reply {
        match subject(request) {
            Subject::Nothing(code) => Reply::code(code),
            subject => trust(app, &subject, request).unwrap_or_else(|| Reply::code(Code::UNAUTHORIZED)),
        }
    }

    /// What this device gets, which could be called as `observer`.
    pub(super) async fn sealed(
        &self,
        app: &App,
        (device, observer): (&Arc<Device>, Observer),
        now: Uptime,
        request: &Message<'_>,
    ) -> Reply {
        let address = observer.from.ip();
        let what = match subject(request) {
            Subject::Nothing(code) => return Reply::code(code),
            Subject::CheckIn => "POST /",
            Subject::Report => "POST /r",
            Subject::Wake => return wake(app, (device, observer), request),
            Subject::Artifact(name) => return artifact(app, device, name, request).await,
            subject => {
                return trust(app, &subject, request).unwrap_or_else(|| Reply::code(Code::NOT_FOUND));
            }
        };
        let body = match self.0.take(now, &device.id, request) {
            Came::Reply(reply) => return reply,
            Came::Whole(body) => body,
        };
        let done = match what {
            "POST /" => check_in(app, device, body).await,
            _ => device_plane::take(app, device, &body).await.map(|()| Vec::new()),
        };
        let status = done.as_ref().map_or_else(Problem::status, |_| StatusCode::OK);
        record(app, Some(device.id.to_string()), address.to_string(), format!("CoAP {what}"), status);
        match done {
            Ok(answer) => self.0.give(now, &device.id, answer),
            Err(problem) => problem.into(),
        }
    }
}

/// Takes a device up among those that are called, or lets it go.
fn wake(app: &App, (device, observer): (&Arc<Device>, Observer), request: &Message<'_>) -> Reply {
    let observers = &app.wake.observers;
    Reply::wake(match Wish::of(request) {
        Some(Wish::Register) => {
            let place = observers.put(&device.id, observer);
            let looked = listens(app, device);
            drop(looked.inspect_err(|error| tracing::debug!(%error, "whether something waits is not known")));
            place
        }
        Some(Wish::Deregister) => {
            observers.remove(&device.id);
            None
        }
        None => None,
    })
}

async fn check_in(app: &App, device: &Arc<Device>, body: Vec<u8>) -> Result<Vec<u8>, Problem> {
    let asked = async { Ok((Arc::clone(device), body.into())) };
    device_plane::answer(app, asked).await?.spell()
}

/// A trust document, if that is what is asked for.
fn trust(app: &App, subject: &Subject<'_>, request: &Message<'_>) -> Option<Reply> {
    let trust = app.trust();
    let (document, max_age_s) = match subject {
        Subject::Delegation => (trust.delegation_envelope(), MAX_AGE_S_UNSAID),
        Subject::Root(version) => (trust.root_envelope(*version), ROOT_MAX_AGE_S),
        _ => return None,
    };
    let Some(document) = document else { return Some(Reply::code(Code::NOT_FOUND)) };
    let representation = representation(Digest::of(document), document.len() as u64, max_age_s)?;
    let part = representation.part(request);
    let bytes = match &part {
        Part::Content(range, _) => document.get(range.start as usize..range.end as usize)?.to_vec(),
        Part::Unchanged | Part::Refused(_) => Vec::new(),
    };
    Some(Reply::of_part(representation, part, bytes))
}

fn representation(digest: Digest, size_bytes: u64, max_age_s: u32) -> Option<Representation> {
    let etag = Etag::new(digest.as_bytes().first_chunk::<2>()?)?;
    Some(Representation { size_bytes: u32::try_from(size_bytes).ok()?, etag, max_age_s })
}

/// A block of the artifact that the device was offered.
async fn artifact(app: &App, device: &Arc<Device>, name: &str, request: &Message<'_>) -> Reply {
    let offered = device_plane::offered(app, device);
    let named = |digest: &Digest| BASE64_URL_SAFE_NO_PAD.encode(digest.as_bytes()).starts_with(name);
    let Some(digest) = offered.filter(named) else { return Reply::code(Code::FORBIDDEN) };
    let path = app.blobs.path(digest);
    let (file, size_bytes) = match tokio::task::spawn_blocking(move || device_plane::open(&path)).await {
        Ok(Ok(opened)) => opened,
        _ => return Reply::code(Code::INTERNAL),
    };
    let Some(representation) = representation(digest, size_bytes, MAX_AGE_S_UNSAID) else {
        return Reply::code(Code::NOT_FOUND);
    };
    let part = representation.part(request);
    let Part::Content(range, _) = part.clone() else {
        return Reply::of_part(representation, part, Vec::new());
    };
    let read = move || {
        let mut bytes = vec![0; range.len()];
        file.read_exact_at(&mut bytes, range.start.into()).map(|()| bytes)
    };
    let Ok(Ok(bytes)) = tokio::task::spawn_blocking(read).await else { return Reply::code(Code::INTERNAL) };
    app.metrics.served(bytes.len() as u64);
    Reply::of_part(representation, part, bytes)
}
