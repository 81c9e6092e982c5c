//! The header of a commit object.

use std::path::Path;

use gate_identity::git::commit::email;
use gate_identity::git::is_object_id;

use super::error::GitError;
use super::object;

/// What a commit says of itself. The parents are those in its bytes: neither a shallow clone nor
/// `git replace` nor `info/grafts` changes them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub tree: String,
    pub parents: Vec<String>,
    /// The author's line: `Name <e-mail> seconds zone`, where it is UTF-8.
    pub author: Option<String>,
}

/// Reads the header lines `tree` and `parent`…, which stand first and in this order, and the first `author`, wherever it
/// stands: git goes on from a commit whose other headers are out of order, and so does whoever judges a gate.
pub(super) fn parse(bytes: &[u8]) -> Option<Commit> {
    let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
    let tree = id(lines.next()?.strip_prefix(b"tree ")?)?;
    let mut parents = Vec::new();
    while let Some(parent) = lines.peek().and_then(|line| line.strip_prefix(b"parent ")) {
        parents.push(id(parent)?);
        lines.next();
    }
    let author = lines.take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(b"author "))?;
    Some(Commit { tree, parents, author: std::str::from_utf8(author).ok().map(str::to_owned) })
}

fn id(digits: &[u8]) -> Option<String> {
    std::str::from_utf8(digits).ok().filter(|digits| is_object_id(digits)).map(str::to_owned)
}

/// The e-mail address that the author of `commit` (a full object id) gave himself: a claim, not a proof.
/// `None` where it is empty or not plain text.
///
/// # Errors
/// A [`GitError`] where the commit is missing or cannot be read.
pub fn author(root: &Path, commit: &str) -> Result<Option<String>, GitError> {
    let commit = object::Store::open(root)?.commit(commit)?;
    Ok(commit.author.as_deref().and_then(email).map(str::to_owned))
}

/// The bytes of `commit` (a full object id), checked against it.
///
/// # Errors
/// A [`GitError`] where the commit is missing or cannot be read.
pub fn bytes(root: &Path, commit: &str) -> Result<Vec<u8>, GitError> {
    object::Store::open(root)?.commit_bytes(commit)
}

/// The parents of `commit` (a full object id), in order, as the commit itself names them.
///
/// # Errors
/// A [`GitError`] where the commit is missing or cannot be read.
pub fn parents(root: &Path, commit: &str) -> Result<Vec<String>, GitError> {
    Ok(object::Store::open(root)?.commit(commit)?.parents)
}

#[cfg(test)]
mod tests {
    use super::parse;

    const TREE: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";

    #[test]
    fn parents_are_read_from_the_header_only() {
        let parent = "parent 1111111111111111111111111111111111111111\n";
        let text = format!("{TREE}{parent}author A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\n\n{parent}");
        let commit = parse(text.as_bytes()).unwrap();
        assert_eq!(commit.parents, ["1111111111111111111111111111111111111111"]);
        assert_eq!(commit.author.as_deref(), Some("A <a@x> 1 +0000"));
    }

    #[test]
    fn headers_behind_the_parents_may_stand_in_any_order() {
        let author = "author A <a@x> 1 +0000\n";
        for text in [
            format!("{TREE}committer B <b@x> 1 +0000\n{author}\nauthor C"),
            format!("{TREE}gpgsig -----BEGIN\n U1NI\n{author}committer B <b@x> 1 +0000\n\nx"),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap().author.as_deref(), Some("A <a@x> 1 +0000"), "{text}");
        }
        assert_eq!(parse(format!("{TREE}committer B <b@x> 1 +0000\n\n{author}").as_bytes()), None);
    }

    #[test]
    fn a_header_of_another_shape_is_no_commit() {
        for text in
            ["", "tree x\n", "parent 11\n", &format!("{TREE}parent 11\nauthor A <a@x> 1 +0000\n"), TREE]
        {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
