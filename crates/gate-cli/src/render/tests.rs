//! Every document in every format, with text that attacks the format.

use super::samples::{self, HOSTILE, view};
use super::{View, decision, grant, verification};
use crate::escape::is_unseen;
use crate::options::Format;
use gate_model::decision::{Decision, Verdict};
use gate_model::grant::Status;
use gate_model::verification::{FirstBad, Verification};

const VERDICTS: [Verdict; 6] =
    [Verdict::Pass, Verdict::Fail, Verdict::Skip, Verdict::Override, Verdict::Hold, Verdict::Run];

/// No line of `text` can act on a terminal, or on a CI system that reads it.
pub(super) fn assert_inert(text: &str) {
    for line in text.lines() {
        assert!(!line.chars().any(is_unseen), "{line:?}");
        assert!(!line.contains("##"), "{line}");
        assert!(!line.trim_start().starts_with("::"), "{line}");
    }
}

fn hostile_verification() -> Verification {
    let mut bad = samples::verification(false);
    bad.ledger = Some(HOSTILE.into());
    bad.first_bad = Some(FirstBad { seq: 1, reason: HOSTILE.into(), code: HOSTILE.into() });
    bad.warnings[0].message = HOSTILE.into();
    bad.warnings[0].code = HOSTILE.into();
    bad
}

/// Every hostile document in `format`.
fn hostile(format: Format) -> Vec<String> {
    let decisions =
        VERDICTS.into_iter().map(|verdict| decision(&samples::hostile_decision(verdict), format, &view()));
    let statuses = [Status::Granted, Status::Pending, Status::Denied];
    let grants = statuses.into_iter().map(|status| grant(&samples::hostile_grant(status), format, &view()));
    decisions.chain(grants).chain([verification(&hostile_verification(), format, &view())]).collect()
}

#[test]
fn hostile_text_is_inert_in_every_format_that_is_not_made_of_commands() {
    let formats = Format::ALL.into_iter().filter(|format| !matches!(format, Format::Github | Format::Azure));
    for format in formats {
        for text in hostile(format) {
            assert!(text.ends_with('\n'), "{format:?}");
            assert_inert(&text);
        }
    }
}

#[test]
fn github_output_holds_our_commands_only() {
    for text in hostile(Format::Github) {
        for line in text.lines() {
            let (head, message) = line[2..].split_once("::").unwrap();
            assert!(["error ", "warning ", "notice "].iter().any(|kind| head.starts_with(kind)), "{line}");
            assert!(!line.contains("##") && !line.chars().any(is_unseen), "{line}");
            let decoded = message.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
            assert_inert(&decoded);
            let names: Vec<&str> =
                head.split_once(' ').unwrap().1.split(',').map(|p| p.split('=').next().unwrap()).collect();
            assert!(
                names == ["title"] || names == ["file", "line", "title"] || names == ["file", "title"],
                "{names:?}"
            );
        }
    }
}

#[test]
fn azure_output_holds_our_commands_only() {
    for text in hostile(Format::Azure) {
        for line in text.lines() {
            let ours = line.strip_prefix("##vso[task.logissue ").or_else(|| line.strip_prefix("notice: "));
            assert_inert(ours.unwrap());
            if line.starts_with("notice: ") {
                continue;
            }
            let known = ["%AZP25", "%5D", "%3B"]
                .iter()
                .fold(line.to_owned(), |line, escape| line.replace(escape, ""));
            assert!(!known.contains('%'), "{line}");
            if let Some(command) = line.strip_prefix("##vso[") {
                let properties = command.split_once(']').unwrap().0.split_once(' ').unwrap().1;
                let names =
                    properties.split_terminator(';').map(|property| property.split('=').next().unwrap());
                assert!(
                    names.clone().all(|name| ["type", "sourcepath", "linenumber", "code"].contains(&name)),
                    "{line}"
                );
            }
        }
    }
}

#[test]
fn json_holds_the_document_unchanged() {
    for verdict in VERDICTS {
        let document = samples::hostile_decision(verdict);
        let text = decision(&document, Format::Json, &view());
        assert_eq!(text.matches('\n').count(), 1);
        assert_eq!(serde_json::from_str::<Decision>(&text).unwrap(), document);
    }
    let bad = hostile_verification();
    let text = verification(&bad, Format::Json, &view());
    assert_eq!(serde_json::from_str::<Verification>(&text).unwrap(), bad);
}

/// The elements of `junit-10.xsd` of Jenkins' xUnit plugin that are ours, with the attributes that each may have.
const JENKINS: [(&str, &str); 7] = [
    ("testsuites", "name time tests failures errors"),
    ("testsuite", "name tests failures errors group time skipped timestamp hostname id package file log url"),
    ("testcase", "name time classname group"),
    ("failure", "type message"),
    ("skipped", "type message"),
    ("system-out", ""),
    ("system-err", ""),
];

#[test]
fn junit_is_well_formed_with_the_counts_it_states() {
    use quick_xml::events::Event;
    for verdict in VERDICTS {
        let text = decision(&samples::hostile_decision(verdict), Format::Junit, &view());
        let mut reader = quick_xml::Reader::from_str(&text);
        let (mut cases, mut failures, mut declared) = (0, 0, String::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Start(tag) | Event::Empty(tag) => {
                    let name = tag.name().as_ref().to_owned();
                    let (_, may) = JENKINS.iter().find(|(element, _)| *element == name).unwrap();
                    for attribute in tag.attributes() {
                        let attribute = attribute.unwrap();
                        let key = attribute.key.as_ref().to_owned();
                        assert!(may.split(' ').any(|known| known == key), "{name} {key}");
                        if name == "testsuite" && attribute.key.as_ref() == "tests" {
                            declared = attribute.value.into_owned();
                        }
                    }
                    cases += usize::from(name == "testcase");
                    failures += usize::from(name == "failure");
                }
                _ => {}
            }
        }
        assert_eq!(declared, cases.to_string());
        assert!(text.contains(&format!("failures=\"{failures}\"")), "{verdict:?}");
        assert!(!text.contains("]]>"));
    }
}

#[test]
fn html_has_no_markup_but_ours() {
    for text in hostile(Format::Html) {
        assert!(text.starts_with("<!DOCTYPE html>"));
        let tags = text.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap_or_default());
        for tag in tags {
            let known = "!DOCTYPE html head meta title style body h1 h2 table thead tbody tr th td ul li p pre details summary";
            assert!(known.split(' ').any(|name| tag.trim_start_matches('/') == name), "{tag}");
        }
        assert!(!text.contains(">=") && text.contains("default-src 'none'"));
    }
}

#[test]
fn markdown_tables_keep_their_columns() {
    for text in hostile(Format::Markdown) {
        let mut columns = 0;
        for line in text.lines() {
            let bars = line.matches('|').count();
            assert!(bars == 0 || line.starts_with('|'), "{line}");
            if line.starts_with("| ---") {
                columns = bars;
            } else if bars > 0 && columns > 0 {
                assert_eq!(bars, columns, "{line}");
            } else if bars == 0 {
                columns = 0;
            }
            let tags = line.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
            assert!(
                tags.clone()
                    .all(|tag| ["code", "pre", "h3", "details", "summary"]
                        .contains(&tag.trim_start_matches('/'))),
                "{line}"
            );
            assert!(!line.contains(['@', '[', '`', '\\', '!', '~']), "{line}");
        }
    }
}

#[test]
fn formulas_are_text_in_every_table() {
    let mut document = samples::decision(Verdict::Fail);
    document.blocking[0].message = "=cmd|' /C calc'!A0".into();
    document.grants[0].reason = "@SUM(A1)".into();
    let text = decision(&document, Format::Text, &view());
    assert!(text.contains("┆ '=cmd|' /C calc'!A0 │") && text.contains("┆ '@SUM(A1) "), "{text}");
    let html = decision(&document, Format::Html, &view());
    assert!(html.contains(">'=cmd|' /C calc'!A0</td>") && html.contains(">'@SUM(A1)</td>"));
    let markdown = decision(&document, Format::Markdown, &view());
    assert!(markdown.contains("<code>&#39;&#61;cmd&#124;") && markdown.contains("<code>&#39;&#64;SUM"));
}

#[test]
fn what_has_no_room_beside_stands_below_and_empty_columns_are_left_out() {
    let row = |id: &str, end: &str, note: &str| {
        let reason = "the fix is in review and is merged as soon as the release is out, which is next week";
        [id, "a-gate-with-a-long-name", end, "", note, reason].map(str::to_owned).to_vec()
    };
    let rows = [row("8", "2026-11-22T20:30:35Z (in 3h 59m)", "no: for another"), row("9", "?", "")];
    let columns = ["id", "gate", "ends", "package", "note", "reason"];
    let shown = |width| crate::render::text::table(&columns, &rows, &View { width: Some(width), ..view() });
    let expected = "  \
  id  gate                     ends
  8   a-gate-with-a-long-name  2026-11-22T20:30:35Z (in 3h 59m)
    note    no: for another
    reason  the fix is in review and is merged as soon as the release
            is out, which is next week
  9   a-gate-with-a-long-name  ?
    reason  the fix is in review and is merged as soon as the release
            is out, which is next week
";
    assert_eq!(shown(70), expected);
    for width in [40, 60, 70, 80, 100, 120] {
        let text = shown(width);
        assert!(!text.contains("package") && !text.contains('\u{a0}'), "{width}: {text}");
        // How far a time is stays in one piece, beside the time or below it.
        assert!(text.contains("(in 3h 59m)"), "{width}: {text}");
        assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
    }
}

#[test]
fn a_name_that_is_too_long_for_its_column_stands_above_its_row() {
    let columns = ["principal", "decisions", "passed", "failed", "held", "went past", "share past"];
    let name = "github:a-user-name-of-thirty-nine-letters-max1";
    let row = |name: &str| [name, "7", "3", "1", "0", "4", "57.14 %"].map(str::to_owned).to_vec();
    let rows = [row("os:root"), row(name)];
    let shown = |width| crate::render::text::table(&columns, &rows, &View { width: Some(width), ..view() });
    for width in [70, 80, 100] {
        let text = shown(width);
        assert_eq!(text.lines().count(), 4, "a heading, a row, and a row below its name\n{text}");
        assert!(text.lines().any(|line| line.trim() == name), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
        assert_eq!(text.matches("went past").count(), 1, "{text}");
        // The numbers of both rows stand below each other.
        let at: Vec<_> = text.lines().filter_map(|line| line.find("57.14")).collect();
        assert_eq!((at.len(), at[0]), (2, at[1]), "{text}");
    }
    assert_eq!(shown(50).matches("went past").count(), 2, "too narrow for rows");
}

#[test]
fn any_width_of_a_terminal_is_survived() {
    for width in [0, 1, 5, 20, 40, 80, 65_535, 70_000] {
        let view = View { width: Some(width), ..view() };
        assert_inert(&decision(&samples::hostile_decision(Verdict::Fail), Format::Text, &view));
    }
}

/// Whether `word` stands in `text` in one piece.
fn is_whole(text: &str, word: &str) -> bool {
    text.split_whitespace().any(|found| found == word)
}

#[test]
fn tables_fit_their_terminal_and_break_no_time_number_name_or_heading() {
    let mut document = samples::decision(Verdict::Fail);
    document.grants[0].reason =
        "the fix is in review and will be merged as soon as the release is out".into();
    document.blocking[0].path = Some("src/some/folder/that/has/a/long/path/of/its/own/app.py".into());
    for width in [40, 60, 80, 120] {
        let text = decision(&document, Format::Text, &View { width: Some(width), ..view() });
        for word in [
            "2026-11-22T20:30:35Z",
            "alice@example.com",
            "CVE-2021-44228",
            "opt-out",
            "package",
            "log4j-core",
        ] {
            assert!(is_whole(&text, word), "{width} {word}: {text}");
        }
        let commands = text.find("to ask for").unwrap();
        for line in text[..commands].lines().filter(|line| !line.contains("src/some")) {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        assert_eq!(text.contains('│'), width >= 60, "{width}: {text}");
    }
}

#[test]
fn a_decision_as_text() {
    let expected = "\
lint: fail
  status           1
  commit           c0ffee
  policy           b3:00 (worktree)
  below threshold  3
  at               2026-11-22T16:30:35Z
  recorded         entry 42

because
  - 1 finding blocks.

blocking (1)
┌──────┬───────┬───────────────┬─────────────────────────┐
│ rule ┆ level ┆ where         ┆ message                 │
╞══════╪═══════╪═══════════════╪═════════════════════════╡
│ B101 ┆ error ┆ src/app.py:12 ┆ Use of assert detected. │
└──────┴───────┴───────────────┴─────────────────────────┘

waived (1)
┌────────────────┬───────┬────────────┬─────────┬──────────────┐
│ rule           ┆ level ┆ package    ┆ opt-out ┆ message      │
╞════════════════╪═══════╪════════════╪═════════╪══════════════╡
│ CVE-2021-44228 ┆ error ┆ log4j-core ┆ 41      ┆ CVE in log4j │
└────────────────┴───────┴────────────┴─────────┴──────────────┘

used (1)
┌─────────┬────────┬───────────────────┬──────────────────────────────┬──────────────────┐
│ opt-out ┆ action ┆ by                ┆ until                        ┆ reason           │
╞═════════╪════════╪═══════════════════╪══════════════════════════════╪══════════════════╡
│ 41      ┆ waive  ┆ alice@example.com ┆ 2026-11-22T20:30:35Z (in 4h) ┆ fix is in review │
└─────────┴────────┴───────────────────┴──────────────────────────────┴──────────────────┘

to ask for a way past
  - accept this finding
      gate-skip lint --waive rule=B101,path=src/app.py --reason WHY
";
    assert_eq!(decision(&samples::decision(Verdict::Fail), Format::Text, &view()), expected);
}

/// Five thousand findings of fifty rules, the one error last.
fn many() -> Decision {
    let mut document = samples::decision(Verdict::Fail);
    let error = document.blocking[0].clone();
    let minor = |number: usize| gate_model::finding::Finding {
        rule: format!("W{}", number % 50),
        level: gate_model::level::Level::Warning,
        ..error.clone()
    };
    document.blocking = (0..4_999).map(minor).chain([error.clone()]).collect();
    document.suggest = vec![document.suggest[0].clone(); 1_000];
    document.suggest_all = Some(document.suggest[0].clone());
    document
}

#[test]
fn thousands_of_findings_are_readable_and_the_worst_come_first() {
    let shown = |format| decision(&many(), format, &view());
    let text = shown(Format::Text);
    assert!(text.lines().count() < 120, "{text}");
    assert!(text.contains("and 4980 more; --format json or html has them all"), "{text}");
    assert!(text.find("B101").unwrap() < text.find("W0").unwrap());
    let markdown = shown(Format::Markdown);
    assert!(markdown.len() < 64 * 1024, "{}", markdown.len());
    assert!(markdown.contains("| <code>W0</code> | <code>100</code> |"), "{markdown}");
    let html = shown(Format::Html);
    assert_eq!(html.matches("<details>").count(), 52, "51 rules and the facts, all folded");
    assert_eq!(html.matches("data-label=\"message\"").count(), 5_001);
    assert!(html.find("to ask for a way past").unwrap() < html.find("<details").unwrap());
    for format in [Format::Github, Format::Azure] {
        let text = shown(format);
        assert!(text.lines().count() <= 30 && text.lines().next().unwrap().contains("B101"), "{text}");
    }
    assert!(shown(Format::Junit).contains("error B101 src/app.py:12: Use of assert detected.\nwarning W0"));
}

#[test]
fn a_command_that_cannot_be_pasted_is_left_out_with_a_note() {
    let mut document = samples::decision(Verdict::Fail);
    document.suggest[0].command = "gate-skip lint --reason '\u{202e}x'".into();
    let text = decision(&document, Format::Text, &view());
    assert!(text.ends_with(
        "  - accept this finding (left out: it holds characters that cannot be pasted; see suggest.argv in --format json)\n"
    ));
}

#[test]
fn a_grant_as_text() {
    let expected = "\
lint: granted
  id        41
  action    skip
  scope     commit c0ffee
  from      2026-11-22T16:30:35Z
  until     2026-11-22T20:30:35Z (in 4h)
  uses      at most 1
  by        github:carol (asserted)
  recorded  entry 41

because
  - rule 1 of lint allows it.
";
    assert_eq!(grant(&samples::grant(Status::Granted), Format::Text, &view()), expected);
}

#[test]
fn a_verification_as_text() {
    let expected = "\
ok
  good entries  42
  ledger        1dea
  head          41 b3:41
  genesis       b3:00 (unpinned)
  anchored      no

warnings
  - unanchored: no checkpoint was given
";
    assert_eq!(verification(&samples::verification(true), Format::Text, &view()), expected);
}

#[test]
fn a_grant_as_markdown() {
    let expected = "\
<h3><code>lint&#58; granted</code></h3>

- <code>rule 1 of lint allows it.</code>

| | |
| --- | --- |
| id | <code>41</code> |
| action | <code>skip</code> |
| scope | <code>commit c0ffee</code> |
| from | <code>2026-11-22T16&#58;30&#58;35Z</code> |
| until | <code>2026-11-22T20&#58;30&#58;35Z &#40;in 4h&#41;</code> |
| uses | <code>at most 1</code> |
| by | <code>github&#58;carol &#40;asserted&#41;</code> |
| recorded | <code>entry 41</code> |
";
    assert_eq!(grant(&samples::grant(Status::Granted), Format::Markdown, &view()), expected);
}

#[test]
fn colour_is_there_when_asked_for_and_nowhere_else() {
    let coloured = View { colour: true, ..view() };
    let text = decision(&samples::decision(Verdict::Fail), Format::Text, &coloured);
    assert!(text.starts_with("\u{1b}[1m\u{1b}[31mlint: fail\u{1b}[0m\n"), "{text:?}");
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Text) {
        assert!(
            !decision(&samples::decision(Verdict::Fail), format, &coloured).contains('\u{1b}'),
            "{format:?}"
        );
    }
}
