//! A pause that was read holds, whatever becomes of the ledger before it is recorded.
//!
//! What happens in between happens when the clock is read, which the checker does each time it looks.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gate_ledger::store::Ledger;
use gate_model::action::Action;
use gate_model::decision::Verdict;
use gate_model::payload::Ask;
use gate_model::principal::Principal;
use gate_model::request::Ttl;
use gate_model::scope::Scope;
use gate_model::time::Timestamp;
use gate_workflow::admission::{self, Asking};
use gate_workflow::check::{Begun, Checker};
use gate_workflow::workspace::{Place, Workspace};

const POLICY: &str = r#"
version = 1
[gates.deploy]
[[gates.deploy.allow]]
actions = ["pause"]
who = ["*"]
max_ttl = "8h"
"#;

struct Room {
    dir: tempfile::TempDir,
}

impl Room {
    /// A gate that is paused.
    fn new() -> Self {
        let room = Self { dir: tempfile::tempdir().unwrap() };
        fs::write(room.dir.path().join("gate.toml"), POLICY).unwrap();
        let by = serde_json::to_value(Principal::asserted("os", "test")).unwrap();
        Ledger::create(&room.ledger(), &by, serde_json::json!({}), now()).unwrap().close().unwrap();
        room.with(&now, |workspace| {
            let facts = workspace.facts().unwrap();
            let asking = Asking {
                gate: "deploy".to_owned(),
                ask: pause(),
                by: facts.principal.clone(),
                context: facts.context.clone(),
                request: None,
            };
            admission::request(workspace, &asking).unwrap();
        });
        room
    }

    fn ledger(&self) -> PathBuf {
        self.dir.path().join(".gate/ledger.db")
    }

    fn with<T>(&self, clock: &dyn Fn() -> Timestamp, work: impl FnOnce(&Workspace<'_>) -> T) -> T {
        let env = |_: &str| None;
        let cwd = self.dir.path();
        let place = Place {
            cwd,
            env: &env,
            clock,
            policy: None,
            policy_ref: None,
            ledger: None,
            connect: gate_workflow::remote::through_helper(),
        };
        work(&Workspace::read(place).unwrap())
    }

    /// What becomes of the gate where `attack` happens as soon as its pause can have been read.
    fn attacked(&self, patience: Duration, attack: &dyn Fn(&Path)) -> Option<Verdict> {
        let reads = Cell::new(0);
        let clock = || {
            reads.set(reads.get() + 1);
            // The first instant is that of the policy, the second that of the first look, which has the ledger open.
            if reads.get() == 2 {
                attack(&self.ledger());
            }
            now()
        };
        self.with(&clock, |workspace| {
            let mut warnings = Vec::new();
            let begun =
                Checker::new(workspace, "deploy").unwrap().begin(true, patience, &mut warnings).unwrap();
            assert!(!warnings.is_empty(), "nobody is told why it was not recorded");
            match begun {
                Begun::Settled(decision) => {
                    assert_eq!(decision.recorded, None);
                    Some(decision.decision)
                }
                Begun::Go(_) => None,
            }
        })
    }
}

fn pause() -> Ask {
    Ask {
        action: Action::Pause,
        reason: "freeze".to_owned(),
        ticket: None,
        scope: Scope::default(),
        findings: Vec::new(),
        ttl: Ttl::of(3600),
        max_uses: None,
        break_glass: false,
        renews: None,
    }
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T10:00:00Z").unwrap()
}

fn beside(ledger: &Path, suffix: &str) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

type Attack = fn(&Path);

/// The ways to keep a decision from being recorded.
const ATTACKS: [(&str, Attack); 5] = [
    ("the lock is a link", |ledger| {
        drop(fs::remove_file(beside(ledger, "-lock")));
        symlink("/nonexistent/x", beside(ledger, "-lock")).unwrap();
    }),
    ("the lock is a directory", |ledger| {
        drop(fs::remove_file(beside(ledger, "-lock")));
        fs::create_dir(beside(ledger, "-lock")).unwrap();
    }),
    ("there is a journal", |ledger| fs::write(beside(ledger, "-journal"), "").unwrap()),
    ("the ledger is gone", |ledger| fs::remove_file(ledger).unwrap()),
    ("the ledger is another file", |ledger| {
        fs::remove_file(ledger).unwrap();
        fs::write(ledger, "no ledger").unwrap();
    }),
];

#[test]
fn a_pause_that_was_read_and_cannot_be_recorded_holds() {
    for (name, attack) in ATTACKS {
        let verdict = Room::new().attacked(Duration::ZERO, &attack);
        assert_eq!(verdict, Some(Verdict::Hold), "{name}");
    }
}

#[test]
fn a_pause_that_was_waited_for_holds_where_it_cannot_be_read_again() {
    for (name, attack) in ATTACKS {
        let verdict = Room::new().attacked(Duration::from_hours(1), &attack);
        assert_eq!(verdict, Some(Verdict::Hold), "{name}");
    }
}
