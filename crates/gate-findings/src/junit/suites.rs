//! Suites, cases and what went wrong in them.

use std::collections::BTreeMap;

use gate_model::finding::{Finding, Identity};
use gate_model::level::Level;

use super::xml::{Element, Xml};
use crate::collector::Collector;
use crate::error::{Absence, ReportError};
use crate::path::is_absolute;
use crate::place::Ground;
use crate::wording::Subject as Identified;
use crate::{limits, wording};

/// What an open element is.
enum Open {
    /// `testsuites`, `testsuite`, or an unknown element around cases.
    Suite(Suite),
    Case(Case),
    /// Whatever else a case holds: a failure within it is a failure of the case.
    Within(Subject),
    /// The subject is known from the element around.
    Problem(Problem),
    /// Nothing within it counts.
    Other,
}

#[derive(Default)]
struct Suite {
    subject: Subject,
    /// How many failures the suite and those within it declare.
    declared: u64,
    /// What the suites within it declare, together.
    within: u64,
}

struct Case {
    subject: Subject,
    /// How it says that it failed, other than by a `failure` or an `error` within it.
    says: Option<String>,
    /// Whether a later attempt made good.
    is_good: bool,
    /// How many problems there were before it.
    before: u64,
}

/// What can fail: a case, or a suite.
#[derive(Debug, Clone, Default)]
struct Subject {
    rule: String,
    path: Option<String>,
    line: Option<u64>,
}

struct Problem {
    kind: &'static str,
    subject: Subject,
    message: String,
    class: String,
    text: String,
}

#[derive(Default)]
pub(super) struct Suites {
    open: Vec<Open>,
    cases: u64,
    problems: u64,
    /// Attempts that failed and were repeated.
    attempts: u64,
}

impl Suites {
    /// Whether the text that follows is part of a message.
    pub(super) fn wants_text(&self) -> bool {
        matches!(self.open.last(), Some(Open::Problem(problem)) if problem.text.len() < limits::MESSAGE)
    }

    /// Whether no case was seen, and nothing else that failed.
    pub(super) const fn is_empty(&self) -> bool {
        self.cases == 0 && self.problems == 0
    }

    /// Takes a start tag. Whether the text after it is captured output.
    pub(super) fn start(
        &mut self,
        element: &Element,
        xml: &Xml<'_>,
        collector: &Collector<'_>,
    ) -> Result<bool, ReportError> {
        let name = element.name.as_str();
        let is_output = matches!(name, "system-out" | "system-err");
        let open = match self.open.last() {
            None if matches!(name, "testsuites" | "testsuite") => {
                Open::Suite(suite(element, None, xml, collector)?)
            }
            None => {
                let defect =
                    format!("the root element is '{}'", gate_model::text::visible(wording::cut(name, 80)));
                let remedy =
                    "gate reads JUnit XML (testsuites, testsuite); choose it as the tool's output format";
                return Err(xml.malformed(String::new(), defect, remedy));
            }
            Some(Open::Problem(_) | Open::Other) => Open::Other,
            Some(_) if is_output || name == "properties" => Open::Other,
            Some(_) if is_attempt(name) => {
                self.attempts += 1;
                self.attempt(name);
                Open::Other
            }
            Some(
                Open::Suite(Suite { subject, .. }) | Open::Case(Case { subject, .. }) | Open::Within(subject),
            ) => match (name, kind(name)) {
                ("testcase", _) => {
                    self.cases += 1;
                    let subject = case(element, subject, collector);
                    Open::Case(Case { subject, says: failed(element), is_good: false, before: self.problems })
                }
                (_, Some(kind)) => Open::Problem(Problem::of(kind, element, subject.clone())),
                _ if name == "testsuite" || matches!(self.open.last(), Some(Open::Suite(_))) => {
                    Open::Suite(suite(element, Some(subject), xml, collector)?)
                }
                _ => Open::Within(subject.clone()),
            },
        };
        self.open.push(open);
        Ok(is_output)
    }

    /// Takes note of an attempt at the innermost open case. One that was repeated in vain stands beside a failure; one
    /// that stands alone is the only word that there is of how the case ended.
    fn attempt(&mut self, name: &str) {
        let case = self.open.iter_mut().rev().find_map(|open| match open {
            Open::Case(case) => Some(case),
            _ => None,
        });
        if let Some(case) = case {
            case.is_good |= name.starts_with("flaky");
            case.says
                .get_or_insert_with(|| format!("the only attempts that the report shows failed ('{name}')"));
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        if let Some(Open::Problem(problem)) = self.open.last_mut() {
            let room = (2 * limits::MESSAGE).saturating_sub(problem.text.len());
            problem.text.push_str(wording::cut(text, room));
        }
    }

    pub(super) fn end(&mut self, xml: &Xml<'_>, collector: &mut Collector<'_>) -> Result<(), ReportError> {
        match self.open.pop() {
            Some(Open::Problem(problem)) => {
                self.problems += 1;
                collector.take(problem.finding(collector), || xml.at(String::new()))
            }
            Some(Open::Suite(closed)) => {
                let declared = closed.declared.max(closed.within);
                let seen = self.problems + self.attempts;
                match self.suite() {
                    Some(around) => around.within = around.within.saturating_add(declared),
                    None if declared > seen => {
                        let absence = Absence::FewerThanDeclared { declared, seen };
                        return Err(xml.did_not_run(absence, closed.subject.rule));
                    }
                    None => {}
                }
                Ok(())
            }
            Some(Open::Case(Case { subject, says: Some(message), is_good: false, before }))
                if before == self.problems =>
            {
                self.problems += 1;
                let (kind, class, text) = ("failure", String::new(), String::new());
                let problem = Problem { kind, subject, message, class, text };
                collector.take(problem.finding(collector), || xml.at(String::new()))
            }
            Some(Open::Case(_) | Open::Within(_) | Open::Other) | None => Ok(()),
        }
    }

    /// The innermost open suite.
    fn suite(&mut self) -> Option<&mut Suite> {
        self.open.iter_mut().rev().find_map(|open| match open {
            Open::Suite(suite) => Some(suite),
            _ => None,
        })
    }
}

/// What Surefire calls an attempt that failed, of a test that was run again.
fn is_attempt(name: &str) -> bool {
    matches!(name, "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError")
}

/// How a case's attributes say that it failed. Some writers say it there alone.
fn failed(element: &Element) -> Option<String> {
    let says = |attribute: &str| {
        let value = element.attribute(attribute)?;
        let word = value.to_ascii_lowercase();
        let failed = matches!(word.as_str(), "fail" | "failed" | "failure" | "error" | "errored" | "broken");
        failed.then(|| format!("the test case has {attribute} '{word}', and no failure within it"))
    };
    says("status").or_else(|| says("result"))
}

fn kind(name: &str) -> Option<&'static str> {
    match name {
        "failure" => Some("failure"),
        "error" => Some("error"),
        _ => None,
    }
}

fn suite(
    element: &Element,
    around: Option<&Subject>,
    xml: &Xml<'_>,
    collector: &Collector<'_>,
) -> Result<Suite, ReportError> {
    let around = around.cloned().unwrap_or_default();
    let name = element.attribute("name").map(|name| wording::name(&below(name, collector)));
    // Linters name the suite after the file.
    let path =
        name.clone().filter(|name| element.attribute("name").is_some_and(is_absolute) && !is_absolute(name));
    let named = if around.rule.is_empty() { element.name.clone() } else { around.rule };
    let subject = Subject {
        rule: name.unwrap_or(named),
        path: file(element, collector).or(path).or(around.path),
        line: None,
    };
    // Some writers count errors among the failures, some beside them.
    let declared = count(element, "failures", xml)?.max(count(element, "errors", xml)?);
    Ok(Suite { subject, declared, within: 0 })
}

fn count(element: &Element, attribute: &str, xml: &Xml<'_>) -> Result<u64, ReportError> {
    let Some(text) = element.attribute(attribute) else { return Ok(0) };
    text.parse().map_err(|_| {
        let shown = gate_model::text::visible(wording::cut(text, 40));
        let field = format!("{}@{attribute}", gate_model::text::visible(wording::cut(&element.name, 80)));
        xml.malformed(field, format!("'{shown}' is not a number"), "have the tool write the report again")
    })
}

fn case(element: &Element, suite: &Subject, collector: &Collector<'_>) -> Subject {
    let mut named = None;
    let mut name = |attribute: &str| {
        let name = below(element.attribute(attribute)?, collector);
        let Some((path, line)) = place(&name, collector) else { return Some(name) };
        named = Some((path.clone(), line));
        Some(path)
    };
    let rule = match (name("classname"), name("name")) {
        (Some(class), Some(name)) => format!("{class}/{name}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => suite.rule.clone(),
    };
    let (path, at) = named.unzip();
    let line = element.attribute("line").and_then(|line| line.parse().ok()).or(at);
    Subject {
        rule: wording::name(&rule),
        path: file(element, collector).or(path).or_else(|| suite.path.clone()),
        line: line.filter(|line| (1..1 << 53).contains(line)),
    }
}

/// The place that a linter made a name of, `src/a.go:12` or `src/a.go:12:5`: a rule with a line in it would be another one
/// whenever code is inserted above. Only a file of the checkout is one, since names of tests have colons and numbers, too.
fn place(name: &str, collector: &Collector<'_>) -> Option<(String, u64)> {
    let (rest, last) = name.rsplit_once(':')?;
    let last: u64 = last.parse().ok()?;
    let with_column = rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    let (file, line) = with_column.unwrap_or((rest, last));
    let place = collector.options.place;
    let path = Ground::of(place).resolve(file).filter(|path| place.checkout.has(path))?;
    Some((wording::path(&path), line))
}

/// Test runners on Windows write backslashes.
fn file(element: &Element, collector: &Collector<'_>) -> Option<String> {
    let file = element.attribute("file")?.replace('\\', "/");
    Ground::of(collector.options.place).resolve(&file).map(|path| wording::path(&path))
}

/// A name that a linter made of a file's absolute path, from the repository's root on: it is another one in each
/// checkout.
fn below(name: &str, collector: &Collector<'_>) -> String {
    let ground = Ground::of(collector.options.place);
    let inside = is_absolute(name).then(|| ground.inside(&crate::path::plain(name))).flatten();
    inside.unwrap_or_else(|| name.to_owned())
}

impl Problem {
    fn of(kind: &'static str, element: &Element, subject: Subject) -> Self {
        let attribute = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
        Self { kind, subject, message: attribute("message"), class: attribute("type"), text: String::new() }
    }

    fn finding(self, collector: &Collector<'_>) -> Finding {
        let message = if self.message.is_empty() { self.text.trim() } else { &self.message };
        let Subject { rule, path, line } = self.subject;
        let first_line = message.lines().next().unwrap_or_default();
        let words = format!("{}\n{}\n{}", self.kind, self.class, wording::without_numbers(first_line));
        let subject = Identified { tool: None, rule: &rule, path: path.as_deref(), package: None };
        Finding {
            level: collector.floored(&rule, Level::Error),
            message: wording::message(message),
            fingerprint: subject.of_message(&words),
            fingerprints: BTreeMap::new(),
            around: None,
            identified_by: Some(Identity::Message),
            rule,
            path,
            line,
            package: None,
            tool: None,
            fix: None,
            security_severity: None,
        }
    }
}
