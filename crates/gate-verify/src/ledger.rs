//! Verifying a ledger.

use gate_cli::clock::Clock;
use gate_cli::{Env, Io};
use gate_ledger::verify::{self, Observer, Options, Outcome, Seen, VerifyError};
use gate_model::verification::Verification;
use gate_workflow::replay::Replayer;

use crate::anchor::{self, Anchors};
use crate::args::Args;
use crate::input::{self, Input};
use crate::progress::Progress;
use crate::run::VerifyFailure;
use crate::{keys, pin, report};

/// Verifies what `args` name.
///
/// # Errors
/// A [`VerifyFailure`] where there is no result, good or bad.
pub(crate) fn verify(
    args: &Args,
    io: &mut Io<'_>,
    env: &Env,
    clock: Clock<'_>,
) -> Result<Verification, VerifyFailure> {
    let task = args.task().map_err(VerifyFailure::Usage)?;
    let subject = pin::find(args, &task, env)?;
    let keys = keys::read(&args.key, &env.cwd)?;
    let (statements, refused) = anchor::read(&args.checkpoint, &keys, &env.cwd)?;
    let anchors = Anchors::new(statements, refused, task.required);
    let progress = Progress::new(io.stderr_terminal && !args.output.quiet);
    let mut watch = Watch { anchors, progress, replayer: args.replay.then(Replayer::new) };
    let options = Options { genesis: subject.genesis, quick_check: args.quick_check };
    let input = if subject.path.as_os_str() == "-" {
        input::stdin(io.stdin)?
    } else {
        input::file(&env.cwd.join(&subject.path), &subject.path.display().to_string())?
    };
    let outcome = read(input, &options, &mut watch)?;
    let Watch { anchors, progress, replayer } = watch;
    drop(progress);
    let comparison = anchors.compare(&outcome, clock());
    Ok(report::verification(outcome, comparison, replayer.map(Replayer::finish)))
}

fn read(input: Input<'_>, options: &Options, watch: &mut Watch) -> Result<Outcome, VerifyError> {
    match input {
        Input::Sqlite(path) => verify::sqlite(&path, options, watch),
        Input::Stream(mut stream) => verify::json_lines(&mut stream, options, watch),
    }
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

    fn progress(&mut self, done: u64, total: Option<u64>) {
        self.progress.show(done, total);
    }
}
