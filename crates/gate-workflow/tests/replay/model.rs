//! What gate(7) and gate-policy(5) promise of the lives of opt-outs, as a model of its own: it knows nothing of
//! entries, stores and documents, and shares no line with what it is compared with.
//!
//! Times are seconds. Everybody is known by a CI variable alone.

use gate_model::action::Action;
use gate_model::decision::Verdict;
use gate_model::grant::Status;

pub(crate) const GATES: [&str; 3] = ["free", "kept", "scan"];
pub(crate) const PEOPLE: [&str; 6] = ["dave", "carol", "carol-work", "erin", "frank", "mallory"];
const LEADS: [&str; 4] = ["carol", "carol-work", "erin", "frank"];
const ONCALL: [&str; 2] = ["dave", "erin"];
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const WITHIN: i64 = 2 * HOUR;

/// What one text of the policy says where others say something else.
pub(crate) struct Rules {
    free_ttl: i64,
    free_quota: usize,
    kept_ttl: i64,
    kept_count: usize,
    freezers: &'static str,
}

pub(crate) const POLICIES: [Rules; 4] = [
    Rules { free_ttl: 4 * HOUR, free_quota: 4, kept_ttl: DAY, kept_count: 2, freezers: "leads" },
    Rules { free_ttl: HOUR, free_quota: 4, kept_ttl: DAY, kept_count: 1, freezers: "leads" },
    Rules { free_ttl: 4 * HOUR, free_quota: 2, kept_ttl: HOUR, kept_count: 2, freezers: "oncall" },
    Rules { free_ttl: 4 * HOUR, free_quota: 9, kept_ttl: DAY, kept_count: 3, freezers: "oncall" },
];

impl Rules {
    pub(crate) fn text(&self) -> String {
        [
            ("FREE_TTL", format!("{}s", self.free_ttl)),
            ("FREE_QUOTA", self.free_quota.to_string()),
            ("KEPT_TTL", format!("{}s", self.kept_ttl)),
            ("KEPT_COUNT", self.kept_count.to_string()),
            ("FREEZERS", self.freezers.to_owned()),
        ]
        .iter()
        .fold(include_str!("../testdata/lives.toml").to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
    }

    fn may_freeze(&self, who: &str) -> bool {
        if self.freezers == "leads" { LEADS.contains(&who) } else { ONCALL.contains(&who) }
    }
}

/// One person has two accounts.
fn person(account: &str) -> &str {
    account.trim_end_matches("-work")
}

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) who: &'static str,
    pub(crate) gate: &'static str,
    pub(crate) action: Action,
    /// Nothing asks for all that the rule allows.
    pub(crate) hours: Option<i64>,
    pub(crate) uses: Option<u64>,
    pub(crate) broken: bool,
    /// Of a waiver: the path, and how many.
    pub(crate) finding: Option<(&'static str, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Approve,
    Reject,
    Revoke,
    Accept,
    Refuse,
}

/// What a tool answers; nothing where it is a mistake of the caller's, and nothing is recorded.
pub(crate) type Answer = Option<Status>;

#[derive(Debug)]
struct Granted {
    /// What the clock said.
    at: i64,
    from: i64,
    until: i64,
    policy: usize,
}

/// The life of an opt-out.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) id: u64,
    wish: Wish,
    commit: usize,
    ttl: i64,
    uses: Option<u64>,
    lapses: i64,
    approvers: Vec<&'static str>,
    granted: Option<Granted>,
    is_over: bool,
    /// Who ended a pause, by which policy.
    lifts: Vec<(&'static str, usize)>,
    owes_by: Option<i64>,
    is_reviewed: bool,
    spent: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) clock: i64,
    /// What the clock said at the newest entry.
    newest: i64,
    pub(crate) policy: usize,
    pub(crate) commit: usize,
    pub(crate) lives: Vec<Life>,
    /// Places in `lives`, in the order of the grants.
    grants: Vec<usize>,
}

impl Model {
    pub(crate) fn new(clock: i64) -> Self {
        Self { clock, newest: clock, ..Self::default() }
    }

    fn now(&self) -> i64 {
        self.clock.max(self.newest)
    }

    fn record(&mut self) {
        self.newest = self.clock;
    }

    fn today(&self) -> &'static Rules {
        &POLICIES[self.policy]
    }

    /// How many of the first `before` grants took a place in the quota of the gate that anybody may pass.
    fn places(&self, before: usize, since: i64) -> usize {
        let earlier = self.grants[..before].iter().map(|place| &self.lives[*place]);
        earlier
            .filter(|life| life.wish.gate == "free" && life.wish.action != Action::Pause)
            .filter(|life| life.granted.as_ref().is_some_and(|granted| granted.at >= since))
            .count()
    }

    /// Asks; `id` is the number that the tool gave it.
    pub(crate) fn ask(&mut self, wish: &Wish, id: u64) -> Status {
        let now = self.now();
        let rules = self.today();
        let (longest, most) = match (wish.gate, wish.action) {
            ("free", Action::Skip | Action::Override) => (rules.free_ttl, None),
            ("free", Action::Pause) | ("kept", Action::Override) => (2 * HOUR, None),
            ("kept", Action::Skip) => (rules.kept_ttl, Some(2)),
            ("scan", Action::Waive) => (DAY, None),
            _ => return self.deny(),
        };
        let ttl = wish.hours.map_or(longest, |hours| hours * HOUR);
        let in_bounds = ttl <= longest
            && wish.uses != Some(0)
            && (wish.uses.is_none() || wish.action != Action::Pause)
            && most.is_none_or(|most| wish.uses.unwrap_or(most) <= most);
        let may = match (wish.gate, wish.action) {
            ("free", Action::Pause) => rules.may_freeze(wish.who),
            ("free", _) => self.places(self.grants.len(), now - HOUR) < rules.free_quota,
            ("kept", Action::Override) => wish.broken && ONCALL.contains(&wish.who) && !self.owes(wish.who),
            ("scan", _) => wish.finding.is_some_and(|(_, count)| count > 0),
            _ => true,
        };
        if !in_bounds || !may {
            return self.deny();
        }
        self.record();
        let is_kept = wish.gate == "kept";
        self.lives.push(Life {
            id,
            wish: wish.clone(),
            commit: self.commit,
            ttl,
            uses: wish.uses.or(most),
            lapses: now + WITHIN,
            approvers: Vec::new(),
            granted: None,
            is_over: false,
            lifts: Vec::new(),
            owes_by: (is_kept && wish.action == Action::Override).then_some(now + 3 * HOUR),
            is_reviewed: false,
            spent: 0,
        });
        if is_kept && wish.action == Action::Skip {
            return Status::Pending;
        }
        self.grant(self.lives.len() - 1, now);
        Status::Granted
    }

    fn deny(&mut self) -> Status {
        self.record();
        Status::Denied
    }

    fn grant(&mut self, place: usize, now: i64) {
        let (at, policy) = (self.clock, self.policy);
        let life = &mut self.lives[place];
        life.granted = Some(Granted { at, from: now, until: now + life.ttl, policy });
        self.grants.push(place);
    }

    /// Whether a review of somebody's is overdue.
    fn owes(&self, who: &str) -> bool {
        let is_due = |life: &Life| !life.is_reviewed && life.owes_by.is_some_and(|by| by <= self.now());
        self.lives.iter().any(|life| is_due(life) && person(life.wish.who) == person(who))
    }

    /// Somebody's act on one opt-out.
    pub(crate) fn act(&mut self, who: &'static str, verb: Verb, place: usize) -> Answer {
        match verb {
            Verb::Approve | Verb::Reject => self.decide(who, verb, place),
            Verb::Revoke => self.revoke(who, place),
            Verb::Accept | Verb::Refuse => self.review(who, verb, place),
        }
    }

    fn decide(&mut self, who: &'static str, verb: Verb, place: usize) -> Answer {
        let (now, rules) = (self.now(), self.today());
        let life = &self.lives[place];
        if life.granted.is_some() || life.is_over || now >= life.lapses {
            return None;
        }
        let others: Vec<&str> = life.approvers.iter().map(|one| person(one)).collect();
        let is_eligible = life.ttl <= rules.kept_ttl
            && LEADS.contains(&who)
            && person(who) != person(life.wish.who)
            && (verb == Verb::Reject || !others.contains(&person(who)));
        self.record();
        if !is_eligible {
            return Some(Status::Denied);
        }
        let life = &mut self.lives[place];
        if verb == Verb::Reject {
            life.is_over = true;
            return Some(Status::Denied);
        }
        life.approvers.push(who);
        if life.approvers.len() < rules.kept_count {
            return Some(Status::Pending);
        }
        self.grant(place, now);
        Some(Status::Granted)
    }

    /// Whether somebody may end an opt-out by the rules of `policy`.
    fn may_end(life: &Life, who: &str, policy: usize) -> bool {
        let is_one_of = life.approvers.iter().chain([&life.wish.who]).any(|one| person(one) == person(who));
        is_one_of
            || match (life.wish.gate, life.wish.action) {
                (_, Action::Pause) => POLICIES[policy].may_freeze(who),
                (gate, _) => gate != "kept",
            }
    }

    /// Whether a pause was ended by somebody who might then, and may today.
    fn is_lifted(&self, life: &Life) -> bool {
        life.lifts
            .iter()
            .any(|(who, then)| Self::may_end(life, who, *then) && Self::may_end(life, who, self.policy))
    }

    fn revoke(&mut self, who: &'static str, place: usize) -> Answer {
        let (now, policy) = (self.now(), self.policy);
        let life = &self.lives[place];
        let is_past = life.granted.as_ref().is_some_and(|granted| granted.until <= now);
        if life.is_over || is_past || self.is_lifted(life) {
            return None;
        }
        let may = Self::may_end(life, who, policy);
        self.record();
        if !may {
            return Some(Status::Denied);
        }
        self.end(who, place);
        Some(Status::Revoked)
    }

    fn end(&mut self, who: &'static str, place: usize) {
        let life = &mut self.lives[place];
        match life.wish.action {
            Action::Pause => life.lifts.push((who, self.policy)),
            _ => life.is_over = true,
        }
    }

    fn review(&mut self, who: &'static str, verb: Verb, place: usize) -> Answer {
        let life = &self.lives[place];
        if life.owes_by.is_none() || life.is_reviewed {
            return None;
        }
        let may = LEADS.contains(&who) && person(who) != person(life.wish.who);
        self.record();
        if !may {
            return Some(Status::Denied);
        }
        let life = &mut self.lives[place];
        life.is_reviewed = true;
        life.is_over |= verb == Verb::Refuse;
        Some(Status::Reviewed)
    }

    /// Ends every pause of the gate that has one.
    pub(crate) fn resume(&mut self, who: &'static str) -> Status {
        let now = self.now();
        let pauses = self.grants.iter().copied().filter(|place| {
            let life = &self.lives[*place];
            life.wish.action == Action::Pause
                && life.granted.as_ref().is_some_and(|granted| now < granted.until)
                && !self.is_lifted(life)
        });
        let pauses: Vec<usize> = pauses.collect();
        if pauses.is_empty() {
            return Status::Nothing;
        }
        self.record();
        if !self.today().may_freeze(who) {
            return Status::Denied;
        }
        for place in pauses {
            self.end(who, place);
        }
        Status::Revoked
    }

    /// The opt-outs of a gate that count now, oldest first.
    fn live(&self, gate: &str, action: Action) -> Vec<usize> {
        let counts = |(order, place): (usize, &usize)| {
            let life = &self.lives[*place];
            let is_it = life.wish.gate == gate && life.wish.action == action;
            (is_it && self.counts(life, order)).then_some(*place)
        };
        self.grants.iter().enumerate().filter_map(counts).collect()
    }

    fn counts(&self, life: &Life, order: usize) -> bool {
        let (now, rules) = (self.now(), self.today());
        let Some(granted) = &life.granted else { return false };
        let is_new = granted.policy == self.policy;
        let holds_today = match (life.wish.gate, life.wish.action) {
            (_, Action::Pause) => rules.may_freeze(life.wish.who),
            ("free", _) => {
                let is_in = || self.places(order, granted.from - HOUR) < rules.free_quota;
                life.ttl <= rules.free_ttl && (is_new || is_in())
            }
            ("kept", Action::Skip) => {
                life.ttl <= rules.kept_ttl && (is_new || life.approvers.len() >= rules.kept_count)
            }
            _ => true,
        };
        let is_here = matches!(life.wish.action, Action::Pause | Action::Waive) || life.commit == self.commit;
        granted.from <= now
            && now < granted.until
            && !life.is_over
            && !self.is_lifted(life)
            && life.uses.is_none_or(|uses| life.spent < uses)
            && is_here
            && holds_today
    }

    /// What stops the gate from starting, or lets the pipeline past it.
    fn before(&mut self, gate: &str) -> Option<Verdict> {
        if !self.live(gate, Action::Pause).is_empty() {
            self.record();
            return Some(Verdict::Hold);
        }
        let skip = *self.live(gate, Action::Skip).first()?;
        self.lives[skip].spent += 1;
        self.record();
        Some(Verdict::Skip)
    }

    /// Runs a gate's command, which takes five seconds.
    pub(crate) fn run(&mut self, gate: &str, status: u8) -> Verdict {
        if let Some(verdict) = self.before(gate) {
            return verdict;
        }
        self.clock += 5;
        let rescue = self.live(gate, Action::Override).first().copied();
        self.record();
        match (status, rescue) {
            (0, _) => Verdict::Pass,
            (_, None) => Verdict::Fail,
            (_, Some(place)) => {
                self.lives[place].spent += 1;
                Verdict::Override
            }
        }
    }

    /// Judges a report of findings at these paths.
    pub(crate) fn report(&mut self, found: &[&str]) -> Verdict {
        self.clock += 5;
        let mut left = std::collections::BTreeMap::new();
        for place in self.live("scan", Action::Waive) {
            let (path, count) = self.lives[place].wish.finding.unwrap_or_default();
            *left.entry(path).or_insert(0) += count;
        }
        self.record();
        let is_covered = |path: &&str| {
            let count = found.iter().filter(|other| *other == path).count();
            left.get(*path).is_some_and(|left| count <= *left)
        };
        if found.iter().all(is_covered) { Verdict::Pass } else { Verdict::Fail }
    }
}
