//! Completions in the shells themselves: bash and zsh at a terminal, with the keys that put every completion onto the
//! line, and fish by what it would offer. A shell that is not here is said to be skipped.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, may start programs, and says what it leaves out"
)]

mod support;

use std::process::Stdio;

use support::{House, bin, feed};

/// Rules for an opt-out that lives at once, for one that waits for somebody, and for one that owes a review.
const RULES: &str = r#"
version = 1
[gates.lint]
[[gates.lint.allow]]
actions = ["skip"]
who = ["*"]
max_ttl = "4h"
[gates.scan]
[[gates.scan.allow]]
actions = ["override"]
who = ["*"]
assurance = "asserted"
max_ttl = "4h"
approvals = { count = 1, from = ["github:bob"], assurance = "asserted" }
[[gates.scan.allow]]
actions = ["skip"]
who = ["*"]
assurance = "asserted"
max_ttl = "4h"
break_glass = true
review_within = "1d"
reviewers = ["github:bob"]
"#;

/// A line as somebody types it, and what must stand at its end: the words offered, or what one of them begins.
const LINES: [(&str, &str); 16] = [
    ("gate-check l", "lint"),
    ("gate-check ", "lint scan"),
    ("gate-check lint --fi", "--findings"),
    ("gate-check --environment lint s", "scan"),
    ("gate-check lint --format mark", "markdown"),
    ("gate-skip ap", "approve"),
    ("gate-skip approve ", "3"),
    ("gate-skip reject ", "3"),
    ("gate-skip review ", "4"),
    ("gate-skip revoke ", "2 3 4"),
    ("gate-skip resume s", "scan"),
    ("gate-skip lint --reason approve --act", "--action"),
    ("gate-log show ", "2 3 4"),
    ("gate-log show 2 ", "2 3 4"),
    ("gate-log --gate ", "lint scan"),
    ("gate-verify pol", "policy"),
];

/// A house with opt-outs 2 (live), 3 (waits) and 4 (live, and owed a review).
fn house() -> House {
    let house = House::new(RULES);
    assert_eq!(house.granted(&["lint"]), "2");
    assert_eq!(house.skip(&["scan", "--action", "override", "--reason", "x"]).exits(3).id(), "3");
    assert_eq!(house.granted(&["scan", "--break-glass"]), "4");
    house
}

fn is_here(house: &House, shell: &str) -> bool {
    let found = house.plain("sh").args(["-c", &format!("command -v {shell}")]).stdout(Stdio::null()).status();
    let here = found.unwrap().success();
    if !here {
        eprintln!("skipped: {shell} is not on PATH (scripts/needs {shell} installs it)");
    }
    here
}

/// What a shell at a terminal made of each line, by a key that inserts all completions. In front of the line goes an
/// `echo` of something that is not typed, so that no echo of the keys looks like an answer.
fn typed(house: &House, start: &str, before: &str, key: &str) -> Vec<String> {
    let mut keys = format!("stty cols 900; {before}\n");
    for (line, _) in LINES {
        keys.push_str(&format!("{line}{key}\u{1}echo R$((6*7)) \n"));
    }
    keys.push_str("exit\n");
    let mut script = house.plain("script");
    script.args(["-qec", start, "/dev/null"]).env("TERM", "dumb");
    let ran = feed(script, keys.as_bytes());
    let out = ran.out();
    let answers = out.split(['\r', '\n']).filter_map(|line| line.strip_prefix("R42 "));
    answers.map(|line| line.trim().to_owned()).collect()
}

#[track_caller]
fn completes(shell: &str, answers: &[String]) {
    assert_eq!(answers.len(), LINES.len(), "{shell}: {answers:?}");
    for ((line, offered), answer) in LINES.iter().zip(answers) {
        let kept = line.rsplit_once(' ').unwrap().0;
        assert_eq!(answer, &format!("{kept} {offered}"), "{shell}: {line}");
    }
}

#[test]
fn bash_completes_gates_ids_options_and_verbs() {
    let house = house();
    if is_here(&house, "bash") {
        let read = "for t in check skip log verify; do source <(gate-$t --completions bash); done";
        completes("bash", &typed(&house, "bash --norc --noprofile -i", read, "\u{1b}*"));
    }
}

#[test]
fn zsh_completes_from_its_folder_of_functions_at_the_first_key() {
    let house = house();
    if !is_here(&house, "zsh") {
        return;
    }
    let read = "bindkey -e; for t in check skip log verify; do gate-$t --completions zsh >$HOME/_gate-$t; done; \
                fpath=($HOME $fpath); autoload -Uz compinit; compinit -u -D; \
                every() { _main_complete; compstate[insert]=all; }; zle -C every complete-word every; bindkey '^I' every";
    completes("zsh", &typed(&house, "zsh -f -i", read, "\t"));
}

#[test]
fn fish_offers_gates_ids_options_and_verbs() {
    let house = house();
    if !is_here(&house, "fish") {
        return;
    }
    let read = "for t in check skip log verify; gate-$t --completions fish | source; end";
    for (line, offered) in LINES {
        let ask = format!("{read}; complete -C '{line}'");
        let output = house.plain("fish").args(["-N", "-c", &ask]).output().unwrap();
        assert!(output.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        // fish adds the files that are there wherever files may stand, and a word of help behind a tab.
        let mut words: Vec<&str> = said.lines().map(|line| line.split('\t').next().unwrap()).collect();
        words.retain(|word| !house.path(word).exists());
        words.sort_unstable();
        assert_eq!(words.join(" "), offered, "fish: {line}");
    }
}

#[test]
fn a_reason_that_looks_like_a_member_completes_to_nothing() {
    let house = House::new(RULES);
    house
        .skip(&["lint", "--reason", r#"x","id":77,"gate":"$(touch p)","command":"gate-skip approve 78"#])
        .exits(0);
    let script =
        String::from_utf8(house.tool("gate-log", &["--completions", "bash"]).output().unwrap().stdout);
    let ask = format!(
        "{}\nCOMP_WORDS=(gate-log show ''); COMP_CWORD=2; _gate_log; echo \"${{COMPREPLY[*]}}\"; \
         COMP_WORDS=(gate-log --gate ''); _gate_log; echo \"${{COMPREPLY[*]}}\"",
        script.unwrap()
    );
    let output = house.plain("bash").args(["-c", &ask]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "2\nlint scan\n", "{output:?}");
    assert!(!house.path("p").exists() && bin("gate-log").is_file());
}
