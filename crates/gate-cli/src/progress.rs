//! A bar on a terminal's standard error, for reading a ledger where that takes more than a second.
//!
//! Only the tools that read whole ledgers have it (the feature `progress`).

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Before this nothing is drawn.
const PATIENCE: Duration = Duration::from_secs(1);

/// The bar, once there is one.
#[derive(Debug)]
pub struct Progress {
    wanted: bool,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar that is drawn only if it is `wanted`.
    pub fn new(wanted: bool) -> Self {
        Self { wanted, begun: Instant::now(), bar: None }
    }

    /// How far it is: `done` entries, of `total` where that is known.
    pub fn show(&mut self, done: u64, total: Option<u64>) {
        if !self.wanted || self.begun.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| total.map_or_else(counter, bar));
        bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} entries, {eta} left");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn counter() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {human_pos} entries");
    ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}
