//! The parser's answers in the house form: `--help` and `--version` go to stdout and end with 0; an error
//! goes to stderr as one line and a remedy, and ends with 2, or 125 in run mode.

use std::ffi::OsString;
use std::sync::LazyLock;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use gate_model::exit::Exit;

use crate::completions::{self, Shell};
use crate::io::Io;
use crate::main::is_run_mode;
use crate::message::Failure;

/// Parses `args` (without the program's name) as `tool`'s options.
///
/// # Errors
/// The exit with which the tool ends, once everything was shown.
pub fn parse<T: clap::Parser>(tool: &'static str, args: &[OsString], io: &mut Io<'_>) -> Result<T, Exit> {
    parse_with(tool, T::command(), args, io)
}

/// The same with a command that was changed first, as by [`crate::options::offer`].
///
/// # Errors
/// The exit with which the tool ends, once everything was shown.
pub fn parse_with<T: clap::FromArgMatches>(
    tool: &'static str,
    command: clap::Command,
    args: &[OsString],
    io: &mut Io<'_>,
) -> Result<T, Exit> {
    let command = command.name(tool).bin_name(tool).no_binary_name(true).arg(completions::option());
    let command = command.version(VERSION.as_str());
    let failed = |error: &clap::Error, io: &mut Io<'_>| end(tool, error, &command, args, io);
    let matches = command.clone().try_get_matches_from(args).map_err(|error| failed(&error, io))?;
    if let Some(shell) = matches.get_one::<String>("completions").and_then(|word| Shell::parse(word)) {
        io.show(&completions::script(shell, &command));
        return Err(Exit::Proceed);
    }
    T::from_arg_matches(&matches).map_err(|error| failed(&error, io))
}

/// The version, and the commit that it was built from where the builder said so.
static VERSION: LazyLock<String> = LazyLock::new(|| match option_env!("GATE_COMMIT") {
    Some(commit) if !commit.is_empty() => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
    _ => env!("CARGO_PKG_VERSION").to_owned(),
});

/// What fingers write that know other tools, and the option that is meant.
const HABITS: [(&str, &str); 22] = [
    ("--for", "--ttl"),
    ("--duration", "--ttl"),
    ("--expires", "--ttl"),
    ("--until", "--ttl"),
    ("--timeout", "--wait"),
    ("--message", "--reason"),
    ("--comment", "--reason"),
    ("--because", "--reason"),
    ("--output", "--format"),
    ("--report", "--findings"),
    ("--env", "--environment"),
    ("--branch", "--ref"),
    ("--limit", "--newest"),
    ("--count", "--newest"),
    ("--last", "--newest"),
    ("--tail", "--newest"),
    ("--user", "--actor"),
    ("--who", "--actor"),
    ("--author", "--actor"),
    ("--json", "--format json"),
    ("--dry-run", "--plan"),
    ("-m", "--reason"),
];

/// Words that are verbs of other tools, and the command that is meant.
const VERBS: [(&str, &[&str], &str); 6] = [
    ("gate-log", &["list", "ls", "log", "history"], "gate-log"),
    ("gate-log", &["tail", "follow", "watch"], "gate-log --follow"),
    ("gate-log", &["pending", "requests", "todo"], "gate-log due"),
    ("gate-log", &["status", "gates"], "gate-check --list"),
    ("gate-log", &["verify", "check"], "gate-verify"),
    ("gate-log", &["cat", "dump"], "gate-log export"),
];

fn end(
    tool: &'static str,
    error: &clap::Error,
    command: &clap::Command,
    args: &[OsString],
    io: &mut Io<'_>,
) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A failed write is remembered by `main`, and a reader that went away has seen enough.
        io.show(&error.to_string());
        return Exit::Proceed;
    }
    let exit = if is_run_mode(tool, args) { Exit::RunFailed } else { Exit::Usage };
    io.fail(&explain(tool, error, command, args, exit))
}

/// The failure that says what `error` says.
fn explain(
    tool: &'static str,
    error: &clap::Error,
    command: &clap::Command,
    args: &[OsString],
    exit: Exit,
) -> Failure {
    let facts = Facts(error, command);
    let remedy = facts.spaced(args).unwrap_or_else(|| facts.remedy(tool));
    Failure::new(tool, exit, facts.problem()).with_remedy(remedy)
}

/// What the parser knows about an error.
struct Facts<'a>(&'a clap::Error, &'a clap::Command);

impl Facts<'_> {
    fn problem(&self) -> String {
        let arg = self.words(ContextKind::InvalidArg, "', '");
        let value = self.words(ContextKind::InvalidValue, " ");
        match self.0.kind() {
            ErrorKind::UnknownArgument => format!("unexpected argument '{arg}'"),
            ErrorKind::InvalidSubcommand => {
                format!("unknown verb '{}'", self.words(ContextKind::InvalidSubcommand, " "))
            }
            ErrorKind::MissingRequiredArgument => format!("'{arg}' is missing"),
            ErrorKind::InvalidValue if value.is_empty() => format!("'{arg}' needs a value"),
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
                let cause = self.cause().map_or_else(String::new, |(cause, _)| format!(": {cause}"));
                format!("invalid value '{value}' for '{arg}'{cause}")
            }
            ErrorKind::TooManyValues => format!("unexpected value '{value}' for '{arg}'"),
            ErrorKind::ArgumentConflict => self.conflict(&arg),
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                "nothing to do was named".to_owned()
            }
            ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".to_owned(),
            _ => self.own_words(),
        }
    }

    fn conflict(&self, arg: &str) -> String {
        let arg =
            if arg.is_empty() { self.words(ContextKind::InvalidSubcommand, " ") } else { arg.to_owned() };
        match self.words(ContextKind::PriorArg, "', '") {
            prior if prior == arg => format!("'{arg}' was given more than once"),
            prior if prior.is_empty() => format!("'{arg}' cannot be used with the other arguments"),
            prior => format!("'{arg}' cannot be used with '{prior}'"),
        }
    }

    /// What a value's own parser said, where it said something: what is wrong, and the remedy if it knows one.
    fn cause(&self) -> Option<(String, Option<String>)> {
        let cause = std::error::Error::source(self.0)?.to_string();
        Some(match cause.split_once('\n') {
            Some((problem, remedy)) => (problem.to_owned(), Some(remedy.to_owned())),
            None => (cause, None),
        })
    }

    /// The parser's first line, for the kinds that have no words of ours.
    fn own_words(&self) -> String {
        let text = self.0.to_string();
        let line = text.lines().next().unwrap_or("the arguments cannot be understood");
        line.strip_prefix("error: ").unwrap_or(line).to_owned()
    }

    fn remedy(&self, tool: &str) -> String {
        if let Some(meant) = self.meant().or_else(|| self.meant_verb(tool)) {
            return format!("did you mean '{meant}'? '{tool} --help' lists what there is");
        }
        let kinds =
            [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
        let near = kinds.into_iter().map(|kind| self.words(kind, "' or '")).find(|words| !words.is_empty());
        if let Some(near) = near {
            return format!("did you mean '{near}'? '{tool} --help' lists what there is");
        }
        if let Some((_, Some(remedy))) = self.cause() {
            return remedy;
        }
        let kinds = [ContextKind::ValidValue, ContextKind::ValidSubcommand];
        let valid = kinds.into_iter().map(|kind| self.words(kind, ", ")).find(|words| !words.is_empty());
        match valid {
            Some(valid) => format!("it is one of: {valid}"),
            None => format!("'{tool} --help' shows the usage and every option"),
        }
    }

    /// How an option is written whose value is optional, where a word stands too many and such an option has one behind
    /// a space.
    fn spaced(&self, args: &[OsString]) -> Option<String> {
        let unexpected = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand, ContextKind::InvalidValue];
        let is_option = |kind| self.words(kind, " ").starts_with('-');
        let kinds = [
            ErrorKind::UnknownArgument,
            ErrorKind::InvalidSubcommand,
            ErrorKind::TooManyValues,
            ErrorKind::ArgumentConflict,
        ];
        if !kinds.contains(&self.0.kind()) || unexpected.into_iter().any(is_option) {
            return None;
        }
        let all =
            std::iter::once(self.1).chain(self.1.get_subcommands()).flat_map(clap::Command::get_arguments);
        let joined: Vec<String> = all
            .filter(|arg| arg.is_require_equals_set())
            .filter_map(|arg| arg.get_long().map(|long| format!("--{long}")))
            .collect();
        let (option, value) = args.iter().zip(args.iter().skip(1)).find_map(|(option, value)| {
            let (option, value) = (option.to_str()?, value.to_str()?);
            (joined.iter().any(|long| long == option) && !value.starts_with('-')).then_some((option, value))
        })?;
        Some(format!(
            "write {option}={value}, with '=': the value can be left out, so a word after a space is another"
        ))
    }

    /// The option of this tool that is called otherwise elsewhere.
    fn meant(&self) -> Option<&'static str> {
        let arg = self.words(ContextKind::InvalidArg, " ");
        let (_, meant) = HABITS.iter().find(|(habit, _)| *habit == arg)?;
        let has = |command: &clap::Command| {
            command.get_arguments().filter_map(clap::Arg::get_long).any(|long| {
                meant.split(' ').next().and_then(|option| option.strip_prefix("--")) == Some(long)
            })
        };
        (has(self.1) || self.1.get_subcommands().any(has)).then_some(*meant)
    }

    /// The command that does what another tool's verb does.
    fn meant_verb(&self, tool: &str) -> Option<&'static str> {
        let verb = self.words(ContextKind::InvalidSubcommand, " ");
        let is_it = |(of, words, _): &&(&str, &[&str], &str)| *of == tool && words.contains(&verb.as_str());
        VERBS.iter().find(is_it).map(|(_, _, command)| *command)
    }

    fn words(&self, kind: ContextKind, between: &str) -> String {
        match self.0.get(kind) {
            Some(ContextValue::String(word)) => word.clone(),
            Some(ContextValue::Strings(words)) => words.join(between),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, OsString, parse};
    use crate::io::Buffers;

    /// Runs a gate.
    #[derive(Debug, clap::Parser)]
    #[command(name = "gate-check", version)]
    struct Args {
        /// The gate.
        #[arg(value_name = "GATE", required_unless_present = "list")]
        gate: Option<String>,
        /// List.
        #[arg(long, conflicts_with = "ttl")]
        list: bool,
        /// How long.
        #[arg(long, value_name = "DURATION", value_parser = gate_model::time::parse_duration)]
        ttl: Option<u64>,
        #[command(flatten)]
        shared: crate::options::Shared,
        /// The command.
        #[arg(last = true)]
        command: Vec<OsString>,
    }

    fn said(line: &[&str]) -> (Result<Args, Exit>, String, String) {
        let mut buffers = Buffers::default();
        let args: Vec<OsString> = line.iter().map(OsString::from).collect();
        let parsed = parse::<Args>("gate-check", &args, &mut buffers.io());
        (parsed, String::from_utf8(buffers.stdout).unwrap(), String::from_utf8(buffers.stderr).unwrap())
    }

    #[test]
    fn good_arguments_are_parsed_and_nothing_is_said() {
        let (args, out, err) =
            said(&["lint", "--ttl", "4h", "--", "cargo", "clippy", "--", "-D", "warnings"]);
        let args = args.unwrap();
        assert_eq!((args.gate.as_deref(), args.ttl, args.list), (Some("lint"), Some(14_400), false));
        assert_eq!(args.command, ["cargo", "clippy", "--", "-D", "warnings"]);
        assert!(args.shared.store.ledger.is_none());
        assert_eq!((out.as_str(), err.as_str()), ("", ""));
    }

    #[test]
    fn errors_have_the_house_form() {
        let usage = "  'gate-check --help' shows the usage and every option\n";
        let cases: [(&[&str], String); 9] = [
            (
                &["lint", "--for", "2h"],
                "gate-check: unexpected argument '--for'\n  did you mean '--ttl'? 'gate-check --help' lists what \
                 there is\n"
                    .to_owned(),
            ),
            (&["lint", "--nonsense"], format!("gate-check: unexpected argument '--nonsense'\n{usage}")),
            (&[], format!("gate-check: '<GATE>' is missing\n{usage}")),
            (&["lint", "--ttl"], format!("gate-check: '--ttl <DURATION>' needs a value\n{usage}")),
            (
                &["lint", "--ttl", "soon"],
                format!(
                    "gate-check: invalid value 'soon' for '--ttl <DURATION>': 'soon' is not a duration; write it \
                     as 30m, 4h or 14d\n{usage}"
                ),
            ),
            (
                &["--list", "--ttl", "4h"],
                format!("gate-check: '--list' cannot be used with '--ttl <DURATION>'\n{usage}"),
            ),
            (
                &["lint", "--ttl", "4h", "--ttl", "4h"],
                format!("gate-check: '--ttl <DURATION>' was given more than once\n{usage}"),
            ),
            (
                &["lint", "--quite"],
                "gate-check: unexpected argument '--quite'\n  did you mean '--quiet'? 'gate-check --help' lists \
                 what there is\n"
                    .to_owned(),
            ),
            (
                &["lint", "--color", "sometimes"],
                "gate-check: invalid value 'sometimes' for '--color <WHEN>'\n  it is one of: auto, always, never\n"
                    .to_owned(),
            ),
        ];
        for (line, expected) in cases {
            let (parsed, out, err) = said(line);
            assert_eq!(parsed.err(), Some(Exit::Usage), "{line:?}");
            assert_eq!((out.as_str(), err), ("", expected));
        }
    }

    #[test]
    fn a_usage_error_in_run_mode_is_125() {
        let (parsed, _, err) = said(&["lint", "--nonsense", "--", "true"]);
        assert_eq!(parsed.err(), Some(Exit::RunFailed), "{err}");
    }

    #[test]
    fn a_hostile_argument_is_inert() {
        let (_, _, err) = said(&["lint", "--x\n::error::y\u{1b}[2J"]);
        assert!(err.starts_with("gate-check: unexpected argument '--x\\n::error::y\\u{1b}[2J'\n"), "{err}");
    }

    #[test]
    fn help_and_version_go_to_stdout_and_end_well() {
        for flag in ["--help", "-h", "--version", "-V"] {
            let (parsed, out, err) = said(&[flag]);
            assert_eq!(parsed.err(), Some(Exit::Proceed));
            assert!(!out.is_empty() && err.is_empty(), "{flag}: {out}{err}");
        }
        assert!(said(&["--help"]).1.contains("Usage: gate-check "));
        assert!(said(&["--version"]).1.starts_with("gate-check 0."));
    }
}
