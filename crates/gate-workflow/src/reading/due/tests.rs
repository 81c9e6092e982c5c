//! What is due, from ledgers made for it.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use gate_ledger::entry::Kind;
use gate_ledger::store::Ledger;
use gate_model::context::Context;
use gate_model::decision::PolicyUsed;
use gate_model::grant::Owes;
use gate_model::payload::{
    ApprovalData, Ask, GrantData, PolicyData, RefusalData, RejectionData, RequestData, ReviewData,
    ReviewVerdict, Verb,
};
use gate_model::principal::{Assurance, Principal};
use gate_model::request::Ttl;
use gate_model::scope::Scope;
use gate_model::time::Timestamp;
use serde_json::json;

use super::{Due, Today, read};
use gate_judge::policy_text::{assemble, digest_of};
use gate_judge::records;

const POLICY: &str = r#"
version = 1
[policy]
warn_before = "2h"
[people]
"bob@example.com" = ["github:bob"]
"alice@example.com" = ["github:alice"]
[groups]
security = ["alice@example.com", "bob@example.com", "carol@example.com"]
[gates.scan]
[[gates.scan.allow]]
actions   = ["override"]
who       = ["group:security"]
max_ttl   = "1d"
approvals = { count = 2, from = ["group:security"] }
[[gates.scan.allow]]
actions       = ["skip"]
who           = ["group:security"]
max_ttl       = "4h"
break_glass   = true
review_within = "1d"
assurance     = "asserted"
"#;

fn at(seconds: u64) -> Timestamp {
    Timestamp::parse("2026-11-22T16:00:00Z").unwrap().plus(seconds).unwrap()
}

fn person(name: &str) -> Principal {
    let id = format!("{name}@example.com");
    Principal {
        id,
        assurance: Assurance::Signed,
        via: "ssh".into(),
        key: Some(format!("SHA256:{name}")),
        issuer: None,
    }
}

fn used() -> PolicyUsed {
    PolicyUsed { digest: digest_of(POLICY, &[]), source: "worktree".into() }
}

fn ask(action: gate_model::action::Action, seconds: u64) -> Ask {
    Ask {
        action,
        reason: "it burns".into(),
        ticket: None,
        scope: Scope { commit: Some("c".repeat(40)), ..Scope::default() },
        findings: Vec::new(),
        ttl: Ttl::of(seconds),
        max_uses: None,
        break_glass: action == gate_model::action::Action::Skip,
        renews: None,
    }
}

fn context() -> Context {
    Context { commit: Some("c".repeat(40)), ..Context::default() }
}

/// A ledger under construction, with a clock that stands where it is set.
struct Agenda {
    ledger: Ledger,
    now: Cell<Timestamp>,
}

impl Agenda {
    fn new(dir: &Path) -> Self {
        Self::founded(dir, &policy(POLICY, &used().source))
    }

    /// With this first policy.
    fn founded(dir: &Path, policy: &PolicyData) -> Self {
        let actor = serde_json::to_value(person("root")).unwrap();
        let ledger = Ledger::create(&dir.join("l.db"), &actor, json!({}), at(0)).unwrap();
        let mut agenda = Self { ledger, now: Cell::new(at(0)) };
        agenda.add(Kind::Policy, None, "root", policy);
        agenda
    }

    fn add<T: serde::Serialize>(&mut self, kind: Kind, reference: Option<u64>, by: &str, data: &T) -> u64 {
        self.add_by(kind, reference, &person(by), data)
    }

    /// A review of the grant `id`.
    fn review(&mut self, id: u64, by: &Principal) {
        let data = ReviewData {
            subject: self.ledger.view().entry(id).unwrap().unwrap().hash.to_string(),
            verdict: ReviewVerdict::Accepted,
            reason: "it was an emergency".to_owned(),
            policy: used(),
            judge: 1,
            judged_at: self.now.get(),
            context: context(),
            statement: None,
        };
        self.add_by(Kind::Review, Some(id), by, &data);
    }

    fn add_by<T: serde::Serialize>(
        &mut self,
        kind: Kind,
        reference: Option<u64>,
        by: &Principal,
        data: &T,
    ) -> u64 {
        let gate = (kind != Kind::Policy).then_some("scan");
        let draft = records::draft(kind, gate, reference, by, data).unwrap();
        let clock = || self.now.get();
        self.ledger
            .append(Duration::from_secs(1), &clock, |transaction| transaction.append(&draft))
            .unwrap()
            .seq
    }

    fn request(&mut self, by: &str, lapses: u64) -> u64 {
        let data = self.request_data(lapses);
        self.add(Kind::Request, None, by, &data)
    }

    fn request_data(&self, lapses: u64) -> RequestData {
        RequestData {
            ask: ask(gate_model::action::Action::Override, 3600),
            rule: 1,
            lapses: at(lapses),
            policy: used(),
            judge: 1,
            judged_at: self.now.get(),
            context: context(),
            request: None,
        }
    }

    fn approve(&mut self, id: u64, by: &str) {
        let data = ApprovalData {
            subject: String::new(),
            reason: None,
            author: None,
            policy: used(),
            judge: 1,
            judged_at: self.now.get(),
            context: context(),
            statement: None,
        };
        self.add(Kind::Approval, Some(id), by, &data);
    }

    fn deny(&mut self, id: u64, refused: bool) {
        let (reasons, policy, context) = (vec!["no".to_owned()], used(), context());
        let (judge, judged_at, author) = (1, self.now.get(), None);
        let data = if refused {
            let (refused, act) = ("b3:…".to_owned(), Verb::Approve);
            serde_json::to_value(RefusalData {
                refused,
                act,
                reason: None,
                ticket: None,
                reasons,
                author,
                policy,
                judge,
                judged_at,
                context,
            })
        } else {
            let (subject, reason, statement) = (String::new(), "no".to_owned(), None);
            let rejection = RejectionData {
                subject,
                reason,
                reasons,
                author,
                policy,
                judge,
                judged_at,
                context,
                statement,
            };
            serde_json::to_value(rejection)
        };
        self.add(Kind::Denial, Some(id), "bob", &data.unwrap());
    }

    fn break_glass(&mut self, by: &str, ends: u64, review_by: u64) -> u64 {
        let data = GrantData {
            ask: ask(gate_model::action::Action::Skip, ends),
            not_before: at(0),
            expires: at(ends),
            rule: 2,
            policy: used(),
            judge: 1,
            approvals: Vec::new(),
            owes: Some(Owes { what: "review".into(), by: at(review_by) }),
            quota: None,
            context: context(),
            request: None,
        };
        self.add(Kind::Grant, None, by, &data)
    }

    fn due(&self, seconds: u64) -> Due {
        let none = |_: &str| unreachable!("the policy trusts no file");
        let today =
            assemble(POLICY.into(), "gate.toml".into(), ".".into(), "worktree".into(), None, &none).unwrap();
        let with_policy =
            read(&self.ledger, Some(Today { policy: &today, repository: None }), at(seconds), None, 10)
                .unwrap();
        let alone = read(&self.ledger, None, at(seconds), None, 10).unwrap();
        // An auditor with the ledger alone sees the same people and commands.
        assert_eq!(with_policy.requests, alone.requests);
        assert_eq!(with_policy.reviews, alone.reviews);
        with_policy
    }
}

#[test]
fn a_request_says_who_is_missing_and_by_when() {
    let dir = tempfile::tempdir().unwrap();
    let mut agenda = Agenda::new(dir.path());
    let id = agenda.request("alice", 7_200);
    agenda.approve(id, "bob");
    // The requester's own approval never counts.
    agenda.approve(id, "alice");
    let due = agenda.due(60);
    assert_eq!(due.requests.len(), 1);
    let request = &due.requests[0];
    assert_eq!((request.id, request.needed, request.missing), (id, 2, 1));
    assert_eq!(request.given, ["bob@example.com"]);
    assert_eq!(request.from, ["group:security"]);
    assert_eq!(request.lapses, at(7_200));
    assert_eq!(request.remedy.command, format!("gate-skip approve {id} --sign"));
}

#[test]
fn a_request_that_lapsed_or_was_answered_waits_no_longer() {
    let dir = tempfile::tempdir().unwrap();
    let mut agenda = Agenda::new(dir.path());
    agenda.request("alice", 100);
    let rejected = agenda.request("alice", 7_200);
    agenda.deny(rejected, false);
    let refused = agenda.request("alice", 7_200);
    // That somebody else may not approve it says nothing about the request.
    agenda.deny(refused, true);
    let due = agenda.due(100);
    assert_eq!(due.requests.iter().map(|request| request.id).collect::<Vec<_>>(), [refused]);
}

#[test]
fn a_review_is_owed_until_it_is_given_even_when_the_grant_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut agenda = Agenda::new(dir.path());
    let first = agenda.break_glass("alice", 3_600, 86_400);
    let second = agenda.break_glass("alice", 3_600, 10_000);
    let due = agenda.due(20_000);
    assert_eq!(
        due.reviews.iter().map(|owed| (owed.id, owed.overdue)).collect::<Vec<_>>(),
        [(second, true), (first, false)]
    );
    assert_eq!(due.reviews[0].from, ["group:security"]);
    assert_eq!(due.reviews[0].remedy.argv[..3], ["gate-skip", "review", &second.to_string()]);
    // A review by somebody whose signature is none settles nothing, and the debt says so.
    agenda.review(second, &person("bob"));
    let due = agenda.due(20_000);
    assert_eq!(due.reviews.len(), 2);
    assert!(due.reviews[0].note.as_ref().is_some_and(|note| note.contains("does not count")), "{due:?}");
    agenda.review(second, &Principal::asserted("github", "bob"));
    let due = agenda.due(20_000);
    assert_eq!(due.reviews.len(), 1, "{due:?}");
}

#[test]
fn what_ends_soon_comes_with_the_command_that_asks_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut agenda = Agenda::new(dir.path());
    let soon = agenda.break_glass("alice", 3_600, 86_400);
    agenda.break_glass("alice", 12_000, 86_400);
    let revoked = agenda.break_glass("alice", 3_000, 86_400);
    agenda.add(Kind::Revocation, Some(revoked), "bob", &json!({"reason": "x"}));
    let due = agenda.due(60);
    assert_eq!(due.ending.iter().map(|ending| ending.id).collect::<Vec<_>>(), [soon]);
    let commit = "c".repeat(40);
    let command = format!("gate-skip scan --action skip --commit {commit} --ttl 1h --break-glass --sign");
    assert_eq!(due.ending[0].remedy.command, command);
    assert!(agenda.due(3_600).ending.iter().all(|ending| ending.id != soon), "an end is exclusive");
}

#[test]
fn an_entry_that_cannot_be_read_is_listed_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut agenda = Agenda::new(dir.path());
    let odd = agenda.add(Kind::Request, None, "alice", &json!({"action": "levitate", "lapses": at(7_200)}));
    let due = agenda.due(60);
    assert_eq!(due.unreadable.iter().map(|one| one.seq).collect::<Vec<_>>(), [odd]);
}

/// A policy as an entry has it.
fn policy(text: &str, source: &str) -> PolicyData {
    let (digest, source) = (digest_of(text, &[]), source.into());
    PolicyData { digest, source, text: text.into(), files: Vec::new(), signature: None, repository: None }
}

#[test]
fn a_policy_that_cannot_be_read_is_listed_and_nothing_is_promised_by_it() {
    let renewing = POLICY.replace("max_ttl       = \"4h\"", "max_ttl = \"4h\"\nmax_renewals = 1");
    for broken in [
        PolicyData { digest: "b3:0".into(), ..policy(&renewing, "worktree") },
        policy("version = 1\n[gates", "worktree"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut agenda = Agenda::new(dir.path());
        agenda.break_glass("alice", 3_600, 86_400);
        let listed = |agenda: &Agenda| {
            let due = read(&agenda.ledger, None, at(60), None, 10).unwrap();
            assert_eq!(due.ending.len(), 1, "{due:?}");
            let seqs: Vec<u64> = due.unreadable.iter().map(|one| one.seq).collect();
            (due.ending[0].remedy.command.contains(" renew "), seqs)
        };
        agenda.add(Kind::Policy, None, "root", &policy(&renewing, "worktree"));
        assert_eq!(listed(&agenda), (true, vec![]), "the test is of something");
        let broken = agenda.add(Kind::Policy, None, "root", &broken);
        assert_eq!(listed(&agenda), (false, vec![broken]));
    }
}

#[test]
fn a_policy_that_was_judged_under_and_cannot_be_read_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let mut agenda = Agenda::new(dir.path());
    let broken = policy("version = 1\n[gates", "worktree");
    let seq = agenda.add(Kind::Policy, None, "root", &broken);
    let mut data = agenda.request_data(7_200);
    data.policy.digest = broken.digest;
    let request = agenda.add(Kind::Request, None, "alice", &data);
    let due = read(&agenda.ledger, None, at(60), None, 10).unwrap();
    assert_eq!(due.requests.iter().map(|one| one.id).collect::<Vec<_>>(), [request]);
    assert_eq!(due.unreadable.iter().map(|one| one.seq).collect::<Vec<_>>(), [seq]);
}

#[test]
fn what_is_to_come_is_promised_by_the_policy_that_owners_admitted() {
    let owned = POLICY.replace("[policy]", "[policy]\nowners = [\"group:security\"]");
    let renewing = |text: &str| text.replace("max_ttl       = \"4h\"", "max_ttl = \"4h\"\nmax_renewals = 1");
    let [one, other] = ["c", "d"].map(|digit| format!("rev:{}", digit.repeat(40)));
    for (first, later, renews) in [
        (policy(&renewing(&owned), &one), policy(&owned, &other), true),
        (policy(&owned, &one), policy(&renewing(&owned), &other), false),
        (policy(&owned, &one), policy(&renewing(POLICY), "worktree"), false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut agenda = Agenda::founded(dir.path(), &first);
        agenda.add(Kind::Policy, None, "mallory", &later);
        agenda.break_glass("alice", 3_600, 86_400);
        let due = read(&agenda.ledger, None, at(60), None, 10).unwrap();
        assert_eq!(due.ending[0].remedy.command.contains(" renew "), renews, "{due:?}");
    }
}

#[test]
fn within_a_time_only_what_has_its_end_in_it_is_due() {
    let dir = tempfile::tempdir().unwrap();
    let mut agenda = Agenda::new(dir.path());
    let request = agenda.request("alice", 7_200);
    let glass = agenda.break_glass("alice", 3_600, 86_400);
    let due = |within| {
        let due = read(&agenda.ledger, None, at(60), Some(within), 10).unwrap();
        let requests: Vec<_> = due.requests.iter().map(|one| one.id).collect();
        let reviews: Vec<_> = due.reviews.iter().map(|one| one.id).collect();
        let ending: Vec<_> = due.ending.iter().map(|one| one.id).collect();
        (requests, reviews, ending)
    };
    assert_eq!(due(3_000), (vec![], vec![], vec![]));
    assert_eq!(due(3_600), (vec![], vec![], vec![glass]));
    assert_eq!(due(7_200), (vec![request], vec![], vec![glass]));
    assert_eq!(due(172_800), (vec![request], vec![glass], vec![glass]));
}
