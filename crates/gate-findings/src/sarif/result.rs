//! A result (§3.27) as it stands in the report, and the little of it that is read.
//!
//! Lists and bags are folded while they are parsed: a result with a million locations takes no more memory than
//! one with a single location.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gate_model::level::Level;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::package::{self, Properties};
use crate::identity::{NAMES, Named};
use crate::json::wire::{Loose, Text, Whole, fold_list, fold_members};
use crate::wording;

/// The few members of a result that can show it to be no finding, or one below the threshold. Most results of
/// most reports are: they are parsed no further.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "a result object")]
pub(super) struct WireOutline<'a> {
    #[serde(borrow)]
    rule_id: Option<Text<'a>>,
    #[serde(borrow)]
    rule: Option<WireRule<'a>>,
    kind: Option<Kind>,
    level: Option<Level>,
    #[serde(deserialize_with = "suppression")]
    suppressions: Suppression,
    baseline_state: Option<BaselineState>,
}

/// What [`WireOutline`] and [`WireResult`] both tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outline<'a> {
    /// The result's own rule id; empty where it has none.
    pub(super) rule: &'a str,
    /// Another one that it has beside it; empty where there is none.
    pub(super) other_rule: &'a str,
    pub(super) kind: Option<Kind>,
    /// The level that the result itself says: its own, else none where `kind` says that nothing failed (§3.27.10).
    /// What waits for a person ([`Kind::waits`]) has the level of a failure: nobody has said that it is none.
    pub(super) level: Option<Level>,
    pub(super) suppressions: Suppression,
    pub(super) baseline_state: Option<BaselineState>,
}

macro_rules! outline {
    ($wire:ident) => {
        impl $wire<'_> {
            pub(super) fn outline(&self) -> Outline<'_> {
                let own = self.rule_id.as_ref().map_or("", |id| id.0.as_ref());
                let referred = self.rule.as_ref().and_then(|rule| rule.id.as_ref());
                let referred = referred.map_or("", |id| id.0.as_ref());
                let (rule, other_rule) = if own.is_empty() { (referred, "") } else { (own, referred) };
                let level = match self.kind {
                    None | Some(Kind::Fail) => self.level,
                    Some(kind) if kind.waits() => self.level.filter(|level| *level != Level::None),
                    Some(_) => self.level.or(Some(Level::None)),
                };
                Outline {
                    rule,
                    other_rule: if other_rule == rule { "" } else { other_rule },
                    kind: self.kind,
                    level,
                    suppressions: self.suppressions,
                    baseline_state: self.baseline_state,
                }
            }
        }
    };
}

outline!(WireOutline);
outline!(WireResult);

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "a result object")]
pub(super) struct WireResult<'a> {
    #[serde(borrow)]
    pub(super) rule_id: Option<Text<'a>>,
    pub(super) rule_index: Option<Whole>,
    #[serde(borrow)]
    pub(super) rule: Option<WireRule<'a>>,
    pub(super) kind: Option<Kind>,
    pub(super) level: Option<Level>,
    #[serde(borrow)]
    pub(super) message: Option<WireMessage<'a>>,
    #[serde(borrow, deserialize_with = "first_location")]
    pub(super) locations: WireLocation<'a>,
    #[serde(borrow, deserialize_with = "fingerprints")]
    pub(super) fingerprints: Fingerprints<'a>,
    #[serde(borrow, deserialize_with = "fingerprints")]
    pub(super) partial_fingerprints: Fingerprints<'a>,
    #[serde(deserialize_with = "suppression")]
    pub(super) suppressions: Suppression,
    pub(super) baseline_state: Option<BaselineState>,
    pub(super) provenance: Option<WireProvenance>,
    #[serde(borrow)]
    pub(super) properties: Option<Properties<'a>>,
    #[serde(deserialize_with = "is_filled")]
    pub(super) fixes: bool,
}

/// §3.27.9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kind {
    Pass,
    Fail,
    NotApplicable,
    Open,
    Review,
    Informational,
}

impl Kind {
    /// Whether the tool says that there is nothing to find here. Such a result is no finding, whatever the floor.
    pub(super) const fn is_no_finding(self) -> bool {
        matches!(self, Self::Pass | Self::NotApplicable | Self::Informational)
    }

    /// Whether the tool leaves it to a person to say whether there is a problem (§3.27.9).
    pub(super) const fn waits(self) -> bool {
        matches!(self, Self::Open | Self::Review)
    }
}

/// §3.27.24.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum BaselineState {
    New,
    Unchanged,
    Updated,
    Absent,
}

/// A reference to a rule (§3.52).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireRule<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    pub(super) index: Option<Whole>,
    #[serde(borrow)]
    pub(super) guid: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) tool_component: Option<WireComponent<'a>>,
}

/// A reference to the driver or an extension (§3.54).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireComponent<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    pub(super) index: Option<Whole>,
    #[serde(borrow)]
    pub(super) guid: Option<Text<'a>>,
}

/// §3.11.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireMessage<'a> {
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) markdown: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow, deserialize_with = "first_arguments")]
    pub(super) arguments: Vec<Cow<'a, str>>,
}

/// More arguments than this are not put into a message.
const ARGUMENTS: usize = 16;

fn first_arguments<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Cow<'de, str>>, D::Error> {
    fold_list(deserializer, Vec::new(), |arguments, Loose(argument)| {
        if arguments.len() < ARGUMENTS {
            arguments.push(argument.unwrap_or_default());
        }
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireProvenance {
    #[serde(rename = "invocationIndex")]
    pub(super) invocation_index: Option<Whole>,
}

/// §3.28. Of several, the first that names a file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireLocation<'a> {
    #[serde(borrow)]
    pub(super) physical_location: Option<WirePhysical<'a>>,
    #[serde(borrow, deserialize_with = "package::in_logical_locations")]
    pub(super) logical_locations: package::Named<'a>,
}

/// §3.29.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WirePhysical<'a> {
    #[serde(borrow)]
    pub(super) artifact_location: Option<WireArtifact<'a>>,
    #[serde(borrow)]
    pub(super) region: Option<WireRegion<'a>>,
    #[serde(borrow)]
    pub(super) context_region: Option<WireRegion<'a>>,
}

/// §3.4.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireArtifact<'a> {
    #[serde(borrow)]
    pub(super) uri: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) uri_base_id: Option<Text<'a>>,
    pub(super) index: Option<Whole>,
}

/// §3.30.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireRegion<'a> {
    pub(super) start_line: Option<Whole>,
    #[serde(borrow)]
    pub(super) snippet: Option<WireSnippet<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireSnippet<'a> {
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
}

impl WireResult<'_> {
    /// All fingerprints of the result, fit to be kept.
    pub(super) fn named(&self) -> Named {
        let both = self.partial_fingerprints.iter().chain(&self.fingerprints);
        both.map(|(name, value)| (wording::name(name), wording::name(value.trim()))).collect()
    }
}

impl WireLocation<'_> {
    fn names_a_file(&self) -> bool {
        let artifact = self.physical_location.as_ref().and_then(|place| place.artifact_location.as_ref());
        artifact.is_some_and(|artifact| {
            artifact.uri.is_some() || artifact.index.is_some_and(|index| index.0 >= 0)
        })
    }

    /// The code that the location points at, as the report quotes it.
    pub(super) fn snippet(&self) -> Option<&str> {
        let place = self.physical_location.as_ref()?;
        let of = |region: &'_ Option<WireRegion<'_>>| {
            let text = region.as_ref()?.snippet.as_ref()?.text.as_ref()?;
            (!text.0.trim().is_empty()).then_some(())
        };
        let region = if of(&place.region).is_some() { &place.region } else { &place.context_region };
        of(region)?;
        region.as_ref()?.snippet.as_ref()?.text.as_ref().map(|text| text.0.as_ref())
    }
}

fn first_location<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WireLocation<'de>, D::Error> {
    fold_list(deserializer, WireLocation::default(), |first, next: WireLocation<'de>| {
        if first.physical_location.is_none() || (!first.names_a_file() && next.names_a_file()) {
            first.physical_location = next.physical_location;
        }
        first.logical_locations.or(next.logical_locations);
    })
}

/// Whether a list has anything in it.
fn is_filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    fold_list(deserializer, false, |filled, IgnoredAny| *filled = true)
}

/// What the report's suppressions of a result come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Suppression {
    /// There are none.
    #[default]
    None,
    /// All are accepted.
    Accepted,
    /// At least one is under review or rejected, which keeps the result alive.
    Open,
}

fn suppression<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Suppression, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Status {
        Accepted,
        UnderReview,
        Rejected,
    }
    #[derive(Deserialize)]
    #[serde(expecting = "a suppression object")]
    struct Wire {
        status: Option<Status>,
        /// What drafts of the standard, and tools written to them, call it.
        state: Option<Status>,
    }
    fold_list(deserializer, Suppression::None, |sum, next: Wire| {
        let accepted = |status: Option<Status>| matches!(status, None | Some(Status::Accepted));
        let holds = *sum != Suppression::Open && accepted(next.status) && accepted(next.state);
        *sum = if holds { Suppression::Accepted } else { Suppression::Open };
    })
}

/// Fingerprints by their name.
pub(super) type Fingerprints<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

fn fingerprints<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fingerprints<'de>, D::Error> {
    fold_members(deserializer, Fingerprints::new(), |all, name, value: Loose<'de>| {
        if let Some(value) = value.0.filter(|value| identifies(&name, value)) {
            all.insert(name, value);
            // Whatever their order, the same ones are kept.
            if all.len() > NAMES {
                all.pop_last();
            }
        }
    })
}

/// Real tools put there what does not tell two findings apart: semgrep a request to log in, gitleaks the
/// metadata of a commit, `CodeQL` a column.
fn identifies(key: &str, value: &str) -> bool {
    const COMMIT: [&str; 6] = ["commitSha", "commitMessage", "author", "email", "date", "commit"];
    let value = value.trim();
    !value.is_empty()
        && !value.eq_ignore_ascii_case("requires login")
        && !COMMIT.contains(&key)
        && key != "primaryLocationStartColumnFingerprint"
}
