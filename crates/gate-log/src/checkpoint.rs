//! Signing a checkpoint.
//!
//! Whoever signs vouches for every entry, so every entry is verified first, and the root comes from the very
//! bytes that were verified; entries that this key vouched for before are taken from the last checkpoint.
//! A log must never sign two histories (C2SP tlog-checkpoint, section "Signatures"): what this key has signed must be
//! extended, or nothing is signed. What that is says the memory that lies with the key; where there is none, the caller
//! must name the newest checkpoint, or say that there never was one.

mod failure;
mod history;
mod last;

use std::ops::ControlFlow;
use std::path::Path;

use gate_cli::message;
use gate_cli::progress::Progress;
use gate_cli::{Failure, Io};
use gate_ledger::chain;
use gate_ledger::checkpoint::{self, Checkpoint, ledger_origin};
use gate_ledger::entry::Kind;
use gate_ledger::infile;
use gate_ledger::note::{self, VerifierKey};
use gate_ledger::proof::{Tip, TlogProof};
use gate_ledger::store::{Access, Ledger, StoreError};
use gate_ledger::tree::{CompactRange, Hash};
use gate_model::exit::Exit;

use crate::args::CheckpointArgs;
use crate::run::TOOL;
use crate::session::{Found, Log};
use crate::signer::{self, KeyPlace, Memory, Signed as Remembered, Signer};
pub(crate) use failure::CheckpointFailure;
use gate_cli::Stop;
use history::{Base, History, NoHistory};
use last::Last;

/// Where to sign, and what must be extended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order<'a> {
    /// The key.
    pub key: KeyPlace<'a>,
    /// The name of the log, instead of the policy's.
    pub origin: Option<&'a str>,
    /// The file of an old checkpoint.
    pub since: Option<&'a Path>,
    /// Whether the caller says that the key never signed this ledger.
    pub first: bool,
}

/// A new checkpoint.
pub(crate) struct Signed {
    /// The signed note.
    pub note: String,
    /// The proof of the newest entry that it covers.
    pub tip: TlogProof,
}

/// Signs a checkpoint, or makes the key that will.
///
/// # Errors
/// A [`Stop`]; then nothing was signed.
pub(crate) fn checkpoint(log: &Log<'_>, args: &CheckpointArgs, io: &mut Io<'_>) -> Result<(), Stop> {
    let found = log.find()?;
    let origin = args.origin.as_deref();
    if let Some(path) = &args.new_key {
        let name = log_name(&found, origin)?;
        found.refuse_reserved(&log.session.env.cwd.join(path), path)?;
        let key = signer::generate(&log.session.env.cwd.join(path), path, &name)
            .map_err(CheckpointFailure::from)?;
        io.show(&format!("{}\n", key.verifier()));
        log.session.summary(
            io,
            &format!("the secret is in '{}'; give the line above to whoever verifies", path.display()),
        );
        warn_of_work_tree(log, path, io);
        return Ok(());
    }
    let key = KeyPlace::required(args.key_file.as_deref(), args.agent.as_deref())?;
    if let Some(path) = &args.key_file {
        warn_of_work_tree(log, path, io);
    }
    if args.public_key {
        let name = log_name(&found, origin)?;
        let signer = Signer::open(log, key, &name).map_err(CheckpointFailure::from)?;
        io.show(&format!("{}\n", signer.verifier()));
        return Ok(());
    }
    let signed =
        sign(log, &found, &Order { key, origin, since: args.since.as_deref(), first: args.first }, io)?;
    io.show(&signed.note);
    Ok(())
}

/// Says so where the key in the file at `path` lies in a work tree of git: a commit hands it to everybody, and whoever may
/// write there can put another in its place.
fn warn_of_work_tree(log: &Log<'_>, path: &Path, io: &mut Io<'_>) {
    let folder = log.session.env.cwd.join(path).parent().and_then(|folder| folder.canonicalize().ok());
    let Some(root) =
        folder.iter().flat_map(|folder| folder.ancestors()).find(|dir| dir.join(".git").exists())
    else {
        return;
    };
    let (path, root) = (path.display(), root.display());
    let text = format!(
        "the key in '{path}' lies in the work tree of '{root}', where a commit would hand it to everybody\n\
         keep it elsewhere, and the file beside it, such as in your home directory"
    );
    io.tell(&Failure::from_error(TOOL, Exit::Proceed, &text).as_warning().render());
}

/// The name of the log that this ledger belongs to.
pub(crate) fn log_name(found: &Found<'_>, chosen: Option<&str>) -> Result<String, CheckpointFailure> {
    let of_policy = || found.policy().and_then(|policy| policy.ledger.origin.clone());
    chosen.map(str::to_owned).or_else(of_policy).ok_or(CheckpointFailure::NoOrigin)
}

/// A checkpoint of everything that is in the ledger now.
///
/// # Errors
/// A [`Stop`]; then nothing was signed.
pub(crate) fn sign(
    log: &Log<'_>,
    found: &Found<'_>,
    order: &Order<'_>,
    io: &mut Io<'_>,
) -> Result<Signed, Stop> {
    let ledger = found.open(Access::Read)?;
    let name = log_name(found, order.origin)?;
    let origin = ledger_origin(&name, ledger.id()).map_err(CheckpointFailure::from)?;
    let mut signer = Signer::open(log, order.key, &name).map_err(CheckpointFailure::from)?;
    refuse_request_key(&ledger, signer.verifier())?;
    let memory =
        Memory::open(log.session.env, order.key, signer.verifier()).map_err(CheckpointFailure::from)?;
    let known = memory.is_there();
    let mut promises: Vec<Promise> = remembered(&memory, ledger.id(), order)?.into_iter().collect();
    let place = last::place(&found.path()?);
    let last = last::read(&place, signer.verifier(), &origin);
    tell_of(&last, &place, io);
    promises.extend(last.signed().map(|one| Promise::last(one, &place)));
    if let Some(path) = order.since {
        promises.push(Promise::asked(&old(log, path, signer.verifier(), &origin)?, path));
    }
    let base = base(&last, &ledger, &promises, (signer.verifier(), &origin))?;
    let promises = comparable(promises, &base)?;
    let progress = Progress::new(io.stderr_terminal && !log.session.output.quiet);
    let history = read_history(found, &ledger, &base, &promises, progress)?;
    let made = vouch(&history, &origin, &mut signer)?;
    let newest = Remembered { size: history.size(), root: history.root() };
    match memory.keep(ledger.id(), newest) {
        Ok(()) => {}
        // Whoever said what the key has signed will have to say so again.
        Err(error) if !known => {
            let text = error.to_string();
            io.tell(&message::warning(TOOL, text.lines().next().unwrap_or(&text)));
        }
        Err(error) => return Err(CheckpointFailure::from(error).into()),
    }
    keep(&made.tip, &place, io);
    if matches!(signer, Signer::Agent { .. }) {
        log.session.summary(io, &format!("signed by the agent; the verifier key is {}", signer.verifier()));
    }
    Ok(made)
}

/// Keeps the proof of the newest entry for the next time. Where that fails, the next time only takes longer.
fn keep(tip: &TlogProof, place: &Path, io: &mut Io<'_>) {
    if let Err(error) = last::write(place, &tip.to_string()) {
        let text =
            format!("cannot keep '{}': {error}; the next checkpoint reads every entry", place.display());
        io.tell(&message::warning(TOOL, &text));
    }
}

/// What the key's own memory says that it has signed of `ledger`.
///
/// # Errors
/// Where there is no memory, and the caller says nothing about the time before; or where both contradict each other.
fn remembered(
    memory: &Memory,
    ledger: &str,
    order: &Order<'_>,
) -> Result<Option<Promise>, CheckpointFailure> {
    let path = memory.path().display().to_string();
    match memory.signed(ledger) {
        Some(_) if order.first => Err(CheckpointFailure::NotFirst(path)),
        Some(Remembered { size, root }) => Ok(Some(Promise { size, root, name: path, asked: false })),
        None if memory.is_there() || order.first || order.since.is_some() => Ok(None),
        None => Err(CheckpointFailure::NoMemory(path)),
    }
}

/// A tree that the new checkpoint must extend.
struct Promise {
    size: u64,
    root: Hash,
    /// What says so.
    name: String,
    /// Whether the caller named it.
    asked: bool,
}

impl Promise {
    /// The last one, which was kept at `place`.
    fn last(checkpoint: &Checkpoint, place: &Path) -> Self {
        let Checkpoint { size, root, .. } = *checkpoint;
        Self { size, root, name: place.display().to_string(), asked: false }
    }

    /// The one that the caller named.
    fn asked(checkpoint: &Checkpoint, path: &Path) -> Self {
        Self { asked: true, ..Self::last(checkpoint, path) }
    }
}

/// Where to begin: behind the last checkpoint's entry if the ledger still has that, unless an older root is asked
/// for; else behind what was archived; else at the first entry.
///
/// A last checkpoint that reaches less far than the archive is passed over, even where its entry is one that the
/// archive kept: entries between the two are not there to be read, so their leaves would be missing from the tree.
fn base<'l>(
    last: &'l Last,
    ledger: &Ledger,
    promises: &[Promise],
    (own, origin): (&VerifierKey, &str),
) -> Result<Base<'l>, Stop> {
    // Where even that cannot be read, [`History`] finds out in the end that leaves are missing.
    let archived = ledger.view().front().map_or(0, |front| front.before);
    if let Last::Good(tip) = last {
        let is_oldest = promises.iter().all(|promise| promise.size >= tip.size());
        // An entry that is gone, changed or cannot be read is named when all of them are read, as then they are.
        let entry = ledger.view().entry(tip.entry.seq).ok().flatten();
        if is_oldest && tip.size() >= archived && entry.is_some_and(|entry| entry.hash == tip.entry.hash) {
            // What was archived before the tip was looked at when that was signed.
            if archived > 0 && was_archived_behind(ledger, tip)? {
                own_archive(ledger, own, origin)?;
            }
            return Ok(Base::Tip(tip));
        }
    }
    Ok(own_archive(ledger, own, origin)?.map_or(Base::Genesis, Base::Archive))
}

/// Whether a statement about an archive came behind `tip`.
fn was_archived_behind(ledger: &Ledger, tip: &Tip) -> Result<bool, StoreError> {
    let mut found = false;
    ledger.view().scan_lines(tip.size(), None, &mut |body, _| {
        found = chain::inspect(body).is_ok_and(|facts| facts.kind == Kind::Archive);
        if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}

/// The tree of the archived entries, if any were archived. Nobody reads these here, so only their own signer can
/// vouch for them again.
fn own_archive(ledger: &Ledger, own: &VerifierKey, origin: &str) -> Result<Option<CompactRange>, Stop> {
    let Some((entry, statement)) = ledger.view().archive()? else { return Ok(None) };
    let fails = |source| CheckpointFailure::Archive { seq: entry.seq, source };
    checkpoint::open_pinned(statement.checkpoint.as_bytes(), origin, std::slice::from_ref(own))
        .map_err(fails)?;
    Ok(Some(statement.tree().map_err(|_| CheckpointFailure::ArchiveTree(entry.seq))?))
}

/// The promises that can be compared with what is read from `base` on. Those that reach less far are of entries
/// that are in an archive; this key vouched for a longer history when it signed the statement about them.
fn comparable(promises: Vec<Promise>, base: &Base<'_>) -> Result<Vec<Promise>, CheckpointFailure> {
    let (rest, older): (Vec<_>, Vec<_>) =
        promises.into_iter().partition(|promise| promise.size >= base.size());
    match older.into_iter().find(|promise| promise.asked) {
        Some(promise) => Err(CheckpointFailure::Archived { path: promise.name, before: base.size() }),
        None => Ok(rest),
    }
}

/// The ledger's tree, which extends every promise.
fn read_history(
    found: &Found<'_>,
    ledger: &Ledger,
    base: &Base<'_>,
    promises: &[Promise],
    progress: Progress,
) -> Result<History, Stop> {
    let sizes = promises.iter().map(|promise| promise.size);
    let read = History::read(&found.path()?, ledger.genesis(), base, sizes, progress);
    let history = read.map_err(|error| match error {
        NoHistory::Unverified(error) => CheckpointFailure::Unverified(error),
        NoHistory::Bad(bad) => CheckpointFailure::Bad { seq: bad.seq, reason: bad.reason },
        NoHistory::Incomplete(seq) => {
            let reason = "it is missing, and nothing that this key signed accounts for it".to_owned();
            CheckpointFailure::Bad { seq, reason }
        }
    })?;
    for Promise { size, root, name, .. } in promises {
        let failure = |why| CheckpointFailure::NotExtended { path: name.clone(), why };
        history.extends(*size, root).map_err(failure)?;
    }
    Ok(history)
}

/// Signs the size and the root of `history`.
fn vouch(history: &History, origin: &str, signer: &mut Signer) -> Result<Signed, CheckpointFailure> {
    let (size, root) = (history.size(), history.root());
    let checkpoint = Checkpoint { origin: origin.to_owned(), size, root, extensions: Vec::new() };
    let note = signer.sign(&checkpoint)?;
    let (body, hashes) = history.newest().ok_or(CheckpointFailure::NoEntry)?;
    let (index, extra) = (size.saturating_sub(1), Some(body.to_vec()));
    Ok(Signed { tip: TlogProof { index, extra, hashes, checkpoint: note.clone() }, note })
}

/// Says what is odd about the last checkpoint.
fn tell_of(last: &Last, place: &Path, io: &mut Io<'_>) {
    if let Last::Damaged { why, .. } = last {
        let text = format!("'{}' was changed: {why}; every entry is read instead", place.display());
        io.tell(&message::warning(TOOL, &text));
    }
}

/// Refuses a key with which people sign requests: gate-verify would refuse its checkpoint.
fn refuse_request_key(ledger: &Ledger, key: &VerifierKey) -> Result<(), Stop> {
    let text = key.to_ssh_base64();
    let mut found = None;
    let walked: Result<(), StoreError> = ledger.view().policies(&mut |entry| {
        if !entry.body.contains(&text) {
            return ControlFlow::Continue(());
        }
        found = Some(entry.seq);
        ControlFlow::Break(())
    });
    walked?;
    match found {
        Some(seq) => Err(CheckpointFailure::RequestKey(seq).into()),
        None => Ok(()),
    }
}

/// The old checkpoint, which `key` must have signed for `origin`.
fn old(log: &Log<'_>, path: &Path, key: &VerifierKey, origin: &str) -> Result<Checkpoint, CheckpointFailure> {
    let bytes = read(log, path)?;
    let opened = checkpoint::open_pinned(&bytes, origin, std::slice::from_ref(key));
    let (checkpoint, _) =
        opened.map_err(|source| CheckpointFailure::Old { path: path.display().to_string(), source })?;
    Ok(checkpoint)
}

/// The bytes of a checkpoint's file.
///
/// # Errors
/// A [`CheckpointFailure`].
pub(crate) fn read(log: &Log<'_>, path: &Path) -> Result<Vec<u8>, CheckpointFailure> {
    let fails = |source| CheckpointFailure::Read { path: path.display().to_string(), source };
    infile::read(&log.session.env.cwd.join(path), note::MAX_BYTES as u64).map_err(fails)
}
