//! copies LEDGER SEQ COUNT: appends the entry SEQ of a ledger COUNT times more, for `scripts/bench`.
//!
//! A hundred thousand grants that were each asked for would take an hour. What is copied are kind, gate, actor and
//! data; position, time and chain are new, so the ledger verifies. A grant begins, and a decision is judged, when it is
//! copied, so that it counts.
//! Not a tool: it admits nothing and asks nobody.

#![allow(clippy::expect_used, reason = "what fails shall stop the bench")]

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gate_ledger::entry::{Draft, Kind};
use gate_ledger::store::{Access, Ledger};
use gate_model::time::Timestamp;

/// How many entries one transaction takes.
const BATCH: u64 = 10_000;
/// How long another writer may hold the ledger.
const WAIT: Duration = Duration::from_mins(1);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [path, seq, count] = args.as_slice() else { panic!("usage: copies LEDGER SEQ COUNT") };
    let (seq, count): (u64, u64) = (seq.parse().expect("SEQ"), count.parse().expect("COUNT"));
    let mut ledger = Ledger::open(Path::new(path), Access::Append).expect("a ledger");
    let entry = ledger.view().entry(seq).expect("a readable ledger").expect("an entry at SEQ");
    let mut draft = Draft {
        kind: entry.kind,
        gate: entry.gate,
        reference: entry.reference.filter(|reference| *reference != seq),
        actor: entry.actor.into_value(),
        data: entry.data.into_value(),
    };
    let mut left = count;
    while left > 0 {
        let batch = left.min(BATCH);
        if draft.kind == Kind::Grant {
            begin(&mut draft.data, now());
        }
        let appended = ledger.append(WAIT, &now, |ledger| {
            (0..batch).try_for_each(|_| {
                if draft.kind == Kind::Decision {
                    draft.data["judged_at"] = ledger.now().to_string().into();
                }
                ledger.append(&draft).map(drop)
            })
        });
        appended.expect("an append");
        left -= batch;
    }
    ledger.close().expect("a close");
}

/// Lets the grant in `data` begin at `start`.
fn begin(data: &mut serde_json::Value, start: Timestamp) {
    let end = data["ttl"]["seconds"].as_u64().and_then(|ttl| start.plus(ttl)).expect("a time to live");
    data["not_before"] = start.to_string().into();
    data["expires"] = end.to_string().into();
}

fn now() -> Timestamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    Timestamp::parse("1970-01-01T00:00:00Z").expect("a time").plus(seconds).expect("a clock before 9999")
}
