//! Revisions and files of them: what `--policy-ref` and `--commit` rest on.

use crate::git::sandbox::Sandbox;
use crate::git::tree::{self, RevError};
use crate::git::{GitError, author, exact_ref, resolve};

#[test]
fn a_partial_clone_fetches_nothing() {
    let sandbox = Sandbox::new();
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]);
    sandbox.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let clone = sandbox.beside("clone");
    let url = format!("file://{}", sandbox.root().display());
    sandbox.git(&["clone", "-q", "--no-checkout", "--filter=blob:none", &url, clone.to_str().unwrap()]);
    let revision = tree::pin(&clone, "refs/heads/main").expect("the commit and its tree are here");
    let error = revision.read("gate.toml").unwrap_err();
    assert!(error.to_string().contains("fetch"), "{error}");
}

#[test]
fn replaced_objects_are_not_followed() {
    let sandbox = Sandbox::new();
    let honest = sandbox.head();
    let evil = sandbox.commit("gate.toml", "version = 1 # evil\n");
    sandbox.git(&["replace", &honest, &evil]);
    let revision = tree::pin(sandbox.root(), &honest).unwrap();
    assert_eq!(revision.read("gate.toml").unwrap().unwrap(), b"version = 1\n");
}

#[test]
fn an_edited_object_is_noticed() {
    let sandbox = Sandbox::new();
    let blob = sandbox.git(&["rev-parse", "HEAD:gate.toml"]);
    let evil = sandbox.git(&["hash-object", "-w", "--", &{
        sandbox.write("evil", "version = 1 # evil\n");
        "evil".to_owned()
    }]);
    let place = |id: &str| sandbox.root().join(".git/objects").join(&id[..2]).join(&id[2..]);
    std::fs::remove_file(place(&blob)).unwrap();
    std::fs::copy(place(&evil), place(&blob)).unwrap();
    let error = tree::pin(sandbox.root(), "refs/heads/main").unwrap().read("gate.toml").unwrap_err();
    assert!(matches!(error, RevError::Git(_)), "{error}");
}

#[test]
fn only_full_names_pin_a_revision() {
    let sandbox = Sandbox::new();
    let head = sandbox.head();
    for rev in [
        "HEAD",
        "main",
        "heads/main",
        &head[..12],
        "HEAD~0",
        "@",
        "",
        "-h",
        "refs/heads/main^{commit}",
        "refs/heads/main~0",
    ] {
        let error = tree::pin(sandbox.root(), rev).unwrap_err();
        assert!(matches!(error, RevError::Name { .. }), "{rev:?}: {error}");
    }
    for rev in [head.as_str(), &head.to_uppercase(), "refs/heads/main"] {
        assert_eq!(tree::pin(sandbox.root(), rev).expect(rev).commit(), head);
    }
}

#[test]
fn a_missing_ref_does_not_fall_back() {
    let sandbox = Sandbox::new();
    // Git's rules for short names would find each of these for `refs/heads/release`.
    for name in ["refs/heads/refs/heads/release", "refs/tags/refs/heads/release", "refs/refs/heads/release"] {
        sandbox.git(&["update-ref", name, "HEAD"]);
    }
    let error = tree::pin(sandbox.root(), "refs/heads/release").unwrap_err();
    assert!(matches!(error, RevError::Missing { .. }), "{error}");
    assert_eq!(exact_ref(sandbox.root(), "refs/heads/release").unwrap(), None);
    let error = tree::pin(sandbox.root(), &"1".repeat(40)).unwrap_err();
    assert!(matches!(error, RevError::Missing { .. }), "{error}");
}

#[test]
fn a_tag_that_shadows_a_branch_is_not_taken_for_it() {
    let sandbox = Sandbox::new();
    let first = sandbox.head();
    let second = sandbox.commit("more", "more");
    sandbox.git(&["tag", "main", &first]);
    sandbox.git(&["tag", "refs/heads/main", &first]);
    assert_eq!(tree::pin(sandbox.root(), "refs/heads/main").unwrap().commit(), second);
    assert_eq!(tree::pin(sandbox.root(), "refs/tags/main").unwrap().commit(), first);
    let error = resolve(sandbox.root(), "main").unwrap_err();
    assert!(error.to_string().contains("ambiguous"), "{error}");
}

#[test]
fn a_branch_that_looks_like_an_id_is_not_taken_for_one() {
    let sandbox = Sandbox::new();
    let id = "a".repeat(40);
    sandbox.git(&["update-ref", &format!("refs/heads/{id}"), "HEAD"]);
    let error = tree::pin(sandbox.root(), &id).unwrap_err();
    assert!(matches!(error, RevError::Missing { .. }), "{error}");
    assert!(resolve(sandbox.root(), &id).is_err());
    assert_eq!(tree::pin(sandbox.root(), &format!("refs/heads/{id}")).unwrap().commit(), sandbox.head());
}

#[test]
fn an_annotated_tag_leads_to_its_commit_and_a_tree_to_none() {
    let sandbox = Sandbox::new();
    sandbox.git(&["tag", "-a", "-m", "one", "v1"]);
    sandbox.git(&["tag", "-a", "-m", "two", "v2", "v1"]);
    assert_eq!(tree::pin(sandbox.root(), "refs/tags/v2").unwrap().commit(), sandbox.head());
    assert_eq!(
        tree::pin(sandbox.root(), &sandbox.git(&["rev-parse", "v1"])).unwrap().commit(),
        sandbox.head()
    );
    for name in ["HEAD^{tree}", "HEAD:gate.toml"] {
        let error = tree::pin(sandbox.root(), &sandbox.git(&["rev-parse", name])).unwrap_err();
        assert!(matches!(error, RevError::NotCommit { .. }), "{error}");
    }
}

#[test]
fn files_are_read_from_the_pinned_tree_and_not_from_the_work_tree() {
    let sandbox = Sandbox::new();
    sandbox.commit(".gate/jwks/github.json", "{}");
    let odd = "a\nb *";
    sandbox.commit(odd, "odd");
    let revision = tree::pin(sandbox.root(), &sandbox.head()).unwrap();
    sandbox.commit("gate.toml", "version = 1 # later\n");
    assert_eq!(revision.read("gate.toml").unwrap().unwrap(), b"version = 1\n");
    assert_eq!(revision.read(".gate/jwks/github.json").unwrap().unwrap(), b"{}");
    assert_eq!(revision.read("./.gate/jwks/github.json").unwrap().unwrap(), b"{}");
    assert_eq!(revision.read(odd).unwrap().unwrap(), b"odd");
    for absent in
        ["gate.toml.sig", "gate", "GATE.TOML", "*", "gate.tom?", "gate.toml/x", ".gate/missing/x", "a"]
    {
        assert_eq!(revision.read(absent).unwrap(), None, "{absent}");
    }
    let error = revision.read(".gate").unwrap_err();
    assert!(matches!(error, RevError::Refused { .. }), "{error}");
    for outside in ["../gate.toml", "/gate.toml", ".gate/../gate.toml", "", ".gate//x"] {
        let error = revision.read(outside).unwrap_err();
        assert!(matches!(error, RevError::Path { .. }), "{outside}: {error}");
    }
}

#[test]
fn symbolic_links_and_submodules_are_refused_at_any_depth() {
    let (sandbox, inner) = (Sandbox::new(), Sandbox::new());
    std::os::unix::fs::symlink("gate.toml", sandbox.root().join("link.toml")).unwrap();
    std::os::unix::fs::symlink("real", sandbox.root().join("dir")).unwrap();
    sandbox.write("real/keys", "keys");
    sandbox.git(&["add", "."]);
    sandbox.git(&["submodule", "--quiet", "add", inner.root().to_str().unwrap(), "module"]);
    sandbox.git(&["commit", "-q", "-m", "links"]);
    let revision = tree::pin(sandbox.root(), "refs/heads/main").unwrap();
    for (path, what) in [
        ("link.toml", "symbolic link"),
        ("dir/keys", "symbolic link"),
        ("link.toml/x", "symbolic link"),
        ("module", "submodule"),
        ("module/gate.toml", "submodule"),
    ] {
        let error = revision.read(path).unwrap_err().to_string();
        assert!(error.contains(what), "{path}: {error}");
    }
    assert_eq!(revision.read("real/keys").unwrap().unwrap(), b"keys");
}

#[test]
fn a_large_file_is_refused_by_its_size() {
    let sandbox = Sandbox::new();
    sandbox.commit("edge", &"x".repeat(1024 * 1024));
    sandbox.commit("over", &"x".repeat(1024 * 1024 + 1));
    let revision = tree::pin(sandbox.root(), "refs/heads/main").unwrap();
    assert_eq!(revision.read("edge").unwrap().unwrap().len(), 1024 * 1024);
    let error = revision.read("over").unwrap_err();
    assert!(matches!(error, RevError::TooLarge { size: 1_048_577, .. }), "{error}");
}

#[test]
fn a_person_may_write_any_revision_that_git_reads() {
    let sandbox = Sandbox::new();
    let first = sandbox.head();
    let second = sandbox.commit("more", "more");
    for rev in ["HEAD", "main", "@", "refs/heads/main", &second, &second[..10]] {
        assert_eq!(resolve(sandbox.root(), rev).expect(rev), second);
    }
    assert_eq!(resolve(sandbox.root(), "HEAD~1").unwrap(), first);
    for rev in [
        "",
        "missing",
        "-h",
        "--all",
        "HEAD:gate.toml",
        "main\n",
        "HEAD..main",
        "a b",
        "^HEAD",
        &"1".repeat(40),
    ] {
        let error = resolve(sandbox.root(), rev).unwrap_err();
        assert!(matches!(error, GitError::Revision { .. }), "{rev:?}: {error}");
    }
}

#[test]
fn the_author_is_who_the_commit_says() {
    let sandbox = Sandbox::new();
    assert_eq!(author(sandbox.root(), &sandbox.head()).unwrap().as_deref(), Some("alice@example.com"));
    assert!(author(sandbox.root(), "HEAD").is_err());
    assert!(author(sandbox.root(), &"1".repeat(40)).is_err());
}

#[test]
fn a_full_id_is_never_ambiguous_and_configuration_cannot_hide_what_is() {
    let sandbox = Sandbox::new();
    let first = sandbox.head();
    let second = sandbox.commit("more", "more");
    sandbox.git(&["update-ref", &format!("refs/heads/{first}"), &second]);
    assert_eq!(resolve(sandbox.root(), &first).unwrap(), first);
    sandbox.git(&["tag", "main", &first]);
    sandbox.git(&["config", "core.warnAmbiguousRefs", "false"]);
    assert!(resolve(sandbox.root(), "main").is_err());
}
