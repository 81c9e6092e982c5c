//! Reading objects, each hashed again: an object is what its id says, or it is none.

use std::io::{BufRead, Read, Write};

use gate_ledger::remote::RemoteError;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

use crate::error::{distrust, failure};
use crate::git::{Git, Talk};

/// The largest object that is read, in bytes: more than a file of lines can have.
const MAX_OBJECT: u64 = 64 << 20;

/// A git that hands out objects.
pub(crate) struct Objects {
    talk: Talk,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) is_folder: bool,
    pub(crate) name: String,
    /// The object's id in hexadecimal.
    pub(crate) id: String,
}

impl Objects {
    pub(crate) fn open(git: &Git) -> Result<Self, RemoteError> {
        Ok(Self { talk: git.start(&["cat-file", "--batch"])? })
    }

    /// The object of that id and type.
    pub(crate) fn read(&mut self, id: &str, kind: &str) -> Result<Vec<u8>, RemoteError> {
        let bytes = self.ask(id, kind)?;
        if hash(kind, &bytes) == id { Ok(bytes) } else { Err(damaged(id)) }
    }

    /// The id of the commit that a ref of our own repository names.
    pub(crate) fn commit(&mut self, name: &str) -> Result<String, RemoteError> {
        Ok(hash("commit", &self.ask(name, "commit")?))
    }

    fn ask(&mut self, id: &str, kind: &str) -> Result<Vec<u8>, RemoteError> {
        let lost = |error: std::io::Error| failure(&format!("git stopped handing out objects: {error}"));
        self.talk.stdin.write_all(format!("{id}\n").as_bytes()).map_err(lost)?;
        let stdout = &mut self.talk.stdout;
        let mut head = String::new();
        (&mut *stdout).take(200).read_line(&mut head).map_err(lost)?;
        let words: Vec<&str> = head.split_whitespace().collect();
        let [_, found, size] = words.as_slice() else { return Err(damaged(id)) };
        let size: u64 = size.parse().map_err(|_| damaged(id))?;
        if *found != kind || size > MAX_OBJECT {
            return Err(damaged(id));
        }
        let mut bytes = Vec::new();
        stdout.take(size + 1).read_to_end(&mut bytes).map_err(lost)?;
        if bytes.pop() == Some(b'\n') && bytes.len() as u64 == size { Ok(bytes) } else { Err(damaged(id)) }
    }

    /// The entries of a tree, in git's order.
    pub(crate) fn tree(&mut self, id: &str) -> Result<Vec<Node>, RemoteError> {
        let bytes = self.read(id, "tree")?;
        let mut rest = bytes.as_slice();
        let mut nodes = Vec::new();
        while !rest.is_empty() {
            let (node, behind) = node(rest).ok_or_else(|| damaged(id))?;
            nodes.push(node);
            rest = behind;
        }
        Ok(nodes)
    }

    /// The tree of a commit.
    pub(crate) fn tree_of(&mut self, commit: &str) -> Result<String, RemoteError> {
        let bytes = self.read(commit, "commit")?;
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let id = std::str::from_utf8(line).ok().and_then(|line| line.strip_prefix("tree "));
        id.map(str::to_owned).ok_or_else(|| damaged(commit))
    }
}

/// `<mode> <name>\0<20 bytes>`
fn node(bytes: &[u8]) -> Option<(Node, &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let name = String::from_utf8_lossy(bytes.get(space + 1..end)?).into_owned();
    let (id, rest) = bytes[end + 1..].split_at_checked(20)?;
    let is_folder = matches!(&bytes[..space], b"40000" | b"040000");
    Some((Node { is_folder, name, id: hex(id) }, rest))
}

fn hash(kind: &str, bytes: &[u8]) -> String {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(format!("{kind} {}\0", bytes.len()).as_bytes());
    context.update(bytes);
    hex(context.finish().as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

fn damaged(id: &str) -> RemoteError {
    distrust(format!(
        "object {} of the branch is missing or is not what its id says",
        gate_model::text::visible(id)
    ))
}

#[cfg(test)]
mod tests {
    use super::{Node, hash, node};

    #[test]
    fn ids_are_those_of_git() {
        assert_eq!(hash("blob", b""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(hash("tree", b""), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    }

    #[test]
    fn a_tree_is_read_entry_by_entry() {
        let mut bytes = b"100644 a.jsonl\0".to_vec();
        bytes.extend([0xab; 20]);
        bytes.extend(b"40000 entries\0");
        bytes.extend([0xcd; 20]);
        let (first, rest) = node(&bytes).unwrap();
        assert_eq!(first, Node { is_folder: false, name: "a.jsonl".into(), id: "ab".repeat(20) });
        let (second, rest) = node(rest).unwrap();
        assert!(second.is_folder && rest.is_empty());
        assert_eq!(node(b"100644 a\0short"), None);
    }
}
