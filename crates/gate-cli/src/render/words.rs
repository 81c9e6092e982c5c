//! Small phrases that several renderers share.

use gate_model::context::Context;
use gate_model::decision::{Decision, OptOut};
use gate_model::finding::Finding;
use gate_model::principal::Principal;
use gate_model::scope::{Scope, short_commit};
use gate_model::time::Timestamp;

/// `1 finding`, `2 findings`.
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    // A number that does not fit into 64 bits cannot come from a collection.
    gate_model::text::count(number.try_into().unwrap_or(u64::MAX), noun)
}

/// An instant for people: UTC, to the second.
pub fn instant(time: Timestamp) -> String {
    time.to_second()
}

/// How far `time` is from `now`, in the largest unit that fits, rounded down: `in 3h`, `2d ago`, `now`.
pub fn relative(time: Timestamp, now: Timestamp) -> String {
    let ahead = time.micros() - now.micros();
    let seconds = ahead.unsigned_abs() / 1_000_000;
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let Some(first) = units.iter().position(|&(_, size)| seconds >= size) else { return "now".to_owned() };
    let (unit, size) = units[first];
    // Two units for what is to come: eight hours that were granted a moment ago are not seven.
    let next = units.get(first + 1).filter(|_| ahead > 0);
    let rest = next.map(|(unit, small)| (seconds % size / small, unit));
    let length = match rest.filter(|(count, _)| *count > 0) {
        Some((count, smaller)) => format!("{}{unit} {count}{smaller}", seconds / size),
        None => format!("{}{unit}", seconds / size),
    };
    if ahead > 0 { format!("in {length}") } else { format!("{length} ago") }
}

/// An end for people: `2026-11-22T16:30:35Z (in 3h)`.
pub fn ends(time: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", instant(time), relative(time, now))
}

/// Where a finding is: `path:line`, as much of it as is known.
pub(super) fn location(finding: &Finding) -> String {
    match (&finding.path, finding.line) {
        (Some(path), Some(line)) => format!("{path}:{line}"),
        (Some(path), None) => path.clone(),
        (None, Some(line)) => format!("line {line}"),
        (None, None) => String::new(),
    }
}

/// A principal with how it is known: `alice@example.com (signed)`.
pub(super) fn principal(who: &Principal) -> String {
    format!("{} ({})", who.id, who.assurance)
}

/// An opt-out in half a sentence: `opt-out 41 (waive by alice@example.com: the reason)`.
pub(super) fn opt_out(opt_out: &OptOut) -> String {
    format!("opt-out {} ({} by {}: {})", opt_out.id, opt_out.action, opt_out.by, opt_out.reason)
}

/// The opt-out `id` as a decision tells of it; its number where the decision does not.
pub(super) fn grant_of(decision: &Decision, id: u64) -> String {
    decision.grants.iter().find(|grant| grant.id == id).map_or_else(|| format!("opt-out {id}"), opt_out)
}

/// What a scope names, `commit 1234…, environment production`; the gate itself where it names nothing.
pub(super) fn scope(scope: &Scope) -> String {
    let members = [
        ("repository", &scope.repository),
        ("commit", &scope.commit),
        ("ref", &scope.git_ref),
        ("change", &scope.change),
        ("environment", &scope.environment),
        ("run", &scope.run),
    ];
    let named = members
        .into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} {}", short_commit(value))));
    let text = named.collect::<Vec<_>>().join(", ");
    if text.is_empty() { "the gate itself".to_owned() } else { text }
}

/// The facts of a run that a person looks for.
pub(super) fn context(context: &Context) -> Vec<(&'static str, String)> {
    let dirty = if context.dirty == Some(true) { " (tracked files differ from it)" } else { "" };
    let run = context.run.as_ref().map(|run| {
        let attempt = run.attempt.filter(|attempt| *attempt > 1);
        let attempt = attempt.map_or_else(String::new, |attempt| format!(" (attempt {attempt})"));
        let url = run.url.as_ref().map_or_else(String::new, |url| format!(" {url}"));
        format!("{}{attempt}{url}", run.id)
    });
    let members = [
        ("repository", context.repository.clone()),
        ("commit", context.commit.as_ref().map(|commit| format!("{}{dirty}", short_commit(commit)))),
        ("ref", context.git_ref.clone()),
        ("change", context.change.clone()),
        ("environment", context.environment.clone()),
        ("run", run),
        ("conflicts", (!context.conflicts.is_empty()).then(|| context.conflicts.join("; "))),
    ];
    members.into_iter().filter_map(|(label, value)| value.map(|value| (label, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, count, ends, instant, relative};

    #[test]
    fn times_are_utc_and_relative_to_now() {
        let at = |text| Timestamp::parse(text).unwrap();
        let now = at("2026-11-22T16:30:35.5Z");
        assert_eq!(instant(now), "2026-11-22T16:30:35Z");
        let cases = [
            ("2026-11-22T20:30:35.4Z", "in 3h 59m"),
            ("2026-11-22T20:30:35.5Z", "in 4h"),
            ("2026-12-06T16:30:35.5Z", "in 14d"),
            ("2026-11-22T16:30:35.5Z", "now"),
            ("2026-11-22T16:30:34.5Z", "1s ago"),
            ("2026-11-22T16:29:35.5Z", "1m ago"),
            ("2026-11-22T16:30:35.6Z", "now"),
            ("0001-01-01T00:00:00Z", "739941d ago"),
        ];
        for (time, expected) in cases {
            assert_eq!(relative(at(time), now), expected, "{time}");
        }
        assert_eq!(ends(at("2026-11-22T17:30:36Z"), now), "2026-11-22T17:30:36Z (in 1h)");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(
            (count(0_u64, "opt-out"), count(1_usize, "finding")),
            ("0 opt-outs".into(), "1 finding".into())
        );
    }
}
