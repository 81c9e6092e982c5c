//! gate-remote-ssh: the checks of all remotes on a served file, here and over sshd, and what a key may do.

use std::path::{Path, PathBuf};
use std::process::Command;

use gate_ledger::commitment::{Field, Opening, WrittenOpening};
use gate_ledger::entry::Kind;
use gate_ledger::remote::{Batch, Outcome, Remote, RemoteError, Why};
use gate_tests::remote::{Chain, Helper, Site, Speaking, read_all};
use serde_json::json;
use tempfile::TempDir;

use crate::servers::Sshd;

fn program() -> PathBuf {
    gate_tests::program("gate-remote-ssh")
}

/// A folder in which a ledger is served without ssh between.
struct Served {
    dir: TempDir,
}

impl Served {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn start(&self, options: &[&str]) -> Speaking {
        let arguments = [&["--serve", "ledger.db"], options].concat();
        Helper::new(program(), arguments, self.dir.path()).start()
    }
}

impl Site for Served {
    fn connect(&self) -> Box<dyn Remote> {
        Box::new(self.start(&["--any-time"]))
    }
}

/// Without ssh between.
mod served {
    use super::Served;

    gate_tests::conformance!(Some(Served::new()));
}

/// Over sshd, with a forced command.
mod over_ssh {
    use super::{Host, program};

    fn site() -> Option<Host> {
        Host::start(|folder| {
            format!(
                "restrict,command=\"{} --serve {}/ledger.db --any-time\"",
                program().display(),
                folder.display()
            )
        })
    }

    gate_tests::conformance!(site());
}

/// A host that is reached by ssh.
struct Host {
    /// Ended before its folder goes.
    server: Sshd,
    dir: TempDir,
}

impl Host {
    fn start(options: impl Fn(&Path) -> String) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let path = format!("{}:/usr/bin:/bin", program().parent().unwrap().display());
        let server = Sshd::start(dir.path(), &options(dir.path()), &path)?;
        Some(Self { server, dir })
    }

    fn helper(&self, path: &str) -> Helper {
        let name = format!("ssh://127.0.0.1{path}");
        Helper::new(program(), [name], self.dir.path()).with("GATE_SSH_COMMAND", self.server.command())
    }
}

impl Site for Host {
    fn connect(&self) -> Box<dyn Remote> {
        Box::new(self.helper("/any/path").start())
    }

    fn writers(&self) -> usize {
        4
    }
}

#[track_caller]
fn failed<T: std::fmt::Debug>(answer: Result<T, RemoteError>) -> (Why, String) {
    match answer.expect_err("it fails") {
        RemoteError::Failed(failed) => (failed.why, failed.to_string()),
        other => panic!("{other}"),
    }
}

fn create(remote: &mut dyn Remote) -> (Chain, Vec<Vec<u8>>) {
    let mut chain = Chain::new(0x5d);
    let batch = chain.batch(2, "begin");
    assert_eq!(remote.create(&batch).unwrap(), Outcome::Taken);
    (chain, batch.lines)
}

#[test]
fn what_is_served_is_an_ordinary_ledger() {
    let served = Served::new();
    let (chain, _) = create(&mut served.start(&[]));
    let verified = Command::new(gate_tests::program("gate-verify"))
        .args(["ledger.db", "--quiet", "--format", "json"])
        .current_dir(served.dir.path())
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let document: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((&document["entries"], &document["head"]["hash"]), (&json!(2), &json!(chain.head().hash)));
}

#[test]
fn a_forced_command_makes_a_key_that_can_append_and_nothing_else() {
    let options = |folder: &Path| {
        let program = program();
        format!(
            "restrict,command=\"{} --serve {}/ledger.db --as writer --any-time\"",
            program.display(),
            folder.display()
        )
    };
    let Some(host) = Host::start(options) else { return eprintln!("skipped: there is no sshd") };
    let mut local = Helper::new(program(), ["--serve", "ledger.db"], host.dir.path()).start();
    let (mut chain, mut lines) = create(&mut local);
    // Whatever path, or other command, is asked for.
    let mut remote = host.helper("/etc/passwd").start();
    assert_eq!(remote.hello(None).unwrap().head, Some(chain.head()));
    let (after, batch) = (chain.head(), chain.batch(1, "by key"));
    assert_eq!(remote.append(after, &batch).unwrap(), Outcome::Taken);
    lines.extend(batch.lines);
    for (answer, what) in [
        (failed(remote.erase(&[])), "erase texts"),
        (failed(remote.forget(1, &[0]).map(|()| 0)), "drop entries"),
        (failed(remote.create(&Chain::new(9).batch(1, "x")).map(|_| 0)), "make a ledger"),
    ] {
        assert_eq!(answer.0, Why::Denied);
        assert!(
            answer.1.starts_with(&format!("this key may not {what}: it is served as writer")),
            "{}",
            answer.1
        );
    }
    assert_eq!(read_all(&mut remote, None), (lines, Some(chain.head())));
    let shell = format!(
        "{} -T -- 127.0.0.1 'touch {}/evil' </dev/null",
        host.server.command(),
        host.dir.path().display()
    );
    drop(Command::new("sh").args(["-c", &shell]).output().unwrap());
    assert!(!host.dir.path().join("evil").exists());
}

#[test]
fn a_reader_reads_and_appends_nothing() {
    let served = Served::new();
    let (mut chain, lines) = create(&mut served.start(&[]));
    let mut reader = served.start(&["--as", "reader", "--any-time"]);
    let head = chain.head();
    assert_eq!(failed(reader.append(head, &chain.batch(1, "no"))).0, Why::Denied);
    assert_eq!(read_all(&mut reader, None), (lines, Some(head)));
}

#[test]
fn a_host_that_lacks_the_helper_lets_nobody_in_or_is_not_there_is_told_apart() {
    let Some(host) = Host::start(|_| "restrict".to_owned()) else {
        return eprintln!("skipped: there is no sshd");
    };
    // With a shell there and the program on its PATH, the path that was asked for is served, however it is written.
    let path = format!("{}/it's a ledger.db", host.dir.path().display());
    let (chain, _) = create(&mut host.helper(&path).start());
    let hello = host.helper(&path).start().hello(None).unwrap();
    assert_eq!((hello.head, hello.place), (Some(chain.head()), Some(format!("{path} on 127.0.0.1"))));
    let with = |command: String| host.helper(&path).with("GATE_SSH_COMMAND", command).start().hello(None);
    let none = Host::start(|_| "restrict,command=\"no-such-helper\"".to_owned()).unwrap();
    let (why, said) = failed(none.helper(&path).start().hello(None));
    assert_eq!(why, Why::Failure, "{said}");
    assert!(said.starts_with("the host has no gate-remote-ssh"), "{said}");
    // The other host does not know this key.
    let port = |command: &str| command.split(' ').nth(2).unwrap().to_owned();
    let (ours, theirs) = (host.server.command(), none.server.command());
    let (why, said) = failed(with(ours.replace(&port(&ours), &port(&theirs))));
    assert_eq!(why, Why::Denied, "{said}");
    let (why, said) = failed(with(ours.replace(&port(&ours), "9")));
    assert_eq!(why, Why::Unreachable, "{said}");
    assert!(said.contains("refused"), "{said}");
}

#[test]
fn a_time_that_is_off_is_refused_by_the_clock_of_the_host() {
    let served = Served::new();
    let mut remote = served.start(&[]);
    let (mut chain, lines) = create(&mut remote);
    assert!(remote.hello(None).unwrap().can.clock);
    let head = chain.head();
    let outcome = remote.append(head, &chain.batch(1, "of another day")).unwrap();
    assert!(
        matches!(&outcome, Outcome::Refused(said) if said.contains("off the clock of this host")),
        "{outcome:?}"
    );
    assert_eq!(read_all(&mut remote, None), (lines, Some(head)));
    // A copy has the times that it has, and only a keeper makes one.
    let more = Batch { copied: true, ..chain.behind(head).batch(2, "of another day") };
    let (why, said) = failed(served.start(&["--as", "writer"]).append(head, &more));
    assert_eq!(why, Why::Denied, "{said}");
    assert_eq!(remote.append(head, &more).unwrap(), Outcome::Taken);
}

#[test]
fn texts_that_can_be_erased_travel_beside_the_entries_and_are_erased_for_everyone() {
    let served = Served::new();
    let mut remote = served.start(&["--any-time"]);
    let (mut chain, _) = create(&mut remote);
    let opening = Opening { field: Field::Reason, salt: [7; 32], value: "the reason".to_owned() };
    let commitment = opening.commitment().unwrap();
    let after = chain.head();
    let entry = chain.entry(Kind::Grant, json!({"reason_c": commitment.to_string()}));
    let line = serde_json::to_vec(&WrittenOpening::from(&opening)).unwrap();
    let batch = Batch { lines: vec![entry.line().into_bytes()], openings: vec![line.clone()], copied: false };
    assert_eq!(remote.append(after, &batch).unwrap(), Outcome::Taken);
    let read = |from: u64, to: u64| {
        let mut lines = Vec::new();
        let each = &mut |line: &[u8]| {
            lines.push(line.to_vec());
            std::ops::ControlFlow::Continue(())
        };
        served.start(&["--as", "reader"]).openings(from, to, each).unwrap();
        lines
    };
    assert_eq!(read(0, 9), [line]);
    assert!(read(0, 1).is_empty());
    assert_eq!(remote.erase(&[commitment]).unwrap(), 1);
    assert_eq!(remote.erase(&[commitment]).unwrap(), 0);
    assert!(read(0, 9).is_empty());
    let bytes: Vec<u8> = ["ledger.db", "ledger.db-wal"]
        .iter()
        .flat_map(|name| std::fs::read(served.dir.path().join(name)).unwrap_or_default())
        .collect();
    assert!(!bytes.windows(10).any(|window| window == b"the reason"));
}

#[test]
fn a_creation_that_was_interrupted_goes_on_and_another_one_does_not() {
    let served = Served::new();
    let mut chain = Chain::new(0x5d);
    let batch = chain.batch(3, "begin");
    let first = gate_ledger::entry::Entry::from_line(&batch.lines[0]).unwrap();
    let path = served.dir.path().join("ledger.db");
    gate_ledger::store::Ledger::create_copy(&path, &first).unwrap().close().unwrap();
    let other = Chain::new(0x6e).batch(2, "other");
    assert!(matches!(served.start(&[]).create(&other).unwrap(), Outcome::Moved(Some(_))));
    assert_eq!(served.start(&[]).create(&batch).unwrap(), Outcome::Taken);
    assert_eq!(read_all(&mut served.start(&[]), None), (batch.lines, Some(chain.head())));
}

#[test]
fn what_is_no_ledger_is_named_and_entries_are_dropped_only_where_a_statement_says_so() {
    let served = Served::new();
    std::fs::write(served.dir.path().join("ledger.db"), "no database\n".repeat(100)).unwrap();
    assert_eq!(failed(served.start(&[]).hello(None)).0, Why::Distrust);
    let served = Served::new();
    let (chain, lines) = create(&mut served.start(&[]));
    let mut remote = served.start(&[]);
    let (why, said) = failed(remote.forget(1, &[0]));
    assert_eq!(why, Why::Usage);
    assert!(said.contains("append the archive's statement first"), "{said}");
    assert_eq!(read_all(&mut remote, None), (lines, Some(chain.head())));
}
