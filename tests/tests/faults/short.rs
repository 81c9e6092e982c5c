//! A write that takes half of what it was given, once, or because the disk is full behind it.
//!
//! A tracer can fail a call, not shorten it, so that a small library stands before the tool's writes.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::deeds::{APPEND, ARCHIVE, ASK, BLOCKED, CHECKPOINT, COPY, ERASE, INIT, ONCE, PAUSE, REPORT, RUN};
use crate::support::{House, Ran};
use crate::{Deed, LEDGER, Place, acknowledged, chain, holds};

const DEEDS: [&Deed; 12] =
    [&RUN, &BLOCKED, &ONCE, &ASK, &PAUSE, &REPORT, &INIT, &CHECKPOINT, &COPY, &ARCHIVE, &ERASE, &APPEND];
/// One of so many writes is shortened in a run of all tests.
const SAMPLE: usize = 9;

/// The library, where this machine can make one and programs look for it.
fn library(house: &House) -> Option<PathBuf> {
    let made = house.outside("short.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/short.c");
    let ran = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&made).arg(source).arg("-ldl").output();
    let is_made =
        cfg!(all(target_os = "linux", target_env = "gnu")) && ran.is_ok_and(|ran| ran.status.success());
    if !is_made {
        eprintln!("skipped: no library can be put before the tools here");
    }
    is_made.then_some(made)
}

/// Runs the deed with its `nth` write shortened; nothing where it makes fewer.
fn shorten(house: &House, deed: &Deed, library: &Path, nth: usize, is_full: bool) -> Option<Ran> {
    let done = house.outside("shortened");
    drop(std::fs::remove_file(&done));
    let mut tool = house.tool(deed.tool, deed.args);
    tool.env("LD_PRELOAD", library).env("SHORT_DONE", &done).env("SHORT_AT", nth.to_string());
    if is_full {
        tool.env("SHORT_FULL", "yes");
    }
    let ran = Ran::of(tool.output().unwrap());
    done.exists().then_some(ran)
}

/// Shortens each `step`th write of the deed in both ways, and tells how many that were.
fn each(deed: &Deed, step: usize) -> usize {
    let place = Place::new(deed.prepare);
    let house = &place.house;
    let Some(library) = library(house) else { return 0 };
    let before = chain(&house.path(LEDGER));
    let whole = Ran::of(house.tool(deed.tool, deed.args).output().unwrap());
    place.put_back();
    let mut tried = 0;
    for nth in (1..).step_by(step) {
        for is_full in [false, true] {
            let Some(ran) = shorten(house, deed, &library, nth, is_full) else {
                assert!(tried > 0, "{}: no write was shortened", deed.tool);
                return tried;
            };
            eprintln!("{} {:?}: write {nth}, full: {is_full}: {}", deed.tool, deed.args, ran.code);
            assert!(is_full || ran.code == whole.code, "a short write is gone on with: {}", ran.stderr);
            let told = std::fs::read(house.path("decision.json")).unwrap_or_else(|_| ran.stdout.clone());
            holds(house, deed, &before, &ran, acknowledged(&told));
            place.put_back();
            tried += 1;
        }
    }
    tried
}

#[test]
fn a_short_write_is_gone_on_with_or_told() {
    let tried: usize = DEEDS.into_iter().map(|deed| each(deed, SAMPLE)).sum();
    eprintln!("{tried} short writes");
}

#[test]
#[ignore = "every write of every tool takes minutes; scripts/check --long"]
fn every_short_write_is_gone_on_with_or_told() {
    let tried: usize = DEEDS.into_iter().map(|deed| each(deed, 1)).sum();
    eprintln!("{tried} short writes");
    assert!(tried == 0 || tried >= 150, "only {tried}");
}
