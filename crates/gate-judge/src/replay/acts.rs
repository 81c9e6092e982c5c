//! Approvals, rejections, revocations and reviews, judged again: who may, on what, and whether the signature
//! holds.

use gate_ledger::entry::Entry;
use gate_model::action::Action;
use gate_model::payload::{
    ApprovalData, Ask, DenialData, RefusalData, RejectionData, ReviewData, RevocationData,
};
use gate_model::principal::{Assurance, Principal};
use gate_policy::{Actor, Gate, Petition, Policy, Rule, Subject};

use crate::signatures::{self, Mark};

use super::admissions::{note_token, read, rests_on};
use super::books::Used;
use super::life::{Asked, Granted, OptOut};
use super::report::{Doubt, Judged, Report};
use super::{Position, State, known_judge};

/// The gate as the act's own policy has it.
pub(super) fn gate_of<'a>(used: &'a Used, gate: &str) -> Result<&'a Gate, Doubt> {
    used.policy().gate(gate).map_err(|error| Doubt::Wrong(error.to_string()))
}

/// The rule that a policy has for a waiting request. Its number may have moved; its terms decide.
pub(super) fn rule_today<'a>(policy: &'a Policy, opt_out: &OptOut, asked: &Asked) -> Option<&'a Rule> {
    let petition = Petition {
        gate: &opt_out.gate,
        ask: &asked.data.ask,
        by: &opt_out.requester,
        context: &asked.data.context,
    };
    let found = gate_policy::permits(policy, &petition, Some(asked.data.rule)).ok();
    found.filter(|rule| rule.approvals.is_some())
}

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
            opt_out.marks.push(Mark::of(entry));
            if opt_out.grant.is_none() && opt_out.ended.is_none() {
                opt_out.approvals.push(entry.clone());
            }
            let by = crate::records::actor(entry).ok();
            if by.as_ref().is_none_or(|by| by.assurance != Assurance::Signed) {
                opt_out.approved_unsigned = Some(entry.seq);
            }
            opt_out.approvers.extend(by);
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
        let (opt_out, asked) = self.waiting(at, id, at.moment.earliest)?;
        if data.subject != asked.entry.hash.to_string() {
            return Err(Doubt::Wrong(format!("approves another entry than request {id}")));
        }
        let Some(rule) = rule_today(used.policy(), opt_out, asked) else {
            return Err(Doubt::wrong("approves a request whose rule its policy does not have"));
        };
        let actor = Actor { by, context: &data.context, reason: data.reason.as_deref(), ticket: None };
        let subject = opt_out.asked(&asked.data.ask, data.author.as_deref());
        let may = gate_policy::may_approve(used.policy(), rule, actor, subject);
        may.map(drop).map_err(|reasons| refused(&reasons))?;
        stated(entry, by, used, &[Mark::of(&asked.entry)])
    }

    /// Judges a denial, and files it where it ends a request.
    pub(super) fn denial(&mut self, at: Position<'_>, entry: &Entry, report: &mut Report) -> Judged {
        let is_refusal = entry.data.get("refused").is_some();
        let judged = match entry.reference {
            None => self.file_denial(at, entry, report),
            Some(id) if is_refusal => self.file_refusal(at, id, entry, report),
            Some(id) => self.file_rejection(at, id, entry, report),
        };
        if let Some(opt_out) = self.opt_out_of(entry) {
            opt_out.marks.push(Mark::of(entry));
            if let (false, Some(id)) = (is_refusal, entry.reference) {
                self.opt_outs.end(id, entry.seq);
            }
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
        let (opt_out, asked) = self.waiting(at, id, at.moment.earliest)?;
        if data.subject != asked.entry.hash.to_string() {
            return Err(Doubt::Wrong(format!("rejects another entry than request {id}")));
        }
        let Some(rule) = rule_today(used.policy(), opt_out, asked) else {
            return Err(Doubt::wrong("rejects a request whose rule its policy does not have"));
        };
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
        if let Some(opt_out) = self.opt_out_of(entry) {
            opt_out.marks.push(Mark::of(entry));
            // It ends the opt-out whatever it is worth: that is the safe side, and how it is used.
            self.opt_outs.end(crate::records::id_of(entry), entry.seq);
        }
        judged
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
        let opt_out = self.living(at, id)?;
        let (hash, ask) = subject(opt_out).ok_or_else(|| Doubt::wrong("ends what is no opt-out"))?;
        if data.subject != hash || data.action != ask.action {
            return Err(Doubt::Wrong(format!("ends another entry than opt-out {id} is")));
        }
        let (reason, ticket) = (Some(data.reason.as_str()), data.ticket.as_deref());
        let actor = Actor { by, context: &data.context, reason, ticket };
        gate_policy::may_revoke(used.policy(), actor, opt_out.asked(ask, None))
            .map_err(|reasons| refused(&reasons))?;
        if is_resume(entry) && ask.action == Action::Pause {
            return stated(entry, by, used, &self.marks_of_pauses(&opt_out.gate));
        }
        stated(entry, by, used, &opt_out.marks)
    }

    /// The opt-out `id`, which has not ended.
    fn living(&self, at: Position<'_>, id: u64) -> Result<&OptOut, Doubt> {
        let opt_out = self.opt_out(at, id)?;
        let over = opt_out.grant.as_ref().is_some_and(|granted| granted.data.expires <= at.moment.earliest);
        if over || opt_out.ended.is_some() {
            return Err(Doubt::Wrong(format!("ends opt-out {id}, which had ended before")));
        }
        Ok(opt_out)
    }

    /// The opt-out `id` of the gate at hand.
    pub(super) fn opt_out(&self, at: Position<'_>, id: u64) -> Result<&OptOut, Doubt> {
        if let Some(doubt) = self.opt_outs.lost(id) {
            return Err(rests_on(doubt, id));
        }
        let found = self.opt_outs.get(id).filter(|opt_out| at.gate == Some(opt_out.gate.as_str()));
        found.ok_or_else(|| Doubt::Wrong(format!("names opt-out {id}, and this gate has none there")))
    }

    /// Whoever resumes a gate signs for one of its pauses, and all of them end.
    fn marks_of_pauses(&self, gate: &str) -> Vec<Mark> {
        let pauses = self.opt_outs.of_gate(gate).into_iter().flat_map(|of_gate| &of_gate.pauses);
        pauses.filter_map(|id| self.opt_outs.get(*id)).flat_map(|pause| pause.marks.iter().copied()).collect()
    }

    /// Judges a review and files it.
    pub(super) fn review(&mut self, at: Position<'_>, entry: &Entry, report: &mut Report) -> Judged {
        let judged = read::<ReviewData>(entry).and_then(|(data, by)| {
            note_token(at.seq, &by, report);
            known_judge(data.judge.into())?;
            let used = self.used(at, &data.policy, report)?;
            self.judge_review(at, entry, &data, &by, &used)
        });
        if let Some(opt_out) = self.opt_out_of(entry) {
            opt_out.marks.push(Mark::of(entry));
            self.opt_outs.settle(crate::records::id_of(entry), entry.seq);
            if crate::records::ends_opt_out(entry) {
                self.opt_outs.end(crate::records::id_of(entry), entry.seq);
            }
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
        let opt_out = self.opt_out(at, id)?;
        let granted =
            owing(opt_out).ok_or_else(|| Doubt::Wrong(format!("reviews opt-out {id}, which owes none")))?;
        if data.subject != granted.hash.to_string() {
            return Err(Doubt::Wrong(format!("reviews another entry than the grant of opt-out {id}")));
        }
        let rule = reviewable(used, &opt_out.gate, granted)?;
        let actor = Actor { by, context: &data.context, reason: Some(&data.reason), ticket: None };
        gate_policy::may_review(used.policy(), rule, actor, opt_out.asked(&granted.data.ask, None))
            .map_err(|reasons| refused(&reasons))?;
        stated(entry, by, used, &opt_out.marks)
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
    signatures::statement_among(used.trust(), entry, by, subjects)
        .map_err(|error| Doubt::Wrong(format!("has a signature that does not hold: {error}")))
}

/// Somebody who may not has done it.
fn refused(reasons: &[String]) -> Doubt {
    Doubt::Wrong(format!("should have been refused: {}", reasons.join("; ")))
}

/// What a revocation of the opt-out is about: the hash of its grant, else of its request, and what was asked for.
fn subject(opt_out: &OptOut) -> Option<(String, &Ask)> {
    if let Some(granted) = &opt_out.grant {
        return Some((granted.hash.to_string(), &granted.data.ask));
    }
    let asked = opt_out.request.as_ref()?;
    Some((asked.entry.hash.to_string(), &asked.data.ask))
}

fn is_resume(entry: &Entry) -> bool {
    let act = entry.data.get("statement").and_then(|statement| statement.get("act"));
    act.is_some_and(|act| act == "resume")
}

/// The grant of an opt-out that owes a review which nobody gave yet.
pub(super) fn owing(opt_out: &OptOut) -> Option<&Granted> {
    let granted = opt_out.grant.as_ref()?;
    (granted.data.owes.is_some() && opt_out.reviewed.is_none()).then_some(granted)
}

/// The break-glass rule by which the grant is reviewed.
fn reviewable<'a>(used: &'a Used, gate: &str, granted: &Granted) -> Result<&'a Rule, Doubt> {
    let rule = gate_of(used, gate)?.rule(granted.data.rule).filter(|rule| rule.break_glass);
    rule.ok_or_else(|| {
        Doubt::Wrong(format!("reviews under a policy without break-glass rule {}", granted.data.rule))
    })
}
