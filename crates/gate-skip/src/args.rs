//! Arguments.
#![allow(
    clippy::doc_markdown,
    reason = "these comments are what --help shows, where a backtick is only noise"
)]

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use gate_cli::options::Shared;
use gate_findings::match_syntax::{self, Match};
use gate_model::action::Action;
use gate_model::payload::ReviewVerdict;
use gate_model::time::parse_duration;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:\n\
\x20\x20gate-skip lint --reason \"the linter crashes on this file\" --ttl 1h\n\
\x20\x20gate-skip decision.json --reason \"fix is in review\" --ticket SEC-12 --ttl 7d\n\
\x20\x20gate-skip lint --action pause --reason \"release day\" --ttl 2h\n\
\x20\x20gate-skip approve 42 --sign\n\
\x20\x20gate-skip lint --reason \"would it be granted?\" --dry-run";

/// Ask for, approve, end or review an opt-out from a gate
///
/// The policy says who may opt out of what, and under which conditions; what it does not say is denied. Each
/// request, denial, grant and its end is one entry of the ledger.
#[derive(Debug, clap::Parser)]
#[command(after_long_help = EXAMPLES)]
#[command(
    name = "gate-skip",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
#[command(disable_help_subcommand = true, subcommand_value_name = "VERB", subcommand_help_heading = "Verbs")]
#[command(
    override_usage = "gate-skip GATE [--reason TEXT] [--action skip|override|pause] [OPTION]...\n       \
    gate-skip GATE [--reason TEXT] --waive MATCH [--waive MATCH]...\n       \
    gate-skip FILE|- [--reason TEXT]\n       \
    gate-skip approve|reject|revoke ID [--reason TEXT]\n       \
    gate-skip approve POLICY --sign[=KEY]\n       \
    gate-skip review ID --verdict accepted|rejected [--reason TEXT]\n       \
    gate-skip resume GATE [--reason TEXT]\n       \
    gate-skip renew ID [--reason TEXT] [--ttl DURATION]\n       \
    gate-skip submit FILE|-\n       \
    gate-skip import FILE [--gate GATE] [--dry-run]"
)]
pub(crate) struct Args {
    /// The gate; or a file with a decision of gate-check (a word with . or /, or - for standard input)
    #[arg(value_name = "GATE|FILE", required = true)]
    pub target: Option<String>,

    /// What is asked for.
    #[command(flatten)]
    pub wish: WishArgs,

    /// Who signs.
    #[command(flatten)]
    pub signing: SigningArgs,

    /// The verb.
    #[command(subcommand)]
    pub verb: Option<Verb>,

    /// Say where each fact of the run (actor, repository, commit, ref, ...) comes from
    #[arg(short, long, global = true, conflicts_with = "quiet", help_heading = "Output")]
    pub verbose: bool,

    /// Options of all tools.
    #[command(flatten)]
    pub shared: Shared,
}

impl Args {
    /// Whether nothing shall be recorded.
    pub(crate) fn is_rehearsal(&self) -> bool {
        self.wish.dry_run || matches!(&self.verb, Some(Verb::Renew(args)) if args.dry_run)
    }
}

/// What is asked for.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct WishArgs {
    /// Why; recorded for good, so no secrets. Without it $VISUAL or $EDITOR is opened, on a terminal
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// What to ask for: skip (do not run it), override (proceed though it failed), pause (hold it)
    #[arg(long, value_name = "ACTION", value_parser = actions(), hide_possible_values = true, conflicts_with = "waive")]
    pub action: Option<Action>,

    /// Accept the findings that match: rule=ID and one of path=GLOB, package=NAME, fingerprint=F
    ///
    /// Further keys are tool, level (the highest that is accepted) and count (how many findings). A comma in
    /// a value is written %2C.
    #[arg(long, value_name = "MATCH", value_parser = match_syntax::parse)]
    pub waive: Vec<Match>,

    /// How long it shall last, such as 4h or 14d; the rule's max_ttl without it
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, allow_hyphen_values = true)]
    pub ttl: Option<u64>,

    /// The ticket that it belongs to
    #[arg(long, value_name = "TICKET")]
    pub ticket: Option<String>,

    /// Use a break-glass rule: it grants at once and owes a review
    #[arg(long)]
    pub break_glass: bool,

    /// Say what would come of it, and record nothing
    #[arg(long, conflicts_with = "detached")]
    pub dry_run: bool,

    /// Print the line that asks for it in the message of a signed commit, and ask for nothing here
    ///
    /// It is bound to that commit. The policy must take requests in commits: trailers = true.
    #[arg(long, conflicts_with_all = [
        "sign", "detached", "dry_run", "repository", "commit", "git_ref", "change", "environment", "run_id",
    ])]
    pub trailer: bool,

    /// Bind it to this repository, whatever is built in it
    #[arg(long, help_heading = "Scope")]
    pub repository: bool,

    /// Bind it to the commit REV instead of HEAD
    #[arg(long, value_name = "REV", help_heading = "Scope")]
    pub commit: Option<String>,

    /// Bind it to the refs that fit GLOB, such as refs/heads/release/*
    #[arg(long = "ref", value_name = "GLOB", help_heading = "Scope")]
    pub git_ref: Option<String>,

    /// Bind it to this pull or merge request, or to the one with NUMBER: all its runs until it is merged
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, require_equals = true, help_heading = "Scope")]
    #[allow(
        clippy::option_option,
        reason = "absent, given without a number, and given with one are three things"
    )]
    pub change: Option<Option<String>>,

    /// Bind it to the environment NAME
    #[arg(long, value_name = "NAME", help_heading = "Scope")]
    pub environment: Option<String>,

    /// Bind it to the pipeline run ID
    #[arg(long = "run", value_name = "ID", help_heading = "Scope")]
    pub run_id: Option<String>,

    /// Let at most N decisions use it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000), help_heading = "Scope")]
    pub uses: Option<u64>,
}

/// Who signs.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SigningArgs {
    /// Sign with the SSH key KEY, else with git's user.signingKey
    #[arg(long, value_name = "KEY", num_args = 0..=1, require_equals = true, help_heading = "Signing")]
    #[allow(
        clippy::option_option,
        reason = "absent, given without a key, and given with one are three things"
    )]
    pub sign: Option<Option<PathBuf>>,

    /// Sign as NAME, where the key stands for several principals
    #[arg(long = "as", value_name = "NAME", requires = "sign", help_heading = "Signing")]
    pub name: Option<String>,

    /// Write the signed document to standard output instead of submitting it
    ///
    /// It can be submitted within seven days, anywhere, with gate-skip submit.
    #[arg(long, requires = "sign", help_heading = "Signing")]
    pub detached: bool,
}

/// The verbs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Approve a request that waits; or, as an owner, a changed policy
    Approve(ActArgs),
    /// Reject a request that waits, which ends it
    Reject(ActArgs),
    /// End an opt-out, or take a request back
    Revoke {
        /// What is ended, why, and who signs.
        #[command(flatten)]
        act: ActArgs,
        /// The ticket, where the rule that lets you end it needs one
        #[arg(long, value_name = "TICKET")]
        ticket: Option<String>,
    },
    /// Review a break-glass opt-out
    Review {
        /// Whether it was justified: accepted or rejected
        #[arg(long, value_name = "VERDICT", value_parser = verdicts(), hide_possible_values = true)]
        verdict: ReviewVerdict,
        /// What is reviewed, why, and who signs.
        #[command(flatten)]
        act: ActArgs,
    },
    /// Resume a paused gate
    Resume {
        /// The gate; with --detached also the entry of its pause, as for the other verbs
        #[arg(value_name = "GATE")]
        gate: String,
        /// Why; recorded for good, so no secrets
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// The ticket, where the rule that lets you pause needs one
        #[arg(long, value_name = "TICKET")]
        ticket: Option<String>,
        /// Who signs.
        #[command(flatten)]
        signing: SigningArgs,
    },
    /// Ask for the same again as an opt-out that was granted, and end that once this is granted
    Renew(RenewArgs),
    /// Ask for the waivers that an existing ignore file names
    Import(ImportArgs),
    /// Submit a request or an act that was signed elsewhere
    Submit {
        /// The signed document; - reads standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// An ignore file to ask for.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ImportArgs {
    /// The file: .trivyignore, .trivyignore.yaml, osv-scanner.toml, .snyk, deny.toml, audit.toml, waivers of InSpec,
    /// OpenVEX, or a baseline of bandit or semgrep
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The gate that the entries are for, where the policy has several whose findings can be waived
    #[arg(long, value_name = "GATE")]
    pub gate: Option<String>,

    /// The reason of entries that give none
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// How long each shall last at most, such as 14d; an entry that ends before ends then
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub ttl: Option<u64>,

    /// Show what would be asked for, and ask for nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Who signs.
    #[command(flatten)]
    pub signing: SigningArgs,
}

/// An opt-out to renew.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RenewArgs {
    /// The ID: the seq of the opt-out's first entry, or eight or more digits of an entry's hash
    #[arg(value_name = "ID")]
    pub id: String,

    /// Why it is needed still; recorded for good, so no secrets
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// How long it shall last from now on, such as 14d; as long as before without it
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, allow_hyphen_values = true)]
    pub ttl: Option<u64>,

    /// The ticket that it belongs to; the one before without it
    #[arg(long, value_name = "TICKET")]
    pub ticket: Option<String>,

    /// Say what would come of it, and record nothing
    #[arg(long, conflicts_with = "detached")]
    pub dry_run: bool,

    /// Who signs.
    #[command(flatten)]
    pub signing: SigningArgs,
}

/// An act on something in the ledger.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ActArgs {
    /// The ID: the seq of the opt-out's first entry, or eight or more digits of an entry's hash
    ///
    /// With --detached it may also be the whole hash of an entry of a ledger that is not here, or a file (a word
    /// with . or /, or -) with the entry as gate-log show prints it.
    ///
    /// approve also takes the path of a policy. With --sign it then writes the owner's word on that policy to
    /// standard output, to be kept beside it as gate.toml.sig.
    #[arg(value_name = "ID")]
    pub id: String,

    /// Why; recorded for good, so no secrets
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// Who signs.
    #[command(flatten)]
    pub signing: SigningArgs,
}

/// The actions that a word names; findings are waived by naming them.
fn actions() -> impl TypedValueParser<Value = Action> {
    let named = |action: Action| PossibleValue::new(action.as_str()).hide(action == Action::Waive);
    PossibleValuesParser::new(Action::ALL.map(named)).try_map(|word| match Action::parse(&word) {
        Some(Action::Waive) => Err("to waive, name the findings with --waive"),
        action => action.ok_or("it is one of: skip, override, pause"),
    })
}

fn verdicts() -> impl TypedValueParser<Value = ReviewVerdict> {
    PossibleValuesParser::new(["accepted", "rejected"]).map(|word| match word.as_str() {
        "accepted" => ReviewVerdict::Accepted,
        _ => ReviewVerdict::Rejected,
    })
}
