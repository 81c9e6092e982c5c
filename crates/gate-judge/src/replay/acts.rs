//! Approvals, rejections, revocations and reviews, judged again: who may, on what, and whether the signature
//! holds.

use crate::repository::Whose;
use gate_ledger::entry::Entry;
use gate_model::action::Action;
use gate_model::payload::{ApprovalData, DenialData, RefusalData, RejectionData, ReviewData, RevocationData};
use gate_model::principal::Principal;
use gate_policy::{Actor, Subject};

use crate::acts;
use crate::lifting;
use crate::signatures::Mark;
use crate::standing::Approved;
use crate::statement;

use super::admissions::{note_token, read, rests_on};
use super::life::{Deed, Granted, OptOut};
use super::policy_log::Used;
use super::report::{Doubt, Judged, Report};
use super::{Position, State, known_judge};

impl State {
    /// The ID of the opt-out that an act belongs to.
    fn id_of(at: Position<'_>, entry: &Entry) -> Result<u64, Doubt> {
        at.gate()?;
        entry.reference.ok_or_else(|| Doubt::wrong("names no opt-out"))
    }

    /// Judges an approval and files it.
    pub(super) fn approval(&mut self, at: Position<'_>, entry: &Entry, report: &mut Report) -> Judged {
        let judged = read::<ApprovalData>(entry).and_then(|(data, by)| {
            note_token(at.seq, &by, report);
            known_judge(data.judge.into())?;
            let used = self.used(at, &data.policy, report)?;
            self.judge_approval(at, entry, &data, &by, &used)
        });
        // Whatever it is worth, it stands in the request's life, as those who count approvals see it.
        if let Some(opt_out) = self.opt_out_of(entry) {
            opt_out.pass(entry);
            if opt_out.life.answered().is_none() {
                opt_out.approvals.push(entry.clone());
            }
            opt_out.approved.push(Approved::of(entry));
            if opt_out.grant.is_none() {
                opt_out.approvers.extend(crate::records::actor(entry).ok());
            }
        }
        judged
    }

    fn judge_approval(
        &self,
        at: Position<'_>,
        entry: &Entry,
        data: &ApprovalData,
        by: &Principal,
        used: &Used,
    ) -> Judged {
        let id = Self::id_of(at, entry)?;
        let (opt_out, asked) = self.waiting(at, id, at.instant(data.judged_at)?)?;
        if data.subject != asked.entry.hash.to_string() {
            return Err(Doubt::Wrong(format!("approves another entry than request {id}")));
        }
        let rule = acts::rule_of_request(used.policy(), &opt_out.gate, &asked.data, &opt_out.requester);
        let rule = rule.map_err(|reasons| refused(&reasons))?;
        let actor = Actor { by, context: &data.context, reason: data.reason.as_deref(), ticket: None };
        let subject = opt_out.asked(&asked.data.ask, data.author.as_deref());
        let may = gate_policy::may_approve(used.policy(), rule, actor, subject);
        may.map(drop).map_err(|reasons| refused(&reasons))?;
        stated(entry, by, used, &[Mark::of(&asked.entry)])
    }

    /// Judges a denial, and files it where it ends a request.
    pub(super) fn denial(&mut self, at: Position<'_>, entry: &Entry, report: &mut Report) -> Judged {
        let is_refusal = crate::records::is_refused_act(entry);
        let judged = match entry.reference {
            None => self.file_denial(at, entry, report),
            Some(id) if is_refusal => self.file_refusal(at, id, entry, report),
            Some(id) => self.file_rejection(at, id, entry, report),
        };
        if let Some(opt_out) = self.opt_out_of(entry)
            && opt_out.pass(entry)
        {
            opt_out.approvals = Vec::new();
        }
        judged
    }

    fn file_denial(&mut self, at: Position<'_>, entry: &Entry, report: &mut Report) -> Judged {
        let (data, by) = read::<DenialData>(entry)?;
        note_token(at.seq, &by, report);
        known_judge(data.judge.into())?;
        let used = self.used(at, &data.policy, report)?;
        self.denied_ask(at, entry, &data, &by, &used)
    }

    fn file_refusal(&mut self, at: Position<'_>, id: u64, entry: &Entry, report: &mut Report) -> Judged {
        let (data, by) = read::<RefusalData>(entry)?;
        note_token(at.seq, &by, report);
        known_judge(data.judge.into())?;
        let used = self.used(at, &data.policy, report)?;
        self.judge_refusal(at, id, &data, &by, &used)
    }

    fn file_rejection(&mut self, at: Position<'_>, id: u64, entry: &Entry, report: &mut Report) -> Judged {
        let (data, by) = read::<RejectionData>(entry)?;
        note_token(at.seq, &by, report);
        known_judge(data.judge.into())?;
        let used = self.used(at, &data.policy, report)?;
        self.judge_rejection(at, (id, entry), &data, &by, &used)
    }

    fn judge_rejection(
        &self,
        at: Position<'_>,
        (id, entry): (u64, &Entry),
        data: &RejectionData,
        by: &Principal,
        used: &Used,
    ) -> Judged {
        let (opt_out, asked) = self.waiting(at, id, at.instant(data.judged_at)?)?;
        if data.subject != asked.entry.hash.to_string() {
            return Err(Doubt::Wrong(format!("rejects another entry than request {id}")));
        }
        let rule = acts::rule_of_request(used.policy(), &opt_out.gate, &asked.data, &opt_out.requester);
        let rule = rule.map_err(|reasons| refused(&reasons))?;
        stated(entry, by, used, &[Mark::of(&asked.entry)])?;
        let actor = Actor { by, context: &data.context, reason: Some(&data.reason), ticket: None };
        // Who approved before may still reject.
        let subject = Subject { approvers: &[], ..opt_out.asked(&asked.data.ask, data.author.as_deref()) };
        gate_policy::may_approve(used.policy(), rule, actor, subject)
            .map(drop)
            .map_err(|reasons| refused(&reasons))
    }

    /// Judges a revocation and files it.
    pub(super) fn revocation(&mut self, at: Position<'_>, entry: &Entry, report: &mut Report) -> Judged {
        let judged = read::<RevocationData>(entry).and_then(|(data, by)| {
            note_token(at.seq, &by, report);
            known_judge(data.judge.into())?;
            let used = self.used(at, &data.policy, report)?;
            self.judge_revocation(at, entry, &data, &by, &used)
        });
        let judged = self.excuse(entry, judged);
        self.file_end(entry, &judged);
        judged
    }

    /// Files a revocation or a review. Where it would end the opt-out: whatever it is worth, that is the safe side for all but a pause, which ends by
    /// what may end it. Where nobody can tell whether that may, nobody can tell of the pause any more.
    fn file_end(&mut self, entry: &Entry, judged: &Judged) {
        let newer = self.marks_of_newer_pauses(entry);
        let Some(opt_out) = self.opt_out_of(entry) else { return };
        if !opt_out.pass(entry) {
            return;
        }
        let is_pause = opt_out.grant.as_ref().is_some_and(|granted| granted.data.ask.action == Action::Pause);
        match judged {
            _ if !is_pause => opt_out.approvals = Vec::new(),
            Ok(()) => opt_out.lifts.push(Deed::new(entry, newer)),
            Err(Doubt::Wrong(_)) => {}
            Err(doubt) => opt_out.flaw = Some(doubt.clone()),
        }
    }

    fn judge_revocation(
        &self,
        at: Position<'_>,
        entry: &Entry,
        data: &RevocationData,
        by: &Principal,
        used: &Used,
    ) -> Judged {
        let id = Self::id_of(at, entry)?;
        let now = at.instant(data.judged_at)?;
        if let Some(renewal) = data.renewed {
            return self.judge_renewed(at, (id, entry), data, by, renewal);
        }
        let opt_out = self.opt_out(at, id)?;
        if opt_out.over(id, now, used).is_some() {
            return Err(Doubt::Wrong(format!("ends opt-out {id}, which had ended before")));
        }
        let marks = [opt_out.marks.as_slice(), &self.marks_of_newer_pauses(entry)].concat();
        let ended = opt_out.to_end(id, &marks).ok_or_else(|| Doubt::wrong("ends what is no opt-out"))?;
        ended.by_revocation(used.trust(), (entry, data, by)).map_err(Doubt::Wrong)
    }

    /// Whether the grant right before `entry` is of the opt-out `renewal` and took the place of the opt-out `id`. Whoever was
    /// granted that needs no other right to end it.
    fn judge_renewed(
        &self,
        at: Position<'_>,
        (id, entry): (u64, &Entry),
        data: &RevocationData,
        by: &Principal,
        renewal: u64,
    ) -> Judged {
        let (renewed, successor) = (self.opt_out(at, id)?, self.opt_out(at, renewal)?);
        if let Some(flaw) = &successor.flaw {
            return Err(rests_on(flaw, renewal));
        }
        let took_over = |granted: &Granted| {
            renewed.life.ended_for_all().is_none()
                && entry.seq == granted.seq + 1
                && granted.data.ask.renews.as_ref().is_some_and(|renews| renews.id == id)
        };
        let subject = renewed.grant.as_ref().map(|granted| granted.hash.to_string());
        if subject.as_ref() == Some(&data.subject)
            && successor.requester == *by
            && successor.grant.as_ref().is_some_and(took_over)
        {
            return Ok(());
        }
        Err(Doubt::Wrong(format!("ends opt-out {id} as renewed, and opt-out {renewal} does not renew it")))
    }

    /// The opt-out `id` of the gate at hand.
    pub(super) fn opt_out(&self, at: Position<'_>, id: u64) -> Result<&OptOut, Doubt> {
        if let Some(doubt) = self.opt_outs.lost(id) {
            return Err(rests_on(doubt, id));
        }
        let found = self.opt_outs.get(id).filter(|opt_out| at.gate == Some(opt_out.gate.as_str()));
        found.ok_or_else(|| Doubt::Wrong(format!("names opt-out {id}, and this gate has none there")))
    }

    /// The pauses of the gate that were made after the one that `entry` ends, where it is signed as a resume.
    fn marks_of_newer_pauses(&self, entry: &Entry) -> Vec<Mark> {
        let ended = entry.reference.and_then(|id| self.opt_outs.get(id)?.grant.as_ref());
        let (Some(ended), Some(gate), true) = (ended, &entry.gate, lifting::is_resume(entry)) else {
            return Vec::new();
        };
        let pauses = self.opt_outs.of_gate(gate).into_iter().flat_map(|of_gate| &of_gate.pauses);
        let granted = pauses.filter_map(|id| self.opt_outs.get(*id)?.grant.as_ref());
        let ours = Whose::of_grant(&ended.data);
        let is_ours = |pause: &&Granted| !Whose::of_grant(&pause.data).is_apart(ours);
        granted.filter(|pause| pause.seq > ended.seq).filter(is_ours).map(Granted::mark).collect()
    }

    /// Judges a review and files it.
    pub(super) fn review(&mut self, at: Position<'_>, entry: &Entry, report: &mut Report) -> Judged {
        let judged = read::<ReviewData>(entry).and_then(|(data, by)| {
            note_token(at.seq, &by, report);
            known_judge(data.judge.into())?;
            let used = self.used(at, &data.policy, report)?;
            self.judge_review(at, entry, &data, &by, &used)
        });
        let judged = self.excuse(entry, judged);
        self.file_end(entry, &judged);
        let id = crate::records::id_of(entry);
        match &judged {
            _ if self.opt_out_of(entry).is_none() => {}
            // A review that should have been refused settles nothing.
            Err(Doubt::Wrong(_)) => {}
            Ok(()) => self.opt_outs.review(id, entry),
            // Where nobody can tell, nobody can hold it against a later grant.
            Err(_) => self.opt_outs.settle(id, entry.seq),
        }
        judged
    }

    fn judge_review(
        &self,
        at: Position<'_>,
        entry: &Entry,
        data: &ReviewData,
        by: &Principal,
        used: &Used,
    ) -> Judged {
        let id = Self::id_of(at, entry)?;
        at.instant(data.judged_at)?;
        let opt_out = self.opt_out(at, id)?;
        let granted = owing((id, opt_out), used)
            .ok_or_else(|| Doubt::Wrong(format!("reviews opt-out {id}, which owes none")))?;
        let ended = opt_out.to_end(id, &opt_out.marks).ok_or_else(|| Doubt::wrong("reviews no opt-out"))?;
        ended.by_review(used.trust(), granted.data.rule, (entry, data, by)).map_err(Doubt::Wrong)
    }

    /// The opt-out in whose life an entry stands.
    fn opt_out_of(&mut self, entry: &Entry) -> Option<&mut OptOut> {
        let gate = entry.gate.as_deref();
        let opt_out = self.opt_outs.get_mut(entry.reference?)?;
        Some(opt_out).filter(|opt_out| gate == Some(opt_out.gate.as_str()))
    }
}

/// Whether the signed statement of an act holds, where its actor signed, and is about one of `subjects`.
fn stated(entry: &Entry, by: &Principal, used: &Used, subjects: &[Mark]) -> Judged {
    statement::holds(used.trust(), entry, by, subjects)
        .map_err(|error| Doubt::Wrong(format!("has a signature that does not hold: {error}")))
}

/// Somebody who may not has done it.
fn refused(reasons: &[String]) -> Doubt {
    Doubt::Wrong(lifting::refused(reasons))
}

/// The grant of an opt-out that owes a review which nobody gave yet, as whom `used` is in force sees it.
pub(super) fn owing<'a>((id, opt_out): (u64, &'a OptOut), used: &Used) -> Option<&'a Granted> {
    let granted = opt_out.grant.as_ref()?;
    (granted.data.owes.is_some() && !opt_out.is_reviewed(id, &used.recorded)).then_some(granted)
}
