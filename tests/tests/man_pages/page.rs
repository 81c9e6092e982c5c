//! Reading a manual page: just the mdoc that ours use, so that a test sees what a reader sees.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The folder of the pages.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../man")
}

/// A page's source.
pub(crate) struct Page {
    /// `gate-check.1`.
    pub(crate) name: String,
    text: String,
}

impl Page {
    /// The page called `name`.
    pub(crate) fn named(name: &str) -> Self {
        let path = folder().join(name);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { name: name.to_owned(), text }
    }

    /// Every page, by name.
    pub(crate) fn all() -> Vec<Self> {
        let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names.iter().map(|name| Self::named(name)).collect()
    }

    /// The literal blocks of the section `title`, or of the whole page, as the reader sees them.
    pub(crate) fn blocks(&self, title: Option<&str>) -> Vec<String> {
        let (mut blocks, mut inside, mut here) = (Vec::new(), false, title.is_none());
        for line in self.text.lines() {
            if let (Some(found), Some(title)) = (line.strip_prefix(".Sh "), title) {
                here = found == title;
            } else if line.starts_with(".Bd -literal") {
                inside = true;
                if here {
                    blocks.push(String::new());
                }
            } else if line == ".Ed" {
                inside = false;
            } else if let (true, true, Some(block)) = (inside, here, blocks.last_mut()) {
                block.push_str(&rendered(line));
                block.push('\n');
            }
        }
        blocks
    }

    /// The long and short options that the page defines, each with its dashes.
    pub(crate) fn defined_options(&self) -> BTreeSet<String> {
        self.text.lines().filter(|line| line.starts_with(".It Fl")).flat_map(options).collect()
    }

    /// The options that the page names anywhere.
    pub(crate) fn named_options(&self) -> BTreeSet<String> {
        self.text.lines().filter(|line| line.starts_with('.')).flat_map(options).collect()
    }

    /// The verbs that the page defines: items of a list that begin with a command word.
    pub(crate) fn defined_verbs(&self) -> BTreeSet<String> {
        let mut section = "";
        let mut verbs = BTreeSet::new();
        for line in self.text.lines() {
            if let Some(title) = line.strip_prefix(".Sh ").or_else(|| line.strip_prefix(".Ss ")) {
                section = title;
            }
            if let (true, Some(rest)) = (section == "Verbs", line.strip_prefix(".It Cm ")) {
                verbs.extend(rest.split(' ').next().map(str::to_owned));
            }
        }
        verbs
    }
}

/// The options on a line of macros: the words behind `Fl`, up to the next macro.
fn options(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut behind = false;
    for word in line.trim_start_matches('.').split(' ') {
        let is_macro = word.len() == 2 && word.starts_with(|c: char| c.is_ascii_uppercase()) && word != "Fl";
        match word {
            "Fl" => behind = true,
            _ if is_macro => behind = false,
            _ if behind && word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.len() == 1 => {
                found.push(format!("-{word}"));
            }
            _ if behind && word.len() > 1 && word.starts_with('-') => found.push(format!("-{word}")),
            _ => {}
        }
    }
    found
}

/// A line of a literal block without the escapes of roff.
fn rendered(line: &str) -> String {
    let escapes =
        [("\\&", ""), ("\\(aq", "'"), ("\\(ga", "`"), ("\\(ha", "^"), ("\\(ti", "~"), ("\\(em", "—")];
    let mut text = line.to_owned();
    for (escape, meant) in escapes {
        text = text.replace(escape, meant);
    }
    assert!(!text.replace("\\e", "").contains('\\'), "write a backslash as \\e in: {line}");
    text.replace("\\e", "\\")
}
