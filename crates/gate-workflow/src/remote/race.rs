//! Losing a race, and trying again: bounded, and not all at the same moment.

use std::time::{Duration, Instant};

use super::RemoteProblem;

/// The first pause is drawn from up to this long, each further one from up to twice as long.
const FIRST: Duration = Duration::from_millis(50);
/// No pause is drawn from more.
const LONGEST: Duration = Duration::from_secs(4);

/// A race that may be lost again and again, but not for ever.
pub(super) struct Race {
    begun: Instant,
    wait: Duration,
    span: Duration,
    lost: u32,
}

impl Race {
    pub(super) fn start(wait: Duration) -> Self {
        Self { begun: Instant::now(), wait, span: FIRST, lost: 0 }
    }

    /// Whether it was lost at all.
    pub(super) const fn was_lost(&self) -> bool {
        self.lost > 0
    }

    /// Pauses for a random part of a span that doubles ("full jitter": whoever lost at the same moment as others does
    /// not come back at the same moment). Nobody pauses the first time: a remote may keep the others waiting until whoever
    /// lost has judged again, and whoever pauses then has all of them pause.
    ///
    /// # Errors
    /// [`RemoteProblem::Races`] when the time is over.
    pub(super) fn lost(&mut self) -> Result<(), RemoteProblem> {
        self.lost += 1;
        let pause = if self.lost == 1 { Duration::ZERO } else { jittered(self.span) };
        if self.begun.elapsed() + pause >= self.wait {
            return Err(RemoteProblem::Races { lost: self.lost, wait: self.wait });
        }
        std::thread::sleep(pause);
        if self.lost > 1 {
            self.span = (self.span * 2).min(LONGEST);
        }
        Ok(())
    }
}

/// A random part of `span`; all of it where the system has no random bytes, which is only less polite.
pub(crate) fn jittered(span: Duration) -> Duration {
    let mut bytes = [0_u8; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => span.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)),
        Err(_) => span,
    }
}

/// 128 random bits in hexadecimal, by which a writer knows its own entry again.
///
/// # Errors
/// [`RemoteProblem::Random`].
pub(crate) fn mark() -> Result<String, RemoteProblem> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| RemoteProblem::Random(error.to_string()))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
