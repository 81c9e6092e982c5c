//! Whether an opt-out counted where a decision was made: the conditions of [`crate::standing`], at one position
//! of the ledger.
//!
//! The exact instant of a decision is not recorded. Whether a decision *could* use an opt-out is asked with
//! every benefit of that doubt; whether it *should* have applied one, with none.

use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::finding::Evidence;
use gate_model::time::Timestamp;

use crate::derivation;
use crate::standing::{self, Seen};

use super::admissions::rests_on;
use super::books::Used;
use super::life::{Granted, OptOut};
use super::report::Doubt;
use super::{Position, State};
use crate::moment::Moment;

/// Where and when a decision was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) at: Position<'a>,
    pub(super) gate: &'a str,
    /// The policy that judged.
    pub(super) today: &'a Used,
    pub(super) context: &'a Context,
    /// Where a command ran: the newest entry before it, after which only signed opt-outs count.
    pub(super) commanded_since: Option<Seen>,
}

/// An opt-out with a grant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live<'a> {
    pub(super) id: u64,
    pub(super) opt_out: &'a OptOut,
    pub(super) granted: &'a Granted,
}

impl Live<'_> {
    pub(super) fn action(&self) -> Action {
        self.granted.data.ask.action
    }

    pub(super) fn evidence(&self) -> &[Evidence] {
        &self.granted.data.ask.findings
    }

    pub(super) fn has_limit(&self) -> bool {
        self.granted.data.ask.max_uses.is_some()
    }

    /// How many of its uses are left after the entry `seq`; nothing where they are not limited.
    fn uses_left(&self, seq: u64) -> Option<u64> {
        let spent = self.granted.spent.iter().filter(|spent| **spent <= seq).count();
        let spent = u64::try_from(spent).unwrap_or(u64::MAX);
        self.granted.data.ask.max_uses.map(|max| max.saturating_sub(spent))
    }
}

impl State {
    /// The opt-out `id`, if a decision `here` could use it.
    pub(super) fn usable(&self, here: Here<'_>, id: u64) -> Result<Live<'_>, Doubt> {
        let wrong = |why: &str| Doubt::Wrong(format!("uses opt-out {id}, which {why}"));
        if let Some(doubt) = self.opt_outs.lost(id) {
            return Err(rests_on(doubt, id));
        }
        let found = self.opt_outs.get(id).filter(|opt_out| opt_out.gate == here.gate);
        let live = found.and_then(|opt_out| Some(Live { id, opt_out, granted: opt_out.grant.as_ref()? }));
        let live = live.ok_or_else(|| wrong("is no live grant of this gate"))?;
        if let Some(flaw) = &live.opt_out.flaw {
            return Err(rests_on(flaw, id));
        }
        could_count(live, here).map_err(|why| wrong(&why))?;
        derives(live, here).map_err(|why| self.against(id, format!("uses opt-out {id}, which {why}")))?;
        Ok(live)
    }

    /// The opt-outs with `action` that surely counted here, at the decision itself.
    pub(super) fn in_force<'a>(&'a self, here: Here<'a>, action: Action) -> impl Iterator<Item = Live<'a>> {
        let surely = move |live: &Live<'_>| {
            is_surely_live(live, here.at.moment, here.at.moment.earliest)
                && live.opt_out.ended_by(live.id, here.at.seq, here.today).is_none()
                && live.uses_left(here.at.seq) != Some(0)
                && excuses_itself(live, here).is_none()
        };
        self.candidates(here, action).filter(surely).filter(move |live| derives(*live, here).is_ok())
    }

    /// The opt-outs with `action` that surely counted here when the gate began, and until it was decided.
    pub(super) fn in_force_since<'a>(
        &'a self,
        here: Here<'a>,
        begun: Seen,
        action: Action,
    ) -> impl Iterator<Item = Live<'a>> {
        let surely = move |live: &Live<'_>| {
            live.granted.seq <= begun.seq
                && is_surely_live(live, here.at.moment, begun.at)
                && live.opt_out.ended_by(live.id, begun.seq, here.today).is_none()
                && live.uses_left(begun.seq) != Some(0)
        };
        self.candidates(here, action).filter(surely).filter(move |live| derives(*live, here).is_ok())
    }

    fn candidates<'a>(&'a self, here: Here<'a>, action: Action) -> impl Iterator<Item = Live<'a>> {
        let of_gate = self.opt_outs.of_gate(here.gate);
        let commit = here.context.commit.as_deref();
        let ids = of_gate.into_iter().flat_map(move |of_gate| of_gate.candidates(action, commit));
        ids.filter_map(move |id| {
            let opt_out = self.opt_outs.get(id).filter(|opt_out| opt_out.flaw.is_none())?;
            Some(Live { id, opt_out, granted: opt_out.grant.as_ref()? })
        })
    }
}

/// Whether the opt-out can have been live at the decision.
fn could_count(live: Live<'_>, here: Here<'_>) -> Result<(), String> {
    let (data, moment) = (&live.granted.data, here.at.moment);
    if let Some(end) = live.opt_out.ended_by(live.id, here.at.seq, here.today) {
        return Err(format!("was ended by entry {end}"));
    }
    if live.uses_left(here.at.seq) == Some(0) {
        return Err("had no use left".to_owned());
    }
    if moment.latest < data.not_before {
        return Err(format!("counts from {} on", data.not_before));
    }
    if moment.earliest >= data.expires {
        return Err(format!("ended at {}", data.expires));
    }
    if let Some(why) = excuses_itself(&live, here) {
        return Err(why.to_owned());
    }
    Ok(())
}

/// Why the command of this run could have granted or approved it itself: that happened while it ran, and no signature of
/// that time shows that somebody else did it.
fn excuses_itself(live: &Live<'_>, here: Here<'_>) -> Option<&'static str> {
    let seen = here.commanded_since?;
    let (granted, by) = (live.granted, &live.opt_out.requester);
    standing::excuses_itself(seen, live.id, granted.seq, by, granted.data.request.as_ref()).or_else(|| {
        let is_meanwhile = live.opt_out.approved_unsigned.is_some_and(|approval| approval > seen.seq);
        is_meanwhile.then_some("was made while the command ran, without a signature")
    })
}

/// Whether it was live from `start` to the decision, whatever its exact instant.
fn is_surely_live(live: &Live<'_>, moment: Moment, start: Timestamp) -> bool {
    live.granted.data.not_before <= start && moment.latest < live.granted.data.expires
}

/// Derives the grant again for a use here, as [`derivation::grant`] does.
fn derives(live: Live<'_>, here: Here<'_>) -> Result<(), String> {
    let Live { opt_out, granted, .. } = live;
    let (data, by) = (&granted.data, &opt_out.requester);
    if data.ask.action != Action::Pause
        && let Some(conflict) = here.context.conflicts.first()
    {
        return Err(format!("does not count, since the facts of this run contradict each other: {conflict}"));
    }
    gate_policy::scope_holds(data.ask.action, &data.ask.scope, here.context).map_err(|out| out.0)?;
    let then = granted.then.as_ref().ok_or("rests on a policy that cannot be used")?;
    derivation::terms(&then.policy, here.gate, data, by, here.context).map_err(|error| error.to_string())?;
    let unproven = |reason: String| format!("has a signature that does not hold: {reason}");
    granted.proof.holds(data, by, then).map_err(unproven)?;
    granted.proof.holds(data, by, &here.today.recorded).map_err(unproven)?;
    granted.approved.clone().map_err(|reason| format!("lacks approvals: {reason}"))?;
    derivation::allowed_today(here.today.policy(), here.gate, data, by, here.context)
        .map(drop)
        .map_err(|error| error.to_string())
}
