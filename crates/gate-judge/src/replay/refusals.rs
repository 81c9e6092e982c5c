//! Refusals of acts, judged again: somebody tried to approve, reject, revoke, resume or review, and may not.
//!
//! Such an entry is right if the act that it names was possible, and is refused.

use crate::repository::Whose;
use gate_model::action::Action;
use gate_model::payload::{Ask, RefusalData, Verb};
use gate_model::principal::Principal;
use gate_model::time::Timestamp;
use gate_policy::{Actor, AuthorizationRequest, Subject};

use super::acts::owing;
use crate::acts;

use super::life::{Asked, Granted, OptOut};
use super::past::FoldedPast;
use super::policy_log::Used;
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
        let now = at.instant(data.judged_at)?;
        let opt_out = self.opt_out(at, id)?;
        used.policy().gate(&opt_out.gate).map_err(|error| Doubt::Wrong(error.to_string()))?;
        let asked =
            || opt_out.waits(now).map(|asked| self.answer_to_approver(opt_out, asked, (data, by), used));
        let answer = match data.act {
            Verb::Approve | Verb::Reject => asked(),
            Verb::Revoke | Verb::Resume => answer_to_ending(id, opt_out, (data, by), used),
            Verb::Review => owing((id, opt_out), used)
                .map(|granted| answer_to_reviewer(opt_out, granted, (data, by), used)),
        };
        match answer {
            Some(Err(_)) => Ok(()),
            Some(Ok(())) => Err(Doubt::wrong("refuses what is allowed")),
            None => {
                Err(Doubt::Wrong(format!("refuses an act on opt-out {id}, which was not possible any more")))
            }
        }
    }

    /// To approving and to rejecting.
    fn answer_to_approver(
        &self,
        opt_out: &OptOut,
        asked: &Asked,
        (data, by): (&RefusalData, &Principal),
        used: &Used,
    ) -> Answer {
        let policy = used.policy();
        let rule = acts::rule_of_request(policy, &opt_out.gate, &asked.data, &opt_out.requester)?;
        // Who approved before may still reject.
        let approvers = if data.act == Verb::Approve { opt_out.approvers.as_slice() } else { &[] };
        let subject = Subject { approvers, ..opt_out.asked(&asked.data.ask, data.author.as_deref()) };
        let standing = gate_policy::may_approve(policy, rule, actor(data, by), subject)?;
        if data.act == Verb::Reject || !standing.is_complete() {
            return Ok(());
        }
        let (gate, here) = (opt_out.gate.as_str(), Whose::of_request(&asked.data));
        let past = FoldedPast { state: self, gate, used, here, now: data.judged_at, before: None };
        let authorization = AuthorizationRequest::of_request(gate, &asked.data, &opt_out.requester);
        acts::room(policy, rule, &authorization, &past)
    }
}

/// To revoking, and to resuming a paused gate.
fn answer_to_ending(
    id: u64,
    opt_out: &OptOut,
    (data, by): (&RefusalData, &Principal),
    used: &Used,
) -> Option<Answer> {
    let ask = opt_out.ask().filter(|_| opt_out.over(id, data.judged_at, used).is_none())?;
    let (policy, subject) = (used.policy(), opt_out.asked(ask, None));
    if data.act == Verb::Revoke {
        return Some(gate_policy::may_revoke(policy, actor(data, by), subject));
    }
    let is_pause = ask.action == Action::Pause && opt_out.grant.is_some();
    is_pause.then(|| gate_policy::may_resume(policy, actor(data, by), subject))
}

fn answer_to_reviewer(
    opt_out: &OptOut,
    granted: &Granted,
    (data, by): (&RefusalData, &Principal),
    used: &Used,
) -> Answer {
    let rule = acts::rule_of_review(used.policy(), &opt_out.gate, granted.data.rule)?;
    let subject = opt_out.asked(&granted.data.ask, None);
    gate_policy::may_review(used.policy(), rule, actor(data, by), subject)
}

impl OptOut {
    /// The request, if it waits at `now`.
    fn waits(&self, now: Timestamp) -> Option<&Asked> {
        self.request.as_ref().filter(|_| self.life.waits(now).is_ok())
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
