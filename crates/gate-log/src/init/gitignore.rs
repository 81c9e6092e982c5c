//! Keeping the ledger out of commits: a tracked ledger is refused by every tool.
//!
//! The patterns stand in a `.gitignore` beside the ledger and name it and what SQLite puts next to it, so
//! that other files of the directory (`allowed_signers`) can still be committed.

use std::io::{ErrorKind, Read};
use std::path::Path;

use gate_checkout::git;
use gate_ledger::outfile::{Manner, Place};

use super::InitError;

/// The folder of ledgers that nobody placed elsewhere.
const OWN_FOLDER: &str = ".gate";
/// The largest `.gitignore` that is looked into.
const MAX_BYTES: u64 = 1 << 20;

/// Writes the patterns where `ledger` lies in a git work tree, or in a folder of its own. Returns what a person should know instead,
/// where that cannot be done.
pub(super) fn protect(ledger: &Path) -> Result<Option<String>, InitError> {
    let (Some(directory), Some(name)) = (ledger.parent(), ledger.file_name()) else { return Ok(None) };
    // A folder of the ledger's own is kept out of commits also where the repository is made later.
    if git::root(directory).is_none() && directory.file_name().is_none_or(|name| name != OWN_FOLDER) {
        return Ok(None);
    }
    let file = directory.join(".gitignore");
    let by_hand = |why: &str| {
        let (file, ledger) = (file.display(), ledger.display());
        Ok(Some(format!("'{file}' {why}; keep '{ledger}' out of commits yourself")))
    };
    let Some(name) = name.to_str().filter(|name| !name.contains(['\n', '\r'])) else {
        return by_hand("cannot hold the ledger's name");
    };
    let before = match read(&file) {
        Ok(Some(text)) => text,
        Ok(None) => return by_hand("is not a regular text file"),
        Err(source) => return Err(InitError::Write { path: file.display().to_string(), source }),
    };
    let patterns = patterns(name);
    if patterns.iter().all(|pattern| before.lines().any(|line| line == pattern)) {
        return Ok(None);
    }
    append(&file, &before, &patterns)
        .map_err(|source| InitError::Write { path: file.display().to_string(), source })?;
    Ok(None)
}

/// The ledger, what is put beside it, and its passing names.
fn patterns(name: &str) -> [String; 2] {
    let literal: String = name.chars().flat_map(escaped).collect();
    [format!("/{literal}*"), format!("/.{literal}.*")]
}

/// A character that stands for itself in gitignore(5).
fn escaped(c: char) -> impl Iterator<Item = char> {
    let special = matches!(c, '*' | '?' | '[' | ']' | '\\' | ' ' | '!' | '#');
    special.then_some('\\').into_iter().chain([c])
}

/// The text of the file; empty where there is none, nothing where it is something else.
fn read(file: &Path) -> std::io::Result<Option<String>> {
    match file.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Some(String::new())),
        Err(error) => return Err(error),
        // Git does not follow a link here, so patterns behind one would protect nothing.
        Ok(metadata) if !metadata.is_file() || metadata.len() > MAX_BYTES => return Ok(None),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    gate_ledger::infile::open_own(file)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).ok())
}

fn append(file: &Path, before: &str, patterns: &[String]) -> std::io::Result<()> {
    let mut text = before.to_owned();
    if !before.is_empty() && !before.ends_with('\n') {
        text.push('\n');
    }
    text.push_str("# The gate ledger: whoever can push could replace one that git tracks.\n");
    for pattern in patterns {
        text.push_str(&format!("{pattern}\n"));
    }
    Place::of(file)?.write(Manner::RESULT, |out| out.write_all(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::patterns;

    #[test]
    fn a_name_with_wildcards_ignores_itself_only() {
        assert_eq!(patterns("ledger.db"), ["/ledger.db*", "/.ledger.db.*"]);
        assert_eq!(patterns("a*[b] #"), ["/a\\*\\[b\\]\\ \\#*", "/.a\\*\\[b\\]\\ \\#.*"]);
    }
}
