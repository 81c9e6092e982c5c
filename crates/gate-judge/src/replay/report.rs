//! What replay found, in bounded space.

use std::collections::BTreeMap;

use gate_model::verification::{Disagreement, NotJudged, Replay, Warning};

use super::Replayed;

/// How many disagreements, and how many reasons for not judging, are listed. What is beyond is counted.
pub(super) const MAX_LISTED: usize = 1000;

/// What is said of a verdict that needs an erased text.
const ERASED: &str = "erased: it rests on a name or a reason that is no longer there";

/// What is said of a verdict that rests on archived entries.
const ARCHIVED: &str = "it may rest on entries that were archived; judge it with their segments (--archive)";

/// Why an entry does not come out as it says, as the end of a sentence that begins with the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It should not have come out so.
    Wrong(String),
    /// This build cannot tell, since it does not know the judge.
    Unjudged(String),
    /// Nobody can tell from what is here, since what it may rest on was archived.
    Archived,
    /// Nobody can tell any more, since a name or a reason was erased.
    Erased,
}

impl Doubt {
    pub(super) fn wrong(reason: impl Into<String>) -> Self {
        Self::Wrong(reason.into())
    }
}

/// Whether an entry comes out as it says.
pub(super) type Judged = Result<(), Doubt>;

/// How often something was met, and where first.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    first: u64,
    count: u64,
}

impl Tally {
    fn add(&mut self, seq: u64) {
        if self.count == 0 {
            self.first = seq;
        }
        self.count += 1;
    }
}

/// What is odd about an entry but not wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Oddity {
    /// Judged under text of the work tree, which no owner and no revision vouches for.
    Worktree,
    /// Judged under a policy whose own entry disagrees.
    Refused,
    /// Judged under a policy that its owners had replaced by then.
    Superseded,
    /// Done by somebody whom a token proved; the token is not kept.
    Token,
}

impl Oddity {
    const fn code(self) -> &'static str {
        match self {
            Self::Worktree => "worktree-policy",
            Self::Refused => "refused-policy",
            Self::Superseded => "superseded-policy",
            Self::Token => "token-not-kept",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::Worktree => {
                "entries were judged under policy text of the work tree, which no owner and no revision vouched for"
            }
            Self::Refused => "entries were judged under a policy that its owners did not admit",
            Self::Superseded => "entries were judged under a policy that had been replaced by then",
            Self::Token => {
                "identities rest on CI tokens, which a ledger does not keep; they are taken as recorded"
            }
        }
    }
}

/// Collects what is found.
#[derive(Debug, Default)]
pub(super) struct Report {
    judged: u64,
    erased: u64,
    unknown: u64,
    disagreements: Vec<Disagreement>,
    more: Tally,
    not_judged: BTreeMap<String, Tally>,
    more_reasons: Tally,
    oddities: BTreeMap<Oddity, Tally>,
}

impl Report {
    /// Takes the judgement on the entry `seq`.
    pub(super) fn add(&mut self, seq: u64, judged: Judged) {
        match judged {
            Ok(()) => self.judged += 1,
            Err(Doubt::Wrong(reason)) => {
                self.judged += 1;
                self.disagree(seq, reason);
            }
            Err(Doubt::Unjudged(reason)) => {
                self.unknown += 1;
                self.pass_over(seq, reason);
            }
            Err(Doubt::Archived) => self.pass_over(seq, ARCHIVED.to_owned()),
            Err(Doubt::Erased) => {
                self.erased += 1;
                self.pass_over(seq, ERASED.to_owned());
            }
        }
    }

    /// Takes note of something odd about the entry `seq`.
    pub(super) fn note(&mut self, seq: u64, oddity: Oddity) {
        self.oddities.entry(oddity).or_default().add(seq);
    }

    fn disagree(&mut self, seq: u64, reason: String) {
        if self.disagreements.len() + 1 < MAX_LISTED {
            self.disagreements.push(Disagreement { seq, reason });
        } else {
            self.more.add(seq);
        }
    }

    fn pass_over(&mut self, seq: u64, reason: String) {
        if self.not_judged.len() + 1 < MAX_LISTED || self.not_judged.contains_key(&reason) {
            self.not_judged.entry(reason).or_default().add(seq);
        } else {
            self.more_reasons.add(seq);
        }
    }

    pub(super) fn finish(self) -> Replayed {
        let mut disagreements = self.disagreements;
        if self.more.count > 0 {
            let reason = format!("and {} more from this entry on", self.more.count);
            disagreements.push(Disagreement { seq: self.more.first, reason });
        }
        let counted = |reason: String, tally: Tally| match tally.count {
            1 => NotJudged { seq: tally.first, reason },
            count => {
                NotJudged { seq: tally.first, reason: format!("{reason} ({count} entries, this the first)") }
            }
        };
        let mut not_judged: Vec<NotJudged> =
            self.not_judged.into_iter().map(|(reason, tally)| counted(reason, tally)).collect();
        not_judged.sort_by_key(|one| one.seq);
        if self.more_reasons.count > 0 {
            let reason =
                format!("and {} more from this entry on, for other reasons", self.more_reasons.count);
            not_judged.push(NotJudged { seq: self.more_reasons.first, reason });
        }
        let warnings = self.oddities.into_iter().map(|(oddity, tally)| Warning {
            code: oddity.code().to_owned(),
            message: oddity.message().to_owned(),
            count: Some(tally.count),
            seq: Some(tally.first),
        });
        let Self { judged, erased, unknown, .. } = self;
        let replay = Replay { judged, erased, unknown, disagreements, not_judged };
        Replayed { replay, warnings: warnings.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Doubt, MAX_LISTED, Oddity, Report};

    #[test]
    fn a_million_disagreements_are_counted_and_not_listed() {
        let mut report = Report::default();
        for seq in 0..5_000 {
            report.add(seq, Err(Doubt::wrong("x")));
        }
        let replay = report.finish().replay;
        assert_eq!((replay.judged, replay.disagreements.len()), (5_000, MAX_LISTED));
        assert_eq!(replay.disagreements[MAX_LISTED - 1].reason, "and 4001 more from this entry on");
    }

    #[test]
    fn what_is_not_judged_is_summed_up_by_reason_and_never_counts_as_judged() {
        let mut report = Report::default();
        for seq in 3..6 {
            report.add(seq, Err(Doubt::Unjudged("judge 9".into())));
        }
        for seq in 10..5_000 {
            report.add(seq, Err(Doubt::Unjudged(format!("reason {seq}"))));
        }
        let replay = report.finish().replay;
        assert_eq!((replay.judged, replay.not_judged.len()), (0, MAX_LISTED));
        assert_eq!(
            (replay.not_judged[0].seq, replay.not_judged[0].reason.as_str()),
            (3, "judge 9 (3 entries, this the first)")
        );
    }

    #[test]
    fn oddities_become_one_warning_each() {
        let mut report = Report::default();
        report.note(7, Oddity::Worktree);
        report.note(9, Oddity::Worktree);
        let warnings = report.finish().warnings;
        assert_eq!((warnings.len(), warnings[0].count, warnings[0].seq), (1, Some(2), Some(7)));
    }
}
