//! The package that a vulnerability is in. SARIF has no member for it, so each tool has a place of its own:
//! a property, a logical location that is a purl, or the words of the message.

use std::borrow::Cow;

use gate_model::score::Score;
use serde::{Deserialize, Deserializer};

use crate::json::wire::{Loose, fold_list, fold_members};
use crate::wording;

/// A package's name, with the rank of the place it comes from: lower is better.
#[derive(Debug, Default)]
pub(super) struct Named<'a>(Option<(usize, Cow<'a, str>)>);

impl<'a> Named<'a> {
    fn offer(&mut self, rank: usize, name: Cow<'a, str>) {
        if !name.trim().is_empty() && self.0.as_ref().is_none_or(|(best, _)| rank < *best) {
            self.0 = Some((rank, name));
        }
    }

    /// Keeps what is there, else takes the other.
    pub(super) fn or(&mut self, other: Self) {
        if self.0.is_none() {
            self.0 = other.0;
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.0.as_ref().map(|(_, name)| name.trim())
    }
}

/// The property that says how grave a finding is on the scale of CVSS.
const SEVERITY: &str = "security-severity";

/// Names of properties that hold a package, best first.
const PROPERTIES: [&str; 6] = ["package", "packageName", "package_name", "pkgName", "PkgName", "purl"];

/// What the property bag of a result or a rule tells.
#[derive(Debug, Default)]
pub(super) struct Properties<'a> {
    pub(super) package: Named<'a>,
    pub(super) severity: Option<Score>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Properties<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fold_members(deserializer, Self::default(), |found, key, value: Loose<'de>| {
            let rank = PROPERTIES.iter().position(|property| *property == key);
            match (rank, value.0) {
                (Some(rank), Some(value)) => found.package.offer(rank, value),
                (None, Some(value)) if key == SEVERITY => found.severity = value.trim().parse().ok(),
                _ => {}
            }
        })
    }
}

pub(super) fn in_logical_locations<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Named<'de>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", expecting = "a logical location object")]
    struct Wire<'a> {
        #[serde(borrow, default)]
        fully_qualified_name: Loose<'a>,
        #[serde(borrow, default)]
        name: Loose<'a>,
    }
    fold_list(deserializer, Named::default(), |named, next: Wire<'de>| {
        for name in [next.fully_qualified_name.0, next.name.0].into_iter().flatten() {
            if name.starts_with("pkg:") {
                named.offer(0, name);
            }
        }
    })
}

/// A tool that names the package in its message only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    Trivy,
    Grype,
    OsvScanner,
}

impl Speaker {
    /// Whether this is the tool of that name. Another tool's words are not taken for a package.
    pub(super) fn is(self, tool: Option<&str>) -> bool {
        let word = match self {
            Self::Trivy => "trivy",
            Self::Grype => "grype",
            Self::OsvScanner => "osv-scanner",
        };
        tool.is_some_and(|tool| tool.to_ascii_lowercase().contains(word))
    }
}

/// The package in the words of a message, and who speaks so:
/// Trivy `Package: NAME` as the first line; Grype `… vulnerability in TYPE package: NAME, version …`;
/// OSV-Scanner `Package 'NAME@VERSION' is vulnerable to …`.
pub(super) fn in_message(message: &str) -> Option<(Speaker, &str)> {
    let line = message.lines().next()?;
    let found = if let Some(name) = line.strip_prefix("Package: ") {
        (Speaker::Trivy, name)
    } else if let Some(rest) = line.strip_prefix("Package '") {
        let (package, _) = rest.split_once("' is vulnerable")?;
        (Speaker::OsvScanner, package.rsplit_once('@').map_or(package, |(name, _)| name))
    } else {
        const MARK: &str = " package: ";
        let rest = &line[memchr::memmem::find(line.as_bytes(), MARK.as_bytes())? + MARK.len()..];
        (Speaker::Grype, rest.split_once(", version ")?.0)
    };
    Some((found.0, found.1.trim())).filter(|(_, name)| !name.is_empty())
}

/// What the words of a message, or of the help for a rule, say of a fix: its version, nothing (`""`) where they say that
/// there is none; `None` where they do not speak of it. Trivy writes a line `Fixed Version: VERSION`, Grype
/// `Fix Version: VERSION`, both empty without a fix; OSV-Scanner has a heading `### Fixed Versions` only where there is
/// one.
pub(super) fn fix_in(words: &str) -> Option<&str> {
    words.lines().map(str::trim).find_map(|line| {
        let version = line.strip_prefix("Fixed Version:").or_else(|| line.strip_prefix("Fix Version:"));
        version.map(str::trim).or_else(|| (line == "### Fixed Versions").then_some(wording::FIX))
    })
}

/// Whether `message` is all that Trivy writes about a package: name, version, and the rule as the vulnerability. Its
/// results are often passed on under another tool's name.
pub(super) fn is_whole(message: &str, rule: &str) -> bool {
    let mut lines = message.lines();
    let starts = |line: Option<&str>, word: &str| line.is_some_and(|line| line.starts_with(word));
    starts(lines.next(), "Package: ")
        && starts(lines.next(), "Installed Version: ")
        && lines
            .next()
            .and_then(|line| line.strip_prefix("Vulnerability "))
            .is_some_and(|id| id.trim() == rule)
}

#[cfg(test)]
mod tests {
    use super::{Speaker, fix_in, in_message};

    #[test]
    fn a_fix_is_found_in_the_words_of_three_tools() {
        for (words, expected) in [
            ("Package: a\nInstalled Version: 1\nFixed Version: 1.1, 2.0\nLink: x", Some("1.1, 2.0")),
            ("Package: a\nInstalled Version: 1\nFixed Version: \nLink: x", Some("")),
            ("Vulnerability CVE-1\nPackage: a\nFix Version: 2\nType: deb", Some("2")),
            ("## Remediation\n\n### Fixed Versions\n\n| Vulnerability ID |", Some("available")),
            ("Package 'a@1' is vulnerable to 'CVE-1'.", None),
        ] {
            assert_eq!(fix_in(words), expected, "{words}");
        }
    }

    #[test]
    fn packages_are_found_in_the_words_of_three_tools() {
        for (message, expected) in [
            (
                "Package: libssl3\nInstalled Version: 3.0.2\nVulnerability CVE-1",
                Some((Speaker::Trivy, "libssl3")),
            ),
            (
                "A high vulnerability in python package: requests, version 2.0.0 was found at: /app/req.txt",
                Some((Speaker::Grype, "requests")),
            ),
            ("Package '@scope/x@1.2.3' is vulnerable to 'CVE-1'.", Some((Speaker::OsvScanner, "@scope/x"))),
            ("Package: ", None),
            ("import of package: x", None),
        ] {
            assert_eq!(in_message(message), expected, "{message}");
        }
        assert!(
            Speaker::Trivy.is(Some("Trivy")) && !Speaker::Trivy.is(Some("other")) && !Speaker::Grype.is(None)
        );
    }
}
