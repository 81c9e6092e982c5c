//! The options that the tools share, with the texts that `--help` shows; each tool flattens what it needs.
//!
//! Variables (`GATE_LEDGER`, `GATE_POLICY`) are read from the [`Env`] that the caller passes, not by the
//! parser, so that a test sees every input.

#![allow(clippy::doc_markdown, reason = "the comments on options are their help texts, which show no markup")]

use std::path::PathBuf;

use crate::env::Env;

/// How a document is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    /// The document as one line of JSON
    Json,
    /// A view for people
    Text,
    /// SARIF 2.1.0, waived findings as suppressions
    Sarif,
    /// JUnit XML, blocking findings as failures, waived ones as skipped
    Junit,
    /// Workflow commands of GitHub Actions
    Github,
    /// A code quality report of GitLab
    Gitlab,
    /// Logging commands of Azure Pipelines
    Azure,
    /// Markdown, as for a step summary
    Markdown,
    /// A page that needs nothing else
    Html,
    /// OpenVEX: what is known of vulnerabilities, waivers with a justification as not affected
    Openvex,
    /// An unsigned in-toto statement, a Simple Verification Result
    InToto,
    /// An unsigned in-toto statement, a verification summary of SLSA
    Vsa,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 12] = [
        Self::Json,
        Self::Text,
        Self::Sarif,
        Self::Junit,
        Self::Github,
        Self::Gitlab,
        Self::Azure,
        Self::Markdown,
        Self::Html,
        Self::Openvex,
        Self::InToto,
        Self::Vsa,
    ];
    /// The formats of a grant and of a verification.
    pub const WITHOUT_FINDINGS: [Self; 6] =
        [Self::Json, Self::Text, Self::Github, Self::Azure, Self::Markdown, Self::Html];
    /// The formats of lists and of ledger entries.
    pub const PLAIN: [Self; 2] = [Self::Json, Self::Text];

    /// The word used on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Azure => "azure",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Openvex => "openvex",
            Self::InToto => "in-toto",
            Self::Vsa => "vsa",
        }
    }

    /// The format that `word` names, if it names one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }
}

/// What `--format` asks for: at most one format for stdout, and others for files of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs {
    /// What stdout is written as.
    pub shown: Option<Format>,
    /// What is written elsewhere, and where.
    pub files: Vec<(Format, PathBuf)>,
}

impl Outputs {
    /// `github,markdown=summary.md`: formats with commas between them, at most one of them without a file.
    ///
    /// # Errors
    /// A sentence with its remedy.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut outputs = Self::default();
        for piece in text.split(',') {
            let (word, file) = piece.split_once('=').map_or((piece, None), |(word, file)| (word, Some(file)));
            let format = Format::parse(word).ok_or_else(|| unknown_format(word))?;
            match file {
                Some("") => return Err(format!("'{word}=' names no file\nwrite {word}=FILE")),
                Some(file) => outputs.files.push((format, file.into())),
                None if outputs.shown.is_some() => {
                    return Err(format!(
                        "standard output has one format\ngive each of the others a file of its own: {word}=FILE"
                    ));
                }
                None => outputs.shown = Some(format),
            }
        }
        Ok(outputs)
    }
}

impl From<Format> for Outputs {
    fn from(format: Format) -> Self {
        Self { shown: Some(format), files: Vec::new() }
    }
}

fn unknown_format(word: &str) -> String {
    let known = Format::ALL.map(Format::as_str).join(", ");
    let word = gate_model::text::visible(word);
    format!("'{word}' is no format\nuse one of {known}; a file's name holds no comma")
}

/// Parses [`Outputs`]; help lists the formats.
#[derive(Debug, Clone, Copy)]
struct OutputsParser;

impl clap::builder::TypedValueParser for OutputsParser {
    type Value = Outputs;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Outputs, clap::Error> {
        let parser = clap::builder::StringValueParser::new().try_map(|text| Outputs::parse(&text));
        parser.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = clap::builder::PossibleValue> + '_>> {
        Some(Box::new(Format::ALL.iter().filter_map(clap::ValueEnum::to_possible_value)))
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Which ledger and which policy.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Ledger and policy")]
pub struct StoreOptions {
    /// Use the ledger at PATH
    ///
    /// Without it, the ledger of the variable GATE_LEDGER, else the one that the policy names. Where the policy pins a
    /// genesis, a ledger with another one is refused with exit status 4.
    #[arg(long, value_name = "PATH", global = true)]
    pub ledger: Option<PathBuf>,

    /// Read the policy from PATH
    ///
    /// Without it, the policy of the variable GATE_POLICY, else the nearest gate.toml in this directory or above it, no
    /// further than the root of the git repository. A second gate.toml on the way is refused.
    #[arg(long, value_name = "PATH", global = true)]
    pub policy: Option<PathBuf>,

    /// Read the policy from the git commit REV, not from the checkout
    ///
    /// REV is a full object id or a full ref name, such as refs/remotes/origin/main; without the option it is that of
    /// the variable GATE_POLICY_REF, where there is one. Every file that the
    /// policy names is read from that same tree. A change under review then cannot alter the rules that
    /// judge it. What does not resolve is an error; nothing else is tried.
    #[arg(long, value_name = "REV", global = true)]
    pub policy_ref: Option<String>,
}

impl StoreOptions {
    /// The ledger that was named: by `--ledger`, else by `GATE_LEDGER`.
    pub fn ledger(&self, env: &Env) -> Option<PathBuf> {
        self.ledger.clone().or_else(|| env.path("GATE_LEDGER"))
    }

    /// The policy that was named: by `--policy`, else by `GATE_POLICY`.
    pub fn policy(&self, env: &Env) -> Option<PathBuf> {
        self.policy.clone().or_else(|| env.path("GATE_POLICY"))
    }

    /// The revision that the policy is read from: `--policy-ref`, else `GATE_POLICY_REF` where that is not empty.
    pub fn policy_ref(&self, env: &Env) -> Option<String> {
        self.policy_ref.clone().or_else(|| env.get("GATE_POLICY_REF"))
    }
}

/// How results are shown.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct OutputOptions {
    /// Write the result as FORMAT
    ///
    /// Without it, the format of the variable GATE_FORMAT where the tool has it; else a view for people where stdout is
    /// a terminal, else JSON.
    #[arg(long, value_name = "FORMAT", value_parser = OutputsParser, global = true)]
    pub format: Option<Outputs>,

    /// Use colour: auto, always or never
    ///
    /// auto means on a terminal. The variable NO_COLOR, set to anything but the empty text, turns colour
    /// off; CLICOLOR_FORCE turns it on where NO_COLOR does not say otherwise.
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_possible_values = true,
        global = true
    )]
    pub color: ColorChoice,

    /// Do not write the one-line summary to stderr
    ///
    /// Errors and warnings are still written there.
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

impl OutputOptions {
    /// Takes the format of `GATE_FORMAT` where no option says one and `offered` has it.
    ///
    /// # Errors
    /// A sentence with its remedy where the variable names no format.
    pub fn settle(&mut self, env: &Env, offered: &[Format]) -> Result<(), String> {
        let Some(word) = env.get("GATE_FORMAT") else { return Ok(()) };
        let Some(format) = Format::parse(&word) else {
            let known = Format::ALL.map(Format::as_str).join(", ");
            let word = gate_model::text::visible(&word);
            return Err(format!(
                "the variable GATE_FORMAT names no format: '{word}'\nuse one of {known}, or unset it"
            ));
        };
        if offered.contains(&format) {
            self.format.get_or_insert_default().shown.get_or_insert(format);
        }
        Ok(())
    }

    /// The format that was asked for, else text for a terminal and JSON for everything else.
    pub fn format(&self, stdout_terminal: bool) -> Format {
        self.asked().unwrap_or(if stdout_terminal { Format::Text } else { Format::Json })
    }

    /// Whether somebody asked for `format`, on stdout or in a file.
    pub fn asks_for(&self, format: Format) -> bool {
        let in_a_file = |outputs: &Outputs| outputs.files.iter().any(|(asked, _)| *asked == format);
        self.asked() == Some(format) || self.format.as_ref().is_some_and(in_a_file)
    }

    /// The format for stdout, where somebody asked for one.
    pub fn asked(&self) -> Option<Format> {
        self.format.as_ref().and_then(|outputs| outputs.shown)
    }
}

/// All options that the tools share.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Shared {
    /// Which ledger and which policy.
    #[command(flatten)]
    pub store: StoreOptions,
    /// How results are shown.
    #[command(flatten)]
    pub output: OutputOptions,
}

/// `command` with `--format` limited to `formats`, so that help lists them and the parser refuses the rest
/// before anything is decided.
pub fn offer(command: clap::Command, formats: &'static [Format]) -> clap::Command {
    use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
    let word = |format: &Format| {
        clap::ValueEnum::to_possible_value(format).unwrap_or_else(|| PossibleValue::new(format.as_str()))
    };
    let words = PossibleValuesParser::new(formats.iter().map(word).collect::<Vec<_>>());
    let parser = words.try_map(|word| Format::parse(&word).map(Outputs::from).ok_or("is no format"));
    command.mut_arg("format", |arg| arg.value_parser(parser))
}

#[cfg(test)]
mod tests {
    use super::{Env, Format, OutputOptions, Outputs, Shared, offer};
    use clap::{CommandFactory, Parser, ValueEnum};

    #[derive(Debug, Parser)]
    #[command(name = "gate-x")]
    struct Args {
        #[command(flatten)]
        shared: Shared,
        #[command(subcommand)]
        verb: Option<Verb>,
    }

    #[derive(Debug, clap::Subcommand)]
    enum Verb {
        Show,
    }

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
        offer(Args::command(), &Format::PLAIN).debug_assert();
    }

    #[test]
    fn shared_options_may_follow_a_verb() {
        let args =
            Args::try_parse_from(["gate-x", "show", "--ledger", "l.db", "-q", "--format", "html"]).unwrap();
        assert!(matches!(args.verb, Some(Verb::Show)));
        assert_eq!(args.shared.store.ledger.as_deref(), Some("l.db".as_ref()));
        assert!(args.shared.output.quiet);
        assert_eq!(args.shared.output.format(true), Format::Html);
    }

    #[test]
    fn the_option_wins_over_the_variable() {
        let env = Env::of([("GATE_LEDGER", "env.db"), ("GATE_POLICY", "")], "/");
        let named = Args::try_parse_from(["gate-x", "--ledger", "opt.db"]).unwrap().shared.store;
        assert_eq!(named.ledger(&env), Some("opt.db".into()));
        let unnamed = Args::try_parse_from(["gate-x"]).unwrap().shared.store;
        assert_eq!(unnamed.ledger(&env), Some("env.db".into()));
        assert_eq!(unnamed.policy(&env), None);
    }

    #[test]
    fn json_is_the_default_for_programs_and_text_for_people() {
        assert_eq!(OutputOptions::default().format(false), Format::Json);
        assert_eq!(OutputOptions::default().format(true), Format::Text);
    }

    #[test]
    fn one_format_is_shown_and_others_go_to_files() {
        let outputs = Outputs::parse("github,markdown=a b.md,junit=x=y.xml").unwrap();
        assert_eq!(outputs.shown, Some(Format::Github));
        let files = [(Format::Markdown, "a b.md".into()), (Format::Junit, "x=y.xml".into())];
        assert_eq!(outputs.files, files);
        assert_eq!(Outputs::parse("sarif=a").unwrap().shown, None);
        for wrong in ["", "github,json", "markdown=", "markdwon=a", "markdown=a,b.md", "json,", "JSON"] {
            assert!(Outputs::parse(wrong).unwrap_err().contains('\n'), "{wrong}");
        }
    }

    #[test]
    fn each_format_has_one_word() {
        for format in Format::ALL {
            assert_eq!(Format::parse(format.as_str()), Some(format));
            assert_eq!(format.to_possible_value().unwrap().get_name(), format.as_str());
        }
    }

    #[test]
    fn a_tool_refuses_a_format_that_it_does_not_offer() {
        let parse =
            |word| offer(Args::command(), &Format::PLAIN).try_get_matches_from(["gate-x", "--format", word]);
        assert_eq!(parse("text").unwrap().get_one::<Outputs>("format"), Some(&Format::Text.into()));
        assert!(parse("sarif").is_err());
    }
}
