//! The MATCH argument of `gate-skip --waive`: evidence as a person writes it.
//!
//! ```text
//! MATCH = member *("," member)        member = key "=" value
//! key   = rule | path | package | fingerprint | tool | level | severity | count      each at most once
//! ```
//!
//! `rule`, and at least one of `path`, `package` and `fingerprint`, must be there. A value is percent-encoded: `%2C`
//! is a comma, `%3D` an equals sign, `%25` a percent sign; what it decodes to is UTF-8 without control characters.
//! `path` is a glob whose first segment is literal (see [`crate::matching`]); all other values are literal, and a
//! rule with `*` or `?` is refused unless these are encoded, since it looks like a glob and would match nothing.
//!
//! [`Match`] is written back in the order above with everything encoded that a shell, a comma or an eye could
//! mistake, and reads back as itself:
//!
//! ```
//! use gate_findings::match_syntax;
//! let parsed = match_syntax::parse("rule=B101,path=src/**").unwrap();
//! assert_eq!(parsed.to_string(), "rule=B101,path=src/**");
//! let parsed = match_syntax::parse("rule=a%2Cb,package=pkg:npm/%40x/y").unwrap();
//! assert_eq!((parsed.rule.as_str(), parsed.to_string().as_str()), ("a,b", "rule=a%2Cb,package=pkg:npm/@x/y"));
//! ```

use std::collections::BTreeMap;

use gate_model::finding::Evidence;
use gate_model::level::Level;
use gate_model::path_glob::{PathGlob, PathGlobError};
use gate_model::score::Score;
use gate_model::text;

/// What a person wants waived.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Match {
    /// The rule's id, literally.
    pub rule: String,
    /// A glob over paths.
    pub path: Option<String>,
    /// The package, literally.
    pub package: Option<String>,
    /// The fingerprint, literally.
    pub fingerprint: Option<String>,
    /// The tool, literally.
    pub tool: Option<String>,
    /// The highest level.
    pub level: Option<Level>,
    /// The highest security severity.
    pub severity: Option<Score>,
    /// How many findings, from 1.
    pub count: Option<u64>,
}

/// Why a MATCH is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatchError {
    /// A part without `=`.
    #[error("'{0}' is not KEY=VALUE\nwrite a comma within a value as %2C")]
    NotAPair(String),
    /// A key that does not exist.
    #[error(
        "unknown key '{0}'\nthe keys are rule, path, package, fingerprint, tool, level, severity and count"
    )]
    UnknownKey(String),
    /// A key that is there twice.
    #[error("'{0}' is given twice\nuse one --waive for each finding")]
    Doubled(&'static str),
    /// `KEY=` and nothing.
    #[error("'{0}' is empty\nleave the key out, or give it a value")]
    Empty(&'static str),
    /// No `rule`.
    #[error(
        "there is no rule\nadd rule=ID: a waiver names the rule and at least one of path, package and fingerprint"
    )]
    NoRule,
    /// Only a rule.
    #[error("a rule alone would waive all its findings\nadd path=GLOB, package=NAME or fingerprint=F")]
    RuleAlone,
    /// A rule that looks like a glob.
    #[error(
        "rule '{0}' looks like a glob, but a rule is literal\nname one rule; write a real '*' as %2A and '?' as %3F"
    )]
    GlobRule(String),
    /// A path that cannot be used as a glob.
    #[error("path '{path}': {error}\nname a directory or file of the repository first, as in src/**")]
    Path {
        /// The glob.
        path: String,
        /// What is wrong with it.
        error: PathGlobError,
    },
    /// `%` without two hexadecimal digits.
    #[error("{0}: '%' is not followed by two hexadecimal digits\nwrite a percent sign as %25")]
    Percent(&'static str),
    /// Encoded bytes that are not UTF-8.
    #[error("{0}: the encoded bytes are not UTF-8\nencode the UTF-8 bytes of each character")]
    NotUtf8(&'static str),
    /// A control character.
    #[error(
        "{0}: control characters cannot be matched\nfindings never hold any: copy the value from the decision"
    )]
    Control(&'static str),
    /// A level that does not exist.
    #[error("unknown level '{0}'\nthe levels are none, note, warning and error")]
    Level(String),
    /// A security severity that is none.
    #[error(
        "severity '{0}' is not a number from 0 to 10\nwrite the highest that is accepted, as in severity=7.5"
    )]
    Severity(String),
    /// A count that is not a number from 1.
    #[error("count '{0}' is not a whole number from 1\nwrite how many findings are accepted")]
    Count(String),
}

impl Match {
    /// The evidence that this accepts, given what it leaves open: the highest level and the number of findings
    /// that the waived report really had.
    pub fn evidence(&self, level: Level, count: u64) -> Evidence {
        Evidence {
            rule: self.rule.clone(),
            level: self.level.unwrap_or(level),
            count: self.count.unwrap_or(count),
            path: self.path.clone(),
            package: self.package.clone(),
            fingerprint: self.fingerprint.clone(),
            fingerprints: BTreeMap::new(),
            tool: self.tool.clone(),
            security_severity: self.severity,
            fixable: false,
            lines: Vec::new(),
            around: Vec::new(),
        }
    }

    fn set(&mut self, key: &str, raw: &str) -> Result<(), MatchError> {
        match key {
            "rule" => {
                if raw.contains(['*', '?']) {
                    return Err(MatchError::GlobRule(text::visible(raw)));
                }
                let mut rule = Some(std::mem::take(&mut self.rule)).filter(|rule| !rule.is_empty());
                put(&mut rule, "rule", raw)?;
                self.rule = rule.unwrap_or_default();
                Ok(())
            }
            "path" => put(&mut self.path, "path", raw),
            "package" => put(&mut self.package, "package", raw),
            "fingerprint" => put(&mut self.fingerprint, "fingerprint", raw),
            "tool" => put(&mut self.tool, "tool", raw),
            "level" => self.set_level(raw),
            "severity" => self.set_severity(raw),
            "count" => self.set_count(raw),
            other => Err(MatchError::UnknownKey(text::visible(other))),
        }
    }

    fn set_level(&mut self, raw: &str) -> Result<(), MatchError> {
        let mut word = self.level.map(|level| level.as_str().to_owned());
        put(&mut word, "level", raw)?;
        let word = word.unwrap_or_default();
        self.level = Some(Level::parse(&word).ok_or_else(|| MatchError::Level(text::visible(&word)))?);
        Ok(())
    }

    fn set_severity(&mut self, raw: &str) -> Result<(), MatchError> {
        let mut word = self.severity.map(|severity| severity.to_string());
        put(&mut word, "severity", raw)?;
        let word = word.unwrap_or_default();
        self.severity = Some(word.parse().map_err(|_| MatchError::Severity(text::visible(&word)))?);
        Ok(())
    }

    fn set_count(&mut self, raw: &str) -> Result<(), MatchError> {
        let mut word = self.count.map(|count| count.to_string());
        put(&mut word, "count", raw)?;
        let word = word.unwrap_or_default();
        let count =
            word.parse().ok().filter(|&count| (1..1 << 53).contains(&count) && !word.starts_with('+'));
        self.count = Some(count.ok_or_else(|| MatchError::Count(text::visible(&word)))?);
        Ok(())
    }

    fn check(self) -> Result<Self, MatchError> {
        if self.rule.is_empty() {
            return Err(MatchError::NoRule);
        }
        if self.path.is_none() && self.package.is_none() && self.fingerprint.is_none() {
            return Err(MatchError::RuleAlone);
        }
        if let Some(path) = &self.path
            && let Err(error) = PathGlob::parse(path)
        {
            return Err(MatchError::Path { path: text::visible(path), error });
        }
        Ok(self)
    }
}

impl From<&Evidence> for Match {
    /// The MATCH that asks for just this evidence.
    fn from(evidence: &Evidence) -> Self {
        Self {
            rule: evidence.rule.clone(),
            path: evidence.path.clone(),
            package: evidence.package.clone(),
            fingerprint: evidence.fingerprint.clone(),
            tool: evidence.tool.clone(),
            level: Some(evidence.level),
            severity: evidence.security_severity,
            count: Some(evidence.count),
        }
    }
}

/// Reads a MATCH.
///
/// # Errors
/// The first thing wrong with it; the second line of the message is the remedy.
pub fn parse(text: &str) -> Result<Match, MatchError> {
    let mut parsed = Match::default();
    for member in text.split(',') {
        let (key, raw) = member.split_once('=').ok_or_else(|| MatchError::NotAPair(text::visible(member)))?;
        parsed.set(key, raw)?;
    }
    parsed.check()
}

fn put(slot: &mut Option<String>, key: &'static str, raw: &str) -> Result<(), MatchError> {
    if slot.is_some() {
        return Err(MatchError::Doubled(key));
    }
    if raw.is_empty() {
        return Err(MatchError::Empty(key));
    }
    *slot = Some(decode(key, raw)?);
    Ok(())
}

fn decode(key: &'static str, raw: &str) -> Result<String, MatchError> {
    let bytes = gate_model::percent::decode(raw.as_bytes()).ok_or(MatchError::Percent(key))?;
    let value = String::from_utf8(bytes).map_err(|_| MatchError::NotUtf8(key))?;
    // Evidence may become part of a ledger entry, whose profile refuses these; tab and newline never
    // belong to a name.
    if value.chars().any(char::is_control) {
        return Err(MatchError::Control(key));
    }
    Ok(value)
}

impl std::fmt::Display for Match {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rule={}", encode(&self.rule, false))?;
        let values = [
            ("path", &self.path),
            ("package", &self.package),
            ("fingerprint", &self.fingerprint),
            ("tool", &self.tool),
        ];
        for (key, value) in values {
            if let Some(value) = value {
                write!(f, ",{key}={}", encode(value, key == "path"))?;
            }
        }
        if let Some(level) = self.level {
            write!(f, ",level={level}")?;
        }
        if let Some(severity) = self.severity {
            write!(f, ",severity={severity}")?;
        }
        if let Some(count) = self.count {
            write!(f, ",count={count}")?;
        }
        Ok(())
    }
}

/// Everything is encoded but letters and digits of any script and a few marks that neither a shell nor this
/// syntax gives a meaning; in a path the marks of globs stay as they are.
fn encode(value: &str, glob: bool) -> String {
    let mut out = String::with_capacity(value.len());
    let mut buffer = [0; 4];
    for c in value.chars() {
        if c.is_alphanumeric() || "-._~/:@+".contains(c) || (glob && "*?[]{}!".contains(c)) {
            out.push(c);
        } else {
            for byte in c.encode_utf8(&mut buffer).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use gate_model::level::Level;
    use proptest::prelude::*;

    use super::{Match, MatchError, parse};
    use gate_model::path_glob::PathGlobError;

    #[test]
    fn all_keys_in_any_order() {
        let parsed =
            parse("count=3,severity=7.5,level=error,tool=Trivy,fingerprint=f%3D1,package=openssl,path=a/*,rule=CVE-1")
                .unwrap();
        assert_eq!(parsed.rule, "CVE-1");
        assert_eq!(parsed.fingerprint.as_deref(), Some("f=1"));
        assert_eq!((parsed.level, parsed.count), (Some(Level::Error), Some(3)));
        let evidence = parsed.evidence(Level::Note, 9);
        assert_eq!((evidence.level, evidence.count), (Level::Error, 3));
        assert_eq!(evidence.security_severity, "7.5".parse().ok());
    }

    #[test]
    fn each_defect_has_its_own_message() {
        let cases = [
            ("", MatchError::NotAPair(String::new())),
            ("rule", MatchError::NotAPair("rule".into())),
            ("rule=A,path=src/a,b", MatchError::NotAPair("b".into())),
            ("rule=A,paht=src/a", MatchError::UnknownKey("paht".into())),
            ("Rule=A,path=src/a", MatchError::UnknownKey("Rule".into())),
            ("rule=A,rule=B,path=src/a", MatchError::Doubled("rule")),
            ("rule=A,path=src/a,path=src/b", MatchError::Doubled("path")),
            ("rule=A,path=x,level=note,level=note", MatchError::Doubled("level")),
            ("rule=,path=src/a", MatchError::Empty("rule")),
            ("rule=A,path=", MatchError::Empty("path")),
            ("path=src/a", MatchError::NoRule),
            ("rule=A", MatchError::RuleAlone),
            ("rule=A,tool=t,level=error,count=1", MatchError::RuleAlone),
            ("rule=B*,path=src/a", MatchError::GlobRule("B*".into())),
            ("rule=A,package=%zz", MatchError::Percent("package")),
            ("rule=A,package=a%", MatchError::Percent("package")),
            ("rule=A,package=%ff", MatchError::NotUtf8("package")),
            ("rule=A,package=%1b", MatchError::Control("package")),
            ("rule=A,package=a%0ab", MatchError::Control("package")),
            ("rule=A,package=x,level=fatal", MatchError::Level("fatal".into())),
            ("rule=A,package=x,severity=high", MatchError::Severity("high".into())),
            ("rule=A,package=x,severity=11", MatchError::Severity("11".into())),
            ("rule=A,package=x,count=0", MatchError::Count("0".into())),
            ("rule=A,package=x,count=+1", MatchError::Count("+1".into())),
            ("rule=A,package=x,count=-1", MatchError::Count("-1".into())),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text), Err(error), "{text}");
        }
        let too_wide = parse("rule=A,path=**");
        assert!(matches!(too_wide, Err(MatchError::Path { error: PathGlobError::FirstSegment(_), .. })));
        assert!(parse("rule=A,path=src/..%2Fetc").is_err());
    }

    #[test]
    fn messages_have_a_remedy_and_show_control_characters_inert() {
        let message = parse("rule=A,\u{1b}[31m=x").unwrap_err().to_string();
        assert!(message.contains("\\u{1b}") && !message.contains('\u{1b}'), "{message}");
        assert_eq!(message.lines().count(), 2);
    }

    #[test]
    fn hostile_names_are_printed_inert() {
        let hostile = Match {
            rule: "x';rm -rf ~;$(id)`id`,path=**".into(),
            fingerprint: Some("a\"b\u{202e}c\\d %".into()),
            ..Match::default()
        };
        let text = hostile.to_string();
        assert!(!text.contains(['\'', '"', '`', '$', ' ', ';', '(', '\\', '\u{202e}']), "{text}");
        assert_eq!(parse(&text), Ok(hostile));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(rule in "\\PC{1,12}", package in proptest::option::of("\\PC{1,12}"), fingerprint in "\\PC{1,12}",
                                      path in proptest::option::of("[a-z]{1,3}/[a-z*,= %é]{1,8}"), count in proptest::option::of(1u64..99)) {
            prop_assume!(path.as_deref().is_none_or(|p| gate_model::path_glob::PathGlob::parse(p).is_ok()));
            let original = Match { rule, path, package, fingerprint: Some(fingerprint), tool: None, level: Some(Level::Note), severity: "7.5".parse().ok(), count };
            prop_assert_eq!(parse(&original.to_string()), Ok(original));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = parse(&text);
        }
    }
}
