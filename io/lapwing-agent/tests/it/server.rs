//! A server in a few lines: bytes of a request in, bytes of an answer out, and faults on demand.
//!
//! Touches: memory. It speaks the device plane as `lapwing-server` does, for one device.
//! Never: opens a socket.

use crate::fleet::{self, NOW};
use lapwing_core::cbor::{self, decode};
use lapwing_core::envelope::Kind;
use lapwing_core::wire::answer::{Answer, Ask, Offer, Status, SwitchWindow, Travel, Urgency};
use lapwing_core::wire::check_in::CheckIn;
use lapwing_core::wire::claim::Claim;
use lapwing_core::wire::report::{Event, EventKind, Report};
use lapwing_core::{AttemptId, DeviceId, Digest, UnixSeconds};
use lapwing_delta::Profile;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// What the server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// Answers 200 with the whole artifact, whatever range was asked for.
    RangesIgnored,
    /// Changes a bit of every artifact.
    BitFlipped,
    /// Announces less of the artifact than there is.
    ShortLength,
    /// Answers 503 with a hint.
    Busy,
}

/// What is published: a release, and how it travels.
struct Published {
    release: Vec<u8>,
    travel: Travel,
}

#[derive(Default)]
pub(crate) struct Server {
    pub(crate) fault: Fault,
    pub(crate) delegation_version: u32,
    pub(crate) root_version: u32,
    /// Devices may switch this many seconds after an offer.
    pub(crate) switch_in_s: Option<u32>,
    published: Option<Published>,
    attempt: u64,
    artifacts: HashMap<String, Vec<u8>>,
    authorization: Option<String>,
    pub(crate) claims: u32,
    pub(crate) check_ins: u32,
    pub(crate) artifact_requests: u32,
    pub(crate) artifact_bytes_sent: u64,
    events: Vec<Event>,
    pub(crate) now: UnixSeconds,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self { delegation_version: 1, root_version: 1, now: NOW, ..Self::default() }
    }

    /// Publishes an image, as a delta from `base` or in full.
    pub(crate) fn publish(&mut self, seq: u64, version: &str, base: Option<&[u8]>, image: &[u8]) -> u64 {
        let made =
            lapwing_delta::make(&mut base.unwrap_or_default(), &mut &image[..], Profile::Kib256, &mut |_| {
                ControlFlow::Continue(())
            });
        let artifact = made.unwrap();
        self.publish_artifact(seq, version, base, image, artifact)
    }

    /// Publishes an image that travels as these bytes.
    pub(crate) fn publish_artifact(
        &mut self,
        seq: u64,
        version: &str,
        base: Option<&[u8]>,
        image: &[u8],
        artifact: Vec<u8>,
    ) -> u64 {
        let travel = Travel {
            codec: 1,
            profile: Profile::Kib256 as u8,
            from: base.map(|base| Digest::of(base).short()),
            artifact: Digest::of(&artifact),
            artifact_size_bytes: artifact.len() as u64,
        };
        self.artifacts.insert(travel.artifact.to_string(), artifact);
        self.published = Some(Published { release: fleet::release(seq, version, image), travel });
        self.attempt += 1;
        travel.artifact_size_bytes
    }

    pub(crate) fn withdraw(&mut self) {
        self.published = None;
    }

    /// All events that were reported, once each.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    pub(crate) fn has_heard(&self, kind: EventKind) -> bool {
        self.events.iter().any(|event| event.kind == kind)
    }

    /// The whole answer to a whole request.
    pub(crate) fn answer(&mut self, request: &Request<'_>) -> Vec<u8> {
        if self.fault == Fault::Busy {
            return http("503 Service Unavailable", &["Retry-After: 7"], b"");
        }
        let known =
            self.authorization.is_some() && request.header("authorization") == self.authorization.as_deref();
        match (request.method, request.path.split('/').skip(1).collect::<Vec<_>>().as_slice()) {
            ("POST", ["v1", "claim"]) => self.claim(request.body),
            ("GET", ["v1", "trust", "root", version]) => ok(&fleet::root(version.parse().unwrap())),
            ("GET", ["v1", "trust", "delegation"]) => ok(&fleet::delegation(self.delegation_version)),
            _ if !known => http("401 Unauthorized", &[], b""),
            ("POST", ["v1", "check-in"]) => self.check_in(request.body),
            ("POST", ["v1", "report"]) => self.report(request.body),
            ("GET", ["v1", "artifacts", name]) => self.artifact(name, request),
            _ => http("404 Not Found", &[], b""),
        }
    }

    fn claim(&mut self, body: &[u8]) -> Vec<u8> {
        let claim: Claim<'_> = decode(body).unwrap();
        let secret: String = claim.secret.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let basic = format!("Basic {}", base64(&format!("{}:{secret}", claim.device)));
        match self.authorization.get_or_insert_with(|| basic.clone()) == &basic {
            true => {
                self.claims += 1;
                http("204 No Content", &[], b"")
            }
            false => http("409 Conflict", &[], b""),
        }
    }

    fn check_in(&mut self, body: &[u8]) -> Vec<u8> {
        let check_in: CheckIn<'_> = decode(body).unwrap();
        self.check_ins += 1;
        let device: DeviceId = "sensor-1".parse().unwrap();
        let spell = |answer: &Answer<'_>| ok(cbor::encode(answer, &mut [0; 4096]).unwrap());
        if check_in.root_version < self.root_version || check_in.delegation_version < self.delegation_version
        {
            let (root, delegation) = (self.root_version, self.delegation_version);
            return spell(&Answer::CatchUp { root, delegation });
        }
        let Some(nonce) = check_in.nonce else {
            return spell(&Answer::Ask(Ask { nonce: true, facts: false }));
        };
        let wanted = self.published.as_ref().filter(|published| {
            let running = check_in.components.first().unwrap().running;
            published.travel.from.is_none_or(|from| from == running)
                && self
                    .events
                    .iter()
                    .all(|event| event.attempt != AttemptId(self.attempt) || !event.kind.is_outcome())
        });
        match wanted {
            None => {
                let status = Status { now: self.now, next_check_in_s: 300 };
                spell(&Answer::Status(&fleet::answer(Kind::Status, &device, nonce, &status)))
            }
            Some(Published { release, travel }) => {
                let offer = Offer {
                    attempt: AttemptId(self.attempt),
                    now: self.now,
                    release: Digest::of(release),
                    travel: *travel,
                    ttl_s: 3_600,
                    deadline_s: 86_400,
                    switch_window: self
                        .switch_in_s
                        .map(|opens_in_s| SwitchWindow { opens_in_s, closes_in_s: opens_in_s + 60 }),
                    urgency: Urgency::Routine,
                };
                let offer = fleet::answer(Kind::Offer, &device, nonce, &offer);
                spell(&Answer::Offer { offer: &offer, release: Some(release) })
            }
        }
    }

    fn report(&mut self, body: &[u8]) -> Vec<u8> {
        let report: Report = decode(body).unwrap();
        for event in report.events {
            let known = |other: &Event| (other.attempt, other.number) == (event.attempt, event.number);
            if !self.events.iter().any(known) {
                self.events.push(event);
            }
        }
        http("204 No Content", &[], b"")
    }

    fn artifact(&mut self, name: &str, request: &Request<'_>) -> Vec<u8> {
        let Some(stored) = self.artifacts.get(name) else { return http("404 Not Found", &[], b"") };
        let mut artifact = stored.clone();
        if self.fault == Fault::BitFlipped {
            let middle = artifact.len() / 2;
            artifact[middle] ^= 1;
        }
        self.artifact_requests += 1;
        let tag = format!("\"{name}\"");
        let range = request.header("range").filter(|_| {
            self.fault != Fault::RangesIgnored && request.header("if-range").is_none_or(|held| held == tag)
        });
        let Some(range) = range else {
            self.artifact_bytes_sent += artifact.len() as u64;
            if self.fault == Fault::ShortLength {
                artifact.truncate(artifact.len() / 2);
            }
            return http("200 OK", &[&format!("ETag: {tag}")], &artifact);
        };
        let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let first: usize = first.parse().unwrap();
        let last = last.parse().unwrap_or(artifact.len() - 1);
        let part = &artifact[first..=last];
        self.artifact_bytes_sent += part.len() as u64;
        let content_range = format!("Content-Range: bytes {first}-{last}/{}", artifact.len());
        http("206 Partial Content", &[&content_range, &format!("ETag: {tag}")], part)
    }
}

/// A request, taken apart.
pub(crate) struct Request<'a> {
    method: &'a str,
    path: &'a str,
    head: &'a str,
    body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The request in these bytes, as soon as it is whole.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut first = head.lines().next()?.split(' ');
        let (method, path) = (first.next()?, first.next()?);
        let mut request = Self { method, path, head, body: &[] };
        let length: usize = request.header("content-length").map_or(0, |text| text.parse().unwrap());
        request.body = bytes.get(end + 4..end + 4 + length)?;
        Some(request)
    }

    pub(crate) fn is_for_artifact(&self) -> bool {
        self.path.starts_with("/v1/artifacts/")
    }

    fn header(&self, name: &str) -> Option<&'a str> {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

fn ok(body: &[u8]) -> Vec<u8> {
    http("200 OK", &["Content-Type: application/cbor"], body)
}

fn http(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = text.bytes().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let sixes =
        bits.chunks(6).map(|six| six.iter().fold(0, |value, bit| value << 1 | bit) << (6 - six.len()));
    let mut spelled: String = sixes.map(|six| char::from(LETTERS[usize::from(six)])).collect();
    while !spelled.len().is_multiple_of(4) {
        spelled.push('=');
    }
    spelled
}
