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

    /// For how long it has been going on.
    pub(super) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Pauses for a random part of a span that doubles, but for the first time: for whoever cannot tell how many others
    /// there are, or loses to a remote that keeps the others waiting until whoever lost has judged again.
    ///
    /// # Errors
    /// [`RemoteProblem::Races`] when the time is over.
    pub(super) fn again(&mut self) -> Result<(), RemoteProblem> {
        let span = if self.lost == 0 { Duration::ZERO } else { self.span };
        if self.lost > 0 {
            self.span = (self.span * 2).min(LONGEST);
        }
        self.lost_to(span)
    }

    /// It was lost: pauses for a random part of `span`.
    ///
    /// # Errors
    /// [`RemoteProblem::Races`] when the time is over.
    pub(super) fn lost_to(&mut self, span: Duration) -> Result<(), RemoteProblem> {
        self.lost += 1;
        if self.begun.elapsed() >= self.wait {
            return Err(RemoteProblem::Races { lost: self.lost, wait: self.wait });
        }
        self.pause(span);
        Ok(())
    }

    /// Pauses for a random part of `span` ("full jitter": those who lost at the same moment do not come back at the same
    /// moment), and for no more than half of the time that is left.
    pub(super) fn pause(&self, span: Duration) {
        let left = self.wait.saturating_sub(self.begun.elapsed());
        std::thread::sleep(jittered(span).min(left / 2));
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
