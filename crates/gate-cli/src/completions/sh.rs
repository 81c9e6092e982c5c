//! What bash and zsh share, and the few lines that each has of its own.
//!
//! `_TOOL_offer WORD BEFORE...` puts into `offered` what may stand where `WORD` is typed; where that is anything, it
//! leaves it empty, and the shell offers files. bash makes words of their own of `=` and `:`: what stands on both sides of
//! one is a single argument.

use super::{Values, Words, function, taking, verbs};

/// A pattern of `case` that matches these words alone; of none, nothing that is ever asked.
fn pattern(words: &[&str]) -> String {
    if words.is_empty() { "'|'".to_owned() } else { words.join("|") }
}

/// `values` as the right side of an assignment, where there is something to offer.
fn assigned(values: &Values) -> Option<String> {
    match values {
        Values::Words(words) => Some(format!("'{}'", words.join(" "))),
        Values::Listed(command) => Some(format!("$({command})")),
        Values::Any => None,
    }
}

/// The branches for the value of an option.
fn of_values(taking: &[(&str, &Values)]) -> String {
    let branch = |(option, values): &(&str, &Values)| {
        assigned(values).map(|right| format!("  {option}) offered={right}; return;;\n"))
    };
    taking.iter().filter_map(branch).collect()
}

/// The branches for the options and arguments of a place: `verb:word`.
fn of_place(place: &Words) -> String {
    let verb = &place.verb;
    let options: Vec<&str> = place.options.iter().map(|choice| choice.long.as_str()).collect();
    let names: Vec<&str> = place.verbs.iter().map(|(name, _)| name.as_str()).collect();
    let listed = assigned(&place.first).unwrap_or_default();
    let offered = match (names.is_empty(), listed.is_empty()) {
        (true, true) => String::new(),
        (true, false) => listed,
        (false, true) => format!("'{}'", names.join(" ")),
        (false, false) => format!("'{} '{listed}", names.join(" ")),
    };
    let once = if place.all { "" } else { "[ \"$count\" -gt 0 ] || " };
    let arguments = if offered.is_empty() { "''".to_owned() } else { offered };
    format!("  '{verb}':-*) offered='{}';;\n  '{verb}':*) {once}offered={arguments};;\n", options.join(" "))
}

fn offer(tool: &str, places: &[Words]) -> String {
    let taking = taking(places);
    let options: Vec<&str> = taking.iter().map(|(option, _)| *option).collect();
    format!(
        "{name}_offer() {{\n  local cur=$1 want= verb= count=0 word\n  shift\n  for word do\n    \
         case $word in '='|':') want=${{want:-$word}}; continue;; esac\n    \
         if [ -n \"$want\" ]; then want=; continue; fi\n    case $word in\n    --) return;;\n    \
         {options}) want=$word;;\n    -*) ;;\n    \
         {verbs}) if [ -z \"$verb\" ] && [ \"$count\" = 0 ]; then verb=$word; else count=$((count + 1)); fi;;\n    \
         *) count=$((count + 1));;\n    esac\n  done\n  case $want in\n  '') ;;\n{values}  *) return;;\n  esac\n  \
         case $verb:$cur in\n{places}  esac\n}}\n",
        name = function(tool),
        options = pattern(&options),
        verbs = pattern(&verbs(places)),
        values = of_values(&taking),
        places = places.iter().map(of_place).collect::<String>(),
    )
}

pub(super) fn bash(tool: &str, places: &[Words]) -> String {
    format!(
        "# bash completion for {tool}: source it, or keep it in bash-completion's completions/{tool}\n{offer}\
         {name}() {{\n  local cur=${{COMP_WORDS[COMP_CWORD]}} offered= before=(\"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\")\n  \
         case $cur in '='|':') before+=(\"$cur\"); cur=;; esac\n  \
         {name}_offer \"$cur\" \"${{before[@]}}\"\n  \
         mapfile -t COMPREPLY < <(compgen -W \"$offered\" -- \"$cur\")\n}}\n\
         complete -o default -F {name} {tool}\n",
        offer = offer(tool, places),
        name = function(tool),
    )
}

/// The file that a folder of `$fpath` holds is the body of the function `_TOOL`, so that it must also complete, the first
/// time that it is read.
pub(super) fn zsh(tool: &str, places: &[Words]) -> String {
    format!(
        "#compdef {tool}\n# zsh completion for {tool}: keep it as _{tool} in a folder of $fpath\n{offer}\
         {name}() {{\n  local cur=$PREFIX offered=\n  local -a before\n  \
         before=(\"${{(@)words[2,CURRENT-1]}}\")\n  \
         case $cur in --*=*) before+=(\"${{cur%%=*}}\"); cur=${{cur#*=}}; compset -P '*=';; esac\n  \
         {name}_offer \"$cur\" \"${{before[@]}}\"\n  \
         [[ -n $offered ]] && compadd -- ${{=offered}} && return\n  _default\n}}\n\
         if [[ $funcstack[1] = _{tool} ]]; then {name} \"$@\"; else compdef {name} {tool}; fi\n",
        offer = offer(tool, places),
        name = function(tool),
    )
}
