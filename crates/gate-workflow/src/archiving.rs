//! How far a ledger may be archived: nothing goes that somebody still needs.
//!
//! Purpose: from the entries, the policies and an instant, the first position that must stay, and for whom. An
//! opt-out stays whole, from its request on, while it is live, waits for approvals, or owes a review; a signed
//! request stays while it could be submitted again, since its nonce is what keeps it from being admitted twice;
//! a grant stays while a quota counts it.
//!
//! Invariants: what cannot be read is needed. The answer only grows with time: judging again within the
//! transaction that deletes refuses what came to life meanwhile.
//!
//! Not here: moving anything. The newest entry always stays, since the next one names its hash; genesis and
//! policies always stay too, whatever position is chosen.

use std::ops::ControlFlow;

use gate_ledger::entry::{Entry, EntryError, Kind};
use gate_ledger::store::{StoreError, View};
use gate_model::request::Request;
use gate_model::time::Timestamp;
use gate_policy::Policy;
use memchr::memmem::Finder;

use crate::debts;
use crate::policies::Policies;
use gate_judge::life::Life;
use gate_judge::lifting::Trust;
use gate_judge::records;
use gate_judge::signatures::MAX_WAIT;

/// The first position that must stay, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// The position.
    pub seq: u64,
    /// For what, as the end of a sentence about the entry.
    pub why: String,
}

/// The smallest position before `before` that must stay at `now`; nothing where all of them may go. `today` are
/// the rules in force, where there are any beside those that the ledger holds.
///
/// # Errors
/// A failure of the store.
pub fn needed(
    view: &View<'_>,
    today: Option<Trust<'_>>,
    before: u64,
    now: Timestamp,
) -> Result<Option<Needed>, StoreError> {
    let mut first = Earliest { before, found: None };
    first.offer(view.head()?.seq, || "is the newest".to_owned());
    live_grants(view, now, &mut first)?;
    pending_requests(view, now, &mut first)?;
    owed_reviews(view, today, &mut first)?;
    let window = longest_quota(view, today.map(|(policy, _)| policy))?;
    counted_and_replayable(view, window, now, &mut first)?;
    Ok(first.found)
}

/// The smallest position so far.
struct Earliest {
    before: u64,
    found: Option<Needed>,
}

impl Earliest {
    fn offer(&mut self, seq: u64, why: impl FnOnce() -> String) {
        let limit = self.found.as_ref().map_or(self.before, |needed| needed.seq);
        if seq < limit {
            self.found = Some(Needed { seq, why: why() });
        }
    }
}

fn live_grants(view: &View<'_>, now: Timestamp, first: &mut Earliest) -> Result<(), StoreError> {
    for grant in view.all_grants_live(now)? {
        let id = records::id_of(&grant);
        // What ends a pause has to be derived at each use, so it stays for its whole time.
        if Life::of(&grant, &view.life(id)?).ended_for_all().is_none() {
            let expires = grant.data["expires"].as_str().unwrap_or_default().to_owned();
            first.offer(id, || format!("begins an opt-out that is live until {expires}"));
        }
    }
    Ok(())
}

fn pending_requests(view: &View<'_>, now: Timestamp, first: &mut Earliest) -> Result<(), StoreError> {
    for request in view.waiting(None, now)? {
        if Life::of(&request, &view.life(request.seq)?).waits(now).is_ok() {
            let lapses = request.data["lapses"].as_str().unwrap_or_default();
            first.offer(request.seq, || format!("is a request that waits for approval until {lapses}"));
        }
    }
    Ok(())
}

fn owed_reviews(view: &View<'_>, today: Option<Trust<'_>>, first: &mut Earliest) -> Result<(), StoreError> {
    for debt in debts::open(view, &mut Policies::default(), today)? {
        first.offer(debt.id(), || "begins a break-glass opt-out whose review is still owed".to_owned());
    }
    Ok(())
}

/// The longest window, in seconds, in which any policy counts grants. One that cannot be read judges nothing.
fn longest_quota(view: &View<'_>, today: Option<&Policy>) -> Result<u64, StoreError> {
    let mut longest = today.map_or(0, longest_window);
    view.policies(&mut |entry| {
        longest = longest.max(
            gate_judge::recorded::recorded(entry).map_or(0, |recorded| longest_window(&recorded.policy)),
        );
        ControlFlow::Continue(())
    })?;
    Ok(longest)
}

fn longest_window(policy: &Policy) -> u64 {
    let rules = policy.gates.values().flat_map(|gate| &gate.allow);
    rules.filter_map(|rule| Some(rule.quota.as_ref()?.per)).max().unwrap_or(0)
}

/// Grants that a quota counts, and signed requests that could be submitted again.
fn counted_and_replayable(
    view: &View<'_>,
    window: u64,
    now: Timestamp,
    first: &mut Earliest,
) -> Result<(), StoreError> {
    let (grant, nonce) = (Finder::new("\"kind\":\"grant\""), Finder::new("\"nonce\":\""));
    let limit = first.found.as_ref().map_or(first.before, |needed| needed.seq);
    let Some(last) = limit.checked_sub(1) else { return Ok(()) };
    let (mut damage, mut seq) = (None, 0);
    view.scan_lines(0, Some(last), &mut |body, _| {
        if grant.find(body).is_none() && nonce.find(body).is_none() {
            return ControlFlow::Continue(());
        }
        match Entry::from_body(body) {
            Ok(entry) => {
                seq = entry.seq;
                let why = counted(&entry, window, now).or_else(|| replayable(&entry, now));
                let Some(why) = why else { return ControlFlow::Continue(()) };
                first.offer(entry.seq, || why);
            }
            Err(EntryError(source)) => {
                damage = Some(StoreError::bad(seq + 1, source));
            }
        }
        ControlFlow::Break(())
    })?;
    damage.map_or(Ok(()), Err)
}

fn counted(entry: &Entry, window: u64, now: Timestamp) -> Option<String> {
    let counts = entry.kind == Kind::Grant && window > 0 && entry.at > now.minus(window);
    counts.then(|| {
        format!(
            "is a grant of {}, which a quota may count for {}",
            entry.at,
            gate_model::time::format_duration(window)
        )
    })
}

fn replayable(entry: &Entry, now: Timestamp) -> Option<String> {
    let request = entry.data.get("request").filter(|_| records::takes_nonce(entry))?;
    request.get("nonce")?;
    let read: Option<Request> = serde::Deserialize::deserialize(request).ok();
    // One that cannot be read is taken to wait as long as any may.
    let until = read.map(|request| request.submit_by).or_else(|| entry.at.plus(MAX_WAIT));
    let open = until.is_none_or(|until| until > now);
    let until = until.map_or_else(String::new, |until| format!(" until {until}"));
    open.then(|| format!("holds a signed request that could be submitted again{until}"))
}
