//! How a decision, and a waiver made from one, names exactly the findings that were seen.
//!
//! Evidence is exact: rule, level, path, package, fingerprints, tool and security severity of the finding, and whether a
//! fix was known, with the number of findings that are alike in all of these. The message is left out: it changes without the
//! finding changing. Lines do, too: a waiver keeps them, with what stands around them, only to tell which of alike findings
//! are the accepted ones.
//! The path is written as a glob that fits just this path; one that no glob may fit (it is absolute, or has a
//! segment `..`) is left out, and the fingerprint, which is always there, stands for it.
//!
//! Sorted by rule, path, package, fingerprint, tool and level, so that the same findings give the same bytes.

use std::collections::BTreeMap;

use gate_model::finding::{Evidence, Finding, PLACES};
use gate_model::glob;
use gate_model::level::Level;
use gate_model::path_glob::PathGlob;

use gate_model::payload::Judged;
use gate_model::score::Score;

use crate::identity::{self, Named};
use crate::wording::FIX;

/// What makes findings identical, in the order of the output.
type Key<'a> = (
    (&'a str, Option<&'a str>, Option<&'a str>),
    (&'a str, &'a Named, Option<&'a str>),
    (Level, Option<Score>, bool),
);

fn key(finding: &Finding) -> Key<'_> {
    (
        (&finding.rule, finding.path.as_deref(), finding.package.as_deref()),
        (&finding.fingerprint, &finding.fingerprints, finding.tool.as_deref()),
        (finding.level, finding.security_severity, finding.fix.is_some()),
    )
}

fn exact(key: Key<'_>, count: u64) -> Evidence {
    let ((rule, path, package), (fingerprint, named, tool), (level, security_severity, fixable)) = key;
    Evidence {
        rule: rule.to_owned(),
        level,
        count,
        path: path.map(glob::escape).filter(|glob| PathGlob::parse(glob).is_ok()),
        package: package.map(str::to_owned),
        fingerprint: Some(fingerprint.to_owned()),
        fingerprints: named.clone(),
        tool: tool.map(str::to_owned),
        security_severity,
        fixable,
        lines: Vec::new(),
        around: Vec::new(),
    }
}

/// Lines, and what stands around each.
type Places<'a> = Vec<(u64, &'a str)>;

/// The exact evidence of `findings`: one for each group of identical ones.
pub fn of(findings: &[Finding]) -> Vec<Evidence> {
    let mut counts: BTreeMap<Key<'_>, (u64, Places<'_>)> = BTreeMap::new();
    for finding in findings {
        let (count, places) = counts.entry(key(finding)).or_default();
        *count += 1;
        let place = finding.line.map(|line| (line, finding.around.as_deref().unwrap_or_default()));
        places.extend(place.filter(|_| places.len() < PLACES));
    }
    counts.into_iter().map(|(key, (count, places))| with_places(exact(key, count), places)).collect()
}

fn with_places(evidence: Evidence, mut places: Places<'_>) -> Evidence {
    places.sort_unstable();
    let known = places.iter().any(|(_, around)| !around.is_empty());
    let around = places.iter().filter(|_| known).map(|(_, around)| (*around).to_owned()).collect();
    Evidence { lines: places.into_iter().map(|(line, _)| line).collect(), around, ..evidence }
}

/// The exact evidence of findings, apart by what covers them, as a decision's entry records it: those that block first.
///
/// Each finding comes with the ID of the grant that covers it, if one does, and the file that it moved from.
pub fn group<'a>(findings: impl Iterator<Item = (&'a Finding, Option<u64>, Option<&'a str>)>) -> Vec<Judged> {
    let mut counts: BTreeMap<(Option<u64>, Option<&str>, Key<'_>), u64> = BTreeMap::new();
    for (finding, grant, moved_from) in findings {
        *counts.entry((grant, moved_from, key(finding))).or_default() += 1;
    }
    let one = |((grant, moved_from, key), count): ((_, Option<&str>, _), _)| Judged {
        finding: exact(key, count),
        grant,
        moved_from: moved_from.map(str::to_owned),
    };
    counts.into_iter().map(one).collect()
}

/// The one path that a glob fits; nothing where it may fit others, or none.
pub(crate) fn plain_path(glob: &str) -> Option<String> {
    PathGlob::parse(glob).ok().filter(PathGlob::is_literal).map(|_| unescaped(glob))
}

/// Exact evidence of the same findings as they were in the file `path`.
pub(crate) fn at_path(evidence: &Evidence, path: &str) -> Evidence {
    Evidence {
        path: Some(glob::escape(path)),
        fingerprint: evidence.fingerprint.as_ref().map(|own| identity::moved(own, path)),
        ..evidence.clone()
    }
}

/// The path that a literal glob is written for.
fn unescaped(glob: &str) -> String {
    let mut escaped = false;
    let is_kept = |c: &char| {
        escaped = *c == '\\' && !escaped;
        !escaped
    };
    glob.chars().filter(is_kept).collect()
}

/// The finding that exact evidence describes. Its path is a glob that fits one path, with special characters
/// escaped by a backslash; message and line are unknown.
pub fn as_finding(evidence: &Evidence) -> Finding {
    Finding {
        rule: evidence.rule.clone(),
        level: evidence.level,
        message: String::new(),
        path: evidence.path.as_deref().map(unescaped),
        line: None,
        fingerprint: evidence.fingerprint.clone().unwrap_or_default(),
        fingerprints: evidence.fingerprints.clone(),
        around: None,
        identified_by: None,
        package: evidence.package.clone(),
        tool: evidence.tool.clone(),
        fix: evidence.fixable.then(|| FIX.to_owned()),
        security_severity: evidence.security_severity,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use gate_model::finding::Finding;
    use gate_model::level::Level;

    use super::{group, of};
    use crate::matching::{Waiver, assign, covers};
    use crate::place::NoCheckout;

    fn finding(rule: &str, path: &str, line: u64) -> Finding {
        Finding {
            rule: rule.into(),
            level: Level::Warning,
            message: format!("at {line}"),
            path: Some(path.into()),
            line: Some(line),
            fingerprint: "f".into(),
            fingerprints: BTreeMap::new(),
            around: None,
            identified_by: None,
            package: None,
            tool: Some("t".into()),
            fix: None,
            security_severity: None,
        }
    }

    #[test]
    fn identical_findings_are_counted_and_order_does_not_matter() {
        let mut findings = vec![finding("B", "x", 1), finding("A", "y", 2), finding("A", "y", 9)];
        let evidence = of(&findings);
        assert_eq!(
            evidence.iter().map(|e| (e.rule.as_str(), e.count)).collect::<Vec<_>>(),
            [("A", 2), ("B", 1)]
        );
        findings.reverse();
        assert_eq!(of(&findings), evidence);
    }

    #[test]
    fn exact_evidence_covers_all_it_was_made_from_and_not_one_more() {
        let mut findings = vec![
            finding("A", "app/[id]/p.tsx", 1),
            finding("A", "app/[id]/p.tsx", 2),
            finding("A", "../outside", 3),
            finding("A", "!x", 3),
        ];
        let evidence = of(&findings);
        let waivers = [Waiver::of(1, &evidence)];
        assert!(assign(&findings, &waivers, &NoCheckout).covered_by.iter().all(Option::is_some));
        findings.push(finding("A", "app/[id]/p.tsx", 7));
        assert_eq!(
            assign(&findings, &waivers, &NoCheckout).covered_by.iter().filter(|by| by.is_none()).count(),
            1
        );
        let graver = Finding { level: Level::Error, ..finding("A", "app/[id]/p.tsx", 1) };
        assert!(!evidence.iter().any(|e| covers(e, &graver)));
    }

    #[test]
    fn exact_evidence_describes_the_finding_it_was_made_from() {
        for path in ["a/b.rs", "app/[id]/p.tsx", "odd\\name", "!x", "{a,b}"] {
            let found = Finding { message: String::new(), line: None, ..finding("A", path, 1) };
            assert_eq!(super::as_finding(&of(std::slice::from_ref(&found))[0]), found);
        }
    }

    #[test]
    fn findings_are_grouped_by_the_grant_that_covers_them() {
        let findings = [finding("A", "x", 1), finding("A", "x", 2), finding("A", "x", 3)];
        let judged = group(findings.iter().zip([Some(4), None, Some(4)]).map(|(one, by)| (one, by, None)));
        let seen: Vec<_> = judged.iter().map(|j| (j.grant, j.finding.count)).collect();
        assert_eq!(seen, [(None, 1), (Some(4), 2)]);
    }
}
