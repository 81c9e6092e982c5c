//! Arguments, and what they ask for.

#![allow(clippy::doc_markdown, reason = "the comments on options are their help texts, which show no markup")]

mod verbs;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use gate_cli::options::Shared;
use gate_ledger::entry::Kind;
use gate_model::action::Action;
use gate_model::gate::GateName;
use gate_model::time::Timestamp;
use gate_workflow::reading::filter::When;
use gate_workflow::reading::list::Selection;
use gate_workflow::reading::{Filter, Period};

pub(crate) use verbs::{ArchiveArgs, Before, CheckpointArgs, EraseArgs, ProveArgs, ReportArgs};

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:\n\
\x20\x20gate-log --since 30d --kind grant\n\
\x20\x20gate-log show 42\n\
\x20\x20gate-log due --within 3d\n\
\x20\x20gate-log report --since 90d > report.html\n\
\x20\x20gate-log export | gate-verify - --replay";

/// Keep and read the ledger of gate decisions and opt-outs
///
/// Without a verb, gate-log lists entries: one line of JSON each, as exported (save that what a terminal or a CI system
/// would act on is escaped), with the entry's hash last; or a table where standard output is a terminal. A list has no hidden limit.
///
/// An ID is the number of the first entry of an opt-out's life, or eight or more digits of an entry's hash.
/// A TIME is an instant such as 2026-11-22T16:30:35Z, or how long ago, such as 30d.
#[derive(Debug, clap::Parser)]
#[command(after_long_help = EXAMPLES)]
#[command(name = "gate-log", version, args_override_self = false, disable_help_subcommand = true)]
#[command(override_usage = "gate-log [FILTERS] [-n N] [--reverse] [--follow] [--from EXPORT]...\n       \
    gate-log show ID...\n       \
    gate-log init\n       \
    gate-log append [--gate NAME] [FILE|-]\n       \
    gate-log export [--salvage|--openings FILE]\n       \
    gate-log copy DEST\n       \
    gate-log stats [--since TIME] [--until TIME] [EXPORT|-]...\n       \
    gate-log due [--within DURATION]\n       \
    gate-log report [--since TIME] [--verification FILE]... [EXPORT|-]... > report.html\n       \
    gate-log checkpoint --key-file FILE|--agent KEY [--since OLD-CHECKPOINT]\n       \
    gate-log erase --person PRINCIPAL|ID... --reason TEXT\n       \
    gate-log prove ID|--last --checkpoint FILE\n       \
    gate-log prove --consistency OLD NEW\n       \
    gate-log archive --before TIME|SEQ --to PLACE --key-file FILE|--agent KEY")]
pub(crate) struct Args {
    /// Which entries.
    #[command(flatten)]
    pub filter: FilterArgs,

    /// Show only the newest N of them
    #[arg(short = 'n', long = "newest", value_name = "N")]
    pub newest: Option<u64>,

    /// Show the newest first
    #[arg(long, conflicts_with = "follow")]
    pub reverse: bool,

    /// List the entries of an export in place of the ledger's; - is standard input
    ///
    /// It may be given more than once, and each may hold the exports of several ledgers, one after the other.
    #[arg(long, value_name = "EXPORT", conflicts_with_all = ["newest", "reverse", "reveal", "follow", "id"])]
    pub from: Vec<PathBuf>,

    /// In JSON, put names and reasons back that an entry only commits to
    ///
    /// Such a line is no entry any more: it does not hash to its hash.
    #[arg(long)]
    pub reveal: bool,

    /// Go on and show new entries as they come
    ///
    /// It begins after the newest entry, or with what --since or -n select. It ends when nobody reads its
    /// output any more, or on an interrupt.
    #[arg(short, long, conflicts_with = "until")]
    pub follow: bool,

    /// The verb.
    #[command(subcommand)]
    pub verb: Option<Verb>,

    /// Options of all tools.
    #[command(flatten)]
    pub shared: Shared,
}

/// Which entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArgs {
    /// Show entries of the gate NAME
    ///
    /// This option and the next three may be given more than once; an entry then fits that fits one of them.
    #[arg(long, value_name = "NAME")]
    pub gate: Vec<String>,

    /// Show entries of KIND, or of several with commas between
    ///
    /// A kind is one of genesis, policy, decision, request, approval, grant, denial, revocation, review, import,
    /// archive, note.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kinds(), hide_possible_values = true)]
    pub kind: Vec<Kind>,

    /// Show entries whose actor has the id PRINCIPAL, such as github:carol
    #[arg(long, value_name = "PRINCIPAL")]
    pub actor: Vec<String>,

    /// Show entries about ACTION: skip, override, waive or pause
    ///
    /// These are the entries that ask for it, grant, deny or end it, and the decisions that rest on it.
    #[arg(long, value_name = "ACTION", value_delimiter = ',', value_parser = parse_action)]
    pub action: Vec<Action>,

    /// When.
    #[command(flatten)]
    pub span: SpanArgs,

    /// Show the whole life of the opt-out ID
    ///
    /// That is its first entry, every entry that belongs to it, and the decisions that used it.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
}

/// A span of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct SpanArgs {
    /// Only entries of TIME and later
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    pub since: Option<When>,

    /// Only entries of TIME and earlier
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    pub until: Option<When>,
}

/// What to do other than list.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Show entries with every member
    Show {
        /// The entry's number, or eight or more digits of its hash
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,

        /// In JSON, put names and reasons back that the entry only commits to
        #[arg(long)]
        reveal: bool,
    },

    /// Make the ledger, and a commented gate.toml where there is none
    ///
    /// The ledger is made where the policy says, else at .gate/ledger.db beside it, with two entries: its
    /// genesis and the policy. The line that pins it in the policy is printed to standard error. Where the
    /// ledger lies in a git work tree, a .gitignore beside it keeps it out of commits. A ledger that is there
    /// already is left alone (exit status 2).
    Init {
        /// Make it at the policy's remote, which has none yet; of two who do so at once one succeeds
        #[arg(long)]
        remote: bool,
    },

    /// Bring the working copy of a remote ledger up to date, and send the decisions that wait in it
    ///
    /// A pipeline runs it as its last step. Without a remote there is nothing to do (exit status 2).
    Sync {
        /// Send the decisions that wait in FILE, too: another machine's, which could not send them itself
        ///
        /// Each is recorded once, as reported by whoever sends it.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },

    /// Show where the remote ledger is, how far it and the working copy are, and what it can
    Remote,

    /// Record events: one JSON object a line, from FILE or standard input
    ///
    /// Each becomes the data of an entry of kind note. They are recorded in batches, so that an error leaves
    /// those before it recorded; it says which line it is about and how many were.
    Append {
        /// The events; without it, or for -, standard input
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,

        /// Record them as concerning the gate NAME
        #[arg(long, value_name = "NAME", value_parser = parse_gate)]
        gate: Option<String>,
    },

    /// Write every entry, one line of JSON each, to standard output
    ///
    /// gate-verify reads it back, and jq and b3sum can check it without any tool of ours.
    Export {
        /// Read a damaged ledger as far as it can be read
        ///
        /// Every entry that is still somewhere in the file and hashes right is written, in order; what is lost
        /// is named on standard error. The exit status is 1 where something is.
        #[arg(long, conflicts_with = "openings")]
        salvage: bool,

        /// Write the names and reasons that entries only commit to into the new file FILE
        ///
        /// An export leaves them out. gate-verify --openings reads the file. Keep it as secret as the ledger.
        #[arg(long, value_name = "FILE")]
        openings: Option<PathBuf>,
    },

    /// Copy the ledger to the new file, or the remote, DEST, verified
    ///
    /// Copying the file alone would lose what its write-ahead log still holds. A remote, such as
    /// git:origin#gate-ledger, has no ledger yet, or the first entries of this one: what was cut short is gone on with.
    Copy {
        /// A path at which nothing is yet, or the address of a remote
        #[arg(value_name = "DEST")]
        dest: PathBuf,
    },

    /// Count decisions, opt-outs, denials and uses for each gate and each principal
    Stats {
        /// Exports of one ledger or several, one after the other; - is standard input. Without any, the ledger itself
        #[arg(value_name = "EXPORT")]
        exports: Vec<PathBuf>,

        /// When.
        #[command(flatten)]
        span: SpanArgs,
    },

    /// Show what waits for somebody: approvals, reviews, opt-outs that end soon
    Due {
        /// Show only what lapses, falls due or ends within DURATION, and exit with 1 where something does
        ///
        /// What is overdue counts. So a scheduled job can tell people just when there is something to do.
        #[arg(long, value_name = "DURATION", value_parser = gate_model::time::parse_duration)]
        within: Option<u64>,

        /// Name the waivers that the last N decisions of their scope did not need; 10 without it
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000), conflicts_with = "within")]
        unneeded_after: Option<u64>,
    },

    /// Write a page about what went past the gates, for people who were not there
    ///
    /// Opt-outs over time, by gate and by person, rates of denials and overrides, what is live and ends next, reviews
    /// owed, slow approvals, waivers that nothing needed, and the state of the record. The page needs no network and
    /// no script. With --format json it is the document gate.report/1.
    Report(ReportArgs),

    /// Sign a statement of the ledger's size and root, to be kept elsewhere
    ///
    /// What a checkpoint covers can no longer be cut off or rewritten unseen: gate-verify compares with it.
    /// The format is that of c2sp.org/tlog-checkpoint.
    Checkpoint(CheckpointArgs),

    /// Move old entries to a segment, leaving a signed statement
    ///
    /// The entries before a position go to a compressed file, which is verified before they are deleted; the
    /// ledger then verifies without them, and with the segment as if they were still there. Genesis and policies
    /// stay, and nothing goes that an opt-out, a request, a review or a quota still needs (exit status 1).
    Archive(ArchiveArgs),

    /// Erase names and reasons that entries only commit to
    ///
    /// The chain stays as it is and verifies as before; what stood behind the commitments is deleted from the
    /// ledger's files, and a note tells which commitments it was.
    Erase(EraseArgs),

    /// Write a proof that an entry is in the ledger, or that one checkpoint extends another
    ///
    /// gate-verify proof checks the first without the ledger; its format is c2sp.org/tlog-proof. The second
    /// is written as a witness takes it, after c2sp.org/tlog-witness.
    Prove(ProveArgs),
}

impl FilterArgs {
    /// The filter, seen from `now`. `id` is the opt-out that [`FilterArgs::id`] was found to name.
    pub(crate) fn filter(&self, now: Timestamp, id: Option<u64>) -> Filter {
        let (since, until) = self.span.ends(now);
        Filter {
            gates: self.gate.clone(),
            kinds: self.kind.clone(),
            actors: self.actor.clone(),
            actions: self.action.clone(),
            period: Period::new(since, until),
            id,
        }
    }
}

impl SpanArgs {
    /// Both ends, seen from `now`.
    pub(crate) fn ends(&self, now: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.since.map(|when| when.from(now)), self.until.map(|when| when.from(now)))
    }
}

impl Args {
    /// What a list shows.
    pub(crate) fn selection(&self, now: Timestamp, id: Option<u64>) -> Selection {
        Selection { filter: self.filter.filter(now, id), newest: self.newest, reverse: self.reverse }
    }

    /// Whether options of the list were given.
    pub(crate) fn lists(&self) -> bool {
        self.filter != FilterArgs::default()
            || self.newest.is_some()
            || self.reverse
            || self.follow
            || self.reveal
            || !self.from.is_empty()
    }
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::as_str))
        .try_map(|word| Kind::parse(&word).ok_or("it is no kind"))
}

fn parse_action(word: &str) -> Result<Action, String> {
    Action::parse(word).ok_or_else(|| "an action is one of skip, override, waive, pause".to_owned())
}

fn parse_gate(word: &str) -> Result<String, String> {
    GateName::parse(word).map(String::from).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Args, Verb};

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_verb_takes_no_filter_of_the_list() {
        let parse = |line: &str| Args::try_parse_from(line.split(' ')).unwrap();
        assert!(parse("gate-log --kind grant show 3").lists());
        assert!(!parse("gate-log show 3 --format json").lists());
        assert!(
            matches!(parse("gate-log stats --since 30d").verb, Some(Verb::Stats { span, .. }) if span.since.is_some())
        );
    }

    #[test]
    fn an_unknown_kind_is_refused() {
        assert!(Args::try_parse_from(["gate-log", "--kind", "grants"]).is_err());
        assert!(Args::try_parse_from(["gate-log", "--follow", "--reverse"]).is_err());
        assert!(Args::try_parse_from(["gate-log", "--follow", "--until", "1h"]).is_err());
    }
}
