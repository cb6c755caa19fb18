//! Takes a version set in: every release verified, every image and document there, all of it or nothing.
//!
//! Touches: the trust anchor, the catalogue, the store. Blobs came before, one transaction comes last.
//! Never: stores a release that it could not open.

use super::attestation::AttestationError;
use super::bill::{BillError, Part, parts};
use crate::app::App;
use crate::limits::{BILL_BYTES_MAX, NOTES_BYTES_MAX, VERSION_SET_RELEASES_MAX};
use crate::store::{
    BlobRow, DocumentKind, ReleaseRow, Said, Sql, StoreError, VersionSetRow, blob, log_command, log_event,
    put_document, put_parts, put_release, put_version_set, version_set,
};
use lapwing_core::{Digest, OpenError, Release, Verified};
use lapwing_fleet::audit::Command;
use lapwing_fleet::{Catalogue, Shelf};

/// Why a version set is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IngestError {
    #[error("no root document yet")]
    NoRoot,
    #[error("a version set has 1 to {VERSION_SET_RELEASES_MAX} releases")]
    Count,
    #[error("release {at} is not believed: {error}")]
    Untrusted { at: usize, error: OpenError },
    #[error("the releases state different versions")]
    MixedVersions,
    #[error("two releases are for the same component and hardware class")]
    Twice,
    #[error("seq {seq} of {component} is not above the highest pushed, {highest}")]
    SeqNotNewer { component: String, seq: u64, highest: u64 },
    #[error("image {0} has not been uploaded")]
    ImageMissing(Digest),
    #[error("image {0} has another size than its release says")]
    ImageSize(Digest),
    #[error("image {0} needs more memory to pack than the server may use")]
    ImageTooLarge(Digest),
    #[error("document {0} has not been uploaded")]
    DocumentMissing(Digest),
    #[error("document {0} is larger than {1} bytes")]
    DocumentTooLarge(Digest, u64),
    #[error("the bill of materials {0} is not usable: {1}")]
    Bill(Digest, BillError),
    #[error("the notes {0} are not UTF-8")]
    Notes(Digest),
    #[error("the attestation {0} is not usable: {1}")]
    Attestation(Digest, AttestationError),
    #[error("version {0} was pushed before, with other releases")]
    Duplicate(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was pushed.
#[derive(Debug)]
pub(crate) struct Pushed {
    pub(crate) version: String,
    pub(crate) releases: Vec<Verified<Release>>,
    /// The very same version set was there already.
    pub(crate) again: bool,
}

/// Takes a version set in.
pub(crate) async fn ingest(
    app: &App,
    envelopes: Vec<Vec<u8>>,
    shelf: Shelf,
    note: String,
    done: Command,
) -> Result<Pushed, IngestError> {
    let _publishing = app.publishing.lock().await;
    let releases = open_all(app, &envelopes)?;
    let version = one_version(&releases)?;
    let catalogue = app.catalogue();
    let all_known = releases.iter().all(|release| catalogue.release(release.envelope()).is_some());
    let wanted = version.clone();
    if app.store.read(move |c| version_set(c, &wanted)).await?.is_some() {
        return match all_known {
            true => Ok(Pushed { version, releases, again: true }),
            false => Err(IngestError::Duplicate(version)),
        };
    }
    check_seqs(&releases, &catalogue)?;
    let mut documents = Vec::new();
    for release in &releases {
        check_image(app, release).await?;
        documents.extend(read_documents(app, release).await?);
    }
    let now = app.now();
    let digests: Vec<String> = releases.iter().map(|release| release.envelope().to_string()).collect();
    let after = serde_json::json!({ "state": shelf.label(), "releases": digests, "note": note });
    let done = Command { subject: version.clone(), ..done }.after(after);
    let row = VersionSetRow { version: version.clone(), shelf, note, pushed: now };
    let rows: Vec<ReleaseRow> = releases
        .iter()
        .zip(envelopes)
        .map(|(release, envelope)| ReleaseRow { version: version.clone(), image: release.image, envelope })
        .collect();
    app.store
        .write(move |c| -> Result<(), StoreError> {
            put_version_set(c, &row)?;
            rows.iter().try_for_each(|row| put_release(c, row))?;
            documents.iter().try_for_each(|document| put(c, document))?;
            log_command(c, &done)?;
            let detail = Some(row.version.clone());
            log_event(c, &Said { detail, ..Said::of_server(now, "version-set.pushed") }).map(drop)
        })
        .await?;
    app.reload_catalogue().await?;
    Ok(Pushed { version, releases, again: false })
}

fn open_all(app: &App, envelopes: &[Vec<u8>]) -> Result<Vec<Verified<Release>>, IngestError> {
    let trust = app.trust();
    let anchor = trust.anchor().ok_or(IngestError::NoRoot)?;
    if envelopes.is_empty() || envelopes.len() > VERSION_SET_RELEASES_MAX {
        return Err(IngestError::Count);
    }
    let open = |(at, envelope): (usize, &Vec<u8>)| {
        anchor.open_release(envelope).map_err(|error| IngestError::Untrusted { at, error })
    };
    envelopes.iter().enumerate().map(open).collect()
}

fn one_version(releases: &[Verified<Release>]) -> Result<String, IngestError> {
    let first = releases.first().ok_or(IngestError::Count)?;
    let same = releases.iter().all(|release| release.version == first.version);
    if same { Ok(first.version.as_str().to_owned()) } else { Err(IngestError::MixedVersions) }
}

fn check_seqs(releases: &[Verified<Release>], catalogue: &Catalogue) -> Result<(), IngestError> {
    let mut places = Vec::new();
    for release in releases {
        for class in &release.hardware {
            let place = (&release.component, *class);
            if places.contains(&place) {
                return Err(IngestError::Twice);
            }
            places.push(place);
            match catalogue.highest_seq(&release.component, *class) {
                Some(highest) if release.seq <= highest => {
                    let (component, seq) = (release.component.to_string(), release.seq);
                    return Err(IngestError::SeqNotNewer { component, seq, highest });
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// A document, and what is listed of it.
struct Document {
    release: Digest,
    kind: DocumentKind,
    digest: Digest,
    parts: Vec<Part>,
}

fn put(sql: &Sql, document: &Document) -> Result<(), StoreError> {
    put_document(sql, document.release, &document.kind, document.digest)?;
    put_parts(sql, document.digest, &document.parts)
}

/// What a release names beside its image, read and found to be what it should be.
async fn read_documents(app: &App, release: &Verified<Release>) -> Result<Vec<Document>, IngestError> {
    let mut documents = Vec::new();
    let document = |kind, digest, parts| Document { release: release.envelope(), kind, digest, parts };
    if let Some(digest) = release.sbom {
        let bytes = read_document(app, digest, BILL_BYTES_MAX).await?;
        let parts = parts(&bytes).map_err(|error| IngestError::Bill(digest, error))?;
        documents.push(document(DocumentKind::Bill, digest, parts));
    }
    if let Some(digest) = release.notes {
        let bytes = read_document(app, digest, NOTES_BYTES_MAX).await?;
        std::str::from_utf8(&bytes).map_err(|_| IngestError::Notes(digest))?;
        documents.push(document(DocumentKind::Notes, digest, Vec::new()));
    }
    Ok(documents)
}

/// A document that was uploaded.
pub(crate) async fn read_document(app: &App, digest: Digest, bytes_max: u64) -> Result<Vec<u8>, IngestError> {
    match app.store.read(move |c| blob(c, digest)).await? {
        None => Err(IngestError::DocumentMissing(digest)),
        Some(BlobRow { size_bytes }) if size_bytes > bytes_max => {
            Err(IngestError::DocumentTooLarge(digest, bytes_max))
        }
        Some(_) => {
            let path = app.blobs.path(digest);
            let read = tokio::task::spawn_blocking(|| std::fs::read(path)).await;
            Ok(read.unwrap_or_else(|error| Err(error.into())).map_err(StoreError::from)?)
        }
    }
}

async fn check_image(app: &App, release: &Release) -> Result<(), IngestError> {
    let image = release.image;
    let there: Option<BlobRow> = app.store.read(move |c| blob(c, image)).await?;
    match there {
        None => Err(IngestError::ImageMissing(image)),
        Some(BlobRow { size_bytes }) if size_bytes != release.image_size_bytes => {
            Err(IngestError::ImageSize(image))
        }
        Some(_) if !app.deltas.fits(release.image_size_bytes) => Err(IngestError::ImageTooLarge(image)),
        Some(_) => Ok(()),
    }
}
