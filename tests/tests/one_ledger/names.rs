//! Which repository is meant: names that are missing, that contradict each other, or that are written in other ways.

use crate::several::{ASK, FAIL, Neighbours, Owned, PAUSE, RUN};
use crate::support::Ran;

/// `pay` and `web` with a guardian each.
fn guarded() -> Owned {
    let owned = Owned::new();
    owned.sign(&owned.both.web, &owned.alice).exits(0);
    owned.both.web("gate-check", &RUN).exits(0);
    owned
}

/// A run of `pay` with further variables.
fn pay_with(both: &Neighbours, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = both.command(&both.house().root, "gate-check", args);
    Ran::of(command.envs(variables.iter().copied()).output().unwrap())
}

/// What Alice admitted for `web`, which is newer, with her word on it, in the checkout of `pay`.
fn dress_up(owned: &Owned) {
    for file in ["gate.toml", "gate.toml.sig"] {
        std::fs::copy(owned.both.web.join(file), owned.both.house().path(file)).unwrap();
    }
}

#[test]
fn no_policy_of_another_repository_is_in_force_where_the_name_is_taken_away() {
    let owned = guarded();
    let both = &owned.both;
    dress_up(&owned);
    both.house().git(&["remote", "remove", "origin"]);
    let remedy = ["GATE_REPOSITORY", "origin"];
    both.pay("gate-check", &RUN).exits(125).says(&remedy);
    both.pay("gate-check", &["lint", "--plan"]).exits(2).says(&remedy);
    both.pay("gate-skip", &ASK).exits(2).says(&remedy);
    // The remedy is one.
    let named = |name: &str| pay_with(both, &RUN, &[("GATE_REPOSITORY", name)]);
    named("github.com/acme/payments").exits(125).says(&["for another repository"]);
    named("github.com/acme/web").exits(0);
    both.house().git(&["checkout", "-q", "--", "gate.toml"]);
    named("https://github.com/Acme/Payments.git").exits(0);
}

#[test]
fn no_policy_of_another_repository_is_in_force_where_two_names_are_stated() {
    let owned = guarded();
    let both = &owned.both;
    dress_up(&owned);
    both.pay_calls_itself("https://github.com/acme/web.git");
    let mut command = both.command(&both.house().root, "gate-check", &RUN);
    let ran = Ran::of(command.envs(both.house().github("mallory")).output().unwrap());
    ran.exits(125).says(&["cannot tell whose policy"]);
    both.pay_calls_itself("https://github.com/acme/payments.git");
    pay_with(both, &RUN, &[("GATE_REPOSITORY", "github.com/acme/web")]).exits(125);
}

#[test]
fn a_checkout_that_git_cannot_read_is_no_repository_without_a_name() {
    let owned = guarded();
    dress_up(&owned);
    let config = owned.both.house().path(".git/config");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}[remote\n")).unwrap();
    owned.both.pay("gate-check", &RUN).exits(125).says(&["git"]);
}

#[test]
fn where_one_repository_has_a_guardian_a_checkout_without_a_name_is_guarded_by_it() {
    let owned = Owned::new();
    let both = &owned.both;
    both.house().git(&["remote", "remove", "origin"]);
    both.pay("gate-check", &RUN).exits(0);
    // Her word on the other one's policy says whose it is.
    owned.sign(&both.web, &owned.alice).exits(0);
    dress_up(&owned);
    both.pay("gate-check", &RUN).exits(125).says(&["for another repository"]);
}

#[test]
fn a_word_that_names_no_repository_counts_once_under_whatever_name() {
    let owned = Owned::new();
    let both = &owned.both;
    let house = both.house();
    let (strict, lax) = (house.read("gate.toml"), house.read("gate.toml").replace("max = 1", "max = 99"));
    // Without a name she signs for none.
    house.git(&["remote", "remove", "origin"]);
    house.write("gate.toml", &lax);
    owned.sign(&house.root, &owned.alice).exits(0);
    let word = house.read("gate.toml.sig");
    assert!(!word.contains("repository"), "{word}");
    both.pay("gate-check", &RUN).exits(0);
    house.write("gate.toml", &strict);
    owned.sign(&house.root, &owned.alice).exits(0);
    both.pay("gate-check", &RUN).exits(0);
    house.write("gate.toml", &lax);
    house.write("gate.toml.sig", &word);
    both.pay("gate-check", &RUN).exits(125).says(&["counts once"]);
    house.git(&["remote", "add", "origin", "https://github.com/acme/unheard-of.git"]);
    both.pay("gate-check", &RUN).exits(125).says(&["counts once"]);
}

#[test]
fn the_aliases_of_one_guardian_do_not_take_another_repository_over() {
    let owned = guarded();
    let both = &owned.both;
    let house = both.house();
    let names = "[repository]\naliases = [\"github.com/acme/payments\", \"github.com/acme/web\"]\n";
    house.write("gate.toml", house.read("gate.toml") + names);
    owned.sign(&house.root, &owned.alice).exits(0);
    both.pay("gate-check", &RUN).exits(0);
    // Its own guardian's policy is in force there still, and no other.
    both.web("gate-check", &RUN).exits(0);
    for file in ["gate.toml", "gate.toml.sig"] {
        std::fs::copy(house.path(file), both.web.join(file)).unwrap();
    }
    both.web("gate-check", &RUN).exits(125).says(&["for another repository"]);
}

#[test]
fn mirrors_that_the_policy_in_force_joins_are_one_repository() {
    let owned = guarded();
    let both = &owned.both;
    let house = both.house();
    let names = "[repository]\naliases = [\"github.com/acme/payments\", \"git.acme.example/payments\"]\n";
    house.write("gate.toml", house.read("gate.toml") + names);
    owned.sign(&house.root, &owned.alice).exits(0);
    both.pay("gate-check", &RUN).exits(0);
    both.web("gate-skip", &PAUSE).exits(0);
    both.pay_calls_itself("https://git.acme.example/payments.git");
    let mirrored = || {
        let mut command = both.command(&house.root, "gate-check", &RUN);
        Ran::of(command.envs(house.github("ann")).output().unwrap())
    };
    // The pause of another repository is nothing to it, and one of its own holds.
    mirrored().exits(0);
    both.pay("gate-skip", &PAUSE).exits(0);
    mirrored().exits(75);
    both.judges_again();
}

#[test]
fn a_grant_that_was_asked_for_without_a_name_counts_in_no_repository_that_has_one() {
    let gates = "[gates.lint]\n[[gates.lint.allow]]\nactions = [\"override\"]\nwho = [\"*\"]\nmax_ttl = \"8h\"\n\
                 scopes = [\"environment\", \"run\", \"commit\"]\n";
    let both = Neighbours::over_a_file(gates);
    both.house().git(&["remote", "remove", "origin"]);
    let places = [("GATE_ENVIRONMENT", "production"), ("GATE_RUN_ID", "77")];
    let ask = |scope: &[&str]| {
        let args = [&["lint", "--action", "override", "--reason", "x"], scope].concat();
        let mut command = both.command(&both.house().root, "gate-skip", &args);
        Ran::of(command.envs(places).output().unwrap()).exits(0);
    };
    ask(&["--environment", "production"]);
    ask(&["--run", "77"]);
    ask(&[]);
    pay_with(&both, &FAIL, &places).exits(0);
    both.house().git(&["remote", "add", "origin", "https://github.com/acme/payments.git"]);
    pay_with(&both, &FAIL, &places).exits(1);
    let mut web = both.command(&both.web, "gate-check", &FAIL);
    Ran::of(web.envs(places).output().unwrap()).exits(1);
    both.judges_again();
}

#[test]
fn a_pause_holds_however_the_address_of_its_repository_is_written() {
    for whole in [&[][..], &["--repository"]] {
        let both = Neighbours::over_a_file(crate::several::GATES);
        both.pay("gate-skip", &[&PAUSE, whole].concat()).exits(0);
        for url in [
            "https://github.com/acme/p%61yments.git",
            "https://www.github.com/acme/payments.GIT",
            "ssh://git@github.com:2222/acme/payments",
            "git@GitHub.com:Acme/Payments.git/",
            "git@github.com:acme/p%61yments",
            "https://mallory:x@github.com:8443/acme/payments///",
            "ssh://git@ssh.github.com:443/acme/payments.GIT",
        ] {
            both.pay_calls_itself(url);
            both.pay("gate-check", &RUN).exits(75);
        }
        both.pay_calls_itself("git@github.com:acme/PAYMENTS.git");
        both.pay("gate-skip", &["resume", "lint", "--reason", "over"]).exits(0);
        both.pay("gate-check", &RUN).exits(0);
        both.judges_again();
    }
}

#[test]
fn a_grant_counts_where_the_same_repository_is_only_written_otherwise() {
    let both = Neighbours::over_a_file(crate::several::GATES);
    both.pay("gate-skip", &ASK).exits(0);
    for (url, code) in [
        ("git@github.com:Acme/Payments.git", 0),
        ("https://WWW.github.com/acme/p%61yments/", 0),
        ("ssh://git@github.com:2222/acme/payments", 1),
        ("https://github.com/acme/payments.example", 1),
    ] {
        both.pay_calls_itself(url);
        both.pay("gate-check", &FAIL).exits(code);
    }
    both.judges_again();
}

#[test]
fn an_alias_of_the_text_under_judgement_is_no_way_past_a_pause() {
    for whole in [&[][..], &["--repository"]] {
        let both = Neighbours::over_a_file(crate::several::GATES);
        both.pay("gate-skip", &[&PAUSE, whole].concat()).exits(0);
        let names = "[repository]\naliases = [\"github.com/acme/web\", \"github.com/acme/payments\"]\n";
        both.house().write("gate.toml", both.house().read("gate.toml") + names);
        both.pay("gate-check", &RUN).exits(75);
        both.judges_again();
    }
}

#[test]
fn an_alias_that_the_text_under_judgement_takes_away_is_no_way_past_a_pause() {
    let both = Neighbours::over_a_file(crate::several::GATES);
    let text = both.house().read("gate.toml");
    let names = "[repository]\naliases = [\"git.acme.example/pay\", \"github.com/acme/payments\"]\n";
    both.house().write("gate.toml", format!("{text}{names}"));
    both.pay("gate-skip", &PAUSE).exits(0);
    both.house().write("gate.toml", text);
    both.pay("gate-check", &RUN).exits(75);
    both.pay("gate-skip", &["resume", "lint", "--reason", "over"]).exits(0);
    both.pay("gate-check", &RUN).exits(0);
    both.web("gate-check", &RUN).exits(0);
    both.judges_again();
}

#[test]
fn an_alias_of_the_text_under_judgement_empties_no_quota() {
    let both = Neighbours::over_a_file(crate::several::GATES);
    let text = both.house().read("gate.toml");
    both.pay("gate-skip", &ASK).exits(0);
    for first in ["github.com/acme/web", "example.com/anything"] {
        let names = format!("[repository]\naliases = [\"{first}\", \"github.com/acme/payments\"]\n");
        both.house().write("gate.toml", format!("{text}{names}"));
        both.pay("gate-skip", &ASK).exits(1).says(&["quota"]);
    }
    both.judges_again();
}

#[test]
fn whoever_is_held_by_a_pause_is_told_of_it_when_they_resume() {
    let both = Neighbours::over_a_file(crate::several::GATES);
    both.pay("gate-skip", &PAUSE).exits(0);
    both.pay_calls_itself("https://github.com/acme/web.git");
    let torn = |tool: &str, args: &[&str]| {
        let mut command = both.command(&both.house().root, tool, args);
        Ran::of(command.envs(both.house().github("ann")).output().unwrap())
    };
    torn("gate-check", &RUN).exits(75);
    torn("gate-skip", &["resume", "lint", "--reason", "over"]).exits(1).says(&["contradict each other"]);
    torn("gate-check", &RUN).exits(75);
    both.judges_again();
}

#[test]
fn pauses_of_two_repositories_are_not_both_resumed_by_who_does_not_say_which() {
    let both = Neighbours::over_a_file(crate::several::GATES);
    both.pay("gate-skip", &PAUSE).exits(0);
    both.web("gate-skip", &PAUSE).exits(0);
    both.house().git(&["remote", "remove", "origin"]);
    let resume = ["resume", "lint", "--reason", "over"];
    both.pay("gate-skip", &resume).exits(2).says(&["acme/payments", "acme/web", "GATE_REPOSITORY"]);
    both.web("gate-check", &RUN).exits(75);
    both.web("gate-skip", &resume).exits(0);
    both.web("gate-check", &RUN).exits(0);
}

#[test]
fn what_is_due_says_whose_it_is() {
    let both = Neighbours::over_a_file(crate::several::GATES);
    both.pay("gate-skip", &PAUSE).exits(0);
    both.web("gate-skip", &PAUSE).exits(0);
    let due = both.pay("gate-log", &["due"]).exits(0).json();
    let whose: Vec<_> = due["ending"].as_array().unwrap().iter().map(|one| &one["repository"]).collect();
    assert_eq!(whose, ["github.com/acme/payments", "github.com/acme/web"]);
    let table = both.pay("gate-log", &["due", "--format", "text"]).exits(0).out();
    assert!(table.contains("lint of github.com/acme/web"), "{table}");
}
