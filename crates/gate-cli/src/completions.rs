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

/// What stands in one place of a command line.
struct Words {
    /// The verb; empty before one.
    verb: String,
    /// Options with a word of help each.
    options: Vec<(String, String)>,
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
    let option = |arg: &clap::Arg| {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        arg.get_long().map(|long| (format!("--{long}"), help))
    };
    let about = |verb: &Command| verb.get_about().map(ToString::to_string).unwrap_or_default();
    Words {
        verb: verb.to_owned(),
        options: command.get_arguments().filter(shown).filter_map(option).collect(),
        verbs: command.get_subcommands().map(|verb| (verb.get_name().to_owned(), about(verb))).collect(),
        asks: command.get_positionals().next().and_then(asked),
    }
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

fn list(words: &[(String, String)]) -> String {
    words.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(" ")
}

/// The name of a shell function.
fn function(tool: &str) -> String {
    format!("_{}", tool.replace('-', "_"))
}

/// The branches of `case $verb in` that bash and zsh share: options and verbs into `words`, a list into `more`.
fn branches(places: &[Words]) -> String {
    let branch = |place: &Words| {
        let pattern = if place.verb.is_empty() { "''".to_owned() } else { place.verb.clone() };
        let words = format!("{} {}", list(&place.options), list(&place.verbs));
        let more = place.asks.map_or_else(|| "''".to_owned(), |command| format!("$({command})"));
        format!("    {pattern}) words='{}'; more={more};;\n", words.trim())
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
         {name}() {{\n  local cur=${{COMP_WORDS[COMP_CWORD]}} verb= words= more= word\n  \
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
         {name}() {{\n  local verb= words= more= word\n  \
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
    for place in places {
        let when = match place.verb.as_str() {
            "" => "__fish_use_subcommand".to_owned(),
            verb => format!("__fish_seen_subcommand_from {verb}"),
        };
        let start = format!("complete -c {tool} -n '{when}'");
        let long = |name: &str| name.trim_start_matches('-').to_owned();
        lines.extend(
            place.options.iter().map(|(name, help)| format!("{start} -l {} -d {}", long(name), quote(help))),
        );
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
