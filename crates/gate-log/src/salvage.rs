//! `export --salvage`: what is left of a damaged ledger, as an export, and what is not, by name.
//!
//! It opens the ledger's file as bytes only, so that it works where every other verb refuses the ledger, and
//! never changes it. The lines are those of an export; gate-verify reads them and names the first gap.

use std::ops::ControlFlow;

use gate_cli::Io;
use gate_cli::io::Reader;
use gate_cli::{message, render};
use gate_ledger::entry::{EntryHash, write_line};
use gate_ledger::salvage::{self, Loss, Salvage};

use crate::run::TOOL;
use crate::session::{Found, Log};
use gate_cli::Stop;
use gate_model::exit::Exit;

/// After so many bytes they are handed over, and somebody is asked whether they still read.
const DELIVER_EVERY: usize = 1 << 20;

/// Writes every entry that can be saved.
///
/// # Errors
/// A [`Stop`], with exit 1 once everything that is left was written, if something is not.
pub(crate) fn salvage(log: &Log<'_>, io: &mut Io<'_>) -> Result<(), Stop> {
    let found = log.find()?;
    let (mut lines, mut gone) = (Vec::new(), false);
    let take = &mut |body: &[u8], hash: EntryHash| {
        write_line(&mut lines, body, hash);
        lines.push(b'\n');
        if lines.len() > DELIVER_EVERY {
            gone = hand_over(&mut lines, io);
        }
        if gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let salvage = salvage::salvage(&found.path()?, pinned(&found), take)?;
    if gone || hand_over(&mut lines, io) {
        // Whoever stopped reading has what they wanted; what was lost behind that is not known.
        return Ok(());
    }
    tell(&salvage, io);
    let summary = summary(&salvage);
    if salvage.is_whole() {
        summary.lines().for_each(|line| log.session.summary(io, line));
        Ok(())
    } else {
        Err(Stop::new(Exit::Negative, summary))
    }
}

/// Writes the lines; says whether nobody reads any more.
fn hand_over(lines: &mut Vec<u8>, io: &mut Io<'_>) -> bool {
    let gone = io.stdout.write_all(lines).is_err() || io.deliver() == Reader::Gone;
    lines.clear();
    gone
}

/// The genesis that the policy pins; its form was checked when the policy was read.
fn pinned(found: &Found<'_>) -> Option<EntryHash> {
    found.policy()?.ledger.genesis.as_ref()?.parse().ok()
}

/// Names what is lost, and what was found elsewhere than it should be.
fn tell(salvage: &Salvage, io: &mut Io<'_>) {
    let mut say = |text: &str| io.tell(&message::line(TOOL, text));
    for loss in &salvage.lost {
        say(&format!("{} lost: {}", places(loss), loss.why));
    }
    for mended in &salvage.mended {
        say(&format!("{} saved from a copy elsewhere in the file: {}", places(mended), mended.why));
    }
    if salvage.log.header || salvage.log.frames > 0 {
        let frames = salvage.log.frames;
        say(&format!("the write-ahead log is damaged ({frames} bad frames); what is intact in it was read"));
    }
    if salvage.log.is_open {
        let after = salvage.last;
        say(&format!(
            "the write-ahead log ends with a damaged or unfinished part: entries after {after} may be lost"
        ));
    }
    if let Some((page, pages)) = salvage.cut {
        let after = salvage.last;
        say(&format!("the file ends before page {page} of {pages}: entries after {after} may be lost"));
    }
    if salvage.foreign > 0 {
        let foreign = render::count(salvage.foreign, "entry");
        say(&format!("of other ledgers the file holds {foreign}, which were left out"));
    }
    if salvage.changed {
        say("the file was written to meanwhile; let its writers end and try again");
    }
}

fn places(loss: &Loss) -> String {
    match (loss.first, loss.last) {
        (first, last) if first == last => format!("entry {first} is"),
        (first, last) => format!("entries {first} to {last} are"),
    }
}

fn summary(salvage: &Salvage) -> String {
    let Salvage { entries, last, ledger, loose, .. } = salvage;
    let mut text =
        format!("saved {} of ledger {ledger}, up to entry {last}", render::count(*entries, "entry"));
    if *loose > 0 {
        text += &format!(", {loose} of them from space that its table does not lead to");
    }
    if salvage.archived > 0 {
        text += &format!("; the archive has {}", render::count(salvage.archived, "entry"));
    }
    if !salvage.lost.is_empty() {
        // A position is at most 2^53, so that the sum of any of them is one of a few more bits.
        let lost: u64 = salvage.lost.iter().map(|loss| loss.last - loss.first + 1).sum();
        text += &format!("; {lost} are lost");
    }
    text + "\ncheck what was saved with gate-verify: it follows the chain and names the first gap"
}
