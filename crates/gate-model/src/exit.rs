//! Exit codes: a public contract of the tools, and the same for all of them.
//!
//! A "no" never shares a code with a malfunction, so that shell scripts can tell `denied` (1) from
//! `nothing was decided` (2, 4, 5). Run mode of `gate-check` is the one exception: there a command's
//! own status passes through, and our 2, 4 and 5 become [`Exit::RunFailed`], as in timeout(1).

use std::ops::Range;

/// How a tool ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: proceed. Passed, skipped, overridden, or all blocking findings waived; granted; verified.
    Proceed,
    /// 1: a negative verdict. Blocked; denied; verification found a bad entry.
    Negative,
    /// 2: a usage, policy or input error. Nothing was decided.
    Usage,
    /// 3: the request needs an approval.
    Pending,
    /// 4: the ledger cannot be read as one or cannot be trusted.
    Distrust,
    /// 5: an I/O or store failure.
    Failure,
    /// 75: held, the gate is paused (`EX_TEMPFAIL` of sysexits.h).
    Held,
    /// Run mode: our own 2, 4 or 5.
    RunFailed,
    /// Run mode: the status of the command, 126 and 127 as env(1) has them, 128+n for a signal.
    Command(u8),
}

impl Exit {
    /// The number that the process exits with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Proceed => 0,
            Self::Negative => 1,
            Self::Usage => 2,
            Self::Pending => 3,
            Self::Distrust => 4,
            Self::Failure => 5,
            Self::Held => 75,
            Self::RunFailed => 125,
            Self::Command(status) => status,
        }
    }

    /// The same end as run mode reports it: a malfunction of ours must not look like a command's.
    #[must_use]
    pub const fn in_run_mode(self) -> Self {
        match self {
            Self::Usage | Self::Distrust | Self::Failure => Self::RunFailed,
            other => other,
        }
    }
}

/// An error with which a tool ends. Its text is the problem in one line, and on the lines after it the remedy.
pub trait Ends: std::fmt::Display {
    /// How the tool ends.
    fn exit(&self) -> Exit;

    /// What is wrong with a text that a person wrote, place by place, where the error is about one.
    fn faults(&self) -> Option<Faults> {
        None
    }
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// The file, as messages name it.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Each fault: the bytes it is about, what is wrong, and how to mend it.
    pub places: Vec<(Range<usize>, String, Option<String>)>,
}

/// Why a command that ended with `status` did not run to its end, whoever asks: the one list of such statuses, for the
/// policy (which may not call one of them complete), for the run, and for judging a recorded run again.
///
/// They are those of timeout(1) and env(1), and of a shell for a program that a signal ended (128 and the signal; Linux
/// has 64 of them).
pub const fn cut_off(status: u8) -> Option<&'static str> {
    match status {
        124 => Some("the command ran out of time (status 124)"),
        125 => Some("what should have run the command failed itself (status 125)"),
        126 => Some("the command could not be executed (status 126)"),
        127 => Some("the command was not found (status 127)"),
        129..=192 => Some("a signal ended what the command ran (status above 128)"),
        _ => None,
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, cut_off};

    #[test]
    fn codes_are_the_documented_ones() {
        let all = [
            (Exit::Proceed, 0),
            (Exit::Negative, 1),
            (Exit::Usage, 2),
            (Exit::Pending, 3),
            (Exit::Distrust, 4),
            (Exit::Failure, 5),
            (Exit::Held, 75),
            (Exit::RunFailed, 125),
            (Exit::Command(130), 130),
        ];
        for (exit, code) in all {
            assert_eq!(exit.code(), code, "{exit:?}");
        }
    }

    #[test]
    fn a_malfunction_in_run_mode_is_125_and_a_verdict_stays() {
        for exit in [Exit::Usage, Exit::Distrust, Exit::Failure] {
            assert_eq!(exit.in_run_mode().code(), 125);
        }
        assert_eq!(Exit::Held.in_run_mode().code(), 75);
        assert_eq!(Exit::Negative.in_run_mode().code(), 1);
    }

    #[test]
    fn a_status_of_timeout_env_or_a_signal_is_of_a_command_that_did_not_come_to_its_end() {
        for status in [124, 125, 126, 127, 129, 137, 143, 159, 160, 192] {
            assert!(cut_off(status).is_some(), "{status}");
        }
        for status in [0, 1, 2, 75, 100, 123, 128, 193, 255] {
            assert!(cut_off(status).is_none(), "{status}");
        }
    }
}
