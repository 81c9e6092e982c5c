//! A text that somebody writes with their editor, as git has commit messages written.

use std::io::Write as _;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::signal::{SIGINT, SIGQUIT};
use signal_hook::flag::register_conditional_default;

/// The longest text that is read back, in bytes: far more than a reason may have, with its comments.
const LONGEST: u64 = 1 << 20;

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// The file for the text.
    #[error("cannot exchange a file with the editor: {0}")]
    File(#[from] std::io::Error),
    /// The editor did not start, or did not end well.
    #[error("the editor '{0}' did not end well ({1})")]
    Failed(String, ExitStatus),
    /// What it wrote is too long, or no text.
    #[error("the editor left no text that can be read")]
    NoText,
}

/// What somebody writes with `editor` (a command line of the shell, as `$EDITOR` holds it). They see `comments` below, and
/// lines that begin with `#` are none of the text. It is trimmed and may be empty.
///
/// # Errors
/// An [`EditorError`]; nothing is left behind.
pub fn write(editor: &str, comments: &str) -> Result<String, EditorError> {
    let mut file = tempfile::Builder::new().prefix("gate-reason-").suffix(".txt").tempfile()?;
    let comments: String =
        comments.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect();
    file.write_all(format!("\n{comments}").as_bytes())?;
    file.flush()?;
    // As git does: the variable may hold options, and the path is an argument of its own.
    // The shell has to outlive a Ctrl-C as we do; what it traps is no trap of the editor's.
    let line = format!("trap : INT QUIT\n{editor} \"$@\"");
    let keys_are_ours = keys()?;
    keys_are_ours.store(false, Ordering::SeqCst);
    let status = Command::new("sh").args(["-c", &line, "sh"]).arg(file.path()).status();
    keys_are_ours.store(true, Ordering::SeqCst);
    let status = status?;
    if !status.success() {
        return Err(EditorError::Failed(editor.to_owned(), status));
    }
    // An editor may have put another file in its place.
    if std::fs::metadata(file.path())?.len() > LONGEST {
        return Err(EditorError::NoText);
    }
    let text = String::from_utf8(std::fs::read(file.path())?).map_err(|_| EditorError::NoText)?;
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    Ok(kept.join("\n").trim().to_owned())
}

/// Whether Ctrl-C and Ctrl-\\ end this process. While they are the editor's, as with git, they do not: they reach whoever has
/// the terminal, and we would end while the editor went on beside the shell's prompt. One for the whole process, since
/// what answers a signal cannot be taken back.
fn keys() -> Result<Arc<AtomicBool>, std::io::Error> {
    static OURS: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(ours) = OURS.get() {
        return Ok(Arc::clone(ours));
    }
    let ours = OURS.get_or_init(|| Arc::new(AtomicBool::new(true)));
    for signal in [SIGINT, SIGQUIT] {
        register_conditional_default(signal, Arc::clone(ours))?;
    }
    Ok(Arc::clone(ours))
}

#[cfg(test)]
mod tests {
    use super::{EditorError, write};

    #[test]
    fn what_stands_beside_the_comments_is_the_text() {
        let written = write("sed -i -e '1s/^/why not/' --", "lint: skip\n\nerror B101").unwrap();
        assert_eq!(written, "why not");
        assert_eq!(write("true", "lint: skip").unwrap(), "", "comments alone are no text");
    }

    #[test]
    fn the_comments_are_shown_and_the_file_is_the_editors_last_argument() {
        let checks = "sh -c 'grep -q \"^# error B101\" \"$1\" && echo seen > \"$1\"' sh";
        assert_eq!(write(checks, "error B101").unwrap(), "seen");
    }

    #[test]
    fn an_editor_that_fails_writes_nothing() {
        assert!(matches!(write("false", ""), Err(EditorError::Failed(..))));
        assert!(matches!(write("printf '\\377' >", ""), Err(EditorError::NoText)));
    }
}
