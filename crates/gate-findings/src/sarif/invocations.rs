//! How the tool was run (§3.20): whether it failed, and which levels of rules the run changed.

use std::collections::HashMap;

use gate_model::level::Level;
use serde::{Deserialize, Deserializer};

use super::components::{Components, Position, Reference, WireConfiguration};
use super::result::WireRule;
use crate::error::{Absence, ReportError};
use crate::json::cursor::Cursor;
use crate::json::wire::fold_list;

/// More overrides than this in one run are refused.
const OVERRIDES: usize = 100_000;

#[derive(Default)]
pub(super) struct Invocations {
    overrides: Vec<Override>,
    /// Errors of the tool's own that it reports beside its results.
    pub(super) errors: u64,
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
            if wire.execution_successful == Some(false) {
                return Err(cursor.did_not_run(Absence::Failed));
            }
            invocations.take(wire, number);
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

    fn take(&mut self, wire: WireInvocation, invocation: usize) {
        self.errors += wire.tool_execution_notifications + wire.tool_configuration_notifications;
        let overrides = wire.rule_configuration_overrides.into_iter();
        self.overrides.extend(overrides.map(|(rule, level)| Override { invocation, rule, level }));
    }

    /// The levels that overrides set, by invocation and rule. The highest counts where there are several.
    pub(super) fn levels(&self, components: &Components) -> Overrides {
        let mut overrides = Overrides::default();
        for each in &self.overrides {
            let Some(position) = components.locate(&each.rule.borrowed()) else { continue };
            for invocation in [Some(each.invocation), None] {
                let level = overrides.0.entry((invocation, position)).or_insert(each.level);
                *level = each.level.max(*level);
            }
        }
        overrides
    }
}

/// The levels of rules that invocations changed.
#[derive(Default)]
pub(super) struct Overrides(HashMap<(Option<usize>, Position), Level>);

impl Overrides {
    /// The level for a result of this invocation. A result that names none (§3.48.6) has that of any.
    pub(super) fn level(&self, invocation: Option<usize>, rule: Position) -> Option<Level> {
        self.0.get(&(invocation, rule)).copied()
    }
}

impl OwnedReference {
    fn of(wire: WireRule<'_>) -> Self {
        let text =
            |text: Option<crate::json::wire::Text<'_>>| text.map_or_else(String::new, |text| text.0.into());
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
pub(super) fn index(wire: Option<i64>) -> Option<usize> {
    let value = wire.filter(|value| *value >= 0)?;
    Some(usize::try_from(value).unwrap_or(usize::MAX))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an invocation object")]
struct WireInvocation {
    execution_successful: Option<bool>,
    #[serde(default, deserialize_with = "overrides")]
    rule_configuration_overrides: Vec<(OwnedReference, Level)>,
    #[serde(default, deserialize_with = "errors")]
    tool_execution_notifications: u64,
    #[serde(default, deserialize_with = "errors")]
    tool_configuration_notifications: u64,
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

fn errors<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(expecting = "a notification object")]
    struct Wire {
        level: Option<Level>,
    }
    fold_list(deserializer, 0, |count, wire: Wire| *count += u64::from(wire.level == Some(Level::Error)))
}
