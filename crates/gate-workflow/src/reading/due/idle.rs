//! Waivers that nothing needs any more: the last decisions of their scope passed over them.

use std::ops::ControlFlow;

use gate_judge::life::Life;
use gate_judge::{records, repository};
use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::StoreError;
use gate_model::action::Action;
use gate_model::payload::{DecisionData, GrantData};
use gate_model::principal::{Assurance, Principal};

use super::{Agenda, Idle, Remedy};

/// How many of the newest entries are looked through. A waiver for which these hold too few decisions is not named.
const LOOK_BACK: usize = 20_000;

/// A live waiver, and how many decisions of its scope passed over it so far.
struct Candidate {
    seq: u64,
    id: u64,
    gate: String,
    data: GrantData,
    by: Principal,
    passed_over: u64,
    needed: bool,
}

/// The live waivers that none of the last `enough` decisions of their scope needed, the oldest first. A decision counts
/// where it judged a report and was made after the grant.
pub(super) fn read(agenda: &mut Agenda<'_>, enough: u64) -> Result<Vec<Idle>, StoreError> {
    let mut candidates = candidates(agenda)?;
    let oldest = candidates.iter().map(|candidate| candidate.seq).min().unwrap_or(u64::MAX);
    let mut left = LOOK_BACK;
    let mut unreadable = Vec::new();
    agenda.view.scan(0, None, true, &mut |entry: Entry| {
        left -= 1;
        let is_open = |one: &Candidate| !one.needed && one.passed_over < enough;
        if entry.seq <= oldest || left == 0 || !candidates.iter().any(is_open) {
            return ControlFlow::Break(());
        }
        if entry.kind == Kind::Decision {
            match records::data::<DecisionData>(&entry) {
                Ok(data) if data.report.is_some() => {
                    let open = candidates.iter_mut().filter(|one| is_open(one));
                    open.for_each(|one| one.pass(&entry, &data));
                }
                Ok(_) => {}
                Err(error) => unreadable.push((entry, error)),
            }
        }
        ControlFlow::Continue(())
    })?;
    for (entry, error) in &unreadable {
        agenda.unreadable(entry, error);
    }
    let idle = candidates.into_iter().filter(|one| !one.needed && one.passed_over >= enough);
    let mut idle: Vec<Idle> = idle.map(|one| one.named(agenda)).collect();
    idle.sort_by_key(|one| one.id);
    Ok(idle)
}

/// The live waivers, unless they were ended.
fn candidates(agenda: &mut Agenda<'_>) -> Result<Vec<Candidate>, StoreError> {
    let mut found = Vec::new();
    for entry in agenda.view.all_grants_live(agenda.now)? {
        // What cannot be read is told by the list of what ends soon.
        let (Ok(data), Ok(by)) = (records::data::<GrantData>(&entry), records::actor(&entry)) else {
            continue;
        };
        let id = records::id_of(&entry);
        if data.ask.action != Action::Waive
            || Life::of(&entry, &agenda.view.life(id)?).ended_for_all().is_some()
        {
            continue;
        }
        let gate = entry.gate.clone().unwrap_or_default();
        found.push(Candidate { seq: entry.seq, id, gate, data, by, passed_over: 0, needed: false });
    }
    Ok(found)
}

impl Candidate {
    /// Takes note of a decision, if it is one of the waiver's scope.
    fn pass(&mut self, entry: &Entry, decision: &DecisionData) {
        let is_later = entry.seq > self.seq && entry.gate.as_deref() == Some(&self.gate);
        let ask = &self.data.ask;
        if !is_later || gate_policy::scope_holds(ask.action, &ask.scope, &decision.context).is_err() {
            return;
        }
        if decision.grants.contains(&self.id) {
            self.needed = true;
        } else {
            self.passed_over += 1;
        }
    }

    fn named(self, agenda: &Agenda<'_>) -> Idle {
        let signed = Some(self.by.assurance).filter(|assurance| *assurance == Assurance::Signed);
        let remedy = Remedy::acting("revoke", self.id, &[], signed);
        let repository = repository::of_grant(&self.data).map(str::to_owned);
        let remedy = agenda.remedy(remedy, repository.as_deref());
        Idle {
            id: self.id,
            gate: self.gate,
            repository,
            by: self.by.id,
            reason: self.data.ask.reason,
            expires: self.data.expires,
            findings: self.data.ask.findings,
            decisions: self.passed_over,
            remedy,
        }
    }
}
