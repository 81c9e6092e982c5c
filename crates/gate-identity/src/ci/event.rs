//! The file behind `GITHUB_EVENT_PATH`: the webhook's payload, of which one value is read.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use crate::git;

/// The largest payload that is read, in bytes; GitHub caps webhooks at 25 MB.
const MAX_EVENT: u64 = 25 * 1024 * 1024;

/// Why a payload says nothing.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It is a directory, a pipe or a device.
    #[error("it is not a regular file")]
    NotFile,
    /// It is larger than 25 MiB.
    #[error("it is larger than 25 MiB")]
    TooLarge,
    /// It is not the JSON that it should be.
    #[error("it is not a payload: {0}")]
    Json(#[from] serde_json::Error),
    /// The commit's id is not one.
    #[error("pull_request.head.sha is not a full object id")]
    NotCommit,
}

#[derive(Deserialize)]
struct Payload {
    pull_request: Option<PullRequest>,
}

#[derive(Deserialize)]
struct PullRequest {
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    sha: String,
}

/// The pull request's own commit, `pull_request.head.sha`; `None` where the event is of no pull request.
///
/// # Errors
/// An [`EventError`].
pub fn head_of_event(path: &Path) -> Result<Option<String>, EventError> {
    // Asked before opening: a pipe would block.
    let facts = std::fs::metadata(path)?;
    if !facts.is_file() {
        return Err(EventError::NotFile);
    }
    if facts.len() > MAX_EVENT {
        return Err(EventError::TooLarge);
    }
    let reader = BufReader::new(File::open(path)?).take(MAX_EVENT);
    let payload: Payload = serde_json::from_reader(reader)?;
    let sha = payload.pull_request.map(|pull| pull.head.sha);
    if sha.as_deref().is_some_and(|sha| !git::is_object_id(sha)) {
        return Err(EventError::NotCommit);
    }
    Ok(sha)
}

#[cfg(test)]
mod tests {
    use super::{EventError, head_of_event};

    fn read(text: &str) -> Result<Option<String>, EventError> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("event.json");
        std::fs::write(&path, text).expect("a file");
        head_of_event(&path)
    }

    #[test]
    fn the_head_of_a_pull_request_is_read() {
        let id = "1".repeat(40);
        let text = format!(
            r#"{{"action":"opened","pull_request":{{"head":{{"ref":"f","sha":"{id}"}},"base":{{}}}}}}"#
        );
        assert_eq!(read(&text).unwrap(), Some(id));
        assert_eq!(read(r#"{"ref":"refs/heads/main"}"#).unwrap(), None);
    }

    #[test]
    fn hostile_payloads_say_nothing() {
        assert!(matches!(read(""), Err(EventError::Json(_))));
        assert!(matches!(read(r#"{"pull_request":{"head":{"sha":"main"}}}"#), Err(EventError::NotCommit)));
        assert!(matches!(read(r#"{"pull_request":[]}"#), Err(EventError::Json(_))));
        let deep = format!("{}{}", r#"{"x":"#.to_owned() + &"[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(read(&deep), Err(EventError::Json(_))));
        assert!(matches!(head_of_event(std::path::Path::new("/dev/zero")), Err(EventError::NotFile)));
        assert!(matches!(head_of_event(std::path::Path::new("/missing/event")), Err(EventError::Read(_))));
    }
}
