//! Requests and grants: judged again, and filed for what follows.

use crate::repository::Whose;
use std::cell::RefCell;

use gate_ledger::entry::Entry;
use gate_model::payload::{GrantData, RequestData};
use gate_model::principal::{Assurance, Principal};
use gate_model::request::Request;
use gate_model::time::Timestamp;
use serde::de::DeserializeOwned;

use crate::life::Over;
use crate::lifting;
use crate::records;
use crate::signatures::Known;

use super::life::{Asked, Granted, OptOut, Proof};
use super::past::{self, What};
use super::policy_log::Used;
use super::report::{Doubt, Judged, Oddity, Report};
use super::{Position, Renewing, State, known_judge, unreadable};

/// The entry's data and actor.
pub(super) fn read<T: DeserializeOwned>(entry: &Entry) -> Result<(T, Principal), Doubt> {
    let read = records::data(entry).and_then(|data| Ok((data, records::actor(entry)?)));
    read.map_err(|error| unreadable(&entry.data, &error.source))
}

/// Notes somebody whom a token proved.
pub(super) fn note_token(seq: u64, by: &Principal, report: &mut Report) {
    if by.assurance == Assurance::Oidc {
        report.note(seq, Oddity::Token);
    }
}

impl State {
    /// The policy that a verdict names; what is odd about it is noted.
    pub(super) fn used(
        &self,
        at: Position<'_>,
        policy: &gate_model::decision::PolicyUsed,
        report: &mut Report,
    ) -> Result<Used, Doubt> {
        let used = self.policy_log.used(&policy.digest, &policy.source)?;
        self.note_oddities(at, (at.seq, at.repository), &used, report);
        Ok(used)
    }

    /// Notes what is odd about a verdict in the repository `here` under `used`, whose maker had seen the entry `seen`.
    pub(super) fn note_oddities(
        &self,
        Position { seq, .. }: Position<'_>,
        (seen, here): (u64, Option<&str>),
        used: &Used,
        report: &mut Report,
    ) {
        if let Some(oddity) = used.oddity {
            report.note(seq, oddity);
        }
        if self.policy_log.is_superseded(used, here, (seen.min(seq), seq)) {
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
        let judged = self.excuse(entry, judged);
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
        let judged = self.excuse(entry, judged);
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
        let whose = Whose::of_grant(&data);
        let what = What { policy, rule: data.rule, action: data.ask.action, by: &by, whose };
        if let Some(gate) = &entry.gate {
            self.opt_outs.admit(gate, past::Admission { seq: entry.seq, at: entry.at, what: Some(what) });
        }
        let then = used.map(|used| used.recorded);
        let approvals = self.opt_outs.get(records::id_of(entry)).map(|opt_out| opt_out.approvals.as_slice());
        let approvers = then.as_ref().zip(approvals);
        let approvers = approvers.map(|(then, given)| lifting::counting(then, (entry, &data, &by), given));
        let known = data.request.as_ref().map(|request| self.known(request));
        let granted = Granted {
            seq: entry.seq,
            hash: entry.hash,
            at: entry.at,
            then,
            approved,
            spent: Vec::new(),
            approvals: Vec::new(),
            earned: RefCell::default(),
            proof: Proof::of(entry, &by, known.unwrap_or_default()),
            data,
        };
        let id = records::id_of(entry);
        let renewed = granted.data.ask.renews.as_ref().filter(|_| flaw.is_none());
        self.renewing = renewed.map(|renews| Renewing { renewed: renews.id, renewal: id, seq: entry.seq });
        match self.opt_outs.get_mut(id) {
            // A second grant for one request is none; the first one stands.
            Some(opt_out) if opt_out.grant.is_some() => return,
            Some(opt_out) => {
                opt_out.pass(entry);
                opt_out.flaw = flaw.or_else(|| opt_out.flaw.take());
                opt_out.approvers = approvers.unwrap_or_default();
            }
            None => self.opt_outs.begin(id, OptOut::new(entry, by, flaw)),
        }
        self.opt_outs.granted(id, granted);
    }

    /// What is known of a signed request.
    pub(super) fn known(&self, request: &Request) -> Known {
        let seen = request.seen_head.as_ref().and_then(|head| self.heads.seen(head));
        Known { seen, genesis: self.genesis.map(|genesis| genesis.to_string()) }
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
        match opt_out.life.waits(now) {
            Ok(()) => Ok((opt_out, asked)),
            Err(Over::By(_)) => Err(Doubt::Wrong(format!("names request {id}, which waited no longer"))),
            Err(Over::Since(at)) => Err(Doubt::Wrong(format!("names request {id}, which lapsed at {at}"))),
        }
    }

    /// Remembers that an opt-out's first entry cannot be read.
    fn lose(&mut self, entry: &Entry, doubt: Doubt) -> Doubt {
        self.opt_outs.lose(records::id_of(entry), doubt.clone());
        doubt
    }

    /// A grant that cannot be read still counts against quotas.
    fn lose_grant(&mut self, entry: &Entry, doubt: Doubt) -> Doubt {
        if let Some(gate) = &entry.gate {
            self.opt_outs.admit(gate, past::Admission { seq: entry.seq, at: entry.at, what: None });
        }
        self.lose(entry, doubt)
    }
}

/// What to say of something that rests on an opt-out with a flaw.
pub(super) fn rests_on(flaw: &Doubt, id: u64) -> Doubt {
    match flaw {
        Doubt::Wrong(_) => {
            Doubt::Wrong(format!("rests on opt-out {id}, which should not have been recorded as it is"))
        }
        Doubt::Unjudged(_) => Doubt::Unjudged("rests on an opt-out that is not judged".to_owned()),
        Doubt::Erased | Doubt::Archived => flaw.clone(),
    }
}
