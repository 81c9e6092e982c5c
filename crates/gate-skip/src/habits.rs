//! Words in the order in which fingers put them: a verb or an action before or after what it acts on.

use std::ffi::OsString;

use gate_model::quote;

use crate::args::Args;

/// What can be asked for, as words that are no verbs.
const ACTIONS: [&str; 6] = ["skip", "override", "pause", "hold", "waive", "request"];
/// What verbs are called elsewhere.
const VERBS: [(&str, &str); 12] = [
    ("cancel", "revoke"),
    ("delete", "revoke"),
    ("end", "revoke"),
    ("undo", "revoke"),
    ("withdraw", "revoke"),
    ("accept", "approve"),
    ("deny", "reject"),
    ("refuse", "reject"),
    ("extend", "renew"),
    ("prolong", "renew"),
    ("unhold", "resume"),
    ("unpause", "resume"),
];
/// What another tool shows.
const SHOWN: [&str; 3] = ["show", "status", "view"];

/// The command that was meant, where the first two words are an action and a gate, an ID and a verb, or a verb as others
/// call it. None is a command as it stands, so nothing is guessed about one that is.
pub(crate) fn meant(args: &[OsString]) -> Option<String> {
    let words: Option<Vec<&str>> = args.iter().map(|word| word.to_str()).collect();
    let words = words?;
    let [first, second, rest @ ..] = words.as_slice() else { return None };
    if first.starts_with('-') || second.starts_with('-') || is_verb(first) {
        return None;
    }
    let mut meant = start(first, second)?;
    meant.extend(rest.iter().map(|word| if *word == "--for" { "--ttl" } else { *word }));
    let meant: Vec<String> = meant.into_iter().map(str::to_owned).collect();
    Some(quote::command(&meant))
}

fn is_verb(word: &str) -> bool {
    let command = <Args as clap::CommandFactory>::command();
    command.get_subcommands().any(|verb| verb.get_name() == word)
}

/// The first words of the command that two words were meant to begin.
fn start<'a>(first: &'a str, second: &'a str) -> Option<Vec<&'a str>> {
    let verb = |word: &str| VERBS.iter().find(|(other, _)| *other == word).map(|(_, verb)| *verb);
    let is_action = |word: &str| ACTIONS.contains(&word);
    Some(if is_action(first) && !is_verb(second) {
        [&["gate-skip", second][..], asking_for(first)].concat()
    } else if is_verb(second) {
        vec!["gate-skip", second, first]
    } else if is_action(second) {
        [&["gate-skip", first][..], asking_for(second)].concat()
    } else if let Some(verb) = verb(first) {
        vec!["gate-skip", verb, second]
    } else if SHOWN.contains(&first) {
        vec!["gate-log", "show", second]
    } else if gate_model::time::parse_duration(second).is_ok() {
        vec!["gate-skip", first, "--ttl", second]
    } else {
        return None;
    })
}

fn asking_for(action: &str) -> &'static [&'static str] {
    match action {
        "override" => &["--action", "override"],
        "pause" | "hold" => &["--action", "pause"],
        "waive" => &["--waive", "rule=ID,path=GLOB"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::{OsString, meant};

    fn of(line: &str) -> Option<String> {
        meant(&line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn words_in_other_orders_are_understood() {
        for (line, expected) in [
            ("pause lint --for 2h", "gate-skip lint --action pause --ttl 2h"),
            ("override lint --reason x", "gate-skip lint --action override --reason x"),
            ("skip lint", "gate-skip lint"),
            ("waive scan", "gate-skip scan --waive rule=ID,path=GLOB"),
            ("41 renew --ttl 2d", "gate-skip renew 41 --ttl 2d"),
            ("41 approve --sign", "gate-skip approve 41 --sign"),
            ("lint resume", "gate-skip resume lint"),
            ("lint pause --for 2h", "gate-skip lint --action pause --ttl 2h"),
            ("lint override", "gate-skip lint --action override"),
            ("request lint --reason x", "gate-skip lint --reason x"),
            ("cancel 41 --reason x", "gate-skip revoke 41 --reason x"),
            ("unpause lint", "gate-skip resume lint"),
            ("extend 41", "gate-skip renew 41"),
            ("show 41", "gate-log show 41"),
            ("lint 2h --reason x", "gate-skip lint --ttl 2h --reason x"),
        ] {
            assert_eq!(of(line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn commands_are_left_alone() {
        for line in [
            "pause",
            "pause --reason x",
            "approve 41",
            "review resume",
            "lint --reason pause",
            "--sign pause",
            "reject 41",
            "lint scan",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }
}
