//! What people see: who went past a gate and who did not, what a failure says, what an approver accepts, completions.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests stop at the first surprise, and one that is skipped says so"
)]

mod support;

use serde_json::Value;
use support::{House, POLICY, Ran, result, sarif};

const WAITING: &str = r#"
version = 1
[gates.scan]
[[gates.scan.allow]]
actions = ["waive"]
who = ["*"]
assurance = "asserted"
max_ttl = "8h"
approvals = { count = 1, from = ["github:bob"], assurance = "asserted" }
"#;

fn log(house: &House, args: &[&str]) -> Ran {
    Ran::of(house.tool("gate-log", args).output().unwrap())
}

#[test]
fn what_was_held_or_blocked_all_the_same_went_past_nothing() {
    let house = House::new(POLICY);
    house.check(&["lint", "--", "true"]).exits(0);
    house.granted(&["lint", "--action", "pause"]);
    house.check(&["lint", "--", "true"]).exits(75);
    // A waiver that covers one finding of two.
    house.write("r.sarif", sarif(&[result("R1", "error", "a.py", 1), result("R2", "error", "b.py", 1)]));
    house.granted(&["scan", "--waive", "rule=R1,path=a.py"]);
    house.check(&["scan", "r.sarif"]).exits(1);
    let stats = log(&house, &["stats", "-q"]).exits(0).json();
    assert_eq!((&stats["total"]["uses"], &stats["total"]["rate"]), (&Value::from(0), &Value::from(0.0)));
    house.write("r.sarif", sarif(&[result("R1", "error", "a.py", 1)]));
    house.check(&["scan", "r.sarif"]).exits(0);
    assert_eq!(log(&house, &["stats", "-q"]).json()["total"]["uses"], 1);
}

#[test]
fn the_summary_names_who_overrode_and_not_who_waived() {
    let house = House::new(POLICY);
    house.write("r.sarif", sarif(&[result("R1", "error", "a.py", 1), result("R2", "error", "b.py", 1)]));
    house.skip_as("alice", &["scan", "--waive", "rule=R1,path=a.py", "--reason", "false positive"]).exits(0);
    let down = ["scan", "--action", "override", "--ttl", "1h", "--reason", "production is down"];
    house.skip_as("carol", &down).exits(0);
    let ran = house.check_as("dave", &["scan", "r.sarif"]).exits(0);
    let line = ran.stderr.lines().next().unwrap_or_default();
    assert!(line.contains("override") && line.contains("github:carol") && !line.contains("alice"), "{line}");
}

#[test]
fn the_text_of_each_failure_in_junit_is_what_is_wrong() {
    let house = House::new(POLICY);
    let many: Vec<Value> = (0..12).map(|n| result(&format!("R{n}"), "error", "a.c", n + 1)).collect();
    house.write("r.sarif", sarif(&many));
    let xml = house.check(&["scan", "r.sarif", "--format", "junit"]).exits(1).out();
    let texts: Vec<&str> = xml
        .split("<failure")
        .skip(1)
        .filter_map(|rest| rest.split_once('>')?.1.split_once("</failure>"))
        .map(|(text, _)| text)
        .collect();
    assert_eq!(texts.len(), 13);
    assert!(texts[0].contains("R9 in a.c") && texts[0].contains("and 2 more"), "{}", texts[0]);
    assert!(
        texts[1..].iter().enumerate().all(|(n, text)| text.contains(&format!("R{n} in a.c"))),
        "{texts:?}"
    );
}

#[test]
fn who_approves_sees_the_findings_that_are_accepted() {
    let house = House::new(WAITING);
    house
        .skip_as("carol", &["scan", "--waive", "rule=PICKLE,path=src/load.py", "--reason", "reviewed"])
        .exits(3);
    let due = log(&house, &["due", "-q"]).exits(0).json();
    assert_eq!(due["requests"][0]["findings"][0]["rule"], "PICKLE");
    log(&house, &["due", "--format", "text"]).exits(0).says(&["request"]);
    assert!(log(&house, &["due", "--format", "text"]).out().contains("PICKLE up to error in src/load.py"));
    let id = due["requests"][0]["id"].to_string();
    let answer = house.skip_as("bob", &["approve", &id, "--format", "text"]).exits(0).out();
    assert!(answer.contains("PICKLE") && answer.contains("src/load.py"), "{answer}");
}

#[test]
fn each_tool_completes_its_options_in_each_shell_without_a_policy() {
    let house = House::without_ledger("version = 1\n");
    for (tool, word) in [
        ("gate-check", "findings"),
        ("gate-skip", "approve"),
        ("gate-log", "stats"),
        ("gate-verify", "replay"),
    ] {
        for shell in ["bash", "zsh", "fish"] {
            let script =
                Ran::of(house.tool(tool, &["--completions", shell]).output().unwrap()).exits(0).out();
            assert!(script.contains(word) && script.contains(tool), "{tool} {shell}");
        }
        let odd = Ran::of(house.tool(tool, &["--completions", "csh"]).output().unwrap());
        odd.exits(2).says(&["csh"]);
    }
}

/// What each line comes to when somebody presses Tab at its end: words that are offered, and words that are not.
const TABS: [(&str, &[&str], &[&str]); 9] = [
    ("gate-check s", &["scan", "secrets"], &["--plan"]),
    ("gate-check scan --form", &["--format"], &["scan"]),
    ("gate-check scan --format s", &["sarif"], &["scan", "secrets"]),
    ("gate-skip app", &["approve"], &[]),
    ("gate-skip --action ", &["skip", "override", "pause"], &["waive", "scan", "approve"]),
    ("gate-skip revoke ", &["2"], &["scan"]),
    ("gate-skip approve 2 --rea", &["--reason"], &[]),
    ("gate-log --kind gr", &["grant"], &["genesis"]),
    ("gate-verify --rep", &["--replay"], &["--format"]),
];

/// Asks a shell for the completions of each line of [`TABS`]; `ask` makes a script of one that writes the words.
fn tabs(shell: &str, ask: impl Fn(&str) -> String) {
    let house = House::new(POLICY);
    assert_eq!(house.granted(&["lint"]), "2");
    if house.plain(shell).arg("--version").output().is_err() {
        eprintln!("skipped: {shell} is not installed");
        return;
    }
    let bins = support::bin("gate-check").parent().unwrap().display().to_string();
    let path = format!("{bins}:{}", std::env::var("PATH").unwrap());
    for (line, offered, others) in TABS {
        let output = house.plain(shell).env("PATH", &path).args(["-c", &ask(line)]).output().unwrap();
        let answer = Ran::of(output).exits(0).out();
        let words: Vec<&str> = answer.split([' ', '\t', '\n', '\r']).collect();
        assert!(offered.iter().all(|word| words.contains(word)), "{shell}: {line}: {answer}");
        assert!(!others.iter().any(|word| words.contains(word)), "{shell}: {line}: {answer}");
    }
}

#[test]
fn bash_offers_what_fits_and_nothing_that_a_shell_would_run() {
    tabs("bash", |line| {
        let (tool, _) = line.split_once(' ').unwrap();
        let last = if line.ends_with(' ') { "''" } else { "" };
        format!(
            "source <({tool} --completions bash); COMP_WORDS=({line}{last}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _{}; echo \"${{COMPREPLY[*]}}\"",
            tool.replace('-', "_")
        )
    });
    let equals = "source <(gate-skip --completions bash); COMP_WORDS=(gate-skip --action = o); COMP_CWORD=3; \
                  _gate_skip; echo \"${COMPREPLY[*]}\"";
    let house = House::new(POLICY);
    let bins = support::bin("gate-check").parent().unwrap().display().to_string();
    let ask = format!("PATH={bins}:$PATH; {equals}");
    assert_eq!(house.plain("bash").args(["-c", &ask]).output().unwrap().stdout, b"override\n");
}

#[test]
fn fish_offers_what_fits() {
    tabs("fish", |line| {
        let (tool, _) = line.split_once(' ').unwrap();
        format!("{tool} --completions fish | source; complete -C '{line}'")
    });
}

/// zsh completes in its line editor alone, so a shell on a terminal of its own does it.
#[test]
fn zsh_offers_what_fits() {
    tabs("zsh", |line| {
        let (tool, _) = line.split_once(' ').unwrap();
        // What is offered goes to a file in place of the screen.
        format!(
            "zmodload zsh/zpty; mkdir -p empty; cd empty; zpty -b shell zsh -f -i; \
             zpty -w shell 'PS1= PS2= RPS1=; unsetopt zle_bracketed_paste 2>/dev/null; autoload -Uz compinit; \
             compinit -u -D; source <({tool} --completions zsh); \
             compadd() {{ builtin compadd -O found \"$@\"; print -rl -- $found >> ../offered; builtin compadd \"$@\" }}'; \
             zpty -w -n shell '{line}'$'\\t'; \
             for try in {{1..200}}; do [[ -s ../offered ]] && break; sleep 0.05; done; sleep 0.2; \
             zpty -d shell; cat ../offered; rm ../offered"
        )
    });
}

#[test]
fn a_failing_command_is_told_which_opt_out_did_not_count_and_why() {
    let house = House::new(POLICY);
    let skip = house.granted(&["lint"]);
    house.write("gate.toml", POLICY.replace("\"skip\", \"override\"", "\"override\""));
    let why = format!("a skip (opt-out {skip}) did not count: it ");
    house.check(&["lint", "--", "false"]).exits(1).says(&[&why, "to ask for a way past"]);
    house.check(&["lint", "--format", "github", "--", "false"]).exits(1).says(&["to ask for a way past"]);
    // One that is over gives nothing, and whoever ended it knows.
    house.write("gate.toml", POLICY);
    house.skip(&["revoke", &skip, "--reason", "x"]).exits(0);
    let failed = house.check(&["lint", "--", "false"]).exits(1);
    assert!(!failed.stderr.contains("did not count"), "{}", failed.stderr);
}
