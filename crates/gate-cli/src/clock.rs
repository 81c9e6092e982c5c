//! The clock, passed to whoever needs the time, so that tests can hold it still.
//!
//! The shipped tools have one clock, the operating system's; no option and no variable moves it.

use std::cell::Cell;

use gate_model::time::Timestamp;

/// Tells the time, whenever it is called.
pub type Clock<'a> = &'a dyn Fn() -> Timestamp;

/// The operating system's clock, once it has shown a time that can be written.
pub(crate) struct SystemClock {
    last: Cell<Timestamp>,
}

impl SystemClock {
    /// Reads the clock for the first time; `None` where it stands outside the years 1 to 9999.
    pub(crate) fn start() -> Option<Self> {
        read().map(|now| Self { last: Cell::new(now) })
    }

    /// The time. A clock that left the years 1 to 9999 since the start shows its last good time.
    pub(crate) fn now(&self) -> Timestamp {
        if let Some(now) = read() {
            self.last.set(now);
        }
        self.last.get()
    }
}

fn read() -> Option<Timestamp> {
    // Not Utc::now, which panics where the clock stands before 1970.
    Timestamp::new(std::time::SystemTime::now().into())
}

#[cfg(test)]
mod tests {
    use super::SystemClock;

    #[test]
    fn the_system_clock_shows_a_time_that_does_not_stand_before_its_start() {
        let clock = SystemClock::start().unwrap();
        let first = clock.last.get();
        assert!(clock.now() >= first, "this machine's clock went back between two reads");
    }
}
