//! One ledger for two repositories of one owner, each with gates of the same names and a policy of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{House, Ran};
use crate::town::Town;

/// What both policies say of their gate.
pub(crate) const GATES: &str = r#"
[gates.lint]
[[gates.lint.allow]]
actions = ["override"]
who = ["*"]
max_ttl = "8h"
scopes = ["ref"]
refs = ["refs/heads/main"]
quota = { max = 1, per = "7d" }
[[gates.lint.allow]]
actions = ["pause"]
who = ["*"]
max_ttl = "8h"
"#;

/// Where the ledger is.
pub(crate) enum Kept {
    File(House),
    Git(Box<Town>),
}

/// `pay` and `web`, which share a ledger.
pub(crate) struct Neighbours {
    kept: Kept,
    pub(crate) web: PathBuf,
}

impl Neighbours {
    /// With a ledger in a file, and with one at a remote.
    pub(crate) fn both() -> [Self; 2] {
        [Self::over_a_file(GATES), Self::over_git()]
    }

    pub(crate) fn over_a_file(gates: &str) -> Self {
        let house = House::new(&format!("version = 1\n{gates}"));
        Self::beside(Kept::File(house), &format!("version = 1\n{gates}"))
    }

    fn over_git() -> Self {
        let town = Town::git();
        let text = town.house.read("gate.toml");
        let (ledger, _) = text.split_once("[gates.lint]").unwrap();
        town.house.write("gate.toml", format!("{ledger}{GATES}"));
        let ledger = ledger.to_owned();
        Self::beside(Kept::Git(Box::new(town)), &format!("{ledger}{GATES}# of web\n"))
    }

    fn beside(kept: Kept, policy: &str) -> Self {
        let house = match &kept {
            Kept::File(house) => house,
            Kept::Git(town) => &town.house,
        };
        let web = house.outside("web");
        let neighbours = Self { web: web.clone(), kept };
        std::fs::create_dir(&web).unwrap();
        let house = neighbours.house();
        house.commit("the gates");
        std::fs::write(web.join("gate.toml"), policy).unwrap();
        for args in [
            &["init", "-q", "-b", "main"][..],
            &["remote", "add", "origin", "https://github.com/acme/web.git"],
            &["add", "."],
            &["commit", "-q", "-m", "first"],
        ] {
            let output = house.plain("git").current_dir(&web).args(args).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        neighbours
    }

    pub(crate) fn house(&self) -> &House {
        match &self.kept {
            Kept::File(house) => house,
            Kept::Git(town) => &town.house,
        }
    }

    pub(crate) fn command(&self, place: &Path, tool: &str, args: &[&str]) -> Command {
        let mut command = match &self.kept {
            Kept::File(house) => {
                let mut command = house.tool(tool, args);
                command.env("GATE_LEDGER", house.path(".gate/ledger.db"));
                command
            }
            Kept::Git(town) => town.runner("any").command(tool, args),
        };
        command.current_dir(place);
        command
    }

    pub(crate) fn pay(&self, tool: &str, args: &[&str]) -> Ran {
        Ran::of(self.command(&self.house().root, tool, args).output().unwrap())
    }

    pub(crate) fn web(&self, tool: &str, args: &[&str]) -> Ran {
        Ran::of(self.command(&self.web, tool, args).output().unwrap())
    }

    /// From now on the checkout of `pay` says that it is `url`.
    pub(crate) fn pay_calls_itself(&self, url: &str) {
        self.house().git(&["remote", "set-url", "origin", url]);
    }

    /// Judges everything again: nothing that was recorded is odd to whoever reads both.
    #[track_caller]
    pub(crate) fn judges_again(&self) {
        let verified = self.pay("gate-verify", &["--replay"]).exits(0);
        let replay = verified.json();
        assert_eq!(replay["replay"]["disagreements"], serde_json::json!([]), "{}", verified.out());
        assert!(!verified.out().contains("replaced"), "{}", verified.out());
    }

    pub(crate) fn of_kind(&self, kind: &str) -> Vec<Value> {
        let lines = self.pay("gate-log", &["export"]).exits(0).out();
        let entries = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        entries.filter(|entry| entry["kind"] == kind).collect()
    }
}

pub(crate) const ASK: [&str; 7] =
    ["lint", "--reason", "a flaky rule", "--action", "override", "--ref", "refs/heads/main"];
pub(crate) const PAUSE: [&str; 7] = ["lint", "--reason", "a freeze", "--action", "pause", "--ttl", "1h"];
pub(crate) const RUN: [&str; 3] = ["lint", "--", "true"];
pub(crate) const FAIL: [&str; 3] = ["lint", "--", "false"];

#[test]
fn what_one_repository_was_granted_counts_in_no_other() {
    for both in Neighbours::both() {
        both.pay("gate-skip", &ASK).exits(0);
        both.web("gate-check", &FAIL).exits(1);
        both.pay("gate-check", &FAIL).exits(0);
        both.judges_again();
    }
}

#[test]
fn each_repository_has_its_own_places_in_a_quota() {
    for both in Neighbours::both() {
        both.pay("gate-skip", &ASK).exits(0);
        both.web("gate-skip", &ASK).exits(0);
        both.pay("gate-skip", &ASK).exits(1).says(&["quota"]);
        both.web("gate-skip", &ASK).exits(1).says(&["quota"]);
        both.judges_again();
    }
}

/// Its rules would be others: without a quota, say.
#[test]
fn a_checkout_without_a_name_renews_nothing_of_a_repository_that_has_one() {
    let renewing = GATES.replacen("max_ttl = \"8h\"", "max_ttl = \"8h\"\nmax_renewals = 3", 1);
    let both = Neighbours::over_a_file(&renewing.replace("max = 1,", "max = 4,"));
    let first = both.pay("gate-skip", &ASK).exits(0).id();
    let renew = ["renew", first.as_str(), "--reason", "it takes longer"];
    let forget =
        both.house().plain("git").current_dir(&both.web).args(["remote", "remove", "origin"]).status();
    assert!(forget.unwrap().success());
    std::fs::write(
        both.web.join("gate.toml"),
        format!("version = 1\n{}", renewing.replace("max = 1,", "max = 99,")),
    )
    .unwrap();
    let said = ["is for repository", "(this is one without a name): ask from a checkout of that one"];
    both.web("gate-skip", &renew).exits(1).says(&said);
    // What it asks for itself is its own, and of its own it can renew.
    let own = both.web("gate-skip", &ASK).exits(0).id();
    both.web("gate-skip", &["renew", &own, "--reason", "it takes longer"]).exits(0);
    both.pay("gate-skip", &renew).exits(0);
    both.pay("gate-check", &FAIL).exits(0);
    both.judges_again();
}

#[test]
fn a_pause_holds_the_gate_of_its_own_repository() {
    for both in Neighbours::both() {
        both.pay("gate-skip", &PAUSE).exits(0);
        both.pay("gate-check", &RUN).exits(75);
        both.web("gate-check", &RUN).exits(0);
        both.web("gate-skip", &["resume", "lint", "--reason", "not mine"]).says(&["not paused"]);
        both.pay("gate-check", &RUN).exits(75);
        both.pay("gate-skip", &["resume", "lint", "--reason", "over"]).exits(0);
        both.pay("gate-check", &RUN).exits(0);
        both.judges_again();
    }
}

#[test]
fn nobody_gets_past_a_pause_by_taking_the_name_away_or_by_contradicting_ci() {
    for both in Neighbours::both() {
        both.pay("gate-skip", &PAUSE).exits(0);
        both.pay_calls_itself("https://github.com/acme/web.git");
        let mut command = both.command(&both.house().root, "gate-check", &RUN);
        command.envs(both.house().github("mallory"));
        Ran::of(command.output().unwrap()).exits(75);
        both.house().git(&["remote", "remove", "origin"]);
        both.pay("gate-check", &RUN).exits(75);
    }
}

#[test]
fn a_grant_of_another_repository_does_not_count_for_who_takes_its_name_in_ci() {
    for both in Neighbours::both() {
        both.web("gate-skip", &ASK).exits(0);
        both.pay_calls_itself("https://github.com/acme/web.git");
        let mut command = both.command(&both.house().root, "gate-check", &FAIL);
        command.envs(both.house().github("mallory"));
        Ran::of(command.output().unwrap()).exits(1).says(&["contradict"]);
    }
}

#[test]
fn the_policies_of_two_repositories_are_no_change_back_and_forth() {
    for both in Neighbours::both() {
        for _ in 0..2 {
            both.pay("gate-check", &RUN).exits(0);
            both.web("gate-check", &RUN).exits(0);
        }
        let policies = both.of_kind("policy");
        let names: Vec<&Value> = policies.iter().map(|entry| &entry["data"]["repository"]).collect();
        let of = |name: &str| names.iter().filter(|named| **named == name).count();
        assert!(of("github.com/acme/web") == 1 && of("github.com/acme/payments") >= 1, "{names:?}");
        both.judges_again();
    }
}

#[test]
fn a_repository_that_goes_by_another_name_is_the_same_one_where_the_policy_says_so() {
    let names = "[repository]\naliases = [\"github.com/acme/payments\", \"git.acme.example/payments\"]\n";
    let both = Neighbours::over_a_file(&format!("{GATES}{names}"));
    both.pay("gate-skip", &PAUSE).exits(0);
    both.pay("gate-skip", &ASK).exits(0);
    both.pay_calls_itself("https://git.acme.example/payments.git");
    both.pay("gate-check", &RUN).exits(75);
    both.pay("gate-skip", &["resume", "lint", "--reason", "over"]).exits(0);
    both.pay("gate-check", &FAIL).exits(0);
    both.pay("gate-skip", &ASK).exits(1).says(&["quota"]);
    both.judges_again();
}

#[test]
fn counts_of_two_ledgers_come_from_one_stream() {
    let [file, git] = Neighbours::both();
    file.pay("gate-check", &RUN).exits(0);
    git.pay("gate-check", &RUN).exits(0);
    let lines = [&file, &git].map(|one| one.pay("gate-log", &["export"]).exits(0).out()).concat();
    let command = file.command(&file.house().root, "gate-log", &["stats", "-"]);
    let counted = crate::support::feed(command, lines.as_bytes()).exits(0).json();
    assert_eq!(counted["total"]["decisions"], 2, "{counted}");
    let listed = file.command(&file.house().root, "gate-log", &["--from", "-", "--kind", "decision"]);
    let listed = crate::support::feed(listed, lines.as_bytes()).exits(0).out();
    assert_eq!(listed.lines().count(), 2, "{listed}");
}

/// `pay` and `web` over a ledger that Alice founded: she owns the policy of `pay`.
pub(crate) struct Owned {
    pub(crate) both: Neighbours,
    pub(crate) alice: String,
    mallory: String,
}

impl Owned {
    pub(crate) fn new() -> Self {
        let house = House::without_ledger("version = 1\n[gates.none]\n");
        let genesis = house.create_ledger(".gate/ledger.db");
        let (alice, public) = house.key("alice");
        let (mallory, _) = house.key("mallory");
        let policy = format!(
            "version = 1\n[ledger]\ngenesis = \"{genesis}\"\n[policy]\nowners = [\"alice@example.com\"]\n\
             [identity]\nallowed_signers = \"allowed_signers\"\n{GATES}"
        );
        let keys = format!("alice@example.com {public}\n");
        house.write("allowed_signers", &keys);
        house.write("gate.toml", &policy);
        let web = policy.replace("[policy]\nowners = [\"alice@example.com\"]\n", "");
        let both = Neighbours::beside(Kept::File(house), &web);
        std::fs::write(both.web.join("allowed_signers"), keys).unwrap();
        let base = both.house().git(&["rev-parse", "HEAD"]);
        both.pay("gate-check", &["lint", "--policy-ref", &base, "--", "true"]).exits(0);
        Self { both, alice, mallory }
    }

    /// Signs the policy at `place`.
    pub(crate) fn sign(&self, place: &Path, key: &str) -> Ran {
        let sign = format!("--sign={key}");
        let mut command = self.both.command(place, "gate-skip", &["approve", "./gate.toml", &sign]);
        let ran = Ran::of(command.output().unwrap());
        if ran.code == 0 {
            std::fs::write(place.join("gate.toml.sig"), &ran.stdout).unwrap();
        }
        ran
    }
}

#[test]
fn a_repository_without_owners_is_guarded_by_the_first_one() {
    let owned = Owned::new();
    let both = &owned.both;
    both.web("gate-check", &RUN).exits(125).says(&["none of them admitted"]);
    owned.sign(&both.web, &owned.mallory);
    both.web("gate-check", &RUN).exits(125);
    owned.sign(&both.web, &owned.alice).exits(0);
    both.web("gate-check", &RUN).exits(0);
    std::fs::write(both.web.join("gate.toml"), format!("{}# more\n", both.house().read("../web/gate.toml")))
        .unwrap();
    both.web("gate-check", &RUN).exits(125).says(&["does not admit the change"]);
    owned.sign(&both.web, &owned.alice).exits(0);
    // What she admitted there is nothing to the policy of the other one.
    both.pay("gate-check", &RUN).exits(0);
    both.web("gate-check", &RUN).exits(0);
    both.judges_again();
}

#[test]
fn a_changed_policy_gets_past_its_owners_under_no_other_name() {
    let owned = Owned::new();
    let both = &owned.both;
    owned.sign(&both.web, &owned.alice).exits(0);
    both.web("gate-check", &RUN).exits(0);
    let open = both.house().read("gate.toml").replace("max = 1", "max = 99");
    both.house().write("gate.toml", open);
    both.pay("gate-check", &RUN).exits(125).says(&["none of them admitted"]);
    for name in ["anything", "web"] {
        both.pay_calls_itself(&format!("https://github.com/acme/{name}.git"));
        both.pay("gate-check", &RUN).exits(125).says(&["none of them admitted"]);
    }
    both.house().git(&["remote", "remove", "origin"]);
    both.pay("gate-check", &RUN).exits(125);
    // Nor do aliases of the text itself lead to a repository that nobody guards.
    both.house().git(&["remote", "add", "origin", "https://github.com/acme/payments.git"]);
    let alias = "[repository]\naliases = [\"github.com/acme/web\", \"github.com/acme/payments\"]\n";
    both.house().write("gate.toml", both.house().read("gate.toml") + alias);
    both.pay("gate-check", &RUN).exits(125).says(&["none of them admitted"]);
}

#[test]
fn an_owners_word_on_one_repository_admits_nothing_in_another() {
    let owned = Owned::new();
    let both = &owned.both;
    owned.sign(&both.web, &owned.alice).exits(0);
    // The very text that she admitted for the other one, with her word on it.
    for file in ["gate.toml", "gate.toml.sig"] {
        std::fs::copy(both.web.join(file), both.house().path(file)).unwrap();
    }
    both.pay("gate-check", &RUN).exits(125).says(&["for another repository"]);
}
