//! How the tool was run (§3.20): whether it failed, what it says about itself, and which levels of rules the run
//! changed.

use std::collections::HashMap;

use gate_model::level::Level;
use gate_model::text::visible;
use serde::{Deserialize, Deserializer};

use super::components::{Components, Position, Reference, WireConfiguration};
use super::places::Location;
use super::result::{WireArtifact, WireMessage, WireRule};
use crate::collector::Collector;
use crate::error::{Absence, ReportError};
use crate::json::cursor::Cursor;
use crate::json::wire::{Text, Whole, fold_list};
use crate::{path, wording};

/// More overrides than this in one run are refused.
const OVERRIDES: usize = 100_000;

/// More of what the tool says than this is counted only.
const SAYINGS: usize = 5;

/// The longest of these, in bytes.
const SAYING: usize = 240;

#[derive(Default)]
pub(super) struct Invocations {
    overrides: Vec<Override>,
    said: Said,
    /// The working directory of the first one (§3.20.17).
    directory: Option<String>,
}

struct Override {
    invocation: usize,
    rule: OwnedReference,
    level: Level,
}

/// A [`Reference`] that outlives the window.
#[derive(Default)]
struct OwnedReference {
    id: String,
    index: Option<usize>,
    guid: String,
    component_index: Option<usize>,
    component_name: String,
    component_guid: String,
}

/// Warnings and errors of the tool's own (§3.58), errors first.
#[derive(Default)]
struct Said {
    errors: Vec<String>,
    warnings: Vec<String>,
    /// All of them, those that are not kept included.
    count: usize,
}

impl Invocations {
    pub(super) fn read(cursor: &mut Cursor<'_>, collector: &Collector<'_>) -> Result<Self, ReportError> {
        let mut invocations = Self::default();
        if !cursor.enter_array_or_null()? {
            return Ok(invocations);
        }
        let mut number = 0;
        while cursor.element()? {
            let length = cursor.extent()?;
            let wire: WireInvocation = cursor.parsed(length)?;
            invocations.take(wire, number, cursor, collector)?;
            if invocations.overrides.len() > OVERRIDES {
                return Err(cursor.malformed(
                    format!("more than {OVERRIDES} overrides of rules"),
                    "have the tool write the levels with the results",
                ));
            }
            cursor.pass(length);
            number += 1;
        }
        Ok(invocations)
    }

    /// Reads a run's `conversion` (§3.22): a converter that failed has left out what it could not convert.
    pub(super) fn read_conversion(
        cursor: &mut Cursor<'_>,
        collector: &Collector<'_>,
    ) -> Result<Self, ReportError> {
        #[derive(Deserialize)]
        #[serde(expecting = "a conversion object")]
        struct Wire {
            invocation: Option<WireInvocation>,
        }
        let mut invocations = Self::default();
        let length = cursor.extent()?;
        if let Some(Wire { invocation: Some(wire) }) = cursor.parsed::<Option<Wire>>(length)? {
            invocations.take(wire, 0, cursor, collector)?;
        }
        cursor.pass(length);
        Ok(invocations)
    }

    fn take(
        &mut self,
        wire: WireInvocation,
        invocation: usize,
        cursor: &Cursor<'_>,
        collector: &Collector<'_>,
    ) -> Result<(), ReportError> {
        if let Some(how) = wire.failure() {
            return Err(cursor.did_not_run(Absence::Failed { how }));
        }
        let WireInvocation {
            tool_execution_notifications: execution,
            tool_configuration_notifications: setup,
            ..
        } = wire;
        for said in [execution, setup, wire.tool_notifications, wire.configuration_notifications] {
            if let (Some(error), false) = (said.errors.first(), collector.options.accept_errors) {
                return Err(cursor.did_not_run(Absence::Complained { error: error.clone() }));
            }
            self.said.add(said);
        }
        if invocation == 0 {
            self.directory = wire.working_directory;
        }
        let overrides = wire.rule_configuration_overrides.into_iter();
        self.overrides.extend(overrides.map(|(rule, level)| Override { invocation, rule, level }));
        Ok(())
    }

    /// The working directory of the first invocation, as a path.
    pub(super) fn directory(&self) -> Option<&str> {
        self.directory.as_deref()
    }

    /// Hands on what the tool called `tool` says about itself.
    pub(super) fn tell(&self, tool: &str, collector: &mut Collector<'_>) {
        let Said { errors, warnings, count } = &self.said;
        let named = [("an error", errors), ("a warning", warnings)];
        let all = named.iter().flat_map(|(what, said)| said.iter().map(move |text| (what, text)));
        let mut told = 0;
        for (what, text) in all.take(SAYINGS) {
            collector.notice(format!("{tool} reports {what} of its own: {text}"));
            told += 1;
        }
        if *count > told {
            collector.notice(format!("{tool} reports {} more errors or warnings of its own", count - told));
        }
    }

    /// The levels that overrides set, by invocation and rule. The highest counts where there are several.
    pub(super) fn levels(&self, components: &Components) -> Overrides {
        let mut overrides = Overrides::default();
        for each in &self.overrides {
            let Some(position) = components.locate(&each.rule.borrowed()) else { continue };
            let level = overrides.0.entry((each.invocation, position)).or_insert(each.level);
            *level = each.level.max(*level);
        }
        overrides
    }
}

/// The levels of rules that invocations changed.
#[derive(Default)]
pub(super) struct Overrides(HashMap<(usize, Position), Level>);

impl Overrides {
    /// The level for a result of this invocation. A result that names none has none (§3.48.6: the default is −1),
    /// so that no override changes it (§3.27.10).
    pub(super) fn level(&self, invocation: Option<usize>, rule: Position) -> Option<Level> {
        self.0.get(&(invocation?, rule)).copied()
    }
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

    fn add(&mut self, other: Self) {
        let kept = other.errors.len() + other.warnings.len();
        self.count += other.count - kept;
        other.errors.into_iter().for_each(|text| self.push(Level::Error, text));
        other.warnings.into_iter().for_each(|text| self.push(Level::Warning, text));
    }
}

impl OwnedReference {
    fn of(wire: WireRule<'_>) -> Self {
        let text = |text: Option<Text<'_>>| text.map_or_else(String::new, |text| text.0.into());
        let component = wire.tool_component.unwrap_or_default();
        Self {
            id: text(wire.id),
            index: index(wire.index),
            guid: text(wire.guid),
            component_index: index(component.index),
            component_name: text(component.name),
            component_guid: text(component.guid),
        }
    }

    fn borrowed(&self) -> Reference<'_> {
        Reference {
            id: &self.id,
            index: self.index,
            guid: &self.guid,
            component_index: self.component_index,
            component_name: &self.component_name,
            component_guid: &self.component_guid,
        }
    }
}

/// An index; SARIF writes −1 for none.
pub(super) fn index(wire: Option<Whole>) -> Option<usize> {
    let value = wire.map(|wire| wire.0).filter(|value| *value >= 0)?;
    Some(usize::try_from(value).unwrap_or(usize::MAX))
}

/// The lists of notifications have had other names before the standard's last draft.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "an invocation object")]
struct WireInvocation {
    execution_successful: Option<bool>,
    exit_code: Option<Whole>,
    exit_signal_name: Option<String>,
    exit_signal_number: Option<Whole>,
    process_start_failure_message: Option<String>,
    #[serde(deserialize_with = "directory")]
    working_directory: Option<String>,
    #[serde(deserialize_with = "overrides")]
    rule_configuration_overrides: Vec<(OwnedReference, Level)>,
    #[serde(deserialize_with = "notifications")]
    tool_execution_notifications: Said,
    #[serde(deserialize_with = "notifications")]
    tool_configuration_notifications: Said,
    #[serde(deserialize_with = "notifications")]
    tool_notifications: Said,
    #[serde(deserialize_with = "notifications")]
    configuration_notifications: Said,
}

impl WireInvocation {
    /// How it shows that the tool failed. A status other than 0 does where the tool does not say that it succeeded
    /// all the same.
    fn failure(&self) -> Option<String> {
        let given = |text: &Option<String>| text.as_deref().map(short).filter(|text| !text.is_empty());
        if self.execution_successful == Some(false) {
            return Some("'executionSuccessful' is false".to_owned());
        }
        if let Some(why) = given(&self.process_start_failure_message) {
            return Some(format!("'processStartFailureMessage': {why}"));
        }
        if let Some(name) = given(&self.exit_signal_name) {
            return Some(format!("'exitSignalName' is {name}"));
        }
        if let Some(Whole(number)) = self.exit_signal_number.filter(|number| number.0 != 0) {
            return Some(format!("'exitSignalNumber' is {number}"));
        }
        let status = self.exit_code.filter(|status| status.0 != 0 && self.execution_successful.is_none());
        status.map(|Whole(status)| format!("'exitCode' is {status}, and 'executionSuccessful' is not there"))
    }
}

/// The path of a location without a base.
fn directory<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let wire: Option<WireArtifact<'de>> = Option::deserialize(deserializer)?;
    let location = wire.map(|wire| Location::of(&wire)).filter(|location| location.base.is_none());
    Ok(location.map(|location| path::plain(&location.path)).filter(|path| !path.is_empty()))
}

fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = wording::cut(&line, SAYING);
    format!("{}{}", visible(cut), if cut.len() < line.len() { "…" } else { "" })
}

/// §3.51. An override without a level changes something else.
fn overrides<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(OwnedReference, Level)>, D::Error> {
    #[derive(Deserialize)]
    #[serde(expecting = "an override object")]
    struct Wire<'a> {
        #[serde(borrow, default)]
        descriptor: WireRule<'a>,
        configuration: Option<WireConfiguration>,
    }
    fold_list(deserializer, Vec::new(), |overrides, wire: Wire<'de>| {
        if let Some(level) = wire.configuration.and_then(|configuration| configuration.level)
            && overrides.len() <= OVERRIDES
        {
            overrides.push((OwnedReference::of(wire.descriptor), level));
        }
    })
}

/// §3.58. A notification without a level is a warning.
fn notifications<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Said, D::Error> {
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
        let text = text.or_else(|| wire.descriptor.and_then(|descriptor| descriptor.id));
        let text = text.map_or_else(|| "(without a message)".to_owned(), |Text(text)| short(&text));
        said.push(wire.level.unwrap_or(Level::Warning), text);
    })
}
