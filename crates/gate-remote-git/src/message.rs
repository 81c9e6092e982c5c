//! What a commit says: who did what, in words that no host takes for a command.
//!
//! Hosts read commit messages: `@name` tells somebody, `#12` links, `fixes` closes, a line `Key: value` at the end is a
//! trailer. Names come from tokens and keys, so whatever could begin one of these is written as `?`.

use gate_ledger::entry::Entry;
use serde_json::Value;

/// How many entries a message lists.
const LISTED: usize = 20;
/// How much of a name is shown, in characters.
const NAME: usize = 60;

/// The message for `lines`, of which the first is at `first`. CI systems start nothing for it.
pub(crate) fn message(prefix: &str, lines: &[Vec<u8>], nonce: &str) -> String {
    let entries: Vec<Entry> = lines.iter().filter_map(|line| Entry::from_line(line).ok()).collect();
    let seqs = entries.first().zip(entries.last()).map(|(first, last)| (first.seq, last.seq));
    let subject = match (entries.as_slice(), seqs) {
        ([entry], _) => what(entry),
        (_, Some((first, last))) => format!("entries {first} to {last}"),
        (_, None) => "archived entries are dropped".to_owned(),
    };
    let mut text = format!("{}gate: {subject} [skip ci]\n\n", inert(prefix, usize::MAX, true));
    for entry in entries.iter().take(LISTED) {
        text.push_str(&format!("{}\n", what(entry)));
    }
    if entries.len() > LISTED {
        text.push_str(&format!("and {} more\n", entries.len() - LISTED));
    }
    format!("{text}\npush {nonce}\n")
}

/// `42 grant on lint by alice@example.com`
fn what(entry: &Entry) -> String {
    let gate =
        entry.gate.as_deref().map_or_else(String::new, |gate| format!(" on {}", inert(gate, NAME, false)));
    let actor = entry.actor.get("id").or_else(|| entry.actor.get("id_c")).and_then(Value::as_str);
    let actor = actor.map_or_else(String::new, |actor| format!(" by {}", inert(actor, NAME, false)));
    format!("{} {}{gate}{actor}", entry.seq, entry.kind)
}

/// Letters, digits and a few signs; a space only where words are expected, `@` only within a name.
fn inert(text: &str, most: usize, words: bool) -> String {
    let mut before = ' ';
    let mut shown = String::new();
    for c in text.chars().take(most) {
        let plain = c.is_ascii_alphanumeric() || "._-+:/()[]!".contains(c) || (words && c == ' ');
        let within = c == '@' && before.is_ascii_alphanumeric();
        shown.push(if plain || within { c } else { '?' });
        before = c;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{inert, message};

    #[test]
    fn names_cannot_tell_link_close_or_forge_a_line() {
        assert_eq!(inert("alice@example.com", 60, false), "alice@example.com");
        assert_eq!(
            inert("@security fixes #12\nSigned-off-by: x", 60, false),
            "?security?fixes??12?Signed-off-by:?x"
        );
        assert_eq!(inert("\u{202e}x\u{1b}[2J", 60, false), "?x?[2J");
        assert_eq!(inert("chore(gate): ", 60, true), "chore(gate): ");
        assert_eq!(inert(&"x".repeat(99), 60, false).len(), 60);
    }

    #[test]
    fn no_pipeline_starts_for_a_commit_and_no_two_are_the_same() {
        let text = message("ops: ", &[], "00ff");
        assert_eq!(text, "ops: gate: archived entries are dropped [skip ci]\n\n\npush 00ff\n");
    }
}
