//! Whatever people do, in whatever order and with whatever clocks: what the tools record of it agrees.

use gate_model::action::Action;
use gate_model::payload::{Ask, ReviewVerdict};
use gate_model::request::Ttl;
use gate_model::scope::Scope;
use proptest::prelude::*;

use crate::ledger::{Forgery, assert_agrees, replay};
use crate::world::{POLICY, World, ask, finding, waive};

const GATES: [&str; 5] = ["lint", "tests", "vulnerabilities", "deploy", "secrets"];
const PEOPLE: [&str; 6] = ["dave", "carol", "erin", "erin-work", "frank", "mallory"];

/// Something that somebody does.
#[derive(Debug, Clone)]
enum Deed {
    Ask { who: usize, gate: usize, action: usize, hours: u64, uses: Option<u64>, wide: bool, broken: bool },
    Waive { who: usize, count: u64, path: usize },
    Act { who: usize, verb: usize, which: usize },
    Resume { who: usize, gate: usize },
    Run { gate: usize, status: u8, meanwhile: Option<Box<Deed>> },
    Report { gate: usize, found: Vec<usize>, scanned: bool },
    Policy { which: usize },
    Clock { minutes: i64 },
}

fn deed() -> impl Strategy<Value = Deed> {
    let who = 0..PEOPLE.len();
    let gate = prop_oneof![3 => Just(0_usize), 3 => Just(1), 1 => Just(2), 4 => Just(3), 1 => Just(4)];
    let hours = prop_oneof![8 => 0..3_u64, 1 => 3..60_u64];
    let uses = prop_oneof![6 => Just(None), 1 => (0..4_u64).prop_map(Some)];
    let (wide, broken) = (proptest::bool::weighted(0.15), proptest::bool::weighted(0.3));
    let asked = (who.clone(), gate.clone(), 0..3_usize, hours, uses, wide, broken).prop_map(
        |(who, gate, action, hours, uses, wide, broken)| Deed::Ask {
            who,
            gate,
            action,
            hours,
            uses,
            wide,
            broken,
        },
    );
    let waived =
        (who.clone(), 0..4_u64, 0..3_usize).prop_map(|(who, count, path)| Deed::Waive { who, count, path });
    let act = (who.clone(), prop_oneof![5 => Just(0_usize), 2 => 1..4_usize], 0..3_usize)
        .prop_map(|(who, verb, which)| Deed::Act { who, verb, which });
    let calm = prop_oneof![
        6 => asked,
        2 => waived,
        7 => act,
        1 => (who, gate.clone()).prop_map(|(who, gate)| Deed::Resume { who, gate }),
        1 => (0..4_usize).prop_map(|which| Deed::Policy { which }),
        1 => prop_oneof![3 => -20..90_i64, 1 => -600..6_000_i64].prop_map(|minutes| Deed::Clock { minutes }),
    ];
    let run = (gate.clone(), 0..3_u8, proptest::option::weighted(0.3, calm.clone().prop_map(Box::new)))
        .prop_map(|(gate, status, meanwhile)| Deed::Run { gate, status, meanwhile });
    let report = (gate, proptest::collection::vec(0..3_usize, 0..5), any::<bool>())
        .prop_map(|(gate, found, scanned)| Deed::Report { gate, found, scanned });
    prop_oneof![3 => calm, 2 => run, 2 => report]
}

fn perform(world: &World, deed: &Deed) {
    match deed {
        Deed::Ask { who, gate, action, hours, uses, wide, broken } => {
            let action = [Action::Skip, Action::Override, Action::Pause][*action];
            let environment = wide.then(|| "production".to_owned());
            let asked = Ask {
                ttl: if *hours == 0 {
                    Ttl { text: String::new(), seconds: 0 }
                } else {
                    Ttl::of(hours * 3_600)
                },
                max_uses: *uses,
                break_glass: *broken,
                scope: Scope { environment, ..Scope::default() },
                ..ask(action, 1)
            };
            speak(world, *who, || drop(world.ask(GATES[*gate], asked)));
        }
        Deed::Waive { who, count, path } => {
            let path = ["src/*", "src/a", "lib/**"][*path];
            speak(world, *who, || drop(world.ask("vulnerabilities", waive("A", path, *count))));
        }
        Deed::Act { who, verb, which } => act(world, PEOPLE[*who], *verb, *which),
        Deed::Resume { who, gate } => {
            let act = world.act(PEOPLE[*who], "", "it is over");
            drop(world.resume(GATES[*gate], &act));
        }
        Deed::Run { gate, status, meanwhile } => {
            // gate-check runs a gate that is judged by its report with that report only.
            let gate = if GATES[*gate] == "vulnerabilities" { "lint" } else { GATES[*gate] };
            let during = || meanwhile.iter().for_each(|deed| perform(world, deed));
            drop(world.run_while(gate, *status, during));
        }
        Deed::Report { gate, found, scanned } => {
            let found =
                found.iter().map(|which| finding("A", ["src/a", "src/b", "lib/c"][*which], 1)).collect();
            let gate = GATES[*gate];
            drop(if *scanned { world.scan(gate, 1, found) } else { world.judge(gate, found) });
        }
        Deed::Policy { which } => {
            let texts = [
                POLICY.to_owned(),
                POLICY.replace("count = 2, from", "count = 1, from"),
                POLICY.replace("max_ttl = \"24h\"", "max_ttl = \"2h\""),
                POLICY.replace("quota = { max = 2", "quota = { max = 1"),
            ];
            world.write("gate.toml", &texts[*which]);
        }
        Deed::Clock { minutes } => {
            let by = minutes.unsigned_abs() * 60;
            world.set_now(if *minutes < 0 { world.now().minus(by) } else { world.now().plus(by).unwrap() });
        }
    }
}

fn speak(world: &World, who: usize, work: impl FnOnce()) {
    world.set("GITHUB_ACTOR", PEOPLE[who]);
    work();
    world.set("GITHUB_ACTOR", "dave");
}

/// Acts on one of the newest opt-outs, if there is one; what the tool refuses to hear of is not recorded.
fn act(world: &World, who: &str, verb: usize, which: usize) {
    use gate_ledger::entry::Kind;
    use gate_workflow::{approval, ending, review};
    let entries = world.entries();
    let begins = |kind: Kind| matches!(kind, Kind::Request | Kind::Grant);
    let Some(entry) = entries.iter().rev().filter(|entry| begins(entry.kind)).nth(which) else { return };
    let act = world.act(who, &entry.reference.unwrap_or(entry.seq).to_string(), "I looked at it");
    world.with(|workspace| {
        let done = match verb {
            0 => approval::approve(workspace, &act),
            1 => approval::reject(workspace, &act),
            2 => ending::revoke(workspace, &act),
            _ => review::review(workspace, &act, ReviewVerdict::Accepted),
        };
        // An opt-out that has ended is an error of the caller's, and nothing is recorded.
        drop(done);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_agrees(deeds in proptest::collection::vec(deed(), 1..60)) {
        let world = World::new(POLICY);
        for deed in &deeds {
            perform(&world, deed);
        }
        assert_agrees(&world.entries());
    }

    #[test]
    fn whatever_is_changed_is_judged_without_a_panic(
        deeds in proptest::collection::vec(deed(), 1..12),
        place in any::<prop::sample::Index>(),
        value in prop_oneof![Just("null"), Just("0"), Just("9007199254740991"), Just("\"x\""), Just("[]"), Just("{}"), Just("true")],
    ) {
        let world = World::new(POLICY);
        for deed in &deeds {
            perform(&world, deed);
        }
        let entries = world.entries();
        let places = places_of(&entries);
        let (seq, pointer) = place.get(&places).clone();
        let value: serde_json::Value = serde_json::from_str(value).unwrap();
        let forged = Forgery::of(&entries).data(seq, |data| *data.pointer_mut(&pointer).unwrap() = value);
        drop(replay(&forged.entries()));
    }
}

/// Every value in the data of every entry, as a JSON pointer.
fn places_of(entries: &[gate_ledger::entry::Entry]) -> Vec<(u64, String)> {
    fn walk(value: &serde_json::Value, pointer: &str, found: &mut Vec<String>) {
        found.extend((!pointer.is_empty()).then(|| pointer.to_owned()));
        match value {
            serde_json::Value::Object(members) => {
                members.iter().for_each(|(name, value)| walk(value, &format!("{pointer}/{name}"), found));
            }
            serde_json::Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, value)| walk(value, &format!("{pointer}/{n}"), found));
            }
            _ => {}
        }
    }
    let of = |entry: &gate_ledger::entry::Entry| {
        let mut found = Vec::new();
        walk(&entry.data, "", &mut found);
        found.into_iter().map(|pointer| (entry.seq, pointer)).collect::<Vec<_>>()
    };
    entries.iter().flat_map(of).collect()
}
