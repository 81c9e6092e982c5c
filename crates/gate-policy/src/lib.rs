//! The rules: `gate.toml` parsed with places, and pure verdicts on what it allows.
//!
//! Purpose: [`parse`] turns the text into a [`Policy`] or into every error it can find, each with line, column
//! and remedy; [`admit`] judges a request; [`permits`], [`derive()`] and [`allows_use`] judge it again at each use;
//! [`may_approve`], [`may_review`], [`may_revoke`] and [`may_resume`] say what others may do with an opt-out;
//! [`lint`], [`lint_keys`], [`lint_trials`] and [`run_tests`] are what `gate-verify policy` shows.
//!
//! Invariants: default deny, and no condition that cannot be checked ever holds; a verdict depends on its
//! arguments only (no clock, no environment, no I/O); nothing that was asked for is ever widened, and a number
//! that is too large is denied, never cut down.
//!
//! Not here: proving who somebody is (gate-identity), reading reports and matching findings (gate-findings),
//! recording and counting (gate-workflow), drawing diagnostics (gate-cli).
//!
//! # The policy file
//!
//! TOML 1.0 in UTF-8, at most 1 MiB, without byte order mark, and without control characters other than tab and
//! newline anywhere (a carriage return is one), since the text becomes an entry of the ledger. Unknown keys are
//! refused. Durations are texts with a unit (`"30m"`, `"4h"`, `"14d"`), at least a second and at most ten years.
//!
//! `version` (integer, required): always 1.
//!
//! ## `[ledger]`
//!
//! | key | type | default | meaning |
//! | --- | --- | --- | --- |
//! | `path` | text | | a SQLite file, relative to the policy's folder |
//! | `remote` | address | | where the order of the entries is kept instead; both are refused |
//! | `at_least` | position and hash | | an entry that the remote must hold |
//! | `publish` | `batch`, `each` | `batch` for git, else `each` | when plain decisions are sent to the remote |
//! | `origin` | text | | the name in checkpoints: no white space, no `+` |
//! | `genesis` | `b3:` and 64 digits | | the hash of the ledger's first entry; another ledger is not used |
//!
//! ## `[policy]`
//!
//! | key | type | default | meaning |
//! | --- | --- | --- | --- |
//! | `owners` | list of who, not `*` | none | whose signature admits a change of the policy |
//! | `warn_before` | duration | `"72h"` | opt-outs that end within it are mentioned by each decision |
//!
//! ## `[repository]`
//!
//! | key | type | default | meaning |
//! | --- | --- | --- | --- |
//! | `aliases` | list of `host/path` | none | names of one repository that several hosts serve; the first stands for all |
//!
//! ## `[identity]`, `[[identity.oidc]]`
//!
//! | key | type | default | meaning |
//! | --- | --- | --- | --- |
//! | `allowed_signers` | path | | the SSH keys that count, in OpenSSH's format |
//! | `oidc.issuer` | `https://` address | required | a token's `iss`, literally |
//! | `oidc.audience` | text | required | what its `aud` must hold |
//! | `oidc.jwks` | path | required | the issuer's keys: verification is offline |
//! | `oidc.claims` | table of texts or lists of texts | required | claims that a token must have, each with one of these values; one of them must name a repository, an owner or a project |
//! | `oidc.map` | a system's name, or a table | by the issuer's address | which claims are `subject`, `repository`, `ref`, `commit`, `environment`, `run`, and what stands in front of ids (`via`) |
//!
//! ## `[people]`
//!
//! `"alice@example.com" = ["github:alice", "gitlab:alice"]`: one person and their other names. A name is one
//! person's, compared without regard to the case of its letters. A rule that names one of the names names all of
//! them (each as well known as the rule demands). Where two principals known by different kinds of identity must
//! be two people (requester and approver, two approvers), both must be listed here.
//!
//! ## `[groups]`
//!
//! `security = ["alice@example.com", "bob@example.com"]`: ids only; groups do not nest. Names match
//! `[A-Za-z0-9][A-Za-z0-9._-]*`.
//!
//! ## Who
//!
//! `"*"` is everybody; `"group:NAME"` a group; anything else one id, literally: `"alice@example.com"` as a key or
//! token names somebody, `"github:carol"`, `"os:alice"` as a CI variable or the operating system does.
//!
//! ## `[gates.NAME]`
//!
//! NAME matches `[a-z0-9][a-z0-9_-]*` and is no verb of the tools.
//!
//! | key | type | default | meaning |
//! | --- | --- | --- | --- |
//! | `severity` | `low` `medium` `high` `critical` | `medium` | how much the gate matters |
//! | `fail_on` | `none` `note` `warning` `error`, or `security-severity >= N` | `warning` | the level, or the number from 0 to 10, from which a finding blocks; a finding without the number blocks from `warning` on |
//! | `report` | path | | the report that run mode must produce |
//! | `report_suppressions` | `honour` `block` | `honour` | what becomes of results that a report marks as suppressed; a gate without `allow` never honours them |
//! | `report_errors` | `block` `accept` | `block` | whether a tool that reports errors of its own has run all the same |
//! | `mode` | `enforce` `observe` | `enforce` | `observe`: what the gate comes to is recorded and stops nobody |
//! | `until` | time | | with `observe`, and required there: when the gate begins to enforce |
//! | `empty` | `block` `pass` | `block` | whether a JUnit report without any test case passes |
//! | `levels` | table: rule id to level | none | floors that a report cannot lower |
//! | `require_ledger` | boolean | `false` | nothing starts without a usable ledger |
//! | `trailers` | boolean | `false` | whether its rules grant what the `Gate-Skip` trailers of signed commits ask for |
//! | `findings_exit` | list of 0 to 255 | `[0, 1]` | the statuses with which the scan is complete; not 124 to 127, 129 to 192 |
//! | `allow` | tables | none | the rules; without one the gate cannot be opted out of |
//!
//! ## `[[gates.NAME.allow]]`
//!
//! Every condition of a rule must hold. Rules that grant at once are tried first, then (when the request says so)
//! break-glass rules, then those with approvals.
//!
//! | key | type | default | meaning |
//! | --- | --- | --- | --- |
//! | `actions` | list of `skip` `override` `waive` `pause` | required | what it allows |
//! | `who` | list of who | required | to whom |
//! | `max_ttl` | duration | required | the longest an opt-out may last, and how long it lasts where the request does not say; a longer one is denied |
//! | `assurance` | `asserted` `oidc` `signed` | `asserted` where `who = ["*"]`, else `oidc` | how well the requester is known, at least: `oidc` means a token or a signature |
//! | `min_reason` | 1 to 4096 | 1 | the fewest characters that a reason may have |
//! | `ticket` | regular expression | | a ticket that matches is needed; it matches anywhere in the ticket unless it has `^` and `$` |
//! | `environments` | list of texts | all | the environments it is confined to, literally |
//! | `refs` | list of globs | all | the refs it is confined to, by full names (`refs/heads/release/*`); `*` does not cross `/`, `**` does |
//! | `scopes` | list of `repository` `commit` `ref` `change` `environment` `run` | see below | what a skip or an override may be bound to |
//! | `max_level` | level | all | the highest level that a waiver may name; rules that only waive |
//! | `max_uses` | integer from 1 | no limit | the most decisions that may use one opt-out |
//! | `max_renewals` | integer from 1 | none | how many times in a row one opt-out may be renewed; each renewal is judged as any request is |
//! | `approvals` | table | none | other people who must agree |
//! | `quota` | table | none | how many grants within a time |
//! | `break_glass` | boolean | `false` | for emergencies: grants at once when the request says `--break-glass`, owes a review, and is closed to whoever has one overdue |
//! | `review_within` | duration | required with `break_glass` | by when the review must follow |
//! | `reviewers` | list of who, not `*` | the rule's `who` and the owners | who may review, never the requester; required where `who` has `*` |
//! | `lapse_when` | list of `severity-raised` `fix-available` | none | what ends a waiver before its time: a security severity that rose or was not known (a higher level or severity than it names is never covered), and a fix that the report knows of |
//! | `follow_moves` | boolean | `false` | whether its waivers cover the same finding in one other file, where the file it was accepted in is gone |
//! | `trailers` | boolean | its gate's | whether it grants what the `Gate-Skip` trailers of signed commits ask for |
//! | `facts` | `asserted` `oidc` | `asserted` | how the environment, ref and repository of the run must be known, at admission and at each use |
//! | `i_accept` | text | | why a rule that lets everybody past on every ref or environment is meant; decisions repeat it |
//!
//! `approvals` has `count` (1 to 100, default 1), `from` (list of who, not `*`, required), `assurance` (default
//! `signed`: a token counts only where the rule says so), `exclude_author` (boolean, default `false`: the commit's author
//! does not count) and `within` (duration, default `"7d"`: when a pending request lapses).
//!
//! `quota` has `max` (from 1, required), `per` (duration, required: a sliding window) and `by`: `gate` (default:
//! everybody's grants by this rule together), `principal` (each person's), or `group` (together with whoever is in
//! the same group of `who`).
//!
//! ## How far a grant reaches
//!
//! * A **skip** or an **override** must be bound by one of the rule's `scopes`. Left out, these are a commit, plus
//!   a ref where the rule has `refs`, plus an environment where it has `environments`. A pipeline run is always
//!   allowed: it is the narrowest. `repository` allows one that is bound to nothing narrower than that. A request that
//!   binds itself to nothing is bound to the commit at hand; outside git it must name a run or an environment. A ref may be a pattern only if the rule has `refs`, and only one
//!   that provably lies within them.
//! * A **waiver** is bound to the repository at hand; narrower is always possible. Where the repository has no name
//!   the waiver counts only where it has none.
//! * A **pause** reaches the gate; narrower is always possible.
//! * `environments` and `refs` are pinned by the grant itself: the scope asked for must name an allowed one, else
//!   the run in which it is asked must be in one, which then becomes part of the scope. A grant can so never
//!   count elsewhere. An unknown fact satisfies nothing.
//!
//! ## `[[test]]`
//!
//! `name`, `request` and `expect` (`granted`, `pending`, `denied`) are required. In a request `gate`, `action` and
//! `by` are required; the others: `assurance` (default: `asserted` for ids with a source such as `github:dave`,
//! else `signed`), `environment`, `ref`, `commit`, `change`, `run`, `repository` (facts of the run), `facts` (how they
//! are known), `scope` (`repository`, `commit`, `ref`, `change`, `environment` or `run`: what the request is bound to;
//! default the commit for skip and override), `level` (of the finding of a waiver; default the gate's `fail_on`), `ttl` (default the
//! rule's), `ticket`, `reason` (default: long enough), `max_uses`, `break_glass`, `used` (grants that count against
//! a quota, default 0), `overdue_review` (boolean).

mod admission;
mod asking;
mod conditions;
mod denial;
mod diagnostic;
pub mod digest;
mod evidence;
mod lint;
mod parse;
mod pattern;
mod person;
mod policy;
mod quota;
mod reach;
mod renewal;
mod roles;
mod rule;
mod self_test;
mod test_case;

pub use admission::{
    Admission, ApprovalsNeeded, AuthorizationRequest, Past, Terms, admit, allows_use, derive, permits,
    quota_allows,
};
pub use asking::{Wanted, wanted};
pub use conditions::scope_holds;
pub use denial::{Failed, Kind, Trial};
pub use diagnostic::{Diagnostic, Position, Severity};
pub use lint::{Signing, lint, lint_keys, lint_trials};
pub use parse::{MAX_BYTES, decode, parse, parse_bytes};
pub use pattern::{Pattern, PatternError, RefGlob, RefGlobError, glob_matches};
pub use person::{WILDCARD_VIA, is_same_person, may_be_one_person, names, person};
pub use policy::{
    Commit, Floor, Gate, IdentitySettings, LedgerSettings, OidcIssuer, People, Policy, Publish, Remote,
    Suppressions, UnknownGate, Who,
};
pub use quota::{Earlier, counts_against};
pub use renewal::{Renewable, renewal_allows};
pub use roles::{
    Actor, Approval, Subject, approvals_standing, may_approve, may_resume, may_review, may_revoke, misplaced,
    reviewers,
};
pub use rule::{Approvals, Lapse, Quota, QuotaBy, Rule, ScopeKind};
pub use self_test::run_tests;
pub use test_case::{Expect, TestCase, TestRequest, TestResult};

/// The commented policy that `gate-log init` writes where there is none. It parses, lints clean and passes its tests.
pub const STARTER: &str = include_str!("starter.toml");
