//! The one `main` behind the four binaries: real streams, environment and clock go in, an exit code comes out.
//!
//! Invariants: whatever goes wrong on the way (a panic, a clock or directory that cannot be read, a full disk
//! behind stdout) ends with a message and exit 5, or 125 in run mode, and so never with 0. A reader that went
//! away does not change the exit.

mod panic;
mod stdout;

use std::ffi::OsString;
use std::process::ExitCode;

use gate_model::exit::Exit;

use crate::clock::{Clock, SystemClock};
use crate::env::Env;
use crate::io::Io;
use crate::message::Failure;
use crate::terminal::{Stream, is_terminal};
use stdout::Stdout;

/// Runs a tool. `args` are the arguments after the program's name.
///
/// ```no_run
/// use gate_model::exit::Exit;
/// fn main() -> std::process::ExitCode {
///     gate_cli::main::main("gate-log", |_args, io, _env, clock| {
///         io.show(&format!("{}\n", clock()));
///         Exit::Proceed
///     })
/// }
/// ```
pub fn main(
    tool: &'static str,
    run: impl FnOnce(&[OsString], &mut Io<'_>, &Env, Clock<'_>) -> Exit,
) -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let run_mode = is_run_mode(tool, &args);
    let as_shown = |exit: Exit| if run_mode { exit.in_run_mode() } else { exit };
    panic::report_and_exit(tool, as_shown(Exit::Failure));
    let mut stdout = Stdout::new(std::io::stdout());
    let exit = with_streams(&mut stdout, |io| match surroundings(tool) {
        Ok((env, clock)) => run(&args, io, &env, &|| clock.now()),
        Err(failure) => io.fail(&failure),
    });
    as_shown(settle(tool, stdout, exit)).into()
}

/// Whether `args` ask `gate-check` to run a command. Then a malfunction of ours is 125, since 2, 4 and 5
/// could be the command's own status.
pub fn is_run_mode(tool: &str, args: &[OsString]) -> bool {
    let Some(end) = args.iter().position(|arg| arg == "--") else { return false };
    let runs_nothing = |arg: &OsString| {
        let text = arg.to_string_lossy();
        text == "--plan" || text.starts_with("--plan=") || text == "--list"
    };
    tool == "gate-check" && !args.iter().take(end).any(runs_nothing)
}

fn surroundings(tool: &'static str) -> Result<(Env, SystemClock), Failure> {
    let env = Env::of_process().map_err(|error| {
        Failure::new(tool, Exit::Failure, format!("cannot tell the working directory: {error}"))
            .with_remedy("change to a directory that exists and that you may enter")
    })?;
    if let Some(name) = env.empty_variable() {
        return Err(Failure::new(tool, Exit::Usage, format!("the variable {name} is set, and empty"))
            .with_remedy("give it a value, or unset it"));
    }
    let clock = SystemClock::start().ok_or_else(|| {
        Failure::new(tool, Exit::Failure, "the clock shows a year outside 1 to 9999")
            .with_remedy("set the system's clock")
    })?;
    Ok((env, clock))
}

fn with_streams(stdout: &mut Stdout<std::io::Stdout>, run: impl FnOnce(&mut Io<'_>) -> Exit) -> Exit {
    let mut io = Io {
        stdin: &mut std::io::stdin(),
        stdout,
        stderr: &mut std::io::stderr(),
        stdin_terminal: is_terminal(Stream::Stdin),
        stdout_terminal: is_terminal(Stream::Stdout),
        stderr_terminal: is_terminal(Stream::Stderr),
    };
    run(&mut io)
}

/// The exit once all of stdout is delivered: data that did not arrive must not look like success.
fn settle(tool: &'static str, stdout: Stdout<std::io::Stdout>, exit: Exit) -> Exit {
    let Err(error) = stdout.finish() else { return exit };
    let failure = Failure::new(tool, Exit::Failure, format!("cannot write to standard output: {error}"))
        .with_remedy("the result is incomplete; make room or write it elsewhere, then run again");
    match std::io::Write::write_all(&mut std::io::stderr(), failure.render().as_bytes()) {
        // Nobody can be told where stderr is closed too; the exit code says it.
        Ok(()) | Err(_) => failure.exit,
    }
}

#[cfg(test)]
mod tests {
    use super::is_run_mode;

    #[test]
    fn a_command_after_two_dashes_is_run_mode_for_gate_check_alone() {
        let mode = |tool: &str, line: &str| {
            is_run_mode(tool, &line.split(' ').map(std::ffi::OsString::from).collect::<Vec<_>>())
        };
        assert!(mode("gate-check", "lint -- true"));
        assert!(mode("gate-check", "lint -- tool --plan"));
        assert!(mode("gate-check", "--nonsense lint --"));
        assert!(!mode("gate-check", "lint --plan -- true"));
        assert!(!mode("gate-check", "lint --plan=x.sarif -- true"));
        assert!(!mode("gate-check", "lint scan.sarif"));
        assert!(!mode("gate-skip", "lint -- true"));
    }
}
