CREATE TABLE trust_documents (
    kind TEXT NOT NULL, version INTEGER NOT NULL, envelope BLOB NOT NULL, stored INTEGER NOT NULL,
    PRIMARY KEY (kind, version)) STRICT, WITHOUT ROWID;
CREATE TABLE blobs (
    digest BLOB PRIMARY KEY, size INTEGER NOT NULL, stored INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE version_sets (
    version TEXT PRIMARY KEY, shelf TEXT NOT NULL, note TEXT NOT NULL, pushed INTEGER NOT NULL) STRICT;
CREATE TABLE releases (
    digest BLOB PRIMARY KEY, version TEXT NOT NULL REFERENCES version_sets (version),
    image BLOB NOT NULL REFERENCES blobs (digest), envelope BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE artifacts (
    target BLOB NOT NULL, base BLOB NOT NULL, profile INTEGER NOT NULL, codec INTEGER NOT NULL,
    digest BLOB NOT NULL, size INTEGER NOT NULL, is_delta INTEGER NOT NULL,
    PRIMARY KEY (target, base, profile)) STRICT, WITHOUT ROWID;
CREATE INDEX artifacts_by_digest ON artifacts (digest);
CREATE TABLE devices (
    id TEXT PRIMARY KEY, secret BLOB NOT NULL, said BLOB NOT NULL, boot_before BLOB,
    quarantine TEXT, pinned TEXT, update_now INTEGER NOT NULL, replaceable INTEGER NOT NULL,
    first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE running (
    device TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE, component TEXT NOT NULL,
    image BLOB NOT NULL, PRIMARY KEY (device, component)) STRICT, WITHOUT ROWID;
CREATE INDEX running_by_image ON running (image);
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    release BLOB NOT NULL, base BLOB NOT NULL, codec INTEGER NOT NULL, profile INTEGER NOT NULL,
    delta_from BLOB, artifact BLOB NOT NULL, artifact_size INTEGER NOT NULL, state TEXT NOT NULL,
    cause INTEGER, percent INTEGER NOT NULL, opened INTEGER NOT NULL, deadline INTEGER NOT NULL,
    ended INTEGER, forgiven INTEGER NOT NULL, full_image INTEGER NOT NULL) STRICT;
CREATE INDEX attempts_by_device ON attempts (device, id);
CREATE INDEX attempts_open ON attempts (deadline) WHERE ended IS NULL;
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, device TEXT, attempt INTEGER,
    number INTEGER, name TEXT NOT NULL, cause TEXT, blame TEXT, release BLOB, detail TEXT,
    UNIQUE (device, attempt, number)) STRICT;
CREATE INDEX events_by_device ON events (device, id);
CREATE TABLE claim_tokens (
    hash BLOB PRIMARY KEY, remaining INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE settings (name TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
