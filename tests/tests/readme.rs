//! The README keeps its word: its commands run, end as it says, and its links lead somewhere.
//!
//! The blocks are run in their order, in one repository. A command ends with 0, or with the status that the
//! comment behind it names (`# exit 75: held`). The two commands of "Try it" take minutes and are CI's own:
//! of these only the existence is checked.
#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and one that is skipped says so"
)]

mod partners;
mod support;

use partners::{checkout, copy, installed, recorded, testdata};
use support::{House, Ran};

fn readme() -> String {
    std::fs::read_to_string(checkout().join("README.md")).unwrap()
}

/// The code blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A command, and the status it should end with.
#[derive(Debug, PartialEq)]
struct Step {
    command: String,
    status: i32,
}

/// The commands of a block. A line that ends with a pipe, `||`, `&&` or a backslash goes on in the next.
fn steps(block: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut command = String::new();
    for line in block.lines().filter(|line| !line.trim().is_empty()) {
        command.push_str(line);
        command.push('\n');
        if line.ends_with('|') || line.ends_with("&&") || line.ends_with('\\') {
            continue;
        }
        let status = line.split_once("# exit ").map_or(0, |(_, comment)| {
            let digits: String = comment.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or_else(|error| panic!("{error}: {line}"))
        });
        steps.push(Step { command: std::mem::take(&mut command), status });
    }
    steps
}

/// Runs a command as bash does in a pipeline, with bandit on the path: the real one, else one that writes the
/// report which the real one made of the same code.
fn bash(house: &House, command: &str) -> Ran {
    let stand_in = house.outside("bin");
    std::fs::create_dir_all(&stand_in).unwrap();
    let script = format!("#!/bin/sh\ncp '{}' scan.sarif\nexit 1\n", recorded("bandit.sarif"));
    std::fs::write(stand_in.join("bandit"), script).unwrap();
    std::process::Command::new("chmod").arg("+x").arg(stand_in.join("bandit")).status().unwrap();
    let mut bash = house.plain("bash");
    let tools = support::bin("gate-check").parent().unwrap().to_owned();
    let inherited = std::env::var_os("PATH").unwrap();
    let folders = [tools, installed()].into_iter().chain(std::env::split_paths(&inherited)).chain([stand_in]);
    bash.env("PATH", std::env::join_paths(folders).unwrap()).args(["-o", "pipefail", "-c", command]);
    Ran::of(bash.output().unwrap())
}

/// The table of a policy that has `word`.
fn table<'a>(readme: &'a str, word: &str) -> &'a str {
    blocks(readme, "toml").into_iter().find(|table| table.contains(word)).unwrap()
}

/// A repository with the README's policy and code for its scanner, and no ledger yet.
fn house() -> House {
    let readme = readme();
    let house = House::without_ledger(table(&readme, "path ="));
    house.write("payments.py", std::fs::read(testdata("sample/python/payments.py")).unwrap());
    house.commit("payments");
    house
}

#[test]
fn steps_know_where_a_command_ends_and_how() {
    let found = steps("a | b\nfalse   # exit 1: no\nc ||\n  d  # exit 75\n\n");
    let step = |command: &str, status| Step { command: command.to_owned(), status };
    assert_eq!(
        found,
        [step("a | b\n", 0), step("false   # exit 1: no\n", 1), step("c ||\n  d  # exit 75\n", 75)]
    );
}

#[test]
fn the_commands_run_and_end_as_it_says() {
    let readme = readme();
    let house = house();
    let blocks = blocks(&readme, "sh");
    let (try_it, others) = blocks.split_first().unwrap();
    let elsewhere = |block: &&&str| block.contains("--remote") || block.contains("approve");
    let others: Vec<_> = others.iter().filter(|block| !elsewhere(block)).collect();
    assert!(others.len() >= 4, "the pipeline, the step, the questions, the auditor");
    assert_eq!(steps(try_it).len(), 2, "a newcomer's two commands");
    for step in steps(try_it) {
        let script = step.command.split_whitespace().next().unwrap();
        assert!(checkout().join(script).is_file(), "{script}");
    }
    for step in others.iter().flat_map(|block| steps(block)) {
        let ran = bash(&house, &step.command);
        assert_eq!(ran.code, step.status, "{}stdout: {}\nstderr: {}", step.command, ran.out(), ran.stderr);
    }
}

/// What a job needs: a clone of a repository, which a bare one hosts, with the README's gates and its remote.
fn hosted() -> House {
    let readme = readme();
    let (local, remote) = (table(&readme, "path ="), table(&readme, "remote  ="));
    let (_, gates) = local.split_once("[gates.sast]").unwrap();
    let house = House::without_ledger(&format!("version = 1\n{remote}\n[gates.sast]{gates}"));
    let host = house.outside("host.git");
    house.git(&["init", "-q", "--bare", host.to_str().unwrap()]);
    house.git(&["remote", "set-url", "origin", host.to_str().unwrap()]);
    house
}

#[test]
fn the_commands_for_hosted_runners_run_against_a_bare_repository() {
    let readme = readme();
    let house = hosted();
    let block = *blocks(&readme, "sh").iter().find(|block| block.contains("--remote")).unwrap();
    let steps = steps(block);
    let (init, jobs) = steps.split_first().unwrap();
    let made = bash(&house, &init.command).exits(0);
    let pin = made.stderr.lines().find(|line| line.contains("genesis = ")).unwrap();
    let policy = house.read("gate.toml").replace("[ledger]", &format!("[ledger]\n{pin}"));
    house.write("gate.toml", policy);
    house.commit("the ledger is pinned");
    house.git(&["push", "-q", "origin", "HEAD:main"]);
    house.git(&["fetch", "-q", "origin"]);
    assert!(jobs.len() >= 4);
    for step in jobs {
        let ran = bash(&house, &step.command);
        assert_eq!(ran.code, step.status, "{}stdout: {}\nstderr: {}", step.command, ran.out(), ran.stderr);
    }
}

#[test]
fn one_asks_and_another_approves() {
    let readme = readme();
    let house = House::without_ledger(&format!("version = 1\n{}", table(&readme, "[gates.deploy]")));
    let keys = ["alice", "bob"].map(|name| (name, house.key(name)));
    let lines: Vec<String> =
        keys.iter().map(|(name, (_, key))| format!("{name}@example.com {key}\n")).collect();
    house.write("allowed_signers", lines.concat());
    bash(&house, "gate-log init").exits(0);
    let block = *blocks(&readme, "sh").iter().find(|block| block.contains("approve")).unwrap();
    for step in steps(block) {
        let (_, (path, _)) = &keys[usize::from(step.command.contains("approve 2"))];
        house.git(&["config", "gpg.format", "ssh"]);
        house.git(&["config", "user.signingKey", path]);
        let ran = bash(&house, &step.command);
        assert_eq!(ran.code, step.status, "{}stdout: {}\nstderr: {}", step.command, ran.out(), ran.stderr);
    }
}

#[test]
fn the_line_s_hash_is_what_the_auditor_s_recipe_makes() {
    let house = house();
    bash(&house, "gate-log init").exits(0);
    bash(&house, "gate-check lint -- true").exits(0);
    let recipe = readme();
    let recipe = recipe.lines().find(|line| line.contains("b3sum --derive-key")).unwrap();
    let made = bash(&house, recipe).exits(0).out();
    let made = made.split_whitespace().next().unwrap();
    let line = bash(&house, "gate-log export | tail -n 1").exits(0).json();
    assert_eq!(line["hash"], format!("b3:{made}"));
}

#[test]
fn its_links_lead_somewhere() {
    let text = readme();
    let links: Vec<&str> = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(links.len() > 10, "{links:?}");
    let missing: Vec<_> = links.iter().filter(|link| !checkout().join(link).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn its_table_of_exit_codes_is_complete() {
    use gate_model::exit::Exit;
    let text = readme();
    let all = [
        Exit::Proceed,
        Exit::Negative,
        Exit::Usage,
        Exit::Pending,
        Exit::Distrust,
        Exit::Failure,
        Exit::Held,
    ];
    for exit in all {
        assert!(text.contains(&format!("\n| {} | ", exit.code())), "{exit:?}");
    }
    assert!(text.contains(&Exit::RunFailed.code().to_string()));
}

#[test]
fn the_plain_shell_example_stops_at_the_gate_that_says_no() {
    let policy = "version = 1\n[ledger]\npath = '.gate/ledger.db'\n[gates.lint]\n[gates.sast]\n[gates.deploy]\n\
        [[gates.deploy.allow]]\nactions = ['pause']\nwho = ['*']\nmax_ttl = '2h'\n";
    let house = House::new(policy);
    copy(&house, "sample/python");
    house.commit("sample code");
    let script = checkout().join("scripts/ci/plain.sh");
    let pipeline = format!("GATE_LEDGER=$PWD/.gate/ledger.db DECISIONS=../decisions '{}'", script.display());

    let blocked = bash(&house, &pipeline).exits(1);
    assert!(!blocked.out().contains("deploying"), "nothing after the gate runs");
    house.write("payments.py", std::fs::read(testdata("sample/python/clean.py")).unwrap());
    house.commit("nothing to find");
    if installed().join("bandit").is_file() {
        let passed = bash(&house, &pipeline).exits(0).out();
        assert!(passed.contains("deploying") && passed.contains("sast\tpass"), "{passed}");
    }
}
