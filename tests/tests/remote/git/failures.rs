//! What goes wrong on the way, and what must come of it.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use gate_ledger::archive::EntryRef;
use gate_ledger::remote::{Ask, Batch, Outcome, Published, Remote, RemoteError, Why, publish, settle};
use gate_tests::remote::{Chain, read_all};

use super::place::Place;

fn begin(place: &Place) -> (Chain, Vec<Vec<u8>>) {
    let mut chain = Chain::new(0x3b);
    let batch = chain.batch(2, "begin");
    assert_eq!(place.start().create(&batch).unwrap(), Outcome::Taken);
    (chain, batch.lines)
}

fn failed<T: std::fmt::Debug>(answer: Result<T, RemoteError>) -> (Why, String) {
    match answer.expect_err("it fails") {
        RemoteError::Failed(failed) => (failed.why, failed.to_string()),
        other => panic!("{other}"),
    }
}

fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{} does not come", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a batch to a helper that is killed as soon as `sign` is there.
fn send_and_kill(place: &Place, after: EntryRef, batch: &Batch, sign: &Path) {
    let mut helper = place.helper("checkout", "git:origin").command().spawn().unwrap();
    let mut stdin = helper.stdin.take().unwrap();
    let ask = Ask::Append { after, lines: batch.lines.len() as u64, openings: 0, copied: false };
    writeln!(stdin, "{}", ask.write()).unwrap();
    for line in &batch.lines {
        stdin.write_all(&[line, &b"\n"[..]].concat()).unwrap();
    }
    stdin.flush().unwrap();
    wait_for(sign);
    helper.kill().unwrap();
    helper.wait().unwrap();
}

/// A killed helper's lines are there once, whether its push is still under way or was taken.
fn is_settled(hook: &str) {
    let place = Place::new();
    let (mut chain, mut lines) = begin(&place);
    let (begun, go) = (place.path("begun"), place.path("go"));
    let wait = format!("touch {}; while [ ! -e {} ]; do sleep 0.05; done", begun.display(), go.display());
    place.hook(hook, &wait);
    let (after, batch) = (chain.head(), chain.batch(2, "ours"));
    send_and_kill(&place, after, &batch, &begun);
    let mut asked = 0;
    let mut patience = || {
        // What is still on its way arrives between two questions.
        asked += 1;
        std::fs::write(&go, "").unwrap();
        asked < 20
    };
    let settled = settle(&mut place.start(), Some(after), &batch, &mut patience).unwrap();
    assert_eq!(settled, Published::Taken);
    std::fs::write(&go, "").unwrap();
    lines.extend(batch.lines);
    assert_eq!(read_all(&mut place.start(), None), (lines, Some(chain.head())));
}

#[test]
fn a_helper_that_is_killed_while_a_hook_still_thinks() {
    is_settled("pre-receive");
}

#[test]
fn a_helper_that_is_killed_after_the_push_was_taken() {
    is_settled("post-receive");
}

#[test]
fn a_connection_that_is_cut_after_the_push_was_taken_counts_as_taken() {
    let Some(place) = Place::new().over_http() else { return eprintln!("skipped: there is no python3") };
    let (mut chain, mut lines) = begin(&place);
    let server = place.http.as_ref().unwrap();
    server.set("cut", true);
    let (after, batch) = (chain.head(), chain.batch(1, "ours"));
    assert_eq!(place.start().append(after, &batch).unwrap(), Outcome::Taken);
    lines.extend(batch.lines);
    // Somebody else lost: the answer is that it moved, although no answer came to the push either.
    let late = chain.behind(after).batch(1, "late");
    assert_eq!(place.start().append(after, &late).unwrap(), Outcome::Moved(Some(chain.head())));
    server.set("cut", false);
    assert_eq!(read_all(&mut place.start(), None), (lines, Some(chain.head())));
}

#[test]
fn what_a_hook_declines_is_refused_in_the_words_of_the_hook_made_inert() {
    let place = Place::new();
    let (mut chain, lines) = begin(&place);
    place.hook(
        "pre-receive",
        "printf '\\033[2J::error::GH013: protected\\n exclude gate-ledger\\n' >&2; exit 1",
    );
    let head = chain.head();
    let outcome = place.start().append(head, &chain.batch(1, "ours")).unwrap();
    let Outcome::Refused(said) = outcome else { panic!("{outcome:?}") };
    assert!(said.contains("::error::GH013: protected exclude gate-ledger"), "{said}");
    assert!(said.contains("(pre-receive hook declined)") && !said.contains('\u{1b}'), "{said}");
    assert_eq!(read_all(&mut place.start(), None), (lines, Some(head)));
}

#[test]
fn who_may_read_and_not_write_is_refused_at_once() {
    let Some(place) = Place::new().over_http() else { return eprintln!("skipped: there is no python3") };
    let (mut chain, lines) = begin(&place);
    place.http.as_ref().unwrap().set("read-only", true);
    let head = chain.head();
    let mut waits = 0;
    let batch = chain.batch(1, "ours");
    let published = publish(&mut place.start(), Some(head), &batch, &mut || {
        waits += 1;
        false
    });
    assert!(matches!(published.unwrap(), Published::Refused(said) if said.contains("403")));
    assert_eq!(waits, 0);
    assert_eq!(read_all(&mut place.start(), None), (lines, Some(head)));
}

#[test]
fn a_repository_that_is_gone_a_checkout_that_is_none_and_no_git_are_told_apart() {
    let place = Place::new();
    let (chain, _) = begin(&place);
    std::fs::rename(place.path("server.git"), place.path("moved.git")).unwrap();
    let (why, said) = failed(place.start().hello(None));
    assert_eq!(why, Why::Unreachable, "{said}");
    let after = chain.head();
    let batch = chain.clone().batch(1, "ours");
    assert_eq!(failed(place.start().append(after, &batch)).0, Why::Unreachable);
    let (why, said) = failed(place.helper("home", "git:origin").start().hello(None));
    assert_eq!(why, Why::Usage);
    assert!(said.starts_with("this checkout has no remote 'origin'\n"), "{said}");
    let mut helper = place.helper("checkout", "git:origin");
    helper.variables.push(("PATH".into(), place.path("home").into()));
    let (why, said) = failed(helper.start().hello(None));
    assert_eq!((why, said.lines().next()), (Why::Usage, Some("git is not installed")));
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    let place = Place::new();
    let mut helper = place.helper("checkout", "git:origin");
    std::fs::write(place.path("file"), "").unwrap();
    helper.variables[0].1 = place.path("file").into();
    let (why, said) = failed(helper.start().hello(None));
    assert_eq!(why, Why::Failure);
    assert!(said.starts_with("cannot make the cache '"), "{said}");
}

#[test]
fn a_helper_without_or_with_a_wrong_name_says_what_is_wanted() {
    let place = Place::new();
    let program = gate_tests::program("gate-remote-git");
    let ran = place.command("checkout", program.to_str().unwrap()).output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).starts_with("gate-remote-git: one argument is wanted"));
    let (why, _) = failed(place.helper("checkout", "git:--upload-pack=x").start().hello(None));
    assert_eq!(why, Why::Usage);
}
