//! What stands before a verdict: read from a store, or folded from the entries, it gives the same answers to every
//! question that a verdict may ask.

use gate_judge::records;
use gate_judge::replay::Replayer;
use gate_judge::repository::Whose;
use gate_ledger::entry::Entry;
use gate_ledger::store::{Access, Ledger};
use gate_model::context::Context;
use gate_model::decision::PolicyUsed;
use gate_model::gate::GateName;
use gate_model::payload::PolicyData;
use gate_model::principal::Principal;
use gate_model::request::SeenHead;
use gate_model::time::Timestamp;
use gate_policy::{Past, Policy, Renewable, Rule};
use gate_workflow::history::StoredPast;
use proptest::prelude::*;

use crate::golden::golden;
use crate::lives::{Played, Step, lives};
use crate::world::World;

/// Every question that makes sense at some place of a ledger.
struct Questions<'a> {
    policy: &'a Policy,
    gate: &'a str,
    people: Vec<Principal>,
    heads: Vec<SeenHead>,
    nonces: Vec<String>,
    /// One behind the newest entry.
    end: u64,
}

impl<'a> Questions<'a> {
    fn at(entries: &[Entry], policy: &'a Policy, gate: &'a str) -> Self {
        let mut people: Vec<Principal> = entries.iter().filter_map(|one| records::actor(one).ok()).collect();
        people.sort_by(|left, right| (&left.id, &left.via).cmp(&(&right.id, &right.via)));
        people.dedup();
        let head = |entry: &Entry| SeenHead { seq: entry.seq, hash: entry.hash.to_string() };
        let mut heads: Vec<SeenHead> = entries.iter().rev().take(5).map(head).collect();
        let genesis = heads.last().map(|head| SeenHead { hash: "b3:0".to_owned(), ..head.clone() });
        heads.extend(genesis);
        let mut nonces: Vec<String> =
            entries.iter().filter_map(records::nonce_of).map(str::to_owned).collect();
        nonces.push("never".to_owned());
        Self { policy, gate, people, heads, nonces, end: entries.len() as u64 }
    }

    /// Each question with its answer.
    fn put(&self, past: &dyn Past) -> Vec<String> {
        let mut answers = vec![format!("now {:?} genesis {:?}", past.now(), past.genesis())];
        answers.extend(self.heads.iter().map(|head| format!("seen {head:?}: {:?}", past.seen(head))));
        answers.extend(self.nonces.iter().map(|nonce| format!("took {nonce}: {:?}", past.took(nonce))));
        answers.extend((0..=self.end).map(|id| format!("granted {id}: {:?}", past.granted(id))));
        for by in &self.people {
            answers.push(format!("overdue {}: {:?}", by.id, past.overdue_review(by)));
            answers.extend(self.rules().map(|rule| {
                let quota = rule.quota.as_ref().unwrap();
                // A full quota is counted no further.
                let used = past.used(rule, by, past.now().minus(quota.per)).min(quota.max);
                format!("used {} by {}: {used}", rule.number, by.id)
            }));
        }
        answers
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.policy
            .gate(self.gate)
            .into_iter()
            .flat_map(|gate| &gate.allow)
            .filter(|rule| rule.quota.is_some())
    }
}

/// Puts every question about every gate, under every policy that the ledger holds, to both pasts.
fn assert_same(world: &World, folded: &Replayer, entries: &[Entry]) {
    let ledger = Ledger::open(&world.ledger_path(), Access::Read).unwrap();
    let view = ledger.view();
    let now = world.now().max(entries.last().unwrap().at);
    let here = Context { repository: Some("github.com/acme/pay".to_owned()), ..Context::default() };
    let policies = entries.iter().filter_map(|entry| records::data::<PolicyData>(entry).ok());
    for data in policies {
        let policy = gate_policy::parse(&data.text).unwrap();
        let used = PolicyUsed { digest: data.digest.clone(), source: data.source.clone() };
        for gate in policy.gates.keys().map(GateName::as_str) {
            let questions = Questions::at(entries, &policy, gate);
            for (whose, now) in [(Whose::UNKNOWN, now), (Whose::here(&here), now.plus(7_200).unwrap())] {
                let stored =
                    StoredPast::new(&view, (&policy, &data.files), &data.digest, gate, now).within(whose);
                let answers = questions.put(&stored);
                stored.settled().unwrap();
                let again = folded.past((gate, whose), &used, now, |past| questions.put(past));
                assert_eq!(Some(answers), again, "gate {gate} after {} entries", entries.len());
            }
        }
    }
}

/// How many steps lie between two inquiries.
const STRIDE: usize = 25;

fn inquire(steps: &[Step]) {
    let (mut played, mut folded, mut known) = (Played::new(), Replayer::new(), 0);
    for steps in steps.chunks(STRIDE) {
        for step in steps {
            played.play(step);
        }
        let entries = played.world.entries();
        for entry in &entries[known..] {
            folded.entry(entry);
        }
        known = entries.len();
        assert_same(&played.world, &folded, &entries);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, max_shrink_iters: 8, ..ProptestConfig::default() })]

    #[test]
    fn a_store_and_what_is_folded_give_the_same_answers(steps in lives()) { inquire(&steps); }
}

/// The golden ledger has signed requests, erased names and entries of every kind.
#[test]
fn the_golden_ledger_gives_the_same_answers() {
    let entries = golden("judge-1");
    let world = World::empty();
    let path = world.ledger_path();
    for end in (2..=entries.len()).step_by(3) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let before = &entries[..end];
        world.rewrite(before);
        world.set_now(before.last().unwrap().at);
        let mut folded = Replayer::new();
        for entry in before {
            folded.entry(entry);
        }
        assert_same(&world, &folded, before);
    }
}

/// A past that lies in the answer to one question.
struct Lying<'a> {
    truth: &'a dyn Past,
    lie: usize,
}

impl Past for Lying<'_> {
    fn now(&self) -> Timestamp {
        if self.lie == 0 { self.truth.now().plus(1).unwrap() } else { self.truth.now() }
    }

    fn genesis(&self) -> Option<String> {
        self.truth.genesis().filter(|_| self.lie != 1)
    }

    fn seen(&self, head: &SeenHead) -> Option<Timestamp> {
        self.truth.seen(head).filter(|_| self.lie != 2)
    }

    fn took(&self, nonce: &str) -> bool {
        self.truth.took(nonce) || self.lie == 3
    }

    fn used(&self, rule: &Rule, by: &Principal, since: Timestamp) -> u64 {
        let used = self.truth.used(rule, by, since);
        if self.lie == 4 { used.saturating_sub(1) } else { used }
    }

    fn granted(&self, id: u64) -> Option<Renewable> {
        let truth = self.truth.granted(id)?;
        Some(if self.lie == 5 { Renewable { ended: None, ..truth } } else { truth })
    }

    fn overdue_review(&self, by: &Principal) -> Option<u64> {
        self.truth.overdue_review(by).filter(|_| self.lie != 6)
    }
}

#[test]
fn each_planted_difference_shows() {
    let entries = golden("judge-1");
    let mut folded = Replayer::new();
    let mut shown = [false; 7];
    for entry in &entries {
        folded.entry(entry);
        for data in entries.iter().filter_map(|entry| records::data::<PolicyData>(entry).ok()) {
            let policy = gate_policy::parse(&data.text).unwrap();
            let used = PolicyUsed { digest: data.digest, source: data.source };
            for gate in policy.gates.keys().map(GateName::as_str) {
                let questions = Questions::at(&entries, &policy, gate);
                // Long enough for each review to be overdue.
                for now in [entry.at, entry.at.plus(90 * 86_400).unwrap()] {
                    folded.past((gate, Whose::UNKNOWN), &used, now, |truth| {
                        let answers = questions.put(truth);
                        for (lie, shown) in shown.iter_mut().enumerate() {
                            *shown |= questions.put(&Lying { truth, lie }) != answers;
                        }
                    });
                }
            }
        }
    }
    assert_eq!(shown, [true; 7]);
}
