//! Where artifacts are: the run's `artifacts` (§3.14.15) and `originalUriBaseIds` (§3.14.14).

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Deserializer};

use super::result::WireArtifact;
use crate::error::ReportError;
use crate::json::cursor::Cursor;
use crate::json::wire::{Text, fold_members};
use crate::place::{Ground, Place, rest_below};
use crate::{limits, path, wording};

/// Base locations refer to one another at most this often.
const CHAIN: usize = 8;

#[derive(Default)]
pub(super) struct Places {
    artifacts: Option<Vec<Location>>,
    bases: Option<HashMap<String, Location>>,
    /// What stands for the folder of the run, see [`common`].
    common: Option<String>,
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

    pub(super) fn read_bases(
        &mut self,
        cursor: &mut Cursor<'_>,
        place: Place<'_>,
    ) -> Result<(), ReportError> {
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
        let bases = cursor.take::<Bases>()?.0;
        self.common = common(&bases, place);
        self.bases = Some(bases);
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

    /// The path of a finding. A base below the repository's root goes before it. A base elsewhere (a container's root,
    /// another checkout) stands for the folder that the tool ran in; where there are several, what they have in common
    /// does, so that they stay apart.
    pub(super) fn resolve(&self, location: &str, base: Option<&str>, ground: &Ground<'_>) -> Option<String> {
        let Some(name) = base.filter(|_| !path::is_absolute(location) && !location.contains("://")) else {
            return ground.resolve(location);
        };
        match self.base(name, CHAIN) {
            None if name == "%SRCROOT%" => ground.at_root(location),
            None => ground.resolve(location),
            Some(before) if before.contains("://") => ground.resolve(location),
            Some(before) if path::is_absolute(&before) => {
                Some(self.outside(&path::plain(&format!("{before}/{location}")), ground))
            }
            Some(before) => ground.resolve(&format!("{before}/{location}")),
        }
    }

    /// An absolute path below a base.
    fn outside(&self, path: &str, ground: &Ground<'_>) -> String {
        let inside = ground.inside(path).or_else(|| {
            let rest = rest_below(path, self.common.as_ref()?)?;
            Some(ground.in_folder(&rest))
        });
        inside.unwrap_or_else(|| path.to_owned())
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

/// What the bases outside of the repository have in common, with a slash at its end; `None` where several have nothing.
fn common(bases: &HashMap<String, Location>, place: Place<'_>) -> Option<String> {
    let absolute = bases.values().filter(|base| path::is_absolute(&base.path));
    let outside = absolute.filter(|base| place.below(&format!("{}/x", base.path)).is_none());
    let mut paths: Vec<Vec<&str>> =
        outside.map(|base| base.path.split('/').filter(|part| !part.is_empty()).collect()).collect();
    paths.sort();
    paths.dedup();
    let (first, last) = (paths.first()?, paths.last()?);
    let length = first.iter().zip(last).take_while(|(one, other)| one == other).count();
    if length == 0 && paths.len() > 1 {
        return None;
    }
    let drive = if bases.values().any(|base| base.path.starts_with('/')) { "/" } else { "" };
    Some(format!("{drive}{}/", first[..length].join("/")).replace("//", "/"))
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

    use super::{Location, Places, common};
    use crate::place::{Ground, Place};

    /// The paths of `a.py` below each of these bases, in a repository at /ci/repo.
    fn paths(bases: &[(&str, &str, Option<&str>)], names: &[&str]) -> Vec<Option<String>> {
        let bases = bases.iter().map(|(name, path, base)| {
            ((*name).to_owned(), Location { path: (*path).to_owned(), base: base.map(str::to_owned) })
        });
        let bases = bases.collect::<HashMap<_, _>>();
        let roots = ["/ci/repo".to_owned()];
        let place = Place { roots: &roots, ..Place::NOWHERE };
        let places = Places { artifacts: None, common: common(&bases, place), bases: Some(bases) };
        names.iter().map(|name| places.resolve("a.py", Some(name), &Ground::of(place))).collect()
    }

    #[test]
    fn bases_below_the_root_go_before_the_path_and_one_elsewhere_stands_for_it() {
        let bases = [
            ("SUB", "/ci/repo/sub/", None),
            ("ROOTPATH", "/", None),
            ("REL", "nested", Some("SUB")),
            ("PLAIN", "lib/", None),
            ("LOOP", "x", Some("LOOP")),
        ];
        let names = ["SUB", "ROOTPATH", "REL", "PLAIN", "UNKNOWN", "%SRCROOT%"];
        let expected = ["sub/a.py", "a.py", "sub/nested/a.py", "lib/a.py", "a.py", "a.py"];
        assert_eq!(paths(&bases, &names), expected.map(|path| Some(path.to_owned())));
        assert!(paths(&bases, &["LOOP"])[0].as_ref().is_some_and(|path| path.ends_with("x/a.py")));
    }

    #[test]
    fn nested_bases_and_several_absolute_ones_stay_apart() {
        let nested = [
            ("ROOT", "/build/7/", None),
            ("A", "services/a/", Some("ROOT")),
            ("B", "services/b/", Some("ROOT")),
        ];
        let expected = ["services/a/a.py", "services/b/a.py"].map(|path| Some(path.to_owned()));
        assert_eq!(paths(&nested, &["A", "B"]), expected);
        let two = [("A", "/build/7/one/", None), ("B", "/build/7/two/", None)];
        assert_eq!(paths(&two, &["A", "B"]), ["one/a.py", "two/a.py"].map(|path| Some(path.to_owned())));
        let apart = [("A", "/one/", None), ("B", "/two/", None)];
        assert_eq!(paths(&apart, &["A", "B"]), ["/one/a.py", "/two/a.py"].map(|path| Some(path.to_owned())));
    }
}
