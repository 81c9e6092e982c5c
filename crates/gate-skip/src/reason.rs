//! The reason of what somebody asks for or does: as it was given, or as they write it with their editor.
//!
//! An editor is only opened for somebody who sits in front of it: standard input, output and error are a terminal. Whoever
//! leaves it empty has changed their mind.

use gate_checkout::editor;
use gate_cli::escape::inert;
use gate_cli::{Env, Io};
use gate_model::text;

use gate_cli::Stop;

/// What a reason is written with.
#[derive(Debug)]
pub(crate) struct Pen {
    /// The editor; nothing where nobody is there to use one.
    editor: Option<String>,
}

impl Pen {
    /// The pen of whoever sits here.
    pub(crate) fn of(env: &Env, io: &Io<'_>) -> Self {
        let named = || ["VISUAL", "EDITOR"].into_iter().filter_map(|name| env.get(name));
        let somebody = io.stdin_terminal && io.stdout_terminal && io.stderr_terminal;
        let editor = somebody.then(|| named().find(|editor| !editor.trim().is_empty())).flatten();
        Self { editor }
    }

    /// The reason that was `given`; else what is written below which stands what it is `about`.
    ///
    /// # Errors
    /// A [`Stop`] where there is none, or one that cannot be recorded.
    pub(crate) fn reason(
        &self,
        given: Option<&str>,
        about: impl FnOnce() -> Result<String, Stop>,
    ) -> Result<String, Stop> {
        let reason = match (given, &self.editor) {
            (Some(given), _) => given.to_owned(),
            (None, Some(editor)) => written(editor, &about()?)?,
            (None, None) => {
                let text = "--reason is missing\nsay why, in a sentence; on a terminal $VISUAL or $EDITOR is opened for it";
                return Err(Stop::usage(text));
            }
        };
        check(&reason)?;
        Ok(reason)
    }
}

fn written(editor: &str, about: &str) -> Result<String, Stop> {
    let about: String = about.lines().map(|line| inert(line) + "\n").collect();
    let help = "Say why, above: it is recorded for good, so no secrets. Lines that begin with # are left out, and\n\
                without a word nothing is asked for.\n\n";
    let text = editor::write(editor, &format!("{help}{about}"))
        .map_err(|error| Stop::usage(format!("{error}\ngive the reason with --reason")))?;
    if text.is_empty() {
        return Err(Stop::usage("no reason was written: nothing was asked for or recorded"));
    }
    Ok(text)
}

/// Whether a reason can be recorded.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn check(reason: &str) -> Result<(), Stop> {
    text::check(reason).map_err(|error| {
        Stop::usage(format!("the reason cannot be recorded: {error}\nwrite it as plain text"))
    })
}
