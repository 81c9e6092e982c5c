//! What a trailer asks for: its words, read as the command line of gate-skip.

use gate_findings::match_syntax::{self, Match};
use gate_model::action::Action;
use gate_model::level::Level;
use gate_model::payload::Ask;
use gate_model::quote;
use gate_model::request::Ttl;
use gate_model::scope::Scope;
use gate_model::text::{self, visible};
use gate_model::time::{format_duration, parse_duration};

use super::{KEY, TrailerError, words};

/// What a trailer asks for. Its scope is the commit that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The gate.
    pub gate: String,
    /// The way past.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// The ticket.
    pub ticket: Option<String>,
    /// How long, in seconds; what the rule allows where left out.
    pub ttl: Option<u64>,
    /// How many decisions may use it.
    pub uses: Option<u64>,
    /// What a waiver accepts: up to the level `error`, and one finding, where it does not say.
    pub matches: Vec<Match>,
    /// Whether it invokes a break-glass rule.
    pub break_glass: bool,
    /// As whom it is signed, where the key stands for several principals.
    pub by: Option<String>,
}

/// Options that say where an opt-out counts. That of a trailer counts for its commit.
const SCOPE: [&str; 5] = ["--commit", "--change", "--ref", "--environment", "--run"];
/// The most decisions that `--uses` can name, as gate-skip has it.
const MAX_USES: u64 = 1_000_000;

impl Wanted {
    /// Reads the value of a trailer.
    ///
    /// # Errors
    /// A [`TrailerError`].
    pub fn parse(value: &str) -> Result<Self, TrailerError> {
        let mut words = words::split(value)?.into_iter();
        let gate = words.next().filter(|word| !word.starts_with('-')).ok_or(TrailerError::NoGate)?;
        let mut given = Members::default();
        while let Some(word) = words.next() {
            given.take(&word, &mut words)?;
        }
        given.complete(gate)
    }

    /// What it comes to for the commit `id`.
    pub fn ask(&self, id: &str) -> Ask {
        let evidence =
            |wanted: &Match| wanted.evidence(wanted.level.unwrap_or(Level::Error), wanted.count.unwrap_or(1));
        Ask {
            action: self.action,
            reason: self.reason.clone(),
            ticket: self.ticket.clone(),
            scope: Scope { commit: Some(id.to_owned()), ..Scope::default() },
            findings: self.matches.iter().map(evidence).collect(),
            ttl: Ttl::of(self.ttl.unwrap_or(0)),
            max_uses: self.uses,
            break_glass: self.break_glass,
            renews: None,
        }
    }
}

/// The whole trailer, on one line.
impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut argv = vec![self.gate.clone()];
        let mut option = |name: &str, value: Option<String>| match value {
            // Behind a space it would be an option of its own.
            Some(value) if value.starts_with("--") => argv.push(format!("{name}={value}")),
            Some(value) => argv.extend([name.to_owned(), value]),
            None => {}
        };
        option("--reason", Some(self.reason.clone()));
        let plain = !matches!(self.action, Action::Skip | Action::Waive);
        option("--action", plain.then(|| self.action.to_string()));
        for wanted in &self.matches {
            option("--waive", Some(wanted.to_string()));
        }
        option("--ttl", self.ttl.map(format_duration));
        option("--ticket", self.ticket.clone());
        option("--uses", self.uses.map(|uses| uses.to_string()));
        option("--as", self.by.clone());
        argv.extend(self.break_glass.then(|| "--break-glass".to_owned()));
        let words: Vec<String> = argv.iter().map(|word| quote::shell(word)).collect();
        write!(f, "{KEY}: {}", words.join(" "))
    }
}

/// The options as they come.
#[derive(Default)]
struct Members {
    action: Option<Action>,
    reason: Option<String>,
    ticket: Option<String>,
    ttl: Option<u64>,
    uses: Option<u64>,
    matches: Vec<Match>,
    break_glass: bool,
    by: Option<String>,
}

impl Members {
    /// Takes the option `word`, whose value is behind its `=` or the next of `rest`.
    fn take(&mut self, word: &str, rest: &mut impl Iterator<Item = String>) -> Result<(), TrailerError> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (word, None),
        };
        if name == "--break-glass" && value.is_none() {
            self.break_glass = true;
            return Ok(());
        }
        let mut value = || {
            let value = value.clone().or_else(|| rest.next().filter(|next| !next.starts_with("--")));
            value.ok_or_else(|| TrailerError::NoValue(visible(name)))
        };
        match name {
            "--reason" => once(&mut self.reason, name, plain(name, value()?)?),
            "--ticket" => once(&mut self.ticket, name, plain(name, value()?)?),
            "--as" => once(&mut self.by, name, plain(name, value()?)?),
            "--action" => once(&mut self.action, name, action(&value()?)?),
            "--ttl" => once(&mut self.ttl, name, read(name, parse_duration(&value()?))?),
            "--uses" => once(&mut self.uses, name, uses(&value()?)?),
            "--waive" => {
                self.matches.push(read(name, match_syntax::parse(&value()?))?);
                Ok(())
            }
            scope if SCOPE.contains(&scope) => Err(TrailerError::Scope(visible(scope))),
            _ => Err(TrailerError::Unknown(visible(word))),
        }
    }

    fn complete(self, gate: String) -> Result<Wanted, TrailerError> {
        let waives = !self.matches.is_empty();
        let action = match (self.action, waives) {
            (Some(_), true) => return Err(TrailerError::TwoActions),
            (None, true) => Action::Waive,
            (action, false) => action.unwrap_or(Action::Skip),
        };
        Ok(Wanted {
            gate,
            action,
            reason: self.reason.ok_or(TrailerError::NoReason)?,
            ticket: self.ticket,
            ttl: self.ttl,
            uses: self.uses,
            matches: self.matches,
            break_glass: self.break_glass,
            by: self.by,
        })
    }
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), TrailerError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(TrailerError::Twice(name.to_owned())),
    }
}

/// A text that the ledger takes from people.
fn plain(name: &str, value: String) -> Result<String, TrailerError> {
    read(name, text::check(&value))?;
    Ok(value)
}

fn read<T, E: std::fmt::Display>(name: &str, read: Result<T, E>) -> Result<T, TrailerError> {
    let one_line = |error: E| error.to_string().replace('\n', "; ");
    read.map_err(|error| TrailerError::Value { name: name.to_owned(), why: one_line(error) })
}

fn action(word: &str) -> Result<Action, TrailerError> {
    let known = Action::parse(word).filter(|action| *action != Action::Waive);
    read("--action", known.ok_or("it is one of: skip, override, pause"))
}

fn uses(text: &str) -> Result<u64, TrailerError> {
    let number = text.parse().ok().filter(|uses| (1..=MAX_USES).contains(uses));
    read("--uses", number.ok_or("it is a whole number from 1 to 1000000"))
}

#[cfg(test)]
mod tests {
    use super::{Action, Wanted};
    use crate::trailer::TrailerError;
    use proptest::prelude::*;

    fn parse(value: &str) -> Result<Wanted, TrailerError> {
        Wanted::parse(value)
    }

    #[test]
    fn a_trailer_is_the_command_line_of_gate_skip() {
        let wanted = parse("lint --reason 'flaky fixture' --ttl=2h --ticket INC-12 --uses 1").unwrap();
        assert_eq!((wanted.gate.as_str(), wanted.action), ("lint", Action::Skip));
        assert_eq!((wanted.reason.as_str(), wanted.ticket.as_deref()), ("flaky fixture", Some("INC-12")));
        assert_eq!((wanted.ttl, wanted.uses, wanted.break_glass), (Some(7200), Some(1), false));
        let wanted = parse("scan --waive rule=R,path=src/** --waive rule=S,package=p --reason=x").unwrap();
        assert_eq!((wanted.action, wanted.matches.len()), (Action::Waive, 2));
        let wanted =
            parse("prod --break-glass --action override --reason \"it's on fire\" --as a@x").unwrap();
        assert_eq!((wanted.action, wanted.by.as_deref()), (Action::Override, Some("a@x")));
        assert!(wanted.break_glass);
    }

    #[test]
    fn what_is_not_plain_asks_for_nothing() {
        for (value, wrong) in [
            ("", TrailerError::NoGate),
            ("--reason x", TrailerError::NoGate),
            ("lint", TrailerError::NoReason),
            ("lint because it is flaky", TrailerError::Unknown("because".to_owned())),
            ("lint --reason", TrailerError::NoValue("--reason".to_owned())),
            ("lint --reason --ttl 2h", TrailerError::NoValue("--reason".to_owned())),
            ("lint --reason a --reason b", TrailerError::Twice("--reason".to_owned())),
            ("lint --reason a --commit HEAD", TrailerError::Scope("--commit".to_owned())),
            ("lint --reason a --ref=refs/heads/*", TrailerError::Scope("--ref".to_owned())),
            ("lint --reason a --sign", TrailerError::Unknown("--sign".to_owned())),
            ("lint --reason a -- --ttl 2h", TrailerError::Unknown("--".to_owned())),
            ("lint --reason a --action skip --waive rule=R,path=a", TrailerError::TwoActions),
            ("lint --reason don't", TrailerError::Quote('\'')),
        ] {
            assert_eq!(parse(value), Err(wrong), "{value}");
        }
        for value in [
            "lint --reason ''",
            "lint --reason a --ttl 2",
            "lint --reason a --ttl -2h",
            "lint --reason a --uses 0",
            "lint --reason a --action waive",
            "lint --reason a --waive rule=R",
            "lint --reason a --break-glass=no",
        ] {
            assert!(parse(value).is_err(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            reason in "(--)?[!-~é][ -~é]{0,30}", ttl in proptest::option::of(1_u64..100_000), uses in proptest::option::of(1_u64..9),
            break_glass: bool, pick in 0_usize..4,
        ) {
            let matches = if pick == 3 { vec![gate_findings::match_syntax::parse("rule=a%2Cb,path=x y").unwrap()] } else { Vec::new() };
            let action = [Action::Skip, Action::Override, Action::Pause, Action::Waive][pick];
            let (ticket, by) = (uses.map(|uses| format!("T {uses}")), ttl.map(|_| "a@x".to_owned()));
            let wanted = Wanted { gate: "lint".into(), action, reason, ticket, ttl, uses, matches, break_glass, by };
            let line = wanted.to_string();
            prop_assert_eq!(Wanted::parse(line.strip_prefix("Gate-Skip: ").unwrap()), Ok(wanted), "{}", line);
        }
    }
}
