//! Making a commit, without an index and without a work tree.

use gate_ledger::remote::RemoteError;

use crate::error::failure;
use crate::git::Git;
use crate::layout::NewFile;

/// What a commit changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// The commit that it follows; none for the first one.
    pub(crate) parent: Option<String>,
    /// Files or folders that go.
    pub(crate) dropped: Vec<String>,
    /// Files that come, none of which is there.
    pub(crate) files: Vec<NewFile>,
}

/// Who commits, when (in seconds since 1970), and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) author: (String, String),
    pub(crate) at: i64,
    pub(crate) text: String,
}

/// Makes the commit in our own repository and returns its id.
pub(crate) fn make(git: &Git, change: &Change, note: &Note) -> Result<String, RemoteError> {
    let output = git.run(&["fast-import", "--quiet", "--force", "--done"], &stream(change, note))?;
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let is_id = id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if output.success && is_id { Ok(id) } else { Err(output.failure("git cannot make a commit")) }
}

/// The input of git-fast-import(1). The ref keeps the commit from being collected as garbage.
fn stream(change: &Change, note: &Note) -> Vec<u8> {
    let mut out = b"commit refs/gate/next\nmark :1\n".to_vec();
    let (name, email) = &note.author;
    for role in ["author", "committer"] {
        out.extend(format!("{role} {name} <{email}> {} +0000\n", note.at).into_bytes());
    }
    data(&mut out, note.text.as_bytes());
    if let Some(parent) = &change.parent {
        out.extend(format!("from {parent}\n").into_bytes());
    }
    for path in &change.dropped {
        out.extend(format!("D {path}\n").into_bytes());
    }
    for (path, bytes) in &change.files {
        out.extend(format!("M 100644 inline {path}\n").into_bytes());
        data(&mut out, bytes);
    }
    out.extend(b"\nget-mark :1\ndone\n");
    out
}

fn data(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(format!("data {}\n", bytes.len()).into_bytes());
    out.extend(bytes);
    out.push(b'\n');
}

/// A number that makes two commits of the same lines two commits: who was first can then be told even by those who
/// wrote the same.
pub(crate) fn nonce() -> Result<String, RemoteError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| failure(&format!("the system gave no random bytes: {error}")))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
