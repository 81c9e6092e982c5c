//! Commits, and what their trailers ask for.

use gate_identity::git::commit::Commit;
use gate_identity::git::trailers;
use gate_judge::trailer::{self, KEY, Wanted};

use gate_model::text::visible;

use super::{assert_message, text};

/// A commit object: what is read of it stands in it, and what a trailer asks for writes back as itself.
pub fn commit(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let commit = match Commit::parse(text) {
        Ok(commit) => commit,
        Err(error) => return assert_message(&error),
    };
    assert!(commit.payload.ends_with(commit.message) && text.ends_with(commit.message));
    assert_eq!(commit.payload.len() < text.len(), commit.signature() != Err(unsigned()));
    let found = trailers(commit.message);
    assert!(found.iter().all(|trailer| commit.message.contains(trailer.key)));
    let wanted = match trailer::wanted(&commit) {
        Ok(wanted) => wanted,
        Err(error) => return assert_message(&error),
    };
    for (_, wanted) in wanted {
        match wanted {
            Ok(wanted) => {
                let line = wanted.to_string();
                let value = line.strip_prefix(KEY).and_then(|rest| rest.strip_prefix(": "));
                let again = value.map(Wanted::parse);
                // What cannot be seen is written so that it can, and is another text then.
                let plain = commit.message.lines().all(|line| visible(line) == line);
                assert!(!plain || again == Some(Ok(wanted)), "{line}");
            }
            Err(error) => assert_message(&error),
        }
    }
}

const fn unsigned() -> gate_identity::git::commit::CommitError {
    gate_identity::git::commit::CommitError::Unsigned
}
