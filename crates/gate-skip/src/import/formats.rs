//! The formats of ignore files, each read into entries with their lines.
//!
//! | file | entries |
//! | --- | --- |
//! | `.trivyignore` | a line `ID [exp:DAY]`; the comment above it is the reason |
//! | `.trivyignore.yaml` | lists of `id`, `paths`, `purls`, `expired_at`, `statement` |
//! | `osv-scanner.toml` | `[[IgnoredVulns]]` with `id`, `ignoreUntil`, `reason` |
//! | `.snyk` | `ignore`: by id a list of paths of packages with `reason` and `expires` |
//! | `deny.toml`, `audit.toml` | `[advisories] ignore`: ids, or `{ id, reason }` |
//! | waivers of `InSpec` | by control `justification`, `expiration_date`, `run` |
//! | `OpenVEX` | statements that are `not_affected` |
//! | baselines of bandit and semgrep | the results of a report in JSON |
//!
//! Whatever is about more than single findings (all of a package, all of a licence) cannot be taken: a waiver names what it
//! accepts. JSON is read as YAML, which it is, so that each entry has its line.

use std::path::Path;

use super::entry::{Found, instant};
use super::{toml_files, yaml_files};

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    TrivyLines,
    Trivy,
    Osv,
    Snyk,
    Advisories,
    Inspec,
    /// `OpenVEX`, or a report as a baseline: told apart by what is in it.
    Json,
}

/// The format of a file, by its name.
pub(crate) fn of(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    Some(match name.as_str() {
        ".snyk" => Format::Snyk,
        name if name.ends_with("trivyignore") => Format::TrivyLines,
        name if name.contains("trivyignore") => Format::Trivy,
        "osv-scanner.toml" => Format::Osv,
        "deny.toml" | ".deny.toml" | "audit.toml" => Format::Advisories,
        name => match name.rsplit_once('.')?.1 {
            "yaml" | "yml" => Format::Inspec,
            "json" => Format::Json,
            _ => return None,
        },
    })
}

/// Reads `text`.
///
/// # Errors
/// Why nothing of it can be read.
pub(crate) fn read(format: Format, text: &str) -> Result<Found, String> {
    match format {
        Format::TrivyLines => Ok(trivy_lines(text)),
        Format::Osv => toml_files::osv(text),
        Format::Advisories => toml_files::advisories(text),
        Format::Trivy => yaml_files::trivy(text),
        Format::Snyk => yaml_files::snyk(text),
        Format::Inspec => yaml_files::inspec(text),
        Format::Json => yaml_files::json(text),
    }
}

fn trivy_lines(text: &str) -> Found {
    let mut found = Found::default();
    let mut comment: Option<String> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(words) = line.strip_prefix('#') {
            let words = words.trim();
            comment = Some(comment.map_or(words.to_owned(), |before| format!("{before} {words}")));
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(id) = words.next() else {
            comment = None;
            continue;
        };
        let mut entry = super::Entry { line: number, rules: vec![id.to_owned()], ..super::Entry::default() };
        entry.reason = comment.take().filter(|words| !words.is_empty());
        for word in words.take_while(|word| !word.starts_with('#')) {
            match word.strip_prefix("exp:").map(instant) {
                Some(Some(ends)) => entry.ends = Some(ends),
                _ => {
                    found.refuse(
                        number,
                        line,
                        format!("'{word}' is not understood; an end is written exp:2030-12-31"),
                    );
                }
            }
        }
        found.entries.push(entry);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Format, read};

    fn entries(format: Format, text: &str) -> Vec<String> {
        let found = read(format, text).unwrap();
        assert_eq!(found.untaken, []);
        let one = |entry: &crate::import::Entry| {
            let ends = entry.ends.map(|ends| ends.to_string()[..10].to_owned()).unwrap_or_default();
            format!("{}: {} | {} | {ends}", entry.line, entry.shown(), entry.reason.as_deref().unwrap_or(""))
        };
        found.entries.iter().map(one).collect()
    }

    fn untaken(format: Format, text: &str) -> Vec<(usize, String)> {
        read(format, text).unwrap().untaken.into_iter().map(|one| (one.line, one.entry)).collect()
    }

    #[test]
    fn trivy() {
        let lines = "# not reachable\n# at all\nCVE-1 exp:2030-01-02\n\n# a header\n\nAVD-2 # kept\n";
        assert_eq!(
            entries(Format::TrivyLines, lines),
            ["3: CVE-1 | not reachable at all | 2030-01-02", "7: AVD-2 |  | "]
        );
        assert_eq!(untaken(Format::TrivyLines, "CVE-1 exp:soon\n"), [(1, "CVE-1 exp:soon".to_owned())]);
        let yaml = "vulnerabilities:\n  - id: CVE-1\n    paths:\n      - src/a\n    purls: ['pkg:npm/x@1']\n    \
                    expired_at: 2030-01-02\n    statement: not reachable\nsecrets:\n  - id: key\n";
        assert_eq!(
            entries(Format::Trivy, yaml),
            ["2: CVE-1 in pkg:npm/x@1 at src/a | not reachable | 2030-01-02", "9: key |  | "]
        );
    }

    #[test]
    fn osv_scanner_and_advisories() {
        let toml = "[[IgnoredVulns]]\nid = \"GO-1\"\nignoreUntil = 2030-01-02\nreason = \"no\"\n";
        assert_eq!(entries(Format::Osv, toml), ["2: GO-1 | no | 2030-01-02"]);
        let toml = "[[PackageOverrides]]\nname = \"lib\"\nignore = true\n";
        assert_eq!(untaken(Format::Osv, toml), [(2, "lib".to_owned())]);
        let toml = "[advisories]\nignore = [\n  \"RUSTSEC-1\",\n  { id = \"RUSTSEC-2\", reason = \"no\" },\n  { crate = \"x\" },\n]\n";
        let found = read(Format::Advisories, toml).unwrap();
        assert_eq!(
            found.entries.iter().map(|e| (e.line, e.shown())).collect::<Vec<_>>(),
            [(3, "RUSTSEC-1".to_owned()), (4, "RUSTSEC-2".to_owned())]
        );
        assert_eq!(found.untaken[0].line, 5);
    }

    #[test]
    fn snyk_and_inspec() {
        let yaml = "version: v1.25.0\nignore:\n  SNYK-1:\n    - 'a > lodash@4.17':\n        reason: none\n        expires: 2030-01-02T00:00:00.000Z\n    - '*':\n        reason: all\npatch: {}\n";
        assert_eq!(
            entries(Format::Snyk, yaml),
            ["4: SNYK-1 in lodash@4.17 | none | 2030-01-02", "7: SNYK-1 | all | "]
        );
        let yaml = "control_01:\n  expiration_date: 2030-01-02\n  justification: not here\n  run: false\n";
        assert_eq!(entries(Format::Inspec, yaml), ["1: control_01 | not here | 2030-01-02"]);
        assert_eq!(untaken(Format::Inspec, "control_01: yes\n"), [(1, "control_01".to_owned())]);
    }

    #[test]
    fn openvex_and_baselines() {
        let vex = "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"statements\":[\n{\"vulnerability\":{\"name\":\"CVE-1\",\
                   \"aliases\":[\"GHSA-1\"]},\"products\":[{\"@id\":\"pkg:oci/app\",\"subcomponents\":[{\"@id\":\"pkg:npm/x@1\"}]}],\
                   \"status\":\"not_affected\",\"justification\":\"component_not_present\"},\n{\"vulnerability\":{\"name\":\"CVE-2\"},\"status\":\"affected\"}]}";
        assert_eq!(entries(Format::Json, vex), ["2: CVE-1 in pkg:npm/x@1 | component_not_present | "]);
        let bandit = "{\"results\":[\n{\"test_id\":\"B101\",\"filename\":\"./src/a.py\",\"line_number\":3}]}";
        assert_eq!(entries(Format::Json, bandit), ["2: B101 at src/a.py |  | "]);
        let semgrep =
            "{\"results\":[\n{\"check_id\":\"rules.x\",\"path\":\"src/a.py\",\"start\":{\"line\":3}}]}";
        assert_eq!(entries(Format::Json, semgrep), ["2: rules.x at src/a.py |  | "]);
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        for (format, text) in [
            (Format::Osv, "id = "),
            (Format::Trivy, "a: [b"),
            (Format::Trivy, "a: 1\na: 2\n"),
            (Format::Json, "{\"runs\":[]}"),
            (Format::Snyk, "- a\n"),
        ] {
            assert!(read(format, text).is_err(), "{text}");
        }
    }
}
