//! Policies outside of the work tree at hand.
//!
//! A change under review can turn a directory into a submodule, or bring a repository along, and a `gate.toml` in
//! it would then replace the rules of everything around it: the search ends at the root of the nearest work tree,
//! and a revision is looked up in that repository. So where a work tree lies inside another, a policy of the outer
//! one counts as a second policy. The ancestors are looked at and no more.

use std::path::{Path, PathBuf};

use gate_identity::git::place;

use super::FILE_NAME;

/// A work tree around another.
#[derive(Debug)]
pub struct Outer {
    /// Its top.
    pub root: PathBuf,
    /// The files in it that would be the policy where the inner one stands, the nearest first.
    pub policies: Vec<PathBuf>,
}

/// The policy that counts around the work tree at `root`, as it lies there.
pub(super) fn in_worktree(root: &Path) -> Option<PathBuf> {
    around(root).iter().find_map(Outer::on_disk)
}

/// The work trees that `root` lies in, the nearest first, but for the main one of a linked work tree: that is the
/// same repository with another commit checked out, and `git worktree add` made it.
pub fn around(root: &Path) -> Vec<Outer> {
    let mut found = Vec::new();
    let mut policies = Vec::new();
    for dir in root.ancestors().skip(1) {
        policies.push(dir.join(FILE_NAME));
        if place::has_repository(dir) {
            let policies = std::mem::take(&mut policies);
            if !place::is_linked(root, dir) {
                found.push(Outer { root: dir.to_owned(), policies });
            }
        }
    }
    found
}

impl Outer {
    /// The policy that lies there.
    pub fn on_disk(&self) -> Option<PathBuf> {
        self.policies.iter().find(|path| path.symlink_metadata().is_ok()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::{around, in_worktree};
    use std::path::{Path, PathBuf};

    /// Folders and files below a new directory; a path that ends with `/` is a folder.
    fn tree(paths: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        for (path, text) in paths {
            let path_of = top.join(path);
            if path.ends_with('/') {
                std::fs::create_dir_all(path_of).unwrap();
            } else {
                std::fs::create_dir_all(path_of.parent().unwrap()).unwrap();
                std::fs::write(path_of, text).unwrap();
            }
        }
        (dir, top)
    }

    fn roots(root: &Path, top: &Path) -> Vec<PathBuf> {
        around(root).iter().map(|outer| outer.root.strip_prefix(top).unwrap().to_owned()).collect()
    }

    #[test]
    fn a_submodule_lies_in_the_work_trees_around_it() {
        let (_dir, top) = tree(&[
            ("a/.git/modules/b/", ""),
            ("a/services/gate.toml", ""),
            ("a/services/b/.git", "gitdir: ../../.git/modules/b\n"),
            ("a/services/b/c/.git/", ""),
        ]);
        let inner = top.join("a/services/b");
        assert_eq!(roots(&inner.join("c"), &top), [Path::new("a/services/b"), Path::new("a")]);
        assert_eq!(in_worktree(&inner), Some(top.join("a/services/gate.toml")));
        assert_eq!(in_worktree(&inner.join("c")), Some(top.join("a/services/gate.toml")));
        assert_eq!(in_worktree(&top.join("a")), None);
    }

    #[test]
    fn a_linked_work_tree_does_not_lie_in_its_own_repository_but_a_submodule_called_worktrees_does() {
        let (_dir, top) = tree(&[
            ("a/gate.toml", ""),
            ("a/.git/worktrees/f/", ""),
            ("a/.git/modules/worktrees/f/", ""),
            ("a/linked/.git", "gitdir: ../.git/worktrees/f\n"),
            ("a/module/.git", "gitdir: ../.git/modules/worktrees/f\n"),
            ("a/broken/.git", "gitdir: ../.git/worktrees/gone\n"),
        ]);
        assert_eq!(in_worktree(&top.join("a/linked")), None);
        assert_eq!(in_worktree(&top.join("a/module")), Some(top.join("a/gate.toml")));
        assert_eq!(in_worktree(&top.join("a/broken")), Some(top.join("a/gate.toml")));
    }
}
