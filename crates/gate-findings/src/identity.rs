//! What makes two findings the same one.
//!
//! The report's own fingerprints, all of them by name (SARIF 2.1.0 §3.27.16, §3.27.17): of each name that both have,
//! the latest version that both have counts; one that differs makes two findings. Where no name is common, gate's own
//! fingerprint, which [`crate::wording`] makes.

use std::collections::BTreeMap;

use crate::wording;

/// More names than this are not kept.
pub(crate) const NAMES: usize = 16;

/// Fingerprints by their name, which may end with a version, as in `name/v2`.
pub(crate) type Named = BTreeMap<String, String>;

/// Whether two sets of fingerprints agree; `None` where they have no name in common.
pub(crate) fn agree(one: &Named, other: &Named) -> Option<bool> {
    let mut latest: BTreeMap<&str, (u32, bool)> = BTreeMap::new();
    for (name, value) in one {
        let Some(found) = other.get(name) else { continue };
        let (stem, version) = parts(name);
        let seen = latest.entry(stem).or_insert((version, true));
        if version >= seen.0 {
            *seen = (version, value == found);
        }
    }
    (!latest.is_empty()).then(|| latest.values().all(|(_, same)| *same))
}

/// The latest version of each name.
pub(crate) fn latest(named: &Named) -> BTreeMap<&str, &str> {
    let mut latest: BTreeMap<&str, (u32, &str)> = BTreeMap::new();
    for (name, value) in named {
        let (stem, version) = parts(name);
        let seen = latest.entry(stem).or_insert((version, value));
        if version >= seen.0 {
            *seen = (version, value);
        }
    }
    latest.into_iter().map(|(name, (_, value))| (name, value)).collect()
}

/// The name without its version, and the version.
fn parts(name: &str) -> (&str, u32) {
    let versioned = name.rsplit_once('/');
    let version =
        versioned.and_then(|(stem, version)| Some((stem, version.strip_prefix('v')?.parse().ok()?)));
    version.unwrap_or((name, 0))
}

/// A fingerprint of gate's own apart: what was found, and where. Any other fingerprint is all of it the first.
fn apart(fingerprint: &str) -> (&str, Option<&str>) {
    let own = fingerprint.strip_prefix(wording::OWN).and_then(|_| fingerprint.rsplit_once(wording::PLACE));
    own.map_or((fingerprint, None), |(what, place)| (what, Some(place)))
}

/// What was found, without the file that it was found in.
pub(crate) fn what(fingerprint: &str) -> &str {
    apart(fingerprint).0
}

/// Whether two fingerprints are of the same finding, in the same file.
pub(crate) fn meet(one: &str, other: &str) -> bool {
    one == other
}

/// Whether two fingerprints are of the same finding, whatever file it is in.
pub(crate) fn meet_elsewhere(one: &str, other: &str) -> bool {
    what(one) == what(other)
}

/// The fingerprint that a finding would have in the file `path`.
pub(crate) fn moved(fingerprint: &str, path: &str) -> String {
    match apart(fingerprint) {
        (what, Some(_)) => wording::placed(what.to_owned(), Some(path)),
        (whole, None) => whole.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Named, agree};

    fn named(pairs: &[(&str, &str)]) -> Named {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_latest_version_that_both_have_decides_for_each_name() {
        let old = named(&[("h/v1", "1"), ("s", "x")]);
        for (new, expected) in [
            (named(&[("h/v1", "1"), ("h/v2", "2"), ("s", "x")]), Some(true)),
            (named(&[("h/v1", "9"), ("s", "x")]), Some(false)),
            (named(&[("h/v2", "2"), ("s", "x")]), Some(true)),
            (named(&[("h/v2", "2")]), None),
            (named(&[]), None),
        ] {
            assert_eq!(agree(&old, &new), expected, "{new:?}");
            assert_eq!(agree(&new, &old), expected, "{new:?}");
        }
        let (one, two) = (named(&[("h/v9", "9"), ("h/v10", "a")]), named(&[("h/v9", "9"), ("h/v10", "b")]));
        assert_eq!(agree(&one, &two), Some(false), "versions are numbers");
        let (one, two) = (named(&[("h/v1", "8"), ("h/v2", "a")]), named(&[("h/v1", "9"), ("h/v2", "a")]));
        assert_eq!(agree(&one, &two), Some(true), "an earlier version does not matter");
    }
}
