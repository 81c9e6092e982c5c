//! Arguments, and what they ask for.

#![allow(clippy::doc_markdown, reason = "the comments on options are their help texts, which show no markup")]

use std::path::{Path, PathBuf};

use gate_cli::Env;
use gate_cli::options::OutputOptions;
use gate_ledger::entry::EntryHash;
use gate_model::time::parse_duration;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:\n\
\x20\x20gate-verify --replay\n\
\x20\x20gate-log export | gate-verify -\n\
\x20\x20gate-verify --checkpoint checkpoint --key log.pub --require-anchor\n\
\x20\x20gate-verify policy";

/// Verify a gate ledger offline
///
/// Every entry is hashed from its bytes and followed from the first to the last. The result names the first
/// bad entry and why, and says how much of the ledger a checkpoint covers and whether its genesis is pinned:
/// a chain alone cannot see that its end was cut off.
///
/// LEDGER is a SQLite file, or an export in JSON Lines, unchanged or passed through a filter such as jq -S.
/// The name - stands for an export on standard input. Without LEDGER, the one of the variable GATE_LEDGER is
/// verified, else the policy's.
#[derive(Debug, clap::Parser)]
#[command(after_long_help = EXAMPLES)]
#[command(name = "gate-verify", version, args_override_self = false, disable_help_subcommand = true)]
#[command(
    override_usage = "gate-verify [LEDGER|FILE|-] [--genesis HASH] [--checkpoint FILE --key KEY]... [--require-anchor [MAX-AGE]] [--replay]\n       \
    gate-verify [LEDGER|FILE|-] --archive SEGMENT [--archive SEGMENT]...\n       \
    gate-verify [LEDGER|FILE|-] --from PROOF --key KEY [--checkpoint FILE]...\n       \
    gate-verify proof FILE|- --key KEY|--quorum FILE\n       \
    gate-verify policy [FILE]"
)]
pub(crate) struct Args {
    /// The ledger, or its export; - reads an export from standard input
    #[arg(value_name = "LEDGER")]
    pub target: Option<PathBuf>,

    /// Refuse any ledger whose first entry has another hash
    ///
    /// Without it, the genesis that the policy pins, where there is a policy that pins one.
    #[arg(long, value_name = "HASH", value_parser = parse_hash)]
    pub genesis: Option<EntryHash>,

    /// Compare with the checkpoint in FILE; may be given more than once
    ///
    /// The ledger must still have the entries that it covers, and their root. It must be signed by a key
    /// that is given with --key; keys within the ledger or the policy never count.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Vec<PathBuf>,

    /// Trust the verifier key KEY, or the one in the file KEY; may be given more than once
    #[arg(long, value_name = "KEY", global = true)]
    pub key: Vec<String>,

    /// Count only checkpoints that a log of the quorum file FILE signed and enough of its witnesses cosigned
    ///
    /// The file's format is that of c2sp.org/tlog-policy. Keys that are given with --key say who the log is
    /// where the file names none, and which of its logs are meant where it names several.
    #[arg(long, value_name = "FILE", global = true)]
    pub quorum: Option<PathBuf>,

    /// Begin behind the entry that PROOF proves, and do not look at those before it
    ///
    /// PROOF is one of gate-log prove --last. Its checkpoint must be signed by a key that is given with --key.
    #[arg(long, value_name = "PROOF", conflicts_with = "replay")]
    pub from: Option<PathBuf>,

    /// Verify the archived entries in SEGMENT too; may be given more than once
    ///
    /// SEGMENT is a file of gate-log archive. Together with all of its segments a ledger is verified as if nothing
    /// had ever been moved. A segment may be LEDGER too.
    #[arg(long, value_name = "SEGMENT", conflicts_with = "from")]
    pub archive: Vec<PathBuf>,

    /// Fail unless a checkpoint covers every entry, or every one that is older than MAX-AGE, such as 7d
    #[arg(long, value_name = "MAX-AGE", num_args = 0..=1)]
    #[allow(clippy::option_option, reason = "absent, given alone, and given with an age are three things")]
    pub require_anchor: Option<Option<String>>,

    /// Judge every admission and decision again, by the rules and keys of its moment
    ///
    /// A grant that should not have been, a denial that should have been a grant, or a use outside its scope
    /// is a disagreement, and then the ledger is not ok.
    #[arg(long)]
    pub replay: bool,

    /// With --replay, read what an export only commits to from FILE, as gate-log export --openings wrote it
    ///
    /// A ledger in a SQLite file holds this itself.
    #[arg(long, value_name = "FILE", requires = "replay")]
    pub openings: Option<PathBuf>,

    /// Let SQLite check the pages of a large database too; small ones always are
    #[arg(long)]
    pub quick_check: bool,

    /// The verb.
    #[command(subcommand)]
    pub verb: Option<Verb>,

    /// Where the policy is.
    #[command(flatten)]
    pub place: PlaceOptions,

    /// How results are shown.
    #[command(flatten)]
    pub output: OutputOptions,
}

/// Which policy and which ledger.
///
/// These are those of the other tools without --policy-ref: reading a revision would start git.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Ledger and policy")]
pub(crate) struct PlaceOptions {
    /// Verify the ledger at PATH, as LEDGER does
    #[arg(long, value_name = "PATH", global = true)]
    pub ledger: Option<PathBuf>,

    /// Read the policy from PATH
    ///
    /// Without it, the policy of the variable GATE_POLICY, else the nearest gate.toml in this directory or above it, no
    /// further than the root of the git repository. A second gate.toml on the way is refused.
    #[arg(long, value_name = "PATH", global = true)]
    pub policy: Option<PathBuf>,
}

impl PlaceOptions {
    /// The policy that was named: by `--policy`, else by `GATE_POLICY`.
    pub(crate) fn policy(&self, env: &Env) -> Option<PathBuf> {
        self.policy.clone().or_else(|| env.path("GATE_POLICY"))
    }
}

/// What to verify other than a ledger.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Check a policy and run its tests
    ///
    /// Errors and warnings are shown with their places on standard error. The exit status is 1 where a test
    /// fails or a rule lets everybody past everywhere, 2 where the policy is not valid.
    Policy {
        /// The policy; without it, the one that the tools would use
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },

    /// Check a proof that an entry is in a ledger, without the ledger
    ///
    /// The proof is one of gate-log prove, in the format of c2sp.org/tlog-proof, with the entry in it. Its
    /// checkpoint must be signed by a key that is given with --key.
    Proof {
        /// The proof; - reads it from standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// What must be covered by a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Required {
    /// Nothing.
    Nothing,
    /// Every entry.
    Everything,
    /// Every entry that is older than so many seconds.
    OlderThan(u64),
}

/// What is to be verified.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// The ledger; none means the one that environment and policy name.
    pub target: Option<PathBuf>,
    /// What must be covered.
    pub required: Required,
}

impl Args {
    /// The task that the arguments name.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(crate) fn task(&self) -> Result<Task, String> {
        let needs_key = !self.checkpoint.is_empty() || self.from.is_some();
        if needs_key && self.key.is_empty() && self.quorum.is_none() {
            return Err("a checkpoint says nothing without a key that is trusted; name one with --key, or --quorum FILE".to_owned());
        }
        let (required, taken) = self.required()?;
        let named: Vec<&Path> = [self.target.as_deref(), self.place.ledger.as_deref(), taken.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        match named.as_slice() {
            [] => Ok(Task { target: None, required }),
            [one] => Ok(Task { target: Some((*one).to_owned()), required }),
            [one, other, ..] => Err(format!(
                "two ledgers were named, '{}' and '{}'; name one",
                one.display(),
                other.display()
            )),
        }
    }

    /// What `--require-anchor` asks for. Its value may be left out, so the word behind it is the ledger where
    /// it is no duration.
    fn required(&self) -> Result<(Required, Option<PathBuf>), String> {
        let Some(value) = &self.require_anchor else { return Ok((Required::Nothing, None)) };
        let Some(word) = value else { return Ok((Required::Everything, None)) };
        match parse_duration(word) {
            Ok(seconds) => Ok((Required::OlderThan(seconds), None)),
            Err(_) if self.target.is_none() && self.place.ledger.is_none() => {
                Ok((Required::Everything, Some(word.into())))
            }
            Err(error) => Err(format!("invalid value '{word}' for '--require-anchor': {error}")),
        }
    }

    /// Whether options of the verification were given, which the verbs do not take.
    pub(crate) fn verifies(&self) -> bool {
        self.target.is_some()
            || self.genesis.is_some()
            || !self.checkpoint.is_empty()
            || !self.archive.is_empty()
            || self.require_anchor.is_some()
            || self.quick_check
            || self.from.is_some()
            || self.replay
            || self.openings.is_some()
    }
}

fn parse_hash(text: &str) -> Result<EntryHash, String> {
    text.parse().map_err(|error: gate_ledger::entry::HashError| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Args, Required, Task, Verb};

    fn task(line: &str) -> Result<Task, String> {
        Args::try_parse_from(line.split(' ')).unwrap().task()
    }

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_word_behind_require_anchor_is_an_age_or_the_ledger() {
        let of = |target: Option<&str>, required| Ok(Task { target: target.map(Into::into), required });
        assert_eq!(task("gate-verify --require-anchor"), of(None, Required::Everything));
        assert_eq!(task("gate-verify --require-anchor l.db"), of(Some("l.db"), Required::Everything));
        assert_eq!(
            task("gate-verify l.db --require-anchor 7d"),
            of(Some("l.db"), Required::OlderThan(604_800))
        );
        assert_eq!(task("gate-verify --require-anchor=7d -"), of(Some("-"), Required::OlderThan(604_800)));
        assert!(task("gate-verify l.db --require-anchor soon").is_err());
    }

    #[test]
    fn two_ledgers_are_refused() {
        assert!(task("gate-verify a.db --ledger b.db").is_err());
    }

    #[test]
    fn a_checkpoint_without_a_key_is_refused() {
        assert!(task("gate-verify --checkpoint c").is_err());
        assert!(task("gate-verify --from p").is_err());
        assert!(task("gate-verify --from p --quorum q").is_ok());
    }

    #[test]
    fn verbs_are_told_from_files() {
        let verb = |line: &str| Args::try_parse_from(line.split(' ')).unwrap().verb;
        assert!(matches!(verb("gate-verify policy"), Some(Verb::Policy { file: None })));
        assert!(matches!(verb("gate-verify proof - --key k"), Some(Verb::Proof { .. })));
        assert!(verb("gate-verify ./policy").is_none());
    }
}
