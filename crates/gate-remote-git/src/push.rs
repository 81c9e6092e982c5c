//! Pushing, and finding out what became of it.
//!
//! A push without force is the compare-and-set: the server takes it only if our commit follows its newest one. That it
//! went well, or that the server rejected it, is the server's own report on this very ref. Where no report came, it is
//! decided by asking whether our commit is in the history of the branch now, never by the words of an error: an error
//! can come after the push was taken.

use gate_ledger::remote::RemoteError;

use crate::cache::TIP;
use crate::error::distrust;
use crate::git::{Git, Output};
use crate::settings::{Places, redacted};

/// The branch on the server.
#[derive(Debug, Clone)]
pub(crate) struct Branch<'b> {
    pub(crate) git: &'b Git,
    pub(crate) places: &'b Places,
    pub(crate) name: &'b str,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pushed {
    Taken,
    /// Another commit was first; whatever is there now has been fetched.
    Moved,
    Refused(String),
    Unknown(String),
}

/// What a server says of the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum There {
    Branch,
    NoBranch,
}

impl Branch<'_> {
    /// Fetches the newest commit into [`TIP`]: that alone, or with what came before it up to what is known here.
    pub(crate) fn fetch(&self, alone: bool) -> Result<Output, RemoteError> {
        let refspec = format!("+{}:{TIP}", self.name);
        let mut args =
            vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"];
        args.extend(["--recurse-submodules=no", "--no-show-forced-updates"]);
        args.extend(alone.then_some("--depth=1"));
        args.extend(["--", &self.places.fetch, &refspec]);
        self.git.run(&args, b"")
    }

    /// Whether the server has the branch, where it can be asked.
    pub(crate) fn ask(&self) -> Result<There, RemoteError> {
        let output = self.git.run(&["ls-remote", "--exit-code", "--", &self.places.fetch, self.name], b"")?;
        let listed = String::from_utf8_lossy(&output.stdout);
        let named = listed.lines().any(|line| line.split('\t').nth(1) == Some(self.name));
        match (output.success, output.code) {
            (true, _) if named => Ok(There::Branch),
            (true, _) | (false, Some(2)) => Ok(There::NoBranch),
            _ => Err(output.unreached("the repository", &self.said(&output))),
        }
    }

    /// What git said, without secrets.
    pub(crate) fn said(&self, output: &Output) -> String {
        redacted(&output.said(), self.places)
    }

    fn send(&self, commit: &str, creates: bool, dry: bool) -> Result<Output, RemoteError> {
        let refspec = format!("{commit}:{}", self.name);
        let lease = format!("--force-with-lease={}:", self.name);
        let mut args = vec!["push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags"];
        args.push("--recurse-submodules=no");
        // With nothing behind the colon: only if there is no such branch.
        args.extend(creates.then_some(lease.as_str()));
        args.extend(dry.then_some("--dry-run"));
        args.extend(["--", &self.places.push, &refspec]);
        self.git.run(&args, b"")
    }

    /// Pushes `commit`, which follows `parent`.
    pub(crate) fn push(&self, commit: &str, parent: Option<&str>) -> Result<Pushed, RemoteError> {
        let output = self.send(commit, parent.is_none(), false)?;
        if output.success {
            return Ok(Pushed::Taken);
        }
        let said = self.said(&output);
        match Verdict::of(&output) {
            Verdict::Race => Ok(Pushed::Moved),
            Verdict::No(reason) => {
                Ok(Pushed::Refused(format!("{said} ({})", redacted(&reason, self.places))))
            }
            Verdict::Silence => self.find_out(commit, parent, said),
        }
    }

    /// What became of a push of which the server said nothing: the connection was lost, or never let us write.
    fn find_out(&self, commit: &str, parent: Option<&str>, said: String) -> Result<Pushed, RemoteError> {
        match self.now(commit, parent) {
            Ok(Now::Ours) => return Ok(Pushed::Taken),
            Ok(Now::Others) => return Ok(Pushed::Moved),
            // Who cannot be asked cannot say that it is not there.
            Err(_) => return Ok(Pushed::Unknown(said)),
            Ok(Now::Same) => {}
        }
        // Who may not write cannot begin a push either, while reading works before and after.
        let again = self.send(commit, parent.is_none(), true)?;
        let refused = !again.success && self.ask().is_ok();
        Ok(if refused { Pushed::Refused(self.said(&again)) } else { Pushed::Unknown(said) })
    }

    /// What the branch has now, fetched into [`TIP`].
    fn now(&self, commit: &str, parent: Option<&str>) -> Result<Now, RemoteError> {
        if self.ask()? == There::NoBranch {
            return Ok(if parent.is_none() { Now::Same } else { Now::Others });
        }
        let fetched = self.fetch(false)?;
        if !fetched.success {
            return Err(fetched.unreached("the repository", &self.said(&fetched)));
        }
        let is = |args: &[&str]| -> Result<Option<i32>, RemoteError> { Ok(self.git.run(args, b"")?.code) };
        match is(&["merge-base", "--is-ancestor", commit, TIP])? {
            Some(0) => return Ok(Now::Ours),
            Some(1) => {}
            _ => return Err(distrust("git cannot compare the branch with what was pushed")),
        }
        let tip = self.git.run(&["rev-parse", "--verify", "--quiet", TIP], b"")?;
        let tip = String::from_utf8_lossy(&tip.stdout).trim().to_owned();
        Ok(if Some(tip.as_str()) == parent { Now::Same } else { Now::Others })
    }
}

/// What the branch is after a push that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    /// Our commit is in it.
    Ours,
    /// It is what it was before.
    Same,
    /// Somebody else's commit is its newest one.
    Others,
}

/// Two pushes at one time meet at the lock of the ref, which git and hosts tell in these words. Taking another
/// sentence for one of them costs a round trip, and the other way round a decision that is not used.
const RACES: [&str; 5] =
    ["lock", "failed to update ref", "incorrect old value", "reference already exists", "fetch first"];

/// What the server itself said about the branch, from git-push(1)'s porcelain output.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// Another push was under way or came before.
    Race,
    /// It does not want it.
    No(String),
    /// It did not say.
    Silence,
}

impl Verdict {
    fn of(output: &Output) -> Self {
        // `!\t<from>:<to>\t[remote rejected] (pre-receive hook declined)`
        let stdout = String::from_utf8_lossy(&output.stdout);
        let Some(line) = stdout.lines().find(|line| line.starts_with("!\t")) else { return Self::Silence };
        let summary = line.split('\t').nth(2).unwrap_or_default();
        let reason = summary.split_once('(').map_or(summary, |(_, reason)| reason).trim_end_matches(')');
        if summary.starts_with("[rejected]") || RACES.iter().any(|words| reason.contains(words)) {
            return Self::Race;
        }
        if summary.starts_with("[remote rejected]") { Self::No(reason.to_owned()) } else { Self::Silence }
    }
}

#[cfg(test)]
mod tests {
    use super::{Output, Verdict};

    fn said(stdout: &str) -> Verdict {
        let (stdout, stderr) = (stdout.as_bytes().to_vec(), String::new());
        Verdict::of(&Output { success: false, code: Some(1), stdout, stderr })
    }

    #[test]
    fn a_race_a_refusal_and_silence_are_told_apart() {
        let line = |summary: &str| said(&format!("To /x\n!\tabc:refs/heads/l\t{summary}\nDone\n"));
        for race in [
            "[rejected] (fetch first)",
            "[rejected] (non-fast-forward)",
            "[rejected] (stale info)",
            "[remote rejected] (cannot lock ref 'refs/heads/l': is at b but expected a)",
            "[remote rejected] (failed to update ref)",
            "[remote rejected] (incorrect old value provided)",
        ] {
            assert_eq!(line(race), Verdict::Race, "{race}");
        }
        let no = Verdict::No("pre-receive hook declined".to_owned());
        assert_eq!(line("[remote rejected] (pre-receive hook declined)"), no);
        let no = Verdict::No("push declined due to repository rule violations".to_owned());
        assert_eq!(line("[remote rejected] (push declined due to repository rule violations)"), no);
        for silent in ["[remote failure] (remote failed to report status)", "[no match]"] {
            assert_eq!(line(silent), Verdict::Silence, "{silent}");
        }
        assert_eq!(said(""), Verdict::Silence);
    }
}
