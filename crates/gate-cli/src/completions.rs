//! Completions for bash, zsh and fish, made from the definition of the options, so that they cannot fall behind it.
//!
//! Gates and the ids of opt-outs are asked for while somebody types, with `gate-check --list`. Invariant: nothing of a
//! ledger or a policy is ever evaluated by the shell; of the answer only gate names (`[a-z0-9_-]`) and digits are taken.

use clap::Command;
use clap::builder::PossibleValue;

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

/// The names of the gates, and the ids of the live opt-outs, a line each.
const GATES: &str = r#"gate-check --list --format json -q 2>/dev/null | tr ',{' '\n\n' | sed -n 's/^"gate":"\([a-z0-9_-]*\)".*/\1/p' | sort -u"#;
const IDS: &str =
    r#"gate-check --list --format json -q 2>/dev/null | tr ',{' '\n\n' | sed -n 's/^"id":\([0-9]*\).*/\1/p'"#;

/// An option.
struct Flag {
    /// With its two hyphens.
    name: String,
    help: String,
    /// What its next word may be, where it takes one: nothing in particular if that is empty.
    values: Option<Vec<String>>,
}

/// What stands in one place of a command line.
struct Words {
    /// The verb; empty before one.
    verb: String,
    options: Vec<Flag>,
    /// The verbs that may follow.
    verbs: Vec<(String, String)>,
    /// What the first argument is, as a command that lists it.
    asks: Option<&'static str>,
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
        Shell::Bash => bash(&tool, &places),
        Shell::Zsh => zsh(&tool, &places),
        Shell::Fish => fish(&tool, &places),
    }
}

fn words(verb: &str, command: &Command) -> Words {
    let shown = |arg: &&clap::Arg| !arg.is_hide_set();
    let about = |verb: &Command| verb.get_about().map(ToString::to_string).unwrap_or_default();
    Words {
        verb: verb.to_owned(),
        options: command.get_arguments().filter(shown).filter_map(flag).collect(),
        verbs: command.get_subcommands().map(|verb| (verb.get_name().to_owned(), about(verb))).collect(),
        asks: command.get_positionals().next().and_then(asked),
    }
}

fn flag(arg: &clap::Arg) -> Option<Flag> {
    let name = format!("--{}", arg.get_long()?);
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let shown = |value: &&PossibleValue| !value.is_hide_set();
    let named = |value: &PossibleValue| value.get_name().to_owned();
    let values = || arg.get_possible_values().iter().filter(shown).map(named).collect();
    // A value that must follow an equals sign is no next word.
    let takes_word = arg.get_action().takes_values() && !arg.is_require_equals_set();
    Some(Flag { name, help, values: takes_word.then(values) })
}

/// Which list completes an argument.
fn asked(arg: &clap::Arg) -> Option<&'static str> {
    let names = arg.get_value_names()?;
    match names.first()?.as_str() {
        "GATE" | "GATE|FILE" => Some(GATES),
        "ID" => Some(IDS),
        _ => None,
    }
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

/// The name of a shell function.
fn function(tool: &str) -> String {
    format!("_{}", tool.replace('-', "_"))
}

/// The branches of `case $verb in` that bash and zsh share: after an option, its values; else options and verbs into
/// `words`, and a list into `more`.
fn branches(places: &[Words]) -> String {
    let branch = |place: &Words| {
        let pattern = if place.verb.is_empty() { "''".to_owned() } else { place.verb.clone() };
        let after = |flag: &Flag| {
            let values = list(flag.values.as_ref()?.iter().map(String::as_str));
            Some(format!("    {}) words='{values}';;\n", flag.name))
        };
        let values: String = place.options.iter().filter_map(after).collect();
        let options = place.options.iter().map(|flag| flag.name.as_str());
        let words = list(options.chain(place.verbs.iter().map(|(verb, _)| verb.as_str())));
        let more = place.asks.map_or_else(|| "''".to_owned(), |command| format!("$({command})"));
        format!("  {pattern}) case $prev in\n{values}    *) words='{words}'; more={more};;\n    esac;;\n")
    };
    places.iter().map(branch).collect()
}

/// The names of the verbs, as a pattern.
fn verbs(places: &[Words]) -> String {
    let names: Vec<&str> =
        places.iter().map(|place| place.verb.as_str()).filter(|verb| !verb.is_empty()).collect();
    if names.is_empty() { "''".to_owned() } else { names.join("|") }
}

fn bash(tool: &str, places: &[Words]) -> String {
    format!(
        "# bash completion for {tool}: source it, or keep it in bash-completion's completions/{tool}\n\
         {name}() {{\n  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} verb= words= more= word\n  \
         # An equals sign is a word here.\n  \
         [ \"$prev\" != = ] || prev=${{COMP_WORDS[COMP_CWORD-2]}}\n  [ \"$cur\" != = ] || cur=\n  \
         for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n    case $word in\n    --) return;;\n    \
         {verbs}) [ -n \"$verb\" ] || verb=$word;;\n    esac\n  done\n  case $verb in\n{branches}  esac\n  \
         case $cur in -*) more=;; esac\n  \
         mapfile -t COMPREPLY < <(compgen -W \"$words $more\" -- \"$cur\")\n}}\n\
         complete -o default -F {name} {tool}\n",
        name = function(tool),
        verbs = verbs(places),
        branches = branches(places),
    )
}

fn zsh(tool: &str, places: &[Words]) -> String {
    format!(
        "#compdef {tool}\n# zsh completion for {tool}: keep it as _{tool} in a folder of $fpath\n\
         {name}() {{\n  local prev=${{words_before[-1]-}} verb= words= more= word\n  \
         for word in \"${{(@)words_before}}\"; do\n    case $word in\n    --) _default; return;;\n    \
         {verbs}) [[ -n $verb ]] || verb=$word;;\n    esac\n  done\n  case $verb in\n{branches}  esac\n  \
         compadd -- ${{=words}} ${{=more}}\n  _files\n}}\n\
         {name}_start() {{\n  local -a words_before=(\"${{(@)words[2,CURRENT-1]}}\")\n  {name}\n}}\n\
         compdef {name}_start {tool}\n",
        name = function(tool),
        verbs = verbs(places),
        branches = branches(places),
    )
}

fn fish(tool: &str, places: &[Words]) -> String {
    let quote = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let mut lines = vec![format!("# fish completion for {tool}: keep it as completions/{tool}.fish")];
    let verbs = list(places.iter().map(|place| place.verb.as_str()).filter(|verb| !verb.is_empty()));
    for place in places {
        let (here, first) = match place.verb.as_str() {
            "" if verbs.is_empty() => (String::new(), " -n __fish_use_subcommand".to_owned()),
            "" => {
                let before = format!(" -n 'not __fish_seen_subcommand_from {verbs}'");
                (before, " -n __fish_use_subcommand".to_owned())
            }
            verb => {
                let after = format!(" -n '__fish_seen_subcommand_from {verb}'");
                (after.clone(), after)
            }
        };
        lines.extend(place.options.iter().map(|flag| {
            let value = match &flag.values {
                None => String::new(),
                Some(any) if any.is_empty() => " -r".to_owned(),
                Some(values) => format!(" -x -a '{}'", values.join(" ")),
            };
            let long = flag.name.trim_start_matches('-');
            format!("complete -c {tool}{here} -l {long}{value} -d {}", quote(&flag.help))
        }));
        let start = format!("complete -c {tool}{first}");
        lines.extend(place.verbs.iter().map(|(verb, help)| format!("{start} -a {verb} -d {}", quote(help))));
        lines.extend(place.asks.map(|command| format!("{start} -a \"({})\"", escaped(command))));
    }
    lines.join("\n") + "\n"
}

/// A command inside the double quotes of fish.
fn escaped(command: &str) -> String {
    command.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The option that prints completions, which every tool has.
pub(crate) fn option() -> clap::Arg {
    let shells = Shell::ALL.map(|shell| PossibleValue::new(shell.as_str()));
    clap::Arg::new("completions")
        .long("completions")
        .value_name("SHELL")
        .value_parser(shells)
        .exclusive(true)
        .help_heading("Output")
        .help("Print the completions for a shell: bash, zsh or fish")
        .hide_possible_values(true)
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::{Shell, script};

    fn tool() -> Command {
        Command::new("gate-x")
            .arg(Arg::new("gate").value_name("GATE"))
            .arg(Arg::new("reason").long("reason").help("Why it's asked"))
            .subcommand(Command::new("approve").about("Approve it").arg(Arg::new("id").value_name("ID")))
    }

    #[test]
    fn each_shell_has_the_options_the_verbs_and_the_lists() {
        for shell in Shell::ALL {
            let text = script(shell, &tool());
            for word in ["reason", "approve", "gate-check --list", "\\\"gate\\\":\\\"|\"gate\":\"", "gate-x"]
            {
                assert!(word.split('|').any(|way| text.contains(way)), "{shell:?} {word}: {text}");
            }
            assert_eq!(Shell::parse(shell.as_str()), Some(shell));
        }
        assert!(script(Shell::Fish, &tool()).contains("'Why it\\'s asked'"));
    }

    #[test]
    fn bash_completes_verbs_options_and_reads_its_own_script() {
        let script = script(Shell::Bash, &tool());
        let ask = "COMP_WORDS=(gate-x --re); COMP_CWORD=1; _gate_x; echo \"${COMPREPLY[*]}\"; \
                   COMP_WORDS=(gate-x ap); _gate_x; echo \"${COMPREPLY[*]}\"";
        let output =
            std::process::Command::new("bash").arg("-c").arg(format!("{script}\n{ask}")).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "--reason\napprove\n", "{output:?}");
    }
}
