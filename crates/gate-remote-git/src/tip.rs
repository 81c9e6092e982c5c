//! The newest commit of the branch, and the ledger that its tree holds.

use std::ops::ControlFlow;

use gate_ledger::archive::EntryRef;
use gate_ledger::chain::LedgerId;
use gate_ledger::remote::{Each, RemoteError, Why};

use crate::error::distrust;
use crate::layout::{self, FOLDER, FORMAT};
use crate::objects::{Node, Objects};

/// What was read of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) commit: String,
    pub(crate) ledger: LedgerId,
    /// The newest entry.
    pub(crate) head: EntryRef,
    /// The folders of entries: the thousand, and the tree's id; in order.
    folders: Vec<(u64, String)>,
}

impl Tip {
    pub(crate) fn read(objects: &mut Objects, commit: &str) -> Result<Self, RemoteError> {
        let tree = objects.tree_of(commit)?;
        let root = objects.tree(&tree)?;
        let ledger = ledger(objects, &root)?;
        let entries = find(&root, layout::ENTRIES, true).ok_or_else(no_ledger)?;
        let nodes = objects.tree(&entries)?;
        let numbered = |node: Node| layout::read_folder(&node.name).map(|number| (number, node.id));
        let mut folders: Vec<_> =
            nodes.into_iter().filter(|node| node.is_folder).filter_map(numbered).collect();
        folders.sort_unstable();
        let mut tip = Self {
            commit: commit.to_owned(),
            ledger,
            head: EntryRef { seq: 0, hash: gate_ledger::entry::EntryHash::ZERO },
            folders,
        };
        tip.head = tip.newest(objects)?;
        Ok(tip)
    }

    fn newest(&self, objects: &mut Objects) -> Result<EntryRef, RemoteError> {
        for (number, _) in self.folders.iter().rev() {
            if let Some((_, id)) = self.files(objects, *number)?.last() {
                let bytes = objects.read(id, "blob")?;
                let reference = layout::lines(&bytes).last().and_then(layout::reference);
                return reference
                    .ok_or_else(|| distrust("the last line of the branch is no entry of a ledger"));
            }
        }
        Err(no_ledger())
    }

    /// The files of the folder of a thousand: the first position in each, and its id; in order.
    fn files(&self, objects: &mut Objects, number: u64) -> Result<Vec<(u64, String)>, RemoteError> {
        let Some((_, id)) = self.folders.iter().find(|(known, _)| *known == number) else {
            return Ok(Vec::new());
        };
        let nodes = objects.tree(id)?;
        let named = |node: Node| layout::read_file(&node.name).map(|first| (first, node.id));
        let mut files: Vec<_> = nodes.into_iter().filter(|node| !node.is_folder).filter_map(named).collect();
        files.sort_unstable();
        Ok(files)
    }

    /// Hands the first `most` lines behind `after` to `each`.
    pub(crate) fn lines(
        &self,
        objects: &mut Objects,
        after: Option<u64>,
        most: u64,
        each: Each<'_>,
    ) -> Result<(), RemoteError> {
        let from = after.map_or(0, |after| after + 1);
        let mut left = most;
        for (number, _) in self.folders.iter().filter(|(number, _)| *number >= from / FOLDER) {
            let files = self.files(objects, *number)?;
            let skipped = files.partition_point(|(first, _)| *first <= from).saturating_sub(1);
            for (_, id) in &files[skipped..] {
                if left == 0 {
                    return Ok(());
                }
                let bytes = objects.read(id, "blob")?;
                // What says no position is handed out: whoever verifies it says what is wrong with it.
                let behind = |line: &&[u8]| layout::position(line).is_none_or(|seq| seq >= from);
                for line in layout::lines(&bytes).filter(behind) {
                    if left == 0 {
                        return Ok(());
                    }
                    left -= 1;
                    if each(line) == ControlFlow::Break(()) {
                        return Err(RemoteError::Stopped);
                    }
                }
            }
        }
        Ok(())
    }

    /// All lines of the folder of a thousand, with their positions.
    pub(crate) fn folder(
        &self,
        objects: &mut Objects,
        number: u64,
    ) -> Result<Vec<(u64, Vec<u8>)>, RemoteError> {
        let mut found = Vec::new();
        for (_, id) in self.files(objects, number)? {
            let bytes = objects.read(&id, "blob")?;
            for line in layout::lines(&bytes) {
                let seq =
                    layout::position(line).ok_or_else(|| distrust("a line of the branch is no entry"))?;
                found.push((seq, line.to_vec()));
            }
        }
        Ok(found)
    }

    /// The paths of the files of the folder of a thousand, in order.
    pub(crate) fn paths(&self, objects: &mut Objects, number: u64) -> Result<Vec<String>, RemoteError> {
        let files = self.files(objects, number)?;
        Ok(files.into_iter().map(|(first, _)| layout::path(first)).collect())
    }

    /// The thousands before a position.
    pub(crate) fn thousands_before(&self, seq: u64) -> impl Iterator<Item = u64> {
        self.folders.iter().map(|(number, _)| *number).filter(move |number| number * FOLDER < seq)
    }
}

fn find(nodes: &[Node], name: &str, is_folder: bool) -> Option<String> {
    nodes.iter().find(|node| node.name == name && node.is_folder == is_folder).map(|node| node.id.clone())
}

fn ledger(objects: &mut Objects, root: &[Node]) -> Result<LedgerId, RemoteError> {
    let id = find(root, layout::LEDGER_FILE, false).ok_or_else(no_ledger)?;
    let bytes = objects.read(&id, "blob")?;
    let (ledger, format) = layout::read_ledger_file(&bytes).ok_or_else(no_ledger)?;
    if format != FORMAT {
        let problem = format!("the branch has layout {format}, this build reads layout {FORMAT}");
        return Err(RemoteError::failed(Why::Distrust, problem, "install a newer gate"));
    }
    LedgerId::read(ledger.as_bytes()).ok_or_else(no_ledger)
}

fn no_ledger() -> RemoteError {
    distrust("the branch is there and holds no ledger")
}
