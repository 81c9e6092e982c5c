//! A decision as JUnit XML: one test case for the gate and one for each finding.
//!
//! What blocks is a failure, what was accepted is skipped. The gate's own case fails where the pipeline does
//! not proceed, so that a report without findings is never an empty, green one.
//!
//! There is no one schema of JUnit. This keeps to what Jenkins takes (`junit-10.xsd` of its xUnit plugin, which is
//! the strictest in use): a case has a name, a class and no place, so the place stands in the name and in the text.

use gate_model::decision::{Decision, Verdict};

use super::items::{Item, Standing, gate_rule, of, why};
use super::words::{instant, location};
use crate::escape::xml::text;

/// The report.
pub(super) fn report(decision: &Decision) -> String {
    let gate = text(&decision.gate);
    let own = gate_rule(&decision.gate);
    let items: Vec<Item> = of(decision).into_iter().filter(|item| item.finding.rule != own).collect();
    let cases = std::iter::once(gate_case(decision)).chain(items.iter().map(|item| item_case(&gate, item)));
    let cases: Vec<Case> = cases.collect();
    let number = |wanted: Outcome| cases.iter().filter(|case| case.outcome == wanted).count();
    let counts = format!("tests=\"{}\" failures=\"{}\" errors=\"0\"", cases.len(), number(Outcome::Failed));
    let skipped = number(Outcome::Skipped);
    // JUnit's schema wants a time without a zone; it is UTC.
    let at = instant(decision.at).trim_end_matches('Z').to_owned();
    let mut body: String = cases.iter().map(|case| case.xml.as_str()).collect();
    if !decision.notices.is_empty() {
        body.push_str(&format!("    <system-err>{}</system-err>\n", text(&decision.notices.join("\n"))));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gate\" {counts}>\n  \
         <testsuite name=\"{gate}\" {counts} skipped=\"{skipped}\" timestamp=\"{at}\">\n{body}  </testsuite>\n</testsuites>\n"
    )
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

struct Case {
    outcome: Outcome,
    xml: String,
}

/// The case that stands for the gate itself.
fn gate_case(decision: &Decision) -> Case {
    let gate = text(&decision.gate);
    let why = text(&why(decision));
    let open = format!("    <testcase classname=\"{gate}\" name=\"{}\"", text(&gate_rule(&decision.gate)));
    let (outcome, inside) = match decision.decision {
        Verdict::Fail if decision.only_observed().is_some() => {
            (Outcome::Skipped, skipped(&why, &blocking(decision)))
        }
        Verdict::Fail | Verdict::Hold => {
            (Outcome::Failed, failure(decision.decision.as_str(), &why, &blocking(decision)))
        }
        Verdict::Skip | Verdict::Override | Verdict::Run => (Outcome::Skipped, skipped(&why, &why)),
        Verdict::Pass if decision.proceed == Some(false) => {
            (Outcome::Failed, failure("fail", &why, &blocking(decision)))
        }
        Verdict::Pass => match decision.context.contradiction() {
            Some(told) => (Outcome::Passed, format!("<system-out>{}</system-out>", text(&told))),
            None => return Case { outcome: Outcome::Passed, xml: format!("{open}/>\n") },
        },
    };
    Case { outcome, xml: format!("{open}>{inside}</testcase>\n") }
}

/// What blocks, a line each: readers of JUnit show the text of a failure, and hide the rest behind it.
fn blocking(decision: &Decision) -> String {
    super::blocking::worst(decision).iter().map(|line| text(line)).collect::<Vec<_>>().join("\n")
}

fn item_case(gate: &str, item: &Item) -> Case {
    let finding = &item.finding;
    let name = [finding.rule.clone(), location(finding), finding.package.clone().unwrap_or_default()];
    let name = name.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let open = format!("    <testcase classname=\"{gate}\" name=\"{}\"", text(&name));
    let message = if finding.message.is_empty() { &finding.rule } else { &finding.message };
    let message = text(message);
    let (outcome, inside) = match &item.standing {
        Standing::Blocks => {
            let place = Some(location(finding)).filter(|place| !place.is_empty());
            let place = place.map_or_else(String::new, |place| format!("\n{}", text(&place)));
            let details = format!("{message}{place}\nfingerprint {}", text(&finding.fingerprint));
            (Outcome::Failed, failure(finding.level.as_str(), &message, &details))
        }
        Standing::Observed(by) | Standing::Accepted(by) => (Outcome::Skipped, skipped(&text(by), &message)),
    };
    Case { outcome, xml: format!("{open}>{inside}</testcase>\n") }
}

/// All three arguments are escaped already.
fn failure(kind: &str, message: &str, details: &str) -> String {
    format!("<failure type=\"{kind}\" message=\"{message}\">{details}</failure>")
}

fn skipped(message: &str, details: &str) -> String {
    format!("<skipped message=\"{message}\">{details}</skipped>")
}

#[cfg(test)]
mod tests {
    use crate::render::samples;
    use gate_model::decision::Verdict;

    #[test]
    fn findings_fail_and_waived_ones_are_skipped() {
        let expected = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"gate\" tests=\"3\" failures=\"2\" errors=\"0\">
  <testsuite name=\"lint\" tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"1\" timestamp=\"2026-11-22T16:30:35\">
    <testcase classname=\"lint\" name=\"gate/lint\"><failure type=\"fail\" message=\"fail: 1 finding blocks.\">error B101 src/app.py:12: Use of assert detected.</failure></testcase>
    <testcase classname=\"lint\" name=\"B101 src/app.py:12\"><failure type=\"error\" message=\"Use of assert detected.\">Use of assert detected.
src/app.py:12
fingerprint f1</failure></testcase>
    <testcase classname=\"lint\" name=\"CVE-2021-44228 log4j-core\"><skipped message=\"waived by opt-out 41 (waive by alice@example.com: fix is in review)\">CVE in log4j</skipped></testcase>
  </testsuite>
</testsuites>
";
        assert_eq!(super::report(&samples::decision(Verdict::Fail)), expected);
    }

    #[test]
    fn a_gate_that_stops_without_findings_is_not_green() {
        for verdict in [Verdict::Fail, Verdict::Hold] {
            let mut decision = samples::decision(verdict);
            decision.blocking.clear();
            decision.waived.clear();
            assert!(super::report(&decision).contains("tests=\"1\" failures=\"1\""), "{verdict:?}");
        }
    }

    #[test]
    fn a_gate_that_proceeds_has_no_failure() {
        for verdict in [Verdict::Pass, Verdict::Skip, Verdict::Override] {
            let mut decision = samples::decision(verdict);
            if verdict != Verdict::Override {
                decision.blocking.clear();
            }
            let report = super::report(&decision);
            assert!(report.contains("failures=\"0\"") && !report.contains("<failure"), "{report}");
        }
    }
}
