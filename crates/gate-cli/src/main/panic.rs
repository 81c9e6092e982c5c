//! What happens when a defect of ours makes the process panic.

use std::io::Write;
use std::panic::PanicHookInfo;

use gate_model::exit::Exit;

use crate::message::Failure;

/// Makes every panic, in whichever thread, end the process with a message and `exit`.
///
/// With `panic = "abort"` the process would die of SIGABRT, and with unwinding it would end with 101. In run
/// mode a caller takes both for the command's own status. So the hook ends the process itself.
pub(super) fn report_and_exit(tool: &'static str, exit: Exit) {
    std::panic::set_hook(Box::new(move |info| {
        let text = failure(tool, exit, info).render();
        #[allow(clippy::exit, reason = "a panic has no caller left that could return an exit code")]
        match std::io::stderr().write_all(text.as_bytes()) {
            Ok(()) | Err(_) => std::process::exit(i32::from(exit.code())),
        }
    }));
}

fn failure(tool: &'static str, exit: Exit, info: &PanicHookInfo<'_>) -> Failure {
    let place =
        info.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
    let text = info.payload_as_str().unwrap_or("no message");
    Failure::new(tool, exit, format!("internal error{place}: {text}"))
        .with_remedy(format!("this is a defect of {tool}; report it with this message"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    /// The hook ends the process, so the panic happens in another one: this test, run once more by itself.
    #[test]
    fn a_panic_in_any_thread_ends_with_a_message_and_the_exit_for_malfunctions() {
        const INSIDE: &str = "GATE_CLI_TEST_PANIC";
        if std::env::var_os(INSIDE).is_some() {
            super::report_and_exit("gate-check", super::Exit::RunFailed);
            std::thread::spawn(|| panic!("odd\n::error::x")).join().unwrap();
            unreachable!("the hook returned");
        }
        let name =
            "main::panic::tests::a_panic_in_any_thread_ends_with_a_message_and_the_exit_for_malfunctions";
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.args(["--exact", name, "--nocapture"]).env(INSIDE, "1").output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(125), "{text}");
        assert!(text.contains("gate-check: internal error at "), "{text}");
        assert!(text.ends_with(
            ": odd\\n::error::x\n  this is a defect of gate-check; report it with this message\n"
        ));
    }
}
