//! Power that is lost at any call: what was not synced is gone, or is there in parts.
//!
//! A tool is traced once with all that it writes. The `disk` then repeats the calls up to any
//! of them and gives what it may hold when it loses its power there, which is put in place of the house's files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::deeds::{APPEND, ARCHIVE, ASK, BLOCKED, CHECKPOINT, COPY, ERASE, INIT, ONCE, PAUSE, RUN};
use crate::disk::{Call, Chance, Disk, files_below};
use crate::support::Ran;
use crate::{Deed, LEDGER, Place, acknowledged, can_trace, chain, holds};

/// What changes a file or syncs one; a call that the disk cannot repeat fails the test.
const TRACED: &str = "trace=?open,?openat,?write,?pwrite64,?writev,?pwritev,?fsync,?fdatasync,?ftruncate,\
    ?fallocate,?copy_file_range,?sendfile,?rename,?renameat,?renameat2,?link,?linkat,?unlink,?unlinkat";
/// How often a loss is thrown at each call, besides the one that keeps nothing.
const THROWS: usize = 4;

/// Puts in place of the house's files what is left of them.
fn put(root: &Path, left: &BTreeMap<PathBuf, Vec<u8>>) {
    for path in files_below(root).iter().filter(|path| !left.contains_key(*path)) {
        std::fs::remove_file(path).unwrap();
    }
    for (path, bytes) in left {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// What the tool did, call by call, and how it ended.
fn trace(place: &Place, deed: &Deed) -> (Vec<Call>, Ran) {
    let options = ["-y", "-xx", "-s", "4194304", "-e", TRACED].map(str::to_owned);
    let ran = place.trace(deed, &options);
    let trace = std::fs::read_to_string(place.house.outside("trace")).unwrap();
    (trace.lines().filter_map(Call::read).collect(), ran)
}

/// Takes the power at each `step`th point of the deed, and tells how many states of the disk that were.
fn lose_power(deed: &Deed, step: usize) -> usize {
    if !can_trace() {
        return 0;
    }
    let place = Place::new(deed.prepare);
    let house = &place.house;
    let before = chain(&house.path(LEDGER));
    place.put_back();
    let (calls, whole) = trace(&place, deed);
    place.put_back();
    let mut disk = Disk::of(&house.root);
    let mut tried = BTreeSet::new();
    for nth in 0..=calls.len() {
        let is_over = nth == calls.len();
        let code = if is_over { whole.code } else { -9 };
        for throw in (0..=THROWS).filter(|throw| is_over || (nth + throw).is_multiple_of(step)) {
            let left = disk.lose((throw > 0).then(|| Chance::of(nth, throw)));
            let told = disk.read(&house.path("decision.json")).unwrap_or_else(|| disk.stdout.clone());
            let seq = acknowledged(&told);
            if tried.insert((left.clone(), seq, is_over)) {
                eprintln!(
                    "{} {:?}: power lost after call {nth} of {}, throw {throw}",
                    deed.tool,
                    deed.args,
                    calls.len()
                );
                put(&house.root, &left);
                // The decision's file is for whoever waits for it, and is not promised to outlive the power.
                drop(std::fs::remove_file(house.path("decision.json")));
                let ran = Ran { code, stdout: disk.stdout.clone(), stderr: String::new() };
                holds(house, deed, &before, &ran, seq);
                place.put_back();
            }
        }
        if let Some(call) = calls.get(nth) {
            disk.repeat(call);
        }
    }
    assert!(disk.read(&house.path(LEDGER)).is_some(), "the disk has seen no ledger");
    tried.len()
}

const DEEDS: [&Deed; 11] =
    [&RUN, &BLOCKED, &ONCE, &ASK, &PAUSE, &INIT, &CHECKPOINT, &COPY, &ARCHIVE, &ERASE, &APPEND];
/// One of so many losses is tried in a run of all tests.
const SAMPLE: usize = 40;

#[test]
fn what_was_acknowledged_outlives_the_power() {
    let tried: usize = DEEDS.into_iter().map(|deed| lose_power(deed, SAMPLE)).sum();
    assert!(tried >= DEEDS.len() || !can_trace(), "only {tried}");
}

#[test]
#[ignore = "every loss at every call takes minutes; scripts/check --long"]
fn what_was_acknowledged_outlives_the_power_at_every_call() {
    let tried: usize = DEEDS.into_iter().map(|deed| lose_power(deed, 1)).sum();
    eprintln!("{tried} losses of power");
    assert!(tried >= 500 || !can_trace(), "only {tried}");
}
