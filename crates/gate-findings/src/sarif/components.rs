//! The tool of a run: its driver and extensions with their rules (§3.18, §3.19, §3.49).
//!
//! Of a rule only that is kept which a finding may need: id, guid, default level, and short messages.

use std::borrow::Cow;
use std::collections::HashMap;

use gate_model::level::{Level, lineage};
use gate_model::score::Score;
use serde::{Deserialize, Deserializer};

use super::notifications::Levels;
use super::package::{self, Properties};
use super::result::WireMessage;
use crate::error::ReportError;
use crate::json::cursor::Cursor;
use crate::json::wire::{Text, fold_members};
use crate::{limits, wording};

/// More messages than this of one rule are not kept.
const MESSAGES: usize = 64;

/// Driver first, then the extensions in their order.
#[derive(Default)]
pub(super) struct Components {
    list: Vec<Component>,
    extensions: usize,
    memory: usize,
    /// Filled in once all are read. Of several with one name or guid, the first.
    by_name: HashMap<String, usize>,
    by_guid: HashMap<String, usize>,
    /// By id, the rule in the first component that has it; and by guid.
    everywhere: HashMap<String, Position>,
    guids: HashMap<String, Position>,
    /// The default levels of notifications.
    pub(super) notifications: Levels,
}

#[derive(Default)]
struct Component {
    is_driver: bool,
    name: Option<String>,
    guid: Option<String>,
    rules: Vec<Rule>,
    by_id: HashMap<String, usize>,
    by_guid: HashMap<String, usize>,
    messages: Messages,
}

pub(super) struct Rule {
    pub(super) id: String,
    guid: Option<String>,
    pub(super) level: Option<Level>,
    pub(super) severity: Option<Score>,
    /// What its help says of a fix.
    pub(super) fix: Option<String>,
    messages: Messages,
}

/// Message texts by their id, sorted as they were read.
type Messages = Vec<(String, String)>;

/// How a result or an override names a rule. What is absent is empty, or `None`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reference<'a> {
    pub(super) id: &'a str,
    pub(super) index: Option<usize>,
    pub(super) guid: &'a str,
    pub(super) component_index: Option<usize>,
    pub(super) component_name: &'a str,
    pub(super) component_guid: &'a str,
}

/// A component's and a rule's position.
pub(super) type Position = (usize, usize);

impl Components {
    /// Reads `tool`.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, ReportError> {
        let mut components = Self::default();
        cursor.enter_object()?;
        while let Some(key) = cursor.key()? {
            match key.as_str() {
                "driver" => components.read_component(cursor, true)?,
                "extensions" => {
                    if cursor.enter_array_or_null()? {
                        while cursor.element()? {
                            components.read_component(cursor, false)?;
                        }
                    }
                }
                _ => cursor.skip()?,
            }
        }
        if components.tool().is_none() {
            let defect = "the tool has no name ('driver.name')";
            return Err(cursor.malformed(defect, "have the tool write SARIF 2.1.0, which names it"));
        }
        components.index();
        Ok(components)
    }

    /// Makes every look-up one step, however many components and rules there are.
    fn index(&mut self) {
        for (number, component) in self.list.iter().enumerate() {
            for (text, map) in [(&component.name, &mut self.by_name), (&component.guid, &mut self.by_guid)] {
                if let Some(text) = text {
                    map.entry(text.clone()).or_insert(number);
                }
            }
            for (from, map) in
                [(&component.by_id, &mut self.everywhere), (&component.by_guid, &mut self.guids)]
            {
                for (name, &rule) in from {
                    map.entry(name.clone()).or_insert((number, rule));
                }
            }
        }
    }

    fn read_component(&mut self, cursor: &mut Cursor<'_>, is_driver: bool) -> Result<(), ReportError> {
        let mut component = Component { is_driver, ..Component::default() };
        cursor.enter_object()?;
        while let Some(key) = cursor.key()? {
            match key.as_str() {
                "name" => component.name = cursor.take::<Option<String>>()?.map(|name| wording::name(&name)),
                "guid" => component.guid = cursor.take()?,
                "globalMessageStrings" => {
                    component.messages = cursor.take::<WireTexts>()?.0;
                    self.weigh(cursor, weight(&component.messages))?;
                }
                "rules" => self.read_rules(cursor, &mut component)?,
                "notifications" => self.read_notifications(cursor, is_driver)?,
                _ => cursor.skip()?,
            }
        }
        self.weigh(cursor, size_of::<Component>() + component.name.as_ref().map_or(0, String::len))?;
        // The driver's position is always the first, wherever it stands in the report.
        if is_driver {
            self.list.insert(0, component);
        } else {
            self.extensions += 1;
            self.list.push(component);
        }
        Ok(())
    }

    fn read_rules(&mut self, cursor: &mut Cursor<'_>, component: &mut Component) -> Result<(), ReportError> {
        if !cursor.enter_array_or_null()? {
            return Ok(());
        }
        while cursor.element()? {
            let wire: WireDescriptor = cursor.take()?;
            let rule = Rule {
                severity: wire.properties.0,
                fix: wire.help.0,
                id: wire.id.map(|id| wording::name(&id)).unwrap_or_default(),
                guid: wire.guid,
                level: wire.default_configuration.and_then(|configuration| configuration.level),
                messages: wire.message_strings.0,
            };
            let guid = rule.guid.as_ref().map_or(0, String::len) + rule.fix.as_ref().map_or(0, String::len);
            self.weigh(cursor, 3 * (size_of::<Rule>() + rule.id.len()) + 3 * guid + weight(&rule.messages))?;
            component.by_id.entry(rule.id.clone()).or_insert(component.rules.len());
            if let Some(guid) = &rule.guid {
                component.by_guid.entry(guid.clone()).or_insert(component.rules.len());
            }
            component.rules.push(rule);
        }
        Ok(())
    }

    fn read_notifications(&mut self, cursor: &mut Cursor<'_>, is_driver: bool) -> Result<(), ReportError> {
        if !cursor.enter_array_or_null()? {
            return Ok(());
        }
        let extension = (!is_driver).then_some(self.extensions);
        let mut index = 0;
        while cursor.element()? {
            let wire: WireDescriptor = cursor.take()?;
            if let Some(level) = wire.default_configuration.and_then(|configuration| configuration.level) {
                let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
                self.weigh(cursor, 4 * size_of::<Rule>() + length(&wire.id) + length(&wire.guid))?;
                self.notifications.describe(extension, index, wire.id, wire.guid, level);
            }
            index += 1;
        }
        Ok(())
    }

    fn weigh(&mut self, cursor: &Cursor<'_>, bytes: usize) -> Result<(), ReportError> {
        self.memory += bytes;
        if self.memory > limits::TABLES_MEMORY {
            return Err(ReportError::TooLarge {
                at: cursor.at(),
                what: "the rules up to here take".to_owned(),
                limit: limits::TABLES_MEMORY,
                remedy: "have the tool write only the rules that have results",
            });
        }
        Ok(())
    }

    fn has_driver(&self) -> bool {
        self.list.first().is_some_and(|first| first.is_driver)
    }

    /// The tool's name: the driver's.
    pub(super) fn tool(&self) -> Option<&str> {
        self.list.first().filter(|first| first.is_driver)?.name.as_deref().filter(|name| !name.is_empty())
    }

    /// The component that a reference names; the driver where it names none (§3.54.2).
    fn component(&self, reference: &Reference<'_>) -> Option<usize> {
        if let Some(index) = reference.component_index {
            return (index < self.extensions).then(|| index + usize::from(self.has_driver()));
        }
        if !reference.component_guid.is_empty() {
            return self.by_guid.get(reference.component_guid).copied();
        }
        if !reference.component_name.is_empty() {
            return self.by_name.get(reference.component_name).copied();
        }
        self.has_driver().then_some(0)
    }

    /// The rule that a reference names. The index counts unless the rule there has another id; an id may have
    /// more parts than the rule's own (`CA1000/1`, §3.27.5). An id or a guid that the named component does not know
    /// is looked for in the others.
    pub(super) fn locate(&self, reference: &Reference<'_>) -> Option<Position> {
        let named = self.component(reference);
        if let Some((component, index)) = named.zip(reference.index)
            && let Some(rule) = self.list[component].rules.get(index)
            && (reference.id.is_empty() || lineage(reference.id).any(|id| id == rule.id))
        {
            return Some((component, index));
        }
        if !reference.guid.is_empty() {
            let within =
                |component: usize| Some((component, *self.list[component].by_guid.get(reference.guid)?));
            return named.and_then(within).or_else(|| self.guids.get(reference.guid).copied());
        }
        if reference.id.is_empty() {
            return None;
        }
        let within = |component: usize| {
            let by_id = &self.list[component].by_id;
            Some((component, *lineage(reference.id).find_map(|id| by_id.get(id))?))
        };
        named
            .and_then(within)
            .or_else(|| lineage(reference.id).find_map(|id| self.everywhere.get(id)).copied())
    }

    /// The ids of the rules that a reference leads to by its index, whatever id it has beside it.
    pub(super) fn id_at<'a>(&'a self, reference: &Reference<'_>, index: usize) -> Option<&'a str> {
        let component = self.component(reference)?;
        self.list[component].rules.get(index).map(|rule| rule.id.as_str())
    }

    pub(super) fn rule(&self, (component, index): Position) -> Option<&Rule> {
        self.list.get(component)?.rules.get(index)
    }

    /// How many rules the component has that a reference names.
    pub(super) fn rules_of(&self, reference: &Reference<'_>) -> usize {
        self.component(reference).map_or(0, |component| self.list[component].rules.len())
    }

    /// The text of a message that a result gives by its id: the rule's, else the component's (§3.11.7).
    pub(super) fn message(&self, rule: Option<Position>, id: &str) -> Option<&str> {
        let of_rule = rule.and_then(|position| find(&self.rule(position)?.messages, id));
        let component = rule.map_or(0, |(component, _)| component);
        of_rule.or_else(|| find(&self.list.get(component)?.messages, id))
    }
}

fn find<'a>(messages: &'a Messages, id: &str) -> Option<&'a str> {
    messages.iter().find(|(name, _)| name == id).map(|(_, text)| text.as_str())
}

fn weight(messages: &Messages) -> usize {
    messages.iter().map(|(id, text)| size_of::<(String, String)>() + id.len() + text.len()).sum()
}

/// §3.49: a rule, or a kind of notification.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a rule object")]
struct WireDescriptor {
    id: Option<String>,
    guid: Option<String>,
    default_configuration: Option<WireConfiguration>,
    #[serde(default)]
    message_strings: WireTexts,
    #[serde(default)]
    help: WireHelp,
    #[serde(default)]
    properties: WireSeverity,
}

/// What the help for a rule says of a fix.
#[derive(Default)]
struct WireHelp(Option<String>);

impl<'de> Deserialize<'de> for WireHelp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let help = Option::<WireMessage<'de>>::deserialize(deserializer)?.unwrap_or_default();
        let texts = [help.text, help.markdown];
        let said = texts.iter().flatten().find_map(|Text(text)| package::fix_in(text));
        Ok(Self(said.filter(|version| !version.is_empty()).map(wording::name)))
    }
}

/// The security severity in the property bag of a rule.
#[derive(Default)]
struct WireSeverity(Option<Score>);

impl<'de> Deserialize<'de> for WireSeverity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let properties = Option::<Properties<'de>>::deserialize(deserializer)?;
        Ok(Self(properties.and_then(|properties| properties.severity)))
    }
}

/// §3.50.
#[derive(Deserialize)]
pub(super) struct WireConfiguration {
    pub(super) level: Option<Level>,
}

#[derive(Default)]
struct WireTexts(Messages);

impl<'de> Deserialize<'de> for WireTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keep = |texts: &mut Messages, id: Cow<'de, str>, message: WireMessage<'de>| {
            let text = message.text.or(message.markdown);
            if let Some(Text(text)) = text.filter(|_| texts.len() < MESSAGES && id.len() <= limits::NAME) {
                texts.push((id.into_owned(), wording::message(&text)));
            }
        };
        fold_members(deserializer, Messages::new(), keep).map(Self)
    }
}
