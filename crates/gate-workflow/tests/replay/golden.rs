//! The golden ledger of judge 1: every kind of entry, signed and unsigned, as the tools of that judge wrote it.
//!
//! `testdata/judge-1.jsonl`, and `judge-1.commits.jsonl` with requests in commits, stay as they are for as long as judge 1 is in the code; a judge that gives one of its
//! facts another verdict is another judge. The `.replay.json` beside each is what replay says about it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gate_identity::ssh::Namespace;
use gate_judge::ownership::{self, Endorsement};
use gate_judge::statement::Statement;
use gate_ledger::entry::{Draft, Entry, Kind};
use gate_ledger::store::{Access, Ledger, StoreError};
use gate_model::action::Action;
use gate_model::decision::Verdict;
use gate_model::grant::{Grant, Status};
use gate_model::payload::{Ask, ReviewVerdict, Verb};
use gate_model::principal::{Assurance, Principal};
use gate_model::request::{Request, SeenHead};
use gate_model::verification::{Replay, Warning};
use gate_workflow::admission::{self, Asking};
use gate_workflow::approval::Act;
use gate_workflow::ids;
use gate_workflow::policy_source::{self, Choice};
use gate_workflow::signing::{self, Signer};
use gate_workflow::workspace::{LOCK_WAIT, Workspace};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ledger::{Forgery, assert_agrees, assert_forged, replay, restart};
use crate::world::{POLICY, World, ask, finding, waive};

/// What is added to the common policy: a gate for people with keys.
const SIGNED: &str = r#"
[identity]
allowed_signers = "allowed_signers"

[gates.prod]
[[gates.prod.allow]]
actions = ["skip"]
who = ["alice@example.com", "bob@example.com"]
assurance = "signed"
max_ttl = "4h"
ticket = "^OPS-[0-9]+$"
[[gates.prod.allow]]
actions = ["override"]
who = ["alice@example.com", "bob@example.com"]
assurance = "signed"
max_ttl = "1h"
max_uses = 1
approvals = { count = 1, from = ["alice@example.com", "bob@example.com"] }
[[gates.prod.allow]]
actions = ["pause"]
who = ["alice@example.com", "bob@example.com"]
max_ttl = "1d"
[[gates.prod.allow]]
actions = ["waive"]
who = ["repo:acme/pay"]
max_ttl = "1d"
"#;

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Expected {
    replay: Replay,
    warnings: Vec<Warning>,
}

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testdata").join(name)
}

pub(crate) fn golden(name: &str) -> Vec<Entry> {
    let lines = std::fs::read_to_string(testdata(&format!("{name}.jsonl"))).unwrap();
    let entry = |line: &str| {
        let (body, hash) = line.split_once(",\"hash\":\"").unwrap();
        let entry = Entry::from_body(format!("{body}}}").as_bytes()).unwrap();
        assert_eq!(hash, format!("{}\"}}", entry.hash));
        entry
    };
    lines.lines().map(entry).collect()
}

#[test]
fn the_golden_ledgers_of_judge_1_come_out_as_they_always_did() {
    for name in ["judge-1", "judge-1.commits"] {
        let replayed = replay(&golden(name));
        let expected = std::fs::read_to_string(testdata(&format!("{name}.replay.json"))).unwrap();
        let expected: Expected = serde_json::from_str(&expected).unwrap();
        assert_eq!(Expected { replay: replayed.replay, warnings: replayed.warnings }, expected, "{name}");
    }
}

#[test]
fn a_ledger_with_signatures_that_is_made_now_agrees() {
    let world = Workshop::new().play();
    let replayed = assert_agrees(&world.entries());
    let codes: Vec<&str> = replayed.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!(codes, ["worktree-policy", "token-not-kept"]);
}

#[test]
fn a_resume_that_was_signed_before_a_pause_ends_it_neither_live_nor_in_replay() {
    let workshop = Workshop::new();
    let pause = workshop.signed("bob", "prod", ask(Action::Pause, 3_600)).id.unwrap();
    let resume = |id: u64| workshop.act("alice", Verb::Resume, &id.to_string(), None);
    assert_eq!(workshop.world.resume("prod", &resume(pause)).status, Status::Revoked);
    assert_eq!(workshop.world.run("prod", 0).decision, Verdict::Pass);
    let again = workshop.signed("bob", "prod", ask(Action::Pause, 3_600)).id.unwrap();
    let entries = workshop.world.entries();
    let old = first(&entries, Kind::Revocation, |_| true);
    let (id, hash) = (again, entries.iter().find(|entry| entry.seq == again).unwrap().hash.to_string());
    let forged = Forgery::of(&entries).add(old, |draft, _| {
        draft.reference = Some(id);
        draft.data["subject"] = json!(hash);
    });
    workshop.world.rewrite(&forged.entries());
    workshop.world.pass(300);
    assert_eq!(workshop.world.run("prod", 0).decision, Verdict::Hold);
    assert_forged(&workshop.world.entries(), entries.len() as u64, "differs from the entry in its subject");
    // What was signed for the first pause resumes nothing where the gate was paused again meanwhile.
    let late = resume(pause);
    let refused = workshop.world.with(|workspace| gate_workflow::ending::resume(workspace, "prod", &late));
    assert!(refused.unwrap_err().to_string().contains("paused or resumed since"));
    assert_eq!(workshop.world.resume("prod", &resume(again)).status, Status::Revoked);
    assert_eq!(workshop.world.run("prod", 0).decision, Verdict::Pass);
}

/// Whoever writes the ledger's file and a work tree's policy becomes no owner by writing so: with a source that says so,
/// with a word of their own, or with the owner's word on another text.
#[test]
fn a_guardian_that_was_written_into_the_file_guards_nothing() {
    let workshop = Workshop::new();
    workshop.own();
    assert_eq!(workshop.world.run("lint", 0).decision, Verdict::Pass);
    let honest = workshop.world.entries();
    let newest = honest.iter().rfind(|entry| entry.kind == Kind::Policy).unwrap().clone();
    let bobs = format!("{POLICY}{SIGNED}\n[policy]\nowners = [\"bob@example.com\"]\n");
    let digest = gate_policy::digest::of(&bobs, &[("allowed_signers".to_owned(), workshop.keys.lines())]);
    for source in ["worktree".to_owned(), newest.data["source"].as_str().unwrap().to_owned()] {
        let forged = Forgery::of(&honest).add(newest.seq, |draft, _| {
            draft.data["text"] = json!(bobs);
            draft.data["digest"] = json!(digest);
            draft.data["source"] = json!(source);
        });
        let forged = forged.entries();
        workshop.world.rewrite(&forged);
        let ledger = Ledger::open(&workshop.world.ledger_path(), Access::Read).unwrap();
        let guardian = gate_workflow::ownership::guardian(&ledger.view(), None).unwrap().unwrap();
        assert_eq!(guardian.data.digest, newest.data["digest"].as_str().unwrap());
        workshop.world.write("gate.toml", &bobs);
        assert!(workshop.world.refused().contains("does not admit the change"), "{source}");
        assert_forged(&forged, honest.len() as u64, "is no policy that takes effect");
    }
}

#[test]
#[ignore = "writes the golden ledger anew, which only a new judge is a reason for"]
fn write_the_golden_ledger() {
    let entries = Workshop::new().play().entries();
    let lines: String = entries.iter().map(|entry| entry.line() + "\n").collect();
    std::fs::write(testdata("judge-1.jsonl"), lines).unwrap();
    let replayed = assert_agrees(&entries);
    let expected = Expected { replay: replayed.replay, warnings: replayed.warnings };
    let text = serde_json::to_string_pretty(&expected).unwrap() + "\n";
    std::fs::write(testdata("judge-1.replay.json"), text).unwrap();
}

/// The first entry of the golden ledger that fits.
fn first(entries: &[Entry], kind: Kind, fits: impl Fn(&Value) -> bool) -> u64 {
    entries.iter().find(|entry| entry.kind == kind && fits(&entry.data)).unwrap().seq
}

fn is_signed(data: &Value) -> bool {
    data.pointer("/request/signature").is_some()
}

/// Adds a copy of the entry `from` to the golden ledger; it must be the one that replay names.
#[track_caller]
fn added(kind: Kind, fits: impl Fn(&Value) -> bool, words: &str, change: impl FnOnce(&mut Draft)) {
    let entries = golden("judge-1");
    let from = first(&entries, kind, fits);
    let forged = Forgery::of(&entries).add(from, |draft, at| {
        if draft.data.get("not_before").is_some() {
            restart(&mut draft.data, at);
        }
        if let Some(lapses) = draft.data.get_mut("lapses") {
            *lapses = json!(at.plus(7 * 86_400).unwrap());
        }
        change(draft);
    });
    assert_forged(&forged.entries(), entries.len() as u64, words);
}

/// Lets the signed request of a copy look fresh.
fn refresh(draft: &mut Draft) {
    draft.data["request"]["nonce"] = json!("f".repeat(32));
    draft.data["request"]["submit_by"] = json!("2026-12-05T10:00:00.000000Z");
    draft.data["request"]["requested_at"] = json!("2026-11-29T10:00:00.000000Z");
}

fn is_skip(data: &Value) -> bool {
    is_signed(data) && data["action"] == "skip"
}

#[test]
fn a_signed_grant_with_a_wrong_signature() {
    added(Kind::Grant, is_skip, "has a signature that does not hold", refresh);
    added(Kind::Grant, is_skip, "there is no signature", |draft| {
        refresh(draft);
        draft.data["request"].as_object_mut().unwrap().remove("signature");
    });
    added(Kind::Grant, is_skip, "there is no signature", |draft| {
        draft.data.as_object_mut().unwrap().remove("request");
    });
    added(Kind::Grant, is_skip, "differs from the entry in its by", |draft| {
        refresh(draft);
        draft.actor["id"] = json!("bob@example.com");
    });
    added(Kind::Grant, is_skip, "differs from the entry in its reason", |draft| {
        refresh(draft);
        draft.data["reason"] = json!("something else");
    });
}

#[test]
fn a_signed_pause_that_somebody_narrowed_until_it_holds_nowhere() {
    let workshop = Workshop::new();
    workshop.signed("alice", "prod", ask(Action::Pause, 3_600));
    let entries = workshop.world.entries();
    assert_agrees(&entries);
    let last = entries.len() as u64 - 1;
    for (member, value) in [("commit", "0".repeat(40)), ("environment", "nowhere".to_owned())] {
        let forged = Forgery::of(&entries).data(last, |data| data["scope"][member] = json!(value)).entries();
        assert_forged(&forged, last, "has another scope than rule");
    }
}

#[test]
fn a_signed_request_that_is_used_twice_late_or_elsewhere() {
    added(Kind::Grant, is_skip, "this request was submitted before", |_| {});
    added(Kind::Grant, is_skip, "this request could be submitted until", |draft| {
        draft.data["request"]["nonce"] = json!("f".repeat(32));
    });
    added(Kind::Grant, is_skip, "this request was signed for another ledger", |draft| {
        refresh(draft);
        draft.data["request"]["ledger"] = json!("0".repeat(32));
    });
    added(Kind::Grant, is_skip, "signed under another policy", |draft| {
        refresh(draft);
        draft.data["request"]["policy"] = json!(format!("b3:{}", "0".repeat(64)));
    });
    added(Kind::Grant, is_skip, "saw entry 1 with another hash", |draft| {
        refresh(draft);
        draft.data["request"]["seen_head"] = json!({"seq": 1, "hash": format!("b3:{}", "0".repeat(64))});
    });
    added(Kind::Grant, is_skip, "for longer than seven days", |draft| {
        refresh(draft);
        draft.data["request"]["requested_at"] = json!("2026-11-22T10:00:00.000000Z");
    });
}

/// The life of a request that nobody has ended, at the end of the ledger.
fn waiting() -> (World, String, Keys) {
    let workshop = Workshop::new();
    let id = workshop.signed("alice", "prod", Ask { ticket: None, ..ask(Action::Override, 3_600) });
    assert_eq!(id.status, Status::Pending);
    let Workshop { world, keys } = workshop;
    (world, id.id.unwrap().to_string(), keys)
}

#[test]
fn a_signed_rejection_that_somebody_records_as_an_approval() {
    let (world, id, keys) = waiting();
    let workshop = Workshop { world, keys };
    workshop.world.reject(&workshop.act("bob", Verb::Reject, &id, None));
    let entries = workshop.world.entries();
    let rejection = entries.len() as u64 - 1;
    let forged = Forgery::of(&entries).edit(rejection, |draft| draft.kind = Kind::Approval).entries();
    assert_forged(&forged, rejection, "differs from the entry in its act");
}

#[test]
fn an_approval_signed_for_another_request_or_by_another_key() {
    let (world, id, keys) = waiting();
    let workshop = Workshop { world, keys };
    let other = workshop.signed("alice", "prod", ask(Action::Override, 3_600)).id.unwrap().to_string();
    let act = workshop.act("bob", Verb::Approve, &id, None);
    workshop.world.approve(&act);
    let entries = workshop.world.entries();
    assert_agrees(&entries);
    let approval = first(&entries, Kind::Approval, |_| true);
    let request = entries[usize::try_from(other.parse::<u64>().unwrap()).unwrap()].hash.to_string();
    let forged = Forgery::of(&entries).add(approval, |draft, _| {
        draft.reference = Some(other.parse().unwrap());
        draft.data["subject"] = json!(request);
    });
    assert_forged(&forged.entries(), entries.len() as u64, "differs from the entry in its subject");
    let forged = Forgery::of(&entries).add(approval, |draft, _| {
        draft.reference = Some(other.parse().unwrap());
        draft.data["subject"] = json!(request);
        draft.data["statement"]["subject"] = json!(request);
    });
    assert_forged(&forged.entries(), entries.len() as u64, "has a signature that does not hold");
}

#[test]
fn a_key_that_the_policy_of_that_moment_does_not_list() {
    let workshop = Workshop::new();
    workshop.signed("alice", "prod", Ask { ticket: Some("OPS-1".into()), ..ask(Action::Skip, 3_600) });
    let entries = workshop.world.entries();
    assert_agrees(&entries);
    // The ledger's own policy text is put in place of the one with the keys: its digest is right.
    let files = json!([{"path": "allowed_signers", "text": workshop.keys.line("bob")}]);
    let text = entries[1].data["text"].as_str().unwrap().to_owned();
    let digest = gate_policy::digest::of(&text, &[("allowed_signers".to_owned(), workshop.keys.line("bob"))]);
    let forged = Forgery::of(&entries)
        .data(1, |data| {
            data["files"] = files;
            data["digest"] = json!(digest.clone());
        })
        .data(2, |data| {
            data["policy"]["digest"] = json!(digest.clone());
            data["request"]["policy"] = json!(digest);
        });
    assert_forged(&forged.entries(), 2, "has a signature that does not hold");
}

#[test]
fn a_policy_that_its_owners_did_not_admit() {
    let workshop = Workshop::new();
    workshop.own();
    workshop.world.run("lint", 0);
    let entries = workshop.world.entries();
    assert_agrees(&entries);
    let owned = entries.iter().rfind(|entry| entry.kind == Kind::Policy).unwrap().seq;
    assert!(
        entries[usize::try_from(owned).unwrap()].data["source"]
            .as_str()
            .unwrap()
            .starts_with("owner:SHA256:")
    );
    let text = entries[usize::try_from(owned).unwrap()].data["text"].as_str().unwrap().replace("24h", "23h");
    let digest = gate_policy::digest::of(&text, &[("allowed_signers".to_owned(), workshop.keys.lines())]);
    for (source, words) in [("worktree", "no owner admitted it"), ("owner:SHA256:x", "made for another text")]
    {
        let forged = Forgery::of(&entries).add(owned, |draft, _| {
            draft.data["text"] = json!(text);
            draft.data["digest"] = json!(digest);
            draft.data["source"] = json!(source);
            if source == "worktree" {
                draft.data.as_object_mut().unwrap().remove("signature");
            }
        });
        assert_forged(&forged.entries(), entries.len() as u64, words);
    }
    // The text of before, which no owner signed, is not in force any more.
    let replayed = replay(
        &Forgery::of(&entries)
            .decision(owned + 1, |data| {
                data["policy"] = json!({"digest": entries[1].data["digest"], "source": "worktree"});
            })
            .entries(),
    );
    assert!(
        replayed
            .warnings
            .iter()
            .any(|warning| warning.code == "superseded-policy" && warning.count == Some(1))
    );
}

/// Keys for two people.
struct Keys {
    dir: tempfile::TempDir,
}

impl Keys {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["alice", "bob"] {
            let path = dir.path().join(name);
            let arguments = ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"];
            let made = Command::new("ssh-keygen").args(arguments).arg(&path).stdin(Stdio::null()).status();
            assert!(made.unwrap().success());
        }
        Self { dir }
    }

    fn line(&self, name: &str) -> String {
        let public = std::fs::read_to_string(self.dir.path().join(format!("{name}.pub"))).unwrap();
        let key: Vec<&str> = public.split_whitespace().take(2).collect();
        format!("{name}@example.com {}\n", key.join(" "))
    }

    fn lines(&self) -> String {
        self.line("alice") + &self.line("bob")
    }
}

/// A world in which people have keys.
pub(crate) struct Workshop {
    pub(crate) world: World,
    keys: Keys,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        let (world, keys) = (World::empty(), Keys::new());
        world.write("allowed_signers", &keys.lines());
        world.write("gate.toml", &format!("{POLICY}{SIGNED}"));
        world.init();
        Self { world, keys }
    }

    fn sign<T>(&self, name: &str, workspace: &Workspace<'_>, work: impl FnOnce(&Signer<'_>) -> T) -> T {
        let (key, name) = (self.keys.dir.path().join(name), format!("{name}@example.com"));
        let trust = (&workspace.loaded.policy, workspace.loaded.files.as_slice());
        let cwd = self.world.dir.path();
        work(&Signer { cwd, key: Some(&key), name: Some(&name), trust, now: workspace.now() })
    }

    /// A request that is signed and not asked for yet.
    pub(crate) fn write(&self, name: &str, gate: &str, ask: &Ask) -> Request {
        self.world.pass(60);
        self.world.with(|workspace| {
            let ledger = workspace.open(Access::Read).unwrap();
            let head = ledger.view().head().unwrap();
            let seen = SeenHead { seq: head.seq, hash: head.hash.to_string() };
            let (id, now) = (ledger.id().to_owned(), workspace.now());
            let by = format!("{name}@example.com");
            let draft = signing::draft(gate, ask, &by, &workspace.loaded, Some(id), Some(seen), now).unwrap();
            self.sign(name, workspace, |signer| signer.request(draft).unwrap().0)
        })
    }

    /// Asks at once, with a signature.
    pub(crate) fn signed(&self, name: &str, gate: &str, ask: Ask) -> Grant {
        let facts = self.world.with(|workspace| workspace.facts().unwrap().clone());
        let ask = Ask {
            scope: gate_model::scope::Scope { repository: facts.context.repository, ..ask.scope.clone() },
            ..ask
        };
        let request = self.write(name, gate, &ask);
        self.submit(&request)
    }

    /// Submits a request that was signed elsewhere.
    pub(crate) fn submit(&self, request: &Request) -> Grant {
        self.world.pass(60);
        self.world.with(|workspace| {
            let asking = Asking {
                gate: request.gate.clone(),
                ask: Ask::of(request),
                by: workspace.facts().unwrap().principal.clone(),
                context: workspace.facts().unwrap().context.clone(),
                request: Some(request.clone()),
            };
            admission::request(workspace, &asking).unwrap()
        })
    }

    /// A signed act.
    pub(crate) fn act(&self, name: &str, verb: Verb, id: &str, verdict: Option<ReviewVerdict>) -> Act {
        let act = self.world.act("dave", id, "looked at it");
        self.world.with(|workspace| {
            let ledger = workspace.open(Access::Read).unwrap();
            let subject = ids::find(&ledger.view(), id).unwrap();
            let statement = Statement {
                ledger: Some(ledger.id().to_owned()),
                by: format!("{name}@example.com"),
                reason: act.reason.clone(),
                verdict,
                ..Statement::of(verb, subject.hash.to_string())
            };
            let (statement, by) = self.sign(name, workspace, |signer| signer.statement(statement).unwrap());
            Act { statement: Some(statement), by, ..act }
        })
    }

    /// Alice becomes the policy's owner, by her own signature.
    fn own(&self) {
        self.world.pass(60);
        let owned = format!("{POLICY}{SIGNED}\n[policy]\nowners = [\"alice@example.com\"]\n");
        self.world.write("gate.toml", &owned);
        self.world.record_as_revision();
        self.endorse("alice", &format!("{owned}# as it was signed\n"));
    }

    /// Puts `text` in force with a signature.
    fn endorse(&self, name: &str, text: &str) {
        let endorsement = self.world.with(|workspace| {
            self.world.write("gate.toml", text);
            let choice = Choice { cwd: self.world.dir.path(), path: None, revision: None };
            let loaded = policy_source::load(&choice).unwrap();
            let ledger = workspace.open(Access::Read).unwrap();
            let guardian = gate_workflow::ownership::guardian(&ledger.view(), None).unwrap();
            let draft = Endorsement {
                schema: ownership::SCHEMA.to_owned(),
                digest: loaded.used.digest,
                replaces: guardian.map(|guardian| guardian.data.digest.clone()),
                repository: None,
                by: format!("{name}@example.com"),
                signature: None,
            };
            self.sign(name, workspace, |signer| {
                assert_eq!(signer.claimed(Namespace::Policy).unwrap(), draft.by);
                signer.endorsement(draft).unwrap()
            })
        });
        self.world.write("gate.toml.sig", &serde_json::to_string(&endorsement).unwrap());
    }

    /// Asks as a workload that a token proved.
    fn by_token(&self, gate: &str, ask: Ask) -> Grant {
        self.world.pass(60);
        self.world.with(|workspace| {
            let by = Principal {
                id: "repo:acme/pay".to_owned(),
                assurance: Assurance::Oidc,
                via: "github".to_owned(),
                key: None,
                issuer: Some("https://token.actions.githubusercontent.com".to_owned()),
            };
            let context = workspace.facts().unwrap().context.clone();
            let asking = Asking { gate: gate.to_owned(), ask, by, context, request: None };
            admission::request(workspace, &asking).unwrap()
        })
    }

    fn note(&self) {
        self.world.pass(60);
        let actor = serde_json::to_value(Principal::asserted("github", "dave")).unwrap();
        let draft =
            Draft { kind: Kind::Note, gate: None, reference: None, actor, data: json!({"deployed": 7}) };
        let mut ledger = Ledger::open(&self.world.ledger_path(), Access::Append).unwrap();
        let clock = || self.world.now();
        ledger.append::<_, StoreError>(LOCK_WAIT, &clock, |transaction| transaction.append(&draft)).unwrap();
        ledger.close().unwrap();
    }

    /// Plays every kind of entry, and gives back the world in which it happened.
    fn play(self) -> World {
        self.play_signed();
        self.play_unsigned();
        self.play_owned();
        self.world
    }

    fn play_signed(&self) {
        let ticket = |ask: Ask| Ask { ticket: Some("OPS-7".into()), ..ask };
        let skip = self.signed("alice", "prod", ticket(ask(Action::Skip, 3_600)));
        assert_eq!(skip.status, Status::Granted);
        assert_eq!(self.world.run("prod", 1).decision, Verdict::Skip);
        let id = skip.id.unwrap().to_string();
        assert_eq!(self.world.revoke(&self.act("alice", Verb::Revoke, &id, None)).status, Status::Revoked);

        let mut detached = self.write("bob", "prod", &ticket(ask(Action::Skip, 7_200)));
        self.world.run("lint", 0);
        assert_eq!(self.submit(&detached).status, Status::Granted);
        assert_eq!(self.submit(&detached).status, Status::Denied, "its nonce is used");
        detached.nonce = "0".repeat(32);
        assert_eq!(self.submit(&detached).status, Status::Denied, "it was edited");
        let late = self.write("bob", "prod", &ticket(ask(Action::Skip, 7_200)));
        self.world.pass(7 * 86_400);
        assert_eq!(self.submit(&late).status, Status::Denied, "it is too late");
        assert_eq!(
            self.signed("bob", "prod", ask(Action::Skip, 60)).status,
            Status::Denied,
            "it has no ticket"
        );

        let wanted = self.signed("alice", "prod", ask(Action::Override, 3_600)).id.unwrap().to_string();
        assert_eq!(
            self.world.approve(&self.act("alice", Verb::Approve, &wanted, None)).status,
            Status::Denied
        );
        assert_eq!(
            self.world.approve(&self.act("bob", Verb::Approve, &wanted, None)).status,
            Status::Granted
        );
        assert_eq!(self.world.run("prod", 1).decision, Verdict::Override);
        assert_eq!(self.world.run("prod", 1).decision, Verdict::Fail);
        let unwanted = self.signed("bob", "prod", ask(Action::Override, 3_600)).id.unwrap().to_string();
        assert_eq!(
            self.world.reject(&self.act("alice", Verb::Reject, &unwanted, None)).status,
            Status::Denied
        );

        assert_eq!(self.signed("bob", "prod", ask(Action::Pause, 3_600)).status, Status::Granted);
        let pause = self.signed("alice", "prod", ask(Action::Pause, 3_600)).id.unwrap().to_string();
        assert_eq!(self.world.run("prod", 0).decision, Verdict::Hold);
        let resumed = self.world.resume("prod", &self.act("alice", Verb::Resume, &pause, None));
        assert_eq!(resumed.status, Status::Revoked);
        assert_eq!(self.world.run("prod", 0).decision, Verdict::Pass);
    }

    fn play_unsigned(&self) {
        self.note();
        assert_eq!(self.by_token("prod", waive("A", "src/*", 2)).status, Status::Granted);
        let findings = vec![finding("A", "src/a", 1), finding("A", "src/[b]", 1)];
        assert_eq!(self.world.judge("prod", findings).decision, Verdict::Pass);
        self.world.ask("vulnerabilities", waive("CVE-2", "src/{a,b}", 1));
        let findings = vec![finding("CVE-2", "src/a", 1), finding("CVE-2", "src/b", 1)];
        assert_eq!(self.world.scan("vulnerabilities", 1, findings).decision, Verdict::Fail);
        assert_eq!(self.world.miss("tests").decision, Verdict::Fail);
        self.world.ask("tests", ask(Action::Override, 3_600));
        assert_eq!(self.world.run("tests", 1).decision, Verdict::Override);

        let wanted = self.world.ask("deploy", ask(Action::Skip, 3_600)).id.unwrap().to_string();
        for who in ["mallory", "erin", "carol"] {
            self.world.approve(&self.world.act(who, &wanted, "fine"));
        }
        assert_eq!(self.world.run("deploy", 1).decision, Verdict::Skip);
        let broken = self.world.ask("deploy", Ask { break_glass: true, ..ask(Action::Override, 3_600) });
        self.world.pass(3_600);
        assert_eq!(self.world.run("deploy", 1).decision, Verdict::Fail);
        let act = self.world.act("carol", &broken.id.unwrap().to_string(), "was right");
        assert_eq!(self.world.review(&act, ReviewVerdict::Rejected).status, Status::Reviewed);
    }

    fn play_owned(&self) {
        self.own();
        assert_eq!(self.world.run("lint", 0).decision, Verdict::Pass);
        let next = format!("{POLICY}{SIGNED}\n[policy]\nowners = [\"bob@example.com\"]\n");
        self.world.pass(60);
        self.endorse("alice", &next);
        assert_eq!(self.world.run("lint", 0).decision, Verdict::Pass);
    }
}
