//! The verdict on what was asked for, derived again.
//!
//! What was asked for is recorded as it was granted: the rule has narrowed its scope, and filled in its time
//! and its uses. Time and uses come out the same when they are asked for again. A narrower scope may please a
//! rule that refused the wider one, so a verdict is right if it comes out for some scope that its rule
//! narrows to the recorded one. What was signed says its scope itself, and nobody narrows it afterwards: a pause that
//! holds nowhere is none.

use crate::repository::Whose;
use gate_ledger::entry::Entry;
use gate_model::context::Context;
use gate_model::payload::{Ask, DenialData, GrantData, RequestData};
use gate_model::principal::{Assurance, Principal};
use gate_model::request::Request;
use gate_model::scope::Scope;
use gate_model::time::Timestamp;
use gate_policy::{Admission, AuthorizationRequest};

use crate::acts;
use crate::approvals;
use crate::derivation::{self, in_words};
use crate::signatures;
use crate::submitted::{self, Addressee};

use super::life::OptOut;
use super::past::FoldedPast;
use super::policy_log::Used;
use super::report::{Doubt, Judged};
use super::terms::{counted, fits, numbered, wider};
use super::{Position, State};

/// A verdict on something that was asked for.
#[derive(Clone, Copy)]
struct Verdict<'a> {
    gate: &'a str,
    entry: &'a Entry,
    ask: &'a Ask,
    by: &'a Principal,
    context: &'a Context,
    request: Option<&'a Request>,
    used: &'a Used,
    /// The instant that it was made at.
    now: Timestamp,
}

impl<'a> Verdict<'a> {
    /// `ask` as the rules see it.
    fn authorization(&self, ask: &'a Ask) -> AuthorizationRequest<'a> {
        AuthorizationRequest::new(self.gate, ask, self.by, self.context, self.request)
    }
}

impl State {
    pub(super) fn judge_request(
        &self,
        at: Position<'_>,
        entry: &Entry,
        data: &RequestData,
        by: &Principal,
        used: &Used,
    ) -> Judged {
        let (gate, context, request) = (at.gate()?, &data.context, data.request.as_ref());
        if entry.reference.is_some() {
            return Err(Doubt::wrong("belongs to an opt-out that began before it"));
        }
        let rule = numbered(used, gate, data.rule)?;
        let Some(approvals) = &rule.approvals else {
            return Err(Doubt::Wrong(format!("waits under rule {}, which needs no approvals", data.rule)));
        };
        derivation::waits(at.moment, data, approvals).map_err(Doubt::Wrong)?;
        let verdict =
            Verdict { gate, entry, ask: &data.ask, by, context, request, used, now: data.judged_at };
        self.admissible(verdict)?;
        self.comes_out(verdict, |admission| match admission {
            Admission::Pending(_, needed) if data.judged_at.plus(needed.within) != Some(data.lapses) => {
                Err("waits longer or shorter than what it renews lasts".to_owned())
            }
            Admission::Pending(terms, _) => fits(&terms, data.rule, &data.ask),
            Admission::Grant(terms) => Err(format!("waits for approvals, and rule {} grants it", terms.rule)),
            Admission::Denied(trials) => Err(format!("should have been denied: {}", in_words(&trials))),
        })
    }

    pub(super) fn judge_immediate(
        &self,
        at: Position<'_>,
        entry: &Entry,
        data: &GrantData,
        by: &Principal,
        used: &Used,
    ) -> Judged {
        let (gate, context, request) = (at.gate()?, &data.context, data.request.as_ref());
        derivation::in_time(at.moment, data).map_err(Doubt::Wrong)?;
        if !data.approvals.is_empty() {
            return Err(Doubt::wrong("names approvals, and no request that they were for"));
        }
        let verdict =
            Verdict { gate, entry, ask: &data.ask, by, context, request, used, now: data.not_before };
        self.admissible(verdict)?;
        self.comes_out(verdict, |admission| match admission {
            Admission::Grant(terms) => fits(&terms, data.rule, &data.ask),
            Admission::Pending(terms, _) => {
                Err(format!("lacks the approvals that rule {} needs", terms.rule))
            }
            Admission::Denied(trials) => Err(format!("should have been denied: {}", in_words(&trials))),
        })?;
        let rule = numbered(used, gate, data.rule)?;
        counted(data, rule, by, &self.past(verdict))?;
        derivation::owes(data, rule).map_err(Doubt::Wrong)
    }

    pub(super) fn judge_approved(
        &self,
        at: Position<'_>,
        id: u64,
        data: &GrantData,
        by: &Principal,
        used: &Used,
        approved: &Result<(), String>,
    ) -> Judged {
        let gate = at.gate()?;
        derivation::in_time(at.moment, data).map_err(Doubt::Wrong)?;
        let (opt_out, _) = self.waiting(at, id, data.not_before)?;
        approved.clone().map_err(|reason| Doubt::Wrong(format!("lacks approvals: {reason}")))?;
        let authorization = AuthorizationRequest::of_grant(gate, data, by);
        let rule = gate_policy::permits(used.policy(), &authorization, Some(data.rule))
            .map_err(|trials| Doubt::Wrong(format!("should have been denied: {}", in_words(&trials))))?;
        let here = Whose::of_grant(data);
        let past = FoldedPast { state: self, gate, used, here, now: data.not_before, before: None };
        acts::room(used.policy(), rule, &authorization, &past)
            .map_err(|reasons| Doubt::Wrong(format!("should have been denied: {}", reasons.join("; "))))?;
        counted(data, rule, by, &past)?;
        derivation::owes(data, rule).map_err(Doubt::Wrong)?;
        inherited(opt_out)
    }

    /// Whether the approvals before the grant `entry` suffice under its policy.
    pub(super) fn approved(
        &self,
        entry: &Entry,
        data: &GrantData,
        by: &Principal,
        used: &Used,
    ) -> Result<(), String> {
        let opt_out = entry.reference.and_then(|id| self.opt_outs.get(id));
        let request = opt_out.and_then(|opt_out| opt_out.request.as_ref()).map(|asked| &asked.entry);
        let life = opt_out.map_or(&[][..], |opt_out| &opt_out.approvals);
        approvals::suffice(&used.recorded, entry, data, by, request, life)
    }

    /// Judges a denial of something that was asked for.
    pub(super) fn denied_ask(
        &self,
        at: Position<'_>,
        entry: &Entry,
        data: &DenialData,
        by: &Principal,
        used: &Used,
    ) -> Judged {
        let (gate, now, request) = (at.gate()?, at.instant(data.judged_at)?, data.request.as_ref());
        let verdict = Verdict { gate, entry, ask: &data.ask, by, context: &data.context, request, used, now };
        if !self.objections(verdict).is_empty() {
            return Ok(());
        }
        let signer = match (verdict.by.assurance, verdict.request) {
            (Assurance::Signed, _) => {
                self.signed(verdict)?;
                None
            }
            (_, Some(request)) => match submitted::signer(&self.past(verdict), verdict.used.trust(), request)
            {
                Ok(signer) => Some(signer),
                // Who claims to have signed and did not is rightly denied.
                Err(_) => return Ok(()),
            },
            (_, None) => None,
        };
        let past = self.past(verdict);
        let by = signer.as_ref().unwrap_or(verdict.by);
        let authorization = AuthorizationRequest { by, ..verdict.authorization(verdict.ask) };
        match gate_policy::admit(verdict.used.policy(), &authorization, &past) {
            Admission::Denied(_) => Ok(()),
            Admission::Grant(terms) => Err(Doubt::Wrong(format!("denies what rule {} grants", terms.rule))),
            Admission::Pending(terms, _) => {
                Err(Doubt::Wrong(format!("denies what rule {} grants with approvals", terms.rule)))
            }
        }
    }

    /// Whether nothing but the rules can speak against it: document, nonce, signature.
    fn admissible(&self, verdict: Verdict<'_>) -> Judged {
        if let Some(objection) = self.objections(verdict).into_iter().next() {
            return Err(Doubt::Wrong(format!("should have been denied: {objection}")));
        }
        self.signed(verdict)
    }

    fn signed(&self, verdict: Verdict<'_>) -> Judged {
        let known = verdict.request.map(|request| self.known(request)).unwrap_or_default();
        let Verdict { used, entry, request, by, .. } = verdict;
        signatures::requester(&known, used.trust(), entry, request, by)
            .map_err(|error| Doubt::Wrong(format!("has a signature that does not hold: {error}")))
    }

    /// What speaks against it whatever the rules say.
    fn objections(&self, verdict: Verdict<'_>) -> Vec<String> {
        let Some(request) = verdict.request else { return Vec::new() };
        let (ledger, digest) = (verdict.entry.ledger.as_str(), verdict.used.recorded.data.digest.as_str());
        submitted::objections(&self.past(verdict), Addressee { ledger, digest }, request)
    }

    fn past<'a>(&'a self, verdict: Verdict<'a>) -> FoldedPast<'a> {
        let Verdict { gate, used, now, ask, context, .. } = verdict;
        let here = Whose::of(ask, context);
        FoldedPast { state: self, gate, used, here, now, before: None }
    }

    /// Whether `accept` accepts what comes out for the scope that was asked for. A signed document tells that; else it is
    /// the recorded one, or one that was narrowed to it.
    fn comes_out(&self, verdict: Verdict<'_>, accept: impl Fn(Admission) -> Result<(), String>) -> Judged {
        let past = self.past(verdict);
        let judge =
            |ask: &Ask| accept(gate_policy::admit(verdict.used.policy(), &verdict.authorization(ask), &past));
        if let Some(request) = verdict.request {
            let asked = Ask { scope: request.scope.clone(), ..verdict.ask.clone() };
            return judge(&asked).map_err(Doubt::Wrong);
        }
        let Err(reason) = judge(verdict.ask) else { return Ok(()) };
        let asked_wider = |scope: Scope| judge(&Ask { scope, ..verdict.ask.clone() }).is_ok();
        if wider(&verdict.ask.scope).any(asked_wider) { Ok(()) } else { Err(Doubt::Wrong(reason)) }
    }
}

/// What was wrong with the request is wrong with its grant.
fn inherited(opt_out: &OptOut) -> Judged {
    match &opt_out.flaw {
        Some(Doubt::Wrong(_)) => {
            Err(Doubt::wrong("grants a request that should not have been recorded as it is"))
        }
        Some(Doubt::Unjudged(_)) => Err(Doubt::Unjudged("grants a request that is not judged".to_owned())),
        Some(flaw @ (Doubt::Erased | Doubt::Archived)) => Err(flaw.clone()),
        None => Ok(()),
    }
}
