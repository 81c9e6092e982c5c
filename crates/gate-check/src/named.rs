//! The files that an argument names: one file, the reports below a folder, or those that a pattern matches.
//!
//! A pattern is one by its text alone (`*`, `?`, `[` or `{`; a backslash takes their meaning away), never by what lies
//! there: a file that is called like the pattern would otherwise stand for all that it matches. Links to folders are
//! not followed, so that a walk ends and stays where it began.

use std::io::{Error, ErrorKind, Result};
use std::path::{Component, Path, PathBuf};

use gate_model::glob::Glob;

/// The ends of the names that reports in a folder have; a folder of test results holds logs and pages, too.
const ENDS: [&str; 5] = ["sarif", "xml", "json", "jsonl", "ndjson"];

/// More files than this are no report of one run.
const MOST: usize = 10_000;

/// The files that `named`, relative to `cwd`, stands for, by the paths that a person would write, in their order. One
/// name that is neither folder nor pattern stands for itself, whether it is there or not.
///
/// # Errors
/// What keeps a folder from being read; `InvalidInput` with a sentence for what is no pattern, a link, or too much.
pub(crate) fn files(named: &Path, cwd: &Path) -> Result<Vec<PathBuf>> {
    let mut walk = Walk { cwd, found: Vec::new() };
    if is_pattern(named) {
        walk.pattern(named)?;
    } else if is_folder(&cwd.join(named))? {
        walk.folder(named)?;
    } else {
        return Ok(vec![named.to_owned()]);
    }
    walk.found.sort_unstable();
    Ok(walk.found)
}

fn is_pattern(named: &Path) -> bool {
    is_wild(&named.to_string_lossy())
}

fn is_wild(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn is_folder(path: &Path) -> Result<bool> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() && path.is_dir() => Err(refused(
            "it is a link to a folder, which may lead elsewhere in each run; name the folder itself",
        )),
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether nothing is there, as opposed to: nobody can tell.
pub(crate) fn is_absent(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn refused(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, why.into())
}

struct Walk<'a> {
    cwd: &'a Path,
    found: Vec<PathBuf>,
}

impl Walk<'_> {
    /// Every report below `folder`.
    fn folder(&mut self, folder: &Path) -> Result<()> {
        for (path, is_folder) in self.entries(folder)? {
            if is_folder {
                self.folder(&path)?;
            } else if path.extension().and_then(|end| end.to_str()).is_some_and(|end| ENDS.contains(&end)) {
                self.find(path)?;
            }
        }
        Ok(())
    }

    fn pattern(&mut self, named: &Path) -> Result<()> {
        let parts: Vec<Component<'_>> = named.components().collect();
        let plain = parts.iter().take_while(|part| !is_wild(&part.as_os_str().to_string_lossy())).count();
        let base: PathBuf = parts[..plain].iter().collect();
        let rest: PathBuf = parts[plain..].iter().collect();
        let text = rest.to_str().ok_or_else(|| refused("a pattern is UTF-8"))?;
        let glob = Glob::parse(text).map_err(|error| refused(format!("it is no usable pattern: {error}")))?;
        let depth = if text.contains("**") { usize::MAX } else { parts.len() - plain };
        self.below(&base, Path::new(""), depth, &glob)
    }

    /// What `glob` matches below `base`, from its folder `within` on, `depth` levels deep.
    fn below(&mut self, base: &Path, within: &Path, depth: usize, glob: &Glob) -> Result<()> {
        for (path, is_folder) in self.entries(&base.join(within))? {
            let rest = within.join(path.file_name().unwrap_or_default());
            match (glob.is_match(&rest.to_string_lossy()), is_folder) {
                (true, true) => self.folder(&path)?,
                (true, false) => self.find(path)?,
                (false, true) if depth > 1 => self.below(base, &rest, depth - 1, glob)?,
                (false, _) => {}
            }
        }
        Ok(())
    }

    /// What is in `folder`, and whether it is a folder itself; nothing where there is no such folder.
    fn entries(&self, folder: &Path) -> Result<Vec<(PathBuf, bool)>> {
        let listed = match self.cwd.join(folder).read_dir() {
            Ok(listed) => listed,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let one = |entry: Result<std::fs::DirEntry>| {
            let entry = entry?;
            Ok((folder.join(entry.file_name()), entry.file_type()?.is_dir()))
        };
        listed.map(one).collect()
    }

    fn find(&mut self, path: PathBuf) -> Result<()> {
        if self.found.len() >= MOST {
            return Err(refused(format!("it stands for more than {MOST} files; name fewer")));
        }
        self.found.push(path);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::files;
    use std::path::Path;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in [
            "a/r/TEST-1.xml",
            "a/r/TEST-2.xml",
            "a/r/log.txt",
            "a/r/deep/x.sarif",
            "b/r/TEST-3.xml",
            "b/r/*.xml",
            "top.json",
        ] {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        std::os::unix::fs::symlink(dir.path().join("a"), dir.path().join("link")).unwrap();
        dir
    }

    #[test]
    fn a_file_stands_for_itself_a_folder_for_its_reports_and_a_pattern_for_what_it_matches() {
        let dir = tree();
        let names = |named: &str| {
            let found = files(Path::new(named), dir.path()).unwrap();
            found.iter().map(|path| path.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let deep = ["a/r/TEST-1.xml", "a/r/TEST-2.xml", "a/r/deep/x.sarif"];
        assert_eq!(names("gone.xml"), ["gone.xml"]);
        assert_eq!(names("top.json"), ["top.json"]);
        assert_eq!(names("a"), deep);
        assert_eq!(names("a/r/*.xml"), &deep[..2]);
        assert_eq!(names("*/r/TEST-[13].xml"), ["a/r/TEST-1.xml", "b/r/TEST-3.xml"]);
        assert_eq!(names("**/*.sarif"), ["a/r/deep/x.sarif"]);
        assert_eq!(names("*/r/de*"), ["a/r/deep/x.sarif"], "a folder that is matched is one");
        assert_eq!(names("./a/./r/*-2.xml"), ["./a/r/TEST-2.xml"]);
        assert_eq!(names(&format!("{}/a/*/*-2.xml", dir.path().display())).len(), 1);
        for nothing in ["gone/*.xml", "top.json/*", "*.xml", "a/*.xml"] {
            assert!(names(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn a_file_that_is_called_like_the_pattern_does_not_stand_for_it() {
        let dir = tree();
        let found = files(Path::new("b/r/*.xml"), dir.path()).unwrap();
        assert_eq!(found, [Path::new("b/r/*.xml"), Path::new("b/r/TEST-3.xml")]);
        assert_eq!(files(Path::new("b/r/\\*.xm[l]"), dir.path()).unwrap(), [Path::new("b/r/*.xml")]);
    }

    #[test]
    fn links_to_folders_and_bad_patterns_are_refused() {
        let dir = tree();
        for refused in ["link", "a/[", "a/{b"] {
            let error = files(Path::new(refused), dir.path()).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{refused}");
        }
    }
}
