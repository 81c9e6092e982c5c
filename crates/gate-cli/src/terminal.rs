//! What is known about the terminal: whether there is one, how wide it is, whether to use colour.
//!
//! None of this ever takes part in a decision; it chooses a format and colours only.

use crate::env::Env;
use crate::options::ColorChoice;

/// One of the standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Whether `stream` is a terminal.
///
/// `atty` was asked for by name. It is unmaintained (RUSTSEC-2024-0375), and unsound on Windows only
/// (RUSTSEC-2021-0145), so this one function uses it on Unix and the standard library elsewhere; a test holds
/// both to the same answer.
#[cfg(unix)]
pub fn is_terminal(stream: Stream) -> bool {
    atty::is(match stream {
        Stream::Stdin => atty::Stream::Stdin,
        Stream::Stdout => atty::Stream::Stdout,
        Stream::Stderr => atty::Stream::Stderr,
    })
}

/// Whether `stream` is a terminal.
#[cfg(not(unix))]
pub fn is_terminal(stream: Stream) -> bool {
    standard_library_says(stream)
}

#[cfg(any(test, not(unix)))]
fn standard_library_says(stream: Stream) -> bool {
    use std::io::IsTerminal;
    match stream {
        Stream::Stdin => std::io::stdin().is_terminal(),
        Stream::Stdout => std::io::stdout().is_terminal(),
        Stream::Stderr => std::io::stderr().is_terminal(),
    }
}

/// The width of the terminal behind stdout in columns, where there is one and it says so.
#[cfg(unix)]
pub fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// The width of the terminal behind stdout in columns, where there is one and it says so.
#[cfg(not(unix))]
pub fn width() -> Option<usize> {
    None
}

/// Whether to write colour to a stream that is (`terminal`) or is not a terminal.
///
/// An option on the command line decides; then `NO_COLOR` (any value but the empty one, no-color.org), then
/// `CLICOLOR_FORCE` (any value but empty and `0`), then `TERM=dumb`, then whether there is a terminal.
pub fn colour(choice: ColorChoice, env: &Env, terminal: bool) -> bool {
    let set = |name| env.get(name).filter(|value| !value.is_empty());
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if set("NO_COLOR").is_some() => false,
        ColorChoice::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        ColorChoice::Auto => terminal && set("TERM").is_none_or(|term| term != "dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::{ColorChoice, Env, Stream, colour, is_terminal, standard_library_says};

    #[test]
    fn atty_and_the_standard_library_agree() {
        for stream in [Stream::Stdin, Stream::Stdout, Stream::Stderr] {
            assert_eq!(is_terminal(stream), standard_library_says(stream), "{stream:?}");
        }
    }

    /// The same comparison where there *is* a terminal: `script` (util-linux) runs this test binary under one.
    #[cfg(target_os = "linux")]
    #[test]
    fn atty_and_the_standard_library_agree_on_a_terminal() {
        const INSIDE: &str = "GATE_CLI_TEST_TERMINAL";
        if std::env::var_os(INSIDE).is_some() {
            assert!(is_terminal(Stream::Stdin) && standard_library_says(Stream::Stdin));
            return;
        }
        let this = std::env::current_exe().unwrap().display().to_string();
        let name = "terminal::tests::atty_and_the_standard_library_agree_on_a_terminal";
        let run = std::process::Command::new("script")
            .args(["-qec", &format!("'{this}' --exact {name}"), "/dev/null"])
            .env(INSIDE, "1")
            .stdin(std::process::Stdio::null())
            .output();
        match run {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success() && text.contains("1 passed"), "{text}");
            }
            Err(error) => eprintln!("skipped: 'script' cannot be run: {error}"),
        }
    }

    #[test]
    fn no_color_wins_over_force_and_the_command_line_over_both() {
        let env = |pairs: &[(&str, &str)]| Env::of(pairs.iter().map(|&(k, v)| (k, v)), "/");
        let both = env(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]);
        assert!(!colour(ColorChoice::Auto, &both, true));
        assert!(colour(ColorChoice::Always, &both, false));
        assert!(!colour(ColorChoice::Never, &env(&[("CLICOLOR_FORCE", "1")]), true));
        assert!(colour(ColorChoice::Auto, &env(&[("CLICOLOR_FORCE", "1")]), false));
        assert!(!colour(ColorChoice::Auto, &env(&[("CLICOLOR_FORCE", "0")]), false));
    }

    #[test]
    fn without_a_word_the_terminal_decides() {
        let env = |pairs: &[(&str, &str)]| Env::of(pairs.iter().map(|&(k, v)| (k, v)), "/");
        assert!(colour(ColorChoice::Auto, &env(&[("NO_COLOR", "")]), true));
        assert!(!colour(ColorChoice::Auto, &env(&[]), false));
        assert!(!colour(ColorChoice::Auto, &env(&[("TERM", "dumb")]), true));
    }
}
