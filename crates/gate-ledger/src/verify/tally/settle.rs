//! The end of a verification: what could not be judged while entries were still coming, and the result.

use super::Tally;
use crate::archive::Statement;
use crate::chain::Bad;
use crate::verify::segments::Segments;
use crate::verify::{Archived, FirstBad, Outcome};

impl Tally<'_> {
    /// Judges what could not be judged before the end: what is missing, and whether statement and segments fit.
    pub(in crate::verify) fn settle(&mut self) {
        if let Some(start) = self.start.take()
            && !self.met
        {
            let last = start.next - 1;
            self.bad_at(last, &Bad::CutOff(last));
        }
        if let Err(contradiction) = self.rest.judge(self.proven) {
            self.reject(contradiction);
        }
        let contradiction = match (&self.segments, self.rest.statement()) {
            (Some(segments), Some((seq, statement))) => {
                let judged = self.judge_segments(segments, seq, statement);
                judged.err().map(|(at, defect)| (at, Bad::Archive { statement: seq, defect }))
            }
            (Some(segments), None) => self.rest_without_statement(segments),
            (None, _) => None,
        };
        if let Some((at, bad)) = contradiction {
            self.bad_at(at, &bad);
        }
    }

    /// What is missing beside the segments although no statement, or none that can be read, says so: then the
    /// end was cut off, or the statement was changed.
    fn rest_without_statement(&self, segments: &Segments) -> Option<(u64, Bad)> {
        if !self.in_rest {
            return None;
        }
        if let Some((seq, defect)) = self.rest.unreadable() {
            return Some((seq, Bad::Archive { statement: seq, defect: defect.to_owned() }));
        }
        let kept = self.rest.kept_before(segments.end());
        let expected =
            (0..).zip(kept).find(|(seq, kept)| *seq != kept.seq).map_or(kept.len() as u64, |(seq, _)| seq);
        (expected < segments.end()).then(|| (expected, Bad::Gap { expected, found: segments.end() }))
    }

    /// Compares the newest statement with the segments, and with what is kept beside them.
    fn judge_segments(
        &self,
        segments: &Segments,
        seq: u64,
        statement: &Statement,
    ) -> Result<(), (u64, String)> {
        segments.judge(statement).map_err(|defect| (seq, defect))?;
        if !self.in_rest || self.rest.is_broken() {
            return Ok(());
        }
        if statement.before != segments.end() {
            let (before, end) = (statement.before, segments.end());
            return Err((seq, format!("it is about entries before {before}, the segments end before {end}")));
        }
        self.rest.judge_kept(statement, 0)
    }

    /// Nothing accounts for the first gap, or something contradicts what does: all behind it is unproven.
    fn reject(&mut self, contradiction: Option<(u64, Bad)>) {
        let Some(gap) = self.rest.take_first() else { return };
        let (seq, bad) = contradiction.unwrap_or((gap.at, gap.bad));
        self.good_head = if seq >= gap.at {
            gap.head
        } else {
            let before = self.rest.kept_before(seq).last();
            before.filter(|kept| kept.seq + 1 == seq).map(|kept| (kept.seq, kept.hash))
        };
        self.good_after += self.rest.behind;
        self.first_bad = Some(FirstBad { seq: seq.min(gap.at), code: bad.code(), reason: bad.to_string() });
    }

    /// What is missing and accounted for.
    fn archived(&self) -> Option<Archived> {
        let (seq, statement) = self.rest.statement()?;
        let verified = !self.rest.is_broken();
        let missing = self.in_rest && (self.segments.is_some() || self.rest.is_broken());
        (self.is_good() && missing).then(|| Archived {
            moved: statement.moved(),
            before: statement.before,
            statement: seq,
            verified,
        })
    }

    /// The result.
    pub(in crate::verify) fn finish(mut self) -> Outcome {
        self.settle();
        let clock = "the clock went back between entries; times are claims, so this is odd, not wrong";
        let format = "entries were re-spaced or re-ordered by a filter and were written anew to be hashed";
        self.warnings.extend(self.clock_back.warning("clock-back", clock));
        let alone =
            "openings are kept for entries that are not there: the end was cut off, or rows were added";
        self.warnings.extend(self.openings_alone.warning("opening-alone", alone));
        self.warnings.extend(self.reformatted.warning("reformatted", format));
        let genesis = self.chain.genesis();
        let all = self.chain.entries();
        let good = self.first_bad.as_ref().map_or(all, |bad| bad.seq.min(all));
        Outcome {
            entries: good,
            proven: self.proven,
            head: if good == all { self.chain.newest() } else { self.good_head },
            archived: self.archived(),
            statement: self.rest.statement().map(|(_, statement)| statement.clone()),
            ledger: self.chain.ledger().map(|id| id.to_string()),
            genesis,
            genesis_pinned: self.pin.is_some() && self.pin == genesis,
            first_bad: self.first_bad,
            good_after: self.good_after,
            warnings: self.warnings,
        }
    }
}
