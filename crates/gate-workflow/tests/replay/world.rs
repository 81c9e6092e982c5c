//! A place with a policy, a ledger, a clock that the test sets, and CI variables that say who and where.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use gate_findings::place::{Checkout, Lines};
use gate_judge::judgement::Outcome;
use gate_ledger::entry::Entry;
use gate_ledger::store::{Access, Ledger, StoreError};
use gate_model::action::Action;
use gate_model::decision::Decision;
use gate_model::finding::{Counts, Evidence, Finding};
use gate_model::grant::Grant;
use gate_model::level::Level;
use gate_model::payload::{Ask, Mode, ReviewVerdict};
use gate_model::principal::Principal;
use gate_model::request::Ttl;
use gate_model::scope::Scope;
use gate_model::time::Timestamp;
use gate_workflow::admission::{self, Asking};
use gate_workflow::approval::{self, Act};
use gate_workflow::check::{Begun, Checker, Finished, Started};
use gate_workflow::policy_source::{self, Choice};
use gate_workflow::workspace::{LOCK_WAIT, Place, Workspace};
use gate_workflow::{ending, policies, review};

/// The commit that is checked out.
pub(crate) const COMMIT: &str = "1111111111111111111111111111111111111111";

/// Every kind of rule; the first part is common to all tests.
pub(crate) const POLICY: &str = include_str!("../testdata/gate.toml");

/// A gate whose waivers follow what moves, to be added to [`POLICY`].
pub(crate) const MOVING: &str = "
[gates.moving]
[[gates.moving.allow]]
actions = [\"waive\"]
who = [\"*\"]
max_ttl = \"14d\"
follow_moves = true
";

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    now: Cell<Timestamp>,
    variables: RefCell<BTreeMap<String, String>>,
}

impl World {
    /// A new ledger under `policy`.
    pub(crate) fn new(policy: &str) -> Self {
        let world = Self::empty();
        world.write("gate.toml", policy);
        world.init();
        world
    }

    /// A place without a ledger.
    pub(crate) fn empty() -> Self {
        let world = Self {
            dir: folder(),
            now: Cell::new(Timestamp::parse("2026-11-22T10:00:00Z").unwrap()),
            variables: RefCell::default(),
        };
        for (name, value) in [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/pay"),
            ("GITHUB_SHA", COMMIT),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_RUN_ID", "77"),
            ("GITHUB_ACTOR", "dave"),
        ] {
            world.set(name, value);
        }
        world
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    pub(crate) fn set(&self, name: &str, value: &str) {
        self.variables.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now.get()
    }

    pub(crate) fn set_now(&self, now: Timestamp) {
        self.now.set(now);
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.now.set(self.now.get().plus(seconds).unwrap());
    }

    pub(crate) fn ledger_path(&self) -> PathBuf {
        self.dir.path().join(".gate/ledger.db")
    }

    /// Makes the ledger, with the policy as its second entry.
    pub(crate) fn init(&self) {
        let workspace = |workspace: &Workspace<'_>| {
            let by = serde_json::to_value(Principal::asserted("github", "dave")).unwrap();
            let path = self.ledger_path();
            let mut ledger = Ledger::create(&path, &by, serde_json::json!({}), self.now()).unwrap();
            let by = Principal::asserted("github", "dave");
            let clock = || self.now();
            let done = ledger.append(LOCK_WAIT, &clock, |transaction| {
                policies::ensure_recorded(
                    transaction,
                    (&workspace.loaded, workspace.repository().unwrap()),
                    &by,
                )
            });
            done.unwrap();
            ledger.close().unwrap();
        };
        self.with(workspace);
    }

    /// Records the policy as it is now as one that a revision brought, which is how owners come in.
    pub(crate) fn record_as_revision(&self) {
        let choice = Choice { cwd: self.dir.path(), path: None, revision: None };
        let mut loaded = policy_source::load(&choice).unwrap();
        loaded.used.source = format!("rev:{COMMIT}");
        let mut ledger = Ledger::open(&self.ledger_path(), Access::Append).unwrap();
        let (by, clock) = (Principal::asserted("github", "dave"), || self.now());
        let done = ledger.append(LOCK_WAIT, &clock, |transaction| {
            policies::ensure_recorded(transaction, (&loaded, None), &by)
        });
        done.unwrap();
        ledger.close().unwrap();
    }

    /// Runs `work` with the workspace as a tool would read it now.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Workspace<'_>) -> T) -> T {
        let env = |name: &str| self.variables.borrow().get(name).cloned();
        let clock = || self.now();
        let place = Place {
            cwd: self.dir.path(),
            env: &env,
            clock: &clock,
            policy: None,
            policy_ref: None,
            ledger: None,
            connect: gate_workflow::remote::through_helper(),
        };
        let workspace = Workspace::read(place).unwrap();
        work(&workspace)
    }

    /// Why no tool would judge by the policy as it is now.
    pub(crate) fn refused(&self) -> String {
        let env = |_: &str| None;
        let (clock, cwd) = (|| self.now(), self.dir.path());
        let place = Place {
            cwd,
            env: &env,
            clock: &clock,
            policy: None,
            policy_ref: None,
            ledger: None,
            connect: gate_workflow::remote::through_helper(),
        };
        Workspace::read(place).map(drop).unwrap_err().to_string()
    }

    /// Every entry, in order.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let ledger = Ledger::open(&self.ledger_path(), Access::Read).unwrap();
        let mut entries = Vec::new();
        let collect = &mut |entry: Entry| {
            entries.push(entry);
            ControlFlow::Continue(())
        };
        ledger.view().scan(0, None, false, collect).unwrap();
        entries
    }

    /// Puts a ledger of these entries in place of the one that is there.
    pub(crate) fn rewrite(&self, entries: &[Entry]) {
        let path = self.ledger_path();
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        let mut ledger = Ledger::create_copy(&path, &entries[0]).unwrap();
        let clock = || self.now();
        let adopted = ledger.append::<_, StoreError>(LOCK_WAIT, &clock, |transaction| {
            entries[1..].iter().try_for_each(|entry| transaction.adopt(entry))
        });
        adopted.unwrap();
        ledger.close().unwrap();
    }

    /// Asks as the CI actor.
    pub(crate) fn ask(&self, gate: &str, ask: Ask) -> Grant {
        self.asking(gate, ask, |workspace, asking| admission::request(workspace, asking).unwrap())
    }

    /// What would come of asking.
    pub(crate) fn rehearse(&self, gate: &str, ask: Ask) -> Grant {
        self.asking(gate, ask, |workspace, asking| admission::rehearse(workspace, asking).unwrap())
    }

    fn asking(&self, gate: &str, ask: Ask, how: impl FnOnce(&Workspace<'_>, &Asking) -> Grant) -> Grant {
        self.pass(60);
        self.with(|workspace| {
            let facts = workspace.facts().unwrap();
            let asking = Asking {
                gate: gate.to_owned(),
                ask,
                by: facts.principal.clone(),
                context: facts.context.clone(),
                request: None,
            };
            how(workspace, &asking)
        })
    }

    /// An act of somebody else's.
    pub(crate) fn act(&self, actor: &str, id: &str, reason: &str) -> Act {
        self.pass(60);
        self.set("GITHUB_ACTOR", actor);
        let act = self.with(|workspace| {
            let facts = workspace.facts().unwrap();
            Act {
                id: id.to_owned(),
                by: facts.principal.clone(),
                context: facts.context.clone(),
                reason: Some(reason.to_owned()),
                ticket: None,
                statement: None,
                author: Some("author@example.com".to_owned()),
            }
        });
        self.set("GITHUB_ACTOR", "dave");
        act
    }

    pub(crate) fn approve(&self, act: &Act) -> Grant {
        self.with(|workspace| approval::approve(workspace, act).unwrap())
    }

    pub(crate) fn reject(&self, act: &Act) -> Grant {
        self.with(|workspace| approval::reject(workspace, act).unwrap())
    }

    pub(crate) fn revoke(&self, act: &Act) -> Grant {
        self.with(|workspace| ending::revoke(workspace, act).unwrap())
    }

    pub(crate) fn resume(&self, gate: &str, act: &Act) -> Grant {
        self.with(|workspace| ending::resume(workspace, gate, act).unwrap())
    }

    pub(crate) fn review(&self, act: &Act, verdict: ReviewVerdict) -> Grant {
        self.with(|workspace| review::review(workspace, act, verdict).unwrap())
    }

    /// Runs a command with `status`.
    pub(crate) fn run(&self, gate: &str, status: u8) -> Decision {
        self.run_while(gate, status, || {})
    }

    /// Runs a command during which something happens.
    pub(crate) fn run_while(&self, gate: &str, status: u8, meanwhile: impl FnOnce()) -> Decision {
        let outcome = match gate_model::exit::cut_off(status) {
            Some(why) => Outcome::DidNotRun(why.to_owned()),
            None => Outcome::Ran(status),
        };
        let finished = Finished { status: Some(status), ..Finished::new(Mode::Run, outcome) };
        self.conclude(gate, true, finished, meanwhile)
    }

    /// A command that was not found.
    pub(crate) fn miss(&self, gate: &str) -> Decision {
        let outcome = Outcome::DidNotRun("the command was not found".to_owned());
        let finished = Finished { status: Some(127), ..Finished::new(Mode::Run, outcome) };
        self.conclude(gate, true, finished, || {})
    }

    /// Judges a report.
    pub(crate) fn judge(&self, gate: &str, findings: Vec<Finding>) -> Decision {
        let finished = Finished { report: Some(digest()), ..Finished::new(Mode::Judge, report(findings)) };
        self.conclude(gate, false, finished, || {})
    }

    /// Runs a scanner, then judges its report.
    pub(crate) fn scan(&self, gate: &str, status: u8, findings: Vec<Finding>) -> Decision {
        let finished = Finished {
            report: Some(digest()),
            status: Some(status),
            ..Finished::new(Mode::Findings, report(findings))
        };
        self.conclude(gate, true, finished, || {})
    }

    fn conclude(
        &self,
        gate: &str,
        commanded: bool,
        finished: Finished,
        meanwhile: impl FnOnce(),
    ) -> Decision {
        self.pass(60);
        let mut warnings = Vec::new();
        self.with(|workspace| {
            let checker = Checker::new(workspace, gate).unwrap();
            let started: Started = match checker.begin(commanded, Duration::ZERO, &mut warnings).unwrap() {
                Begun::Settled(decision) => return *decision,
                Begun::Go(started) => started,
            };
            meanwhile();
            self.pass(5);
            let decision = checker.conclude(&started, finished, &Emptied, &mut warnings).unwrap();
            assert!(warnings.is_empty() && decision.recorded.is_some(), "{warnings:?}");
            decision
        })
    }
}

/// A folder in memory where there is one: what is tested here is what is said, not that it lasts.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A checkout from which every file is gone.
#[derive(Debug)]
struct Emptied;

impl Checkout for Emptied {
    fn has(&self, _: &str) -> bool {
        false
    }

    fn is_gone(&self, _: &str) -> bool {
        true
    }

    fn named(&self, _: &str) -> Option<String> {
        None
    }

    fn lines(&self, _: &str, _: u64) -> Option<Lines> {
        None
    }
}

/// An ask for `action`, for `seconds`.
pub(crate) fn ask(action: Action, seconds: u64) -> Ask {
    Ask {
        action,
        reason: "the release waits for it".to_owned(),
        ticket: None,
        scope: Scope::default(),
        findings: Vec::new(),
        ttl: Ttl::of(seconds),
        max_uses: None,
        break_glass: false,
        renews: None,
    }
}

/// An ask to waive `count` findings of `rule` in `path`.
pub(crate) fn waive(rule: &str, path: &str, count: u64) -> Ask {
    let evidence = Evidence {
        rule: rule.to_owned(),
        level: Level::Error,
        count,
        path: Some(path.to_owned()),
        package: None,
        fingerprint: None,
        fingerprints: BTreeMap::new(),
        lines: Vec::new(),
        around: Vec::new(),
        tool: None,
        security_severity: None,
        fixable: false,
    };
    Ask { findings: vec![evidence], ..ask(Action::Waive, 86_400) }
}

/// A finding.
pub(crate) fn finding(rule: &str, path: &str, line: u64) -> Finding {
    Finding {
        rule: rule.to_owned(),
        level: Level::Error,
        message: "bad".to_owned(),
        path: Some(path.to_owned()),
        line: Some(line),
        fingerprint: format!("{rule}-{path}"),
        fingerprints: BTreeMap::new(),
        around: None,
        identified_by: None,
        package: None,
        tool: Some("scanner".to_owned()),
        fix: None,
        security_severity: None,
    }
}

fn report(findings: Vec<Finding>) -> Outcome {
    Outcome::Report { findings, counts: Counts { below_threshold: 2, passed: 1, suppressed: 0, absent: 1 } }
}

fn digest() -> String {
    gate_model::digest::of(gate_model::digest::REPORT, b"report")
}
