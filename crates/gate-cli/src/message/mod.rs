//! What people are told on stderr when something is wrong.
//!
//! The house form is one line that names tool, place and problem in lower case, then the remedy on a line of
//! its own: a terminal wraps lines by itself, and a CI log stays easy to search.
//!
//! ```
//! use gate_cli::message::Failure;
//! use gate_model::exit::Exit;
//! let failure = Failure::new("gate-check", Exit::Usage, "cannot read policy 'gate.toml': it is a directory")
//!     .with_remedy("name a file with --policy");
//! assert_eq!(
//!     failure.render(),
//!     "gate-check: cannot read policy 'gate.toml': it is a directory\n  name a file with --policy\n",
//! );
//! ```

mod excerpt;

use gate_model::exit::Exit;

use crate::escape::inert;

pub use excerpt::{Place, diagnostic};

/// Why a tool stops, and how it exits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The tool that speaks.
    pub tool: &'static str,
    /// What is wrong and where, lower case, as one sentence without a full stop.
    pub problem: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// How the tool ends.
    pub exit: Exit,
}

impl Failure {
    /// A failure without a remedy yet.
    pub fn new(tool: &'static str, exit: Exit, problem: impl Into<String>) -> Self {
        Self { tool, problem: problem.into(), remedy: None, exit }
    }

    /// A failure from an error's text: the first line is the problem, the lines after it the remedy.
    pub fn from_error(tool: &'static str, exit: Exit, text: &str) -> Self {
        match text.split_once('\n') {
            Some((problem, remedy)) => Self::new(tool, exit, problem).with_remedy(remedy.replace('\n', "; ")),
            None => Self::new(tool, exit, text),
        }
    }

    /// The same as a warning: nothing failed.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.problem.insert_str(0, "warning: ");
        self
    }

    /// The same with a remedy.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The lines for stderr, each with its newline. Problem and remedy may quote hostile text.
    pub fn render(&self) -> String {
        let remedy = self.remedy.as_deref().map_or_else(String::new, |text| format!("  {}\n", inert(text)));
        format!("{}{remedy}", line(self.tool, &self.problem))
    }
}

/// One line for stderr: the tool's name and `text`, made inert.
pub fn line(tool: &str, text: &str) -> String {
    format!("{tool}: {}\n", inert(text))
}

/// One line for stderr that warns.
pub fn warning(tool: &str, text: &str) -> String {
    format!("{tool}: warning: {}\n", inert(text))
}

#[cfg(test)]
mod tests {
    use super::{Exit, Failure, warning};

    #[test]
    fn a_file_name_cannot_forge_a_line_or_a_workflow_command() {
        let name = "x\n::error::forged\r\u{1b}[2K##vso[task.complete result=Succeeded]";
        let failure = Failure::new("gate-check", Exit::Usage, format!("cannot read '{name}'"))
            .with_remedy("::set-output name=a::b");
        assert_eq!(
            failure.render(),
            "gate-check: cannot read 'x\\n::error::forged\\r\\u{1b}[2K#\\u{23}vso[task.complete result=Succeeded]'\n  \
             :\\u{3a}set-output name=a::b\n"
        );
    }

    #[test]
    fn what_follows_the_first_line_of_an_error_is_the_remedy() {
        let failure = Failure::from_error("gate-log", Exit::Distrust, "no ledger\nrun init\n::error::x");
        assert_eq!(failure.render(), "gate-log: no ledger\n  run init; :\\u{3a}error::x\n");
        let bare = Failure::from_error("gate-log", Exit::Failure, "no room").as_warning();
        assert_eq!(bare.render(), "gate-log: warning: no room\n");
    }

    #[test]
    fn a_warning_says_so() {
        assert_eq!(warning("gate-log", "the clock went back"), "gate-log: warning: the clock went back\n");
    }
}
