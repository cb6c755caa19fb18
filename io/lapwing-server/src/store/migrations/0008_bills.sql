CREATE TABLE documents (
    release BLOB NOT NULL REFERENCES releases (digest), kind TEXT NOT NULL,
    digest BLOB NOT NULL REFERENCES blobs (digest), PRIMARY KEY (release, kind)) STRICT, WITHOUT ROWID;
CREATE INDEX documents_by_digest ON documents (digest);
CREATE TABLE parts (
    bill BLOB NOT NULL REFERENCES blobs (digest), number INTEGER NOT NULL, name TEXT NOT NULL,
    version TEXT NOT NULL, licence TEXT NOT NULL, sought TEXT NOT NULL, purl TEXT NOT NULL,
    PRIMARY KEY (bill, number)) STRICT, WITHOUT ROWID;
CREATE INDEX parts_by_name ON parts (name);
