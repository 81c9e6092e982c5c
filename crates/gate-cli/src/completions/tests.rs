use clap::{Arg, Command};

use super::{Shell, script};

fn tool() -> Command {
    Command::new("gate-x")
        .arg(Arg::new("gate").value_name("GATE"))
        .arg(Arg::new("reason").long("reason").short('m').help("Why it's asked"))
        .arg(Arg::new("action").long("action").value_parser(["skip", "pause"]))
        .subcommand(Command::new("approve").about("Approve it").arg(Arg::new("id").value_name("ID")))
}

#[test]
fn each_shell_has_the_options_the_verbs_and_the_lists() {
    for shell in Shell::ALL {
        let text = script(shell, &tool());
        for word in ["reason", "approve", "gate-check --list", "gate-log due", "gate-x"] {
            assert!(text.contains(word), "{shell:?} {word}: {text}");
        }
        assert_eq!(Shell::parse(shell.as_str()), Some(shell));
    }
    assert!(script(Shell::Fish, &tool()).contains("'Why it\\'s asked'"));
}

/// What bash offers at the end of a line that it has taken apart.
fn in_bash(words: &str) -> String {
    let script = script(Shell::Bash, &tool());
    let ask = format!(
        "COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _gate_x; echo \"${{COMPREPLY[*]}}\""
    );
    let output =
        std::process::Command::new("bash").arg("-c").arg(format!("{script}\n{ask}")).output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

#[test]
fn bash_completes_verbs_options_and_values_and_reads_its_own_script() {
    for (words, offered) in [
        ("gate-x --re", "--reason"),
        ("gate-x ap", "approve"),
        ("gate-x lint --re", "--reason"),
        ("gate-x --action ''", "skip pause"),
        ("gate-x --action =", "skip pause"),
        ("gate-x --action = p", "pause"),
        // The text of an option is no verb, and what follows `--` is another program's.
        ("gate-x --reason approve --ac", "--action"),
        ("gate-x -m approve --ac", "--action"),
        ("gate-x lint -- --re", ""),
        ("gate-x --reason ap", ""),
        ("gate-x lint ap", ""),
    ] {
        assert_eq!(in_bash(words), offered, "{words}");
    }
}
