//! Objects by id, hashed again.
//!
//! Invariants: objects are asked for by full id only, so no branch, tag or abbreviation can stand in; the
//! bytes are hashed here with SHA-1 or SHA-256 as the id's length says (gitformat-pack(5): the hash of
//! `<type> <size>\0<bytes>`), so that an edited object file is noticed, which `git cat-file` does not do.
//! A commit id therefore pins every byte below it, as far as the hash does: SHA-1 does not withstand an
//! attacker who prepares two objects of one id beforehand; SHA-256 repositories do.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout};

use gate_identity::git::{is_object_id, object_id};

use super::commit::{self, Commit};
use super::error::GitError;
use super::process::{self, Running};

/// The largest commit or tag that is read, in bytes.
const MAX_COMMIT: u64 = 1024 * 1024;

/// An object of the repository, its bytes checked against its id.
#[derive(Debug)]
pub(super) struct Object {
    pub id: String,
    pub kind: String,
    pub bytes: Vec<u8>,
}

/// The answer to a question for an object.
#[derive(Debug)]
pub(super) enum Answer {
    Found(Object),
    /// The repository does not have it.
    Missing,
    /// It is larger than asked for.
    TooLarge {
        size: u64,
    },
}

/// A conversation with `git cat-file --batch`.
#[derive(Debug)]
pub(super) struct Store {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    running: Running,
    root: PathBuf,
}

impl Store {
    /// Starts the process.
    pub(super) fn open(root: &Path) -> Result<Self, GitError> {
        let mut running = process::converse(root, "cat-file", ["--batch"])?;
        let (Some(stdin), Some(stdout)) = running.pipes() else {
            return Err(running.unexpected("it has no pipes"));
        };
        Ok(Self { stdin, stdout: BufReader::new(stdout), running, root: root.to_owned() })
    }

    /// The object `id`, if it has at most `limit` bytes. After [`Answer::TooLarge`] the store is spent.
    pub(super) fn object(&mut self, id: &str, limit: u64) -> Result<Answer, GitError> {
        if !is_object_id(id) {
            return Err(self.problem(id, "is not named by a full object id"));
        }
        let Some((found, kind, size)) = self.ask(id)? else { return Ok(Answer::Missing) };
        // In a SHA-256 repository git takes 40 digits for an abbreviation.
        if found != id {
            return Err(self.problem(id, "is not the full id that this repository uses (SHA-1 or SHA-256)"));
        }
        if size > limit {
            return Ok(Answer::TooLarge { size });
        }
        let mut bytes = Vec::new();
        let read = (&mut self.stdout).take(size + 1).read_to_end(&mut bytes);
        read.map_err(|source| self.running.failure(source))?;
        if bytes.pop() != Some(b'\n') || u64::try_from(bytes.len()) != Ok(size) {
            return Err(self.running.unexpected("an object is cut short"));
        }
        if object_id(id, &kind, &bytes).as_deref() != Some(id) {
            return Err(self.problem(
                id,
                "does not have the bytes that its id stands for: it was edited, or is corrupt",
            ));
        }
        Ok(Answer::Found(Object { id: found, kind, bytes }))
    }

    /// Sends one name and reads the header `<id> <type> <size>`, or `None` where it is missing.
    fn ask(&mut self, id: &str) -> Result<Option<(String, String, u64)>, GitError> {
        let sent = self.stdin.write_all(format!("{id}\n").as_bytes()).and_then(|()| self.stdin.flush());
        let mut line = String::new();
        let got = sent.and_then(|()| (&mut self.stdout).take(512).read_line(&mut line));
        // A closed pipe, either way, means that git ended: its diagnostics say why.
        if !matches!(got, Ok(length) if length > 0) {
            return Err(self.running.conclude());
        }
        let words: Vec<&str> = line.trim_end_matches('\n').split(' ').collect();
        match words[..] {
            [name, "missing"] if name == id => Ok(None),
            [_, "ambiguous"] => Err(self.problem(id, "is ambiguous")),
            [found, kind, size] => match size.parse() {
                Ok(size) => Ok(Some((found.to_owned(), kind.to_owned(), size))),
                Err(_) => Err(self.running.unexpected("a size is not a number")),
            },
            _ => Err(self.running.unexpected("a header has another shape")),
        }
    }

    /// The commit `id`.
    pub(super) fn commit(&mut self, id: &str) -> Result<Commit, GitError> {
        let bytes = self.commit_bytes(id)?;
        commit::parse(&bytes).ok_or_else(|| self.problem(id, "is a malformed commit"))
    }

    /// The bytes of the commit `id`.
    pub(super) fn commit_bytes(&mut self, id: &str) -> Result<Vec<u8>, GitError> {
        match self.object(id, MAX_COMMIT)? {
            Answer::Found(object) if object.kind == "commit" => Ok(object.bytes),
            Answer::Found(_) => Err(self.problem(id, "is not a commit")),
            Answer::Missing => Err(self.problem(id, "is missing; fetch it first (nothing is fetched here)")),
            Answer::TooLarge { .. } => Err(self.problem(id, "is a commit of more than 1 MiB")),
        }
    }

    fn problem(&self, id: &str, problem: &'static str) -> GitError {
        GitError::Object { id: gate_model::text::visible(id), root: self.root.clone(), problem }
    }
}
