//! What a tool says about itself (§3.58): its own errors and warnings, which are no findings.

use std::collections::HashMap;

use gate_model::level::{Level, lineage};
use gate_model::text::visible;
use serde::{Deserialize, Deserializer};

use super::invocations::OwnedReference;
use super::result::{WireMessage, WireRule};
use crate::json::wire::{Text, fold_list};
use crate::wording;

/// More of what the tool says than this is counted only.
pub(super) const SAYINGS: usize = 5;

/// More notifications without a level of their own than this, in one run, are refused.
pub(super) const WITHOUT_LEVEL: usize = 100_000;

/// The longest of these, in bytes.
const SAYING: usize = 240;

/// Warnings and errors of the tool's own, errors first.
#[derive(Default)]
pub(super) struct Said {
    pub(super) errors: Vec<String>,
    pub(super) warnings: Vec<String>,
    /// All of them, those that are not kept included.
    pub(super) count: usize,
    /// Those whose level stands elsewhere.
    without_level: Vec<(OwnedReference, String)>,
}

impl Said {
    fn push(&mut self, level: Level, text: String) {
        let list = match level {
            Level::Error => &mut self.errors,
            Level::Warning => &mut self.warnings,
            Level::None | Level::Note => return,
        };
        self.count += 1;
        if list.len() < SAYINGS {
            list.push(text);
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        let kept = other.errors.len() + other.warnings.len();
        self.count += other.count - kept;
        other.errors.into_iter().for_each(|text| self.push(Level::Error, text));
        other.warnings.into_iter().for_each(|text| self.push(Level::Warning, text));
        self.without_level.extend(other.without_level);
    }

    pub(super) const fn has_too_many(&self) -> bool {
        self.without_level.len() > WITHOUT_LEVEL
    }

    /// Gives each notification without a level the highest one that any of `levels` has for it; a warning where none
    /// has one.
    pub(super) fn settle(&mut self, levels: &[&Levels]) {
        for (reference, text) in std::mem::take(&mut self.without_level) {
            let level = levels.iter().filter_map(|levels| levels.of(&reference)).max();
            self.push(level.unwrap_or(Level::Warning), text);
        }
    }
}

/// How a notification names what describes it. `Anywhere` is a place in a component that is named in words.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Name {
    Id(String),
    Guid(String),
    At(Option<usize>, usize),
    Anywhere(usize),
}

/// Levels by all that notifications may be named with. Of several for one name, the highest.
#[derive(Default)]
pub(super) struct Levels(HashMap<Name, Level>);

impl Levels {
    /// Takes the default level of the `index`th notification of the driver, or of that extension.
    pub(super) fn describe(
        &mut self,
        extension: Option<usize>,
        index: usize,
        id: Option<String>,
        guid: Option<String>,
        level: Level,
    ) {
        let names = [id.map(Name::Id), guid.map(Name::Guid)].into_iter().flatten();
        for name in names.chain([Name::At(extension, index), Name::Anywhere(index)]) {
            self.raise(name, level);
        }
    }

    /// Takes an override.
    pub(super) fn change(&mut self, reference: &OwnedReference, level: Level) {
        names(reference).for_each(|name| self.raise(name, level));
    }

    fn raise(&mut self, name: Name, level: Level) {
        let known = self.0.entry(name).or_insert(level);
        *known = level.max(*known);
    }

    fn of(&self, reference: &OwnedReference) -> Option<Level> {
        names(reference).filter_map(|name| self.0.get(&name).copied()).max()
    }
}

fn names(reference: &OwnedReference) -> impl Iterator<Item = Name> {
    let reference = reference.borrowed();
    let ids = lineage(reference.id).filter(|id| !id.is_empty()).map(|id| Name::Id(id.to_owned()));
    let guid = (!reference.guid.is_empty()).then(|| Name::Guid(reference.guid.to_owned()));
    let in_words = !reference.component_name.is_empty() || !reference.component_guid.is_empty();
    let place = reference.index.map(|index| match reference.component_index {
        None if in_words => Name::Anywhere(index),
        extension => Name::At(extension, index),
    });
    ids.chain(guid).chain(place)
}

/// One line of it, short enough for a summary.
pub(super) fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = wording::cut(&line, SAYING);
    format!("{}{}", visible(cut), if cut.len() < line.len() { "…" } else { "" })
}

/// A notification without a level, and without anything that could describe it, is a warning.
pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Said, D::Error> {
    #[derive(Deserialize)]
    #[serde(expecting = "a notification object")]
    struct Wire<'a> {
        level: Option<Level>,
        #[serde(borrow)]
        message: Option<WireMessage<'a>>,
        #[serde(borrow)]
        descriptor: Option<WireRule<'a>>,
    }
    fold_list(deserializer, Said::default(), |said, wire: Wire<'de>| {
        let text = wire.message.and_then(|message| message.text.or(message.markdown).or(message.id));
        let named = wire.descriptor.as_ref().and_then(|descriptor| descriptor.id.clone());
        let text = text.or(named).map_or_else(|| "(without a message)".to_owned(), |Text(text)| short(&text));
        match (wire.level, wire.descriptor) {
            (Some(level), _) => said.push(level, text),
            (None, None) => said.push(Level::Warning, text),
            (None, Some(descriptor)) if said.without_level.len() <= WITHOUT_LEVEL => {
                said.without_level.push((OwnedReference::of(descriptor), text));
            }
            (None, Some(_)) => {}
        }
    })
}
