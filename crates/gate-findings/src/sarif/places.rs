//! Where artifacts are: the run's `artifacts` (§3.14.15) and `originalUriBaseIds` (§3.14.14).

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Deserializer};

use super::result::WireArtifact;
use crate::error::ReportError;
use crate::json::cursor::Cursor;
use crate::json::wire::{Text, fold_members};
use crate::{limits, path, wording};

/// Base locations refer to one another at most this often.
const CHAIN: usize = 8;

#[derive(Default)]
pub(super) struct Places {
    artifacts: Option<Vec<Location>>,
    bases: Option<HashMap<String, Location>>,
}

/// A path, and the name of the base that it is relative to.
#[derive(Debug, Clone, Default)]
pub(super) struct Location {
    pub(super) path: String,
    pub(super) base: Option<String>,
}

impl Places {
    pub(super) fn read_artifacts(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ReportError> {
        #[derive(Deserialize)]
        #[serde(expecting = "an artifact object")]
        struct Wire<'a> {
            #[serde(borrow)]
            location: Option<WireArtifact<'a>>,
        }
        let artifacts = self.artifacts.get_or_insert_default();
        if !cursor.enter_array_or_null()? {
            return Ok(());
        }
        let mut memory = 0;
        while cursor.element()? {
            let length = cursor.extent()?;
            let wire: Wire<'_> = cursor.parsed(length)?;
            let location = wire.location.map(|location| Location::of(&location)).unwrap_or_default();
            memory +=
                size_of::<Location>() + location.path.len() + location.base.as_ref().map_or(0, String::len);
            // What is left out here only leaves findings without a path, which fits fewer waivers, not more.
            if memory <= limits::TABLES_MEMORY {
                artifacts.push(location);
            }
            cursor.pass(length);
        }
        Ok(())
    }

    pub(super) fn read_bases(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ReportError> {
        struct Bases(HashMap<String, Location>);
        impl<'de> Deserialize<'de> for Bases {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let keep =
                    |bases: &mut HashMap<String, Location>, name: Cow<'de, str>, wire: WireArtifact<'de>| {
                        if bases.len() < 1024 {
                            bases.insert(name.into_owned(), Location::of(&wire));
                        }
                    };
                fold_members(deserializer, HashMap::new(), keep).map(Self)
            }
        }
        self.bases = Some(cursor.take::<Bases>()?.0);
        Ok(())
    }

    pub(super) const fn has_artifacts(&self) -> bool {
        self.artifacts.is_some()
    }

    pub(super) const fn has_bases(&self) -> bool {
        self.bases.is_some()
    }

    /// The location of the artifact with this number.
    pub(super) fn artifact(&self, index: usize) -> Option<&Location> {
        self.artifacts.as_ref()?.get(index).filter(|location| !location.path.is_empty())
    }

    /// The path of a finding. A base below the repository's root goes before it. Any other base (a container's
    /// root, a checkout elsewhere) stands for the root: the path is then the rest, as its tool shows it.
    pub(super) fn resolve(&self, location: &str, base: Option<&str>, root: Option<&Path>) -> Option<String> {
        let alone = || path::normalised(location, root);
        if path::is_absolute(location) || location.contains("://") {
            return alone();
        }
        match base.and_then(|base| self.base(base, CHAIN)) {
            None => alone(),
            Some(before) => {
                let joined = path::normalised(&format!("{before}/{location}"), root)?;
                if path::is_absolute(&joined) || joined.contains("://") { alone() } else { Some(joined) }
            }
        }
    }

    fn base(&self, name: &str, left: usize) -> Option<String> {
        let base = self.bases.as_ref()?.get(name).filter(|base| !base.path.is_empty())?;
        if path::is_absolute(&base.path) || left == 0 {
            return Some(base.path.clone());
        }
        match base.base.as_ref().and_then(|name| self.base(name, left - 1)) {
            Some(before) => Some(format!("{before}/{}", base.path)),
            None => Some(base.path.clone()),
        }
    }
}

impl Location {
    pub(super) fn of(wire: &WireArtifact<'_>) -> Self {
        let text = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.0.as_ref().to_owned());
        Self {
            path: wire.uri.as_ref().map(|uri| wording::path(&path::of_uri(&uri.0))).unwrap_or_default(),
            base: text(&wire.uri_base_id).filter(|base| !base.is_empty() && base.len() <= limits::NAME),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::Path;

    use super::{Location, Places};

    fn places(bases: &[(&str, &str, Option<&str>)]) -> Places {
        let bases = bases.iter().map(|(name, path, base)| {
            ((*name).to_owned(), Location { path: (*path).to_owned(), base: base.map(str::to_owned) })
        });
        Places { artifacts: None, bases: Some(bases.collect::<HashMap<_, _>>()) }
    }

    #[test]
    fn bases_below_the_root_go_before_the_path_and_others_do_not() {
        let places = places(&[
            ("SUB", "/ci/repo/sub/", None),
            ("ROOTPATH", "/", None),
            ("REL", "nested", Some("SUB")),
            ("PLAIN", "lib/", None),
            ("LOOP", "x", Some("LOOP")),
        ]);
        let resolve = |base: &str| places.resolve("a.py", Some(base), Some(Path::new("/ci/repo")));
        assert_eq!(resolve("SUB").as_deref(), Some("sub/a.py"));
        assert_eq!(resolve("ROOTPATH").as_deref(), Some("a.py"));
        assert_eq!(resolve("REL").as_deref(), Some("sub/nested/a.py"));
        assert_eq!(resolve("PLAIN").as_deref(), Some("lib/a.py"));
        assert_eq!(resolve("UNKNOWN").as_deref(), Some("a.py"));
        assert!(resolve("LOOP").is_some_and(|path| path.ends_with("x/a.py")));
        assert_eq!(
            places.resolve("/ci/repo/b", Some("SUB"), Some(Path::new("/ci/repo"))).as_deref(),
            Some("b")
        );
    }
}
