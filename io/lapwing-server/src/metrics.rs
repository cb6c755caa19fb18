//! What is counted, and its exposition for Prometheus.
//!
//! Touches: `prometheus-client`. Names that users fixed keep their spelling.
//! Never: a label that a device chooses, so that the number of series stays bounded.

use crate::limits::BOOT_FAILURE_SERIES_MAX;
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByResult {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByAnswer {
    answer: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByTarget {
    target_version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByStart {
    target_version: String,
    hardware: String,
    bootloader: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByRollout {
    rollout: u64,
    target_version: String,
    are: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByWho {
    who: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByName {
    name: &'static str,
}

/// The counters. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    heartbeats: Family<ByResult, Counter>,
    check_ins: Family<ByAnswer, Counter>,
    /// A gauge, because a counter would be spelled with `_total`.
    rollbacks: Family<ByTarget, Gauge>,
    late_rollbacks: Family<ByTarget, Counter>,
    boot_failures: Family<ByStart, Counter>,
    /// How many series the one before has.
    boot_failure_series: AtomicUsize,
    rollouts: Family<ByRollout, Gauge>,
    claims: Family<ByResult, Counter>,
    events: Family<ByName, Counter>,
    bytes_served: Counter,
    artifacts: Family<ByKind, Counter>,
    artifact_bytes: Counter,
    artifact_image_bytes: Counter,
    deltas_waiting: Gauge,
    workers_died: Counter,
    downloads: Family<ByKind, Counter>,
    delegation_left_s: Gauge,
    clock_jumped: Gauge,
    disk_free_bytes: Gauge,
    clones: Counter,
    access_lost: Counter,
    throttled: Family<ByWho, Counter>,
    webhooks: Family<ByResult, Counter>,
    listening: Gauge,
    calls: Family<ByResult, Counter>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut inner = Inner {
            registry: Registry::default(),
            heartbeats: Family::default(),
            check_ins: Family::default(),
            rollbacks: Family::default(),
            late_rollbacks: Family::default(),
            boot_failures: Family::default(),
            boot_failure_series: AtomicUsize::default(),
            rollouts: Family::default(),
            claims: Family::default(),
            events: Family::default(),
            bytes_served: Counter::default(),
            artifacts: Family::default(),
            artifact_bytes: Counter::default(),
            artifact_image_bytes: Counter::default(),
            deltas_waiting: Gauge::default(),
            workers_died: Counter::default(),
            downloads: Family::default(),
            delegation_left_s: Gauge::default(),
            clock_jumped: Gauge::default(),
            disk_free_bytes: Gauge::default(),
            clones: Counter::default(),
            access_lost: Counter::default(),
            throttled: Family::default(),
            webhooks: Family::default(),
            listening: Gauge::default(),
            calls: Family::default(),
        };
        register(&mut inner);
        Self(Arc::new(inner))
    }

    /// Everything, as text.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }

    /// A check-in came to an end: `ok`, `refused` or `failed`.
    pub(crate) fn heartbeat(&self, result: &'static str) {
        self.0.heartbeats.get_or_create(&ByResult { result }).inc();
    }

    /// A check-in was answered so.
    pub(crate) fn answered(&self, answer: &'static str) {
        self.0.check_ins.get_or_create(&ByAnswer { answer }).inc();
    }

    /// A claim came to an end: `ok`, or why it was refused.
    pub(crate) fn claimed(&self, result: &'static str) {
        self.0.claims.get_or_create(&ByResult { result }).inc();
    }

    /// An event was logged.
    pub(crate) fn event(&self, name: &'static str) {
        self.0.events.get_or_create(&ByName { name }).inc();
    }

    /// A device went back from this version; `late` if it had reported success.
    pub(crate) fn rolled_back(&self, target_version: &str, late: bool) {
        let label = ByTarget { target_version: target_version.to_owned() };
        self.0.rollbacks.get_or_create(&label).inc();
        if late {
            self.0.late_rollbacks.get_or_create(&label).inc();
        }
    }

    /// A device did not come up with this version. Beyond so many kinds of them all others are counted together.
    pub(crate) fn failed_to_boot(&self, target_version: &str, hardware: String, bootloader: u32) {
        let target_version = target_version.to_owned();
        let label = ByStart { target_version, hardware, bootloader: bootloader.to_string() };
        if let Some(known) = self.0.boot_failures.get(&label) {
            known.inc();
            return;
        }
        let series = self.0.boot_failure_series.fetch_add(1, Ordering::Relaxed);
        let other = || "other".to_owned();
        let label = match series {
            0..BOOT_FAILURE_SERIES_MAX => label,
            _ => ByStart { target_version: other(), hardware: other(), bootloader: other() },
        };
        self.0.boot_failures.get_or_create(&label).inc();
    }

    /// How rollouts stand: devices by what they are, for those that are looked at now and no others.
    pub(crate) fn rollouts<'a>(&self, stand: impl Iterator<Item = (u64, &'a str, [(&'static str, u32); 7])>) {
        self.0.rollouts.clear();
        for (rollout, target_version, devices) in stand {
            for (are, count) in devices {
                let label = ByRollout { rollout, target_version: target_version.to_owned(), are };
                self.0.rollouts.get_or_create(&label).set(count.into());
            }
        }
    }

    /// Bytes of artifacts went out.
    pub(crate) fn served(&self, bytes: u64) {
        self.0.bytes_served.inc_by(bytes);
    }

    /// An artifact was made.
    pub(crate) fn artifact_made(&self, is_delta: bool, size_bytes: u64, image_bytes: u64) {
        self.0.artifacts.get_or_create(&ByKind { kind: kind(is_delta) }).inc();
        self.0.artifact_bytes.inc_by(size_bytes);
        self.0.artifact_image_bytes.inc_by(image_bytes);
    }

    /// So many artifacts wait to be made, or are being made.
    pub(crate) fn deltas_waiting(&self, count: usize) {
        self.0.deltas_waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// A worker died over an artifact.
    pub(crate) fn worker_died(&self) {
        self.0.workers_died.inc();
    }

    /// A device has fetched an artifact whole.
    pub(crate) fn downloaded(&self, is_delta: bool) {
        self.0.downloads.get_or_create(&ByKind { kind: kind(is_delta) }).inc();
    }

    /// How the signer stands, as of now.
    pub(crate) fn signer(&self, delegation_left_s: u64, clock_jumped: bool) {
        self.0.delegation_left_s.set(i64::try_from(delegation_left_s).unwrap_or(i64::MAX));
        self.0.clock_jumped.set(clock_jumped.into());
    }

    /// So many bytes may still be written to the data directory's disk.
    pub(crate) fn disk_free(&self, bytes: u64) {
        self.0.disk_free_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// A row of the access log found no room.
    pub(crate) fn access_lost(&self) {
        self.0.access_lost.inc();
    }

    /// Somebody asked too often: a `device` or a `stranger`.
    pub(crate) fn throttled(&self, who: &'static str) {
        self.0.throttled.get_or_create(&ByWho { who }).inc();
    }

    /// A message to a webhook was taken or not: `ok` or `failed`.
    pub(crate) fn webhook(&self, result: &'static str) {
        self.0.webhooks.get_or_create(&ByResult { result }).inc();
    }

    /// So many devices listen for calls by CoAP.
    pub(crate) fn listening(&self, count: usize) {
        self.0.listening.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// A device was called: `ok` or `failed`.
    pub(crate) fn called(&self, result: &'static str) {
        self.0.calls.get_or_create(&ByResult { result }).inc();
    }

    /// Two devices answered to one name.
    pub(crate) fn clone_found(&self) {
        self.0.clones.inc();
    }
}

fn kind(is_delta: bool) -> &'static str {
    if is_delta { "delta" } else { "full" }
}

fn register(inner: &mut Inner) {
    let Inner { registry: r, .. } = inner;
    r.register("updater_heartbeats", "Check-ins by result", inner.heartbeats.clone());
    r.register("lapwing_check_ins", "Check-ins by answer", inner.check_ins.clone());
    r.register("lapwing_claims", "Claims by result", inner.claims.clone());
    r.register("lapwing_events", "Events by name", inner.events.clone());
    r.register("lapwing_artifact_sent_bytes", "Bytes of artifacts sent", inner.bytes_served.clone());
    r.register("lapwing_artifacts_made", "Artifacts made, by kind", inner.artifacts.clone());
    r.register("lapwing_artifacts_made_bytes", "Bytes of artifacts made", inner.artifact_bytes.clone());
    let images = inner.artifact_image_bytes.clone();
    r.register("lapwing_artifacts_image_bytes", "Bytes of the images they make", images);
    r.register("lapwing_artifacts_waiting", "Artifacts waiting to be made", inner.deltas_waiting.clone());
    r.register(
        "lapwing_delta_workers_died",
        "Workers that died over an artifact",
        inner.workers_died.clone(),
    );
    r.register("lapwing_downloads", "Artifacts that devices fetched whole, by kind", inner.downloads.clone());
    let left = inner.delegation_left_s.clone();
    r.register("lapwing_delegation_left_seconds", "Seconds until the delegation ends", left);
    let jumped = inner.clock_jumped.clone();
    r.register("lapwing_clock_jumped", "1 while a clock jump waits for a person", jumped);
    let free = inner.disk_free_bytes.clone();
    r.register("lapwing_disk_free_bytes", "Bytes free on the disk of the data directory", free);
    r.register("lapwing_clones", "Devices found to share one id", inner.clones.clone());
    r.register("lapwing_access_log_lost", "Requests that the access log let go", inner.access_lost.clone());
    r.register("lapwing_throttled", "Questions that came too often, by who asked", inner.throttled.clone());
    r.register("lapwing_webhook_messages", "Messages to webhooks by result", inner.webhooks.clone());
    r.register("lapwing_devices_listening", "Devices that listen for calls by CoAP", inner.listening.clone());
    r.register("lapwing_calls", "Wake-up calls by result", inner.calls.clone());
    let late = inner.late_rollbacks.clone();
    r.register("lapwing_rollbacks_after_confirm", "Rollbacks after a reported success", late);
    let failures = inner.boot_failures.clone();
    r.register("lapwing_boot_failures", "Devices that did not come up with a new image", failures);
    let rollouts = inner.rollouts.clone();
    r.register("lapwing_rollout_devices", "Devices of rollouts by what they are", rollouts);
    let rollbacks = inner.rollbacks.clone();
    r.register("firmware_rollback_count", "Rollbacks by the version gone back from", rollbacks);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_failures_of_ever_more_kinds_do_not_make_ever_more_series() {
        let metrics = Metrics::new();
        for bootloader in 0..10 * u32::try_from(BOOT_FAILURE_SERIES_MAX).unwrap() {
            metrics.failed_to_boot("1.0.0", "a".to_owned(), bootloader);
        }
        metrics.failed_to_boot("1.0.0", "a".to_owned(), 0);
        let text = metrics.text().unwrap();
        let series: Vec<&str> =
            text.lines().filter(|line| line.starts_with("lapwing_boot_failures_total{")).collect();
        assert_eq!(series.len(), BOOT_FAILURE_SERIES_MAX + 1);
        let first = series.iter().find(|line| line.contains("bootloader=\"0\"")).unwrap();
        assert!(first.ends_with(" 2"), "{first}");
        let others = series.iter().find(|line| line.contains("other")).unwrap();
        assert!(others.ends_with(&format!(" {}", 9 * BOOT_FAILURE_SERIES_MAX)), "{others}");
    }

    /// What the alerts and the board ask for is what there is.
    #[test]
    fn alerts_and_board_name_metrics_that_exist() {
        let metrics = Metrics::new();
        metrics.heartbeat("ok");
        metrics.answered("nothing");
        metrics.claimed("ok");
        metrics.event("update.confirmed");
        metrics.rolled_back("1.0.0", true);
        metrics.failed_to_boot("1.0.0", "any".to_owned(), 1);
        metrics.rollouts([(1, "1.0.0", [("granted", 0); 7])].into_iter());
        metrics.artifact_made(true, 1, 2);
        metrics.downloaded(true);
        metrics.throttled("device");
        metrics.webhook("ok");
        metrics.called("ok");
        let text = metrics.text().unwrap();
        let known = |name: &str| text.lines().any(|line| line.split([' ', '{']).next() == Some(name));
        let files = [
            include_str!("../../../docs/operate/alerts.yml"),
            include_str!("../../../docs/operate/dashboard.json"),
            include_str!("../../../docs/operate/server.md"),
        ];
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words = files.iter().flat_map(|file| file.split(|c| !is_name(c)));
        let ours =
            words.filter(|word| ["lapwing_", "updater_", "firmware_"].iter().any(|p| word.starts_with(p)));
        let ours: Vec<&str> = ours.collect();
        assert!(ours.len() > 30);
        for name in ours {
            assert!(known(name), "{name} is no metric:\n{text}");
        }
    }
}
