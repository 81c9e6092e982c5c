//! A policy that was parsed and checked: what the rest of gate sees of `gate.toml`.
//!
//! Every value is effective: defaults are filled in, durations are seconds, patterns compile, groups exist.
//! Only [`crate::parse`] makes one, so that a rule that was not checked cannot come to a verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use gate_model::action::Action;
use gate_model::exit::{Ends, Exit};
use gate_model::gate::GateName;
use gate_model::issuer::Mapping;
use gate_model::level::{self, Level, Severity};
use gate_model::score::FailOn;
use gate_model::time::Timestamp;

use crate::diagnostic::did_you_mean;
use crate::rule::Rule;
use crate::test_case::TestCase;

/// The rules of `gate.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `[ledger]`.
    pub ledger: LedgerSettings,
    /// `[policy] owners`: whose signature admits a change of the policy. Empty: nobody's is needed.
    pub owners: Vec<Who>,
    /// `[policy] warn_before`, in seconds: opt-outs that end within it are mentioned by each decision.
    pub warn_before: u64,
    /// `[repository] aliases`: names of one repository; the first stands for all.
    pub aliases: Vec<String>,
    /// `[identity]`.
    pub identity: IdentitySettings,
    /// `[people]`.
    pub people: People,
    /// `[groups]`: the members as written.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// `[gates.NAME]`.
    pub gates: BTreeMap<GateName, Gate>,
    /// `[[test]]`, in order.
    pub tests: Vec<TestCase>,
    /// The text it was parsed from, so that [`crate::lint`] can tell lines.
    pub(crate) text: String,
    /// Where each group is written.
    pub(crate) group_spans: BTreeMap<String, Range<usize>>,
}

/// No gate has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy has no gate '{name}'{}", hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
pub struct UnknownGate {
    /// The name that was looked for.
    pub name: String,
    /// The nearest name, or all names; nothing where the policy has no gates.
    pub hint: Option<String>,
}

impl Ends for UnknownGate {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Policy {
    /// The gate called `name`.
    ///
    /// # Errors
    /// [`UnknownGate`], with the names it may have been meant to be.
    pub fn gate(&self, name: &str) -> Result<&Gate, UnknownGate> {
        self.gates.get(name).ok_or_else(|| UnknownGate {
            name: gate_model::text::visible(name),
            hint: did_you_mean(name, self.gates.keys().map(GateName::as_str)),
        })
    }

    /// Every `i_accept` of the policy with its gate and rule: decisions repeat them.
    pub fn accepted_risks(&self) -> impl Iterator<Item = (&GateName, &Rule, &str)> {
        self.gates.iter().flat_map(|(name, gate)| {
            gate.allow.iter().filter_map(move |rule| rule.i_accept.as_deref().map(|why| (name, rule, why)))
        })
    }
}

/// `[ledger]`: where the record is. At most one of `path` and `remote` is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerSettings {
    /// A SQLite file, relative to the policy's folder.
    pub path: Option<String>,
    /// The remote that holds the order of the entries, where the SQLite file is a working copy only.
    pub remote: Option<Remote>,
    /// The name in checkpoints.
    pub origin: Option<String>,
    /// The hash of the ledger's first entry (`b3:…`): pins the ledger.
    pub genesis: Option<String>,
    /// Which personal text its entries only commit to, so that it can be erased.
    pub commit: Commit,
    /// Whether each decision verifies the whole ledger first.
    pub verify: bool,
}

/// `[ledger] remote`: a ledger that many machines share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// `SCHEME:` and what `gate-remote-SCHEME` understands. It holds no password.
    pub address: String,
    /// An entry that the remote must have: one without it was rolled back.
    pub at_least: Option<Floor>,
    /// When plain decisions are sent.
    pub publish: Publish,
}

impl Remote {
    /// The kind of remote, which names its helper.
    pub fn scheme(&self) -> &str {
        self.address.split_once(':').map_or("", |(scheme, _)| scheme)
    }
}

/// A floor under a remote: an entry that it must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Floor {
    /// Its position.
    pub seq: u64,
    /// Its hash, as documents write it.
    pub hash: String,
}

impl Floor {
    /// Reads `SEQ b3:…`, as the policy and `GATE_LEDGER_AT_LEAST` write it.
    pub fn parse(text: &str) -> Option<Self> {
        let (seq, hash) = text.split_once(' ')?;
        let plain = !seq.is_empty() && seq.bytes().all(|byte| byte.is_ascii_digit());
        gate_model::digest::read(hash)?;
        Some(Self { seq: seq.parse().ok().filter(|_| plain)?, hash: hash.to_owned() })
    }
}

/// When decisions that used no opt-out reach the remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publish {
    /// With the next binding entry, or by `gate-log sync`.
    Batch,
    /// At once, each by itself.
    Each,
}

/// `[ledger] commit`: the personal text that an entry holds a commitment to instead of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Commit {
    /// `reason`: the reasons that people give.
    pub reasons: bool,
    /// `names`: the ids of principals and the names of authors.
    pub names: bool,
}

impl Commit {
    /// Whether anything is committed to.
    pub const fn any(self) -> bool {
        self.reasons || self.names
    }
}

/// `[identity]`: what an identity is proven with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentitySettings {
    /// A file in OpenSSH's `allowed_signers` format.
    pub allowed_signers: Option<String>,
    /// `[[identity.oidc]]`: the issuers whose tokens count.
    pub oidc: Vec<OidcIssuer>,
}

/// One issuer of CI tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcIssuer {
    /// The token's `iss`, literally.
    pub issuer: String,
    /// What the token's `aud` must hold.
    pub audience: String,
    /// The file with the issuer's keys.
    pub jwks: String,
    /// Claims that a token must have, each with one of these values. At least one of them binds it to a
    /// repository, an owner or a project.
    pub claims: BTreeMap<String, Vec<String>>,
    /// `map`: how its claims are read; nothing: as its address says, or as the claims' names say.
    pub map: Option<Mapping>,
    pub(crate) span: Range<usize>,
}

/// `[people]`: which names belong to one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// Each name, the person's own included, with the person's own name.
    by_name: BTreeMap<String, String>,
    /// The same with names in lower case.
    by_folded: BTreeMap<String, String>,
}

impl People {
    /// The person to whom `name` belongs, where `[people]` says so.
    pub fn of(&self, name: &str) -> Option<&str> {
        self.by_name.get(name).map(String::as_str)
    }

    /// The same without regard to the case of letters.
    pub(crate) fn loosely(&self, name: &str) -> Option<&str> {
        self.by_folded.get(&name.to_lowercase()).map(String::as_str)
    }

    /// Every name of the person to whom `name` belongs, `name` itself included.
    pub fn names_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let person = self.of(name);
        let others = self.by_name.iter().filter(move |(_, whose)| Some(whose.as_str()) == person);
        std::iter::once(name)
            .chain(others.map(|(other, _)| other.as_str()).filter(move |other| *other != name))
    }

    pub(crate) fn insert(&mut self, name: &str, person: &str) {
        self.by_name.insert(name.to_owned(), person.to_owned());
        self.by_folded.insert(name.to_lowercase(), person.to_owned());
    }

    /// How many names are listed.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether nobody is listed.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

/// Whom a rule names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// `*`: whoever can run the tools.
    Anyone,
    /// `group:NAME`.
    Group(String),
    /// One principal, by id.
    Id(String),
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Anyone => f.write_str("*"),
            Self::Group(name) => write!(f, "group:{name}"),
            Self::Id(id) => f.write_str(id),
        }
    }
}

/// What becomes of results that a report itself marks as suppressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Suppressions {
    /// They do not block.
    #[default]
    Honour,
    /// They block like any other.
    Block,
}

/// `[gates.NAME]`: a step that may stop a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// How much it matters.
    pub severity: Severity,
    /// From where on a finding blocks.
    pub fail_on: FailOn,
    /// The report that run mode must produce.
    pub report: Option<String>,
    /// What becomes of results that a report marks as suppressed; ask [`Gate::honours_suppressions`].
    pub report_suppressions: Suppressions,
    /// Whether a tool may report errors of its own beside its results; else such a scan did not run.
    pub accept_errors: bool,
    /// Whether a `JUnit` report without any test case passes, as linters write it of clean code; else nothing ran.
    pub accept_empty: bool,
    /// Floors by rule id, which a report cannot lower.
    pub levels: BTreeMap<String, Level>,
    /// Whether nothing starts without a usable ledger.
    pub require_ledger: bool,
    /// The statuses with which the command has done its work.
    pub findings_exit: Vec<u8>,
    /// `mode = "observe"`: the instant until which what the gate comes to is recorded and shown, and stops nobody.
    pub observed_until: Option<Timestamp>,
    /// The rules, in order. Empty: the gate cannot be opted out of.
    pub allow: Vec<Rule>,
    pub(crate) span: Range<usize>,
}

impl Gate {
    /// Why a command that ended with `status` did not run to its end, or did not do its work. `reports`: it leaves a
    /// report, so that its status must be one with which the work is done.
    pub fn did_not_run(&self, status: u8, reports: bool) -> Option<String> {
        if let Some(why) = gate_model::exit::cut_off(status) {
            return Some(why.to_owned());
        }
        if !reports || self.findings_exit.contains(&status) {
            return None;
        }
        let known = self.findings_exit.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Some(format!("the command ended with status {status}, and its work is done with {known}"))
    }

    /// The end of the gate's trial, while that lasts at `now`.
    pub fn observed(&self, now: Timestamp) -> Option<Timestamp> {
        self.observed_until.filter(|until| now < *until)
    }

    /// Whether suppressed results are left out: never for a gate without `allow`, since a comment in the code
    /// would then do what no rule allows.
    pub fn honours_suppressions(&self) -> bool {
        self.report_suppressions == Suppressions::Honour && !self.allow.is_empty()
    }

    /// The level of a finding of `rule` that its report calls `reported`: never below the floor of the rule or of a
    /// parent (`CVE-1` is one of `CVE-1/sub`).
    pub fn level_of(&self, rule: &str, reported: Level) -> Level {
        level::floored(&self.levels, rule, reported)
    }

    /// The rule with this number.
    pub fn rule(&self, number: u64) -> Option<&Rule> {
        self.allow.iter().find(|rule| rule.number == number)
    }

    /// Whether some rule grants what the trailer of a signed commit asks for.
    pub fn takes_trailers(&self) -> bool {
        self.allow.iter().any(|rule| rule.trailers)
    }

    /// Whether some rule allows a pause.
    pub fn can_be_paused(&self) -> bool {
        self.allow.iter().any(|rule| rule.actions.contains(&Action::Pause))
    }
}
