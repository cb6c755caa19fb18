//! One round of watching: look, judge, and make of what is whole one version set after the other.
//!
//! Touches: the folder, the signing directory, the server. Safe to cut anywhere and to run again: the
//! same file gives the same release, and one that is published already is not published twice.

use super::folder::{Drop, Folder, Look, beside, image_stat};
use super::memory::Memory;
use super::sight::{Verdict, judge};
use super::version;
use crate::cli::SignerArgs;
use crate::commands::key::Identity;
use crate::commands::release::{Published, Set, SignTerms, is_published, publish, sign, unsigned};
use crate::exit::{Code, Refusal};
use crate::hex;
use crate::management::Management;
use crate::recipe::{Image, Known, Recipe, resolve};
use crate::release_file::ReleaseFile;
use crate::signing_dir::SigningDir;
use anyhow::{Context, Result};
use lapwing_core::limits::ENVELOPE_BYTES_MAX;
use lapwing_core::{Digest, Release, Semver, Version};
use std::path::PathBuf;

/// What a round did.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// What happened.
    pub(crate) events: Vec<Event>,
}

/// One thing that happened to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// What.
    pub(crate) kind: EventKind,
    /// Which file.
    pub(crate) place: String,
    /// For people.
    pub(crate) words: String,
}

/// What can happen to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EventKind {
    /// It is new, or changed since the last look.
    Arriving,
    /// It stands still, but is not to be taken.
    Held,
    /// Its bytes were released before.
    Known,
    /// The server has it.
    Published,
    /// It will not be tried again before it changes.
    Refused,
    /// It will be tried again.
    Failed,
}

impl Round {
    /// Whether something of this kind happened.
    pub(crate) fn has(&self, kind: EventKind) -> bool {
        self.events.iter().any(|event| event.kind == kind)
    }

    fn say(&mut self, kind: EventKind, drop: &Drop, words: &str) {
        self.events.push(Event { kind, place: drop.place.clone(), words: words.to_owned() });
    }
}

/// Complaints remembered; a forgotten one is made again.
const TOLD_MAX: usize = 10_000;

/// What was said already, so that a complaint is made once for each state of a file.
#[derive(Debug, Default)]
pub(crate) struct Told {
    events: Vec<Event>,
}

impl Told {
    /// Of `events`, those that are news.
    pub(crate) fn news<'a>(&mut self, events: &'a [Event]) -> Vec<&'a Event> {
        let mut news = Vec::new();
        for event in events {
            if self.events.contains(event) {
                continue;
            }
            // What moves on is another state: all that was said of the one before is over.
            if matches!(event.kind, EventKind::Arriving | EventKind::Published | EventKind::Known) {
                self.events.retain(|old| old.place != event.place);
            }
            if self.events.len() >= TOLD_MAX {
                self.events.remove(0);
            }
            self.events.push(event.clone());
            news.push(event);
        }
        news
    }
}

/// What a round needs.
pub(crate) struct Shipper<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) dir: &'a SigningDir,
    pub(crate) signer: &'a SignerArgs,
    pub(crate) server: &'a Management,
    /// Publish, but offer to nobody before a person says so.
    pub(crate) hold: bool,
}

/// A file that became a release.
struct Cargo {
    drop: Drop,
    image: Digest,
    file: ReleaseFile,
}

impl Shipper<'_> {
    /// Looks once and ships what is whole, unless something is still arriving: what belongs to one
    /// version is often copied file by file.
    pub(crate) fn round(&self, memory: &mut Memory) -> Result<Round> {
        let mut round = Round::default();
        let Look { drops, strangers } = self.folder.look()?;
        for (place, words) in strangers {
            round.events.push(Event { kind: EventKind::Held, place, words });
        }
        memory.keep_only(|place| drops.iter().any(|drop| drop.place == place));
        let mut ready = Vec::new();
        for drop in drops {
            let verdict = self.judge(memory, &drop);
            memory.saw(&drop.place, &drop.sight);
            match verdict {
                Verdict::Done => {}
                Verdict::Arriving => round.say(EventKind::Arriving, &drop, "is arriving"),
                Verdict::Held(hold) => {
                    round.say(EventKind::Held, &drop, &format!("is not taken: {}", hold.in_words()));
                }
                Verdict::Ready => ready.push(drop),
            }
        }
        if !round.has(EventKind::Arriving) && !ready.is_empty() {
            self.ship(ready, memory, &mut round);
        }
        memory.save()?;
        Ok(round)
    }

    fn judge(&self, memory: &Memory, drop: &Drop) -> Verdict {
        let remembered = memory.of(&drop.place);
        let done = remembered.and_then(|file| file.done.as_ref()).map(|done| &done.sight);
        judge(remembered.map(|file| &file.last), &drop.sight, done, || self.folder.hold(drop))
    }

    fn ship(&self, ready: Vec<Drop>, memory: &mut Memory, round: &mut Round) {
        // A server that is away or does not let us in is no fault of any file.
        if let Err(error) = Identity::of(self.server) {
            let words = format!("waits: failed to {error:#}");
            return ready.iter().for_each(|drop| round.say(EventKind::Failed, drop, &words));
        }
        let mut sets: Vec<Vec<Cargo>> = Vec::new();
        for (drop, recipe) in self.in_order(ready, memory, round) {
            match self.load(&drop, recipe, memory) {
                Ok(Some(cargo)) => {
                    let version = &cargo.file.release.version;
                    match sets
                        .iter_mut()
                        .find(|set| set.iter().any(|other| other.file.release.version == *version))
                    {
                        Some(set) => set.push(cargo),
                        None => sets.push(vec![cargo]),
                    }
                }
                Ok(None) => round.say(EventKind::Known, &drop, "was released before, so it is left alone"),
                Err(error) => complain(&drop, None, &error, memory, round),
            }
        }
        for set in sets {
            let outcome = self.publish(&set);
            for Cargo { drop, image, file } in &set {
                match &outcome {
                    Ok(()) => {
                        let release = &file.release;
                        let words = format!(
                            "is published as {} {}, seq {}",
                            release.component, release.version, release.seq
                        );
                        round.say(EventKind::Published, drop, &words);
                        memory.dealt_with(&drop.place, &drop.sight, *image, &words);
                    }
                    Err(error) => complain(drop, Some(*image), error, memory, round),
                }
            }
        }
    }

    /// The files with what is said about them, the oldest version first, so that it gets the lower seq.
    fn in_order(&self, ready: Vec<Drop>, memory: &mut Memory, round: &mut Round) -> Vec<(Drop, Recipe)> {
        let mut order = Vec::new();
        for drop in ready {
            match recipe_of(&drop) {
                Ok(recipe) => order.push((drop, recipe)),
                Err(error) => complain(&drop, None, &error, memory, round),
            }
        }
        let semver = |recipe: &Recipe| recipe.version.as_ref().and_then(Semver::of);
        order
            .sort_by_key(|(drop, recipe)| (semver(recipe), drop.sight.image.modified_ns, drop.place.clone()));
        order
    }

    /// Makes and signs the release of a file; nothing if its bytes were released before.
    fn load(&self, drop: &Drop, recipe: Recipe, memory: &mut Memory) -> Result<Option<Cargo>> {
        let image = Image::read(&drop.path)?;
        if image_stat(&drop.path) != Some(drop.sight.image) {
            return Err(Refusal::new(Code::Failure, "take it: it changed while it was read").into());
        }
        let cargo = |file| Ok(Some(Cargo { drop: drop.clone(), image: image.digest, file }));
        let remembered = memory.of(&drop.place);
        let begun = remembered.and_then(|file| file.begun.as_ref()).filter(|begun| begun.sight == drop.sight);
        if let Some(digits) = begun.and_then(|begun| begun.release.as_deref()) {
            return cargo(read_back(digits)?);
        }
        let log = self.dir.log()?;
        let digits = image.digest.to_string();
        let mut released = log.of(&drop.component, std::slice::from_ref(&drop.hardware.class));
        let known = match (begun, remembered.and_then(|file| file.done.as_ref())) {
            (Some(_), _) => false,
            (None, Some(done)) => done.image == digits,
            (None, None) => released.any(|line| line.image == digits),
        };
        if known {
            memory.dealt_with(&drop.place, &drop.sight, image.digest, "was released before");
            return Ok(None);
        }
        memory.began(&drop.place, &drop.sight, None);
        memory.save()?;
        let version = recipe.version.clone().or_else(|| version::after(log.versions()));
        let published = Published::ask(self.server, drop.component.as_str(), &[drop.hardware.class])?;
        let chain = self.dir.chain()?;
        let security_ceiling = Some(chain.newest().limits.security_ceiling);
        let known = Known { log: Some(&log), published: &published, security_ceiling };
        let (_, payload) = resolve(Recipe { version, ..recipe }, image, &known)?;
        let file = sign(self.dir, unsigned(&payload)?, self.signer, &SignTerms::default())?;
        memory.began(&drop.place, &drop.sight, Some(&file.bytes));
        memory.save()?;
        cargo(file)
    }

    fn publish(&self, set: &[Cargo]) -> Result<()> {
        let mut files = Vec::new();
        for Cargo { drop, image, file } in set {
            files.push((drop.path.clone(), *image));
            files.extend(documents(drop, &file.release)?);
        }
        let releases: Vec<&ReleaseFile> = set.iter().map(|cargo| &cargo.file).collect();
        // An answer that got lost must not make it another release.
        if is_published(self.server, &releases)? {
            return Ok(());
        }
        let names: Vec<_> = set.iter().map(|cargo| cargo.drop.hardware.clone()).collect();
        let set = Set { releases: &releases, files: &files, names: &names };
        publish(self.server, &set, self.hold, Some("dropped into a watched folder")).map(drop)
    }
}

/// The documents that a release names, if its recipe still does.
fn documents(drop: &Drop, release: &Release) -> Result<Vec<(PathBuf, Digest)>> {
    let Recipe { sbom, notes, .. } = recipe_of(drop)?;
    let named = [(sbom, release.sbom), (notes, release.notes)];
    Ok(named.into_iter().filter_map(|(path, digest)| path.zip(digest)).collect())
}

fn recipe_of(drop: &Drop) -> Result<Recipe> {
    let said = match drop.sight.recipe {
        Some(_) => Recipe::read(&beside(&drop.path, "toml"))?,
        None => Recipe::default(),
    };
    if said.component.is_some() || !said.hardware.is_empty() {
        let what = "read its recipe: component and hardware are what the folders say";
        return Err(Refusal::new(Code::Policy, what).advice("take both out of the recipe").into());
    }
    let name = drop.path.file_name().unwrap_or_default().to_string_lossy();
    let version: Option<Version> = said.version.clone().or_else(|| version::in_name(&name));
    let (component, hardware) = (Some(drop.component.clone()), vec![drop.hardware.clone()]);
    Ok(Recipe { component, hardware, version, ..said })
}

fn read_back(digits: &str) -> Result<ReleaseFile> {
    let bytes = hex::decode_all(digits, ENVELOPE_BYTES_MAX).context("read back the signed release")?;
    ReleaseFile::parse(bytes).context("read back the signed release")
}

/// Says what went wrong with a file. What trying again cannot mend is not tried before the file changes.
fn complain(
    drop: &Drop,
    image: Option<Digest>,
    error: &anyhow::Error,
    memory: &mut Memory,
    round: &mut Round,
) {
    let refusal = error.chain().find_map(|cause| cause.downcast_ref::<Refusal>()).map(Refusal::code);
    let words = format!("failed to {error:#}");
    match refusal {
        None | Some(Code::Failure | Code::Unreachable) => round.say(EventKind::Failed, drop, &words),
        Some(Code::Usage | Code::Policy | Code::NotFound | Code::Verification | Code::Conflict) => {
            let image = image.unwrap_or(Digest::from_bytes([0; Digest::LEN]));
            memory.dealt_with(&drop.place, &drop.sight, image, &words);
            round.say(EventKind::Refused, drop, &words);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_made_once_for_each_state_of_a_file() {
        let event = |kind, place: &str| Event { kind, place: place.to_owned(), words: "so".to_owned() };
        let (mut told, failed) = (Told::default(), [event(EventKind::Failed, "a")]);
        let mut news = |events: &[Event]| told.news(events).len();
        assert_eq!(news(&failed), 1);
        assert_eq!(
            news(&[event(EventKind::Failed, "a"), event(EventKind::Failed, "b")]),
            1,
            "another file is news"
        );
        assert_eq!(news(&[]), 0);
        assert_eq!(news(&failed), 0, "not again after a quiet look");
        assert_eq!(news(&[event(EventKind::Arriving, "a")]), 1);
        assert_eq!(news(&[event(EventKind::Arriving, "a")]), 0);
        assert_eq!(news(&failed), 1, "again for the changed file");
        assert_eq!(news(&[event(EventKind::Failed, "b")]), 0);
    }
}
