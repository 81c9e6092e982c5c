//! Whether an opt-out counted where a decision was made: the conditions of [`crate::standing`], at one position
//! of the ledger.
//!
//! Whether a decision could use an opt-out, and whether it should have applied one, is one question.

use crate::repository::Whose;
use gate_findings::matching::Waiver;
use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::finding::WaiverTerms;
use gate_model::time::Timestamp;
use gate_policy::Rule;

use crate::approvals::Given;
use crate::derivation::{self, Backing};
use crate::standing::{self, Held, Run, Seen};

use super::admissions::rests_on;
use super::life::{Granted, OptOut};
use super::past::FoldedPast;
use super::policy_log::Used;
use super::report::Doubt;
use super::{Position, State};

/// Where and when a decision was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) at: Position<'a>,
    pub(super) gate: &'a str,
    /// The instant of the decision.
    pub(super) now: Timestamp,
    /// The policy that judged.
    pub(super) today: &'a Used,
    pub(super) context: &'a Context,
    /// Where a command ran: the newest entry before it, after which only signed opt-outs count.
    pub(super) commanded_since: Option<Seen>,
}

/// An opt-out with a grant.
#[derive(Debug, Clone, Copy)]
pub(super) struct InForce<'a> {
    pub(super) id: u64,
    pub(super) opt_out: &'a OptOut,
    pub(super) granted: &'a Granted,
    /// What its rules say of a waiver beyond its evidence, once it was derived again.
    terms: WaiverTerms,
}

impl<'a> InForce<'a> {
    /// The opt-out, if it has a grant.
    fn of(id: u64, opt_out: &'a OptOut) -> Option<Self> {
        let granted = opt_out.grant.as_ref()?;
        Some(Self { id, opt_out, granted, terms: WaiverTerms::default() })
    }

    /// The grant as the rules on standing see it.
    fn held(&self) -> Held<'a> {
        let Self { id, opt_out, granted, .. } = *self;
        let (seq, data, by) = (granted.seq, &granted.data, &opt_out.requester);
        Held { id, seq, data, by, approvals: &opt_out.approved }
    }

    pub(super) fn action(&self) -> Action {
        self.granted.data.ask.action
    }

    /// The waiver as matching wants it.
    pub(super) fn waiver(&self) -> Waiver<'a> {
        Waiver { grant: self.id, evidence: &self.granted.data.ask.findings, terms: self.terms }
    }

    pub(super) fn has_limit(&self) -> bool {
        self.granted.data.ask.max_uses.is_some()
    }

    /// How many of its uses are left after the entry `seq`; nothing where they are not limited.
    fn uses_left(&self, seq: u64) -> Option<u64> {
        let spent = self.granted.spent.partition_point(|spent| *spent <= seq);
        let spent = u64::try_from(spent).unwrap_or(u64::MAX);
        self.granted.data.ask.max_uses.map(|max| max.saturating_sub(spent))
    }
}

impl State {
    /// The opt-out `id`, if a decision `here` could use it.
    pub(super) fn usable(&self, here: Here<'_>, id: u64) -> Result<InForce<'_>, Doubt> {
        let wrong = |why: &str| Doubt::Wrong(format!("uses opt-out {id}, which {why}"));
        if let Some(doubt) = self.opt_outs.lost(id) {
            return Err(rests_on(doubt, id));
        }
        let found = self.opt_outs.get(id).filter(|opt_out| opt_out.gate == here.gate);
        let live = found.and_then(|opt_out| InForce::of(id, opt_out));
        let live = live.ok_or_else(|| wrong("is no live grant of this gate"))?;
        if let Some(flaw) = &live.opt_out.flaw {
            return Err(rests_on(flaw, id));
        }
        is_live(live, here).map_err(|why| wrong(&why))?;
        self.derives(live, here).map_err(|why| self.against(id, format!("uses opt-out {id}, which {why}")))
    }

    /// The opt-outs with `action` that counted here, at the decision itself.
    pub(super) fn in_force<'a>(
        &'a self,
        here: Here<'a>,
        action: Action,
    ) -> impl Iterator<Item = InForce<'a>> {
        self.candidates(here, action)
            .filter(move |live| is_live(*live, here).is_ok())
            .filter_map(move |live| self.derives(live, here).ok())
    }

    /// The opt-outs with `action` that counted here when the gate began.
    pub(super) fn in_force_since<'a>(
        &'a self,
        here: Here<'a>,
        begun: Seen,
        action: Action,
    ) -> impl Iterator<Item = InForce<'a>> {
        let Seen { seq, at: now } = begun;
        let run = Run { context: here.context, now, since: None };
        let was_live = move |live: &InForce<'_>| {
            live.granted.seq <= seq
                && standing::applies(&live.held(), &run).is_ok()
                && live.opt_out.ended_up_to(live.id, seq, here.today).is_none()
                && live.uses_left(seq) != Some(0)
        };
        self.candidates(here, action).filter(was_live).filter_map(move |live| self.derives(live, here).ok())
    }

    fn candidates<'a>(&'a self, here: Here<'a>, action: Action) -> impl Iterator<Item = InForce<'a>> {
        let of_gate = self.opt_outs.of_gate(here.gate);
        let commit = here.context.commit.as_deref();
        let ids = of_gate.into_iter().flat_map(move |of_gate| of_gate.candidates(action, commit));
        ids.filter_map(move |id| {
            let opt_out = self.opt_outs.get(id).filter(|opt_out| opt_out.flaw.is_none())?;
            InForce::of(id, opt_out)
        })
    }

    /// Derives the grant again for a use here, as [`derivation`] has it.
    fn derives<'a>(&self, live: InForce<'a>, here: Here<'_>) -> Result<InForce<'a>, String> {
        let InForce { opt_out, granted, .. } = live;
        let (data, by) = (&granted.data, &opt_out.requester);
        let then = granted.then.as_ref().ok_or("rests on a policy that cannot be used")?;
        let terms = derivation::terms(&then.policy, here.gate, data, by, here.context)
            .map_err(|error| error.to_string())?;
        let unproven = |reason: String| format!("has a signature that does not hold: {reason}");
        granted.proof.holds(data, by, then).map_err(unproven)?;
        granted.proof.holds(data, by, &here.today.recorded).map_err(unproven)?;
        granted.approved.clone().map_err(|reason| format!("lacks approvals: {reason}"))?;
        let has = |rule: &Rule| self.has_earned(live, here, rule);
        derivation::allowed_today(here.today.policy(), here.gate, data, by, here.context, terms, &has)
            .map(|derived| InForce { terms: derived.terms, ..live })
            .map_err(|error| error.to_string())
    }

    /// Whether the grant has what `rule` of the policy in force asks for before it grants; each rule is asked once.
    fn has_earned(&self, live: InForce<'_>, here: Here<'_>, rule: &Rule) -> Result<(), String> {
        let InForce { opt_out, granted, .. } = live;
        let (data, by, today) = (&granted.data, &opt_out.requester, here.today);
        if granted.then.as_ref().is_some_and(|then| then.data.digest == today.recorded.data.digest) {
            return Ok(());
        }
        let judge = || {
            let request = opt_out.request.as_ref().map(|asked| &asked.entry);
            let given = Given { requester: by, request, life: &granted.approvals, granted: granted.seq };
            let (now, before) = (data.not_before, Some(granted.seq));
            let (gate, whose) = (here.gate, Whose::of_grant(data));
            let past = FoldedPast { state: self, gate, used: today, here: whose, now, before };
            derivation::earned(today.trust(), rule, data, by, &Backing { given, past: &past })
        };
        let key = (today.recorded.seq, rule.number);
        granted.earned.borrow_mut().entry(key).or_insert_with(judge).clone()
    }
}

/// Whether the opt-out applied to the decision.
fn is_live(live: InForce<'_>, here: Here<'_>) -> Result<(), String> {
    if let Some(end) = live.opt_out.ended(live.id, here.today) {
        return Err(format!("was ended by entry {end}"));
    }
    if live.uses_left(here.at.seq) == Some(0) {
        return Err("had no use left".to_owned());
    }
    let run = Run { context: here.context, now: here.now, since: here.commanded_since };
    standing::applies(&live.held(), &run)
}
