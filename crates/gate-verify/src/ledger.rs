//! Verifying a ledger: options and keys, then one pass over its entries, then the document.
//!
//! Invariant: everything that the caller named is read, or an error, before the first entry is; so nobody gets a
//! result that passed over a key, a checkpoint, a segment or an opening.
//!
//! Not here: what an entry must be (gate-ledger), and what a judgement must be (gate-workflow).

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::ops::Range;
use std::path::Path;

use gate_cli::clock::Clock;
use gate_cli::progress::Progress;
use gate_cli::{Env, Io};
use gate_judge::replay::{Listed, Openings, Replayer};
use gate_ledger::entry::{Entry, EntryHash};
use gate_ledger::infile;
use gate_ledger::proof::Tip;
use gate_ledger::store::{Ledger, Snapshot};
use gate_ledger::tree::CompactRange;
use gate_ledger::verify::{self, Observer, Options, Outcome, Seen, VerifyError};
use gate_model::verification::{Begun, Verification};

use crate::anchor::{self, Anchors};
use crate::args::Args;
use crate::input::{self, Input, InputError};
use crate::pin::{self, Subject};
use crate::run::TOOL;
use crate::trust::Trust;
use crate::{archive, from, report};
use gate_cli::Stop;

/// Verifies what `args` name.
///
/// # Errors
/// A [`Stop`] where there is no result, good or bad.
pub(crate) fn verify(
    args: &Args,
    io: &mut Io<'_>,
    env: &Env,
    clock: Clock<'_>,
) -> Result<Verification, Stop> {
    let subject = pin::find(args, &args.task().map_err(|text| Stop::arguments(TOOL, text))?, env)?;
    let shows_progress = io.stderr_terminal && !args.output.quiet;
    let mut input = open(&subject, io, env)?;
    loop {
        let found = attempt(args, &subject, &mut input, shows_progress, env, clock);
        match &input {
            // So much was written meanwhile that it reached the file itself; a copy holds still.
            Input::Sqlite(snapshot) if !snapshot.is_still() => {
                input = Input::Sqlite(Snapshot::copy(snapshot.path()).map_err(VerifyError::from)?);
            }
            _ => return found,
        }
    }
}

/// Verifies `input`, which stays as it is.
fn attempt(
    args: &Args,
    subject: &Subject,
    input: &mut Input<'_>,
    shows_progress: bool,
    env: &Env,
    clock: Clock<'_>,
) -> Result<Verification, Stop> {
    let task = args.task().map_err(|text| Stop::arguments(TOOL, text))?;
    let trust = Trust::read(&args.key, args.quorum.as_deref(), &env.cwd)?;
    let (mut given, refused) = anchor::read(&args.checkpoint, &trust, &env.cwd)?;
    let tip = args.from.as_deref().map(|path| from::begin(path, &trust, &env.cwd, &mut given)).transpose()?;
    let range = tip.as_ref().map_or_else(CompactRange::default, Tip::range);
    let anchors = Anchors::new(given, refused, task.required, range);
    let progress = Progress::new(shows_progress);
    let options = options(args, subject.genesis, tip.as_ref(), env)?;
    let only = matches!(input, Input::Segment(_)).then(report::segments_only);
    let replayer = if args.replay {
        let openings = openings(input, args.openings.as_deref(), &env.cwd)?;
        Some(Replayer::new().with_openings(openings))
    } else {
        None
    };
    let mut watch = Watch { anchors, progress, replayer };
    let outcome = read(input, options, &mut watch)?;
    let mut found = conclude(outcome, watch, tip, &trust, clock);
    found.warnings.extend(only);
    Ok(found)
}

/// What the entries are verified against.
fn options(args: &Args, genesis: Option<EntryHash>, tip: Option<&Tip>, env: &Env) -> Result<Options, Stop> {
    Ok(Options {
        genesis,
        quick_check: args.quick_check,
        start: tip.map(|tip| verify::Start::behind(tip, genesis)),
        segments: archive::segments(&args.archive, &env.cwd)?,
    })
}

fn open<'i>(subject: &Subject, io: &'i mut Io<'_>, env: &Env) -> Result<Input<'i>, Stop> {
    if subject.path.as_os_str() == "-" {
        return Ok(input::stdin(io.stdin)?);
    }
    let (path, shown) = (env.cwd.join(&subject.path), subject.path.display().to_string());
    if !subject.is_named {
        // Where nobody wrote a name a pipe has no place: whoever put it there would have us wait for ever.
        let fails = |source| InputError::Io { path: shown.clone(), source };
        match infile::open(&path) {
            Err(source) if source.kind() == ErrorKind::InvalidInput => return Err(fails(source).into()),
            // What else may be wrong with it is said below.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(input::file(&path, &shown)?)
}

/// The document about what was found, once all entries were looked at.
fn conclude(
    outcome: Outcome,
    watch: Watch,
    tip: Option<Tip>,
    trust: &Trust,
    clock: Clock<'_>,
) -> Verification {
    let Watch { anchors, progress, replayer } = watch;
    drop(progress);
    let mut comparison = anchors.compare(&outcome, clock());
    let odd = archive::judge(outcome.statement.as_ref(), trust, &mut comparison.refused);
    let begun = tip.map(|tip| Begun { size: tip.size(), origin: tip.checkpoint.origin });
    let mut found = report::verification(outcome, comparison, replayer.map(Replayer::finish));
    found.warnings.extend(odd);
    found.warnings.extend(report::not_looked_at(begun.as_ref()));
    found.warnings.extend(report::unsupported(&trust.unsupported()));
    found.from = begun;
    found
}

/// Where the texts are found that entries only commit to.
fn openings(input: &Input<'_>, named: Option<&Path>, cwd: &Path) -> Result<Option<Box<dyn Openings>>, Stop> {
    if let Some(path) = named {
        let fails = |reason: &dyn std::fmt::Display| {
            Stop::usage(format_args!(
                "cannot read the openings in '{}': {reason}\ngive the file that gate-log export --openings wrote",
                path.display()
            ))
        };
        let file = File::open(cwd.join(path)).map_err(|error| fails(&error))?;
        let listed = Listed::read(BufReader::new(file)).map_err(|error| fails(&error))?;
        return Ok(Some(Box::new(listed)));
    }
    let Input::Sqlite(snapshot) = input else { return Ok(None) };
    // A file that is no ledger, or whose first entry is bad, is for the verification to name.
    Ok(Ledger::open_snapshot(snapshot).ok().map(|ledger| Box::new(Own(ledger)) as Box<dyn Openings>))
}

/// The openings that a ledger holds itself.
struct Own(Ledger);

impl Openings for Own {
    fn reveal(&mut self, entry: &mut Entry) -> Result<(), String> {
        self.0.view().reveal(entry).map_err(|error| format!("cannot be read: {error}"))
    }
}

fn read(input: &mut Input<'_>, mut options: Options, watch: &mut Watch) -> Result<Outcome, Stop> {
    let read = match input {
        Input::Sqlite(snapshot) => verify::snapshot(snapshot, &options, watch),
        Input::Stream(stream) => verify::json_lines(stream, &options, watch),
        Input::Segment(path) => {
            options.segments.push(path.clone());
            verify::segments(&options, watch)
        }
    };
    // Nothing was given to verify.
    read.map_err(|error| if matches!(error, VerifyError::Empty) { Stop::usage(error) } else { error.into() })
}

/// Everybody who looks at the entries while they are verified.
struct Watch {
    anchors: Anchors,
    progress: Progress,
    replayer: Option<Replayer>,
}

impl Observer for Watch {
    fn wants_entries(&self) -> bool {
        self.replayer.is_some() || self.anchors.wants_entries()
    }

    fn entry(&mut self, seen: Seen<'_>) {
        if let Some(replayer) = &mut self.replayer {
            // An entry that cannot be read as one is the verification's to name, which then ends here.
            match replayer.seen(&seen) {
                Ok(()) | Err(_) => {}
            }
        }
        self.anchors.take(&seen);
    }

    fn gap(&mut self, missing: Range<u64>) {
        if let Some(replayer) = &mut self.replayer {
            replayer.gap(missing.end);
        }
        self.anchors.gap(missing.end);
    }

    fn progress(&mut self, done: u64, total: Option<u64>) {
        self.progress.show(done, total);
    }
}
