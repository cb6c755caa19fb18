//! The documents of a release: the bill of materials and the notes that it names, attestations given later, and
//! who signed it.
//!
//! Touches: blobs. What is read was checked when it was published. Never: shows what no release names.

use super::auth::{Action, authorise};
use super::read_json;
use crate::app::App;
use crate::limits::ATTESTATION_BYTES_MAX;
use crate::problem::Problem;
use crate::publish::{IngestError, predicate_type, read_document};
use crate::store::{DocumentKind, StoreError, log_command, put_document, release_envelope};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use lapwing_core::envelope::{Context, Envelope, Kind, SignatureEntry};
use lapwing_core::trust::RoleName;
use lapwing_core::{Digest, Release, TrustAnchor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// What a release says to people.
#[derive(Serialize, ToSchema)]
#[schema(as = ReleaseNotes)]
pub(super) struct NotesAnswer {
    notes: String,
}

/// Show the bill of materials of a release, as it was pushed.
#[utoipa::path(get, path = "/api/v1/releases/{digest}/sbom", security(("token" = ["viewer"])),
    params(("digest" = String, Path, description = "SHA-256 of the release")),
    responses((status = 200, body = Value)))]
pub(super) async fn bill(
    State(app): State<Arc<App>>,
    Path(digest): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let bytes = document(&app, &digest, |release| release.sbom).await?;
    serde_json::from_slice(&bytes).map(Json).map_err(|error| Problem::internal(&error))
}

/// Show the notes of a release.
#[utoipa::path(get, path = "/api/v1/releases/{digest}/notes", security(("token" = ["viewer"])),
    params(("digest" = String, Path, description = "SHA-256 of the release")),
    responses((status = 200, body = NotesAnswer)))]
pub(super) async fn notes(
    State(app): State<Arc<App>>,
    Path(digest): Path<String>,
    headers: HeaderMap,
) -> Result<Json<NotesAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let bytes = document(&app, &digest, |release| release.notes).await?;
    String::from_utf8(bytes)
        .map(|notes| Json(NotesAnswer { notes }))
        .map_err(|error| Problem::internal(&error))
}

/// A key that signed a release.
#[derive(Serialize, ToSchema)]
#[schema(as = ReleaseSignature)]
pub(super) struct SignatureAnswer {
    /// Its id.
    key: String,
    algorithm: &'static str,
    /// Whether it is a release key of the present root document, and the signature is good.
    believed: bool,
}

/// List the keys that signed a release.
#[utoipa::path(get, path = "/api/v1/releases/{digest}/signatures", security(("token" = ["viewer"])),
    params(("digest" = String, Path, description = "SHA-256 of the release")),
    responses((status = 200, body = Vec<SignatureAnswer>)))]
pub(super) async fn signatures(
    State(app): State<Arc<App>>,
    Path(digest): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Vec<SignatureAnswer>>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let (release, _) = released(&app, &digest)?;
    let bytes = app.store.read(move |c| release_envelope(c, release)).await?;
    let bytes = bytes.ok_or_else(|| Problem::not_found("no such release"))?;
    let envelope = Envelope::parse(&bytes).map_err(|error| Problem::internal(&error))?;
    let trust = app.trust();
    let root = trust.anchor().map(TrustAnchor::root);
    let believed = |id| {
        root.is_some_and(|root| {
            let context = Context { kind: Kind::Release, fleet: root.fleet, session: None };
            let mut keys = root.keys_of(RoleName::Release).filter(|key| key.id() == id);
            keys.any(|key| envelope.is_signed_by(key, &context))
        })
    };
    let answer = |entry: &SignatureEntry| SignatureAnswer {
        key: entry.key.to_string(),
        algorithm: entry.algorithm.label(),
        believed: believed(entry.key),
    };
    Ok(Json(envelope.signatures.iter().map(answer).collect()))
}

/// What is attested of a release's image.
#[derive(Serialize, ToSchema)]
#[schema(as = Attestation)]
pub(super) struct AttestationAnswer {
    /// What kind of statement it is: a URI.
    predicate_type: String,
    /// SHA-256 of the document.
    document: String,
}

/// A document that was uploaded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAttestation)]
pub(super) struct Attested {
    /// SHA-256 of an in-toto statement about the image, in JSON, in a DSSE envelope or without.
    document: String,
}

/// List what is attested of a release's image.
#[utoipa::path(get, path = "/api/v1/releases/{digest}/attestations", security(("token" = ["viewer"])),
    params(("digest" = String, Path, description = "SHA-256 of the release")),
    responses((status = 200, body = Vec<AttestationAnswer>)))]
pub(super) async fn attestations(
    State(app): State<Arc<App>>,
    Path(digest): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Vec<AttestationAnswer>>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let (release, _) = released(&app, &digest)?;
    let listed = app.store.read(move |c| crate::store::attestations(c, release)).await?;
    let answer = |(predicate_type, document): (String, Digest)| AttestationAnswer {
        predicate_type,
        document: document.to_string(),
    };
    Ok(Json(listed.into_iter().map(answer).collect()))
}

/// Attest something of a release's image. It takes the place of an earlier one of its predicate type.
#[utoipa::path(post, path = "/api/v1/releases/{digest}/attestations", security(("token" = ["release-manager"])),
    params(("digest" = String, Path, description = "SHA-256 of the release")), request_body = Attested,
    responses((status = 201, body = AttestationAnswer),
    (status = 422, description = "`document-missing`, `document`, `document-too-large`, `idempotency-mismatch`"),
    (status = 409, description = "`idempotency-busy`")))]
pub(super) async fn attest(
    State(app): State<Arc<App>>,
    Path(digest): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<AttestationAnswer>), Problem> {
    let caller = authorise(&app, &headers, Action::Publish).await?;
    let (release, image) = released(&app, &digest)?;
    let Attested { document } = read_json(&app, &headers, body).await?;
    let document: Digest = document
        .parse()
        .map_err(|_| Problem::bad_request("document", "a document is named by its SHA-256"))?;
    let bytes = read_document(&app, document, ATTESTATION_BYTES_MAX).await?;
    let predicate_type =
        predicate_type(&bytes, image).map_err(|error| IngestError::Attestation(document, error))?;
    let kind = DocumentKind::Attestation(predicate_type.clone());
    let done = caller.did("release.attested", release, app.now()).after(&predicate_type);
    app.store
        .write(move |c| -> Result<(), StoreError> {
            put_document(c, release, &kind, document)?;
            log_command(c, &done)
        })
        .await?;
    let answer = AttestationAnswer { predicate_type, document: document.to_string() };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// A release of the catalogue, and its image.
fn released(app: &App, digest: &str) -> Result<(Digest, Digest), Problem> {
    let catalogue = app.catalogue();
    let entry = digest.parse().ok().and_then(|release: Digest| catalogue.release(release));
    let entry = entry.ok_or_else(|| Problem::not_found("no such release"))?;
    Ok((entry.release.envelope(), entry.release.image))
}

async fn document(
    app: &App,
    release: &str,
    which: impl Fn(&Release) -> Option<Digest>,
) -> Result<Vec<u8>, Problem> {
    let catalogue = app.catalogue();
    let entry = release.parse().ok().and_then(|release: Digest| catalogue.release(release));
    let named = entry.and_then(|entry| which(&entry.release));
    let path = named.map(|document| app.blobs.path(document));
    let path = path.ok_or_else(|| Problem::not_found("no such release, or it names no such document"))?;
    let read = tokio::task::spawn_blocking(|| std::fs::read(path)).await;
    read.unwrap_or_else(|error| Err(error.into())).map_err(|error| Problem::internal(&error))
}
