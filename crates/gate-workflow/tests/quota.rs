//! A quota that is counted from what an earlier grant recorded is the quota that is counted from the beginning.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use gate_judge::records;
use gate_ledger::entry::{Draft, Entry, Kind};
use gate_ledger::store::Ledger;
use gate_model::context::Context;
use gate_model::decision::PolicyUsed;
use gate_model::payload::{Ask, GrantData};
use gate_model::principal::Principal;
use gate_model::request::Ttl;
use gate_model::scope::Scope;
use gate_model::time::Timestamp;
use gate_policy::{Earlier, Past, Policy, Rule};
use gate_workflow::history::StoredPast;
use proptest::prelude::*;
use serde_json::json;

const POLICY: &str = r#"
version = 1
[people]
alice = ["github:alice", "gitlab:alice"]
[groups]
team = ["github:alice", "github:bob"]
[gates.lint]
severity = "low"
[[gates.lint.allow]]
actions = ["skip"]
who = ["*"]
max_ttl = "1h"
quota = { max = 1000, per = "100s" }
[[gates.lint.allow]]
actions = ["override"]
who = ["*"]
max_ttl = "1h"
quota = { max = 1000, per = "100s", by = "principal" }
[[gates.lint.allow]]
actions = ["skip", "override"]
who = ["group:team"]
assurance = "asserted"
max_ttl = "1h"
quota = { max = 1000, per = "50s", by = "group" }
"#;

/// One admission: how far the clock moved, by which rule, by whom, under which policy, and whether it says what it
/// counted.
#[derive(Debug, Clone)]
struct Admission {
    clock: i64,
    rule: u64,
    by: usize,
    policy: usize,
    says: bool,
}

fn admissions() -> impl Strategy<Value = Vec<Admission>> {
    // Mostly forward; now and then the clock is set back.
    let clock = prop_oneof![6 => 0..20_i64, 1 => -80..0_i64, 1 => 60..150_i64];
    let one = (
        clock,
        1..4_u64,
        0..4_usize,
        prop_oneof![9 => Just(0_usize), 1 => Just(1)],
        prop::bool::weighted(0.9),
    );
    let one = one.prop_map(|(clock, rule, by, policy, says)| Admission { clock, rule, by, policy, says });
    prop::collection::vec(one, 1..40)
}

fn person(index: usize) -> Principal {
    let (source, name) =
        [("github", "alice"), ("gitlab", "alice"), ("github", "bob"), ("github", "carol")][index];
    Principal::asserted(source, name)
}

fn at(seconds: i64) -> Timestamp {
    let base = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
    base.plus(u64::try_from(seconds).unwrap()).unwrap()
}

fn draft(admission: &Admission, policy: &Policy, past: StoredPast<'_>, now: Timestamp) -> (u64, Draft) {
    let by = person(admission.by);
    let rule = rule(policy, admission.rule);
    let used = past.used(rule, &by, now.minus(rule.quota.as_ref().unwrap().per));
    let data = GrantData {
        ask: Ask {
            action: rule.actions[0],
            reason: "because".to_owned(),
            ticket: None,
            scope: Scope::default(),
            findings: Vec::new(),
            ttl: Ttl::of(60),
            max_uses: None,
            break_glass: false,
            renews: None,
        },
        not_before: now,
        expires: now.plus(60).unwrap(),
        rule: admission.rule,
        policy: PolicyUsed { digest: format!("b3:{}", admission.policy), source: "worktree".to_owned() },
        judge: 1,
        approvals: Vec::new(),
        owes: None,
        quota: past.settled().unwrap().of(admission.rule).filter(|_| admission.says),
        context: Context::default(),
        request: None,
    };
    (used, records::draft(Kind::Grant, Some("lint"), None, &by, &data).unwrap())
}

fn rule(policy: &Policy, number: u64) -> &Rule {
    policy.gate("lint").unwrap().rule(number).unwrap()
}

/// The same count over every entry there is.
fn naive(policy: &Policy, admission: &Admission, entries: &[Entry], now: Timestamp) -> u64 {
    let (rule, by) = (rule(policy, admission.rule), person(admission.by));
    let since = now.minus(rule.quota.as_ref().unwrap().per);
    let counts = |entry: &&Entry| {
        let data: GrantData = records::data(entry).unwrap();
        let actor = records::actor(entry).unwrap();
        let same_policy = data.policy.digest == format!("b3:{}", admission.policy);
        let earlier =
            Earlier { rule: data.rule, action: data.ask.action, by: &actor, same_policy, elsewhere: false };
        entry.at >= since && gate_policy::counts_against(policy, rule, &by, earlier)
    };
    entries.iter().filter(counts).count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_count_that_starts_at_a_milestone_is_the_whole_count(admissions in admissions()) {
        let policy = gate_policy::parse(POLICY).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let by = serde_json::to_value(person(0)).unwrap();
        let mut ledger = Ledger::create(&path, &by, json!({}), at(0)).unwrap();
        let (mut clock, mut entries) = (1000_i64, Vec::new());
        for admission in &admissions {
            clock = (clock + admission.clock).max(0);
            let digest = format!("b3:{}", admission.policy);
            let appended = ledger.append(Duration::from_secs(5), &|| at(clock), |transaction| {
                let (now, view) = (transaction.now(), transaction.view());
                let past = StoredPast::new(&view, (&policy, &[]), &digest, "lint", now);
                let (used, draft) = draft(admission, &policy, past, now);
                transaction.append(&draft).map(|entry| (used, now, entry))
            });
            let (used, now, entry) = appended.unwrap();
            prop_assert_eq!(used, naive(&policy, admission, &entries, now), "{:?}", admission);
            entries.push(entry);
        }
    }
}

/// What cannot be read counts; so a count that does not see the older grants has not read them.
#[test]
fn grants_before_the_newest_record_are_not_walked() {
    let policy = gate_policy::parse(POLICY).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let by = person(0);
    let mut ledger = Ledger::create(&path, &serde_json::to_value(&by).unwrap(), json!({}), at(0)).unwrap();
    let counted = |ledger: &mut Ledger, recorded: Option<u64>| {
        let appended = ledger.append(Duration::from_secs(5), &|| at(10), |transaction| {
            let (now, view) = (transaction.now(), transaction.view());
            let past = StoredPast::new(&view, (&policy, &[]), "b3:0", "lint", now);
            let admission = Admission { clock: 0, rule: 1, by: 0, policy: 0, says: true };
            let (used, mut draft) = draft(&admission, &policy, past, now);
            match recorded {
                Some(recorded) => draft.data["quota"]["used"] = json!(recorded),
                None => draft.data = json!({}),
            }
            transaction.append(&draft).map(|_| used)
        });
        appended.unwrap()
    };
    let unreadable: Vec<u64> = (0..3).map(|_| counted(&mut ledger, None)).collect();
    assert_eq!(unreadable, [0, 1, 2]);
    assert_eq!(counted(&mut ledger, Some(40)), 3);
    assert_eq!(counted(&mut ledger, Some(41)), 41);
    assert_eq!(counted(&mut ledger, Some(42)), 42);
}
