//! A ledger's export, made for a test entry by entry, with a clock that goes where the test wants it.

use std::time::{SystemTime, UNIX_EPOCH};

use gate_ledger::entry::{Draft, EntryHash, Kind, Place};
use gate_model::time::Timestamp;
use serde_json::{Value, json};

/// The name of the person `number`.
pub fn person(number: usize) -> String {
    format!("person-{}@example.com", number % 700)
}

/// An export that grows.
pub struct History {
    pub export: String,
    ledger: String,
    seq: u64,
    prev: EntryHash,
    now: Timestamp,
}

impl History {
    /// With genesis and a policy whose origin is `example.com/NAME`.
    pub fn new(name: &str) -> Self {
        // Before today, so that what lasts long is live when the tool looks.
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let now = Timestamp::parse("1970-01-01T00:00:00Z").unwrap().plus(since_1970 - 20 * 86_400).unwrap();
        let ledger = format!("{:0>32}", format!("{:x}", name.as_bytes()[0]));
        let mut history = Self { export: String::new(), ledger, seq: 0, prev: EntryHash::ZERO, now };
        history.add(Kind::Genesis, None, None, "os:root", json!({}));
        let text = format!("version = 1\n[ledger]\norigin = 'example.com/{name}'\n[gates.lint]\n");
        history.add(
            Kind::Policy,
            None,
            None,
            "os:root",
            json!({"digest": "b3:", "source": "worktree", "text": text}),
        );
        history
    }

    /// The clock goes on.
    pub fn later(&mut self, seconds: u64) {
        self.now = self.now.plus(seconds).unwrap();
    }

    fn add(&mut self, kind: Kind, gate: Option<&str>, reference: Option<u64>, who: &str, data: Value) -> u64 {
        let actor = json!({"id": who, "assurance": "asserted", "via": "test"});
        let draft = Draft { kind, gate: gate.map(str::to_owned), reference, actor, data };
        let place = Place { ledger: &self.ledger, seq: self.seq, prev: self.prev, at: self.now };
        let entry = draft.at(place).unwrap();
        self.export.push_str(&entry.line());
        self.export.push('\n');
        self.prev = entry.hash;
        self.seq += 1;
        self.later(1);
        entry.seq
    }

    fn asked(&self, action: &str, reason: &str, seconds: u64) -> Value {
        let expires = self.now.plus(seconds).unwrap();
        json!({"action": action, "reason": reason, "not_before": self.now, "expires": expires})
    }

    pub fn grant(&mut self, gate: &str, action: &str, who: &str, reason: &str, seconds: u64) -> u64 {
        let data = self.asked(action, reason, seconds);
        self.add(Kind::Grant, Some(gate), None, who, data)
    }

    pub fn limited(&mut self, gate: &str, who: &str, uses: u64, seconds: u64) -> u64 {
        let mut data = self.asked("skip", "x", seconds);
        data["max_uses"] = uses.into();
        self.add(Kind::Grant, Some(gate), None, who, data)
    }

    /// A grant that owes a review within a day.
    pub fn break_glass(&mut self, gate: &str, who: &str, seconds: u64) -> u64 {
        let mut data = self.asked("override", "it burns", seconds);
        data["break_glass"] = true.into();
        data["owes"] = json!({"what": "review", "by": self.now.plus(86_400).unwrap()});
        self.add(Kind::Grant, Some(gate), None, who, data)
    }

    pub fn request(&mut self, gate: &str, action: &str, who: &str, seconds: u64) -> u64 {
        let lapses = self.now.plus(seconds).unwrap();
        self.add(
            Kind::Request,
            Some(gate),
            None,
            who,
            json!({"action": action, "reason": "x", "lapses": lapses}),
        )
    }

    pub fn approve(&mut self, id: u64, gate: &str, who: &str) {
        self.add(Kind::Approval, Some(gate), Some(id), who, json!({"subject": "b3:"}));
    }

    pub fn grant_of(&mut self, id: u64, gate: &str, action: &str, who: &str, seconds: u64) {
        // The clock went on by a second for the approval.
        self.now = self.now.minus(2);
        let data = self.asked(action, "x", seconds);
        self.add(Kind::Grant, Some(gate), Some(id), who, data);
    }

    pub fn deny(&mut self, gate: &str, action: &str, who: &str) {
        self.add(
            Kind::Denial,
            Some(gate),
            None,
            who,
            json!({"action": action, "reason": "x", "reasons": ["no"]}),
        );
    }

    pub fn revoke(&mut self, id: u64, gate: &str, who: &str) {
        self.add(Kind::Revocation, Some(gate), Some(id), who, json!({"action": "skip", "reason": "x"}));
    }

    pub fn review(&mut self, id: u64, gate: &str, who: &str, verdict: &str) {
        self.add(Kind::Review, Some(gate), Some(id), who, json!({"verdict": verdict}));
    }

    pub fn decide(&mut self, gate: &str, verdict: &str, waived: u64, grants: &[u64]) {
        let data = json!({"decision": verdict, "waived": waived, "grants": grants, "spends": grants});
        self.add(Kind::Decision, Some(gate), None, "github:ci", data);
    }

    /// A failure that names opt-outs and spends none of them.
    pub fn fails(&mut self, gate: &str, grants: &[u64]) {
        let data = json!({"decision": "fail", "waived": 0, "grants": grants});
        self.add(Kind::Decision, Some(gate), None, "github:ci", data);
    }
}
