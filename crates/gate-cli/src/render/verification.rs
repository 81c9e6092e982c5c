//! A verification as a sheet.

use gate_model::verification::{Archived, Begun, Genesis, Replay, Verification, Warning};

use super::sheet::{Sheet, Tone};
use super::words::count;

/// What `verification` says to a person.
pub(super) fn sheet(verification: &Verification) -> Sheet {
    let (title, tone) = if verification.ok { ("ok", Tone::Good) } else { ("not ok", Tone::Bad) };
    let mut sheet = Sheet::new(title, tone);
    if let Some(bad) = &verification.first_bad {
        sheet.fact("first bad", format!("entry {}: {}", bad.seq, bad.reason));
    }
    sheet.fact("good entries", verification.entries.to_string());
    sheet.maybe("ledger", verification.ledger.clone());
    sheet.maybe("head", verification.head.as_ref().map(|head| format!("{} {}", head.seq, head.hash)));
    sheet.fact("genesis", genesis(&verification.genesis));
    sheet.maybe("from", verification.from.as_ref().map(begun));
    sheet.maybe("archived", archived(verification));
    let vouched = anchored(verification);
    sheet.fact("anchored", if vouched == UNANCHORED { "no".to_owned() } else { vouched });
    let witnesses = verification.anchored.iter().flat_map(|anchored| &anchored.witnesses);
    sheet.list("witnessed by", witnesses.map(|one| format!("{} at {}", one.name, one.at)).collect());
    if let Some(replay) = &verification.replay {
        sheet.fact("replay", replayed(replay));
    }
    sheet.list("warnings", verification.warnings.iter().map(warning).collect());
    if let Some(replay) = &verification.replay {
        let row = |seq: u64, reason: &str| vec![seq.to_string(), reason.to_owned()];
        let otherwise = replay.disagreements.iter().map(|entry| row(entry.seq, &entry.reason)).collect();
        sheet.table("should have been another", &["entry", "reason"], otherwise);
        let not_judged = replay.not_judged.iter().map(|entry| row(entry.seq, &entry.reason)).collect();
        sheet.table("not judged", &["entry", "reason"], not_judged);
    }
    sheet
}

fn genesis(genesis: &Genesis) -> String {
    let pinned = if genesis.pinned { "pinned" } else { "unpinned" };
    genesis.hash.as_ref().map_or_else(|| pinned.to_owned(), |hash| format!("{hash} ({pinned})"))
}

/// Where the verification began, in half a sentence.
pub(super) fn begun(from: &Begun) -> String {
    format!("from entry {}, those before it not looked at", from.size)
}

/// What is in an archive, in half a sentence, and whether anybody is known to vouch for it.
pub(super) fn archived(verification: &Verification) -> Option<String> {
    let Archived { entries, before, verified, .. } = verification.archived.as_ref()?;
    let unasked = verification.warnings.iter().any(|warning| warning.code == "archive-unverified");
    let looked_at = match (verified, unasked) {
        (true, _) => "verified too",
        (false, false) => "not looked at",
        (false, true) => "not looked at, whoever says so (no --key)",
    };
    let are = if *entries == 1 { "is" } else { "are" };
    Some(format!("{} before {before} {are} in an archive, {looked_at}", count(*entries, "entry")))
}

/// How much of the ledger a checkpoint vouches for.
pub(super) fn anchored(verification: &Verification) -> String {
    match &verification.anchored {
        Some(anchored) => {
            let text = format!(
                "{} of {} by {}",
                anchored.size,
                count(verification.entries, "entry"),
                anchored.origin
            );
            match anchored.witnesses.len() {
                0 => text,
                1 => text + " and 1 witness",
                more => format!("{text} and {more} witnesses"),
            }
        }
        None => UNANCHORED.to_owned(),
    }
}

/// What is said of a ledger that no checkpoint vouches for.
const UNANCHORED: &str = "unanchored";

/// What judging again found, in half a sentence.
pub(super) fn replayed(replay: &Replay) -> String {
    let verdicts = count(replay.judged, "verdict");
    let some = [
        (replay.disagreements.len() as u64, "should have been another"),
        (replay.not_judged.len() as u64, "could not be judged"),
        (replay.erased, "rested on what was erased"),
    ];
    let told = some.iter().filter(|(number, _)| *number > 0);
    let told: Vec<String> = told.map(|(number, what)| format!("{number} {what}")).collect();
    let found = if told.is_empty() { "each as recorded".to_owned() } else { told.join(", ") };
    format!("{verdicts} judged again: {found}")
}

/// A warning with its code, and with the entries it concerns.
pub(super) fn warning(warning: &Warning) -> String {
    let entries = match (warning.count, warning.seq) {
        (Some(number), Some(seq)) => format!(" ({}, from entry {seq})", count(number, "entry")),
        (Some(number), None) => format!(" ({})", count(number, "entry")),
        (None, Some(seq)) => format!(" (entry {seq})"),
        (None, None) => String::new(),
    };
    if warning.message.is_empty() || warning.message == warning.code {
        format!("{}{entries}", warning.code)
    } else {
        format!("{}: {}{entries}", warning.code, warning.message)
    }
}
