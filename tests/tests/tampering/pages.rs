//! Damage at random, ten thousand seeds of it: never a panic, never a hang, never "ok" when an entry differs.
//!
//! In process, for speed. Each seed makes one damage, so that a failure can be had again by its number. The usual
//! run takes the first of them; `scripts/check --long` takes all, in parts that run side by side.

use std::io::BufReader;
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::time::Duration;

use gate_ledger::entry::{Draft, Kind, write_line};
use gate_ledger::salvage::{SalvageError, salvage};
use gate_ledger::store::{Ledger, Transaction};
use gate_ledger::verify::{self, EachEntry, Options, Outcome, Seen, VerifyError};
use gate_model::time::Timestamp;
use serde_json::json;

/// How many seeds the usual run takes, which is a few seconds; all of them are ten thousand.
const USUAL: u64 = 1_500;

/// A generator of numbers (`SplitMix64`, by Sebastiano Vigna): the same for a seed on every machine.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// Damages `bytes`, which are divided in pages of `page` bytes: bytes, bits, stretches, whole pages, the end.
fn damage(bytes: &mut Vec<u8>, page: usize, numbers: &mut Numbers) {
    for _ in 0..=numbers.below(3) {
        let pages = bytes.len().div_ceil(page);
        let at = numbers.below(bytes.len());
        let in_page = |number: usize, length: usize| number * page..((number + 1) * page).min(length);
        match numbers.below(8) {
            0 => bytes[at] = numbers.byte(),
            1 => bytes[at] ^= 1 << numbers.below(8),
            2 => {
                let end = (at + numbers.below(64)).min(bytes.len());
                bytes[at..end].fill_with(|| numbers.byte());
            }
            3 => {
                let whole = in_page(numbers.below(pages), bytes.len());
                bytes[whole].fill(0);
            }
            4 => {
                let (from, to) = (numbers.below(pages), numbers.below(pages));
                let copy = bytes[in_page(from, bytes.len())].to_vec();
                let to = in_page(to, bytes.len());
                let length = copy.len().min(to.len());
                bytes[to.start..to.start + length].copy_from_slice(&copy[..length]);
            }
            // The heads of pages decide most.
            5 => {
                let place = numbers.below(pages) * page + numbers.below(112);
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = numbers.byte();
                }
            }
            6 => bytes.truncate(at.max(1)),
            _ => {
                let copy = bytes[at..(at + numbers.below(2000)).min(bytes.len())].to_vec();
                let to = numbers.below(bytes.len() - copy.len() + 1);
                bytes[to..to + copy.len()].copy_from_slice(&copy);
            }
        }
    }
}

/// A ledger with something in every index, on a dozen pages, and its bodies.
struct House {
    folder: tempfile::TempDir,
    bytes: Vec<u8>,
    honest: Vec<Vec<u8>>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let now = Timestamp::parse("2026-11-22T16:30:35Z").unwrap();
        let mut ledger = Ledger::create(&path, &json!({"id": "os:alice"}), json!({}), now).unwrap();
        let batch = |transaction: &mut Transaction<'_>| {
            (0..60).try_for_each(|n| transaction.append(&draft(n)).map(drop))
        };
        ledger.append(Duration::from_secs(20), &|| now, batch).unwrap();
        ledger.close().unwrap();
        let mut house = Self { bytes: std::fs::read(&path).unwrap(), folder, honest: Vec::new() };
        let (outcome, honest) = house.verify();
        assert!(outcome.unwrap().is_good());
        house.honest = honest;
        house
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    fn verify(&self) -> (Result<Outcome, VerifyError>, Vec<Vec<u8>>) {
        watching(|observer| verify::sqlite(&self.path(), &Options::default(), observer))
    }

    /// One seed: what verification calls good is what was there, and what is salvaged is part of it, in order.
    fn try_seed(&self, seed: u64) {
        let mut bytes = self.bytes.clone();
        damage(&mut bytes, 8192, &mut Numbers(seed));
        std::fs::write(self.path(), &bytes).unwrap();
        for suffix in ["ledger.db-wal", "ledger.db-shm", "ledger.db-journal"] {
            drop(std::fs::remove_file(self.folder.path().join(suffix)));
        }
        let mut saved = Vec::new();
        let collect = &mut |body: &[u8], _| {
            saved.push(body.to_vec());
            ControlFlow::Continue(())
        };
        let salvaged = salvage(&self.path(), None, collect);
        assert!(std::fs::read(self.path()).unwrap() == bytes, "seed {seed}: salvage wrote");
        let mut honest = self.honest.iter();
        assert!(saved.iter().all(|body| honest.any(|known| known == body)), "seed {seed}: salvage lied");
        match salvaged {
            Ok(salvage) => assert_eq!(salvage.entries, saved.len() as u64, "seed {seed}"),
            Err(SalvageError::Nothing { .. }) => assert!(saved.is_empty(), "seed {seed}"),
            Err(error) => panic!("seed {seed}: {error}"),
        }
        let (outcome, good) = self.verify();
        judge(seed, &outcome, &good, &self.honest);
        assert!(saved.len() >= good.len(), "seed {seed}: verification read more than salvage");
    }
}

/// The entry number `n`: each kind that an index looks for, notes between, some longer than a page.
fn draft(n: u64) -> Draft {
    let pad = "x".repeat(if n % 20 == 19 { 20_000 } else { 200 });
    let (kind, reference, data) = match n % 6 {
        0 => (
            Kind::Grant,
            None,
            json!({"expires": "2026-11-23T16:30:35.000000Z", "owes": {"by": 1}, "pad": pad}),
        ),
        1 => (Kind::Request, None, json!({"request": {"nonce": format!("nonce {n}")}, "pad": pad})),
        2 => (Kind::Decision, None, json!({"decision": "skip", "spends": [1], "pad": pad})),
        3 => (Kind::Approval, Some(1), json!({"pad": pad})),
        4 => (Kind::Policy, None, json!({"digest": format!("b3:{n}"), "pad": pad})),
        _ => (Kind::Note, None, json!({"n": n, "pad": pad})),
    };
    Draft { kind, gate: Some("lint".to_owned()), reference, actor: json!({"id": "os:alice"}), data }
}

/// Runs a verification and keeps the bodies that it called good.
fn watching<T>(verify: impl FnOnce(&mut dyn verify::Observer) -> T) -> (T, Vec<Vec<u8>>) {
    let mut seen = Vec::new();
    let result = verify(&mut EachEntry(|entry: Seen<'_>| seen.push(entry.body.to_vec())));
    (result, seen)
}

#[track_caller]
fn judge(seed: u64, outcome: &Result<Outcome, VerifyError>, good: &[Vec<u8>], honest: &[Vec<u8>]) {
    assert!(honest.starts_with(good), "seed {seed}: an entry that differs was called good");
    if outcome.as_ref().is_ok_and(Outcome::is_good) {
        assert!(good == honest, "seed {seed}: ok, with {} of {} entries", good.len(), honest.len());
    }
}

fn sqlite(seeds: Range<u64>) {
    let house = House::new();
    seeds.for_each(|seed| house.try_seed(seed));
}

fn json_lines(seeds: Range<u64>) {
    let house = House::new();
    let mut export = Vec::new();
    for body in &house.honest {
        write_line(&mut export, body, gate_ledger::entry::hash(body));
        export.push(b'\n');
    }
    for seed in seeds {
        let mut bytes = export.clone();
        damage(&mut bytes, 500, &mut Numbers(seed));
        // A stream that ends between two lines is whole up to there: a chain alone cannot see its end cut off.
        let read = |observer: &mut dyn verify::Observer| {
            verify::json_lines(&mut BufReader::new(&bytes[..]), &Options::default(), observer)
        };
        let (outcome, good) = watching(read);
        assert!(house.honest.starts_with(&good), "seed {seed}: an entry that differs was called good");
        if outcome.is_ok_and(|outcome| outcome.is_good()) && good != house.honest {
            let told: usize = good.iter().map(|body| body.len() + gate_ledger::entry::LINE_EXTRA + 1).sum();
            assert!(told.abs_diff(bytes.len()) <= 1, "seed {seed}: ok, although there is more in the stream");
        }
    }
}

#[test]
fn pages_of_the_file_damaged_at_random() {
    sqlite(0..USUAL);
}

#[test]
fn bytes_of_an_export_damaged_at_random() {
    json_lines(0..USUAL);
}

/// The file cut at any length.
#[test]
fn the_file_cut_at_random() {
    let house = House::new();
    let mut numbers = Numbers(1);
    for seed in 0..100 {
        std::fs::write(house.path(), &house.bytes[..numbers.below(house.bytes.len())]).unwrap();
        let (outcome, good) = house.verify();
        judge(seed, &outcome, &good, &house.honest);
    }
}

/// The parts of the long run.
macro_rules! parts {
    ($($name:ident: $run:ident, $from:literal, $to:literal;)+) => {
        $(#[test] #[ignore = "takes minutes; scripts/check --long runs it"] fn $name() { $run($from..$to); })+
    };
}

parts! {
    pages_seeds_to_2500: sqlite, 0, 2_500;
    pages_seeds_to_5000: sqlite, 2_500, 5_000;
    pages_seeds_to_7500: sqlite, 5_000, 7_500;
    pages_seeds_to_10000: sqlite, 7_500, 10_000;
    bytes_seeds_to_10000: json_lines, 0, 10_000;
}
