//! fish declares each word with the condition under which it may stand.

use super::{Choice, Values, Words, function, taking, verbs};

/// In the single quotes of fish.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// What `complete -a` is given; `None` for what fish itself offers.
fn offered(values: &Values) -> Option<String> {
    match values {
        Values::Words(words) => Some(quoted(&words.join(" "))),
        Values::Listed(command) => Some(quoted(&format!("({command})"))),
        Values::Any => None,
    }
}

/// `__TOOL_at VERB [first]`: whether the cursor is behind this verb, and no argument stands before it.
fn condition(tool: &str, places: &[Words]) -> String {
    let options: Vec<&str> = taking(places).into_iter().map(|(option, _)| option).collect();
    format!(
        "function _{name}_at\n    set -l want\n    set -l verb ''\n    set -l count 0\n    \
         set -l before (commandline -opc)\n    set -e before[1]\n    for word in $before\n        \
         if test -n \"$want\"\n            set want\n        else if test \"$word\" = --\n            return 1\n        \
         else if contains -- \"$word\" {options}\n            set want $word\n        \
         else if string match -q -- '-*' \"$word\"\n            continue\n        \
         else if test -z \"$verb\" -a \"$count\" = 0; and contains -- \"$word\" {verbs}\n            set verb $word\n        \
         else\n            set count (math $count + 1)\n        end\n    end\n    \
         test \"$verb\" = \"$argv[1]\"; and test \"$argv[2]\" != first -o \"$count\" = 0\nend\n",
        name = function(tool),
        options = options.join(" "),
        verbs = verbs(places).join(" "),
    )
}

fn option(start: &str, choice: &Choice) -> String {
    let value = match choice.takes.as_ref().map(offered) {
        None => String::new(),
        Some(None) => " -r".to_owned(),
        Some(Some(list)) => format!(" -x -a {list}"),
    };
    let short = choice.short.as_ref().map(|short| format!(" -s {}", short.trim_start_matches('-')));
    let long = choice.long.trim_start_matches('-');
    format!("{start}'{} -l {long}{value} -d {}", short.unwrap_or_default(), quoted(&choice.help))
}

fn of_place(tool: &str, place: &Words) -> Vec<String> {
    let verb = if place.verb.is_empty() { "\"\"" } else { &place.verb };
    let start = format!("complete -c {tool} -n '_{}_at {verb}", function(tool));
    let mut lines: Vec<String> = place.options.iter().map(|choice| option(&start, choice)).collect();
    lines.extend(
        place.verbs.iter().map(|(name, help)| format!("{start} first' -a {name} -d {}", quoted(help))),
    );
    let first = if place.all { "" } else { " first" };
    lines.extend(offered(&place.first).map(|list| format!("{start}{first}' -a {list}")));
    lines
}

pub(super) fn script(tool: &str, places: &[Words]) -> String {
    let lines: Vec<String> = places.iter().flat_map(|place| of_place(tool, place)).collect();
    format!(
        "# fish completion for {tool}: keep it as completions/{tool}.fish\n{}{}\n",
        condition(tool, places),
        lines.join("\n")
    )
}
