//! What is left after an erasure: in the files, where nothing may be, and in entries, where nothing can be erased.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use gate_ledger::entry::Entry;
use gate_ledger::store::View;
use serde_json::Value;

use super::{EraseFailure, firsts};

/// What stands beside a ledger's file and may hold pages of it.
const FILES: [&str; 5] = ["", "-wal", "-journal", "-shm", "-checkpoint"];
/// How much of a file is looked through at once.
const CHUNK: usize = 1 << 20;
const SALT: usize = 32;
/// How many entries a sentence names.
const MAX_NAMED: usize = 20;

/// Entries, and what stands in each.
pub(super) type Remaining = BTreeMap<u64, &'static str>;

/// Makes sure that none of `salts`, which are random, stands in a file of the ledger: what is gone is gone from the
/// pages too, whatever the tables say.
///
/// # Errors
/// [`EraseFailure::StillThere`], or that a file cannot be read.
pub(super) fn in_files(ledger: &Path, salts: &[[u8; SALT]]) -> Result<(), EraseFailure> {
    let salts: BTreeSet<&[u8]> = salts.iter().map(|salt| &salt[..]).collect();
    let real = ledger.canonicalize().unwrap_or_else(|_| ledger.to_owned());
    for suffix in FILES {
        let mut name = real.clone().into_os_string();
        name.push(suffix);
        let path = PathBuf::from(name);
        let shown = path.display().to_string();
        match holds(&path, &salts) {
            Ok(false) => {}
            Ok(true) => return Err(EraseFailure::StillThere(shown)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(EraseFailure::Look { path: shown, source }),
        }
    }
    Ok(())
}

fn holds(path: &Path, salts: &BTreeSet<&[u8]>) -> std::io::Result<bool> {
    if salts.is_empty() || !path.symlink_metadata()?.is_file() {
        return Ok(false);
    }
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    loop {
        // The end of the last piece stays, so that nothing hides on the edge between two.
        bytes.drain(..bytes.len().saturating_sub(SALT - 1));
        if file.by_ref().take(CHUNK as u64).read_to_end(&mut bytes)? == 0 {
            return Ok(false);
        }
        if bytes.windows(SALT).any(|window| salts.contains(window)) {
            return Ok(true);
        }
    }
}

/// The entries whose own text holds one of `names`, or a reason in the lives of the opt-outs `ids`.
///
/// # Errors
/// An [`EraseFailure`].
pub(super) fn in_entries(
    view: &View<'_>,
    names: &BTreeSet<String>,
    ids: &[String],
) -> Result<Remaining, EraseFailure> {
    let mut remaining = Remaining::new();
    let written: Vec<String> = names.iter().map(|name| as_written(name)).collect();
    if !written.is_empty() {
        let mut seq = None;
        view.scan_lines(0, None, &mut |body, _| {
            let text = String::from_utf8_lossy(body);
            if written.iter().any(|name| names_it(&text, name)) {
                seq = Entry::from_body(body).ok().map(|entry| entry.seq);
                remaining.extend(seq.map(|seq| (seq, "the name")));
            }
            ControlFlow::Continue(())
        })?;
    }
    for first in if ids.is_empty() { BTreeSet::new() } else { firsts(view, ids)? } {
        let life = view.entry(first)?.into_iter().chain(view.life(first)?);
        let plain = life.filter(|entry| holds_reason(entry.body.as_bytes()));
        remaining.extend(plain.map(|entry| (entry.seq, "a reason")));
    }
    Ok(remaining)
}

/// A text as it stands within a string of JSON.
fn as_written(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Whether `text` holds `name`, and not as a part of a longer one.
fn names_it(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '@');
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Whether the stored bytes of an entry hold a reason that is no commitment.
fn holds_reason(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    body["data"]["reason"].is_string() || body["data"]["request"]["reason"].is_string()
}

/// What is left, as a sentence; none where nothing is.
pub(super) fn sentence(remaining: &Remaining) -> Option<String> {
    let mut kinds: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (seq, what) in remaining {
        kinds.entry(what).or_default().push(*seq);
    }
    let part = |(what, seqs): (&str, Vec<u64>)| {
        let named: Vec<String> = seqs.iter().take(MAX_NAMED).map(ToString::to_string).collect();
        let more = seqs.len().saturating_sub(MAX_NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("{what} stands in plain text in the entries {}{more}", named.join(", "))
    };
    let parts: Vec<String> = kinds.into_iter().map(part).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{CHUNK, holds, names_it, sentence};

    #[test]
    fn a_salt_is_found_on_the_edge_of_two_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let salt = [7_u8; 32];
        for at in [0, CHUNK - 31, CHUNK - 1, CHUNK + 5] {
            let mut bytes = vec![0; at];
            bytes.extend_from_slice(&salt);
            std::fs::write(&path, &bytes).unwrap();
            assert!(holds(&path, &BTreeSet::from([&salt[..]])).unwrap(), "{at}");
            std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
            assert!(!holds(&path, &BTreeSet::from([&salt[..]])).unwrap(), "{at}");
        }
    }

    #[test]
    fn a_longer_name_is_another_one() {
        assert!(names_it(r#"{"id":"os:al"}"#, "os:al") && names_it("by os:al.", "os:al"));
        assert!(!names_it(r#"{"id":"os:alice"}"#, "os:al") && !names_it("bob@al.example", "al.example"));
        assert_eq!(
            sentence(&[(3, "the name")].into()).unwrap(),
            "the name stands in plain text in the entries 3"
        );
        assert_eq!(sentence(&[].into()), None);
    }
}
