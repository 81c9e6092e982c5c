//! `gate-skip import FILE`: an existing ignore file, asked for as requests that the policy judges.
//!
//! An ignore file names rules for ever; a waiver names findings until a day. So each entry is looked up among what blocks in
//! the gate's newest decision, and asks for just these findings, with the end that the entry has or the rule allows. What
//! it says is a reason and no more: the policy decides, also where a document says that something does not matter.
//!
//! Invariant: all or nothing. An entry that cannot be taken, or that the policy denies, leaves nothing in the ledger.
//! Entries that have ended, and those that fit nothing that blocks, ask for nothing and are named.

mod entry;
mod formats;
mod toml_files;
mod yaml_files;

use gate_cli::Io;
use gate_cli::render::Sheet;
use gate_cli::render::sheet::Tone;
use gate_ledger::store::Access;
use gate_model::action::Action;
use gate_model::finding::Evidence;
use gate_model::grant::{Grant, Status};
use gate_model::payload::Judged;
use gate_model::text;
use gate_model::time::{Timestamp, format_duration};
use gate_workflow::admission::{self, Asking};
use gate_workflow::wish::{self, Wish};
use serde::Serialize;

use crate::args::{ImportArgs, SigningArgs};
use crate::run::Skip;
use crate::{asking, documents};
use gate_cli::Stop;

pub(crate) use entry::Entry;
use entry::Untaken;

/// What comes of importing.
pub(crate) enum Imported {
    /// What would be asked for.
    Plan(Vec<Row>),
    /// The answers.
    Answers(Vec<Grant>),
}

/// What becomes of an entry.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    line: usize,
    entry: String,
    gate: String,
    /// How many findings it would waive.
    findings: u64,
    /// How long it asks for, in seconds; what the rule allows where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u64>,
    reason: String,
    /// Why it asks for nothing, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip)]
    evidence: Vec<Evidence>,
}

/// Reads the file, looks its entries up, and asks for them.
///
/// # Errors
/// A [`Stop`]; then nothing was asked for.
pub(crate) fn import(skip: &Skip<'_>, args: &ImportArgs, io: &mut Io<'_>) -> Result<Imported, Stop> {
    let name = args.file.display().to_string();
    let format = formats::of(&args.file).ok_or_else(|| {
        Stop::usage(format!(
            "'{name}' is no ignore file that is known\n\
             name .trivyignore, .trivyignore.yaml, osv-scanner.toml, .snyk, deny.toml, audit.toml, waivers of InSpec \
             (.yaml), or OpenVEX or a baseline of bandit or semgrep (.json)"
        ))
    })?;
    let bytes = documents::ignore_file(&args.file, skip.cwd, io)?;
    let read = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned());
    let mut found = read.and_then(|text| formats::read(format, &text)).map_err(|reason| {
        let reason = reason.trim_end().replace('\n', "; ");
        Stop::usage(format_args!("cannot read '{name}': {reason}\ngive an ignore file as its tool reads it"))
    })?;
    let gate = gate(skip, args)?;
    let mut blocking = blocking(skip, &gate)?;
    let now = skip.workspace.now();
    let mut rows = Vec::new();
    for entry in &found.entries {
        match row(entry, (&gate, args, now), &mut blocking) {
            Ok(row) => rows.push(row),
            Err(untaken) => found.untaken.push(untaken),
        }
    }
    if !found.untaken.is_empty() {
        return Err(untaken(&name, &gate, &found.untaken));
    }
    if args.signing.detached {
        let text = "--detached signs one request\nsign the imported ones here: --sign";
        return Err(Stop::usage(text));
    }
    if args.dry_run { Ok(Imported::Plan(rows)) } else { ask(skip, &name, &rows, &args.signing) }
}

/// The gate: the one that was named, else the only one whose findings can be waived.
fn gate(skip: &Skip<'_>, args: &ImportArgs) -> Result<String, Stop> {
    let policy = &skip.workspace.loaded.policy;
    if let Some(gate) = &args.gate {
        policy.gate(gate)?;
        return Ok(gate.clone());
    }
    let waives =
        |gate: &gate_policy::Gate| gate.allow.iter().any(|rule| rule.actions.contains(&Action::Waive));
    let mut gates = policy.gates.iter().filter(|(_, gate)| waives(gate)).map(|(name, _)| name.to_string());
    match (gates.next(), gates.next()) {
        (Some(gate), None) => Ok(gate),
        _ => Err(Stop::usage(
            "it is not plain which gate the entries are for\nname it: gate-skip import FILE --gate NAME"
                .to_owned(),
        )),
    }
}

/// What blocks in the gate's newest decision.
fn blocking(skip: &Skip<'_>, gate: &str) -> Result<Vec<Judged>, Stop> {
    let ledger = skip.workspace.open(Access::Read)?;
    let Some(data) = wish::last_judged(&ledger.view(), gate, skip.workspace.repository()?)? else {
        return Err(Stop::usage(format!(
            "gate '{gate}' has judged no report lately, so nobody knows which findings the entries are about\n\
             judge one first: gate-check {gate} FILE"
        )));
    };
    if data.omitted > 0 {
        return Err(Stop::usage(format!(
            "the newest decision of gate '{gate}' has {} findings more than its entry holds\n\
             waive what blocks from the decision itself: gate-skip DECISION --reason TEXT",
            data.omitted
        )));
    }
    Ok(data.findings.into_iter().filter(|judged| judged.grant.is_none()).collect())
}

/// What becomes of an entry; the findings that it asks for are taken out of what blocks.
fn row(
    entry: &Entry,
    (gate, args, now): (&str, &ImportArgs, Timestamp),
    blocking: &mut Vec<Judged>,
) -> Result<Row, Untaken> {
    let refuse = |why: &str| Untaken { line: entry.line, entry: entry.shown(), why: why.to_owned() };
    let left = entry.ends.map(|ends| u64::try_from(ends.seconds_since(now)).unwrap_or(0));
    let reason = entry.reason.as_ref().or(args.reason.as_ref());
    let place = format!("imported from {}:{}", args.file.display(), entry.line);
    let mut row = Row {
        line: entry.line,
        entry: entry.shown(),
        gate: gate.to_owned(),
        findings: 0,
        ttl: left.into_iter().chain(args.ttl).min(),
        reason: reason.map_or(place.clone(), |reason| format!("{} ({place})", reason.trim())),
        note: None,
        evidence: Vec::new(),
    };
    if left == Some(0) {
        row.note = Some("has ended".to_owned());
        return Ok(row);
    }
    let (fits, others) = std::mem::take(blocking).into_iter().partition(|judged| entry.fits(&judged.finding));
    *blocking = others;
    let fits: Vec<Judged> = fits;
    if fits.is_empty() {
        row.note = Some("fits nothing that blocks".to_owned());
        return Ok(row);
    }
    if reason.is_none() {
        return Err(refuse("it gives no reason; add --reason TEXT"));
    }
    text::check(&row.reason).map_err(|error| refuse(&format!("its reason cannot be recorded: {error}")))?;
    let sum: u64 = fits.iter().map(|judged| judged.finding.count).sum();
    if entry.most.is_some_and(|most| sum > most) {
        return Err(refuse("more findings of it block now than the file accepts, so that some are new"));
    }
    row.findings = sum;
    row.evidence = fits.into_iter().map(|judged| judged.finding).collect();
    Ok(row)
}

fn untaken(name: &str, gate: &str, untaken: &[Untaken]) -> Stop {
    let name = text::visible(name);
    let each = untaken.iter().map(|one| {
        let (entry, why) = (text::visible(&one.entry), text::visible(&one.why));
        format!("{name}:{}: {entry}: {why}", one.line)
    });
    Stop::usage(format!(
        "nothing was asked for, since not every entry can be taken: {}\n\
         take these entries out, or ask for what they mean: gate-skip {gate} --waive MATCH --reason TEXT",
        each.collect::<Vec<_>>().join("; ")
    ))
}

/// Asks for each row in one transaction.
fn ask(skip: &Skip<'_>, name: &str, rows: &[Row], signing: &SigningArgs) -> Result<Imported, Stop> {
    let mut wanted = Vec::new();
    for row in rows.iter().filter(|row| row.note.is_none()) {
        let wish = Wish {
            ttl: row.ttl,
            evidence: row.evidence.clone(),
            ..asking::bare_wish(&row.gate, Action::Waive, &row.reason)
        };
        let asking: Asking = asking::asking(skip, &wish, signing)?;
        wanted.push((format!("{name}:{}: {}", row.line, row.entry), asking));
    }
    if wanted.is_empty() {
        let reasons = vec![format!("no entry of '{name}' is needed: nothing was asked for or recorded")];
        return Ok(Imported::Answers(vec![admission::answer(Status::Nothing, None, None, reasons)]));
    }
    Ok(Imported::Answers(admission::request_all(skip.workspace, &wanted)?))
}

/// What would be asked for, as a table.
pub(crate) fn sheet(rows: &[Row]) -> Sheet {
    let mut sheet = Sheet::new("would ask for", Tone::Plain);
    let cells = rows.iter().map(|row| {
        let findings = row.note.clone().unwrap_or_else(|| row.findings.to_string());
        let ttl = row.ttl.map_or_else(|| "as the rule allows".to_owned(), format_duration);
        vec![row.line.to_string(), row.entry.clone(), row.gate.clone(), findings, ttl, row.reason.clone()]
    });
    sheet.table("entries", &["line", "entry", "gate", "findings", "for", "reason"], cells.collect());
    sheet
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::formats;

    #[test]
    fn files_are_known_by_their_names() {
        for name in [
            ".trivyignore",
            "a/.trivyignore.yaml",
            "osv-scanner.toml",
            ".snyk",
            "deny.toml",
            ".cargo/audit.toml",
            "waivers.yml",
            "app.openvex.json",
        ] {
            assert!(formats::of(Path::new(name)).is_some(), "{name}");
        }
        assert!(["ignore.txt", "Cargo.toml"].iter().all(|name| formats::of(Path::new(name)).is_none()));
    }
}
