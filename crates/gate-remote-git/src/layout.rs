//! What the branch's tree looks like.
//!
//! ```text
//! ledger.json                          {"format":1,"ledger":"<id>","schema":"gate.git/1"}
//! entries/000000/000000000.jsonl       the first push: entries 0 and 1
//! entries/000000/000000002.jsonl       the second: entry 2
//! entries/000123/000123000.jsonl       a full thousand, in files of about a mebibyte
//! ```
//!
//! A file is named by the position of its first line, and a folder by the thousand that it belongs to, both with
//! leading zeros: `cat entries/*/*` is an export. A file is never changed. When a thousand is full its files are put
//! together, so that a folder has a few of them, and a reader fetches few objects. Files of other names are not ours
//! and stay as they are.

use gate_ledger::archive::EntryRef;
use gate_ledger::entry::Entry;
use serde_json::{Value, json};

/// The version of this layout.
pub(crate) const FORMAT: u64 = 1;
/// What says that the branch holds a ledger.
pub(crate) const LEDGER_FILE: &str = "ledger.json";
/// The folder of the entries.
pub(crate) const ENTRIES: &str = "entries";
/// How many positions share a folder.
pub(crate) const FOLDER: u64 = 1_000;
/// The first position that has no name any more.
pub(crate) const END: u64 = 1_000_000_000;
/// How much a file holds, in bytes, unless its only line is longer: hosts ask for objects below one mebibyte.
const MAX_FILE: usize = 1_000_000;

/// A file to be written: its path, and its bytes.
pub(crate) type NewFile = (String, Vec<u8>);

/// `ledger.json` of the ledger `id`.
pub(crate) fn ledger_file(id: &str) -> NewFile {
    let value = json!({"format": FORMAT, "ledger": id, "schema": "gate.git/1"});
    (LEDGER_FILE.to_owned(), format!("{value}\n").into_bytes())
}

/// The ledger's id in `ledger.json`, and the version of the layout.
pub(crate) fn read_ledger_file(bytes: &[u8]) -> Option<(String, u64)> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let ours = value["schema"].as_str()?.starts_with("gate.git/");
    ours.then_some(())?;
    Some((value["ledger"].as_str()?.to_owned(), value["format"].as_u64()?))
}

/// The name of the folder of a position.
pub(crate) fn folder_name(seq: u64) -> String {
    format!("{:06}", seq / FOLDER)
}

/// The thousand that a folder is for, if it is one of ours.
pub(crate) fn read_folder(name: &str) -> Option<u64> {
    is_number(name, 6).then(|| name.parse().ok())?
}

/// The first position in a file, if it is one of ours.
pub(crate) fn read_file(name: &str) -> Option<u64> {
    let number = name.strip_suffix(".jsonl")?;
    is_number(number, 9).then(|| number.parse().ok())?
}

fn is_number(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The file whose first line is the entry at `first`.
pub(crate) fn path(first: u64) -> String {
    format!("{ENTRIES}/{}/{first:09}.jsonl", folder_name(first))
}

/// The files for lines in their order, none across two folders.
pub(crate) fn files(lines: &[(u64, Vec<u8>)]) -> Vec<NewFile> {
    let mut files: Vec<NewFile> = Vec::new();
    let mut before = None;
    for (seq, line) in lines {
        let folder = seq / FOLDER;
        let fits = files.last().is_some_and(|(_, bytes)| bytes.len() + line.len() < MAX_FILE);
        if before != Some(folder) || !fits {
            files.push((path(*seq), Vec::new()));
        }
        before = Some(folder);
        if let Some((_, bytes)) = files.last_mut() {
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        }
    }
    files
}

/// The lines of a file.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// The position that a line says it has; whether it is an entry is not looked into.
pub(crate) fn position(line: &[u8]) -> Option<u64> {
    const MARK: &[u8] = b",\"seq\":";
    let tail = &line[line.len().saturating_sub(160)..];
    let at = tail.windows(MARK.len()).rposition(|window| window == MARK)?;
    let digits = tail[at + MARK.len()..].split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The entry on a line, by position and hash.
pub(crate) fn reference(line: &[u8]) -> Option<EntryRef> {
    let entry = Entry::from_line(line).ok()?;
    Some(EntryRef { seq: entry.seq, hash: entry.hash })
}

#[cfg(test)]
mod tests {
    use super::{files, folder_name, ledger_file, lines, position, read_file, read_folder, read_ledger_file};

    #[test]
    fn names_sort_as_positions_do_and_are_read_again() {
        assert_eq!(folder_name(123_456), "000123");
        assert_eq!(read_folder("000123"), Some(123));
        assert_eq!(read_file("000123456.jsonl"), Some(123_456));
        for other in ["", "123", "00012x", "000123.jsonl", "0001234567.jsonl", "+00123456.jsonl", "README.md"]
        {
            assert_eq!((read_folder(other), read_file(other)), (None, None), "{other}");
        }
    }

    #[test]
    fn no_file_holds_lines_of_two_folders_or_much_more_than_a_mebibyte() {
        let line = |seq: u64| (seq, vec![b'x'; 300_000]);
        let made = files(&(997..1_006).map(line).collect::<Vec<_>>());
        let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "entries/000000/000000997.jsonl",
                "entries/000001/000001000.jsonl",
                "entries/000001/000001003.jsonl"
            ]
        );
        assert_eq!(made.iter().map(|(_, bytes)| lines(bytes).count()).sum::<usize>(), 9);
        assert_eq!(files(&[(0, vec![b'x'; 2_000_000])]).len(), 1);
    }

    #[test]
    fn the_file_of_the_ledger_is_read_again_and_others_are_not() {
        let (name, bytes) = ledger_file("00ff");
        assert_eq!((name.as_str(), read_ledger_file(&bytes)), ("ledger.json", Some(("00ff".into(), 1))));
        for other in ["", "{}", "[]", r#"{"schema":"x","ledger":"y","format":1}"#] {
            assert_eq!(read_ledger_file(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn the_position_of_a_line_is_the_last_one_that_it_names() {
        let line = br#"{"actor":{},"data":{"x":",\"seq\":9"},"seq":42,"v":1,"hash":"b3:00"}"#;
        assert_eq!(position(line), Some(42));
        assert_eq!(position(b"{}"), None);
    }
}
