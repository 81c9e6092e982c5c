use std::collections::BTreeMap;

use gate_model::finding::{Evidence, Finding};
use gate_model::level::Level;
use proptest::prelude::*;

use super::{Waiver, assign, covers};

fn finding(rule: &str, path: &str) -> Finding {
    Finding {
        rule: rule.into(),
        level: Level::Warning,
        message: String::new(),
        path: Some(path.into()),
        line: None,
        fingerprint: format!("fp-{path}"),
        fingerprints: BTreeMap::new(),
        identified_by: None,
        package: None,
        tool: Some("t".into()),
    }
}

fn evidence(rule: &str, path: &str, count: u64) -> Evidence {
    Evidence {
        rule: rule.into(),
        level: Level::Error,
        count,
        path: Some(path.into()),
        package: None,
        fingerprint: None,
        fingerprints: BTreeMap::new(),
        tool: None,
        lines: Vec::new(),
    }
}

#[test]
fn every_member_that_is_present_must_fit() {
    let found = Finding { package: Some("openssl".into()), ..finding("R", "src/a.py") };
    let exact = Evidence {
        package: Some("openssl".into()),
        fingerprint: Some("fp-src/a.py".into()),
        tool: Some("t".into()),
        level: Level::Warning,
        ..evidence("R", "src/*", 1)
    };
    assert!(covers(&exact, &found));
    for other in [
        Evidence { rule: "r".into(), ..exact.clone() },
        Evidence { level: Level::Note, ..exact.clone() },
        Evidence { path: Some("lib/*".into()), ..exact.clone() },
        Evidence { package: Some("openss".into()), ..exact.clone() },
        Evidence { fingerprint: Some("fp".into()), ..exact.clone() },
        Evidence { tool: Some("T".into()), ..exact.clone() },
        Evidence { count: 0, ..exact.clone() },
    ] {
        assert!(!covers(&other, &found), "{other:?}");
    }
}

#[test]
fn a_rule_alone_is_no_evidence() {
    let bare = Evidence { path: None, tool: Some("t".into()), ..evidence("R", "", 9) };
    assert!(!covers(&bare, &finding("R", "src/a.py")));
}

#[test]
fn a_member_that_the_finding_lacks_does_not_fit() {
    let pathless = Finding { path: None, tool: None, ..finding("R", "x") };
    assert!(!covers(&evidence("R", "src/*", 1), &pathless));
    assert!(!covers(
        &Evidence { tool: Some("t".into()), ..evidence("R", "src/*", 1) },
        &Finding { tool: None, ..finding("R", "src/a") }
    ));
}

#[test]
fn one_more_than_the_count_blocks() {
    let findings = vec![finding("R", "src/a"), finding("R", "src/b"), finding("R", "src/c")];
    let evidence = [evidence("R", "src/*", 2)];
    let assignment = assign(&findings, &[Waiver { grant: 7, evidence: &evidence }]);
    assert_eq!(assignment.covered_by, [Some(7), Some(7), None]);
    assert_eq!(assignment.exceeded.len(), 1);
    assert_eq!((assignment.exceeded[0].fits, assignment.exceeded[0].blocked), (3, 1));
    assert!(assignment.unused.is_empty());
}

#[test]
fn counts_of_several_waivers_add_up() {
    let findings = vec![finding("R", "src/a"); 3];
    let evidence = [evidence("R", "src/a", 1)];
    let waivers = [Waiver { grant: 1, evidence: &evidence }, Waiver { grant: 2, evidence: &evidence }];
    assert_eq!(assign(&findings, &waivers).covered_by, [Some(1), Some(2), None]);
}

#[test]
fn overlapping_waivers_leave_nothing_blocked_that_could_be_covered() {
    // Greedy would spend the wide one on src/a, which the narrow one covers as well.
    let findings = vec![finding("R", "src/a"), finding("R", "src/b")];
    let (wide, narrow) = ([evidence("R", "src/*", 1)], [evidence("R", "src/a", 1)]);
    let waivers = [Waiver { grant: 1, evidence: &wide }, Waiver { grant: 2, evidence: &narrow }];
    assert_eq!(assign(&findings, &waivers).covered_by, [Some(2), Some(1)]);
}

#[test]
fn a_chain_of_overlaps_is_augmented() {
    // a: {1,2}, b: {1}, c: {2,3}; preference order must not strand b.
    let e = |glob: &str| [evidence("R", glob, 1)];
    let (one, two, three) = (e("src/{a,b}"), e("src/{a,c}"), e("src/c"));
    let findings = vec![finding("R", "src/a"), finding("R", "src/b"), finding("R", "src/c")];
    let waivers = [
        Waiver { grant: 1, evidence: &one },
        Waiver { grant: 2, evidence: &two },
        Waiver { grant: 3, evidence: &three },
    ];
    assert!(assign(&findings, &waivers).covered_by.iter().all(Option::is_some));
}

#[test]
fn waivers_that_match_nothing_are_named() {
    let evidence = [evidence("OTHER", "src/*", 1)];
    let assignment = assign(&[finding("R", "src/a")], &[Waiver { grant: 9, evidence: &evidence }]);
    assert_eq!((assignment.unused, assignment.covered_by), (vec![9], vec![None]));
}

#[test]
fn a_hundred_thousand_findings_and_hundreds_of_globs_are_assigned() {
    let findings: Vec<Finding> = (0..100_000).map(|n| finding("R", &format!("d{}/f{n}", n % 400))).collect();
    let evidence: Vec<Evidence> = (0..400).map(|n| evidence("R", &format!("d{n}/**"), 200)).collect();
    let assignment = assign(&findings, &[Waiver { grant: 1, evidence: &evidence }]);
    assert_eq!(assignment.covered_by.iter().flatten().count(), 400 * 200);
}

/// The largest number of findings that can be covered, by trying everything.
fn brute(findings: &[Finding], offers: &[(u64, &Evidence)], left: &mut [u64]) -> usize {
    let Some((first, rest)) = findings.split_first() else { return 0 };
    let mut best = brute(rest, offers, left);
    for (number, (_, evidence)) in offers.iter().enumerate() {
        if left[number] > 0 && covers(evidence, first) {
            left[number] -= 1;
            best = best.max(1 + brute(rest, offers, left));
            left[number] += 1;
        }
    }
    best
}

fn any_finding() -> impl Strategy<Value = Finding> {
    ("[RS]", "(src|lib)/[abc]", 0usize..4)
        .prop_map(|(rule, path, level)| Finding { level: Level::ALL[level], ..finding(&rule, &path) })
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    let path = proptest::option::of(prop_oneof![
        Just("src/*".to_owned()),
        Just("lib/**".to_owned()),
        "(src|lib)/[abc]"
    ]);
    let fingerprint = proptest::option::of("(src|lib)/[abc]".prop_map(|path| format!("fp-{path}")));
    ("[RS]", path, fingerprint, 0usize..4, 0u64..4).prop_map(|(rule, path, fingerprint, level, count)| {
        Evidence { path, fingerprint, level: Level::ALL[level], ..evidence(&rule, "", count) }
    })
}

fn evidence_of_all() -> Evidence {
    evidence("R", "src/a", u64::MAX)
}

#[test]
fn a_group_may_claim_any_number_of_findings() {
    let groups = [Evidence { count: (1 << 53) - 1, ..evidence("R", "src/a", 1) }];
    let evidence = [evidence("R", "src/*", 3)];
    assert_eq!(super::coverable(&groups, &[Waiver { grant: 1, evidence: &evidence }]), 3);

    let groups = vec![Evidence { count: u64::MAX, ..evidence_of_all() }; 3];
    let evidence = [evidence_of_all(), evidence_of_all()];
    assert!(super::coverable(&groups, &[Waiver { grant: 1, evidence: &evidence }]) > 1 << 53);
}

proptest! {
    #[test]
    fn the_assignment_is_maximal_within_counts_and_deterministic(
        findings in proptest::collection::vec(any_finding(), 0..7),
        waivers in proptest::collection::vec(proptest::collection::vec(any_evidence(), 0..3), 0..4),
    ) {
        let waivers: Vec<Waiver<'_>> =
            waivers.iter().enumerate().map(|(n, evidence)| Waiver { grant: n as u64, evidence }).collect();
        let offers: Vec<(u64, &Evidence)> =
            waivers.iter().flat_map(|w| w.evidence.iter().map(|e| (w.grant, e))).collect();
        let assignment = assign(&findings, &waivers);
        prop_assert_eq!(&assignment, &assign(&findings, &waivers));
        prop_assert_eq!(assignment.covered_by.len(), findings.len());

        let groups = crate::evidence::of(&findings);
        let covered = assignment.covered_by.iter().flatten().count();
        prop_assert_eq!(super::coverable(&groups, &waivers), covered as u64);
        let mut left: Vec<u64> = offers.iter().map(|(_, e)| e.count).collect();
        prop_assert_eq!(covered, brute(&findings, &offers, &mut left));

        for waiver in &waivers {
            // The findings of a grant must fit into its counts: cover them with this grant alone.
            let own: Vec<Finding> = findings.iter().zip(&assignment.covered_by)
                .filter(|(_, by)| **by == Some(waiver.grant)).map(|(f, _)| f.clone()).collect();
            let own_offers: Vec<(u64, &Evidence)> = waiver.evidence.iter().map(|e| (waiver.grant, e)).collect();
            let mut left: Vec<u64> = own_offers.iter().map(|(_, e)| e.count).collect();
            prop_assert_eq!(own.len(), brute(&own, &own_offers, &mut left));
            let fits = findings.iter().any(|f| waiver.evidence.iter().any(|e| covers(e, f)));
            prop_assert_eq!(assignment.unused.contains(&waiver.grant), !fits);
        }
    }
}

#[test]
fn fingerprints_by_name_decide_and_none_may_disagree() {
    let named = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let found = |pairs: &[(&str, &str)], fingerprint: &str| Finding {
        fingerprints: named(pairs),
        fingerprint: fingerprint.into(),
        ..finding("R", "src/a")
    };
    let accepted = Evidence {
        fingerprint: Some("whole".into()),
        fingerprints: named(&[("asset/v0", "square"), ("secret/v0", "aaaa")]),
        ..evidence("R", "src/a", 1)
    };
    for (pairs, fingerprint, expected) in [
        (&[("asset/v0", "square"), ("secret/v0", "aaaa")][..], "whole", true),
        (&[("asset/v0", "square"), ("secret/v0", "bbbb")], "other", false),
        (&[("asset/v0", "square"), ("secret/v0", "aaaa"), ("secret/v1", "cc")], "other", true),
        (&[("unknown", "x")], "whole", true),
        (&[("unknown", "x")], "other", false),
    ] {
        let found = found(pairs, fingerprint);
        assert_eq!(covers(&accepted, &found), expected, "{pairs:?}");
        let assignment = assign(&[found], &[Waiver { grant: 1, evidence: std::slice::from_ref(&accepted) }]);
        assert_eq!(assignment.covered_by[0].is_some(), expected, "{pairs:?}");
    }
}

#[test]
fn of_alike_findings_the_accepted_ones_are_covered_and_the_new_one_blocks() {
    let at = |line: u64| Finding { line: Some(line), ..finding("R", "src/a") };
    let accepted = crate::evidence::of(&[at(20), at(100)]);
    assert_eq!(accepted[0].lines, [20, 100]);
    let waivers = [Waiver { grant: 1, evidence: &accepted }];
    assert_eq!(assign(&[at(21), at(60), at(101)], &waivers).covered_by, [Some(1), None, Some(1)]);
    let accepted = crate::evidence::of(&[at(40)]);
    let waivers = [Waiver { grant: 1, evidence: &accepted }];
    assert_eq!(assign(&[at(10), at(42)], &waivers).covered_by, [None, Some(1)]);
}
