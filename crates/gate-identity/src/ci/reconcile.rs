//! Variables against checkout: one context, and where the two disagree.
//!
//! The commit under test is HEAD, or, where CI checked out a merge that it made of a pull request and its
//! target, the parent that is the pull request's own. The second is believed only where something that the
//! pull request's author cannot arrange says so: the provider's word that the built commit is a merge made
//! by it, or the pull request's own commit, named elsewhere, found as that parent. A commit that its author
//! made with two parents is never looked through, or an opt-out for an older commit would reach it.

use gate_model::context::Context;
use gate_model::repository::{canonical, is_another, is_same};

use super::{CiFacts, Merge};
use crate::git::{self, Checkout};

/// What was found beside the variables.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// The checkout, where there is one.
    pub checkout: Option<&'a Checkout>,
    /// The pull request's own commit from the event's payload, or from the ref that the checkout fetched.
    pub head: Option<&'a str>,
    /// The names of one repository that several hosts serve.
    pub aliases: &'a [String],
}

/// Merges what the variables say with what was found. What disagrees is added to
/// [`Context::conflicts`]; the checkout's word stands, and no opt-out counts.
pub fn reconcile(ci: Option<&CiFacts>, evidence: Evidence<'_>) -> Context {
    let mut context = match (ci, evidence.checkout) {
        (None, None) => Context::default(),
        (None, Some(checkout)) => from_checkout(checkout),
        (Some(ci), None) => without_checkout(ci, evidence.head),
        (Some(ci), Some(checkout)) => both(ci, checkout, &evidence),
    };
    let named = context.repository.take();
    context.repository = named.as_deref().map(|name| canonical(name, evidence.aliases));
    // Each host counts its changes by itself: those of the first of the aliases are meant.
    if context.repository.as_deref().zip(named.as_deref()).is_some_and(|(one, other)| !is_same(one, other)) {
        context.change = None;
    }
    keep_names(&mut context, named, evidence.checkout.and_then(|checkout| checkout.remote.clone()));
    drop_unrecordable(&mut context);
    context
}

/// Keeps what CI and the checkout call the repository, where that is not the one name that the policy calls it: the text
/// under judgement has no say in whose it is.
fn keep_names(context: &mut Context, named: Option<String>, remote: Option<String>) {
    let mut stated: Vec<String> = Vec::new();
    for name in std::mem::take(&mut context.names).into_iter().chain(named).chain(remote) {
        if !stated.iter().any(|known| is_same(known, &name)) {
            stated.push(name);
        }
    }
    let is_plain =
        matches!((stated.as_slice(), &context.repository), ([one], Some(name)) if is_same(one, name));
    context.names = if is_plain { Vec::new() } else { stated };
}

/// Git lets the name of a branch hold control characters beyond ASCII. No entry of a ledger can hold them, and a run
/// whose facts cannot be recorded must not go on without its ledger: what holds them is a contradiction.
fn drop_unrecordable(context: &mut Context) {
    for (what, fact) in [("ref", &mut context.git_ref), ("repository", &mut context.repository)] {
        if fact.as_ref().is_some_and(|text| text.chars().any(char::is_control)) {
            *fact = None;
            let sentence = format!("the name of the {what} holds a control character, so it is not used");
            context.conflicts.push(sentence);
        }
    }
    context.names.retain(|name| !name.chars().any(char::is_control));
    for sentence in &mut context.conflicts {
        *sentence = gate_model::text::clean(sentence).into_owned();
    }
}

fn from_checkout(checkout: &Checkout) -> Context {
    Context {
        repository: checkout.remote.clone(),
        git_ref: checkout.branch.clone(),
        commit: checkout.head.clone(),
        dirty: checkout.dirty,
        ..Context::default()
    }
}

/// Without a checkout the variables are all there is.
fn without_checkout(ci: &CiFacts, found: Option<&str>) -> Context {
    let mut context = ci.context.clone();
    let head = own_commit(ci, found, &mut context.conflicts);
    if context.commit.is_none() {
        context.commit = head.filter(|id| git::is_object_id(id)).map(str::to_owned);
    }
    context
}

fn both(ci: &CiFacts, checkout: &Checkout, evidence: &Evidence<'_>) -> Context {
    let mut context = ci.context.clone();
    context.dirty = checkout.dirty;
    match (&context.repository, &checkout.remote) {
        (Some(said), Some(remote)) if !is_one(said, remote, evidence.aliases) => context
            .conflicts
            .push(format!("CI says that the repository is {said}, and the checkout's remote is {remote}")),
        (None, Some(remote)) => context.repository = Some(remote.clone()),
        _ => {}
    }
    // A pull request's local branch may have any name; only its own ref counts.
    match (&context.git_ref, &checkout.branch) {
        _ if ci.pull_request => {}
        (Some(said), Some(branch)) if said != branch => {
            context
                .conflicts
                .push(format!("CI says that the ref is {said}, and the checkout is on {branch}"));
        }
        (Some(_), _) => {}
        (None, _) => context.git_ref.clone_from(&checkout.branch),
    }
    let head = own_commit(ci, evidence.head, &mut context.conflicts);
    let tested = tested(ci, checkout, head, &mut context.conflicts);
    (context.commit, context.merge) = tested;
    context
}

fn is_one(said: &str, remote: &str, aliases: &[String]) -> bool {
    !is_another(&canonical(said, aliases), &canonical(remote, aliases))
}

/// The pull request's own commit, as far as it is named anywhere.
fn own_commit<'a>(ci: &'a CiFacts, found: Option<&'a str>, conflicts: &mut Vec<String>) -> Option<&'a str> {
    match (ci.head.as_deref(), found) {
        (Some(said), Some(found)) if !matches(said, found) => {
            conflicts
                .push(format!("CI says that the pull request is at {said}, and its event or ref at {found}"));
            None
        }
        (said, found) => found.or(said),
    }
}

/// The commit under test, and the merge around it.
fn tested(
    ci: &CiFacts,
    checkout: &Checkout,
    own: Option<&str>,
    conflicts: &mut Vec<String>,
) -> (Option<String>, Option<String>) {
    let Some(head) = checkout.head.as_deref() else {
        if let Some(built) = &ci.built {
            conflicts.push(format!("CI says that it builds {built}, and the checkout has no commit yet"));
        }
        return (None, None);
    };
    let candidate = ci.merge.and_then(|merge| Some((merge, candidate(merge, checkout)?)));
    let nature = match candidate {
        Some((merge, parent)) => nature(ci, merge, own, head, parent),
        // The job checked out the pull request's own commit itself, in place of the merge.
        None if ci.pull_request && own.is_some_and(|own| matches(own, head)) => Nature::Own,
        None if ci.beside && ci.builds(head) => Nature::Beside,
        None => Nature::Built,
    };
    match nature {
        Nature::Merge(parent) => return (Some(parent.to_owned()), Some(head.to_owned())),
        // The target's code judges what was made elsewhere: the decision is about that, and never about the target.
        Nature::Beside => return (own.filter(|id| git::is_object_id(id)).map(str::to_owned), None),
        Nature::Foreign(own) => conflicts
            .push(format!("CI says that the pull request is at {own}, and the merge {head} is not of it")),
        Nature::Built if !ci.builds(head) => {
            let built = ci.built.as_deref().unwrap_or_default();
            conflicts.push(format!("CI says that it builds commit {built}, and the checkout is at {head}"));
        }
        Nature::Own | Nature::Built => {}
    }
    (Some(head.to_owned()), None)
}

/// What HEAD is to the run.
enum Nature<'a> {
    /// A merge that CI made of this commit, which is under test.
    Merge(&'a str),
    /// The pull request's own commit, whatever the built commit is called.
    Own,
    /// The commit that CI builds, or it should be.
    Built,
    /// The target's commit, in a run that is about another one.
    Beside,
    /// A merge, but not of the pull request's commit, which is this one.
    Foreign(&'a str),
}

/// Judges a HEAD of two parents, of which `parent` stands where the pull request's own commit would.
fn nature<'a>(ci: &CiFacts, merge: Merge, own: Option<&'a str>, head: &str, parent: &'a str) -> Nature<'a> {
    let of_this_run = ci.builds(head) || ci.builds(parent);
    match own {
        Some(own) if matches(own, parent) && of_this_run => Nature::Merge(parent),
        Some(own) if matches(own, parent) => Nature::Built,
        Some(own) if matches(own, head) => Nature::Own,
        Some(own) if merge.named || !ci.builds(head) => Nature::Foreign(own),
        None if merge.named && ci.built.is_some() && ci.builds(head) => Nature::Merge(parent),
        _ => Nature::Built,
    }
}

impl CiFacts {
    /// Whether nothing speaks against `id` being the commit that CI builds.
    fn builds(&self, id: &str) -> bool {
        self.built.as_deref().is_none_or(|built| matches(built, id))
    }
}

/// The parent that would be the pull request's own, where HEAD can be a merge that CI made.
fn candidate(merge: Merge, checkout: &Checkout) -> Option<&str> {
    let resting = merge.attached || checkout.branch.is_none();
    let parents = Some(&checkout.parents).filter(|parents| resting && parents.len() == 2)?;
    parents.get(merge.own).map(String::as_str)
}

/// Whether two ids, of which one may be abbreviated, are one.
pub(super) fn matches(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    long.starts_with(short) && (short.len() == long.len() || short.len() < 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const OWN: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const MERGE: &str = "cccccccccccccccccccccccccccccccccccccccc";
    const OTHER: &str = "dddddddddddddddddddddddddddddddddddddddd";

    /// GitHub's way: the variables name the merge, the pull request's own commit is the second parent.
    const NAMED: Merge = Merge { own: 1, named: true, attached: false };
    /// Jenkins' way: the target is merged into the pull request's own commit.
    const AROUND: Merge = Merge { own: 0, named: false, attached: false };
    /// Bitbucket's: the same, on the branch.
    const ATTACHED: Merge = Merge { own: 0, named: false, attached: true };

    fn ci(merge: Option<Merge>, built: &str, head: Option<&str>) -> CiFacts {
        CiFacts {
            pull_request: merge.is_some(),
            built: (!built.is_empty()).then(|| built.to_owned()),
            head: head.map(str::to_owned),
            merge,
            ..CiFacts::default()
        }
    }

    fn at(head: &str, parents: &[&str], branch: Option<&str>) -> Checkout {
        Checkout {
            root: "/work".into(),
            git_dir: "/work/.git".into(),
            head: Some(head.to_owned()),
            branch: branch.map(str::to_owned),
            parents: parents.iter().map(|id| (*id).to_owned()).collect(),
            remote: None,
            dirty: Some(false),
        }
    }

    /// Commit, merge, and the number of conflicts.
    fn tested(
        ci: &CiFacts,
        checkout: &Checkout,
        head: Option<&str>,
    ) -> (Option<String>, Option<String>, usize) {
        let context = reconcile(Some(ci), Evidence { checkout: Some(checkout), head, aliases: &[] });
        (context.commit, context.merge, context.conflicts.len())
    }

    fn some(commit: &str, merge: Option<&str>, conflicts: usize) -> (Option<String>, Option<String>, usize) {
        (Some(commit.to_owned()), merge.map(str::to_owned), conflicts)
    }

    fn on(git_ref: &str) -> CiFacts {
        CiFacts {
            context: Context { git_ref: Some(git_ref.to_owned()), ..Context::default() },
            ..ci(None, OWN, None)
        }
    }

    #[test]
    fn a_branch_that_is_checked_out_is_the_one_that_ci_names() {
        let checkout = at(OWN, &[], Some("refs/heads/main"));
        for other in ["refs/heads/other", "refs/tags/main", "refs/heads/Main"] {
            assert_eq!(tested(&on(other), &checkout, None), some(OWN, None, 1), "{other}");
        }
        assert_eq!(tested(&on("refs/heads/main"), &checkout, None), some(OWN, None, 0));
        // Nothing says on which branch a detached HEAD is, and a pull request's local branch may have any name.
        assert_eq!(tested(&on("refs/heads/other"), &at(OWN, &[], None), None), some(OWN, None, 0));
        let pull = CiFacts { pull_request: true, ..on("refs/pull/7/head") };
        assert_eq!(tested(&pull, &checkout, None), some(OWN, None, 0));
    }

    #[test]
    fn changes_are_those_of_the_first_of_several_hosts() {
        let aliases = ["github.com/acme/pay".to_owned(), "gitlab.com/acme/pay".to_owned()];
        let change = |host: &str| {
            let (repository, change) = (Some(format!("{host}/acme/pay")), Some("7".to_owned()));
            let ci = CiFacts {
                context: Context { repository, change, ..Context::default() },
                ..ci(None, "", None)
            };
            let context = reconcile(Some(&ci), Evidence { aliases: &aliases, ..Evidence::default() });
            (context.repository, context.change)
        };
        let first = Some(aliases[0].clone());
        assert_eq!(change("github.com"), (first.clone(), Some("7".to_owned())));
        assert_eq!(change("gitlab.com"), (first, None));
    }

    #[test]
    fn a_merge_that_ci_made_is_looked_through() {
        let detached = at(MERGE, &[MAIN, OWN], None);
        let through = some(OWN, Some(MERGE), 0);
        assert_eq!(tested(&ci(Some(NAMED), MERGE, None), &detached, None), through, "by the provider's word");
        assert_eq!(tested(&ci(Some(NAMED), MERGE, None), &detached, Some(OWN)), through, "by the event");
        assert_eq!(tested(&ci(Some(NAMED), MERGE, Some(OWN)), &detached, None), through, "by a variable");
        let flipped = at(MERGE, &[OWN, MAIN], None);
        assert_eq!(
            tested(&ci(Some(AROUND), MERGE, None), &flipped, Some(OWN)),
            through,
            "by the fetched ref"
        );
        assert_eq!(
            tested(&ci(Some(AROUND), OWN, Some(OWN)), &flipped, None),
            through,
            "around the built commit"
        );
        let attached = at(MERGE, &[OWN, MAIN], Some("refs/heads/feature"));
        assert_eq!(
            tested(&ci(Some(ATTACHED), &OWN[..12], Some(&OWN[..12])), &attached, None),
            through,
            "abbreviated"
        );
    }

    #[test]
    fn a_merge_that_a_person_made_is_the_commit_itself() {
        // `evil` merges main into an older, excused commit of the pull request, and changes more.
        let evil = at(MERGE, &[OWN, MAIN], None);
        let itself = some(MERGE, None, 0);
        assert_eq!(tested(&ci(None, MERGE, None), &evil, None), itself, "no pull request");
        assert_eq!(tested(&ci(Some(AROUND), MERGE, None), &evil, None), itself, "nothing tells");
        assert_eq!(tested(&ci(Some(AROUND), MERGE, None), &evil, Some(MERGE)), itself, "the ref says so");
        assert_eq!(
            tested(&ci(Some(ATTACHED), MERGE, Some(MERGE)), &evil, None),
            itself,
            "nothing was merged"
        );
        assert_eq!(
            tested(&ci(Some(NAMED), OTHER, None), &evil, Some(MERGE)),
            itself,
            "the job checked it out"
        );
    }

    #[test]
    fn a_merge_on_a_branch_or_of_three_is_the_commit_itself() {
        let named = ci(Some(NAMED), MERGE, None);
        assert_eq!(
            tested(&named, &at(MERGE, &[MAIN, OWN], Some("refs/heads/main")), None),
            some(MERGE, None, 0)
        );
        assert_eq!(tested(&named, &at(MERGE, &[MAIN, OWN, OTHER], None), None), some(MERGE, None, 0));
        assert_eq!(tested(&named, &at(MERGE, &[OWN], None), None), some(MERGE, None, 0));
    }

    #[test]
    fn another_commit_than_the_built_one_is_a_conflict() {
        assert_eq!(tested(&ci(None, OWN, None), &at(OTHER, &[], None), None), some(OTHER, None, 1));
        assert_eq!(
            tested(&ci(Some(NAMED), MERGE, None), &at(OTHER, &[MAIN, OWN], None), None),
            some(OTHER, None, 1)
        );
        assert_eq!(
            tested(&ci(Some(NAMED), MERGE, None), &at(OTHER, &[], None), Some(OWN)),
            some(OTHER, None, 1)
        );
        assert_eq!(tested(&ci(None, &OWN[..7], None), &at(OWN, &[], None), None), some(OWN, None, 0));
        assert_eq!(
            tested(&ci(None, "", None), &at(OWN, &[], None), None),
            some(OWN, None, 0),
            "nothing was said"
        );
    }

    #[test]
    fn a_merge_of_another_pull_request_is_a_conflict() {
        let detached = at(MERGE, &[MAIN, OWN], None);
        assert_eq!(tested(&ci(Some(NAMED), MERGE, Some(OTHER)), &detached, None), some(MERGE, None, 1));
        assert_eq!(tested(&ci(Some(NAMED), MERGE, None), &detached, Some(OTHER)), some(MERGE, None, 1));
        let (_, _, conflicts) = tested(&ci(Some(NAMED), MERGE, Some(OWN)), &detached, Some(OTHER));
        assert_eq!(conflicts, 1, "variable and event disagree");
    }

    #[test]
    fn an_unborn_checkout_has_not_the_commit_that_ci_builds() {
        let unborn = Checkout { head: None, ..at(OWN, &[], Some("refs/heads/main")) };
        assert_eq!(tested(&ci(None, OWN, None), &unborn, None), (None, None, 1));
        assert_eq!(tested(&ci(None, "", None), &unborn, None), (None, None, 0));
    }

    #[test]
    fn another_repository_is_a_conflict_and_an_unknown_one_is_filled_in() {
        let here = Checkout { remote: Some("github.com/Acme/pay".into()), ..at(OWN, &[], None) };
        let mut facts = ci(None, OWN, None);
        let with = |facts: &CiFacts| {
            reconcile(Some(facts), Evidence { checkout: Some(&here), head: None, aliases: &[] })
        };
        assert_eq!(with(&facts).repository.as_deref(), Some("github.com/Acme/pay"));
        facts.context.repository = Some("github.com/acme/pay".into());
        assert_eq!(
            (with(&facts).conflicts.len(), with(&facts).repository),
            (0, facts.context.repository.clone())
        );
        assert!(with(&facts).names.is_empty());
        facts.context.repository = Some("github.com/evil/pay".into());
        assert_eq!(with(&facts).conflicts.len(), 1);
        assert_eq!(with(&facts).names, ["github.com/evil/pay", "github.com/Acme/pay"]);
    }

    #[test]
    fn what_ci_and_the_checkout_call_a_repository_stands_beside_its_alias() {
        let here = Checkout { remote: Some("git.acme.example/pay".into()), ..at(OWN, &[], None) };
        let aliases =
            ["example.com/pay".to_owned(), "git.acme.example/pay".into(), "github.com/acme/pay".into()];
        let mut facts = ci(None, OWN, None);
        facts.context.repository = Some("github.com/acme/pay".into());
        let context =
            reconcile(Some(&facts), Evidence { checkout: Some(&here), head: None, aliases: &aliases });
        assert_eq!((context.conflicts.len(), context.repository.as_deref()), (0, Some("example.com/pay")));
        assert_eq!(context.names, ["github.com/acme/pay", "git.acme.example/pay"]);
        let web = Some("github.com/acme/web");
        assert!(context.is_elsewhere(web) && !context.is_elsewhere(None));
        assert!(
            !context.is_elsewhere(Some("git.acme.example/Pay"))
                && !context.is_elsewhere(Some("example.com/pay"))
        );
    }

    #[test]
    fn a_local_branch_is_the_ref_outside_pull_requests_only() {
        let on_main = at(OWN, &[], Some("refs/heads/main"));
        let evidence = Evidence { checkout: Some(&on_main), head: None, aliases: &[] };
        assert_eq!(reconcile(None, evidence).git_ref.as_deref(), Some("refs/heads/main"));
        assert_eq!(
            reconcile(Some(&ci(None, OWN, None)), evidence).git_ref.as_deref(),
            Some("refs/heads/main")
        );
        assert_eq!(reconcile(Some(&ci(Some(ATTACHED), OWN, Some(OWN))), evidence).git_ref, None);
    }

    #[test]
    fn a_branch_or_remote_with_a_control_character_is_a_conflict_and_not_recorded() {
        let checkout = Checkout {
            remote: Some("example.com/\u{9b}".to_owned()),
            ..at("a", &[], Some("refs/heads/x\u{85}"))
        };
        for ci in [None, Some(&ci(None, "a", None))] {
            let context = reconcile(ci, Evidence { checkout: Some(&checkout), head: None, aliases: &[] });
            assert_eq!((context.git_ref.as_deref(), context.conflicts.is_empty()), (None, false));
            let written = serde_json::to_string(&context).unwrap();
            assert!(!written.chars().any(char::is_control), "{written}");
        }
    }

    #[test]
    fn without_a_checkout_only_what_is_named_is_known() {
        let alone =
            |facts: &CiFacts, head| reconcile(Some(facts), Evidence { checkout: None, head, aliases: &[] });
        assert_eq!(alone(&ci(Some(NAMED), MERGE, None), None).commit, None);
        assert_eq!(alone(&ci(Some(NAMED), MERGE, None), Some(OWN)).commit.as_deref(), Some(OWN));
        assert_eq!(
            alone(&ci(Some(ATTACHED), &OWN[..12], Some(&OWN[..12])), None).commit,
            None,
            "abbreviated"
        );
    }
}
