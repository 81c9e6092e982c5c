//! `[[gates.NAME.allow]]`: the keys of a rule. What the keys must be to each other is `rule_shape`'s.

use gate_model::action::Action;
use gate_model::principal::Assurance;
use gate_model::text::MAX_TEXT;

use super::gates::levels;
use super::people::Names;
use super::reader::{Reader, Value};
use super::rule_shape;
use super::table::Table;
use super::who::{self, Wildcard};
use crate::pattern::{Pattern, PatternError, RefGlob, RefGlobError};
use crate::policy::Who;
use crate::rule::{Approvals, Lapse, Quota, QuotaBy, Rule, ScopeKind};

/// The largest count that a policy may name: far above any use, far below any overflow.
const MANY: u64 = 1_000_000;
/// How long a pending request waits where the policy does not say: over a weekend and a holiday.
const APPROVED_WITHIN: u64 = 7 * 86_400;

/// Reads one rule; nothing where it has no `max_ttl`, `actions` or `who`, which are errors. `trailers` is what its gate
/// says of them.
pub(super) fn rule(
    reader: &mut Reader<'_>,
    mut table: Table<'_>,
    number: u64,
    names: Names<'_>,
    trailers: bool,
) -> Option<Rule> {
    let actions = table.get("actions").map(|value| reader.each(&value, action));
    let who = table.get("who").map(|value| who::list(reader, &value, names, Wildcard::Allowed));
    let said = table.word(reader, "assurance", &assurances());
    let max_ttl = table.duration(reader, "max_ttl");
    let rule = Rule {
        number,
        actions: actions.unwrap_or_default(),
        assurance: said.unwrap_or(if who.as_deref() == Some(&[Who::Anyone]) {
            Assurance::Asserted
        } else {
            Assurance::Oidc
        }),
        who: who.unwrap_or_default(),
        max_ttl: max_ttl.unwrap_or(1),
        min_reason: table.integer(reader, "min_reason", 1..=MAX_TEXT as u64).unwrap_or(1),
        ticket: table.get("ticket").and_then(|value| pattern(reader, &value)),
        environments: table
            .get("environments")
            .map(|value| reader.each(&value, Reader::string))
            .unwrap_or_default(),
        refs: table.get("refs").map(|value| reader.each(&value, ref_glob)).unwrap_or_default(),
        scopes: table.get("scopes").map(|value| reader.each(&value, scope_kind)).unwrap_or_default(),
        max_level: table.word(reader, "max_level", &levels()),
        max_uses: table.integer(reader, "max_uses", 1..=MANY),
        approvals: table.table(reader, "approvals").and_then(|table| approvals(reader, table, names)),
        quota: table.table(reader, "quota").and_then(|table| quota(reader, table)),
        break_glass: table.boolean(reader, "break_glass").unwrap_or(false),
        review_within: table.duration(reader, "review_within"),
        reviewers: table
            .get("reviewers")
            .map(|value| who::list(reader, &value, names, Wildcard::Refused))
            .unwrap_or_default(),
        lapse_when: table.get("lapse_when").map(|value| reader.each(&value, lapse)).unwrap_or_default(),
        follow_moves: table.boolean(reader, "follow_moves").unwrap_or(false),
        trailers: table.boolean(reader, "trailers").unwrap_or(trailers),
        facts: table.word(reader, "facts", &[("asserted", Assurance::Asserted), ("oidc", Assurance::Oidc)]),
        i_accept: table.string(reader, "i_accept"),
        span: table.span.clone(),
    };
    let rule = rule_shape::complete(reader, &mut table, rule);
    table.finish(reader);
    rule
}

fn assurances() -> [(&'static str, Assurance); 3] {
    Assurance::ALL.map(|assurance| (assurance.as_str(), assurance))
}

fn action(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Action> {
    reader.word(value, &Action::ALL.map(|action| (action.as_str(), action)))
}

fn scope_kind(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<ScopeKind> {
    reader.word(value, &ScopeKind::ALL.map(|kind| (kind.as_str(), kind)))
}

fn lapse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Lapse> {
    reader.word(value, &Lapse::ALL.map(|lapse| (lapse.as_str(), lapse)))
}

fn pattern(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Pattern> {
    let text = reader.string(value)?;
    match Pattern::new(&text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let help = match error {
                PatternError::Empty => "write a pattern such as ^SEC-[0-9]+$, or take the key out",
                PatternError::Regex(_) => {
                    "write a regular expression such as ^SEC-[0-9]+$; between single quotes a backslash stays as it is"
                }
            };
            reader.error(value.span(), "bad-pattern", format!("'{}': {error}", value.place)).remedy(help);
            None
        }
    }
}

fn ref_glob(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<RefGlob> {
    let text = reader.string(value)?;
    match RefGlob::new(&text) {
        Ok(glob) => Some(glob),
        Err(error) => {
            let help = match error {
                RefGlobError::Short(_) => "refs are compared by their full names",
                RefGlobError::Negated(_) => "list what is meant, as in refs/heads/release/*",
                RefGlobError::Glob(..) => "'*' stands for one part of a name, '**' for any number of parts",
            };
            reader.error(value.span(), "bad-ref", format!("'{}': {error}", value.place)).remedy(help);
            None
        }
    }
}

/// An approver is known by a key where nothing else is said: whoever can run a job has its token.
fn approvals(reader: &mut Reader<'_>, mut table: Table<'_>, names: Names<'_>) -> Option<Approvals> {
    let count = match table.get("count") {
        Some(value) => reader.integer(&value, 1..=100),
        None => Some(1),
    };
    let from = table.get("from").map(|value| who::list(reader, &value, names, Wildcard::Refused));
    let assurance = table.word(reader, "assurance", &assurances());
    let exclude_author = table.boolean(reader, "exclude_author").unwrap_or(false);
    let within = table.duration(reader, "within").unwrap_or(APPROVED_WITHIN);
    if from.is_none() {
        table.missing(
            reader,
            "from",
            "missing-key",
            "say who may approve, as in from = [\"group:security\"]",
        );
    }
    table.finish(reader);
    let assurance = assurance.unwrap_or(Assurance::Signed);
    Some(Approvals { count: count?, from: from?, assurance, exclude_author, within })
}

fn quota(reader: &mut Reader<'_>, mut table: Table<'_>) -> Option<Quota> {
    let max = table.get("max").map(|value| reader.integer(&value, 1..=MANY));
    let per = table.get("per").map(|value| reader.duration(&value));
    let by = table.word(reader, "by", &QuotaBy::ALL.map(|by| (by.as_str(), by))).unwrap_or_default();
    if max.is_none() {
        table.missing(reader, "max", "missing-key", "say how many, as in quota = { max = 5, per = \"7d\" }");
    }
    if per.is_none() {
        table.missing(
            reader,
            "per",
            "missing-key",
            "say in which time, as in quota = { max = 5, per = \"7d\" }",
        );
    }
    table.finish(reader);
    Some(Quota { max: max??, per: per??, by })
}
