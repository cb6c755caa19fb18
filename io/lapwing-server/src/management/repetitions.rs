//! What was answered to requests with an idempotency key, for whoever asks the same again.
//!
//! Touches: memory, bounded in answers and in their age. Never: keeps an answer over a restart, because
//! answers may hold secrets that are shown once.

use crate::limits::{IDEMPOTENCY_ANSWER_BYTES_MAX, IDEMPOTENCY_ANSWERS_MAX, IDEMPOTENCY_KEPT_S};
use axum::body::Bytes;
use axum::http::StatusCode;
use lapwing_core::{Digest, UnixSeconds};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The answers, the oldest first.
#[derive(Default)]
pub(crate) struct Repetitions(Mutex<VecDeque<Entry>>);

struct Entry {
    name: Digest,
    asked: Digest,
    at: UnixSeconds,
    /// None while it is being answered.
    answer: Option<(StatusCode, Bytes)>,
}

/// What is known of a request.
pub(super) enum Known {
    /// Nothing: it is being answered from now on, until `end`.
    New,
    /// It is being answered.
    Busy,
    /// Another request had this key.
    Other,
    Answered(StatusCode, Bytes),
}

impl Repetitions {
    /// What is known of the request `asked` under this name.
    pub(super) fn begin(&self, name: Digest, asked: Digest, now: UnixSeconds) -> Known {
        let mut entries = self.entries();
        entries.retain(|entry| entry.at.after(IDEMPOTENCY_KEPT_S) > now);
        if let Some(entry) = entries.iter().find(|entry| entry.name == name) {
            return match &entry.answer {
                _ if entry.asked != asked => Known::Other,
                None => Known::Busy,
                Some((status, body)) => Known::Answered(*status, body.clone()),
            };
        }
        if entries.len() >= IDEMPOTENCY_ANSWERS_MAX {
            entries.pop_front();
        }
        entries.push_back(Entry { name, asked, at: now, answer: None });
        Known::New
    }

    /// Keeps what was answered if it was a success; after anything else the request may be made again.
    pub(super) fn end(&self, name: Digest, status: StatusCode, body: &Bytes) {
        let mut entries = self.entries();
        let Some(at) = entries.iter().position(|entry| entry.name == name) else { return };
        match entries.get_mut(at) {
            Some(entry) if status.is_success() && body.len() <= IDEMPOTENCY_ANSWER_BYTES_MAX => {
                entry.answer = Some((status, body.clone()));
            }
            _ => drop(entries.remove(at)),
        }
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_is_kept_for_a_day_and_anything_else_not_at_all() {
        let (repetitions, now) = (Repetitions::default(), UnixSeconds(1_800_000_000));
        let digest = |text: &str| Digest::of(text.as_bytes());
        let body = Bytes::from_static(b"{}");
        let begin = |name, asked, now| repetitions.begin(digest(name), digest(asked), now);
        assert!(matches!(begin("key", "request", now), Known::New));
        assert!(matches!(begin("key", "request", now), Known::Busy));
        repetitions.end(digest("key"), StatusCode::CREATED, &body);
        assert!(matches!(begin("key", "request", now), Known::Answered(StatusCode::CREATED, _)));
        assert!(matches!(begin("key", "another", now), Known::Other));
        assert!(matches!(begin("key", "request", now.after(IDEMPOTENCY_KEPT_S)), Known::New));
        assert!(matches!(begin("failed", "request", now), Known::New));
        repetitions.end(digest("failed"), StatusCode::CONFLICT, &body);
        assert!(matches!(begin("failed", "request", now), Known::New));
    }

    #[test]
    fn they_are_bounded() {
        let repetitions = Repetitions::default();
        for number in 0..2 * IDEMPOTENCY_ANSWERS_MAX as u64 {
            let name = Digest::of(&number.to_le_bytes());
            assert!(matches!(repetitions.begin(name, name, UnixSeconds(1)), Known::New));
        }
        assert_eq!(repetitions.entries().len(), IDEMPOTENCY_ANSWERS_MAX);
    }
}
