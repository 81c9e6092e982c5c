//! From the name of a revision to a full commit id.

use std::path::Path;

use gate_identity::git::is_object_id;

use super::error::GitError;
use super::{object, process};

/// The longest revision or ref name that is asked for, in bytes.
const MAX_NAME: usize = 1024;
/// More than an object id and a ref name take.
const MAX_ANSWER: u64 = 8 * 1024;

/// The full commit id that `rev` names, as git reads it (`HEAD~1`, `main`, an abbreviation): what a person
/// typed for `--commit`. A name that is a tag and a branch at once is refused.
///
/// # Errors
/// A [`GitError`]; [`GitError::Revision`] where `rev` names no commit, or more than one thing.
pub fn resolve(root: &Path, rev: &str) -> Result<String, GitError> {
    let refuse =
        |problem| GitError::Revision { rev: gate_model::text::visible(rev), root: root.to_owned(), problem };
    if rev.is_empty() || rev.len() > MAX_NAME || rev.starts_with('-') || rev.chars().any(char::is_control) {
        return Err(refuse("write a commit id, a branch, a tag or HEAD"));
    }
    if is_object_id(rev) {
        // A full id is never a name, whatever branches are called.
        return object::Store::open(root)?.commit(rev).map(|_| rev.to_owned()).map_err(|error| match error {
            GitError::Object { problem, .. } => refuse(problem),
            other => other,
        });
    }
    let spec = format!("{rev}^{{commit}}");
    let args = ["--verify", "--end-of-options", spec.as_str()];
    let output = process::start(root, "rev-parse", args)?.finish(MAX_ANSWER)?;
    if output.stderr.contains("is ambiguous") {
        return Err(refuse("it is ambiguous; write the full commit id"));
    }
    if output.status.code() == Some(128) && output.stderr.contains("Needed a single revision") {
        return Err(refuse("there is no such commit here"));
    }
    let id = first_word(root, "rev-parse", &output)?;
    if is_object_id(&id) { Ok(id) } else { Err(refuse("git resolves it to something else")) }
}

/// The object id that exactly this full ref name (`refs/…`) holds, or `None` where there is no such ref.
/// Git's rules for short names (`refs/heads/refs/heads/x`, `refs/tags/refs/…`) do not apply.
///
/// # Errors
/// A [`GitError`]; [`GitError::Revision`] where `name` cannot be a full ref name.
pub fn exact_ref(root: &Path, name: &str) -> Result<Option<String>, GitError> {
    if !is_full_ref(name) {
        let rev = gate_model::text::visible(name);
        return Err(GitError::Revision {
            rev,
            root: root.to_owned(),
            problem: "it is not a full refs/… name",
        });
    }
    let args = ["--verify", "--hash", "--", name];
    let output = process::start(root, "show-ref", args)?.finish(MAX_ANSWER)?;
    if !output.status.success() && output.stderr.contains("not a valid ref") {
        return Ok(None);
    }
    object_id(root, "show-ref", &output).map(Some)
}

/// Whether `name` is spelled like a full ref name (git-check-ref-format(1)).
pub(super) fn is_full_ref(name: &str) -> bool {
    let forbidden = |c: char| c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    name.starts_with("refs/")
        && name.len() <= MAX_NAME
        && !name.contains(forbidden)
        && !name.contains("..")
        && !name.contains("@{")
        && name.split('/').count() > 2
        && name
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.') && part.strip_suffix(".lock").is_none())
        && !name.ends_with('.')
}

/// The commit that is checked out; `None` before the first.
pub(super) fn head_commit(root: &Path) -> Result<Option<String>, GitError> {
    let args = ["--verify", "--quiet", "--end-of-options", "HEAD^{commit}"];
    let output = process::start(root, "rev-parse", args)?.finish(MAX_ANSWER)?;
    // Status 1 with --quiet is "no such object".
    if output.status.code() == Some(1) {
        return Ok(None);
    }
    object_id(root, "rev-parse", &output).map(Some)
}

/// The full name that HEAD is attached to, asked of git; `None` where it is detached.
pub(super) fn symbolic_head(root: &Path) -> Result<Option<String>, GitError> {
    let output = process::start(root, "symbolic-ref", ["--quiet", "HEAD"])?.finish(MAX_ANSWER)?;
    // Status 1 with --quiet is "not a symbolic ref".
    if output.status.code() == Some(1) {
        return Ok(None);
    }
    first_word(root, "symbolic-ref", &output).map(Some)
}

/// The object id of a successful answer.
fn object_id(root: &Path, verb: &'static str, output: &process::Output) -> Result<String, GitError> {
    let id = first_word(root, verb, output)?;
    let problem = "it gave no object id";
    if is_object_id(&id) { Ok(id) } else { Err(GitError::Answer { verb, root: root.to_owned(), problem }) }
}

/// The one line of a successful answer.
fn first_word(root: &Path, verb: &'static str, output: &process::Output) -> Result<String, GitError> {
    if output.cut || !output.status.success() {
        return Err(process::explain(root, verb, output));
    }
    let answer = std::str::from_utf8(&output.stdout).ok();
    let line = answer
        .and_then(|text| text.strip_suffix('\n'))
        .filter(|line| !line.is_empty() && !line.contains('\n'));
    line.map(str::to_owned).ok_or_else(|| GitError::Answer {
        verb,
        root: root.to_owned(),
        problem: "it is not one line",
    })
}

#[cfg(test)]
mod tests {
    use super::is_full_ref;

    #[test]
    fn only_full_names_are_full() {
        for name in
            ["refs/heads/main", "refs/tags/v1.0", "refs/remotes/origin/a/b", "refs/heads/-x", "refs/heads/@"]
        {
            assert!(is_full_ref(name), "{name}");
        }
        for name in [
            "main",
            "HEAD",
            "heads/main",
            "refs/",
            "refs/heads",
            "refs/heads/",
            "refs//main",
            "refs/heads/a..b",
            "refs/heads/a b",
            "refs/heads/x~1",
            "refs/heads/x^{tree}",
            "refs/heads/x@{1}",
            "refs/heads/x:y",
            "refs/heads/*",
            "refs/heads/x.lock",
            "refs/heads/.x",
            "refs/heads/x.",
            "refs/heads/x\n",
            "refs/../HEAD",
        ] {
            assert!(!is_full_ref(name), "{name}");
        }
    }
}
