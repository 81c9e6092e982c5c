//! The `allowed_signers` file: which keys stand for whom (ssh-keygen(1), ALLOWED SIGNERS).
//!
//! ```text
//! # principals          options                                      key
//! alice@example.com     namespaces="gate-*",valid-after="20260101Z"  ssh-ed25519 AAAA… comment
//! *@example.com         cert-authority                               ssh-ed25519 AAAA…
//! carol@example.com     no-touch-required                            sk-ssh-ed25519@openssh.com AAAA…
//! ```
//!
//! The file is OpenSSH's, read more strictly, because here a misread line decides who may approve:
//!
//! - a malformed line is an error with line and column; OpenSSH skips it and goes on;
//! - a time needs its `Z`; OpenSSH reads one without in the local zone, and two machines then disagree;
//! - a line that counts holds no control, bidirectional or zero-width character, and none ends with a carriage
//!   return, since the file becomes part of a ledger;
//! - quotes stand around a whole word; a list that could never match is an error;
//! - `no-touch-required` is ours, with the meaning that it has in sshd's `authorized_keys`.
//!
//! Not here: which principal may do what; that is the policy's.

mod line;
mod options;

use gate_model::time::Timestamp;

use super::Namespace;
use super::key::PublicKey;
use super::pattern::{Match, PatternList};

pub use line::LineError;

/// The longest file that is read, in bytes.
pub const MAX_FILE: usize = 1024 * 1024;

/// The lines of an `allowed_signers` file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedSigners {
    pub(super) lines: Vec<SignerLine>,
}

/// One line: whom a key stands for, and under which conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignerLine {
    /// Its place in the file, from 1.
    pub(super) number: usize,
    pub(super) principals: PatternList,
    pub(super) options: Options,
    pub(super) key: PublicKey,
}

/// The conditions of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// The key is an authority whose certificates are believed, and signs nothing itself.
    pub(super) cert_authority: bool,
    /// A security key need not have been touched.
    pub(super) no_touch_required: bool,
    /// The namespaces in which the key is trusted; all where there is no list.
    pub(super) namespaces: Option<PatternList>,
    /// Trusted from then on (inclusive).
    pub(super) valid_after: Option<Timestamp>,
    /// Trusted until then (exclusive).
    pub(super) valid_before: Option<Timestamp>,
}

/// How a file of keys stands for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// A line, or a certificate, says the name.
    Literal,
    /// Only a pattern fits it: whoever holds the key chooses the name, and approves nothing.
    Pattern,
}

impl AllowedSigners {
    /// How many keys and authorities the file lists.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether the file lists nobody.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How the file lets `name` sign in `namespace`: by a line that names it or by an authority, by a pattern with
    /// wildcards only, or not at all. Whether a key is valid now is another question.
    pub fn naming(&self, name: &str, namespace: Namespace) -> Option<Naming> {
        let for_it = |line: &&SignerLine| {
            let list = line.options.namespaces.as_ref();
            list.is_none_or(|list| list.matches(namespace.as_str()).is_some())
        };
        let named = self.lines.iter().filter(for_it).filter_map(|line| {
            let how = line.principals.matches(name)?;
            // An authority's certificate names its holder literally.
            Some(if how == Match::Exact || line.options.cert_authority {
                Naming::Literal
            } else {
                Naming::Pattern
            })
        });
        named.min()
    }

    /// The fingerprint of each key and authority that the file lists, in the file's order.
    pub fn fingerprints(&self) -> impl Iterator<Item = String> {
        self.lines.iter().map(|line| line.key.fingerprint())
    }
}

/// Reads the text of an `allowed_signers` file.
///
/// ```
/// use gate_identity::ssh::allowed_signers;
/// let errors = allowed_signers::parse("alice@example.com valid-after=\"20260101\" ssh-ed25519 AAAA").unwrap_err();
/// assert_eq!((errors[0].line, errors[0].column), (1, 32));
/// assert!(errors[0].help.contains("20260101Z"));
/// ```
///
/// # Errors
/// Every malformed line, in the file's order.
pub fn parse(text: &str) -> Result<AllowedSigners, Vec<LineError>> {
    if text.len() > MAX_FILE {
        let message = format!("the file is {} bytes long; at most {MAX_FILE} are read", text.len());
        return Err(vec![LineError::new(
            1,
            1,
            message,
            "list fewer keys, or one cert-authority for them all",
        )]);
    }
    let mut signers = AllowedSigners::default();
    let mut errors = Vec::new();
    for (index, content) in text.split('\n').enumerate() {
        match line::parse(index + 1, content) {
            Ok(Some(line)) => signers.lines.push(line),
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(signers) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::{LineError, MAX_FILE, Namespace, Naming, parse};
    use proptest::prelude::*;

    /// The public key of 32 bytes 01, which has no known private half.
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

    fn error(line: &str) -> LineError {
        parse(line).unwrap_err().remove(0)
    }

    #[test]
    fn a_name_is_listed_literally_by_a_pattern_or_for_another_purpose_only() {
        let text = format!(
            "alice@x,!bob@x namespaces=\"gate-request\" {KEY}\n*@x namespaces=\"gate-approval\" {KEY}\n*@y cert-authority {KEY}\n"
        );
        let signers = parse(&text).unwrap();
        assert_eq!(signers.naming("alice@x", Namespace::Request), Some(Naming::Literal));
        assert_eq!(signers.naming("alice@x", Namespace::Approval), Some(Naming::Pattern));
        assert_eq!(signers.naming("carol@y", Namespace::Policy), Some(Naming::Literal));
        assert_eq!(signers.naming("bob@x", Namespace::Request), None);
        assert_eq!(signers.naming("alice@x", Namespace::Review), None);
    }

    #[test]
    fn a_line_has_principals_options_key_and_comment() {
        let text = format!(
            "alice@example.com,!bob namespaces=\"gate-*\",valid-after=\"20260102Z\" {KEY} a comment\n"
        );
        let signers = parse(&text).unwrap();
        assert_eq!((signers.len(), signers.is_empty()), (1, false));
        let line = &signers.lines[0];
        assert_eq!(line.options.valid_after.unwrap().to_string(), "2026-01-02T00:00:00.000000Z");
        assert!(signers.fingerprints().all(|key| key.starts_with("SHA256:") && !key.ends_with('=')));
    }

    #[test]
    fn an_error_names_line_and_column_in_characters() {
        let place = |text: &str| {
            let error = parse(text).unwrap_err().remove(0);
            (error.line, error.column)
        };
        assert_eq!(place(&format!("# ok\n\nélise@example.com valid-after=\"2026\" {KEY}")), (3, 32));
        assert_eq!(place(&format!("a {KEY}\n  b nonsense {KEY}")), (2, 5));
        assert_eq!(place("a ssh-ed25519 !!!"), (1, 15));
        assert_eq!(place("a"), (1, 2));
    }

    #[test]
    fn every_malformed_line_is_reported() {
        let errors = parse(&format!("a\nb {KEY}\nc x {KEY}\n")).unwrap_err();
        assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [1, 3]);
        assert!(errors[0].to_string().starts_with("line 1, column 2: the line ends before its key; write:"));
    }

    #[test]
    fn a_time_without_zone_is_refused_with_the_time_to_write() {
        let error = error(&format!("a valid-before=\"202601021530\" {KEY}"));
        assert_eq!(error.help, "write 202601021530Z for UTC");
    }

    #[test]
    fn times_that_do_not_exist_are_refused_each_with_its_own_words() {
        for (time, words) in [
            ("20260230Z", "is not a time that exists"),
            ("20261301Z", "is not a time that exists"),
            ("20260101240000Z", "is not a time that exists"),
            ("20161231235960Z", "names a leap second"),
            ("00000101Z", "is outside the years 0001 to 9999"),
            ("100000101Z", "is not a time"),
            ("2026-01-01Z", "is not a time"),
            ("'20260101Z'", "is not a time"),
            ("Z", "is not a time"),
            ("+2026010Z", "is not a time"),
        ] {
            let found = error(&format!("a valid-after=\"{time}\" {KEY}"));
            assert!(found.message.contains(words), "{time}: {found}");
        }
    }

    #[test]
    fn options_given_twice_or_misspelt_are_refused() {
        let message = |options: &str| error(&format!("a {options} {KEY}")).message;
        assert!(message("cert-authority,cert-authority").contains("stands twice"));
        assert!(message("namespaces=\"a\",NAMESPACES=\"b\"").contains("stands twice"));
        assert!(message("namespace=\"a\"").contains("neither an option nor a key type"));
        assert!(message("cert-authority=\"yes\"").contains("a comma is missing"));
        assert!(message("cert-authority,").contains("neither an option nor a key type"));
        assert!(message("namespaces=\"!git\"").contains("only negated"));
        assert!(message("cert-authority no-touch-required").contains("is not a key type"));
    }

    #[test]
    fn a_certificate_in_place_of_a_key_is_refused_with_a_remedy() {
        assert!(error("a ssh-ed25519-cert-v01@openssh.com AAAA").help.contains("cert-authority"));
    }

    #[test]
    fn invisible_characters_are_refused_outside_comments() {
        assert!(error(&format!("\u{feff}a {KEY}")).message.contains("U+FEFF"));
        assert!(error(&format!("a\u{0}b {KEY}")).message.contains("U+0000"));
        assert!(error(&format!("a {KEY}\u{1b}[2J")).message.contains("U+001B"));
        assert!(parse("# \u{1b}[2J\n").is_ok());
        for invisible in ['\u{200b}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{ad}', '\u{2028}', '\u{e0041}'] {
            let found = error(&format!("al{invisible}ice {KEY}"));
            assert_eq!((found.line, found.column), (1, 3), "{found}");
            assert!(found.message.contains(&format!("U+{:04X}", u32::from(invisible))), "{found}");
        }
    }

    #[test]
    fn a_carriage_return_at_the_end_of_a_line_has_its_own_remedy() {
        let found = error(&format!("a {KEY}\r\n"));
        assert!(found.message.contains("U+000D") && found.help.contains("LF line ends"), "{found}");
    }

    #[test]
    fn a_giant_file_is_refused() {
        assert!(error(&"#".repeat(MAX_FILE + 1)).message.contains("at most"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"[a-z"=, \t\n!*#\\é]{0,60}"#) {
            let _ = parse(&text);
            let _ = parse(&format!("a {text} {KEY}"));
        }
    }
}
