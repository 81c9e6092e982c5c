//! Random lives of opt-outs, played against the model: the tools answer what it answers, and replay agrees with all of it.

use gate_model::action::Action;
use gate_model::payload::{Ask, ReviewVerdict};
use gate_model::request::Ttl;
use gate_workflow::{approval, ending, review};
use proptest::prelude::*;

use crate::ledger::assert_agrees;
use crate::model::{Answer, GATES, Model, PEOPLE, POLICIES, Verb, Wish};
use crate::world::{World, ask, finding, waive};

const COMMITS: [&str; 2] =
    ["1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"];
const PATHS: [&str; 3] = ["src/a", "src/b", "lib/c"];
/// How many of the newest opt-outs people remember.
const KNOWN: usize = 5;

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Ask(Wish),
    Act { who: usize, verb: Verb, which: usize },
    Resume { who: usize },
    Run { gate: usize, status: u8 },
    Report { found: Vec<usize> },
    Policy { which: usize },
    Commit { which: usize },
    Clock { minutes: i64 },
}

fn wish() -> impl Strategy<Value = Wish> {
    let who = 0..PEOPLE.len();
    let plain = (
        who.clone(),
        0..2_usize,
        0..3_usize,
        -1..5_i64,
        prop_oneof![6 => Just(None), 2 => (0..4_u64).prop_map(Some)],
        any::<bool>(),
    );
    let plain = plain.prop_map(|(who, gate, action, hours, uses, broken)| Wish {
        who: PEOPLE[who],
        gate: GATES[gate],
        action: [Action::Skip, Action::Override, Action::Pause][action],
        hours: (hours > 0).then_some(hours),
        uses,
        broken,
        finding: None,
    });
    let waiver = (who, 1..30_i64, 0..PATHS.len(), 0..3_usize);
    let waiver = waiver.prop_map(|(who, hours, path, count)| Wish {
        who: PEOPLE[who],
        gate: "scan",
        action: Action::Waive,
        hours: Some(hours),
        uses: None,
        broken: false,
        finding: Some((PATHS[path], count)),
    });
    prop_oneof![5 => plain, 1 => waiver]
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PEOPLE.len();
    let verb = prop_oneof![
        6 => Just(Verb::Approve), 1 => Just(Verb::Reject), 2 => Just(Verb::Revoke), 2 => Just(Verb::Accept), 1 => Just(Verb::Refuse)
    ];
    prop_oneof![
        6 => wish().prop_map(Step::Ask),
        7 => (who.clone(), verb, 0..KNOWN).prop_map(|(who, verb, which)| Step::Act { who, verb, which }),
        1 => who.prop_map(|who| Step::Resume { who }),
        6 => (0..2_usize, 0..3_u8).prop_map(|(gate, status)| Step::Run { gate, status }),
        2 => proptest::collection::vec(0..PATHS.len(), 0..4).prop_map(|found| Step::Report { found }),
        1 => (0..POLICIES.len()).prop_map(|which| Step::Policy { which }),
        1 => (0..COMMITS.len()).prop_map(|which| Step::Commit { which }),
        2 => prop_oneof![4 => -20..60_i64, 1 => -200..400_i64].prop_map(|minutes| Step::Clock { minutes }),
    ]
}

/// The same world, as it is and as the model has it.
pub(crate) struct Played {
    pub(crate) world: World,
    model: Model,
}

impl Played {
    pub(crate) fn new() -> Self {
        let world = World::new(&POLICIES[0].text());
        let clock = world.now().seconds_since(epoch());
        Self { model: Model::new(clock), world }
    }

    /// Does the step in both, and panics where the answers differ.
    pub(crate) fn play(&mut self, step: &Step) {
        match step {
            Step::Ask(wish) => self.ask(wish),
            Step::Act { who, verb, which } => self.act(PEOPLE[*who], *verb, *which),
            Step::Resume { who } => {
                let act = self.world.act(PEOPLE[*who], "", "the freeze is over");
                let said = self.world.resume("free", &act).status;
                self.tick();
                assert_eq!(said, self.model.resume(PEOPLE[*who]));
            }
            Step::Run { gate, status } => {
                let begun = self.minute();
                let said = self.world.run(GATES[*gate], *status).decision;
                self.model.clock = begun;
                assert_eq!(said, self.model.run(GATES[*gate], *status));
                self.settle();
            }
            Step::Report { found } => {
                let begun = self.minute();
                let findings = found.iter().map(|path| finding("A", PATHS[*path], 1)).collect();
                let said = self.world.judge("scan", findings).decision;
                self.model.clock = begun;
                let found: Vec<&str> = found.iter().map(|path| PATHS[*path]).collect();
                assert_eq!(said, self.model.report(&found));
                self.settle();
            }
            Step::Policy { which } => {
                self.world.write("gate.toml", &POLICIES[*which].text());
                self.model.policy = *which;
            }
            Step::Commit { which } => {
                self.world.set("GITHUB_SHA", COMMITS[*which]);
                self.model.commit = *which;
            }
            Step::Clock { minutes } => {
                let by = minutes.unsigned_abs() * 60;
                let now = self.world.now();
                self.world.set_now(if *minutes < 0 { now.minus(by) } else { now.plus(by).unwrap() });
                self.tick();
            }
        }
    }

    /// What the clock will say when a run begins.
    fn minute(&self) -> i64 {
        self.world.now().seconds_since(epoch()) + 60
    }

    /// The clock of a world in which a gate was settled before it ran stands where the model's does.
    fn settle(&self) {
        assert_eq!(self.model.clock, self.world.now().seconds_since(epoch()));
    }

    /// The model's clock follows the world's.
    fn tick(&mut self) {
        self.model.clock = self.world.now().seconds_since(epoch());
    }

    fn ask(&mut self, wish: &Wish) {
        let plain = match wish.finding {
            Some((path, count)) => waive("A", path, count as u64),
            None => ask(wish.action, 1),
        };
        let seconds = wish.hours.map(|hours| hours.unsigned_abs() * 3_600);
        let ttl = seconds.map_or(Ttl { text: String::new(), seconds: 0 }, Ttl::of);
        let asked = Ask { ttl, max_uses: wish.uses, break_glass: wish.broken, ..plain };
        self.world.set("GITHUB_ACTOR", wish.who);
        let said = self.world.ask(wish.gate, asked);
        self.world.set("GITHUB_ACTOR", "dave");
        self.tick();
        assert_eq!(said.status, self.model.ask(wish, said.id.unwrap_or_default()), "{said:?}");
    }

    fn act(&mut self, who: &'static str, verb: Verb, which: usize) {
        let Some(place) = self.model.lives.len().checked_sub(1 + which) else { return };
        let act = self.world.act(who, &self.model.lives[place].id.to_string(), "I looked at it");
        let said = self.world.with(|workspace| match verb {
            Verb::Approve => approval::approve(workspace, &act),
            Verb::Reject => approval::reject(workspace, &act),
            Verb::Revoke => ending::revoke(workspace, &act),
            Verb::Accept => review::review(workspace, &act, ReviewVerdict::Accepted),
            Verb::Refuse => review::review(workspace, &act, ReviewVerdict::Rejected),
        });
        let answer: Answer = said.as_ref().ok().map(|grant| grant.status);
        self.tick();
        assert_eq!(answer, self.model.act(who, verb, place), "{said:?}");
    }
}

fn epoch() -> gate_model::time::Timestamp {
    gate_model::time::Timestamp::parse("1970-01-01T00:00:00Z").unwrap()
}

fn play(steps: &[Step]) {
    let mut played = Played::new();
    for step in steps {
        played.play(step);
    }
    assert_agrees(&played.world.entries());
}

pub(crate) fn lives() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 25, failure_persistence: None, max_shrink_iters: 400, ..ProptestConfig::default() })]

    // Twenty thousand steps, in four tests so that they run side by side.
    #[test]
    fn the_tools_answer_what_the_model_answers_1(steps in lives()) { play(&steps); }
    #[test]
    fn the_tools_answer_what_the_model_answers_2(steps in lives()) { play(&steps); }
    #[test]
    fn the_tools_answer_what_the_model_answers_3(steps in lives()) { play(&steps); }
    #[test]
    fn the_tools_answer_what_the_model_answers_4(steps in lives()) { play(&steps); }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    #[ignore = "a million steps take an hour and more; scripts/check --long"]
    fn the_tools_answer_what_the_model_answers_for_long(steps in lives()) { play(&steps); }
}
