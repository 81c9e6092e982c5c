//! Words in the order in which fingers put them: a verb or an action before or after what it acts on.

use std::ffi::OsString;

use gate_model::quote;

use crate::args::Args;

/// What can be asked for, as words that are no verbs.
const ACTIONS: [&str; 5] = ["skip", "override", "pause", "hold", "waive"];

/// The command that was meant, where the first two words are an action and a gate, or an ID and a verb. Neither is a
/// command as it stands, so nothing is guessed about one that is.
pub(crate) fn meant(args: &[OsString]) -> Option<String> {
    let command = <Args as clap::CommandFactory>::command();
    let is_verb = |word: &str| command.get_subcommands().any(|verb| verb.get_name() == word);
    let words: Option<Vec<&str>> = args.iter().map(|word| word.to_str()).collect();
    let words = words?;
    let [first, second, rest @ ..] = words.as_slice() else { return None };
    if first.starts_with('-') || second.starts_with('-') {
        return None;
    }
    let mut meant = vec!["gate-skip"];
    if ACTIONS.contains(first) && !is_verb(second) {
        meant.push(second);
        meant.extend(asking_for(first));
    } else if is_verb(second) && !is_verb(first) {
        meant.extend([second, first]);
    } else {
        return None;
    }
    meant.extend(rest.iter().map(|word| if *word == "--for" { "--ttl" } else { *word }));
    let meant: Vec<String> = meant.into_iter().map(str::to_owned).collect();
    Some(quote::command(&meant))
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
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }
}
