//! JSON Lines: one `gate.finding/1` after another.
//!
//! ```text
//! {"rule":"R1","level":"error","message":"…","path":"src/a","line":7,"fingerprint":"…","package":"…","tool":"t"}
//! {"schema":"gate.end/1","count":1}
//! ```
//!
//! Only `rule` (or `tool`, which then stands in) must be there. A missing level is `warning`. `schema`, where given, is
//! `gate.finding/1`; `properties` holds whatever else a tool wants to say; any other member is refused, so
//! that a misspelt `level` cannot lower a finding. `fix` is the version that has the fix, or whether there is one, and
//! `security_severity` a number from 0 to 10. White space between the objects does not matter, so a stream that
//! was pretty-printed is read too.
//!
//! The end marker is optional. With it a cut is seen; without it one between two lines is not, and a note says so.

use std::collections::BTreeMap;

use gate_model::finding::{Finding, Identity};
use gate_model::level::Level;
use gate_model::score::Score;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::collector::Collector;
use crate::error::{Absence, ReportError};
use crate::json::cursor::Cursor;
use crate::json::wire::{Loose, Text};
use crate::place::Ground;
use crate::source::Source;
use crate::wording::{self, Context};

const FINDING: &str = "gate.finding/1";
const END: &str = "gate.end/1";

#[allow(clippy::struct_field_names, reason = "the members of gate.finding/1")]
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a finding object")]
struct Line<'a> {
    #[serde(borrow)]
    schema: Option<Text<'a>>,
    #[serde(borrow)]
    rule: Option<Text<'a>>,
    level: Option<Level>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow)]
    path: Option<Text<'a>>,
    line: Option<u64>,
    #[serde(borrow)]
    fingerprint: Option<Text<'a>>,
    #[serde(borrow)]
    package: Option<Text<'a>>,
    #[serde(borrow)]
    tool: Option<Text<'a>>,
    #[serde(borrow)]
    fix: Option<Fix<'a>>,
    security_severity: Option<Severity>,
    #[serde(rename = "properties")]
    _properties: Option<IgnoredAny>,
    count: Option<u64>,
}

/// The version with the fix, or whether there is one.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "true, false, or the version that has the fix")]
enum Fix<'a> {
    Is(bool),
    #[serde(borrow)]
    In(Text<'a>),
}

impl Fix<'_> {
    fn word(&self) -> Option<String> {
        match self {
            Self::Is(there) => there.then(|| wording::FIX.to_owned()),
            Self::In(version) => Some(wording::name(version.0.trim())).filter(|version| !version.is_empty()),
        }
    }
}

/// A security severity, as a number or as text.
#[derive(Debug)]
struct Severity(Score);

impl<'de> Deserialize<'de> for Severity {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Loose::deserialize(from)?.0;
        let score = text.and_then(|text| text.parse().ok());
        score.map(Self).ok_or_else(|| serde::de::Error::custom("not a number from 0 to 10"))
    }
}

/// Reads a stream of findings to the end of the input.
pub(crate) fn read<'r>(source: Source<'r>, collector: &mut Collector<'_>) -> Result<Source<'r>, ReportError> {
    let mut cursor = Cursor::new(source);
    let (mut read, mut ended) = (0, false);
    while cursor.another()? {
        if ended {
            return Err(cursor.malformed("more after the end marker", "write the end marker last, and once"));
        }
        let length = cursor.extent()?;
        let line: Line<'_> = parsed(&cursor, length)?;
        match line.schema.as_ref().map(|schema| schema.0.as_ref()) {
            Some(END) => {
                check_end(&line, read, &cursor)?;
                ended = true;
            }
            None | Some(FINDING) => {
                take(&line, &cursor, collector)?;
                read += 1;
            }
            Some(other) => {
                let other = gate_model::text::visible(wording::cut(other, 80));
                let remedy = "the schemas are gate.finding/1 and gate.end/1; a newer gate may know more";
                return Err(cursor.malformed(format!("schema: unknown schema '{other}'"), remedy));
            }
        }
        cursor.pass(length);
    }
    if !ended {
        collector.note(format!("no end marker ({END}): a cut between two lines would not be seen"));
    }
    cursor.finish()
}

/// An array would be taken for an object whose members are in order.
fn parsed<'a>(cursor: &'a Cursor<'_>, length: usize) -> Result<Line<'a>, ReportError> {
    if cursor.next_is_object() {
        return cursor.parsed(length);
    }
    Err(cursor.malformed("not a JSON object", "each line is one finding: {\"rule\":\"…\",\"level\":\"…\",…}"))
}

fn check_end(line: &Line<'_>, read: u64, cursor: &Cursor<'_>) -> Result<(), ReportError> {
    let is_bare =
        line.rule.is_none() && line.level.is_none() && line.message.is_none() && line.tool.is_none();
    match line.count {
        Some(declared) if is_bare && declared == read => Ok(()),
        Some(declared) if is_bare => Err(cursor.did_not_run(Absence::Miscounted { declared, seen: read })),
        _ => Err(cursor
            .malformed("an end marker without its count", "write {\"schema\":\"gate.end/1\",\"count\":N}")),
    }
}

fn take(line: &Line<'_>, cursor: &Cursor<'_>, collector: &mut Collector<'_>) -> Result<(), ReportError> {
    let text = |text: &Option<Text<'_>>| {
        text.as_ref().map(|text| wording::name(text.0.trim())).filter(|text| !text.is_empty())
    };
    if line.count.is_some() {
        return Err(cursor.malformed("count: a finding has no count", "write one line for each finding"));
    }
    let tool = text(&line.tool);
    let Some(rule) = text(&line.rule).or_else(|| tool.clone()) else {
        return Err(cursor.malformed("rule: missing", "name the rule, or at least the tool, in each line"));
    };
    if let Some(tool) = &tool {
        collector.tool(tool);
    }
    let message = line.message.as_ref().map_or("", |message| message.0.as_ref());
    let place = collector.options.place;
    let path = line.path.as_ref().and_then(|path| Ground::of(place).resolve(&path.0));
    let path = path.map(|path| wording::path(&path));
    let package = text(&line.package);
    let number = line.line.filter(|line| (1..1 << 53).contains(line));
    let given = text(&line.fingerprint);
    let floor = collector.floored(&rule, Level::None);
    let mut finding = Finding {
        rule,
        level: Level::None,
        message: wording::message(message),
        path,
        line: number,
        around: None,
        identified_by: given.as_ref().map(|_| Identity::Fingerprint),
        fingerprint: given.unwrap_or_default(),
        fingerprints: BTreeMap::new(),
        package,
        tool,
        fix: line.fix.as_ref().and_then(Fix::word),
        security_severity: None,
    };
    let severity = line.security_severity.as_ref().map(|severity| severity.0);
    collector.grade(&mut finding, line.level.unwrap_or(Level::Warning), floor, severity);
    if !collector.reaches(finding.level, finding.security_severity) {
        collector.count_below();
        return Ok(());
    }
    if finding.identified_by.is_none() {
        wording::identify(&mut finding, &Context::of(None, message), place.checkout);
    }
    collector.take(finding, || cursor.at())
}

#[cfg(test)]
mod tests {
    use gate_model::level::Level;

    use crate::reading::read_text;
    use crate::{Absence, Format, ReportError};

    const LINE: &str = r#"{"rule":"R","level":"error","path":"src/a.py"}"#;

    fn message(text: &str) -> String {
        read_text(text, Level::None).unwrap_err().to_string()
    }

    #[test]
    fn every_member_is_read() {
        let text = r#"{"schema":"gate.finding/1","rule":"R","level":"note","message":"m","path":"/ci/repo/a","line":7,"fingerprint":"f","package":"p","tool":"t","fix":"1.2","security_severity":7.5,"properties":{"x":1}}
        {"tool":"t2","path":null,"fix":false}
        {"schema":"gate.end/1","count":2}"#;
        let report = read_text(text, Level::None).unwrap();
        assert_eq!((report.parts[0].format, report.total), (Format::JsonLines, 2));
        let first = &report.findings[0];
        assert_eq!((first.rule.as_str(), first.level, first.message.as_str()), ("R", Level::Note, "m"));
        assert_eq!((first.path.as_deref(), first.line), (Some("a"), Some(7)));
        assert_eq!((first.fingerprint.as_str(), first.package.as_deref()), ("f", Some("p")));
        let severity = first.security_severity.unwrap().to_string();
        assert_eq!((first.fix.as_deref(), severity.as_str()), (Some("1.2"), "7.5"));
        let second = &report.findings[1];
        assert_eq!(
            (second.rule.as_str(), second.level, second.path.as_deref()),
            ("t2", Level::Warning, None)
        );
        assert!(second.fingerprint.starts_with("gate2:"));
        assert_eq!(report.tools, ["t", "t2"]);
        assert!(report.notes.is_empty());
    }

    #[test]
    fn findings_below_the_threshold_are_counted() {
        let report =
            read_text(&format!("{LINE}\n{{\"rule\":\"S\",\"level\":\"note\"}}\n"), Level::Warning).unwrap();
        assert_eq!((report.findings.len(), report.counts.below_threshold, report.total), (1, 1, 2));
        assert!(report.notes[0].contains("gate.end/1"));
    }

    #[test]
    fn a_stream_that_was_pretty_printed_is_read() {
        let report = read_text("{\n  \"rule\": \"R\"\n}\n{\n  \"rule\": \"S\"\n}\n", Level::None).unwrap();
        assert_eq!(report.total, 2);
    }

    #[test]
    fn only_an_end_marker_is_a_clean_report() {
        let report = read_text("{\"schema\":\"gate.end/1\",\"count\":0}", Level::None).unwrap();
        assert_eq!((report.total, report.notes.len()), (0, 0));
    }

    #[test]
    fn a_cut_is_seen() {
        let whole = format!("{LINE}\n{LINE}\n{{\"schema\":\"gate.end/1\",\"count\":2}}\n");
        let without_one = whole.replacen(&format!("{LINE}\n"), "", 1);
        for (text, expected) in [
            (without_one.as_str(), Absence::Miscounted { declared: 2, seen: 1 }),
            (&whole[..whole.len() - 5], Absence::Truncated),
            (&LINE[..20], Absence::Truncated),
            ("\n\n", Absence::Empty),
        ] {
            match read_text(text, Level::None) {
                Err(ReportError::DidNotRun { absence, .. }) => assert_eq!(absence, expected, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn each_defect_names_its_line_and_member() {
        let end = "{\"schema\":\"gate.end/1\",\"count\":0}";
        for (text, place, words) in [
            (
                format!("{LINE}\n{{\"rule\":\"R\",\"levle\":\"error\"}}"),
                "line 2",
                "levle: unknown field `levle`",
            ),
            (
                format!("{LINE}\n{{\"rule\":\"R\",\"level\":\"high\"}}"),
                "line 2",
                "level: unknown variant `high`",
            ),
            (format!("{LINE}\n{{\"rule\":\"R\",\"rule\":\"S\"}}"), "line 2", "duplicate field `rule`"),
            (format!("{LINE}\n{{\"level\":\"error\"}}"), "line 2", "rule: missing"),
            (format!("{LINE}\n{{\"rule\":\"R\",\"fix\":1}}"), "line 2", "fix: true, false"),
            (
                format!("{LINE}\n{{\"rule\":\"R\",\"security_severity\":\"high\"}}"),
                "line 2",
                "security_severity: not a number from 0 to 10",
            ),
            (format!("{LINE}\n[\"R\"]"), "line 2", "not a JSON object"),
            (format!("{LINE}\n7"), "line 2", "not a JSON object"),
            (format!("{LINE}\n{{\"rule\":\"R\",\"count\":1}}"), "line 2", "a finding has no count"),
            (format!("{LINE}\n{{\"rule\":\"R\",\"line\":-1}}"), "line 2", "line: invalid value"),
            (format!("{LINE},\n{LINE}"), "line 1", "not a JSON object"),
            (format!("{end}\n{LINE}"), "line 2", "more after the end marker"),
            (format!("{end}\n{end}"), "line 2", "more after the end marker"),
            ("{\"schema\":\"gate.end/1\"}".to_owned(), "line 1", "without its count"),
            (
                "{\"schema\":\"gate.end/1\",\"count\":0,\"rule\":\"R\"}".to_owned(),
                "line 1",
                "without its count",
            ),
            (
                "{\"schema\":\"gate.finding/2\",\"rule\":\"R\"}".to_owned(),
                "line 1",
                "unknown schema 'gate.finding/2'",
            ),
        ] {
            let message = message(&text);
            assert!(message.contains(words) && message.contains(place), "{text}\n{message}");
            assert_eq!(message.lines().count(), 2);
        }
    }

    #[test]
    fn a_path_keeps_its_parent_segments() {
        let report = read_text("{\"rule\":\"R\",\"path\":\"src/../../etc\"}", Level::None).unwrap();
        assert_eq!(report.findings[0].path.as_deref(), Some("src/../../etc"));
    }
}
