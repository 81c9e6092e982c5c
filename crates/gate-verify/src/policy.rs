//! Checking a policy: its text, what is odd about it, and its own tests.

use std::path::Path;

use gate_cli::options::Format;
use gate_cli::render::sheet::Tone;
use gate_cli::render::{self, Sheet, View};
use gate_cli::{Io, Session};
use gate_judge::policy_lint;
use gate_judge::policy_text::{self, Loaded, TextError};
use gate_model::exit::Exit;
use gate_policy::{Diagnostic, Severity, TestResult};
use serde::Serialize;

use crate::run::TOOL;

/// The value of `schema`.
const SCHEMA: &str = "gate.policy-report/1";

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PolicyReport {
    schema: &'static str,
    /// Whether there is no error and every test passed.
    ok: bool,
    /// The file, as messages name it.
    policy: String,
    /// The digest that verdicts name; null where the policy is not valid.
    digest: Option<String>,
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
    tests: Vec<Test>,
    /// How the tool ends.
    #[serde(skip)]
    exit: Exit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Problem {
    code: &'static str,
    message: String,
    line: usize,
    column: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Test {
    name: String,
    passed: bool,
    expected: &'static str,
    got: String,
    line: usize,
}

/// Checks the policy that `path`, or the search from `cwd` upward, finds; what is wrong is told on stderr, with its place.
///
/// # Errors
/// A [`TextError`] where there is no policy to check.
pub(crate) fn check(
    session: &Session<'_>,
    path: Option<&Path>,
    io: &mut Io<'_>,
) -> Result<PolicyReport, TextError> {
    match policy_text::load(&session.env.cwd, path) {
        Ok(loaded) => Ok(examine(&loaded, session, io)),
        Err(TextError::Invalid { name, text, diagnostics }) => {
            session.faults(io, &gate_policy::faults(&name, &text, &diagnostics));
            Ok(PolicyReport {
                schema: SCHEMA,
                ok: false,
                policy: name,
                digest: None,
                errors: diagnostics.iter().map(problem).collect(),
                warnings: Vec::new(),
                tests: Vec::new(),
                exit: Exit::Usage,
            })
        }
        Err(error) => Err(error),
    }
}

fn examine(loaded: &Loaded, session: &Session<'_>, io: &mut Io<'_>) -> PolicyReport {
    let diagnostics = policy_lint::lint(loaded, session.now());
    let shown: Vec<Diagnostic> = diagnostics.iter().cloned().map(worded).collect();
    session.faults(io, &gate_policy::faults(&loaded.name, &loaded.text, &shown));
    let tests: Vec<Test> = gate_policy::run_tests(&loaded.policy).into_iter().map(test).collect();
    for failed in tests.iter().filter(|test| !test.passed) {
        let Test { name, expected, got, line, .. } = failed;
        let text = format!("{}:{line}: test '{name}' failed: expected {expected}, got {got}", loaded.name);
        io.tell(&gate_cli::message::line(TOOL, &text));
    }
    let of = |severity| diagnostics.iter().filter(move |one| one.severity == severity).map(problem).collect();
    let errors: Vec<Problem> = of(Severity::Error);
    let ok = errors.is_empty() && tests.iter().all(|test| test.passed);
    PolicyReport {
        schema: SCHEMA,
        ok,
        policy: loaded.name.clone(),
        digest: Some(loaded.used.digest.clone()),
        errors,
        warnings: of(Severity::Warning),
        tests,
        exit: if ok { Exit::Proceed } else { Exit::Negative },
    }
}

/// The same with its weight in words: only the errors of a valid policy count against it.
fn worded(mut diagnostic: Diagnostic) -> Diagnostic {
    if diagnostic.severity == Severity::Warning {
        diagnostic.message.insert_str(0, "warning: ");
    }
    diagnostic
}

fn problem(diagnostic: &Diagnostic) -> Problem {
    Problem {
        code: diagnostic.code,
        message: diagnostic.message.clone(),
        line: diagnostic.line,
        column: diagnostic.column,
        help: diagnostic.help.clone(),
    }
}

fn test(result: TestResult) -> Test {
    Test {
        name: result.name,
        passed: result.passed,
        expected: result.expected.as_str(),
        got: result.got,
        line: result.line,
    }
}

impl PolicyReport {
    /// How the tool ends.
    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// The document in `format`.
    pub(crate) fn render(&self, format: Format, view: &View) -> String {
        match format {
            Format::Text | Format::Markdown | Format::Html => render::page(&self.sheet(), format, view),
            _ => render::json(self) + "\n",
        }
    }

    /// One line for stderr.
    pub(crate) fn summary(&self) -> String {
        let failed = self.tests.iter().filter(|test| !test.passed).count();
        let verdict = if self.ok { "ok" } else { "not ok" };
        let failed = if failed > 0 { format!(" ({failed} failed)") } else { String::new() };
        format!(
            "{}: {verdict}: {}; {}; {}{failed}",
            self.policy,
            render::count(self.errors.len(), "error"),
            render::count(self.warnings.len(), "warning"),
            render::count(self.tests.len(), "test"),
        )
    }

    fn sheet(&self) -> Sheet {
        let (title, tone) = if self.ok { ("ok", Tone::Good) } else { ("not ok", Tone::Bad) };
        let mut sheet = Sheet::new(title, tone);
        sheet.fact("policy", self.policy.clone());
        sheet.maybe("digest", self.digest.clone());
        let row = |one: &Problem| {
            vec![
                format!("{}:{}", one.line, one.column),
                one.message.clone(),
                one.help.clone().unwrap_or_default(),
            ]
        };
        sheet.table("Errors", &["place", "what", "remedy"], self.errors.iter().map(row).collect());
        sheet.table("Warnings", &["place", "what", "remedy"], self.warnings.iter().map(row).collect());
        let row = |test: &Test| {
            let passed = if test.passed { "passed" } else { "failed" };
            vec![
                test.line.to_string(),
                test.name.clone(),
                passed.to_owned(),
                test.expected.to_owned(),
                test.got.clone(),
            ]
        };
        sheet.table(
            "Tests",
            &["line", "test", "result", "expected", "got"],
            self.tests.iter().map(row).collect(),
        );
        sheet
    }
}
