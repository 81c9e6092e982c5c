//! Helpers that are missing, lie, die, or lose an answer.

use std::path::Path;

use crate::support::Ran;
use crate::town::Town;

/// The toy of gate-remote(7) as a helper for `shell:`; `attack` is shell that runs before it and sees `$dir`.
pub(crate) fn toy(attack: &str) -> String {
    let toy = Path::new(env!("CARGO_MANIFEST_DIR")).join("remote/toy");
    format!("#!/bin/sh\ndir=${{1#shell:}}\n{attack}\nexec sh {} \"$dir\"\n", toy.display())
}

/// The same where `trick` comes about once, when entries were stored and before that is answered.
fn at_the_answer(trick: &str) -> String {
    let toy = Path::new(env!("CARGO_MANIFEST_DIR")).join("remote/toy");
    let toy = std::fs::read_to_string(toy).unwrap();
    let answer = format!(
        "answer() {{\n case $1 in *appended*) if rm \"$dir/armed\" 2>/dev/null; then {trick}; fi ;; esac\n printf"
    );
    let tricky =
        toy.replace("answer() { printf", &answer).replace("set -eu", "set -- \"${1#shell:}\"\nset -eu");
    assert_ne!(tricky, toy);
    tricky
}

/// The toy beside which somebody else writes first, once, while what was judged is on its way.
fn outrun() -> String {
    let toy = Path::new(env!("CARGO_MANIFEST_DIR")).join("remote/toy");
    let toy = std::fs::read_to_string(toy).unwrap();
    let slow = toy
        .replace(
            "add_lines() {",
            "add_lines() {\n  if rm \"$dir/armed\" 2>/dev/null; then sh \"$dir/other\" </dev/null >&2; fi",
        )
        .replace("set -eu", "set -- \"${1#shell:}\"\nset -eu");
    assert_ne!(slow, toy);
    slow
}

#[test]
fn whoever_was_not_first_judges_again_and_says_so() {
    let town = Town::shell(&outrun());
    let tool = town.house.outside("usr/bin/gate-skip");
    let other = format!(
        "XDG_CACHE_HOME=$HOME/cache-other {} lint --reason first --action override\n",
        tool.display()
    );
    std::fs::write(town.house.outside("lines/other"), other).unwrap();
    arm(&town);
    let (ran, decision) = town.runner("a").decide(&["false"]);
    // What was granted after the command began does not count for it, however often it is judged.
    ran.exits(1).says(&["others wrote to the remote first, 1 time"]);
    assert_eq!((&decision["lost"], town.count("grant")), (&1.into(), 1));
    arm(&town);
    town.runner("b")
        .skip(&["lint", "--reason", "second"])
        .exits(0)
        .says(&["others wrote to the remote first, 1 time"]);
    assert_eq!(town.count("grant"), 3);
}

fn arm(town: &Town) {
    std::fs::write(town.house.outside("lines").join("armed"), "").unwrap();
}

#[test]
fn an_answer_that_was_lost_is_asked_for_and_the_entry_is_there_once() {
    let town = Town::shell(&at_the_answer("exit 1"));
    arm(&town);
    let before = town.count("grant");
    town.runner("a").skip(&["lint", "--reason", "the answer is lost"]).exits(0);
    assert_eq!(town.count("grant"), before + 1);
}

#[test]
fn a_use_that_was_pushed_before_a_kill_is_spent() {
    let town = Town::shell(&at_the_answer("kill -9 $PPID; exit 1"));
    town.runner("laptop").skip(&["lint", "--reason", "once", "--uses", "1"]).exits(0);
    town.runner("a").log(&["sync"]).exits(0);
    arm(&town);
    town.runner("a").check(&["lint", "--", "false"]).exits(-9);
    let spent = || town.entries().iter().filter(|entry| entry["data"].get("spends").is_some()).count();
    assert_eq!(spent(), 1);
    town.runner("a").check(&["lint", "--", "false"]).exits(1);
    assert_eq!(spent(), 1);
}

/// A town whose helper becomes another one once the ledger is made.
pub(crate) fn with_helper(script: &str) -> Town {
    let town = Town::shell(&toy(""));
    town.runner("a").check(&["lint", "--", "true"]).exits(0);
    std::fs::write(town.house.outside("usr/libexec/gate/gate-remote-shell"), script).unwrap();
    town
}

#[track_caller]
pub(crate) fn is_enforced(town: &Town, words: &[&str]) {
    let a = town.runner("a");
    a.check(&["lint", "--", "false"]).exits(1).says(words);
    a.check(&["deploy", "--", "true"]).exits(125).says(words);
    a.skip(&["lint", "--reason", "x"]).exits(5).says(words);
    a.log(&["sync"]).exits(5).says(words);
}

#[test]
fn a_helper_that_prints_rubbish_lets_nothing_pass() {
    is_enforced(&with_helper("#!/bin/sh\ncat /etc/passwd\n"), &["gate.remote/1"]);
}

/// All at once, since each waits as long as anybody waits for a helper.
#[test]
fn a_helper_that_hangs_lets_nothing_pass() {
    let silent = "#!/bin/sh\nread -r ask\nexec sleep 600\n";
    let deaf = "#!/bin/sh\nexec sleep 600\n";
    let tools: [(&str, &[&str], i32); 4] = [
        ("gate-check", &["lint", "--", "false"], 1),
        ("gate-check", &["deploy", "--", "true"], 125),
        ("gate-skip", &["lint", "--reason", "x"], 5),
        ("gate-log", &["sync"], 5),
    ];
    let towns = [silent, deaf].map(|script| {
        let town = Town::shell(&toy(""));
        for number in 0..tools.len() {
            town.runner(&number.to_string()).check(&["lint", "--", "true"]).exits(0);
        }
        std::fs::write(town.house.outside("usr/libexec/gate/gate-remote-shell"), script).unwrap();
        town
    });
    let started: Vec<_> = towns
        .iter()
        .flat_map(|town| {
            let start = |(number, (tool, args, code)): (usize, &(&str, &[&str], i32))| {
                (town.runner(&number.to_string()).start(tool, args), *code)
            };
            tools.iter().enumerate().map(start).collect::<Vec<_>>()
        })
        .collect();
    for (child, code) in started {
        let ran = Ran::of(child.wait_with_output().unwrap());
        ran.exits(code).says(&["the helper did not answer for 60 s"]);
    }
}

#[test]
fn a_helper_that_crashes_lets_nothing_pass() {
    is_enforced(&with_helper("#!/bin/sh\nread -r ask\nexit 3\n"), &["ended without an answer"]);
}

#[test]
fn a_helper_that_is_missing_lets_nothing_pass() {
    let town = with_helper("");
    std::fs::remove_file(town.house.outside("usr/libexec/gate/gate-remote-shell")).unwrap();
    is_enforced(&town, &["there is no helper 'gate-remote-shell'", "install it"]);
}

#[test]
fn a_helper_on_the_path_is_not_asked() {
    let town = with_helper("");
    let helper = town.house.outside("usr/libexec/gate/gate-remote-shell");
    std::fs::remove_file(helper).unwrap();
    let mark = town.house.outside("asked");
    let script = format!("#!/bin/sh\ntouch {}\n", mark.display());
    let planted = town.house.write("gate-remote-shell", script);
    town.house.sh(&format!("chmod +x {}", planted.display())).exits(0);
    let path = format!("{}:/usr/bin:/bin", town.house.root.display());
    let a = town.runner("a");
    let ran = a.command("gate-skip", &["lint", "--reason", "x"]).env("PATH", path).output().unwrap();
    Ran::of(ran).exits(5);
    assert!(!mark.exists());
}
