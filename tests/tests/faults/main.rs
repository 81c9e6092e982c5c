//! A fault at each system call that writes: an error of the device, a full disk, the end of the process.
//!
//! And, in `power`, the loss of power, after which only what was synced is sure to be there; in `short`, a write that
//! takes half.
//!
//! Each tool runs under a tracer, once for each call that it makes and each fault. Afterwards whatever was acknowledged is
//! there, the chain verifies, the next run works, and nothing has passed.

#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and one that is skipped says so"
)]

mod deeds;
mod disk;
mod power;
mod short;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use deeds::{APPEND, ARCHIVE, ASK, BLOCKED, CHECKPOINT, COPY, ERASE, INIT, ONCE, PAUSE, REPORT, RUN};
use serde_json::Value;
use support::{House, POLICY, Ran, entries_of};

/// The calls that change a file; what this processor does not have is left out.
const CALLS: [&str; 16] = [
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "ftruncate",
    "fallocate",
    "copy_file_range",
    "rename",
    "renameat",
    "renameat2",
    "linkat",
    "unlink",
    "unlinkat",
];
/// What happens at a call in place of what was asked for, or with it.
const FAULTS: [&str; 3] = ["error=EIO", "error=ENOSPC", "signal=KILL"];
/// One of so many faults is tried in a run of all tests; the long ones try all.
const SAMPLE: usize = 6;
const LEDGER: &str = ".gate/ledger.db";

/// Something that a tool does to a house.
struct Deed {
    tool: &'static str,
    args: &'static [&'static str],
    prepare: fn(&House),
    /// What must be so afterwards, besides what must be so after everything.
    then: fn(&House, &Ran),
}

/// A house that is put back to how it was.
struct Place {
    house: House,
    kept: std::path::PathBuf,
}

impl Place {
    fn new(prepare: fn(&House)) -> Self {
        let house = House::new(POLICY);
        house.write("scan.sarif", support::sarif(&[support::result("A", "error", "src/a.rs", 3)]));
        prepare(&house);
        let kept = house.outside("kept");
        let place = Self { house, kept };
        Self::copy(&place.house.root, &place.kept);
        place
    }

    fn copy(from: &Path, to: &Path) {
        let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(copied.success());
    }

    fn put_back(&self) {
        std::fs::remove_dir_all(&self.house.root).unwrap();
        Self::copy(&self.kept, &self.house.root);
    }

    /// Runs the tool under the tracer with these options.
    fn trace(&self, deed: &Deed, options: &[String]) -> Ran {
        let tool = self.house.tool(deed.tool, deed.args);
        let mut traced = self.house.plain("strace");
        traced.args(["-qq", "-o"]).arg(self.house.outside("trace")).args(options).arg("--");
        traced.arg(tool.get_program()).args(tool.get_args());
        Ran::of(traced.output().unwrap())
    }

    /// How often the tool makes each call.
    fn calls(&self, deed: &Deed) -> BTreeMap<&'static str, usize> {
        let wanted: Vec<String> = CALLS.iter().map(|call| format!("?{call}")).collect();
        self.trace(deed, &["-e".to_owned(), format!("trace={}", wanted.join(","))]);
        let trace = std::fs::read_to_string(self.house.outside("trace")).unwrap();
        self.put_back();
        let count = |call: &str| trace.lines().filter(|line| line.starts_with(&format!("{call}("))).count();
        CALLS.into_iter().map(|call| (call, count(call))).filter(|(_, count)| *count > 0).collect()
    }
}

/// The positions and the hashes of all entries.
fn chain(path: &Path) -> Vec<(Value, Value)> {
    let entries = if path.exists() { entries_of(path) } else { Vec::new() };
    entries.into_iter().map(|entry| (entry["seq"].clone(), entry["hash"].clone())).collect()
}

/// Whether this machine lets a tracer change what a system call does.
fn can_trace() -> bool {
    let mut tried = Command::new("strace");
    tried.args([
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=write",
        "-e",
        "inject=write:error=EIO:when=1",
        "echo",
        "told",
    ]);
    let is_changed = tried.output().is_ok_and(|ran| ran.stdout.is_empty());
    if !is_changed {
        eprintln!("skipped: strace may not trace here");
    }
    is_changed
}

/// Tries the deed with each `step`th fault; tells how many that were.
fn each(deed: &Deed, step: usize) -> usize {
    if !can_trace() {
        return 0;
    }
    let place = Place::new(deed.prepare);
    let house = &place.house;
    let before = chain(&house.path(LEDGER));
    let calls = place.calls(deed);
    assert!(calls.values().sum::<usize>() > 4, "{calls:?}: the tool is not seen to write");
    let faults = calls.iter().flat_map(|(call, count)| {
        (1..=*count).flat_map(move |nth| FAULTS.iter().map(move |fault| (*call, nth, *fault)))
    });
    let faults: Vec<_> = faults.step_by(step).collect();
    for (call, nth, fault) in &faults {
        let inject = format!("inject={call}:{fault}:when={nth}");
        eprintln!("{} {:?}: {inject}", deed.tool, deed.args);
        let ran = place.trace(deed, &["-e".to_owned(), format!("trace={call}"), "-e".to_owned(), inject]);
        let told = std::fs::read(house.path("decision.json")).unwrap_or_else(|_| ran.stdout.clone());
        holds(house, deed, &before, &ran, acknowledged(&told));
        place.put_back();
    }
    faults.len()
}

/// What must be so after every deed, however it ended: what was there is there, and what was acknowledged; the next
/// run works and the chain verifies.
fn holds(house: &House, deed: &Deed, before: &[(Value, Value)], ran: &Ran, acknowledged: Option<u64>) {
    assert_ne!(ran.code, 2, "a tool that was used wrongly has done nothing: {}", ran.stderr);
    let after = chain(&house.path(LEDGER));
    // An archive takes away what it has kept elsewhere.
    let is_kept = deed.args[0] == "archive" || after.starts_with(before);
    assert!(is_kept, "what was there is there: {}", ran.stderr);
    if let Some(seq) = acknowledged {
        assert!(after.iter().any(|(there, _)| *there == seq), "entry {seq} was acknowledged: {}", ran.out());
    }
    (deed.then)(house, ran);
    let next = house.check(&["lint", "--decision", "next.json", "--", "true"]).exits(0);
    let decision: Value = serde_json::from_str(&house.read("next.json")).unwrap();
    assert!(decision["recorded"].is_u64(), "the next run is recorded: {decision} {}", next.stderr);
    Ran::of(house.tool("gate-verify", &["--quiet", "--replay", LEDGER]).output().unwrap()).exits(0);
}

/// The entry that a whole answer names, on stdout or in a decision.
fn acknowledged(told: &[u8]) -> Option<u64> {
    let answer: Value = serde_json::from_slice(told).ok()?;
    answer["recorded"].as_u64().or_else(|| answer["seq"].as_u64())
}

#[test]
fn a_run_that_meets_a_fault_loses_nothing() {
    each(&RUN, SAMPLE);
    each(&APPEND, SAMPLE);
}

#[test]
fn a_gate_that_failed_is_not_passed_by_a_fault() {
    each(&BLOCKED, SAMPLE);
}

#[test]
fn a_single_use_is_given_once_whatever_fails() {
    each(&ONCE, SAMPLE);
}

#[test]
fn a_request_that_meets_a_fault_is_there_or_was_not_granted() {
    each(&ASK, SAMPLE);
}

#[test]
fn a_pause_holds_whatever_fails() {
    each(&PAUSE, SAMPLE);
}

#[test]
fn reports_are_whole_or_not_there() {
    each(&REPORT, SAMPLE);
}

#[test]
fn a_ledger_that_was_begun_half_is_begun_again() {
    each(&INIT, SAMPLE);
}

#[test]
fn a_checkpoint_that_meets_a_fault_is_signed_the_next_time() {
    each(&CHECKPOINT, SAMPLE);
}

#[test]
fn a_copy_is_whole_or_says_that_it_is_none() {
    each(&COPY, SAMPLE);
}

#[test]
fn an_archive_that_was_cut_short_is_gone_on_with() {
    each(&ARCHIVE, SAMPLE);
}

#[test]
fn what_is_said_to_be_erased_is_gone() {
    each(&ERASE, SAMPLE);
}

#[test]
#[ignore = "every fault at every call takes minutes; scripts/check --long"]
fn every_fault_at_every_call() {
    let deeds =
        [&RUN, &BLOCKED, &ONCE, &ASK, &PAUSE, &REPORT, &INIT, &CHECKPOINT, &COPY, &ARCHIVE, &ERASE, &APPEND];
    let tried: usize = deeds.into_iter().map(|deed| each(deed, 1)).sum();
    assert!(tried >= 500 || !can_trace(), "only {tried}");
}
