//! Every committed seed of the fuzz targets, run without cargo-fuzz: CI keeps the corpus honest, and a crash
//! that was found once and committed as a seed stays found.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gate_tests::fuzz::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_seed_of_every_target_holds() {
    for (name, target) in TARGETS {
        let folder = fuzz().join("corpus").join(name);
        let seeds = names(&folder);
        assert!(seeds.len() >= 2, "{name} has too few seeds");
        for seed in seeds {
            let data = std::fs::read(folder.join(&seed)).unwrap();
            let ran = std::panic::catch_unwind(|| target(&data));
            assert!(ran.is_ok(), "the seed corpus/{name}/{seed} does not hold; see the panic above");
        }
    }
}

#[test]
fn every_seed_holds_when_it_is_cut_or_a_byte_of_it_is_changed() {
    for (name, target) in TARGETS {
        let folder = fuzz().join("corpus").join(name);
        for seed in names(&folder) {
            let data = std::fs::read(folder.join(&seed)).unwrap();
            for step in 0..12 {
                let at = step * data.len() / 12;
                let mut changed = data.clone();
                changed.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (step % 7));
                for (how, data) in [("cut", &data[..at]), ("changed", changed.as_slice())] {
                    let ran = std::panic::catch_unwind(|| target(data));
                    assert!(ran.is_ok(), "corpus/{name}/{seed}, {how} at byte {at}; see the panic above");
                }
            }
        }
    }
}

#[test]
fn every_target_has_a_corpus_a_program_and_a_line_in_the_manifest() {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&fuzz().join("corpus")), known);
    let programs: BTreeSet<String> = known.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&fuzz().join("targets")), programs);
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in known {
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name} is not in Cargo.toml");
    }
}
