//! Printed commands are inert, and a real shell reads them back as they were.

#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use gate_cli::escape::inert;
use gate_model::quote::{command, is_exact, shell};
use proptest::prelude::*;

/// What `sh` makes of a command line: its words.
fn words(line: &str) -> Vec<String> {
    let script = format!("for w in {line}; do printf '%s\\0' \"$w\"; done");
    let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{line}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn hostile_words_come_back_from_a_real_shell_as_they_were() {
    let hostile = [
        "",
        "a b",
        "it's",
        "'",
        "''",
        "$(id)",
        "`id`",
        "a;b",
        "a&&b",
        "|",
        ">x",
        "<x",
        "*",
        "?",
        "[a]",
        "~",
        "~root",
        "#c",
        "!!",
        "\\",
        "a\\",
        "\"",
        "-n",
        "--",
        "{a,b}",
        "=ls",
        "A=b",
        "%1",
        "::error::x",
        "a ::error::x",
        "a\u{a0}:::",
        "##vso[x]y",
        "###[group]",
        "####",
        "é修",
        "rule=B101,path=src/a b.py",
    ];
    let argv: Vec<String> = hostile.iter().map(|&word| word.to_owned()).collect();
    assert!(is_exact(&argv));
    assert_eq!(words(&command(&argv)), argv);
}

#[test]
fn a_control_character_is_never_printed_and_never_called_exact() {
    for word in ["a\u{1b}[2J", "a\nb", "a\tb", "\u{202e}x", "\u{9b}", "a\u{200b}", "\0", "\r"] {
        let line = shell(word);
        assert_eq!(inert(&line), line, "{word:?}");
        assert!(!is_exact(&[word.to_owned()]), "{word:?}");
    }
}

#[test]
fn a_first_word_cannot_be_an_assignment() {
    assert_eq!(command(&["PATH=/tmp".into(), "x=y".into()]), "'PATH=/tmp' x=y");
}

proptest! {
    #[test]
    fn whatever_the_word_the_printed_line_is_inert(argv in prop::collection::vec("\\PC*|[#: \\['\\x1b\n]{0,9}", 1..4)) {
        let line = command(&argv);
        prop_assert_eq!(inert(&line), line);
    }

    #[test]
    fn exact_words_survive_a_shell(argv in prop::collection::vec("[ -~é]{0,12}", 1..4)) {
        prop_assert!(is_exact(&argv));
        prop_assert_eq!(words(&command(&argv)), argv);
    }
}
