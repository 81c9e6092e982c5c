//! What a checkout, a cache or a server may try.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gate_ledger::remote::{Outcome, Remote, RemoteError, Why};
use gate_tests::remote::{Chain, read_all};

use super::place::{BRANCH, Place};
use crate::servers::TOKEN;

/// A ledger of two lines.
fn begin(place: &Place) -> (Chain, Vec<Vec<u8>>) {
    let mut chain = Chain::new(0x2a);
    let batch = chain.batch(2, "begin");
    assert_eq!(place.start().create(&batch).unwrap(), Outcome::Taken);
    (chain, batch.lines)
}

/// One more line, from `folder`.
#[track_caller]
fn append(place: &Place, folder: &str, chain: &mut Chain) -> Vec<u8> {
    let mut remote = place.helper(folder, "git:origin").start();
    let (after, mut batch) = (chain.head(), chain.batch(1, folder));
    assert_eq!(remote.append(after, &batch).unwrap(), Outcome::Taken, "{folder}");
    batch.lines.remove(0)
}

fn executable(path: &Path, script: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The class of a failure, and what it says.
#[track_caller]
fn failed<T: std::fmt::Debug>(answer: Result<T, RemoteError>) -> (Why, String) {
    match answer.expect_err("it fails") {
        RemoteError::Failed(failed) => (failed.why, failed.to_string()),
        other => panic!("{other}"),
    }
}

#[test]
fn nothing_that_a_checkout_brings_along_is_run() {
    let place = Place::new();
    let (mut chain, mut lines) = begin(&place);
    let (evil, script) = (place.path("evil"), place.path("script"));
    executable(&script, &format!("touch {}\nexec false", evil.display()));
    for hook in ["pre-push", "reference-transaction", "post-checkout", "pre-auto-gc"] {
        executable(&place.path("checkout/.git/hooks").join(hook), &format!("touch {}", evil.display()));
    }
    let script = script.to_str().unwrap();
    for (key, value) in [
        ("core.hooksPath", "hooks"),
        ("core.fsmonitor", script),
        ("core.gitProxy", script),
        ("core.alternateRefsCommand", script),
        ("filter.x.process", script),
        ("filter.x.required", "true"),
        ("remote.origin.uploadpack", script),
        ("remote.origin.receivepack", script),
        ("remote.origin.mirror", "true"),
        ("remote.origin.push", "+refs/heads/*:refs/heads/*"),
        ("push.gpgSign", "true"),
        ("gpg.program", script),
        ("push.default", "nothing"),
        ("push.pushOption", "x"),
        ("protocol.ext.allow", "always"),
        ("fetch.prune", "true"),
        ("gc.auto", "1"),
        ("alias.push", &format!("!{script}")),
    ] {
        place.git("checkout", &["config", key, value]);
    }
    std::fs::write(place.path("checkout/.gitattributes"), "* filter=x\n").unwrap();
    // A branch and a tag of the same name, with something else on them, mean nothing.
    place.git("checkout", &["branch", "gate-ledger"]);
    place.git("checkout", &["tag", "gate-ledger"]);
    lines.push(append(&place, "checkout", &mut chain));
    assert_eq!(read_all(&mut place.start(), None), (lines, Some(chain.head())));
    assert!(!evil.exists());
    assert_eq!(place.git("server.git", &["for-each-ref", "--format=%(refname)"]), BRANCH);
    assert!(!place.path("checkout/.git/FETCH_HEAD").exists(), "the checkout is left alone");
}

#[test]
fn a_rewritten_url_leads_elsewhere_but_starts_no_program() {
    let place = Place::new();
    let (chain, _) = begin(&place);
    let evil = place.path("evil");
    let url = place.git("checkout", &["remote", "get-url", "origin"]);
    let program = format!("url.ext::sh -c 'touch% {}' .insteadOf", evil.display());
    place.git("checkout", &["config", &program, &url]);
    assert_eq!(failed(place.start().hello(None)).0, Why::Unreachable);
    place.git("checkout", &["config", "--unset", &program]);
    assert!(!evil.exists());
    // What it leads to is another ledger, which whoever asks sees at once, since the first entry is pinned.
    place.git(".", &["init", "-q", "--bare", "other.git"]);
    let other = Chain::new(0x66).batch(1, "other");
    let name = format!("git:{}", place.path("other.git").display());
    assert_eq!(place.helper("checkout", &name).start().create(&other).unwrap(), Outcome::Taken);
    let key = format!("url.{}.insteadOf", place.path("other.git").display());
    place.git("checkout", &["config", &key, &url]);
    let ledger = place.start().hello(None).unwrap().ledger.unwrap();
    assert_ne!(ledger, chain.id());
    assert_eq!(ledger, Chain::new(0x66).id());
}

/// The helper's own repository.
fn cache(place: &Place) -> std::path::PathBuf {
    let root = place.path("home/.cache/gate/git");
    let folders: Vec<_> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(folders.len(), 1);
    folders[0].join("repository.git")
}

#[test]
fn a_cache_that_somebody_prepared_runs_nothing_and_is_thrown_away() {
    let place = Place::new();
    let (mut chain, mut lines) = begin(&place);
    let evil = place.path("evil");
    let touch = format!("touch {}", evil.display());
    let prepared: [&dyn Fn(&Path); 5] = [
        &|cache| executable(&cache.join("hooks/reference-transaction"), &touch),
        &|cache| std::fs::write(cache.join("commondir"), "../elsewhere\n").unwrap(),
        &|cache| std::fs::write(cache.join("config.worktree"), "[core]\n").unwrap(),
        &|cache| {
            let text = format!(
                "[core]\n\tbare = true\n\tsshCommand = {touch}\n\thooksPath = hooks\n[uploadpack]\n\tpackObjectsHook = {touch}\n"
            );
            std::fs::write(cache.join("config"), text).unwrap();
        },
        &|cache| {
            std::fs::remove_dir_all(cache.join("refs")).unwrap();
            std::os::unix::fs::symlink("/tmp", cache.join("refs")).unwrap();
        },
    ];
    for prepare in prepared {
        prepare(&cache(&place));
        lines.push(append(&place, "checkout", &mut chain));
        assert_eq!(read_all(&mut place.start(), None), (lines.clone(), Some(chain.head())));
    }
    assert!(!evil.exists());
}

#[test]
fn an_object_of_the_cache_that_is_not_what_its_id_says_is_found() {
    let place = Place::new();
    let (mut chain, lines) = begin(&place);
    append(&place, "checkout", &mut chain);
    assert_eq!(read_all(&mut place.start(), None).0.len(), 3);
    let file = |name: &str| {
        let id = place.git("server.git", &["rev-parse", &format!("{BRANCH}:entries/000000/{name}.jsonl")]);
        cache(&place).join("objects").join(&id[..2]).join(&id[2..])
    };
    let (first, second) = (file("000000000"), file("000000002"));
    std::fs::remove_file(&second).unwrap();
    std::fs::copy(first, second).unwrap();
    let (why, said) = failed(place.start().hello(None));
    assert_eq!(why, Why::Distrust, "{said}");
    assert!(said.contains("is not what its id says"), "{said}");
    drop(lines);
}

#[test]
fn a_lock_that_a_killed_process_left_does_no_harm() {
    let place = Place::new();
    let (mut chain, _) = begin(&place);
    for name in ["shallow.lock", "refs/gate/tip.lock", "refs/gate/next.lock"] {
        let lock = cache(&place).join(name);
        std::fs::write(&lock, "").unwrap();
        append(&place, "checkout", &mut chain);
    }
}

#[test]
fn shallow_clones_worktrees_submodules_and_subfolders_are_checkouts_too() {
    let place = Place::new();
    let (mut chain, mut lines) = begin(&place);
    place.git("checkout", &["push", "-q", "origin", "main"]);
    place.git("server.git", &["symbolic-ref", "HEAD", "refs/heads/main"]);
    let url = format!("file://{}", place.path("server.git").display());
    place.git(".", &["clone", "-q", "--depth", "1", "--branch", "main", &url, "shallow"]);
    place.git("checkout", &["worktree", "add", "-q", "../worktree"]);
    std::fs::create_dir_all(place.path("checkout/a/b")).unwrap();
    place.git(".", &["init", "-q", "outer"]);
    place.git("outer", &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "inner"]);
    for folder in ["shallow", "worktree", "checkout/a/b", "outer/inner"] {
        lines.push(append(&place, folder, &mut chain));
    }
    assert_eq!(read_all(&mut place.start(), None), (lines, Some(chain.head())));
    assert_eq!(place.git("shallow", &["rev-parse", "--is-shallow-repository"]), "true");
}

#[test]
fn a_branch_that_holds_no_ledger_or_a_later_one_is_named_and_left_alone() {
    let place = Place::new();
    let (mut chain, batch) = (Chain::new(0x2a), Chain::new(0x2a).batch(1, "new"));
    chain.line("first");
    place.git("checkout", &["push", "-q", "origin", "main:gate-ledger"]);
    let before = place.git("server.git", &["rev-parse", BRANCH]);
    for answer in [
        failed(place.start().hello(None)),
        failed(place.start().create(&batch)),
        failed(place.start().append(chain.head(), &chain.clone().batch(1, "x"))),
    ] {
        assert_eq!(answer.0, Why::Distrust);
        assert!(answer.1.contains("holds no ledger"), "{}", answer.1);
    }
    let later = r#"{"format":2,"ledger":"2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a","schema":"gate.git/1"}"#;
    std::fs::write(place.path("checkout/ledger.json"), later).unwrap();
    std::fs::create_dir(place.path("checkout/entries")).unwrap();
    std::fs::write(place.path("checkout/entries/x"), "x").unwrap();
    place.git("checkout", &["add", "-A"]);
    place.git("checkout", &["commit", "-q", "-m", "later"]);
    place.git("checkout", &["push", "-q", "origin", "main:gate-ledger"]);
    let (why, said) = failed(place.start().hello(None));
    assert_eq!(
        (why, said.as_str()),
        (Why::Distrust, "the branch has layout 2, this build reads layout 1\ninstall a newer gate")
    );
    assert_eq!(place.git("server.git", &["rev-parse", &format!("{BRANCH}~1")]), before);
}

#[test]
fn a_branch_that_was_set_back_shows_what_it_has() {
    let place = Place::new();
    let (mut chain, lines) = begin(&place);
    let head = chain.head();
    append(&place, "checkout", &mut chain);
    place.git("server.git", &["update-ref", BRANCH, &format!("{BRANCH}~1")]);
    let mut remote = place.start();
    assert_eq!(read_all(&mut remote, None), (lines, Some(head)));
    let outcome = remote.append(chain.head(), &chain.clone().batch(1, "on top of what is gone")).unwrap();
    assert_eq!(outcome, Outcome::Moved(Some(head)));
}

#[test]
fn credentials_are_found_wherever_ci_systems_leave_them_and_shown_once() {
    let Some(place) = Place::new().over_http() else { return eprintln!("skipped: there is no python3") };
    let (mut chain, _) = begin(&place);
    let port = place.http.as_ref().unwrap().port;
    let key = format!("http.http://127.0.0.1:{port}/.extraheader");
    let header = format!("Authorization: Bearer {TOKEN}");
    let local = format!("http.http://127.0.0.1:{port}/server.git.extraheader");
    place.git("checkout", &["config", "--unset", &local]);
    assert_eq!(failed(place.start().hello(None)).0, Why::Denied);
    // In the user's own configuration, which git reads in the cache, too: the server refuses a header that comes twice.
    place.git("checkout", &["config", "--global", &key, &header]);
    append(&place, "checkout", &mut chain);
    place.git("checkout", &["config", "--global", "--unset", &key]);
    // In a file that is included for this checkout only.
    let included = place.path("credentials");
    std::fs::write(&included, format!("[http \"http://127.0.0.1:{port}/\"]\n\textraheader = {header}\n"))
        .unwrap();
    let condition = format!("includeIf.gitdir:{}/.path", place.path("checkout").display());
    place.git("checkout", &["config", "--global", &condition, included.to_str().unwrap()]);
    append(&place, "checkout", &mut chain);
    place.git("checkout", &["config", "--global", "--unset", &condition]);
    // In variables.
    let helper = place.helper("checkout", "git:origin");
    let helper =
        helper.with("GIT_CONFIG_COUNT", "1").with("GIT_CONFIG_KEY_0", key).with("GIT_CONFIG_VALUE_0", header);
    helper.start().hello(None).unwrap();
}

#[test]
fn passwords_are_neither_taken_from_a_policy_nor_shown() {
    let place = Place::new();
    let url = "http://ci:hunter2secret@127.0.0.1:9/x.git";
    let (why, said) = failed(place.helper("checkout", &format!("git:{url}")).start().hello(None));
    assert_eq!(why, Why::Usage, "{said}");
    place.git("checkout", &["remote", "set-url", "origin", url]);
    let (why, said) = failed(place.start().hello(None));
    assert_eq!(why, Why::Unreachable, "{said}");
    assert!(!said.contains("hunter2secret"), "{said}");
}
