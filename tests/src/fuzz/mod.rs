//! What is fuzzed: one function for each parser that reads something which others wrote.
//!
//! Purpose: each function takes arbitrary bytes, gives them to one parser, and asserts what must hold whatever
//! they are: an error says something and is safe to show; what was read writes back as itself; what was verified
//! does not hold once a byte is changed. Two callers share them: the targets of cargo-fuzz in `tests/fuzz`,
//! which make bytes up, and the test `corpus`, which runs every committed seed on the stable compiler in CI.
//!
//! Invariants: no function depends on clock, environment, files or an earlier call, so that a crash found by
//! one caller is a crash for the other.
//!
//! To add a target: a function here, a line in [`TARGETS`], a file in `tests/fuzz/targets` with its `[[bin]]`
//! in `tests/fuzz/Cargo.toml`, and at least two seeds, one that is accepted and one that is not.

mod commits;
mod documents;
mod identity;
mod ledger;
mod notes;
mod policy;
mod remote;
mod reports;
mod words;

pub use commits::commit;
pub use documents::{endorsement, request, statement};
pub use identity::{allowed_signers, oidc_keys, oidc_token, run_facts, ssh_key, ssh_signature};
pub use ledger::{entry, export};
pub use notes::{checkpoint, compact_range, cosignature, note, note_key, quorum, tlog_proof};
pub use policy::{policy, ref_glob};
pub use remote::remote;
pub use reports::{json_lines, junit, match_syntax, sarif};
pub use words::{duration, time};

use gate_model::time::Timestamp;

/// A target: its name, which is also that of its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 28] = [
    ("allowed_signers", allowed_signers),
    ("checkpoint", checkpoint),
    ("commit", commit),
    ("compact_range", compact_range),
    ("cosignature", cosignature),
    ("duration", duration),
    ("endorsement", endorsement),
    ("entry", entry),
    ("export", export),
    ("json_lines", json_lines),
    ("junit", junit),
    ("match_syntax", match_syntax),
    ("note", note),
    ("note_key", note_key),
    ("oidc_keys", oidc_keys),
    ("oidc_token", oidc_token),
    ("policy", policy),
    ("quorum", quorum),
    ("ref_glob", ref_glob),
    ("remote", remote),
    ("request", request),
    ("run_facts", run_facts),
    ("sarif", sarif),
    ("ssh_key", ssh_key),
    ("ssh_signature", ssh_signature),
    ("statement", statement),
    ("time", time),
    ("tlog_proof", tlog_proof),
];

/// Asserts that a message can be shown to a person: it says something, and nothing in it moves a cursor.
#[track_caller]
fn assert_message(message: &impl std::fmt::Display) {
    let message = message.to_string();
    assert!(!message.trim().is_empty(), "an error without words");
    let odd = message.chars().find(|c| *c != '\n' && gate_model::text::is_refused(*c));
    assert!(odd.is_none(), "a control character in: {message:?}");
}

/// An instant that a test names.
fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time of the tests")
}

/// The text, where the bytes are UTF-8: parsers of text are given nothing else.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}
