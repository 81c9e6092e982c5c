//! Requests, grants and denials, judged again.
//!
//! What was asked for is recorded as it was granted: the rule has narrowed its scope, and filled in its time
//! and its uses. Time and uses come out the same when they are asked for again. A narrower scope may please a
//! rule that refused the wider one, so a verdict is right if it comes out for some scope that its rule
//! narrows to the recorded one.

use gate_ledger::entry::Entry;
use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::grant::Owes;
use gate_model::payload::{Ask, DenialData, GrantData, RequestData};
use gate_model::principal::{Assurance, Principal};
use gate_model::request::Request;
use gate_model::scope::Scope;
use gate_model::time::Timestamp;
use gate_policy::{Admission, Petition, Rule, Terms};
use serde::de::DeserializeOwned;

use crate::approval;
use crate::derivation::in_words;
use crate::records;
use crate::signatures::{self, Mark};

use super::books::Used;
use super::opt_outs::{Asked, Granted, OptOut, Proof};
use super::past::{self, Past, What};
use super::report::{Doubt, Judged, Oddity, Report};
use super::{Position, State, known_judge, unreadable};

/// The entry's data and actor.
pub(super) fn read<T: DeserializeOwned>(entry: &Entry) -> Result<(T, Principal), Doubt> {
    let read = records::data(entry).and_then(|data| Ok((data, records::actor(entry)?)));
    read.map_err(|error| unreadable(&entry.data, &error.source))
}

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

impl State {
    /// The policy that a verdict names; what is odd about it is noted.
    pub(super) fn used(
        &self,
        at: Position<'_>,
        policy: &gate_model::decision::PolicyUsed,
        report: &mut Report,
    ) -> Result<Used, Doubt> {
        let used = self.books.used(&policy.digest, &policy.source)?;
        self.note_oddities(at.seq, at.seq, &used, report);
        Ok(used)
    }

    /// Notes what is odd about a verdict under `used` whose maker had seen the entry `seen`.
    pub(super) fn note_oddities(&self, seq: u64, seen: u64, used: &Used, report: &mut Report) {
        if let Some(oddity) = used.oddity {
            report.note(seq, oddity);
        }
        if self.books.is_superseded(used, seen.min(seq), seq) {
            report.note(seq, Oddity::Superseded);
        }
    }

    /// Judges a request and files it.
    pub(super) fn request(&mut self, at: Position<'_>, entry: &Entry, report: &mut Report) -> Judged {
        let (data, by) = match read::<RequestData>(entry) {
            Ok(read) => read,
            Err(doubt) => return Err(self.lose(entry, doubt)),
        };
        note_token(at.seq, &by, report);
        let judged = known_judge(data.judge.into())
            .and_then(|()| self.used(at, &data.policy, report))
            .and_then(|used| self.judge_request(at, entry, &data, &by, &used));
        let mut opt_out = OptOut::new(entry, by, judged.clone().err());
        opt_out.request = Some(Asked { entry: entry.clone(), data });
        self.opt_outs.begin(entry.seq, opt_out);
        judged
    }

    /// Judges a grant and files it.
    pub(super) fn grant(&mut self, at: Position<'_>, entry: &Entry, report: &mut Report) -> Judged {
        let (data, by) = match read::<GrantData>(entry) {
            Ok(read) => read,
            Err(doubt) => return Err(self.lose_grant(entry, doubt)),
        };
        note_token(at.seq, &by, report);
        let used = self.used(at, &data.policy, report);
        let approved = used.as_ref().map_or(Ok(()), |used| self.approved(entry, &data, &by, used));
        let judged = known_judge(data.judge.into()).and_then(|()| match (&used, entry.reference) {
            (Ok(used), None) => self.judge_immediate(at, entry, &data, &by, used),
            (Ok(used), Some(id)) => self.judge_approved(at, id, &data, &by, used, &approved),
            (Err(doubt), _) => Err(doubt.clone()),
        });
        self.file_grant(entry, data, by, used.ok(), approved, judged.clone().err());
        judged
    }

    fn file_grant(
        &mut self,
        entry: &Entry,
        data: GrantData,
        by: Principal,
        used: Option<Used>,
        approved: Result<(), String>,
        flaw: Option<Doubt>,
    ) {
        let policy = used.as_ref().map(|used| used.number);
        let what = What { policy, rule: data.rule, action: data.ask.action, by: &by };
        if let Some(gate) = &entry.gate {
            self.opt_outs.admit(gate, past::Admission { at: entry.at, what: Some(what) });
        }
        let known = data.request.as_ref().map(|request| self.heads.known(request, self.genesis));
        let granted = Granted {
            seq: entry.seq,
            hash: entry.hash,
            then: used.map(|used| used.recorded),
            approved,
            spent: Vec::new(),
            proof: Proof::of(entry, &by, known.unwrap_or_default()),
            data,
        };
        let id = records::id_of(entry);
        match self.opt_outs.get_mut(id) {
            // A second grant for one request is none; the first one stands.
            Some(opt_out) if opt_out.grant.is_some() => return,
            Some(opt_out) => {
                opt_out.marks.push(Mark::of(entry));
                opt_out.flaw = flaw.or_else(|| opt_out.flaw.take());
            }
            None => self.opt_outs.begin(id, OptOut::new(entry, by, flaw)),
        }
        self.opt_outs.granted(id, granted);
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
        let Some(ask) = &data.ask else { return Err(Doubt::wrong("does not say what was denied")) };
        let gate = at.gate()?;
        // Its exact instant is not recorded; it is right if it is right at some of them.
        let comes_out = |now: Timestamp| {
            let request = data.request.as_ref();
            self.comes_out_denied(Verdict {
                gate,
                entry,
                ask,
                by,
                context: &data.context,
                request,
                used,
                now,
            })
        };
        comes_out(at.moment.latest).or_else(|doubt| comes_out(at.moment.earliest).map_err(|_| doubt))
    }

    fn comes_out_denied(&self, verdict: Verdict<'_>) -> Judged {
        if !self.objections(verdict).is_empty() {
            return Ok(());
        }
        let signer = match (verdict.by.assurance, verdict.request) {
            (Assurance::Signed, _) => {
                self.signed(verdict)?;
                None
            }
            (_, Some(request)) => match self.signer(request, verdict) {
                Ok(signer) => Some(signer),
                // Who claims to have signed and did not is rightly denied.
                Err(_) => return Ok(()),
            },
            (_, None) => None,
        };
        let past = self.past(verdict);
        let by = signer.as_ref().unwrap_or(verdict.by);
        let petition = Petition { gate: verdict.gate, ask: verdict.ask, by, context: verdict.context };
        match gate_policy::admit(verdict.used.policy(), &petition, &past) {
            Admission::Denied(_) => Ok(()),
            Admission::Grant(terms) => Err(Doubt::Wrong(format!("denies what rule {} grants", terms.rule))),
            Admission::Pending(terms, _) => {
                Err(Doubt::Wrong(format!("denies what rule {} grants with approvals", terms.rule)))
            }
        }
    }

    fn judge_request(
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
        let now = data.lapses.minus(approvals.within);
        if !at.moment.allows(now) || now.plus(approvals.within) != Some(data.lapses) {
            return Err(Doubt::Wrong(format!("lapses at {}, not as rule {} says", data.lapses, data.rule)));
        }
        let verdict = Verdict { gate, entry, ask: &data.ask, by, context, request, used, now };
        self.admissible(verdict)?;
        self.comes_out(verdict, |admission| match admission {
            Admission::Pending(terms, _) => fits(&terms, data.rule, &data.ask),
            Admission::Grant(terms) => Err(format!("waits for approvals, and rule {} grants it", terms.rule)),
            Admission::Denied(trials) => Err(format!("should have been denied: {}", in_words(&trials))),
        })
    }

    fn judge_immediate(
        &self,
        at: Position<'_>,
        entry: &Entry,
        data: &GrantData,
        by: &Principal,
        used: &Used,
    ) -> Judged {
        let (gate, context, request) = (at.gate()?, &data.context, data.request.as_ref());
        in_time(at, data)?;
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
        owes(data, rule.review_within)
    }

    fn judge_approved(
        &self,
        at: Position<'_>,
        id: u64,
        data: &GrantData,
        by: &Principal,
        used: &Used,
        approved: &Result<(), String>,
    ) -> Judged {
        let gate = at.gate()?;
        in_time(at, data)?;
        let (opt_out, asked) = self.waiting(at, id, data.not_before)?;
        if asked.data.context != data.context
            || asked.data.request != data.request
            || asked.data.rule != data.rule
        {
            return Err(Doubt::wrong("grants something else than was requested"));
        }
        let petition = Petition { gate, ask: &data.ask, by, context: &data.context };
        let rule = gate_policy::permits(used.policy(), &petition, Some(data.rule))
            .map_err(|trials| Doubt::Wrong(format!("should have been denied: {}", in_words(&trials))))?;
        if rule.approvals.is_none() {
            return Err(Doubt::Wrong(format!("rests on approvals, and rule {} needs none", data.rule)));
        }
        approved.clone().map_err(|reason| Doubt::Wrong(format!("lacks approvals: {reason}")))?;
        if data.approvals != opt_out.approvals.iter().map(|entry| entry.seq).collect::<Vec<_>>() {
            return Err(Doubt::wrong("names other approvals than were given"));
        }
        let past = Past { of_gate: self.opt_outs.of_gate(gate), used, now: data.not_before };
        gate_policy::quota_allows(rule, by, &past).map_err(|reason| {
            Doubt::Wrong(format!("should have been denied: rule {} {reason}", rule.number))
        })?;
        owes(data, rule.review_within.filter(|_| rule.break_glass))?;
        inherited(opt_out)
    }

    /// The opt-out `id`, whose request still waits at `now`.
    pub(super) fn waiting(
        &self,
        at: Position<'_>,
        id: u64,
        now: Timestamp,
    ) -> Result<(&OptOut, &Asked), Doubt> {
        if let Some(doubt) = self.opt_outs.lost(id) {
            return Err(rests_on(doubt, id));
        }
        let found = self.opt_outs.get(id).and_then(|opt_out| Some((opt_out, opt_out.request.as_ref()?)));
        let Some((opt_out, asked)) = found else {
            return Err(Doubt::Wrong(format!("names request {id}, and no request waits there")));
        };
        if at.gate != Some(opt_out.gate.as_str()) {
            return Err(Doubt::Wrong(format!("names request {id}, which is for another gate")));
        }
        if opt_out.grant.is_some() || opt_out.ended.is_some() {
            return Err(Doubt::Wrong(format!("names request {id}, which waited no longer")));
        }
        if now >= asked.data.lapses {
            return Err(Doubt::Wrong(format!("names request {id}, which lapsed at {}", asked.data.lapses)));
        }
        Ok((opt_out, asked))
    }

    /// Whether the approvals before the grant `entry` suffice under its policy; as [`approval::suffice`].
    fn approved(&self, entry: &Entry, data: &GrantData, by: &Principal, used: &Used) -> Result<(), String> {
        let gate = entry.gate.as_deref().unwrap_or_default();
        let rule = used.policy().gate(gate).ok().and_then(|gate| gate.rule(data.rule));
        let Some(rule) = rule else { return Err(format!("its policy has no rule {}", data.rule)) };
        if rule.approvals.is_none() {
            return Ok(());
        }
        let opt_out = entry.reference.and_then(|id| self.opt_outs.get(id));
        let asked = opt_out.and_then(|opt_out| Some((opt_out, opt_out.request.as_ref()?)));
        let Some((opt_out, asked)) = asked else { return Err("it names no request".to_owned()) };
        approval::same_request(&asked.entry, data, by)?;
        approval::standing(&used.recorded, rule, entry, &asked.entry, by, &opt_out.approvals)
    }

    /// Whether nothing but the rules can speak against it: document, nonce, signature.
    fn admissible(&self, verdict: Verdict<'_>) -> Judged {
        if let Some(objection) = self.objections(verdict).into_iter().next() {
            return Err(Doubt::Wrong(format!("should have been denied: {objection}")));
        }
        self.signed(verdict)
    }

    fn signed(&self, verdict: Verdict<'_>) -> Judged {
        let known =
            verdict.request.map(|request| self.heads.known(request, self.genesis)).unwrap_or_default();
        let Verdict { used, entry, request, by, .. } = verdict;
        signatures::requester_known(&known, used.trust(), entry, request, by)
            .map_err(|error| Doubt::Wrong(format!("has a signature that does not hold: {error}")))
    }

    fn signer(&self, request: &Request, verdict: Verdict<'_>) -> Result<Principal, signatures::Unproven> {
        let known = self.heads.known(request, self.genesis);
        let interval = (known.earliest(request, verdict.now), verdict.now);
        signatures::request_signer(request, &request.by, verdict.used.trust(), interval)
    }

    /// What speaks against it whatever the rules say.
    fn objections(&self, verdict: Verdict<'_>) -> Vec<String> {
        let mut objections = Vec::new();
        if verdict.ask.action != Action::Pause
            && let Some(conflict) = verdict.context.conflicts.first()
        {
            objections.push(format!("the facts of this run contradict each other: {conflict}"));
        }
        let Some(request) = verdict.request else { return objections };
        if self.opt_outs.is_nonce_used(&request.nonce) {
            objections.push("this request was submitted before".to_owned());
        }
        let known = self.heads.known(request, self.genesis);
        let digest = &verdict.used.recorded.data.digest;
        objections.extend(signatures::objections(
            request,
            &verdict.entry.ledger,
            &known,
            digest,
            verdict.now,
        ));
        objections
    }

    fn past<'a>(&'a self, verdict: Verdict<'a>) -> Past<'a> {
        Past { of_gate: self.opt_outs.of_gate(verdict.gate), used: verdict.used, now: verdict.now }
    }

    /// Whether `accept` accepts what comes out for the recorded scope or for one that was narrowed to it.
    fn comes_out(&self, verdict: Verdict<'_>, accept: impl Fn(Admission) -> Result<(), String>) -> Judged {
        let past = self.past(verdict);
        let judge = |ask: &Ask| {
            let petition = Petition { gate: verdict.gate, ask, by: verdict.by, context: verdict.context };
            accept(gate_policy::admit(verdict.used.policy(), &petition, &past))
        };
        let Err(reason) = judge(verdict.ask) else { return Ok(()) };
        let asked_wider = |scope: Scope| judge(&Ask { scope, ..verdict.ask.clone() }).is_ok();
        if wider(&verdict.ask.scope).any(asked_wider) { Ok(()) } else { Err(Doubt::Wrong(reason)) }
    }

    /// Remembers that an opt-out's first entry cannot be read.
    fn lose(&mut self, entry: &Entry, doubt: Doubt) -> Doubt {
        self.opt_outs.lose(records::id_of(entry), doubt.clone());
        doubt
    }

    /// A grant that cannot be read still counts against quotas.
    fn lose_grant(&mut self, entry: &Entry, doubt: Doubt) -> Doubt {
        if let Some(gate) = &entry.gate {
            self.opt_outs.admit(gate, past::Admission { at: entry.at, what: None });
        }
        self.lose(entry, doubt)
    }
}

impl OptOut {
    /// An opt-out that begins with `entry`.
    pub(super) fn new(entry: &Entry, requester: Principal, flaw: Option<Doubt>) -> Self {
        Self {
            gate: entry.gate.clone().unwrap_or_default(),
            requester,
            marks: vec![Mark::of(entry)],
            request: None,
            approvers: Vec::new(),
            approved_unsigned: None,
            approvals: Vec::new(),
            grant: None,
            ended: None,
            reviewed: None,
            flaw,
        }
    }
}

/// What to say of something that rests on an opt-out with a flaw.
pub(super) fn rests_on(flaw: &Doubt, id: u64) -> Doubt {
    match flaw {
        Doubt::Wrong(_) => {
            Doubt::Wrong(format!("rests on opt-out {id}, which should not have been recorded as it is"))
        }
        Doubt::Unjudged(_) => Doubt::Unjudged("rests on an opt-out that is not judged".to_owned()),
    }
}

/// What was wrong with the request is wrong with its grant.
fn inherited(opt_out: &OptOut) -> Judged {
    match &opt_out.flaw {
        Some(Doubt::Wrong(_)) => {
            Err(Doubt::wrong("grants a request that should not have been recorded as it is"))
        }
        Some(Doubt::Unjudged(_)) => Err(Doubt::Unjudged("grants a request that is not judged".to_owned())),
        None => Ok(()),
    }
}

/// Notes somebody whom a token proved.
pub(super) fn note_token(seq: u64, by: &Principal, report: &mut Report) {
    if by.assurance == Assurance::Oidc {
        report.note(seq, Oddity::Token);
    }
}

/// The rule of `gate` with this number.
fn numbered<'a>(used: &'a Used, gate: &str, number: u64) -> Result<&'a Rule, Doubt> {
    let found = used.policy().gate(gate).map_err(|error| Doubt::Wrong(error.to_string()))?;
    found
        .rule(number)
        .ok_or_else(|| Doubt::Wrong(format!("rests on rule {number}, which gate '{gate}' does not have")))
}

/// Whether the grant begins when it was made, and ends a time to live later.
fn in_time(at: Position<'_>, data: &GrantData) -> Judged {
    if !at.moment.allows(data.not_before) {
        let (start, made) = (data.not_before, at.moment.latest);
        return Err(Doubt::Wrong(format!("counts from {start} on, and was made at {made}")));
    }
    if data.not_before.plus(data.ask.ttl.seconds) != Some(data.expires) {
        return Err(Doubt::wrong("does not end a time to live after its start"));
    }
    Ok(())
}

/// Whether what was recorded is what the terms give.
fn fits(terms: &Terms, rule: u64, ask: &Ask) -> Result<(), String> {
    if terms.rule != rule {
        return Err(format!("names rule {rule}, and rule {} is the one that allows it", terms.rule));
    }
    let members = [
        ("time to live", terms.ttl == ask.ttl.seconds),
        ("number of uses", terms.max_uses == ask.max_uses),
        ("scope", terms.scope == ask.scope),
        ("findings", terms.findings == ask.findings),
    ];
    match members.iter().find(|(_, equal)| !equal) {
        Some((name, _)) => Err(format!("has another {name} than rule {rule} gives")),
        None => Ok(()),
    }
}

/// Whether the grant owes the review that its rule asks for.
fn owes(data: &GrantData, within: Option<u64>) -> Judged {
    let due = within.and_then(|within| data.not_before.plus(within));
    let due = due.map(|by| Owes { what: "review".to_owned(), by });
    if due == data.owes {
        return Ok(());
    }
    match due {
        Some(owes) => Err(Doubt::Wrong(format!("owes a review by {}, and does not say so", owes.by))),
        None => Err(Doubt::wrong("says that it owes a review, and its rule asks for none")),
    }
}

/// The scopes that a rule may have narrowed to `scope`: those with fewer members.
fn wider(scope: &Scope) -> impl Iterator<Item = Scope> {
    (1..16_u8).filter_map(move |mask| {
        let mut wider = scope.clone();
        let members = [&mut wider.repository, &mut wider.commit, &mut wider.git_ref, &mut wider.environment];
        for (bit, member) in members.into_iter().enumerate() {
            if mask & (1 << bit) != 0 {
                member.take()?;
            }
        }
        Some(wider)
    })
}

#[cfg(test)]
mod tests {
    use gate_model::scope::Scope;

    use super::wider;

    #[test]
    fn each_scope_that_can_have_been_asked_for_is_tried_once() {
        let scope = Scope {
            repository: Some("r".into()),
            commit: Some("c".into()),
            run: Some("1".into()),
            ..Scope::default()
        };
        let tried: Vec<Scope> = wider(&scope).collect();
        assert_eq!(tried.len(), 3);
        assert!(tried.iter().all(|scope| scope.run.is_some()));
        assert_eq!(wider(&Scope::default()).count(), 0);
    }
}
