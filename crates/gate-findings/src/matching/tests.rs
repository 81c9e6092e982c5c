use std::collections::BTreeMap;

use gate_model::finding::{Evidence, Finding, WaiverTerms};
use gate_model::level::Level;
use proptest::prelude::*;

use super::{Waiver, assign, covers};
use crate::place::{Checkout, Lines, NoCheckout};
use crate::wording::Subject;

fn finding(rule: &str, path: &str) -> Finding {
    Finding {
        rule: rule.into(),
        level: Level::Warning,
        message: String::new(),
        path: Some(path.into()),
        line: None,
        fingerprint: format!("fp-{path}"),
        fingerprints: BTreeMap::new(),
        around: None,
        identified_by: None,
        package: None,
        tool: Some("t".into()),
        fix: None,
        security_severity: None,
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
        security_severity: None,
        fixable: false,
        lines: Vec::new(),
        around: Vec::new(),
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
    let assignment = assign(&findings, &[Waiver::of(7, &evidence)], &NoCheckout);
    assert_eq!(assignment.covered_by, [Some(7), Some(7), None]);
    assert!(assignment.unused.is_empty());
}

#[test]
fn counts_of_several_waivers_add_up() {
    let findings = vec![finding("R", "src/a"); 3];
    let evidence = [evidence("R", "src/a", 1)];
    let waivers = [Waiver::of(1, &evidence), Waiver::of(2, &evidence)];
    assert_eq!(assign(&findings, &waivers, &NoCheckout).covered_by, [Some(1), Some(2), None]);
}

#[test]
fn overlapping_waivers_leave_nothing_blocked_that_could_be_covered() {
    // Greedy would spend the wide one on src/a, which the narrow one covers as well.
    let findings = vec![finding("R", "src/a"), finding("R", "src/b")];
    let (wide, narrow) = ([evidence("R", "src/*", 1)], [evidence("R", "src/a", 1)]);
    let waivers = [Waiver::of(1, &wide), Waiver::of(2, &narrow)];
    assert_eq!(assign(&findings, &waivers, &NoCheckout).covered_by, [Some(2), Some(1)]);
}

#[test]
fn a_chain_of_overlaps_is_augmented() {
    // a: {1,2}, b: {1}, c: {2,3}; preference order must not strand b.
    let e = |glob: &str| [evidence("R", glob, 1)];
    let (one, two, three) = (e("src/{a,b}"), e("src/{a,c}"), e("src/c"));
    let findings = vec![finding("R", "src/a"), finding("R", "src/b"), finding("R", "src/c")];
    let waivers = [Waiver::of(1, &one), Waiver::of(2, &two), Waiver::of(3, &three)];
    assert!(assign(&findings, &waivers, &NoCheckout).covered_by.iter().all(Option::is_some));
}

#[test]
fn waivers_that_match_nothing_are_named() {
    let evidence = [evidence("OTHER", "src/*", 1)];
    let assignment = assign(&[finding("R", "src/a")], &[Waiver::of(9, &evidence)], &NoCheckout);
    assert_eq!((assignment.unused, assignment.covered_by), (vec![9], vec![None]));
}

#[test]
fn a_hundred_thousand_findings_and_hundreds_of_globs_are_assigned() {
    let findings: Vec<Finding> = (0..100_000).map(|n| finding("R", &format!("d{}/f{n}", n % 400))).collect();
    let evidence: Vec<Evidence> = (0..400).map(|n| evidence("R", &format!("d{n}/**"), 200)).collect();
    let assignment = assign(&findings, &[Waiver::of(1, &evidence)], &NoCheckout);
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
    assert_eq!(super::coverable(&groups, &[Waiver::of(1, &evidence)]), 3);

    let groups = vec![Evidence { count: u64::MAX, ..evidence_of_all() }; 3];
    let evidence = [evidence_of_all(), evidence_of_all()];
    assert!(super::coverable(&groups, &[Waiver::of(1, &evidence)]) > 1 << 53);
}

proptest! {
    #[test]
    fn the_assignment_is_maximal_within_counts_and_deterministic(
        findings in proptest::collection::vec(any_finding(), 0..7),
        waivers in proptest::collection::vec(proptest::collection::vec(any_evidence(), 0..3), 0..4),
    ) {
        let waivers: Vec<Waiver<'_>> =
            waivers.iter().enumerate().map(|(n, evidence)| Waiver::of(n as u64, evidence)).collect();
        let offers: Vec<(u64, &Evidence)> =
            waivers.iter().flat_map(|w| w.evidence.iter().map(|e| (w.grant, e))).collect();
        let assignment = assign(&findings, &waivers, &NoCheckout);
        prop_assert_eq!(&assignment, &assign(&findings, &waivers, &NoCheckout));
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
        let assignment = assign(&[found], &[Waiver::of(1, std::slice::from_ref(&accepted))], &NoCheckout);
        assert_eq!(assignment.covered_by[0].is_some(), expected, "{pairs:?}");
    }
}

#[test]
fn of_alike_findings_the_accepted_ones_are_covered_and_the_new_one_blocks() {
    let at = |line: u64| Finding { line: Some(line), ..finding("R", "src/a") };
    let accepted = crate::evidence::of(&[at(20), at(100)]);
    assert_eq!(accepted[0].lines, [20, 100]);
    let waivers = [Waiver::of(1, &accepted)];
    assert_eq!(
        assign(&[at(21), at(60), at(101)], &waivers, &NoCheckout).covered_by,
        [Some(1), None, Some(1)]
    );
    let accepted = crate::evidence::of(&[at(40)]);
    let waivers = [Waiver::of(1, &accepted)];
    assert_eq!(assign(&[at(10), at(42)], &waivers, &NoCheckout).covered_by, [None, Some(1)]);
}

#[test]
fn code_inserted_above_makes_no_new_finding_the_accepted_one() {
    let at = |rule: &str, line: u64| Finding { line: Some(line), ..finding(rule, "src/a") };
    let accepted = crate::evidence::of(&[at("R", 30), at("S", 10), at("T", 50)]);
    let waivers = [Waiver::of(1, &accepted)];
    // Everything moved by 25 lines, and a new one stands where the accepted one was.
    let found = [at("R", 32), at("R", 55), at("S", 35), at("T", 75)];
    let covered = assign(&found, &waivers, &NoCheckout).covered_by;
    assert_eq!(covered, [None, Some(1), Some(1), Some(1)]);
    // How far another file moved tells nothing.
    let elsewhere = |rule: &str, line: u64| Finding { path: Some("src/b".into()), ..at(rule, line) };
    let accepted = crate::evidence::of(&[at("R", 30), elsewhere("S", 10)]);
    let waivers = [Waiver::of(1, &accepted)];
    let found = [at("R", 32), at("R", 55), elsewhere("S", 35)];
    assert_eq!(assign(&found, &waivers, &NoCheckout).covered_by, [Some(1), None, Some(1)]);
}

/// A finding of one kind at `line`, with five parts around it.
fn among(line: u64, around: [&str; 5]) -> Finding {
    Finding { line: Some(line), around: Some(around.concat()), ..finding("R", "src/a") }
}

/// What covers `found` where `accepted` was.
fn covered(accepted: &[Finding], found: &[Finding]) -> Vec<bool> {
    let evidence = crate::evidence::of(accepted);
    let assignment = assign(found, &[Waiver::of(1, &evidence)], &NoCheckout);
    assignment.covered_by.iter().map(Option::is_some).collect()
}

const HERE: [&str; 5] = ["aaaa", "bbbb", "cccc", "dddd", "eeee"];
const THERE: [&str; 5] = ["1111", "2222", "3333", "4444", "5555"];
const HALF: [&str; 5] = ["aaaa", "bbbb", "cccc", "4444", "5555"];

#[test]
fn a_new_finding_does_not_take_the_place_of_an_accepted_one_that_is_gone() {
    let accepted = [among(20, HERE)];
    for (found, expected) in [
        (among(20, HERE), true),
        (among(300, HERE), true),
        (among(300, HALF), true),
        // All around it was edited, and it stands where it stood.
        (among(20, THERE), true),
        (among(21, THERE), false),
        // The file has no other finding to tell the place by.
        (among(300, ["aaaa", "bbbb", "3333", "4444", "5555"]), true),
        (among(300, ["aaaa", "2222", "3333", "4444", "5555"]), false),
    ] {
        assert_eq!(covered(&accepted, std::slice::from_ref(&found)), [expected], "{found:?}");
    }
    // Little around it agrees, and it does not lie between the same others.
    let little = ["aaaa", "2222", "3333", "4444", "5555"];
    let other = |line: u64| Finding { rule: "S".into(), ..among(line, HERE) };
    let accepted = [other(10), among(20, HERE), other(30)];
    let inside = [other(110), among(125, little), other(130)];
    assert_eq!(covered(&accepted, &inside), [true, true, true]);
    let outside = [other(110), other(130), among(135, little)];
    assert_eq!(covered(&accepted, &outside), [true, true, false]);
    let evidence_of_it = crate::evidence::of(&[among(20, HERE)]);
    let both = assign(&[among(20, HERE), among(90, THERE)], &[Waiver::of(1, &evidence_of_it)], &NoCheckout);
    assert_eq!(both.elsewhere.into_iter().collect::<Vec<_>>(), [1]);
    // Evidence that somebody wrote without places is covered by its count alone.
    let written = [evidence("R", "src/*", 1)];
    assert_eq!(assign(&[among(300, THERE)], &[Waiver::of(1, &written)], &NoCheckout).covered_by, [Some(1)]);
}

/// What covers `found` where each of `accepted` was accepted by itself, by grants 1, 2, ...
fn covered_apart(accepted: &[Vec<Finding>], found: &[Finding]) -> Vec<Option<u64>> {
    let evidence: Vec<_> = accepted.iter().map(|one| crate::evidence::of(one)).collect();
    let waivers: Vec<_> = (1..).zip(&evidence).map(|(grant, one)| Waiver::of(grant, one)).collect();
    assign(found, &waivers, &NoCheckout).covered_by
}

#[test]
fn waivers_of_alike_findings_do_not_choose_the_same_one() {
    let at = |line: u64| Finding { line: Some(line), ..finding("R", "src/a") };
    let covered = covered_apart(&[vec![at(10)], vec![at(50)]], &[at(40), at(80)]);
    assert_eq!(covered, [Some(1), Some(2)], "the line alone is known");
    let covered =
        covered_apart(&[vec![among(50, HERE)], vec![among(10, HERE)]], &[among(40, HERE), among(80, HERE)]);
    assert_eq!(covered, [Some(2), Some(1)], "all the same around them");
    let apart = [vec![among(10, HERE)], vec![among(50, THERE)]];
    assert_eq!(covered_apart(&apart, &[among(70, HALF), among(80, THERE)]), [Some(1), Some(2)]);
    // One of them is gone: the other one is found, and the third is new.
    assert_eq!(covered_apart(&apart, &[among(80, THERE), among(90, ["9999"; 5])]), [Some(2), None]);
    // Waivers that fit some findings in common only: the second one was made when the rule was graver.
    let error = |line: u64| Finding { level: Level::Error, ..at(line) };
    let covered = covered_apart(&[vec![at(10)], vec![error(50)]], &[at(40), error(80)]);
    assert_eq!(covered, [Some(1), Some(2)]);
    let covered = covered_apart(&[vec![at(50)], vec![error(10)]], &[at(40), at(80)]);
    assert_eq!(covered, [Some(2), Some(1)]);
}

#[test]
fn what_is_accepted_twice_accepts_no_other() {
    for (at, alike) in [(among(10, HERE), among(80, HALF)), (finding("R", "src/a"), finding("R", "src/a"))] {
        let line = |line: u64, one: &Finding| Finding { line: Some(line), ..one.clone() };
        let (at, alike) = (line(10, &at), line(80, &alike));
        let accepted = [vec![at.clone()], vec![at.clone()]];
        assert_eq!(covered_apart(&accepted, &[at.clone(), alike.clone()]), [Some(1), None]);
        // Two on one line are two, whoever accepted them.
        let accepted = [vec![at.clone(), at.clone()], vec![at.clone()]];
        let covered = covered_apart(&accepted, &[at.clone(), at.clone(), alike]);
        assert_eq!(covered.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
    }
}

#[test]
fn a_line_that_is_there_in_neither_does_not_make_a_new_finding_the_accepted_one() {
    let other = |line: u64| Finding { rule: "S".into(), ..among(line, HERE) };
    for (then, now) in [
        (["aaaa", "bbbb", "cccc", "dddd", "0000"], ["1111", "2222", "3333", "4444", "0000"]),
        (["aaaa", "0000", "cccc", "0000", "0000"], ["1111", "0000", "3333", "0000", "0000"]),
    ] {
        let accepted = [other(10), among(20, then)];
        assert_eq!(covered(&accepted, &[other(10), among(35, now)]), [true, false], "{now:?}");
        assert_eq!(covered(&accepted, &[other(10), among(35, then)]), [true, true], "{then:?}");
    }
}

#[test]
fn replay_expects_nothing_of_evidence_that_knows_places() {
    let at = |line: u64| Finding { line: Some(line), ..finding("R", "src/a") };
    let accepted = crate::evidence::of(&[at(10)]);
    let groups = crate::evidence::of(&[Finding { line: None, ..at(0) }]);
    assert_eq!(super::surely_covered(&groups, &[Waiver::of(1, &accepted)]), 0);
    let written = [evidence("R", "src/a", 1)];
    assert_eq!(super::surely_covered(&groups, &[Waiver::of(1, &accepted), Waiver::of(2, &written)]), 1);
}

#[test]
fn too_many_to_compare_are_covered_where_nothing_is_known_of_what_stands_around() {
    let at = |line: u64| Finding { line: Some(line), ..finding("R", "src/a") };
    let unknown: Vec<Finding> = (1..1_001).map(at).collect();
    let known: Vec<Finding> = (1..40_001).map(|line| among(line, HERE)).collect();
    let count = |covered: Vec<bool>| covered.into_iter().filter(|covered| *covered).count();
    assert_eq!(count(covered(&unknown, &known)), 1_000);
    let all: Vec<Finding> = (1..40_001).map(at).collect();
    assert_eq!(count(covered(&known[..1_000], &all)), 1_000);
}

#[test]
fn of_alike_findings_those_are_the_accepted_ones_around_which_most_agrees() {
    // Nearer to the old line, but in another function.
    let found = [among(21, ["aaaa", "bbbb", "3333", "4444", "5555"]), among(90, HERE)];
    assert_eq!(covered(&[among(20, HERE)], &found), [false, true]);
    // Of several with all the same around them, their order tells.
    let many = |lines: &[u64]| lines.iter().map(|line| among(*line, HERE)).collect::<Vec<_>>();
    assert_eq!(covered(&many(&[10, 20, 30]), &many(&[110, 120, 130])), [true, true, true]);
    assert_eq!(covered(&many(&[10, 20, 30]), &many(&[5, 10, 20, 30])), [false, true, true, true]);
    // The one in the middle is gone, and one more stands at the end.
    let accepted = [among(10, HERE), among(20, HALF), among(30, THERE)];
    let found = [among(10, HERE), among(29, THERE), among(90, ["9999"; 5])];
    assert_eq!(covered(&accepted, &found), [true, true, false]);
}

#[test]
fn what_was_moved_within_its_file_is_recognised_by_all_that_is_around_it() {
    let accepted = [among(10, HERE), among(50, THERE)];
    assert_eq!(covered(&accepted, &[among(10, THERE), among(50, HERE)]), [true, true]);
    assert_eq!(covered(&accepted, &[among(400, THERE), among(410, HERE)]), [true, true]);
}

#[test]
fn ten_thousand_alike_findings_of_one_file_are_matched() {
    let lines =
        |range: std::ops::Range<u64>| -> Vec<Finding> { range.map(|line| among(line, HERE)).collect() };
    let all = lines(1..10_001);
    assert!(covered(&all, &all).iter().all(|covered| *covered), "more than there are places for");
    let some = lines(100..900);
    let expected: Vec<bool> = (1..2001).map(|line| (100..900).contains(&line)).collect();
    assert_eq!(covered(&some, &all[..2000]), expected);
    // Too many to lay side by side: what has the same around it is found all the same, and nothing else.
    let mut found = lines(1..20_001);
    found.extend((1..20_001).map(|line| among(line, THERE)));
    assert_eq!(covered(&lines(1..1_001), &found).iter().filter(|covered| **covered).count(), 1_000);
    assert_eq!(covered(&lines(1..1_001), &found[20_000..]).iter().filter(|covered| **covered).count(), 0);
}

#[derive(Debug)]
struct Gone(&'static [&'static str]);

impl Checkout for Gone {
    fn has(&self, path: &str) -> bool {
        !self.is_gone(path)
    }

    fn is_gone(&self, path: &str) -> bool {
        self.0.contains(&path)
    }

    fn named(&self, _: &str) -> Option<String> {
        None
    }

    fn lines(&self, _: &str, _: u64) -> Option<Lines> {
        None
    }
}

/// A finding whose fingerprint is gate's own.
fn own(path: &str, code: &str) -> Finding {
    let subject = Subject { tool: Some("t"), rule: "R", path: Some(path), package: None };
    Finding { fingerprint: subject.of_code(code), ..finding("R", path) }
}

#[test]
fn a_finding_is_followed_into_the_one_file_that_its_own_became() {
    let accepted = crate::evidence::of(&[own("src/a", "x"), own("src/a", "x"), own("src/b", "y")]);
    let terms = WaiverTerms { follow_moves: true, ..WaiverTerms::default() };
    let follows = Waiver { terms, ..Waiver::of(1, &accepted) };
    let both = &["src/a", "src/b"][..];
    for (gone, found, expected) in [
        (&["src/a"][..], vec![own("lib/a", "x"), own("lib/a", "x")], vec![Some(1), Some(1)]),
        (&["src/a"], vec![own("lib/a", "x"); 3], vec![Some(1), Some(1), None]),
        (&["src/a"], vec![own("lib/a", "x"), own("src/b", "y")], vec![Some(1), Some(1)]),
        (both, vec![own("lib/a", "x"), own("lib/b", "y")], vec![Some(1), Some(1)]),
        // The old file is there, a finding is still in it, or nobody can tell.
        (&[], vec![own("lib/a", "x")], vec![None]),
        (&["src/a"], vec![own("lib/a", "x"), own("src/a", "x")], vec![None, Some(1)]),
        // Two files that it may be in, other code, a graver finding.
        (&["src/a"], vec![own("lib/a", "x"), own("lib/b", "x")], vec![None, None]),
        (&["src/a"], vec![own("lib/a", "z")], vec![None]),
        (&["src/a"], vec![Finding { level: Level::Error, ..own("lib/a", "x") }], vec![None]),
    ] {
        let assignment = assign(&found, &[follows], &Gone(gone));
        assert_eq!(assignment.covered_by, expected, "{gone:?} {found:?}");
        assert!(assignment.moved_from.iter().all(|(number, _)| expected[*number].is_some()));
        let strict = assign(&found, &[Waiver::of(1, &accepted)], &Gone(gone));
        let in_place = |found: &&Finding| found.path.as_deref().is_some_and(|path| path.starts_with("src"));
        let stayed = found.iter().filter(in_place).count();
        assert_eq!(strict.covered_by.iter().flatten().count(), stayed, "{found:?}");
    }
}

#[test]
fn what_stands_around_a_finding_tells_into_which_file_it_moved() {
    let at = |path: &str, around: [&str; 5]| Finding {
        line: Some(7),
        around: Some(around.concat()),
        ..own(path, "assert x")
    };
    let accepted = crate::evidence::of(&[at("src/a", HERE), Finding { line: Some(9), ..at("src/a", THERE) }]);
    let terms = WaiverTerms { follow_moves: true, ..WaiverTerms::default() };
    let waiver = Waiver { terms, ..Waiver::of(1, &accepted) };
    let found = [at("lib/a", HERE), at("lib/b", ["9999"; 5])];
    let assignment = assign(&found, &[waiver], &Gone(&["src/a"]));
    assert_eq!(assignment.covered_by, [Some(1), None]);
    let judged =
        |finding: &Finding| crate::evidence::group(std::iter::once((finding, None, None)))[0].finding.clone();
    let groups = [(judged(&found[0]), Some("src/a".to_owned()))];
    assert_eq!(super::covers_all(&waiver, &groups, &[judged(&found[1])]), Ok(()), "replay follows it, too");
    let both = assign(&[at("lib/a", HERE), at("lib/b", THERE)], &[waiver], &Gone(&["src/a"]));
    assert_eq!(both.covered_by, [None, None], "it may be either of them");
}

#[test]
fn a_finding_that_may_come_from_two_files_blocks() {
    let accepted = crate::evidence::of(&[own("src/a", "x"), own("src/b", "x")]);
    let follows = Waiver {
        terms: WaiverTerms { follow_moves: true, ..WaiverTerms::default() },
        ..Waiver::of(1, &accepted)
    };
    let assignment = assign(&[own("lib/a", "x")], &[follows], &Gone(&["src/a", "src/b"]));
    assert_eq!(assignment.covered_by, [None]);
    let one_left = assign(&[own("lib/a", "x"), own("src/b", "x")], &[follows], &Gone(&["src/a"]));
    assert_eq!(one_left.covered_by, [Some(1), Some(1)]);
    assert_eq!(one_left.moved_from.into_iter().collect::<Vec<_>>(), [(0, "src/a".to_owned())]);
}
