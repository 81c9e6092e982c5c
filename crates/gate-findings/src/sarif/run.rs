//! One run (§3.14): its members in any order, its results one by one.

use std::collections::HashMap;

use gate_model::finding::Finding;
use gate_model::level::Level;

use super::components::{Components, Position};
use super::document::{self, Parts};
use super::invocations::{Invocations, Overrides};
use super::pending::{self, Pending};
use super::places::Places;
use super::result::{BaselineState, Kind, Outline, Suppression, WireOutline, WireResult};
use crate::collector::Collector;
use crate::error::{Absence, At, ReportError};
use crate::json::cursor::Cursor;
use crate::place::{Ground, Place};
use crate::{path, wording};

/// More names of bases than this in one run are taken as unknown.
const BASES: usize = 1024;

pub(super) fn read(cursor: &mut Cursor<'_>, collector: &mut Collector<'_>) -> Result<(), ReportError> {
    let start = cursor.at();
    let mut run = Run::default();
    cursor.enter_object()?;
    while let Some(key) = cursor.key()? {
        run.member(&key, cursor, collector)?;
    }
    if !run.has_results {
        return Err(ReportError::DidNotRun { at: start, absence: Absence::NoResults });
    }
    run.finish(&start, collector)
}

/// The directory that the tool ran in.
enum Working {
    /// Below the repository's root; empty for the root.
    Inside(String),
    /// An absolute path outside of it.
    Elsewhere(String),
}

impl Working {
    fn of(path: &str, place: Place<'_>) -> Option<Self> {
        if !path::is_absolute(path) {
            return None;
        }
        // A name below it tells the root itself from what is outside.
        match place.below(&format!("{}/x", path.trim_end_matches('/'))) {
            Some(below) => Some(Self::Inside(below.trim_end_matches('x').trim_end_matches('/').to_owned())),
            None => Some(Self::Elsewhere(path.to_owned())),
        }
    }
}

#[derive(Default)]
struct Run {
    working: Option<Working>,
    tool: Option<Components>,
    invocations: Option<Invocations>,
    conversion: Option<Invocations>,
    /// Known once tool and invocations are.
    overrides: Option<Overrides>,
    places: Places,
    bases: Vec<String>,
    base_numbers: HashMap<String, u32>,
    pending: Vec<Pending>,
    has_results: bool,
}

impl Run {
    fn member(
        &mut self,
        key: &str,
        cursor: &mut Cursor<'_>,
        collector: &mut Collector<'_>,
    ) -> Result<(), ReportError> {
        match key {
            "tool" => self.tool = Some(Components::read(cursor)?),
            "invocations" => {
                let invocations = Invocations::read(cursor)?;
                self.working =
                    invocations.directory().and_then(|path| Working::of(path, collector.options.place));
                self.invocations = Some(invocations);
            }
            "conversion" => self.conversion = Some(Invocations::read_conversion(cursor)?),
            "artifacts" => self.places.read_artifacts(cursor)?,
            "originalUriBaseIds" => self.places.read_bases(cursor, collector.options.place)?,
            "externalPropertyFileReferences" => check_external(cursor)?,
            "results" => self.results(cursor, collector)?,
            _ => cursor.skip()?,
        }
        if let (Some(tool), Some(invocations), None) = (&self.tool, &self.invocations, &self.overrides) {
            self.overrides = Some(invocations.levels(tool));
        }
        Ok(())
    }

    fn results(&mut self, cursor: &mut Cursor<'_>, collector: &mut Collector<'_>) -> Result<(), ReportError> {
        let absent = cursor.did_not_run(Absence::NoResults);
        if !cursor.enter_array_or_null()? {
            return Err(absent);
        }
        self.has_results = true;
        // Neighbours are alike: after a result that was kept, the next is parsed whole at once.
        let mut expects_finding = false;
        while cursor.element()? {
            if expects_finding || !pass_aside(cursor, collector)? {
                expects_finding = self.result(cursor, collector)?;
            }
        }
        Ok(())
    }

    /// Reads a result; whether it may be a finding.
    fn result(
        &mut self,
        cursor: &mut Cursor<'_>,
        collector: &mut Collector<'_>,
    ) -> Result<bool, ReportError> {
        if let Some((wire, length)) = cursor.glimpse::<WireResult<'_>>() {
            let may_be = self.take(&wire, cursor, collector)?;
            cursor.pass(length);
            return Ok(may_be);
        }
        let length = cursor.extent()?;
        if !cursor.next_is_object() {
            return Err(cursor.malformed("not a result object", "have the tool write SARIF 2.1.0"));
        }
        let wire: WireResult<'_> = cursor.parsed(length)?;
        let may_be = self.take(&wire, cursor, collector)?;
        cursor.pass(length);
        Ok(may_be)
    }

    fn take(
        &mut self,
        wire: &WireResult<'_>,
        cursor: &Cursor<'_>,
        collector: &mut Collector<'_>,
    ) -> Result<bool, ReportError> {
        if set_aside(&wire.outline(), collector) {
            return Ok(false);
        }
        if wire.suppressions == Suppression::Accepted {
            collector.note_suppressed();
        }
        if wire.kind.is_some_and(Kind::waits) {
            collector.note_waiting();
        }
        let (mut finding, mut pending) = pending::draft(wire);
        self.place(wire, &mut finding, &mut pending);
        if !self.is_ready(&pending) {
            pending.finding = collector.kept();
            self.pending.push(pending);
        } else if !self.settle(&mut finding, &pending, collector, || cursor.at())? {
            collector.count_below();
            return Ok(false);
        }
        collector.keep(finding, || cursor.at())?;
        Ok(true)
    }

    /// Sets the finding's path as far as it is known.
    fn place(&mut self, wire: &WireResult<'_>, finding: &mut Finding, pending: &mut Pending) {
        let Some((location, artifact)) = pending::location(wire) else { return };
        pending.artifact = artifact;
        match location.base {
            Some(base) if !location.path.is_empty() => {
                pending.base = self.base_number(base);
                finding.path = Some(location.path);
            }
            _ => finding.path = Some(location.path).filter(|path| !path.is_empty()),
        }
        pending.has_place = finding.path.is_some() || artifact.is_some();
    }

    fn base_number(&mut self, base: String) -> u32 {
        if let Some(&number) = self.base_numbers.get(&base) {
            return number;
        }
        if self.bases.len() < BASES {
            self.bases.push(base.clone());
        }
        // Beyond the limit the number leads to no base.
        let number = u32::try_from(self.base_numbers.len() + 1).unwrap_or(u32::MAX);
        if self.base_numbers.len() <= BASES {
            self.base_numbers.insert(base, number);
        }
        number
    }

    /// Whether all that the finding needs has been read.
    fn is_ready(&self, pending: &Pending) -> bool {
        self.tool.is_some()
            && (pending.level.is_some() || self.overrides.is_some())
            && (!pending.has_place || self.invocations.is_some())
            && (pending.base == 0 || self.places.has_bases())
            && (pending.artifact.is_none() || self.places.has_artifacts())
    }

    fn finish(mut self, start: &At, collector: &mut Collector<'_>) -> Result<(), ReportError> {
        let Some(tool) = self.tool.take() else {
            return Err(ReportError::Malformed {
                at: Box::new(start.clone()),
                defect: "this run names no tool".to_owned(),
                remedy: "have the tool write SARIF 2.1.0, which names it ('tool.driver.name')",
            });
        };
        let mut invocations = self.invocations.take().unwrap_or_default();
        let name = tool.tool().unwrap_or_default();
        collector.tool(name);
        invocations.tell(name, &tool.notifications, start, collector)?;
        if let Some(mut conversion) = self.conversion.take() {
            let converter = format!("the converter of {name}'s results");
            conversion.tell(&converter, &tool.notifications, start, collector)?;
        }
        self.overrides = Some(invocations.levels(&tool));
        self.tool = Some(tool);
        self.settle_all(start, collector)
    }

    fn settle_all(&mut self, start: &At, collector: &mut Collector<'_>) -> Result<(), ReportError> {
        let pending = std::mem::take(&mut self.pending);
        let Some(first) = pending.first().map(|pending| pending.finding) else { return Ok(()) };
        let mut waiting = pending.iter().peekable();
        let judge = Collector::new(collector.options);
        collector.settle(first, |index, finding| match waiting.next_if(|pending| pending.finding == index) {
            Some(pending) => self.settle(finding, pending, &judge, || Box::new(start.clone())),
            None => Ok(true),
        })
    }

    /// Completes a finding; whether it reaches the threshold.
    fn settle(
        &self,
        finding: &mut Finding,
        pending: &Pending,
        collector: &Collector<'_>,
        at: impl FnOnce() -> Box<At>,
    ) -> Result<bool, ReportError> {
        let none = Components::default();
        let tool = self.tool.as_ref().unwrap_or(&none);
        let rule = tool.locate(&pending.reference(&finding.rule));
        if finding.rule.is_empty() {
            finding.rule = name_rule(tool, pending, rule, at)?;
        }
        let level = pending.level.unwrap_or_else(|| self.default_level(pending, rule));
        let floor = floor(tool, finding, pending, rule, collector);
        let of_rule = rule.and_then(|position| tool.rule(position));
        let severity = finding.security_severity.max(of_rule.and_then(|rule| rule.severity));
        collector.grade(finding, level, floor, severity);
        if !collector.reaches(finding.level, finding.security_severity) {
            return Ok(false);
        }
        if pending.asks_for_fix {
            finding.fix = of_rule.and_then(|rule| rule.fix.clone());
        }
        finding.tool = tool.tool().map(str::to_owned);
        if pending.speaker.is_some_and(|speaker| !speaker.is(tool.tool())) {
            finding.package = None;
        }
        self.settle_path(finding, pending, collector);
        settle_message(finding, pending, rule, tool);
        if let Some(context) = &pending.context {
            wording::identify(finding, context, collector.options.place.checkout);
        }
        Ok(true)
    }

    fn default_level(&self, pending: &Pending, rule: Option<Position>) -> Level {
        let Some(position) = rule else { return Level::Warning };
        let invocation = pending.invocation.map(|index| index as usize);
        let overridden = self.overrides.as_ref().and_then(|overrides| overrides.level(invocation, position));
        let configured = || self.tool.as_ref().and_then(|tool| tool.rule(position)?.level);
        overridden.or_else(configured).unwrap_or(Level::Warning)
    }

    fn settle_path(&self, finding: &mut Finding, pending: &Pending, collector: &Collector<'_>) {
        let ground = self.ground(collector.options.place);
        if let Some(number) = pending.artifact {
            let location = self.places.artifact(number as usize);
            finding.path =
                location.and_then(|found| self.places.resolve(&found.path, found.base.as_deref(), &ground));
        } else {
            let base = pending.base.checked_sub(1).and_then(|number| self.bases.get(number as usize));
            let base = base.map(String::as_str);
            finding.path = finding.path.take().and_then(|path| self.places.resolve(&path, base, &ground));
        }
    }

    /// The place as this run sees it: a working directory within the repository is the folder, one elsewhere stands
    /// for the folder.
    fn ground<'a>(&'a self, place: Place<'a>) -> Ground<'a> {
        let ground = Ground::of(place);
        match self.working.as_ref() {
            None => ground,
            Some(Working::Inside(folder)) => Ground { folder, ..ground },
            Some(Working::Elsewhere(path)) => Ground { elsewhere: Some(path), ..ground },
        }
    }
}

/// Passes the result that comes next, if its outline shows that it is no finding. Whether it did. What is seen does
/// not depend on how much of the result was in the window.
fn pass_aside(cursor: &mut Cursor<'_>, collector: &mut Collector<'_>) -> Result<bool, ReportError> {
    let mut look = |cursor: &Cursor<'_>| {
        let (wire, length) = cursor.glimpse::<WireOutline<'_>>()?;
        Some((set_aside(&wire.outline(), collector), length))
    };
    let mut seen = look(cursor);
    if seen.is_none() {
        cursor.extent()?;
        seen = look(cursor);
    }
    if let Some((true, length)) = seen {
        cursor.pass(length);
        return Ok(true);
    }
    Ok(false)
}

/// Counts the result where it alone shows that it is no finding, or one below the threshold. Whether it did.
fn set_aside(outline: &Outline<'_>, collector: &mut Collector<'_>) -> bool {
    if outline.baseline_state == Some(BaselineState::Absent) {
        collector.count_absent();
        return true;
    }
    if outline.suppressions == Suppression::Accepted && collector.options.honour_suppressions {
        collector.count_suppressed();
        return true;
    }
    if outline.kind.is_some_and(Kind::is_no_finding) && outline.level == Some(Level::None) {
        collector.count_pass();
        return true;
    }
    if outline.level.is_some_and(|level| collector.is_surely_below(level)) {
        collector.count_below();
        return true;
    }
    false
}

/// The policy's floor for the rule by all the names that the result gives it: its ids, and the ids of the rules that its
/// indexes and its guid lead to.
fn floor(
    tool: &Components,
    finding: &Finding,
    pending: &Pending,
    rule: Option<Position>,
    collector: &Collector<'_>,
) -> Level {
    if collector.options.floors.is_empty() {
        return Level::None;
    }
    let rare = pending.rare.as_deref();
    let reference = pending.reference(&finding.rule);
    let indexes = reference.index.into_iter().chain(rare.and_then(|rare| rare.other_index));
    let names =
        [Some(finding.rule.as_str()), rare.map(|rare| rare.other_rule.as_str())].into_iter().flatten();
    let led_to = rule.and_then(|position| tool.rule(position)).map(|rule| rule.id.as_str());
    let all = names.chain(led_to).chain(indexes.filter_map(|index| tool.id_at(&reference, index)));
    all.fold(Level::None, |level, name| collector.floored(name, level))
}

/// The id of the rule that an index or guid refers to, else the tool's name.
fn name_rule(
    tool: &Components,
    pending: &Pending,
    rule: Option<Position>,
    at: impl FnOnce() -> Box<At>,
) -> Result<String, ReportError> {
    if let Some(found) = rule.and_then(|position| tool.rule(position)).filter(|rule| !rule.id.is_empty()) {
        return Ok(found.id.clone());
    }
    let defect = match (pending.rule_index(), rule) {
        (Some(index), None) => {
            let rules = tool.rules_of(&pending.reference(""));
            format!("a result refers to rule {index} of {rules} (counted from 0)")
        }
        _ => return Ok(tool.tool().unwrap_or_default().to_owned()),
    };
    Err(ReportError::Malformed { at: at(), defect, remedy: "have the tool write 'ruleId' with each result" })
}

fn settle_message(finding: &mut Finding, pending: &Pending, rule: Option<Position>, tool: &Components) {
    if let Some(rare) = pending.rare.as_deref().filter(|rare| !rare.message.is_empty())
        && let Some(text) = tool.message(rule, &rare.message)
    {
        finding.message = wording::message(&pending::filled(text, &rare.arguments));
    }
}

/// Parts of a run may be kept in files of their own (§3.15.3): then this report does not have the results, or does not
/// say whether the tool failed, or of which level its rules are.
fn check_external(cursor: &mut Cursor<'_>) -> Result<(), ReportError> {
    let at = cursor.at();
    document::refuse_parts(&cursor.take::<Option<Parts>>()?.unwrap_or_default(), at)
}
