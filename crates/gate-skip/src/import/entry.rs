//! What an ignore file wants ignored, whatever its format, and which findings that is.

use gate_model::finding::Evidence;
use gate_model::glob::Steps;
use gate_model::path_glob::PathGlob;
use gate_model::time::Timestamp;

/// One entry of an ignore file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Entry {
    /// Its line, from 1.
    pub(crate) line: usize,
    /// The ids of the rule: one of them has to be the finding's.
    pub(crate) rules: Vec<String>,
    /// The package, by name or as a purl; any where it is not said.
    pub(crate) package: Option<String>,
    /// The globs over paths; any where there are none.
    pub(crate) paths: Vec<String>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// When it ends.
    pub(crate) ends: Option<Timestamp>,
    /// How many findings it accepts at most, where it counts them.
    pub(crate) most: Option<u64>,
}

/// An entry that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Untaken {
    /// Its line, from 1; 0 where it is the file itself.
    pub(crate) line: usize,
    /// Which.
    pub(crate) entry: String,
    /// Why not.
    pub(crate) why: String,
}

/// What was read of a file: what can be asked for, and what cannot.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    pub(crate) untaken: Vec<Untaken>,
}

impl Found {
    /// Takes the entry, once for each of the packages that it names; without one it is about any.
    pub(crate) fn take(&mut self, entry: &Entry, packages: Vec<String>) {
        if packages.is_empty() {
            self.entries.push(entry.clone());
        }
        self.entries.extend(packages.into_iter().map(|id| Entry { package: Some(id), ..entry.clone() }));
    }

    /// Takes note of what cannot be taken.
    pub(crate) fn refuse(&mut self, line: usize, entry: impl Into<String>, why: impl Into<String>) {
        self.untaken.push(Untaken { line, entry: entry.into(), why: why.into() });
    }
}

impl Entry {
    /// The entry as messages name it.
    pub(crate) fn shown(&self) -> String {
        let rule = self.rules.first().map_or("", String::as_str);
        let package = self.package.as_ref().map(|package| format!(" in {package}")).unwrap_or_default();
        let paths =
            if self.paths.is_empty() { String::new() } else { format!(" at {}", self.paths.join(", ")) };
        gate_model::text::visible(&format!("{rule}{package}{paths}"))
    }

    /// Whether it is about the finding that exact evidence describes.
    pub(crate) fn fits(&self, found: &Evidence) -> bool {
        self.rules.iter().any(|rule| is_rule(rule, found))
            && self
                .package
                .as_ref()
                .is_none_or(|package| found.package.as_ref().is_some_and(|of| bare(of) == bare(package)))
            && (self.paths.is_empty() || self.paths.iter().any(|glob| is_path(glob, found)))
    }
}

/// Whether `id` names the rule of a finding. Grype appends the package to the id of a vulnerability.
fn is_rule(id: &str, found: &Evidence) -> bool {
    let with_package = || found.package.as_ref().map(|package| format!("{id}-{}", bare(package)));
    found.rule == id || with_package().as_deref() == Some(found.rule.as_str())
}

fn is_path(glob: &str, found: &Evidence) -> bool {
    let Some(path) = gate_findings::evidence::as_finding(found).path else { return false };
    path == glob || PathGlob::parse(glob).is_ok_and(|glob| glob.fits(&path, &Steps::default()))
}

/// A package's name: of a purl without type and version, of `name@version` without the version.
pub(crate) fn bare(package: &str) -> String {
    let Some(rest) = package.strip_prefix("pkg:") else {
        let version = package.char_indices().rfind(|(at, c)| *c == '@' && *at > 0);
        return version.map_or(package, |(at, _)| &package[..at]).to_owned();
    };
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let name = path.split_once('/').map_or(path, |(_, name)| name);
    let name = name.rsplit_once('@').map_or(name, |(name, _)| name);
    let decoded =
        gate_model::percent::decode(name.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or_else(|| name.to_owned())
}

/// A day or an instant, as ignore files write them. A day ends where it begins: no longer than was written.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let day = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let whole = if day { format!("{text}T00:00:00Z") } else { text.replacen(' ', "T", 1) };
    let has_zone = whole.ends_with('Z') || whole.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    Timestamp::parse(&if has_zone { whole } else { format!("{whole}Z") }).ok()
}

#[cfg(test)]
mod tests {
    use super::{bare, instant};

    #[test]
    fn packages_are_compared_by_their_names() {
        for (package, expected) in [
            ("pkg:npm/%40scope/x@1.2?arch=a", "@scope/x"),
            ("pkg:deb/debian/openssl@3", "debian/openssl"),
            ("lodash@4.17", "lodash"),
            ("@scope/x@1", "@scope/x"),
            ("@scope/x", "@scope/x"),
            ("plain", "plain"),
        ] {
            assert_eq!(bare(package), expected, "{package}");
        }
    }

    #[test]
    fn an_end_is_a_day_or_an_instant() {
        for (text, expected) in [
            ("2030-01-02", Some("2030-01-02T00:00:00.000000Z")),
            ("2030-01-02T03:04:05Z", Some("2030-01-02T03:04:05.000000Z")),
            ("2030-01-02T03:04:05.000Z", Some("2030-01-02T03:04:05.000000Z")),
            ("2030-01-02 03:04:05", Some("2030-01-02T03:04:05.000000Z")),
            ("2030-01-02T03:04:05+01:00", Some("2030-01-02T02:04:05.000000Z")),
            ("tomorrow", None),
            ("2030-13-01", None),
        ] {
            assert_eq!(instant(text).map(|at| at.to_string()).as_deref(), expected, "{text}");
        }
    }
}
