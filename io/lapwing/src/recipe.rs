//! What a release shall say, as arguments and as `release.toml`: one definition for both.
//!
//! Touches: the recipe's file, and the bill of materials and notes it names.
//! Never: reads a clock. The same image, recipe and signed log give the same bytes.

mod resolve;

pub(crate) use resolve::{DEFAULT_COMPONENT, Image, Known, resolve};

use crate::calendar::Moment;
use crate::durable;
use crate::hardware::Hardware;
use anyhow::{Context, Result};
use clap::Args;
use lapwing_core::{BuildId, ComponentName, Requirement, Semver, Variant, Version, VersionRange};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

const RECIPE_BYTES_MAX: usize = 64 * 1024;

/// The fields, each perhaps left to its default.
#[derive(Args, Deserialize, Default, Clone)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Recipe {
    /// Which part of a device this updates, at most 16 characters [default: app]
    #[arg(long, value_name = "NAME")]
    #[serde(deserialize_with = "one")]
    pub(crate) component: Option<ComponentName>,
    /// A hardware class it runs on, `vendor.example/class-name`; may be given several times
    #[arg(long, value_name = "CLASS")]
    #[serde(deserialize_with = "many")]
    pub(crate) hardware: Vec<Hardware>,
    /// For people and for version rules, for example 1.4.0. `version` in the recipe
    #[arg(long = "release-version", visible_alias = "set-version", value_name = "VERSION")]
    #[serde(deserialize_with = "one")]
    pub(crate) version: Option<Version>,
    /// Its number within the component [default: one above the highest that was signed here]
    #[arg(long, value_name = "N")]
    pub(crate) seq: Option<u64>,
    /// Counter against rollback [default: that of the last release signed here, else 1]
    #[arg(long, value_name = "N")]
    pub(crate) security_version: Option<u32>,
    /// The floor that devices take over once it is confirmed
    #[arg(long, value_name = "N")]
    pub(crate) raise_to: Option<u32>,
    /// Lowest bootloader version that can start it
    #[arg(long, value_name = "N")]
    pub(crate) bootloader_min: Option<u32>,
    /// Versions it may be installed from, `1.0.0..2.0.0`, the end excluded; may be given several times
    #[arg(long, value_name = "RANGE")]
    #[serde(deserialize_with = "many")]
    pub(crate) installable_from: Vec<Range>,
    /// Higher versions that it may replace, likewise
    #[arg(long, value_name = "RANGE")]
    #[serde(deserialize_with = "many")]
    pub(crate) downgrade_from: Vec<Range>,
    /// How it relates to the release before it [default: compatible]
    #[arg(long)]
    pub(crate) compatibility: Option<Compatibility>,
    /// Which layout of stored data it reads and writes
    #[arg(long, value_name = "N")]
    pub(crate) data_version: Option<u32>,
    /// When it was issued [default: SOURCE_DATE_EPOCH, else the image's modification time]
    #[arg(long, value_name = "WHEN")]
    #[serde(deserialize_with = "one")]
    pub(crate) issued: Option<Moment>,
    /// When it stops being installable
    #[arg(long, value_name = "WHEN")]
    #[serde(deserialize_with = "one")]
    pub(crate) not_after: Option<Moment>,
    /// Which build made the image
    #[arg(long, value_name = "ID")]
    #[serde(deserialize_with = "one")]
    pub(crate) build: Option<BuildId>,
    /// Which flavour it is, for example debug
    #[arg(long, value_name = "NAME")]
    #[serde(deserialize_with = "one")]
    pub(crate) variant: Option<Variant>,
    /// Another component that must be there, `config>=3`; may be given several times
    #[arg(long, value_name = "COMPONENT>=SEQ")]
    #[serde(deserialize_with = "many")]
    pub(crate) requires: Vec<Needs>,
    /// The bill of materials; the release names its digest
    #[arg(long, value_name = "FILE")]
    pub(crate) sbom: Option<PathBuf>,
    /// The notes for people; the release names their digest
    #[arg(long, value_name = "FILE")]
    pub(crate) notes: Option<PathBuf>,
    /// It mends security and adds no feature
    #[arg(long)]
    pub(crate) security_only: bool,
    /// It overrides opt-out; never windows, battery or room
    #[arg(long)]
    pub(crate) forced: bool,
    /// Stored data must be migrated
    #[arg(long)]
    pub(crate) data_migration: bool,
    /// Longest trial, seconds
    #[arg(long, value_name = "S")]
    pub(crate) trial_s_max: Option<u32>,
}

impl Recipe {
    /// Reads a recipe from its file. Files it names are looked for beside it.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let reading = || format!("read the recipe {}", path.display());
        let text = String::from_utf8(durable::read_at_most(path, RECIPE_BYTES_MAX)?).with_context(reading)?;
        let mut recipe: Self = toml::from_str(&text).with_context(reading)?;
        let beside = |file: PathBuf| path.parent().map_or_else(|| file.clone(), |dir| dir.join(&file));
        recipe.sbom = recipe.sbom.map(beside);
        recipe.notes = recipe.notes.map(beside);
        Ok(recipe)
    }

    /// This recipe, with what it leaves open taken from `other`.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            component: self.component.or(other.component),
            hardware: first_filled(self.hardware, other.hardware),
            version: self.version.or(other.version),
            seq: self.seq.or(other.seq),
            security_version: self.security_version.or(other.security_version),
            raise_to: self.raise_to.or(other.raise_to),
            bootloader_min: self.bootloader_min.or(other.bootloader_min),
            installable_from: first_filled(self.installable_from, other.installable_from),
            downgrade_from: first_filled(self.downgrade_from, other.downgrade_from),
            compatibility: self.compatibility.or(other.compatibility),
            data_version: self.data_version.or(other.data_version),
            issued: self.issued.or(other.issued),
            not_after: self.not_after.or(other.not_after),
            build: self.build.or(other.build),
            variant: self.variant.or(other.variant),
            requires: first_filled(self.requires, other.requires),
            sbom: self.sbom.or(other.sbom),
            notes: self.notes.or(other.notes),
            security_only: self.security_only || other.security_only,
            forced: self.forced || other.forced,
            data_migration: self.data_migration || other.data_migration,
            trial_s_max: self.trial_s_max.or(other.trial_s_max),
        }
    }
}

fn first_filled<T>(first: Vec<T>, second: Vec<T>) -> Vec<T> {
    if first.is_empty() { second } else { first }
}

/// How a release relates to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compatibility {
    /// Mends, adds nothing.
    Patch,
    /// Adds, breaks nothing.
    Compatible,
    /// May break what depends on it.
    Breaking,
}

/// Versions from one on and below another, written `1.0.0..2.0.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range(pub(crate) VersionRange);

impl FromStr for Range {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let semver = |text: &str| text.trim().parse().ok().and_then(|version| Semver::of(&version));
        let both = text.split_once("..").and_then(|(from, below)| Some((semver(from)?, semver(below)?)));
        let (from, below) = both.ok_or("expected a range of versions such as 1.0.0..2.0.0")?;
        let range = Self(VersionRange { from, below });
        (from < below).then_some(range).ok_or("the range ends before it begins")
    }
}

/// Another component at a seq or above, written `config>=3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needs(pub(crate) Requirement);

impl FromStr for Needs {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "expected a component and its lowest seq such as config>=3";
        let (component, seq) = text.split_once(">=").ok_or(wrong)?;
        let component = component.trim().parse().map_err(|_| wrong)?;
        Ok(Self(Requirement { component, seq_min: seq.trim().parse().map_err(|_| wrong)? }))
    }
}

fn one<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(input: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(input)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

fn many<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(input: D) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(input)?;
    texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_go_before_the_file() {
        let file: Recipe = toml::from_str(
            r#"
            component = "config"
            hardware = ["vendor.example/pump"]
            version = "1.2.3"
            installable_from = ["1.0.0..2.0.0"]
            requires = ["app>=7"]
            issued = "2026-11-21"
            forced = true
            "#,
        )
        .unwrap();
        let arguments = Recipe { version: "1.2.4".parse().ok(), seq: Some(9), ..Recipe::default() };
        let recipe = arguments.or(file);
        assert_eq!(recipe.version.unwrap().as_str(), "1.2.4");
        assert_eq!(recipe.component.unwrap().as_str(), "config");
        assert_eq!((recipe.seq, recipe.forced, recipe.requires.len()), (Some(9), true, 1));
    }

    #[test]
    fn a_recipe_with_a_word_we_do_not_know_is_refused() {
        assert!(toml::from_str::<Recipe>("vresion = \"1.0.0\"").is_err());
        assert!(toml::from_str::<Recipe>("version = \"1 0\"").is_err());
        assert!(toml::from_str::<Recipe>("installable_from = [\"2.0.0..1.0.0\"]").is_err());
        assert!(toml::from_str::<Recipe>("requires = [\"app\"]").is_err());
    }
}
