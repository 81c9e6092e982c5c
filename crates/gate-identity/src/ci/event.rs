//! The file behind `GITHUB_EVENT_PATH`: the webhook's payload, of which six values are read.

use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use crate::git;
use crate::git::place::{PlaceError, bytes_of};

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
    /// A commit's id is not one.
    #[error("the sha of its head is not a full object id")]
    NotCommit,
}

/// What a payload says of the change behind the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The change's number. A finished run of several, or of a fork's, names none.
    pub change: Option<String>,
    /// The change's own commit, or the one that the finished run was of.
    pub head: Option<String>,
    /// The commit of the merge queue's entry.
    pub queued_head: Option<String>,
    /// The environment that a deployment is for.
    pub environment: Option<String>,
    /// Whether the change is over: merged, or given up.
    pub is_closed: bool,
}

#[derive(Deserialize)]
struct Payload {
    action: Option<String>,
    pull_request: Option<PullRequest>,
    workflow_run: Option<WorkflowRun>,
    merge_group: Option<MergeGroup>,
    deployment: Option<Deployment>,
}

#[derive(Deserialize)]
struct PullRequest {
    number: Option<u64>,
    state: Option<String>,
    #[serde(default)]
    merged: Option<bool>,
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    sha: String,
}

#[derive(Deserialize)]
struct WorkflowRun {
    head_sha: String,
    #[serde(default)]
    pull_requests: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    number: u64,
}

#[derive(Deserialize)]
struct MergeGroup {
    head_sha: String,
}

#[derive(Deserialize)]
struct Deployment {
    environment: Option<String>,
}

impl Event {
    /// Reads the payload at `path`.
    ///
    /// # Errors
    /// An [`EventError`].
    pub fn read(path: &Path) -> Result<Self, EventError> {
        let bytes = bytes_of(path, MAX_EVENT + 1).map_err(|error| match error {
            PlaceError::Read { source, .. } if source.kind() == ErrorKind::InvalidInput => {
                EventError::NotFile
            }
            PlaceError::Read { source, .. } => source.into(),
            other @ PlaceError::Broken { .. } => std::io::Error::other(other).into(),
        })?;
        if bytes.len() as u64 > MAX_EVENT {
            return Err(EventError::TooLarge);
        }
        let event = Self::of(serde_json::from_slice(&bytes)?);
        let is_id = |id: &Option<String>| id.as_deref().is_none_or(git::is_object_id);
        if is_id(&event.head) && is_id(&event.queued_head) { Ok(event) } else { Err(EventError::NotCommit) }
    }

    fn of(payload: Payload) -> Self {
        let environment = payload.deployment.and_then(|deployment| deployment.environment);
        let queued_head = payload.merge_group.map(|group| group.head_sha);
        let is_over =
            |pull: &PullRequest| pull.state.as_deref() == Some("closed") || pull.merged == Some(true);
        let is_closed =
            payload.action.as_deref() == Some("closed") || payload.pull_request.as_ref().is_some_and(is_over);
        let (change, head) = match (payload.pull_request, payload.workflow_run) {
            (Some(pull), _) => (pull.number, Some(pull.head.sha)),
            (None, Some(run)) => match run.pull_requests.as_slice() {
                [only] => (Some(only.number), Some(run.head_sha)),
                _ => (None, Some(run.head_sha)),
            },
            (None, None) => (None, None),
        };
        let change = change.map(|number| number.to_string());
        Self { change, head, queued_head, environment, is_closed }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, EventError};

    fn read(text: &str) -> Result<Event, EventError> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("event.json");
        std::fs::write(&path, text).expect("a file");
        Event::read(&path)
    }

    #[test]
    fn a_pull_request_a_finished_run_and_a_queue_are_read() {
        let id = "1".repeat(40);
        let pull = format!(
            r#"{{"action":"opened","pull_request":{{"number":7,"head":{{"ref":"f","sha":"{id}"}},"base":{{}}}}}}"#
        );
        let known = |change: Option<&str>| Event {
            change: change.map(str::to_owned),
            head: Some(id.clone()),
            ..Event::default()
        };
        assert_eq!(read(&pull).unwrap(), known(Some("7")));
        let run = |pulls: &str| {
            read(&format!(r#"{{"workflow_run":{{"head_sha":"{id}","pull_requests":{pulls}}}}}"#)).unwrap()
        };
        assert_eq!(run(r#"[{"number":7}]"#), known(Some("7")));
        assert_eq!(run(r#"[{"number":7},{"number":8}]"#), known(None));
        assert_eq!(run("[]"), known(None));
        let queue = read(&format!(r#"{{"merge_group":{{"head_sha":"{id}"}}}}"#)).unwrap();
        assert_eq!(queue, Event { queued_head: Some(id.clone()), ..Event::default() });
        let deployment =
            read(r#"{"deployment":{"environment":"production","sha":"x"},"deployment_status":{}}"#);
        assert_eq!(deployment.unwrap().environment.as_deref(), Some("production"));
        assert_eq!(read(r#"{"ref":"refs/heads/main"}"#).unwrap(), Event::default());
        for (action, pull) in [
            ("closed", ""),
            ("closed", r#","merged":true"#),
            ("submitted", r#","state":"closed""#),
            ("edited", r#","merged":true"#),
        ] {
            let over = format!(
                r#"{{"action":"{action}","pull_request":{{"number":7,"head":{{"sha":"{id}"}}{pull}}}}}"#
            );
            assert_eq!(read(&over).unwrap(), Event { is_closed: true, ..known(Some("7")) }, "{over}");
        }
    }

    #[test]
    fn hostile_payloads_say_nothing() {
        assert!(matches!(read(""), Err(EventError::Json(_))));
        assert!(matches!(read(r#"{"pull_request":{"head":{"sha":"main"}}}"#), Err(EventError::NotCommit)));
        assert!(matches!(read(r#"{"workflow_run":{"head_sha":"main"}}"#), Err(EventError::NotCommit)));
        assert!(matches!(read(r#"{"pull_request":[]}"#), Err(EventError::Json(_))));
        let deep = format!("{}{}", r#"{"x":"#.to_owned() + &"[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(read(&deep), Err(EventError::Json(_))));
        assert!(matches!(Event::read(std::path::Path::new("/dev/zero")), Err(EventError::NotFile)));
        assert!(matches!(Event::read(std::path::Path::new("/missing/event")), Err(EventError::Read(_))));
    }
}
