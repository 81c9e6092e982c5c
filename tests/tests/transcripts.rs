//! Runs each script of `tests/transcripts`: shell sessions that read as documentation.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::path::Path;

use gate_tests::Sandbox;

#[test]
fn two_people_an_approval_a_break_glass_and_its_debt() {
    plays("two-people.sh");
}

#[test]
fn every_transcript_is_run_by_a_test() {
    let names = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(names, ["two-people.sh"], "give each transcript a test of its own");
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts")
}

/// Fails with the whole session where a step of it did not end as the script says.
fn plays(name: &str) {
    let script = folder().join(name);
    let session = Sandbox::new().shell(&format!("sh '{}'", script.display()));
    assert_eq!(session.status, 0, "{name}\n{}\n{}", session.stdout, session.stderr);
    assert!(session.stdout.lines().count() >= 10, "{name} plays next to nothing");
}
