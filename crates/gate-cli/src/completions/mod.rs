//! Completions for bash, zsh and fish, made from the definition of the options, so that they cannot fall behind it.
//!
//! Gates and the ids of opt-outs are asked for while somebody types, with `gate-check --list` and `gate-log due`.
//! Invariant: nothing of a ledger or a policy is ever evaluated by the shell; of the answers only gate names
//! (`[a-z0-9_-]`) and digits are taken. A quote in a text of theirs is `\"` there, so that no text looks like a member.

mod fish;
mod sh;

use clap::builder::PossibleValue;
use clap::{Arg, Command};

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// bash(1).
    Bash,
    /// zsh(1).
    Zsh,
    /// fish(1).
    Fish,
}

impl Shell {
    /// Every shell.
    pub const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    /// The word used on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// The shell that `word` names, if it names one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shell| shell.as_str() == word)
    }
}

/// The names of the gates, a line each.
const GATES: &str = r#"gate-check --list --format json -q 2>/dev/null | tr ',{' '\n\n' | sed -n 's/^"gate":"\([a-z0-9_-]*\)".*/\1/p' | sort -u"#;
/// The ids of opt-outs that are live, that wait for an approval, or that are owed a review.
const IDS: &str = r#"sh -c 'gate-check --list --format json -q; gate-log due --format json -q' 2>/dev/null | tr ',{' '\n\n' | sed -n 's/^"id":\([0-9][0-9]*\)$/\1/p' | sort -un"#;
/// The ids of requests that wait, as the commands that approve them have them.
const WAITING: &str = r#"gate-log due --format json -q 2>/dev/null | tr ',{' '\n\n' | sed -n 's/^"command":"gate-skip approve \([0-9]*\).*/\1/p'"#;
/// The ids of what is owed a review.
const OWED: &str = r#"gate-log due --format json -q 2>/dev/null | tr ',{' '\n\n' | sed -n 's/^"command":"gate-skip review \([0-9]*\).*/\1/p'"#;

/// What may stand in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Values {
    /// These words.
    Words(Vec<String>),
    /// What this command lists.
    Listed(&'static str),
    /// Anything; a shell offers files.
    Any,
}

/// An option.
struct Choice {
    /// `--name`.
    long: String,
    /// `-n`, where there is one.
    short: Option<String>,
    help: String,
    /// What the next word is, of an option that takes one. A value that must follow `=` is no word of its own.
    takes: Option<Values>,
}

/// What stands in one place of a command line.
struct Words {
    /// The verb; empty before one.
    verb: String,
    options: Vec<Choice>,
    /// The verbs that may follow, with a word of help each.
    verbs: Vec<(String, String)>,
    /// What the first argument is.
    first: Values,
    /// Whether all other arguments are such, too.
    all: bool,
}

/// The script that completes `command` in `shell`.
pub fn script(shell: Shell, command: &Command) -> String {
    let mut command = command.clone();
    command.build();
    let tool = command.get_name().to_owned();
    let places: Vec<Words> = std::iter::once(words("", &command))
        .chain(command.get_subcommands().map(|verb| words(verb.get_name(), verb)))
        .collect();
    match shell {
        Shell::Bash => sh::bash(&tool, &places),
        Shell::Zsh => sh::zsh(&tool, &places),
        Shell::Fish => fish::script(&tool, &places),
    }
}

fn words(verb: &str, command: &Command) -> Words {
    let about = |verb: &Command| verb.get_about().map(ToString::to_string).unwrap_or_default();
    let first = command.get_positionals().next();
    Words {
        verb: verb.to_owned(),
        options: command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(choice).collect(),
        verbs: command.get_subcommands().map(|verb| (verb.get_name().to_owned(), about(verb))).collect(),
        first: first.map_or(Values::Any, |arg| argument(verb, arg)),
        all: first.and_then(Arg::get_num_args).is_some_and(|count| count.max_values() > 1),
    }
}

fn choice(arg: &Arg) -> Option<Choice> {
    let next = arg.get_action().takes_values()
        && !arg.is_require_equals_set()
        && arg.get_num_args().is_some_and(|count| count.min_values() > 0);
    Some(Choice {
        long: format!("--{}", arg.get_long()?),
        short: arg.get_short().map(|letter| format!("-{letter}")),
        help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
        takes: next.then(|| value(arg)),
    })
}

/// What the value of an option is.
fn value(arg: &Arg) -> Values {
    let words: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| value.get_name().to_owned())
        .collect();
    match arg.get_long() {
        _ if !words.is_empty() => Values::Words(words),
        Some("gate") => Values::Listed(GATES),
        Some("id") => Values::Listed(IDS),
        _ => Values::Any,
    }
}

/// What the first argument of a verb is: of an act on an opt-out, what the act can still be done to.
fn argument(verb: &str, arg: &Arg) -> Values {
    let name = arg.get_value_names().and_then(<[_]>::first).map(clap::builder::Str::as_str);
    match (name, verb) {
        (Some("GATE" | "GATE|FILE"), _) => Values::Listed(GATES),
        (Some("ID"), "approve" | "reject") => Values::Listed(WAITING),
        (Some("ID"), "review") => Values::Listed(OWED),
        (Some("ID"), _) => Values::Listed(IDS),
        _ => Values::Any,
    }
}

/// Every option that takes the next word, as it is typed, and what that word is; each spelling once.
fn taking(places: &[Words]) -> Vec<(&str, &Values)> {
    let mut found: Vec<(&str, &Values)> = Vec::new();
    for choice in places.iter().flat_map(|place| &place.options) {
        let Some(values) = &choice.takes else { continue };
        for spelling in std::iter::once(&choice.long).chain(&choice.short) {
            if !found.iter().any(|(known, _)| known == spelling) {
                found.push((spelling, values));
            }
        }
    }
    found
}

/// The names of the verbs.
fn verbs(places: &[Words]) -> Vec<&str> {
    places.iter().map(|place| place.verb.as_str()).filter(|verb| !verb.is_empty()).collect()
}

/// The name of a shell function.
fn function(tool: &str) -> String {
    format!("_{}", tool.replace('-', "_"))
}

/// The option that prints completions, which every tool has.
pub(crate) fn option() -> Arg {
    let shells = Shell::ALL.map(|shell| PossibleValue::new(shell.as_str()));
    Arg::new("completions")
        .long("completions")
        .value_name("SHELL")
        .value_parser(shells)
        .exclusive(true)
        .help_heading("Output")
        .help("Print the completions for a shell: bash, zsh or fish")
        .hide_possible_values(true)
}

#[cfg(test)]
mod tests;
