//! Everything that is written of one decision besides stdout: the file of `--decision`, and those of `--format`.
//!
//! All of them are claimed before anything is read or started, see [`OutputFile`], and all are written from the same
//! decision, after it was recorded.

use std::path::PathBuf;

use gate_cli::Env;
use gate_cli::options::{Format, Outputs};
use gate_cli::render::{self, View};
use gate_judge::policy_text;
use gate_model::decision::Decision;
use gate_model::time::Timestamp;

use crate::args::Args;
use crate::output_file::{OutputFile, OutputFileError};
use crate::{named, reports};
use gate_cli::Stop;

/// The files of one decision.
#[derive(Debug, Default)]
pub(crate) struct Files {
    files: Vec<(Format, OutputFile)>,
    omit_waived: bool,
}

/// The decision in `format`; SARIF without what was accepted where that is wanted.
pub(crate) fn rendered(decision: &Decision, format: Format, view: &View, omit_waived: bool) -> String {
    match format {
        Format::Sarif if omit_waived => render::sarif_without_waived(decision),
        _ => render::decision(decision, format, view),
    }
}

impl Files {
    /// Claims the file of `--decision` and those that `--format` names. None may be one of `inputs`, nor be named twice:
    /// then the later document would take the place of the earlier one.
    ///
    /// # Errors
    /// An [`OutputFileError`]. Where a name is refused nothing was touched; where a file cannot be written those before it
    /// are empty by then.
    fn claim(
        decision: Option<&PathBuf>,
        outputs: Option<&Outputs>,
        cwd: &std::path::Path,
        inputs: &[PathBuf],
    ) -> Result<Self, OutputFileError> {
        let decision = decision.map(|path| (Format::Json, path));
        let formats = outputs.iter().flat_map(|outputs| &outputs.files).map(|(format, path)| (*format, path));
        let wanted: Vec<_> = decision.into_iter().chain(formats).collect();
        if wanted.iter().any(|(_, path)| path.as_os_str() == "-") {
            return Err(OutputFileError::Dash);
        }
        let wanted: Vec<_> = wanted.into_iter().map(|(format, path)| (format, cwd.join(path))).collect();
        let mut taken = inputs.to_vec();
        for (_, path) in &wanted {
            OutputFile::check(path, cwd, &taken)?;
            taken.push(path.clone());
        }
        taken.truncate(inputs.len());
        let mut files = Vec::new();
        for (format, path) in wanted {
            files.push((format, OutputFile::claim(&path, cwd, &taken)?));
            taken.push(path);
        }
        Ok(Self { files, omit_waived: false })
    }

    /// Writes each document.
    ///
    /// # Errors
    /// An [`OutputFileError`]; the files after it stay empty.
    pub(crate) fn write(&self, decision: &Decision, now: Timestamp) -> Result<(), OutputFileError> {
        let view = View { width: None, colour: false, now };
        self.files.iter().try_for_each(|(format, file)| {
            file.write(|out| match format {
                Format::Json => {
                    render::write_json(out, decision)?;
                    out.write_all(b"\n")
                }
                other => out.write_all(rendered(decision, *other, &view, self.omit_waived).as_bytes()),
            })
        })
    }
}

/// Empties the files of `--decision` and `--format`.
///
/// # Errors
/// A [`Stop`]: one cannot be written, or a report cannot be looked for.
pub(crate) fn claim(args: &Args, env: &Env) -> Result<Files, Stop> {
    let outputs = args.shared.output.format.as_ref();
    if args.decision.is_none() && outputs.is_none_or(|outputs| outputs.files.is_empty()) {
        return Ok(Files::default());
    }
    let (policy, ledger) = (args.shared.store.policy(env), args.shared.store.ledger(env));
    let mut inputs: Vec<_> = [policy, ledger].into_iter().flatten().map(|path| env.cwd.join(path)).collect();
    inputs.extend(env.cwd.ancestors().map(|dir| dir.join(policy_text::FILE_NAME)));
    // The owners' word stands beside a policy.
    let word = |path: &PathBuf| {
        let mut name = path.clone().into_os_string();
        name.push(".sig");
        PathBuf::from(name)
    };
    inputs.extend(inputs.iter().map(word).collect::<Vec<_>>());
    for named in args.report.iter().chain(&args.findings) {
        let files = named::files(named, &env.cwd)
            .map_err(|source| reports::open_error(named, &source, args.as_a_command()))?;
        inputs.extend(files.into_iter().map(|path| env.cwd.join(path)));
    }
    let files = Files::claim(args.decision.as_ref(), outputs, &env.cwd, &inputs)?;
    Ok(Files { omit_waived: args.omit_waived, ..files })
}
