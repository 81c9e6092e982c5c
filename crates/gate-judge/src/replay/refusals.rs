//! Refusals of acts, judged again: somebody tried to approve, reject, revoke, resume or review, and may not.
//!
//! Such an entry is right if the act that it names is refused. The first writers did not say which act it was: then
//! it is right if one of the acts that were possible is refused for the very reasons that it gives, or if all of
//! them are refused; it is wrong if none is. In between nobody can tell.

use gate_model::action::Action;
use gate_model::payload::{Ask, RefusalData, Verb};
use gate_model::principal::Principal;
use gate_policy::{Actor, Subject};

use super::acts::{gate_of, owing, rule_today};
use super::books::Used;
use super::life::{Asked, OptOut};
use super::past::Past;
use super::report::{Doubt, Judged};
use super::{Position, State};

/// What the rules say about an act: the reasons against it.
type Answer = Result<(), Vec<String>>;

impl State {
    pub(super) fn judge_refusal(
        &self,
        at: Position<'_>,
        id: u64,
        data: &RefusalData,
        by: &Principal,
        used: &Used,
    ) -> Judged {
        let answers = self.answers(at, id, data, by, used)?;
        let is_possible = |(verb, _): &&(Verb, Answer)| data.act.is_none_or(|act| act == *verb);
        let possible: Vec<&Answer> = answers.iter().filter(is_possible).map(|(_, answer)| answer).collect();
        if possible.is_empty() {
            return Err(Doubt::Wrong(format!(
                "refuses an act on opt-out {id}, which was not possible any more"
            )));
        }
        let is_this = |answer: &&Answer| answer.as_ref().is_err_and(|reasons| *reasons == data.reasons);
        if possible.iter().any(is_this) || possible.iter().all(|answer| answer.is_err()) {
            return Ok(());
        }
        if data.act.is_none() && possible.iter().any(|answer| answer.is_err()) {
            return Err(Doubt::Unjudged("is a refusal that does not say of which act".to_owned()));
        }
        Err(Doubt::wrong("refuses what is allowed"))
    }

    /// The answers to every act that was possible.
    fn answers(
        &self,
        at: Position<'_>,
        id: u64,
        data: &RefusalData,
        by: &Principal,
        used: &Used,
    ) -> Result<Vec<(Verb, Answer)>, Doubt> {
        let opt_out = self.opt_out(at, id)?;
        let (policy, gate) = (used.policy(), gate_of(used, &opt_out.gate)?);
        let (now, actor) = (at.moment.earliest, actor(data, by));
        let mut answers = Vec::new();
        if let Some(asked) = opt_out.waits(now) {
            answers.extend(self.answers_to_approvers(at, opt_out, asked, (data, by), used));
        }
        if let Some(ask) = opt_out.ask().filter(|_| opt_out.lives(id, at, used)) {
            let subject = opt_out.asked(ask, None);
            answers.push((Verb::Revoke, gate_policy::may_revoke(policy, actor, subject)));
            if ask.action == Action::Pause && opt_out.grant.is_some() {
                answers.push((Verb::Resume, gate_policy::may_resume(policy, actor, subject)));
            }
        }
        if let Some(granted) = owing(opt_out) {
            let number = granted.data.rule;
            let none = || {
                vec![format!("today's policy has no break-glass rule {number} for gate '{}'", opt_out.gate)]
            };
            let rule = gate.rule(number).filter(|rule| rule.break_glass).ok_or_else(none);
            let subject = opt_out.asked(&granted.data.ask, None);
            let may = rule.and_then(|rule| gate_policy::may_review(policy, rule, actor, subject));
            answers.push((Verb::Review, may));
        }
        Ok(answers)
    }

    /// To approving and to rejecting.
    fn answers_to_approvers(
        &self,
        at: Position<'_>,
        opt_out: &OptOut,
        asked: &Asked,
        (data, by): (&RefusalData, &Principal),
        used: &Used,
    ) -> Vec<(Verb, Answer)> {
        let (policy, requester) = (used.policy(), &opt_out.requester);
        let Some(rule) = rule_today(policy, opt_out, asked) else {
            let gone =
                || vec!["today's policy no longer has the rule that this request waits under".to_owned()];
            return vec![(Verb::Approve, Err(gone())), (Verb::Reject, Err(gone()))];
        };
        let may = |approvers: &[Principal]| {
            let subject = Subject { approvers, ..opt_out.asked(&asked.data.ask, data.author.as_deref()) };
            gate_policy::may_approve(policy, rule, actor(data, by), subject)
        };
        let room = || {
            let past = Past { of_gate: self.opt_outs.of_gate(&opt_out.gate), used, now: at.moment.latest };
            let allowed = gate_policy::quota_allows(rule, requester, &past);
            allowed.map_err(|reason| vec![format!("rule {} {reason}", rule.number)])
        };
        let approving =
            may(&opt_out.approvers).and_then(|standing| if standing.is_complete() { room() } else { Ok(()) });
        let mut answers = vec![(Verb::Approve, approving), (Verb::Reject, may(&[]).map(drop))];
        // The first writers recorded an approval first, and then refused the grant for its quota.
        if data.act.is_none() && opt_out.approvers.last() == Some(by) {
            answers.push((Verb::Approve, room()));
        }
        answers
    }
}

impl OptOut {
    /// The request, if it waits at `now`.
    fn waits(&self, now: gate_model::time::Timestamp) -> Option<&Asked> {
        let waits = self.grant.is_none() && self.ended.is_none();
        self.request.as_ref().filter(|asked| waits && now < asked.data.lapses)
    }

    /// Whether it, whose ID is `id`, has not ended for whom `used` is in force.
    fn lives(&self, id: u64, at: Position<'_>, used: &Used) -> bool {
        let now = at.moment.earliest;
        self.ended_by(id, at.seq, used).is_none()
            && self.grant.as_ref().is_none_or(|granted| now < granted.data.expires)
    }

    /// What it does, or would do.
    fn ask(&self) -> Option<&Ask> {
        let granted = self.grant.as_ref().map(|granted| &granted.data.ask);
        granted.or_else(|| self.request.as_ref().map(|asked| &asked.data.ask))
    }
}

fn actor<'a>(data: &'a RefusalData, by: &'a Principal) -> Actor<'a> {
    let (reason, ticket) = (data.reason.as_deref(), data.ticket.as_deref());
    Actor { by, context: &data.context, reason, ticket }
}
