//! Refusals of acts, judged again: somebody tried to approve, reject, revoke, resume or review, and may not.
//!
//! Such an entry says who, on what and why, but not which act it was. It is right if one of the acts that were
//! possible then is refused for the very reasons that it gives, or if all of them are refused; it is wrong if
//! none is. In between nobody can tell.

use gate_model::action::Action;
use gate_model::payload::DenialData;
use gate_model::principal::Principal;

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
        data: &DenialData,
        by: &Principal,
        used: &Used,
    ) -> Judged {
        let opt_out = self.opt_out(at, id)?;
        let answers = self.answers(at, opt_out, data, by, used)?;
        let is_refused = |answer: &Answer| answer.is_err();
        let is_this = |answer: &Answer| answer.as_ref().is_err_and(|reasons| *reasons == data.reasons);
        if answers.is_empty() {
            return Err(Doubt::Wrong(format!("refuses an act on opt-out {id}, which had ended before")));
        }
        if answers.iter().any(is_this) || answers.iter().all(is_refused) {
            return Ok(());
        }
        if answers.iter().any(is_refused) {
            return Err(Doubt::Unjudged("is a refusal that does not say of which act".to_owned()));
        }
        Err(Doubt::wrong("refuses what is allowed"))
    }

    /// The answers to every act that was possible.
    fn answers(
        &self,
        at: Position<'_>,
        opt_out: &OptOut,
        data: &DenialData,
        by: &Principal,
        used: &Used,
    ) -> Result<Vec<Answer>, Doubt> {
        let (policy, gate) = (used.policy(), gate_of(used, &opt_out.gate)?);
        let (now, requester) = (at.moment.earliest, &opt_out.requester);
        let mut answers = Vec::new();
        if let Some(asked) = opt_out.waits(now) {
            answers.extend(self.answers_to_approvers(at, opt_out, asked, by, used));
        }
        let action = opt_out.action();
        if let Some(action) = action.filter(|_| opt_out.lives(now)) {
            let approvers = &opt_out.approvers;
            answers.push(gate_policy::may_revoke(
                policy,
                gate,
                by,
                &data.context,
                requester,
                approvers,
                action,
            ));
            if action == Action::Pause && opt_out.grant.is_some() {
                answers.push(gate_policy::may_resume(policy, gate, by, &data.context));
            }
        }
        if let Some(granted) = owing(opt_out) {
            let number = granted.data.rule;
            let none = || {
                vec![format!("today's policy has no break-glass rule {number} for gate '{}'", opt_out.gate)]
            };
            let rule = gate.rule(number).filter(|rule| rule.break_glass).ok_or_else(none);
            answers.push(rule.and_then(|rule| gate_policy::may_review(policy, rule, by, requester)));
        }
        Ok(answers)
    }

    /// To approving, to rejecting, and to granting once the last approval has come in.
    fn answers_to_approvers(
        &self,
        at: Position<'_>,
        opt_out: &OptOut,
        asked: &Asked,
        by: &Principal,
        used: &Used,
    ) -> Vec<Answer> {
        let (policy, requester) = (used.policy(), &opt_out.requester);
        let Some(rule) = rule_today(policy, opt_out, asked) else {
            return vec![Err(vec![
                "today's policy no longer has the rule that this request waits under".to_owned(),
            ])];
        };
        let may = |already: &[Principal]| {
            gate_policy::may_approve(policy, rule, by, requester, None, already).map(drop)
        };
        let mut answers = vec![may(&opt_out.approvers), may(&[])];
        if opt_out.approvers.last() == Some(by) {
            let past = Past { of_gate: self.opt_outs.of_gate(&opt_out.gate), used, now: at.moment.latest };
            let full = gate_policy::quota_allows(rule, requester, &past);
            answers.push(full.map_err(|reason| vec![format!("rule {} {reason}", rule.number)]));
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

    /// Whether it has not ended at `now`.
    fn lives(&self, now: gate_model::time::Timestamp) -> bool {
        self.ended.is_none() && self.grant.as_ref().is_none_or(|granted| now < granted.data.expires)
    }

    /// What it does, or would do.
    fn action(&self) -> Option<Action> {
        let granted = self.grant.as_ref().map(|granted| granted.data.ask.action);
        granted.or_else(|| self.request.as_ref().map(|asked| asked.data.ask.action))
    }
}
