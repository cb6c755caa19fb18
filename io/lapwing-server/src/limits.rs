//! Every limit of the server that is not a configuration key, in one place.

/// Largest JSON body on the management plane, bytes.
pub(crate) const MANAGEMENT_BODY_BYTES_MAX: usize = 1 << 20;
/// Releases in one version set.
pub(crate) const VERSION_SET_RELEASES_MAX: usize = 64;
/// Longest note on a version set, bytes.
pub(crate) const NOTE_BYTES_MAX: usize = 4096;
/// Longest name of a hardware class, bytes.
pub(crate) const HARDWARE_NAME_BYTES_MAX: usize = 128;
/// Rows in one page of a list.
pub(crate) const PAGE_ROWS_MAX: u32 = 500;
/// Pages of devices that one answer to a filter looks through; the next answer goes on behind them.
pub(crate) const FILTER_PAGES_MAX: usize = 20;
/// Longest name of a token, bytes.
pub(crate) const TOKEN_NAME_BYTES_MAX: usize = 64;
/// Longest life of a token that has an end, seconds.
pub(crate) const TOKEN_EXPIRES_S_MAX: u64 = 3_650 * 86_400;
/// How exactly it is known when a token was used last, seconds.
pub(crate) const TOKEN_USED_S: u64 = 3_600;
/// How long somebody stays signed in to the console, seconds.
pub(crate) const SESSION_S: u64 = 12 * 3_600;
/// Points of a curve over time.
pub(crate) const CURVE_POINTS: u64 = 96;
/// Longest time that a curve shows, seconds.
pub(crate) const CURVE_S_MAX: u64 = 366 * 86_400;
/// Values that are counted of one fact; of more the most frequent.
pub(crate) const FACT_VALUES_MAX: usize = 40;
/// Rows of failures alike that are shown of a rollout; of more those with the most.
pub(crate) const FAILURE_ROWS_MAX: usize = 200;
/// Facts whose values are counted.
pub(crate) const FACTS_COUNTED_MAX: usize = 32;
/// Answers about the whole fleet that are kept for a moment.
pub(crate) const OVERVIEWS_KEPT_MAX: usize = 32;
/// For how long at least, milliseconds.
pub(crate) const OVERVIEW_FRESH_MS: u64 = 1_000;
/// A walk through the fleet that takes longer is not waited for while there is an answer, milliseconds.
pub(crate) const OVERVIEW_WAIT_MS_MAX: u64 = 500;
/// And that answer is not older than this, seconds.
pub(crate) const OVERVIEW_AGE_S_MAX: u64 = 300;
/// Longest reason for a command, bytes.
pub(crate) const REASON_BYTES_MAX: usize = 1024;
/// Readers that follow changes at once.
pub(crate) const FOLLOWERS_MAX: usize = 64;
/// How often the store is asked for what other servers wrote, seconds.
pub(crate) const CHANGES_POLL_S: u32 = 2;
/// Longest silence towards a reader of changes, seconds.
pub(crate) const CHANGES_BEAT_S: u64 = 10;
/// How long a reader of changes may take to read on, seconds.
pub(crate) const CHANGES_PATIENCE_S: u64 = 30;
/// Events read and sent at a time.
pub(crate) const CHANGES_ROWS: u32 = 200;
/// Rows of the access log that wait to be written; more are counted and let go.
pub(crate) const ACCESS_PENDING_MAX: usize = 20_000;
/// Rows of the access log that are kept.
pub(crate) const ACCESS_KEPT: u64 = 500_000;
/// Longest text in a row of the access log, bytes.
pub(crate) const ACCESS_TEXT_BYTES_MAX: usize = 512;
/// Longest idempotency key, bytes.
pub(crate) const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;
/// Answers kept for requests that are made again.
pub(crate) const IDEMPOTENCY_ANSWERS_MAX: usize = 1024;
/// Largest answer that is kept, bytes.
pub(crate) const IDEMPOTENCY_ANSWER_BYTES_MAX: usize = 64 << 10;
/// How long they are kept, seconds.
pub(crate) const IDEMPOTENCY_KEPT_S: u64 = 86_400;
/// Write jobs that wait for the writer; more and callers wait.
pub(crate) const WRITE_QUEUE_MAX: usize = 1024;
/// Write jobs that share one commit.
pub(crate) const WRITE_BATCH_MAX: usize = 256;
/// Connections that read the store at once.
pub(crate) const READERS_MAX: usize = 4;
/// Longest wait for a connection to a database, seconds.
#[cfg(feature = "postgres")]
pub(crate) const DATABASE_CONNECT_S_MAX: u64 = 2;
/// A database that takes longer for one statement is as good as away, seconds.
#[cfg(feature = "postgres")]
pub(crate) const DATABASE_ANSWER_S_MAX: u64 = 10;
/// For so long after a database was not there nobody tries to reach it, milliseconds.
#[cfg(feature = "postgres")]
pub(crate) const DATABASE_REST_MS: u64 = 500;
/// How often a server looks what others on its database changed, milliseconds.
pub(crate) const FOLLOW_MS: u64 = 1_000;
/// Changed devices looked at together; more are looked at in the next round.
pub(crate) const CHANGES_AT_ONCE_MAX: u32 = 10_000;
/// Reports kept while the database is away, all together, bytes. Beyond it devices are told to come back.
pub(crate) const JOURNAL_BYTES_MAX: u64 = 64 << 20;
/// Endpoints that are told of events.
pub(crate) const WEBHOOKS_MAX: usize = 32;
/// Longest list of the events that one wants, bytes.
pub(crate) const WEBHOOK_EVENTS_BYTES_MAX: usize = 1024;
/// Longest URL of one, bytes.
pub(crate) const WEBHOOK_URL_BYTES_MAX: usize = 2048;
/// Longest login of a broker, bytes.
pub(crate) const BROKER_LOGIN_BYTES_MAX: usize = 256;
/// Longest time for one message, seconds.
pub(crate) const WEBHOOK_TIMEOUT_S: u64 = 10;
/// Events looked at in one turn of an endpoint.
pub(crate) const WEBHOOK_BATCH: u32 = 16;
/// A server that died over an endpoint keeps it from others for so long, seconds: longer than a turn can take.
pub(crate) const WEBHOOK_LEASE_S: u64 = WEBHOOK_BATCH as u64 * WEBHOOK_TIMEOUT_S + 30;
/// Largest bill of materials, bytes.
pub(crate) const BILL_BYTES_MAX: u64 = 16 << 20;
/// Bytes of an attestation.
pub(crate) const ATTESTATION_BYTES_MAX: u64 = 1 << 20;
/// Subjects of an attestation that are looked at.
pub(crate) const ATTESTATION_SUBJECTS_MAX: usize = 1_000;
/// Components in one.
pub(crate) const BILL_COMPONENTS_MAX: usize = 20_000;
/// Longest name, version, licence or package URL in one, bytes.
pub(crate) const BILL_TEXT_BYTES_MAX: usize = 512;
/// Largest notes of a release, bytes.
pub(crate) const NOTES_BYTES_MAX: u64 = 64 << 10;
/// Parts of images that one question after components looks at.
pub(crate) const AFFECTED_PARTS_MAX: u32 = 10_000;
/// Devices that the answer to it names.
pub(crate) const AFFECTED_DEVICES_MAX: u32 = 10_000;
/// Longest time that one request sends again what was set aside, seconds.
pub(crate) const REDELIVERY_S_MAX: u64 = 20;
/// Longest line of an export, bytes.
pub(crate) const EXPORT_LINE_BYTES_MAX: u64 = 16 << 20;
/// Ids of attempts and events left out after a restore: more than were given between any backup and its loss.
pub(crate) const RESTORE_IDS_SKIPPED: i64 = 1 << 24;
/// Statements that a connection to the store keeps prepared.
pub(crate) const STATEMENTS_CACHED_MAX: usize = 128;
/// Locks that keep the check-ins of one device in order.
pub(crate) const DEVICE_STRIPES: usize = 256;
/// Events kept of one attempt; a device that says more is believed no more.
pub(crate) const EVENTS_PER_ATTEMPT_MAX: u32 = 2000;
/// Bytes of an artifact read and sent at a time.
pub(crate) const ARTIFACT_CHUNK_BYTES: usize = 64 << 10;
/// Longest head of an HTTP request, bytes.
pub(crate) const HEAD_BYTES_MAX: usize = 16 << 10;
/// Files looked at when searching for keys that must not be here.
pub(crate) const KEY_SEARCH_FILES_MAX: usize = 4096;
/// Directories deep.
pub(crate) const KEY_SEARCH_DEPTH_MAX: u8 = 4;
/// Claims one token may be good for.
pub(crate) const CLAIM_COUNT_MAX: u32 = 1_000_000;
/// Longest life of a claim token, seconds.
pub(crate) const CLAIM_EXPIRES_S_MAX: u64 = 366 * 86_400;
/// Artifacts remembered as impossible.
pub(crate) const FAILED_MAX: usize = 10_000;
/// After this an artifact that could not be made may be asked for again, seconds.
pub(crate) const FAILED_REST_S: u64 = 3_600;
/// Workers that may die over one artifact.
pub(crate) const WORKER_TRIES_MAX: u32 = 3;
/// Age from which a blob that nothing names is swept at start, seconds.
pub(crate) const ORPHAN_AGE_S: u64 = 86_400;
/// Longest CPU profile, seconds.
pub(crate) const PROFILE_SECONDS_MAX: u32 = 120;
/// Samples of a CPU profile, per second of CPU time.
pub(crate) const PROFILE_HZ: i32 = 99;
/// Forgotten devices whose secret's hash is kept, so that they can be let in again.
pub(crate) const FORGOTTEN_MAX: u32 = 10_000;
/// When to come back while the database is away, seconds.
pub(crate) const DATABASE_AWAY_WAIT_S: u32 = 30;
/// Rollouts that are looked at; of more the newest.
pub(crate) const ROLLOUTS_LIVE_MAX: u32 = 256;
/// Rollouts are looked at again after this, though nothing changed that this server knows of, seconds.
pub(crate) const LOOK_AT_LEAST_S: u64 = 5;
/// And not again before this, whatever changes, milliseconds.
pub(crate) const LOOK_REST_MS: u64 = 500;
/// Nor before this many times what the last look took.
pub(crate) const LOOK_REST_TIMES: u32 = 4;
/// The whole fleet is asked again after this, while a rollout is under way, seconds.
pub(crate) const SURVEY_S: u64 = 60;
/// Devices that a finding names; of more the first.
pub(crate) const AFFECTED_DEVICES_SHOWN_MAX: usize = 20;
/// Devices listed in one group.
pub(crate) const GROUP_DEVICES_MAX: usize = 100_000;
/// Entries of a rollout's history that are shown; of more the newest.
pub(crate) const HISTORY_ROWS_MAX: u32 = 500;
/// Rollouts that reached everyone and make the history of what good releases had; of more the newest.
pub(crate) const HISTORY_ROLLOUTS_MAX: u32 = 5;
/// Configurations shown at once.
pub(crate) const CONFIGURATIONS_MAX: usize = 1_000;
/// Most frequent configurations that something must be tried on before everyone gets it.
pub(crate) const CONFIGURATIONS_TRIED: usize = 10;
/// How far boot failures are looked back for, days.
pub(crate) const TRIED_DAYS_MAX: u32 = 366;
/// Releases, hardware and bootloaders whose boot failures are counted apart; what comes later is counted together.
pub(crate) const BOOT_FAILURE_SERIES_MAX: usize = 200;
/// Highest number of a security context: five bytes on the wire.
pub(crate) const CONTEXT_ID_MAX: u64 = (1 << 40) - 1;
/// Sequence numbers that the server reserves with one write.
pub(crate) const OSCORE_NUMBERS_AT_ONCE: u64 = 1 << 16;
/// Sequence numbers left out after a restore: more than were used between any backup and its loss.
pub(crate) const RESTORE_OSCORE_NUMBERS_SKIPPED: i64 = 1 << 32;
/// Addresses are told apart by so many meters of what strangers ask; those that share one share its rate.
pub(crate) const STRANGER_METERS: usize = 4096;
/// Datagrams that are being answered at once; more are dropped, and asked again.
pub(crate) const COAP_AT_ONCE_MAX: usize = 1024;
/// Answers kept for confirmable messages that come again.
pub(crate) const COAP_RECENT_MAX: usize = 4096;
/// Bodies of several datagrams that are under way at once.
pub(crate) const COAP_BODIES_MAX: usize = 1024;
/// Devices that are called at most, each second.
pub(crate) const CALLS_PER_S_MAX: usize = 50;
/// Devices that listen for calls by CoAP; of more those that asked last.
pub(crate) const COAP_OBSERVERS_MAX: usize = 65_536;
/// Those of them at one address, behind which a whole network may stand.
pub(crate) const COAP_OBSERVERS_PER_ADDRESS_MAX: usize = 16_384;
/// Calls by CoAP that wait for their acknowledgement; more are not made.
pub(crate) const COAP_CALLS_AT_ONCE_MAX: usize = 8_192;
/// How long the first acknowledgement may take before a call is sent again, milliseconds.
pub(crate) const COAP_CALL_TIMER_MS: u64 = 4_000;
/// After so long a device has asked to be called again, seconds.
pub(crate) const WAKE_MAX_AGE_S: u32 = 3_600;
/// When to come back after a full disk, seconds.
pub(crate) const DISK_FULL_WAIT_S: u32 = 300;
