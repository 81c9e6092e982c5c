//! The arguments of the verbs that have many: those that sign, prove, archive or erase.

#![allow(clippy::doc_markdown, reason = "the comments on options are their help texts, which show no markup")]

use std::path::PathBuf;

use gate_workflow::reading::filter::When;

/// How to make a checkpoint.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckpointArgs {
    /// Sign with the key in FILE
    ///
    /// It is one line, PRIVATE+KEY+name+id+key, in a file that only its owner can read.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["new_key", "agent"], conflicts_with = "agent")]
    pub key_file: Option<PathBuf>,

    /// Sign with the Ed25519 key KEY that the ssh-agent holds
    ///
    /// KEY is the file of its public half, or its fingerprint as ssh-add -l prints it. The agent is the one of
    /// the variable SSH_AUTH_SOCK. The key signs under the name of the log.
    #[arg(long, value_name = "KEY")]
    pub agent: Option<String>,

    /// Refuse to sign unless the ledger extends the checkpoint in FILE, which the same key signed
    #[arg(long, value_name = "FILE", conflicts_with = "new_key")]
    pub since: Option<PathBuf>,

    /// Say that the key has signed no checkpoint of this ledger yet
    ///
    /// It is needed once for a key that --new-key did not make. Where the key's own memory knows better, nothing is
    /// signed.
    #[arg(long, conflicts_with_all = ["since", "new_key", "public_key"])]
    pub first: bool,

    /// Print the verifier key of the key that would sign, and sign nothing
    #[arg(long, conflicts_with_all = ["since", "new_key"])]
    pub public_key: bool,

    /// Make a new key, named after the ledger's origin, write it to FILE and print its public half
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_file", "agent"])]
    pub new_key: Option<PathBuf>,

    /// The name of this ledger's log, instead of the policy's origin
    #[arg(long, value_name = "NAME")]
    pub origin: Option<String>,
}

/// What to archive, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct ArchiveArgs {
    /// Move the entries before this position, or those that are older than TIME
    #[arg(long, value_name = "TIME|SEQ", value_parser = Before::parse)]
    pub before: Before,

    /// Where entries before that are still needed, move those that are not
    #[arg(long)]
    pub as_far_as_possible: bool,

    /// Write the segment into the directory PLACE, or to the file PLACE
    #[arg(long, value_name = "PLACE")]
    pub to: PathBuf,

    /// Sign with the key in FILE
    #[arg(long, value_name = "FILE", required_unless_present = "agent", conflicts_with = "agent")]
    pub key_file: Option<PathBuf>,

    /// Sign with the Ed25519 key KEY that the ssh-agent holds
    ///
    /// KEY is the file of its public half, or its fingerprint as ssh-add -l prints it.
    #[arg(long, value_name = "KEY")]
    pub agent: Option<String>,

    /// The name of this ledger's log, instead of the policy's origin
    #[arg(long, value_name = "NAME")]
    pub origin: Option<String>,
}

/// A place in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// A position.
    Seq(u64),
    /// The first entry that is not older.
    When(When),
}

impl Before {
    fn parse(word: &str) -> Result<Self, String> {
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            return word.parse().map(Self::Seq).map_err(|_| "no entry has so high a number".to_owned());
        }
        When::parse(word).map(Self::When).map_err(|error| error.to_string())
    }
}

/// What to erase.
#[derive(Debug, clap::Args)]
pub(crate) struct EraseArgs {
    /// Erase the reasons in the life of the opt-out ID
    #[arg(value_name = "ID", required_unless_present = "person")]
    pub ids: Vec<String>,

    /// Erase the names of PRINCIPAL, those the policy lists for the same person included, and the reasons that they gave
    #[arg(long, value_name = "PRINCIPAL", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub person: Option<String>,

    /// Why it is erased
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// What to prove.
#[derive(Debug, clap::Args)]
pub(crate) struct ProveArgs {
    /// The entry: its number, or eight or more digits of its hash
    #[arg(value_name = "ID", required_unless_present_any = ["consistency", "last"], conflicts_with_all = ["consistency", "last"])]
    pub id: Option<String>,

    /// Prove the last entry that the checkpoint covers, from which gate-verify --from goes on
    #[arg(long, conflicts_with = "consistency")]
    pub last: bool,

    /// Prove it under the signed checkpoint in FILE
    #[arg(long, value_name = "FILE", required_unless_present_any = ["consistency", "key_file", "agent"])]
    pub checkpoint: Option<PathBuf>,

    /// Prove it under a new checkpoint, signed with the key in FILE
    #[arg(long, value_name = "FILE", conflicts_with_all = ["checkpoint", "consistency", "agent"])]
    pub key_file: Option<PathBuf>,

    /// Prove it under a new checkpoint, signed with the Ed25519 key KEY that the ssh-agent holds
    ///
    /// KEY is the file of its public half, or its fingerprint as ssh-add -l prints it.
    #[arg(long, value_name = "KEY", conflicts_with_all = ["checkpoint", "consistency"])]
    pub agent: Option<String>,

    /// The name of this ledger's log, instead of the policy's origin
    #[arg(long, value_name = "NAME", conflicts_with_all = ["checkpoint", "consistency"])]
    pub origin: Option<String>,

    /// Prove that the checkpoint in NEW extends the one in OLD
    #[arg(long, value_names = ["OLD", "NEW"], num_args = 2, conflicts_with = "checkpoint")]
    pub consistency: Option<Vec<PathBuf>>,
}

/// What to report on.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// Exports of one ledger or several, one after the other; - is standard input. Without any, the ledger itself
    #[arg(value_name = "EXPORT")]
    pub exports: Vec<PathBuf>,

    /// Tell what gate-verify said of a ledger, from its document in FILE; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub verification: Vec<PathBuf>,

    /// When.
    #[command(flatten)]
    pub span: super::SpanArgs,
}
