//! Answers about the whole fleet, kept for a moment: one walk at a time for each question.
//!
//! Touches: what `overview` and `rollouts::outcomes` find. A walk that takes long is not waited for while there is an
//! answer that is not too old: that one is given, and the walk goes on behind it.
//! Never: walks for nobody.

use crate::app::App;
use crate::limits::{OVERVIEW_AGE_S_MAX, OVERVIEW_FRESH_MS, OVERVIEW_WAIT_MS_MAX, OVERVIEWS_KEPT_MAX};
use crate::problem::Problem;
use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Mutex as AsyncMutex;

/// What was found last, by what was asked.
#[derive(Default)]
pub(crate) struct Overviews(Mutex<HashMap<String, Arc<Kept>>>);

#[derive(Default)]
struct Kept {
    found: Mutex<Option<Found>>,
    /// Held by whoever walks.
    walking: Arc<AsyncMutex<()>>,
}

#[derive(Clone)]
struct Found {
    at: Instant,
    took: Duration,
    answer: Bytes,
}

impl Found {
    fn is_fresh(&self) -> bool {
        is_fresh(self.took, self.at.elapsed())
    }

    fn will_do(&self) -> bool {
        will_do(self.took, self.at.elapsed())
    }
}

/// The walks of all who look take a tenth of the time, however large the fleet.
fn is_fresh(took: Duration, age: Duration) -> bool {
    age < Duration::from_millis(OVERVIEW_FRESH_MS).max(took * 10)
}

/// Whether an answer is better than waiting for a newer one.
fn will_do(took: Duration, age: Duration) -> bool {
    took > Duration::from_millis(OVERVIEW_WAIT_MS_MAX) && age < Duration::from_secs(OVERVIEW_AGE_S_MAX)
}

impl Kept {
    fn found(&self) -> Option<Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn walk<T: Serialize>(
        &self,
        walk: impl Future<Output = Result<T, Problem>>,
    ) -> Result<Bytes, Problem> {
        let began = Instant::now();
        let answer = serde_json::to_vec(&walk.await?).map_err(|error| Problem::internal(&error))?;
        let found = Found { at: Instant::now(), took: began.elapsed(), answer: Bytes::from(answer) };
        let answer = found.answer.clone();
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Ok(answer)
    }
}

impl Overviews {
    fn kept(&self, asked: String) -> Arc<Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= OVERVIEWS_KEPT_MAX && !kept.contains_key(&asked) {
            kept.retain(|_, kept| kept.found().is_some_and(|found| found.is_fresh()));
        }
        match kept.len() < OVERVIEWS_KEPT_MAX {
            true => kept.entry(asked).or_default().clone(),
            false => Arc::default(),
        }
    }
}

/// What was found for `asked`, or what `walk` finds now.
pub(super) async fn answer<T: Serialize, W: Future<Output = Result<T, Problem>> + Send + 'static>(
    app: &Arc<App>,
    asked: String,
    walk: impl FnOnce(Arc<App>) -> W,
) -> Result<Response, Problem> {
    let kept = app.overviews.kept(asked);
    let answer = match kept.found() {
        Some(found) if found.is_fresh() => found.answer,
        Some(found) if found.will_do() => {
            if let Ok(turn) = kept.walking.clone().try_lock_owned() {
                let walk = walk(app.clone());
                tokio::spawn(async move {
                    let _turn = turn;
                    // Who asks next is told what is wrong, if it still is.
                    let _answer = kept.walk(walk).await;
                });
            }
            found.answer
        }
        _ => {
            let _turn = kept.walking.lock().await;
            match kept.found() {
                Some(found) if found.is_fresh() => found.answer,
                _ => kept.walk(walk(app.clone())).await?,
            }
        }
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], answer).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(took_ms: u64, age_ms: u64, expected: (bool, bool)) {
        let (took, age) = (Duration::from_millis(took_ms), Duration::from_millis(age_ms));
        assert_eq!((is_fresh(took, age), will_do(took, age)), expected, "took {took_ms}, {age_ms} old");
    }

    #[test]
    fn only_what_takes_long_to_renew_is_given_when_it_is_old_and_never_when_it_is_very_old() {
        check(5, 999, (true, false));
        check(5, 1_000, (false, false));
        check(500, 5_000, (false, false));
        check(501, 5_009, (true, true));
        check(501, 5_010, (false, true));
        check(4_800, 47_999, (true, true));
        check(4_800, 299_999, (false, true));
        check(4_800, 300_000, (false, false));
    }
}
