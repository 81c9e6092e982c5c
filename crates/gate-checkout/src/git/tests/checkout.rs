//! Checkouts of every shape, and environments and configurations that mean harm.

use std::path::Path;
use std::process::Command;

use gate_identity::git::Checkout;

use crate::git::inspect::told;
use crate::git::sandbox::Sandbox;
use crate::git::tree::{self, RevError};
use crate::git::{GitError, Inspection, first_tracked, inspect, look, resolve, root, tracked_link};

fn checkout(dir: &Path) -> Checkout {
    inspect(dir).expect("git answers").expect("a checkout")
}

fn is_tracked(file: &Path) -> Result<bool, GitError> {
    Ok(first_tracked([file.to_owned()])?.is_some())
}

#[test]
fn a_checkout_is_described() {
    let sandbox = Sandbox::new();
    sandbox.git(&["remote", "add", "origin", "https://user:secret@Example.com/acme/pay.git"]);
    sandbox.write("sub/dir/x", "untracked");
    let found = checkout(&sandbox.root().join("sub/dir"));
    assert_eq!(found.root, sandbox.root());
    assert_eq!(found.git_dir, sandbox.root().join(".git"));
    assert_eq!(found.head.as_deref(), Some(sandbox.head().as_str()));
    assert_eq!(found.branch.as_deref(), Some("refs/heads/main"));
    assert_eq!(found.remote.as_deref(), Some("example.com/acme/pay"));
    assert_eq!(found.dirty, Some(false), "an untracked file is not dirt");
    sandbox.write("gate.toml", "version = 2\n");
    assert_eq!(checkout(sandbox.root()).dirty, Some(true));
    sandbox.git(&["add", "gate.toml"]);
    assert_eq!(checkout(sandbox.root()).dirty, Some(true), "a staged change is dirt too");
}

/// Git reads every file for `status`: in a large tree on a cold disk that takes longer than it may.
#[test]
fn a_tree_that_git_cannot_read_in_time_has_a_commit_all_the_same() {
    let slow = |sandbox: &Sandbox| {
        let root = sandbox.root().to_owned();
        told(sandbox.root(), Err(GitError::TooSlow { verb: "status", root, seconds: 15 })).expect("a commit")
    };
    let sandbox = Sandbox::new();
    sandbox.write("gate.toml", "version = 2\n");
    let status = slow(&sandbox);
    assert_eq!((status.head, status.dirty), (Some(sandbox.head()), None));
    let unborn = Sandbox::empty();
    unborn.git(&["init", "--quiet"]);
    let status = slow(&unborn);
    assert_eq!((status.head, status.dirty), (None, None), "there is no commit yet");
}

#[test]
fn no_repository_is_no_error() {
    let sandbox = Sandbox::empty();
    assert_eq!(look(sandbox.root()).expect("an answer"), Inspection::NoRepository);
    assert_eq!(inspect(sandbox.root()).expect("an answer"), None);
    assert_eq!(root(sandbox.root()), None);
    assert_eq!(root(&sandbox.root().join("missing")), None);
    assert!(!is_tracked(&sandbox.root().join("ledger.db")).expect("an answer"));
}

#[test]
fn a_bare_repository_is_no_work_tree() {
    let sandbox = Sandbox::init(&["--bare"]);
    assert_eq!(inspect(sandbox.root()).expect("an answer"), None);
}

#[test]
fn a_broken_repository_does_not_lead_to_the_one_above() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.root().join("inner/.git")).unwrap();
    let error = inspect(&sandbox.root().join("inner")).unwrap_err();
    assert!(matches!(error, GitError::Broken { .. }), "{error}");
    std::fs::remove_dir(sandbox.root().join("inner/.git")).unwrap();
    std::fs::write(sandbox.root().join("inner/.git"), "nonsense").unwrap();
    let error = inspect(&sandbox.root().join("inner")).unwrap_err();
    assert!(error.to_string().contains("inner"), "{error}");
}

#[test]
fn an_unborn_branch_has_no_commit() {
    let sandbox = Sandbox::unborn();
    let found = checkout(sandbox.root());
    assert_eq!((found.head, found.branch.as_deref()), (None, Some("refs/heads/main")));
    assert!(found.parents.is_empty());
}

#[test]
fn a_detached_merge_names_its_parents_in_order() {
    let sandbox = Sandbox::new();
    let (main, feature, merge) = sandbox.detached_merge();
    let found = checkout(sandbox.root());
    assert_eq!((found.branch, found.head), (None, Some(merge)));
    assert_eq!(found.parents, [main, feature]);
}

#[test]
fn a_shallow_clone_still_names_the_parents() {
    let sandbox = Sandbox::new();
    let (main, feature, _) = sandbox.detached_merge();
    sandbox.git(&["update-ref", "refs/heads/merge", "HEAD"]);
    let clone = sandbox.beside("clone");
    let url = format!("file://{}", sandbox.root().display());
    sandbox.git(&["clone", "-q", "--depth=1", "--branch=merge", &url, clone.to_str().unwrap()]);
    sandbox.git(&["-C", clone.to_str().unwrap(), "checkout", "-q", "--detach"]);
    let found = checkout(&clone);
    assert_eq!(found.parents, [main, feature]);
    assert_eq!(found.remote, None, "a path on this machine names no repository");
}

#[test]
fn a_branch_called_detached_is_a_branch() {
    let sandbox = Sandbox::new();
    sandbox.git(&["checkout", "-q", "-b", "(detached)"]);
    assert_eq!(checkout(sandbox.root()).branch.as_deref(), Some("refs/heads/(detached)"));
}

#[test]
fn a_linked_work_tree_and_a_subdirectory_of_it_are_found() {
    let sandbox = Sandbox::new();
    let linked = sandbox.beside("linked");
    sandbox.git(&["worktree", "add", "-q", "-b", "other", linked.to_str().unwrap()]);
    std::fs::create_dir(linked.join("sub")).unwrap();
    let found = checkout(&linked.join("sub"));
    assert_eq!(found.root, linked);
    assert!(found.git_dir.ends_with("worktrees/linked"), "{:?}", found.git_dir);
    assert_eq!(found.branch.as_deref(), Some("refs/heads/other"));
}

#[test]
fn a_sha256_repository_is_read() {
    let sandbox = Sandbox::init(&["--object-format=sha256"]);
    let id = sandbox.commit("gate.toml", "version = 1\n");
    assert_eq!(id.len(), 64);
    assert_eq!(checkout(sandbox.root()).head, Some(id.clone()));
    let revision = tree::pin(sandbox.root(), &id).expect("a revision");
    assert_eq!(revision.read("gate.toml").unwrap().unwrap(), b"version = 1\n");
    // Forty digits are an abbreviation here, not a full id.
    let error = tree::pin(sandbox.root(), &id[..40]).unwrap_err();
    assert!(matches!(error, RevError::Git(GitError::Object { .. })), "{error}");
}

#[test]
fn a_reftable_repository_is_read() {
    let sandbox = Sandbox::empty();
    let mut init = Command::new("git");
    init.args(["init", "-q", "-b", "main", "--ref-format=reftable"]).current_dir(sandbox.root());
    if !init.output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this git has no reftable format");
        return;
    }
    let id = sandbox.commit("gate.toml", "version = 1\n");
    let found = checkout(sandbox.root());
    assert_eq!((found.head, found.branch.as_deref()), (Some(id.clone()), Some("refs/heads/main")));
    sandbox.git(&["checkout", "-q", "--detach"]);
    assert_eq!(checkout(sandbox.root()).branch, None);
    assert_eq!(tree::pin(sandbox.root(), "refs/heads/main").unwrap().commit(), id);
}

#[test]
fn thousands_of_changes_are_dirt_and_no_error() {
    let sandbox = Sandbox::new();
    for number in 0..1500 {
        sandbox.write(&format!("a-directory-with-a-name/and-a-file-{number:06}"), "x");
    }
    sandbox.git(&["add", "."]);
    assert_eq!(checkout(sandbox.root()).dirty, Some(true));
}

#[test]
fn origin_is_the_remote_and_two_others_are_none() {
    let sandbox = Sandbox::new();
    sandbox.git(&["remote", "add", "fork", "https://example.com/fork/pay"]);
    assert_eq!(checkout(sandbox.root()).remote.as_deref(), Some("example.com/fork/pay"));
    // A filter is no remote, however many of its settings there are.
    for setting in ["filter.lfs.clean", "filter.lfs.process"] {
        sandbox.git(&["config", setting, "git-lfs x"]);
    }
    assert_eq!(checkout(sandbox.root()).remote.as_deref(), Some("example.com/fork/pay"));
    sandbox.git(&["remote", "remove", "fork"]);
    assert_eq!(checkout(sandbox.root()).remote, None);
    sandbox.git(&["remote", "add", "fork", "https://example.com/fork/pay"]);
    sandbox.git(&["remote", "add", "other", "https://example.com/other/pay"]);
    assert_eq!(checkout(sandbox.root()).remote, None);
    sandbox.git(&["remote", "add", "origin", "https://example.com/acme/pay"]);
    assert_eq!(checkout(sandbox.root()).remote.as_deref(), Some("example.com/acme/pay"));
}

#[test]
fn a_repository_cannot_make_git_start_programs() {
    let sandbox = Sandbox::new();
    let trap = sandbox.beside("trap");
    let program = sandbox.beside("program");
    std::fs::write(&program, format!("#!/bin/sh\ntouch '{}'\n", trap.display())).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    for key in [
        "core.fsmonitor",
        "core.pager",
        "pager.status",
        "diff.external",
        "core.sshCommand",
        "core.editor",
        "core.askPass",
        "diff.x.textconv",
        "diff.x.command",
        "credential.helper",
        "gpg.program",
        "gpg.ssh.program",
        "alias.status",
        "alias.config",
    ] {
        let value = program.to_str().unwrap();
        sandbox.git(&[
            "config",
            key,
            &if key.starts_with("alias.") { format!("!{value}") } else { value.to_owned() },
        ]);
    }
    for hook in ["post-index-change", "reference-transaction", "post-checkout", "fsmonitor-watchman"] {
        sandbox.write(&format!(".git/hooks/{hook}"), &std::fs::read_to_string(&program).unwrap());
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(sandbox.root().join(".git/hooks").join(hook), mode).unwrap();
    }
    // Filters lie in an included file and in the work tree's own configuration, with names that mean to confuse.
    let value = program.to_str().unwrap();
    let filter = |name: &str, end: &str| {
        format!("[filter \"{name}\"]\n\tclean = {value}\n\tsmudge = {value}\n\t{end}\n\trequired\n")
    };
    std::fs::write(sandbox.beside("included"), filter("x", "")).unwrap();
    sandbox.git(&["config", "include.path", sandbox.beside("included").to_str().unwrap()]);
    sandbox.git(&["config", "extensions.worktreeConfig", "true"]);
    sandbox.write(".git/config.worktree", &filter("Odd. name", &format!("process = {value}")));
    sandbox.write(".gitattributes", "* diff=x filter=x\nother filter=odd.name\n");
    sandbox.write(".git/info/attributes", "gate.toml filter=x\n");
    sandbox.write("gate.toml", "version = 2\n");
    assert_eq!(checkout(sandbox.root()).dirty, Some(true));
    resolve(sandbox.root(), "HEAD").expect("a commit");
    is_tracked(&sandbox.root().join("gate.toml")).expect("an answer");
    let head = sandbox.beside("work/.git/refs/heads/main");
    let id = std::fs::read_to_string(head).unwrap();
    tree::pin(sandbox.root(), id.trim()).expect("a revision").read("gate.toml").expect("a file");
    assert!(!trap.exists(), "a program of the repository ran");
}

#[test]
fn a_filter_that_cannot_be_switched_off_is_refused() {
    let sandbox = Sandbox::new();
    let config = std::fs::read_to_string(sandbox.root().join(".git/config")).unwrap();
    sandbox.write(".git/config", &format!("{config}[filter \"a=b\"]\n\tclean = false\n"));
    assert!(matches!(inspect(sandbox.root()), Err(GitError::Filter { .. })));
}

#[test]
fn a_pipe_in_the_administration_is_refused_before_git_waits_for_it() {
    for file in ["packed-refs", "config.worktree", "info/attributes", "commondir", "HEAD", "refs/heads/main"]
    {
        let sandbox = Sandbox::new();
        let path = sandbox.root().join(".git").join(file);
        let _gone = std::fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        // A glance reads what it needs only, and never waits.
        drop(crate::git::glance(sandbox.root(), &std::env::var("PATH").unwrap()));
        assert!(inspect(sandbox.root()).is_err(), "{file}");
    }
}

#[test]
fn a_folder_that_became_a_link_is_seen_and_a_work_tree_behind_a_link_is_none() {
    let sandbox = Sandbox::new();
    sandbox.commit("services/pay/x", "x");
    let outside = sandbox.beside("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::remove_dir_all(sandbox.root().join("services/pay")).unwrap();
    let link = sandbox.root().join("services/pay");
    std::os::unix::fs::symlink(&outside, &link).unwrap();
    assert_eq!(tracked_link(&link).unwrap(), Some(link.clone()), "not committed yet");
    sandbox.git(&["add", "-A"]);
    assert_eq!(tracked_link(&link).unwrap(), Some(link.clone()));
    let workspace = sandbox.beside("workspace");
    std::os::unix::fs::symlink(sandbox.root(), &workspace).unwrap();
    assert_eq!(tracked_link(&workspace.join("services")).unwrap(), None);
    assert_eq!(tracked_link(&workspace.join("services/pay")).unwrap(), Some(link));
}

#[test]
fn another_owner_is_reported_as_such() {
    let sandbox = Sandbox::new();
    let trusted = Command::new("git").args(["config", "--get-all", "safe.directory"]).output().unwrap();
    let chowned = std::os::unix::fs::chown(sandbox.root(), Some(54321), None)
        .and_then(|()| std::os::unix::fs::chown(sandbox.root().join(".git"), Some(54321), None));
    if chowned.is_err() || !trusted.stdout.is_empty() {
        eprintln!("skipped: needs root, and no safe.directory");
        return;
    }
    let error = inspect(sandbox.root()).unwrap_err();
    assert!(matches!(error, GitError::Ownership { .. }), "{error}");
    assert!(error.to_string().contains("safe.directory"));
    let error = tree::pin(sandbox.root(), &"1".repeat(40)).unwrap_err();
    assert!(matches!(error, RevError::Git(GitError::Ownership { .. })), "{error}");
    assert!(is_tracked(&sandbox.root().join("gate.toml")).is_err());
}

/// Run by the next test in a process of its own, whose environment can be set; alone it does nothing.
#[test]
fn child_of_a_hostile_environment() {
    let (Some(dir), Some(head)) = (std::env::var_os("GATE_TEST_DIR"), std::env::var_os("GATE_TEST_HEAD"))
    else {
        return;
    };
    let found = checkout(Path::new(&dir));
    assert_eq!(found.head.as_deref(), head.to_str());
    assert_eq!(tree::pin(&found.root, "refs/heads/main").unwrap().commit(), head.to_str().unwrap());
    assert_eq!(resolve(&found.root, "HEAD").unwrap(), head.to_str().unwrap());
}

#[test]
fn variables_of_git_do_not_redirect_it() {
    let (sandbox, other) = (Sandbox::new(), Sandbox::new());
    other.commit("other", "other");
    let git_dir = other.root().join(".git");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "git::tests::checkout::child_of_a_hostile_environment"])
        .env("GATE_TEST_DIR", sandbox.root())
        .env("GATE_TEST_HEAD", sandbox.head())
        .env("GIT_DIR", &git_dir)
        .env("GIT_WORK_TREE", other.root())
        .env("GIT_INDEX_FILE", git_dir.join("index"))
        .env("GIT_OBJECT_DIRECTORY", git_dir.join("objects"))
        .env("GIT_NAMESPACE", "evil")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "core.worktree")
        .env("GIT_CONFIG_VALUE_0", other.root())
        .env("GIT_TRACE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[test]
fn a_committed_ledger_is_seen_behind_links_too() {
    let sandbox = Sandbox::new();
    let ledger = sandbox.root().join(".gate/ledger.db");
    assert!(!is_tracked(&ledger).unwrap(), "neither file nor directory exists yet");
    sandbox.write(".gate/ledger.db", "x");
    assert!(!is_tracked(&ledger).unwrap(), "untracked");
    sandbox.git(&["add", "-f", ".gate/ledger.db"]);
    assert!(is_tracked(&ledger).unwrap(), "staged");
    sandbox.git(&["commit", "-q", "-m", "ledger"]);
    assert!(is_tracked(&ledger).unwrap(), "committed");
    std::fs::remove_file(&ledger).unwrap();
    assert!(is_tracked(&ledger).unwrap(), "deleted from the work tree, back at the next checkout");
    let outside = sandbox.beside("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, sandbox.root().join("place")).unwrap();
    assert!(!is_tracked(&sandbox.root().join("place/ledger.db")).unwrap());
    sandbox.git(&["add", "place"]);
    assert!(
        is_tracked(&sandbox.root().join("place/ledger.db")).unwrap(),
        "a committed link chooses the ledger"
    );
}

#[test]
fn a_pattern_in_a_file_name_is_only_a_name() {
    let sandbox = Sandbox::new();
    assert!(!is_tracked(&sandbox.root().join("*")).unwrap());
    assert!(!is_tracked(&sandbox.root().join(":(glob)**")).unwrap());
    assert!(is_tracked(&sandbox.root().join("gate.toml")).unwrap());
}

#[test]
fn a_work_tree_of_a_bare_repository_is_a_checkout() {
    let sandbox = Sandbox::new();
    let (bare, linked) = (sandbox.beside("bare"), sandbox.beside("linked"));
    let (bare, linked) = (bare.to_str().unwrap(), linked.to_str().unwrap());
    sandbox.git(&["clone", "-q", "--bare", ".", bare]);
    sandbox.git(&["-C", bare, "worktree", "add", "-q", linked, "main"]);
    assert_eq!(checkout(Path::new(linked)).branch.as_deref(), Some("refs/heads/main"));
}

#[test]
fn a_dot_git_that_leads_nowhere_is_not_no_repository() {
    let sandbox = Sandbox::empty();
    std::os::unix::fs::symlink("nowhere", sandbox.root().join(".git")).unwrap();
    assert_eq!(root(sandbox.root()).as_deref(), Some(sandbox.root()));
    assert!(inspect(sandbox.root()).is_err());
}

#[test]
fn a_pipe_for_dot_git_does_not_block() {
    let sandbox = Sandbox::empty();
    let made = Command::new("mkfifo").arg(sandbox.root().join(".git")).status().unwrap();
    assert!(made.success());
    assert!(inspect(sandbox.root()).is_err());
}

/// Run by the next test without a `git` on the search path; alone it does nothing.
#[test]
fn child_without_git() {
    let Some(dir) = std::env::var_os("GATE_TEST_NO_GIT") else { return };
    let dir = Path::new(&dir);
    assert_eq!(look(dir).unwrap(), Inspection::NoGit { root: dir.to_owned() });
    assert_eq!(inspect(dir).unwrap(), None);
    let facts = crate::facts::gather(&|_| None, dir, &[]).unwrap();
    assert!(facts.checkout.is_none() && facts.context.conflicts[0].contains("no git on PATH"));
    // The index file alone shows that it does not have this one; of another, only git can tell.
    assert!(matches!(is_tracked(&dir.join("no such file")), Ok(false)));
    assert!(matches!(is_tracked(&dir.join("gate.toml")), Err(GitError::NotInstalled { .. })));
    assert!(matches!(tree::pin(dir, "refs/heads/main"), Err(RevError::Git(GitError::NotInstalled { .. }))));
}

#[test]
fn without_git_a_repository_contradicts_whatever_the_variables_say() {
    let sandbox = Sandbox::new();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "git::tests::checkout::child_without_git"])
        .env("GATE_TEST_NO_GIT", sandbox.root())
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
