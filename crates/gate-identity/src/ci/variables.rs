//! Environment variables, read with suspicion.

use std::cell::RefCell;

use gate_model::context::Run;
use gate_model::principal::Principal;
use gate_model::repository::remote_name;
use gate_model::text::{MAX_TEXT, unfit_in_name};

/// The environment of a run. Remembers what it refused.
pub(super) struct Variables<'a> {
    env: &'a dyn Fn(&str) -> Option<String>,
    refused: RefCell<Vec<String>>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(env: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { env, refused: RefCell::default() }
    }

    /// The value of `name`, unless it is unset, empty, or refused.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = (self.env)(name).filter(|value| !value.trim().is_empty())?;
        let problem = if value.len() > MAX_TEXT {
            format!("is longer than {MAX_TEXT} bytes")
        } else if value.chars().any(char::is_control) {
            "holds a control character".to_owned()
        } else {
            return Some(value);
        };
        self.refuse(name, &problem);
        None
    }

    fn refuse(&self, name: &str, problem: &str) {
        let sentence = format!("the variable {name} {problem}, so nothing it says is used");
        let mut refused = self.refused.borrow_mut();
        if !refused.contains(&sentence) {
            refused.push(sentence);
        }
    }

    /// The first of several variables that has a value.
    pub(super) fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name))
    }

    /// Whether a marker says yes: `true` in any case (Azure writes `True`), or `1`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// An object id, full or abbreviated; `HEAD`, which Buildkite may write, is none.
    pub(super) fn commit(&self, name: &str) -> Option<String> {
        let id = self.get(name)?.to_ascii_lowercase();
        let plausible = (7..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
        plausible.then_some(id)
    }

    /// A repository's name from a variable that holds its url.
    pub(super) fn repository(&self, name: &str) -> Option<String> {
        remote_name(&self.get(name)?)
    }

    /// Somebody as the provider knows him, from the first of several variables.
    pub(super) fn actor(&self, via: &str, names: &[&str]) -> Option<Principal> {
        self.person(via, names, &[])
    }

    /// The same, unless the name is one of `services`, which is nobody's.
    pub(super) fn person(&self, via: &str, names: &[&str], services: &[&str]) -> Option<Principal> {
        let (variable, name) = names.iter().find_map(|name| Some((*name, self.get(name)?)))?;
        let name = name.trim();
        if let Some(c) = unfit_in_name(name) {
            self.refuse(variable, &format!("holds U+{:04X}, which may not stand in a name", u32::from(c)));
            return None;
        }
        (!services.contains(&name)).then(|| Principal::asserted(via, name))
    }

    /// What was refused, as sentences.
    pub(super) fn refused(self) -> Vec<String> {
        self.refused.into_inner()
    }
}

/// A run with its page; a url with a user name or password in it, or of another scheme, is left out.
pub(super) fn run(id: String, url: Option<String>) -> Run {
    Run { id, attempt: None, url: url.filter(|url| is_page(url)) }
}

fn is_page(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.and_then(|rest| rest.split('/').next()).is_some_and(|host| !host.is_empty() && !host.contains('@'))
}
