CREATE TABLE groups (
    name TEXT PRIMARY KEY, filter TEXT, purpose TEXT NOT NULL, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE group_devices (
    group_name TEXT NOT NULL REFERENCES groups (name) ON DELETE CASCADE, device TEXT NOT NULL,
    PRIMARY KEY (group_name, device)) STRICT, WITHOUT ROWID;
CREATE TABLE plans (
    name TEXT NOT NULL, revision INTEGER NOT NULL, plan TEXT NOT NULL, made INTEGER NOT NULL,
    PRIMARY KEY (name, revision)) STRICT, WITHOUT ROWID;
CREATE TABLE rollouts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, state TEXT NOT NULL, revision INTEGER NOT NULL,
    granted INTEGER NOT NULL, saved TEXT NOT NULL, made INTEGER NOT NULL) STRICT;
CREATE TABLE rollout_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, rollout INTEGER NOT NULL, time INTEGER NOT NULL, name TEXT NOT NULL,
    words TEXT NOT NULL, evidence TEXT) STRICT;
CREATE INDEX rollout_history_by_rollout ON rollout_history (rollout, id);
ALTER TABLE attempts ADD COLUMN rollout INTEGER;
ALTER TABLE attempts ADD COLUMN cell INTEGER;
ALTER TABLE attempts ADD COLUMN site INTEGER;
ALTER TABLE attempts ADD COLUMN switched INTEGER;
ALTER TABLE attempts ADD COLUMN heard INTEGER NOT NULL DEFAULT 0;
CREATE INDEX attempts_by_rollout ON attempts (rollout, device, id);
