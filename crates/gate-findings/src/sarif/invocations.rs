//! How the tool was run (§3.20): whether it failed, what it says about itself, and which levels of rules the run
//! changed.

use std::collections::HashMap;

use gate_model::level::Level;
use serde::{Deserialize, Deserializer};

use super::components::{Components, Position, Reference, WireConfiguration};
use super::notifications::{self, Levels, SAYINGS, Said, WITHOUT_LEVEL, short};
use super::places::Location;
use super::result::{WireArtifact, WireRule};
use crate::collector::Collector;
use crate::error::{Absence, At, ReportError};
use crate::json::cursor::Cursor;
use crate::json::wire::{Text, Whole, fold_list};
use crate::path;

/// More overrides than this in one run are refused.
const OVERRIDES: usize = 100_000;

#[derive(Default)]
pub(super) struct Invocations {
    overrides: Vec<Override>,
    /// The levels that overrides give to notifications, of whichever invocation.
    notifications: Levels,
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
pub(super) struct OwnedReference {
    id: String,
    index: Option<usize>,
    guid: String,
    component_index: Option<usize>,
    component_name: String,
    component_guid: String,
}

impl Invocations {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, ReportError> {
        let mut invocations = Self::default();
        if !cursor.enter_array_or_null()? {
            return Ok(invocations);
        }
        let mut number = 0;
        while cursor.element()? {
            let length = cursor.extent()?;
            let wire: WireInvocation = cursor.parsed(length)?;
            invocations.take(wire, number, cursor)?;
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
    pub(super) fn read_conversion(cursor: &mut Cursor<'_>) -> Result<Self, ReportError> {
        #[derive(Deserialize)]
        #[serde(expecting = "a conversion object")]
        struct Wire {
            invocation: Option<WireInvocation>,
        }
        let mut invocations = Self::default();
        let length = cursor.extent()?;
        if let Some(Wire { invocation: Some(wire) }) = cursor.parsed::<Option<Wire>>(length)? {
            invocations.take(wire, 0, cursor)?;
        }
        cursor.pass(length);
        Ok(invocations)
    }

    fn take(
        &mut self,
        wire: WireInvocation,
        invocation: usize,
        cursor: &Cursor<'_>,
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
            self.said.add(said);
        }
        if self.said.has_too_many() {
            return Err(cursor.malformed(
                format!("more than {WITHOUT_LEVEL} notifications without a level"),
                "have the tool write 'level' with each notification",
            ));
        }
        for (notification, level) in wire.notification_configuration_overrides {
            self.notifications.change(&notification, level);
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

    /// Hands on what the tool called `tool` says about itself. `described` are the levels that its descriptions give
    /// to notifications; `at` is the run.
    pub(super) fn tell(
        &mut self,
        tool: &str,
        described: &Levels,
        at: &At,
        collector: &mut Collector<'_>,
    ) -> Result<(), ReportError> {
        self.said.settle(&[described, &self.notifications]);
        let Said { errors, warnings, count, .. } = &self.said;
        if let (Some(error), false) = (errors.first(), collector.options.accept_errors) {
            let absence = Absence::Complained { error: error.clone() };
            return Err(ReportError::DidNotRun { at: Box::new(at.clone()), absence });
        }
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
        Ok(())
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

impl OwnedReference {
    pub(super) fn of(wire: WireRule<'_>) -> Self {
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

    pub(super) fn borrowed(&self) -> Reference<'_> {
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
    #[serde(deserialize_with = "overrides")]
    notification_configuration_overrides: Vec<(OwnedReference, Level)>,
    #[serde(deserialize_with = "notifications::list")]
    tool_execution_notifications: Said,
    #[serde(deserialize_with = "notifications::list")]
    tool_configuration_notifications: Said,
    #[serde(deserialize_with = "notifications::list")]
    tool_notifications: Said,
    #[serde(deserialize_with = "notifications::list")]
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
