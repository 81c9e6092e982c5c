//! Where the repository is and what is in it, as far as the paths of a report and the identity of its findings need it.
//!
//! Reports name files as their tool saw them: from the folder it ran in, from a checkout that is reached through a
//! link, from a container. A finding's path is relative to the repository's root whatever the tool saw.

use crate::path::{is_absolute, plain};
use crate::wording;

/// What the readers may ask of the checkout. Whoever answers reads regular files inside of it, bounded, through no link.
pub trait Checkout: std::fmt::Debug {
    /// Whether `path`, relative to the root, is such a file.
    fn has(&self, path: &str) -> bool;

    /// Whether there is surely nothing at `path`. What cannot be told is not gone.
    fn is_gone(&self, path: &str) -> bool;

    /// The name of the one such file whose path is this but for upper case and the form of its Unicode characters; `None`
    /// where there is no such file, or more than one.
    fn named(&self, path: &str) -> Option<String>;

    /// The line `number` (from 1) of such a file, with what stands around it. `None` where there is no such line, or a blank
    /// one.
    fn lines(&self, path: &str, number: u64) -> Option<Lines>;
}

/// A line as [`Lines`] have it: without its white space, and its digest where it is long. Many findings may stand on one
/// line, and around it, and none of them shall cost as much as a line may be long.
pub fn kept(line: &str) -> String {
    wording::short(wording::code(line))
}

/// A line and what stands around it, each as [`kept`] has it, and empty where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    /// The line.
    pub line: String,
    /// The nearest two before it that are not blank, the nearest first.
    pub before: [String; 2],
    /// The nearest two after it that are not blank, the nearest first.
    pub after: [String; 2],
    /// The one that it is indented below: the nearest before it that starts further left and has a word.
    pub above: String,
}

/// A checkout of which nothing is known.
#[derive(Debug, Clone, Copy)]
pub struct NoCheckout;

impl Checkout for NoCheckout {
    fn has(&self, _: &str) -> bool {
        false
    }

    fn is_gone(&self, _: &str) -> bool {
        false
    }

    fn named(&self, _: &str) -> Option<String> {
        None
    }

    fn lines(&self, _: &str, _: u64) -> Option<Lines> {
        None
    }
}

/// Where the repository is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The absolute paths by which its root can be named: its real one, and one that leads there through a link.
    pub roots: &'a [String],
    /// The working directory's place below the root, without slashes at its ends; empty at the root.
    pub folder: &'a str,
    /// Its files.
    pub checkout: &'a dyn Checkout,
}

impl Place<'_> {
    /// The place of a report without a repository.
    pub const NOWHERE: Self = Place { roots: &[], folder: "", checkout: &NoCheckout };

    /// The rest of an absolute path below one of the roots.
    pub(crate) fn below(&self, path: &str) -> Option<String> {
        self.roots.iter().find_map(|root| rest_below(path, root))
    }
}

/// Where a container's checkout usually is, and how many folders below that. GitHub mounts the repository itself.
const CONTAINERS: [(&str, usize); 14] = [
    ("/github/workspace", 0),
    ("/home/runner/work", 2),
    ("/__w", 2),
    ("/builds", 2),
    ("/workspaces", 1),
    ("/workspace", 0),
    ("/usr/src/app", 0),
    ("/usr/src", 0),
    ("/src", 0),
    ("/app", 0),
    ("/code", 0),
    ("/repo", 0),
    ("/project", 0),
    ("/work", 0),
];

/// The place, as one run of a tool sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) place: Place<'a>,
    /// The folder that the tool ran in.
    pub(crate) folder: &'a str,
    /// An absolute path elsewhere that stands for that folder.
    pub(crate) elsewhere: Option<&'a str>,
}

impl<'a> Ground<'a> {
    pub(crate) const fn of(place: Place<'a>) -> Self {
        Self { place, folder: place.folder, elsewhere: None }
    }

    /// The path of a finding. What lies outside stays absolute. `None` where nothing is left of it.
    pub(crate) fn resolve(&self, path: &str) -> Option<String> {
        let path = plain(path);
        let found = if path.is_empty() || path.contains("://") {
            path
        } else if is_absolute(&path) {
            self.inside(&path).unwrap_or(path)
        } else {
            self.in_folder(&path)
        };
        Some(self.named(found)).filter(|path| !path.is_empty())
    }

    /// The path as git has it. Tools of other systems write names in lower case, or take characters apart.
    fn named(&self, path: String) -> String {
        if path.is_empty() || is_absolute(&path) || self.place.checkout.has(&path) {
            return path;
        }
        self.place.checkout.named(&path).unwrap_or(path)
    }

    /// An absolute path as one within the repository.
    pub(crate) fn inside(&self, path: &str) -> Option<String> {
        let below = self.place.below(path);
        let below = below.or_else(|| Some(self.in_folder(&rest_below(path, self.elsewhere?)?)));
        below.or_else(|| CONTAINERS.iter().find_map(|(root, skipped)| self.within(path, root, *skipped)))
    }

    /// The rest of `path` below a container's root. Except for GitHub's, only where such a file is there.
    fn within(&self, path: &str, root: &str, skipped: usize) -> Option<String> {
        let rest = rest_below(path, root)?;
        if root == "/github/workspace" {
            return Some(rest);
        }
        let rest = rest.splitn(skipped + 1, '/').nth(skipped)?;
        let placed = self.in_folder(rest);
        self.place.checkout.has(&placed).then_some(placed)
    }

    /// A relative path, from the folder that the tool ran in; from the root where only that leads to a file. `..` at
    /// its start leads out of the folder; anywhere else it stays visible.
    pub(crate) fn in_folder(&self, path: &str) -> String {
        if self.folder.is_empty() {
            return path.to_owned();
        }
        let (mut folder, mut rest) = (Some(self.folder), path);
        while let (Some(above), Some(after)) = (folder, rest.strip_prefix("../")) {
            folder = above.rsplit_once('/').map(|(above, _)| above).or((!above.is_empty()).then_some(""));
            if folder.is_some() {
                rest = after;
            }
        }
        let placed = match folder {
            Some("") | None => rest.to_owned(),
            Some(folder) => format!("{folder}/{rest}"),
        };
        let only_at_root = || self.place.checkout.has(path) && !self.place.checkout.has(&placed);
        if rest == path && only_at_root() { path.to_owned() } else { placed }
    }

    /// A path that its report says is relative to the repository's root; from the folder where only that leads to
    /// a file.
    pub(crate) fn at_root(&self, path: &str) -> Option<String> {
        let path = plain(path);
        let placed = if path.is_empty() { String::new() } else { self.in_folder(&path) };
        let found = if self.place.checkout.has(&placed) { placed } else { path };
        Some(self.named(found)).filter(|path| !path.is_empty())
    }
}

/// What is left of `path` below `root`.
pub(crate) fn rest_below(path: &str, root: &str) -> Option<String> {
    let rest = path.strip_prefix(root.trim_end_matches('/'))?;
    let rest = rest.strip_prefix('/')?.trim_start_matches('/');
    (is_absolute(root) && !rest.is_empty()).then(|| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Checkout, Ground, Lines, Place};

    #[derive(Debug)]
    struct Files(&'static [&'static str]);

    impl Checkout for Files {
        fn has(&self, path: &str) -> bool {
            self.0.contains(&path)
        }

        fn is_gone(&self, path: &str) -> bool {
            !self.has(path)
        }

        fn named(&self, path: &str) -> Option<String> {
            self.0.iter().find(|name| name.eq_ignore_ascii_case(path)).map(|name| (*name).to_owned())
        }

        fn lines(&self, _: &str, _: u64) -> Option<Lines> {
            None
        }
    }

    #[test]
    fn paths_are_relative_to_the_repository_whatever_the_tool_saw() {
        let roots = ["/real/repo".to_owned(), "/link".to_owned()];
        let files = Files(&["services/pay/app.py", "services/ship/app.py", "tools/lint.py", "common/x.py"]);
        let place = Place { roots: &roots, folder: "services/pay", checkout: &files };
        let ground = Ground { place, folder: "services/pay", elsewhere: Some("/job/7/") };
        for (path, expected) in [
            ("app.py", "services/pay/app.py"),
            ("./app.py", "services/pay/app.py"),
            ("gone.py", "services/pay/gone.py"),
            ("App.PY", "services/pay/app.py"),
            ("tools/lint.py", "tools/lint.py"),
            ("../ship/app.py", "services/ship/app.py"),
            ("../../common/x.py", "common/x.py"),
            ("../../../out.py", "../out.py"),
            ("/real/repo/a.py", "a.py"),
            ("/link/a.py", "a.py"),
            ("/linked/a.py", "/linked/a.py"),
            ("/job/7/src/a.py", "services/pay/src/a.py"),
            ("/github/workspace/a.py", "a.py"),
            ("/src/app.py", "services/pay/app.py"),
            ("/src/tools/lint.py", "tools/lint.py"),
            ("/src/nothing.py", "/src/nothing.py"),
            ("/builds/group/project/common/x.py", "common/x.py"),
            ("/usr/lib/x.py", "/usr/lib/x.py"),
            ("https://example.com/a", "https://example.com/a"),
        ] {
            assert_eq!(ground.resolve(path).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(ground.resolve(""), None);
        assert_eq!(ground.at_root("tools/lint.py").as_deref(), Some("tools/lint.py"));
        assert_eq!(ground.at_root("new.py").as_deref(), Some("new.py"));
    }
}
