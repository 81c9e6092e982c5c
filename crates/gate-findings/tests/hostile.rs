//! Reports that were cut, broken or made to harm: an error each, never fewer findings, never a panic.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::Read;

use gate_findings::place::Place;
use gate_findings::{Format, Options, Report, ReportError, read};
use gate_model::exit::Ends;
use gate_model::level::Level;
use proptest::prelude::*;

const RECORDED: [&[u8]; 5] = [
    include_bytes!("data/bandit.sarif"),
    include_bytes!("data/semgrep.sarif"),
    include_bytes!("data/hadolint.sarif"),
    include_bytes!("data/pytest.xml"),
    include_bytes!("data/nextest.xml"),
];

fn judged(input: &mut dyn Read) -> Result<Report, ReportError> {
    let floors = BTreeMap::new();
    read(
        input,
        "hostile",
        &Options {
            fail_on: Level::None.into(),
            floors: &floors,
            honour_suppressions: true,
            accept_errors: false,
            accept_empty: false,
            place: Place::NOWHERE,
        },
    )
}

/// Gives its bytes in pieces of the given sizes, again and again.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let size = self.sizes.next().unwrap_or(1).min(self.bytes.len()).min(out.len());
        let (piece, rest) = self.bytes.split_at(size);
        out[..size].copy_from_slice(piece);
        self.bytes = rest;
        Ok(size)
    }
}

/// Fails in the middle of the report.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(out)? {
            0 => Err(std::io::Error::other("the disk is gone")),
            count => Ok(count),
        }
    }
}

#[test]
fn every_cut_of_a_report_is_an_error() {
    for whole in RECORDED {
        let end = whole.trim_ascii_end().len();
        for cut in (0..end).step_by(if end > 4096 { 7 } else { 1 }) {
            let result = judged(&mut &whole[..cut]);
            assert!(
                result.as_ref().is_err_and(ReportError::did_not_run) || cut_in_character(&result),
                "cut at {cut}: {result:?}"
            );
        }
        assert!(judged(&mut &whole[..end]).is_ok());
    }
}

fn cut_in_character(result: &Result<Report, ReportError>) -> bool {
    matches!(result, Err(ReportError::Encoding { .. }))
}

#[test]
fn a_read_that_fails_is_a_failure_and_no_verdict() {
    for whole in RECORDED {
        let error = judged(&mut Failing(&whole[..whole.len() / 2])).unwrap_err();
        assert_eq!((error.exit().code(), error.did_not_run()), (5, false));
        assert!(error.to_string().contains("the disk is gone"), "{error}");
    }
}

#[test]
fn a_report_of_millions_of_findings_is_refused_before_memory_runs_out() {
    /// One finding after another, without end.
    struct Endless;
    impl Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            const LINE: &[u8] = b"{\"rule\":\"R\"}\n";
            let lines = out.len() / LINE.len();
            out.chunks_exact_mut(LINE.len()).for_each(|chunk| chunk.copy_from_slice(LINE));
            Ok(lines * LINE.len())
        }
    }
    let error = judged(&mut Endless).unwrap_err();
    assert!(matches!(error, ReportError::TooLarge { .. }), "{error}");
}

#[test]
fn endless_white_space_and_endless_strings_end() {
    let string = std::io::repeat(b'x');
    let error = judged(&mut b"{\"version\":\"".chain(string)).unwrap_err();
    assert!(matches!(error, ReportError::TooLarge { .. }), "{error}");
    let error = judged(&mut b"<testsuites name=\"".chain(std::io::repeat(b'x'))).unwrap_err();
    assert!(matches!(error, ReportError::TooLarge { .. }), "{error}");
    let error = judged(&mut b"{\"version\":\"2.1.0\",\"runs\":[{\"results\":[".chain(std::io::repeat(b'[')))
        .unwrap_err();
    assert!(matches!(error, ReportError::TooDeep { .. }), "{error}");
}

/// Fragments that steer random input into the readers.
fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{\"version\":\"2.1.0\",\"runs\":[{\"results\":[".to_owned()),
        Just("{\"ruleId\":\"R\",\"level\":\"error\",\"ruleIndex\":0}".to_owned()),
        Just("\"tool\":{\"driver\":{\"name\":\"T\",\"rules\":[{\"id\":\"R\"}]}}".to_owned()),
        Just("{\"rule\":\"R\"}\n".to_owned()),
        Just("<testsuites><testsuite failures='1'><testcase name='a'><failure>".to_owned()),
        Just("</failure></testcase></testsuite></testsuites>".to_owned()),
        Just("<system-out><![CDATA[".to_owned()),
        "[\\]\\[{}\",:<>&;/!?a-z0-9 -]{0,12}",
        "\\PC{0,4}",
    ]
}

proptest! {
    #[test]
    fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = judged(&mut bytes.as_slice());
    }

    #[test]
    fn no_mixture_of_fragments_panics(fragments in proptest::collection::vec(fragment(), 0..12), size in 1usize..9) {
        let text = fragments.concat();
        let mut pieces = Pieces { bytes: text.as_bytes(), sizes: vec![size].into_iter().cycle() };
        let in_pieces = judged(&mut pieces);
        let whole = judged(&mut text.as_bytes());
        match (&whole, &in_pieces) {
            (Ok(whole), Ok(pieces)) => prop_assert_eq!(whole, pieces),
            (Err(whole), Err(pieces)) => prop_assert_eq!(whole.to_string(), pieces.to_string()),
            _ => prop_assert!(false, "{:?} but {:?}", whole, in_pieces),
        }
    }

    #[test]
    fn a_changed_byte_gives_another_digest_or_an_error(which in 0usize..5, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let whole = RECORDED[which];
        let mut changed = whole.to_vec();
        let at = at.index(changed.len());
        prop_assume!(changed[at] != byte);
        changed[at] = byte;
        let before = judged(&mut &*whole).unwrap();
        if let Ok(after) = judged(&mut changed.as_slice()) {
            prop_assert_ne!(after.digest, before.digest);
        }
    }

    #[test]
    fn results_are_all_accounted_for(results in proptest::collection::vec((0usize..4, 0usize..4, any::<bool>(), any::<bool>()), 0..30),
                                     fail_on in 0usize..4, tool_first in any::<bool>(), sizes in proptest::collection::vec(1usize..4000, 1..4)) {
        let words: Vec<String> = results.iter().map(|(level, rule, suppressed, absent)| {
            let level = ["\"level\":\"none\",", "\"level\":\"note\",", "\"level\":\"error\",", ""][*level];
            let suppressed = if *suppressed { "\"suppressions\":[{\"kind\":\"inSource\"}]," } else { "" };
            let absent = if *absent { "\"baselineState\":\"absent\"," } else { "" };
            format!("{{{level}{suppressed}{absent}\"ruleIndex\":{rule}}}")
        }).collect();
        let rules = r#""tool":{"driver":{"name":"T","rules":[{"id":"a"},{"id":"b","defaultConfiguration":{"level":"note"}},{"id":"c"},{"id":"d"}]}}"#;
        let list = format!("\"results\":[{}]", words.join(","));
        let run = if tool_first { format!("{rules},{list}") } else { format!("{list},{rules}") };
        let text = format!("{{\"version\":\"2.1.0\",\"runs\":[{{{run}}}]}}");
        let floors = BTreeMap::new();
        let options = Options { fail_on: Level::ALL[fail_on].into(), floors: &floors, honour_suppressions: true, accept_errors: false, accept_empty: false, place: Place::NOWHERE };
        let mut pieces = Pieces { bytes: text.as_bytes(), sizes: sizes.into_iter().cycle() };
        let report = read(&mut pieces, "r", &options).unwrap();

        prop_assert_eq!(report.parts[0].format, Format::Sarif);
        prop_assert_eq!(report.total, results.len() as u64);
        let counted = report.counts.below_threshold + report.counts.suppressed + report.counts.absent;
        prop_assert_eq!(report.findings.len() as u64 + counted, report.total);
        let absent = results.iter().filter(|r| r.3).count() as u64;
        let suppressed = results.iter().filter(|r| r.2 && !r.3).count() as u64;
        prop_assert_eq!((report.counts.absent, report.counts.suppressed), (absent, suppressed));
        let level = |&(level, rule, _, _): &(usize, usize, bool, bool)| match (level, rule) {
            (0, _) => Level::None,
            (2, _) => Level::Error,
            (1, _) | (3, 1) => Level::Note,
            _ => Level::Warning,
        };
        let kept: Vec<Level> = results.iter().filter(|r| !r.2 && !r.3).map(level).filter(|l| *l >= Level::ALL[fail_on]).collect();
        prop_assert_eq!(report.findings.iter().map(|f| f.level).collect::<Vec<_>>(), kept);
        prop_assert!(report.findings.iter().all(|f| f.tool.as_deref() == Some("T")));
    }
}
