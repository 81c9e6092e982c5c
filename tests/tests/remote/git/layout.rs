//! What is on the branch.

use gate_ledger::remote::{Outcome, Remote};
use gate_tests::remote::{Chain, read_all};

use super::place::{BRANCH, Place};

/// The names of the files on the branch.
fn files(place: &Place) -> Vec<String> {
    let listed = place.git("server.git", &["ls-tree", "-r", "--name-only", BRANCH]);
    listed.lines().map(str::to_owned).collect()
}

fn append(remote: &mut dyn Remote, chain: &mut Chain, count: usize) -> Vec<Vec<u8>> {
    let (after, batch) = (chain.head(), chain.batch(count, "more"));
    assert_eq!(remote.append(after, &batch).unwrap(), Outcome::Taken);
    batch.lines
}

fn create(remote: &mut dyn Remote, count: usize) -> (Chain, Vec<Vec<u8>>) {
    let mut chain = Chain::new(0x17);
    let batch = chain.batch(count, "begin");
    assert_eq!(remote.create(&batch).unwrap(), Outcome::Taken);
    (chain, batch.lines)
}

#[test]
fn a_clone_and_cat_give_an_export_that_verifies() {
    let place = Place::new();
    let mut remote = place.start();
    let (mut chain, mut lines) = create(&mut remote, 3);
    for count in [1, 2, 1_000, 1] {
        lines.extend(append(&mut remote, &mut chain, count));
    }
    place.git(".", &["clone", "-q", "--branch", "gate-ledger", "server.git", "clone"]);
    let cat = place.command("clone", "sh").args(["-c", "cat entries/*/*"]).output().unwrap();
    let expected: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
    assert!(cat.stdout == expected, "what was pushed is what is there");
    let verify = gate_tests::program("gate-verify");
    let mut command = place.command("clone", "sh");
    let ran = command.args(["-c", "cat entries/*/* | \"$0\" - --quiet"]).arg(verify).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(String::from_utf8_lossy(&ran.stdout).contains("\"entries\":1007"));
}

#[test]
fn a_push_is_one_file_that_stays_as_it_is_and_a_full_thousand_becomes_one() {
    let place = Place::new();
    let mut remote = place.start();
    let (mut chain, mut lines) = create(&mut remote, 996);
    for count in [1, 2] {
        lines.extend(append(&mut remote, &mut chain, count));
    }
    let of = |seqs: &[u64]| -> Vec<String> {
        let named: Vec<String> =
            seqs.iter().map(|seq| format!("entries/{:06}/{seq:09}.jsonl", seq / 1_000)).collect();
        [named, vec!["ledger.json".to_owned()]].concat()
    };
    assert_eq!(files(&place), of(&[0, 996, 997]));
    let before = place.git("server.git", &["rev-parse", &format!("{BRANCH}:entries/000000/000000000.jsonl")]);
    lines.extend(append(&mut remote, &mut chain, 3));
    assert_eq!(files(&place), of(&[0, 1_000]));
    let history = place.git("server.git", &["log", "--format=%H", BRANCH]);
    assert_eq!(history.lines().count(), 4, "one commit a push");
    let first = history.lines().last().unwrap();
    assert_eq!(
        place.git("server.git", &["rev-parse", &format!("{first}:entries/000000/000000000.jsonl")]),
        before
    );
    assert_eq!(read_all(&mut place.start(), None), (lines, Some(chain.head())));
}

#[test]
fn a_commit_says_who_did_what_starts_no_pipeline_and_is_never_the_same_twice() {
    let place = Place::new();
    let name = "git:origin#records&prefix=ops:%20&author=Gate%20Bot%20<bot@example.com>";
    let mut remote = place.helper("checkout", name).start();
    let (mut chain, _) = create(&mut remote, 1);
    append(&mut remote, &mut chain, 25);
    let log =
        |format: &str| place.git("server.git", &["log", "-1", &format!("--format={format}"), "records"]);
    assert_eq!(log("%s"), "ops: gate: entries 1 to 25 [skip ci]");
    assert_eq!(log("%an <%ae> %cn <%ce>"), "Gate Bot <bot@example.com> Gate Bot <bot@example.com>");
    let body = log("%b");
    assert!(body.starts_with("1 note by os:alice\n2 note by os:alice\n"), "{body}");
    assert!(body.contains("\n20 note by os:alice\nand 5 more\n\npush "), "{body}");
    // Two who make the same ledger at the same time do not both win: their commits differ.
    let other = Place::new();
    create(&mut other.helper("checkout", name).start(), 1);
    let roots = |place: &Place| place.git("server.git", &["rev-list", "--max-parents=0", "records"]);
    assert_ne!(roots(&place), roots(&other));
}

#[test]
fn several_ledgers_and_files_of_others_live_in_one_repository() {
    let place = Place::new();
    let mut one = place.helper("checkout", "git:origin#one").start();
    let mut two = place.helper("checkout", "git:../server.git#refs/gate/two").start();
    let (mut chain, mut lines) = create(&mut one, 2);
    let other = Chain::new(0x99).batch(1, "other");
    assert_eq!(two.create(&other).unwrap(), Outcome::Taken);
    // Somebody adds a file through the host's pages.
    place.git(".", &["clone", "-q", "--branch", "one", "server.git", "clone"]);
    std::fs::write(place.path("clone/README.md"), "what this is\n").unwrap();
    for notes in ["entries/NOTES", "entries/000000/NOTES"] {
        std::fs::write(place.path("clone").join(notes), "and this\n").unwrap();
    }
    place.git("clone", &["add", "-A"]);
    place.git("clone", &["commit", "-q", "-m", "say what this is"]);
    place.git("clone", &["push", "-q", "origin", "one"]);
    lines.extend(append(&mut one, &mut chain, 1));
    // A full thousand goes into one file; what is no file of entries stays.
    lines.extend(append(&mut one, &mut chain, 1000));
    let listed = place.git("server.git", &["ls-tree", "-r", "--name-only", "one"]);
    for file in ["README.md", "entries/NOTES", "entries/000000/NOTES"] {
        assert!(listed.contains(file), "{listed}");
    }
    assert_eq!(read_all(&mut one, None), (lines, Some(chain.head())));
    assert_eq!(read_all(&mut two, None).0, other.lines);
}

#[test]
fn lines_that_were_archived_go_from_the_branch_and_others_stay() {
    let place = Place::new();
    let mut remote = place.start();
    let (mut chain, mut lines) = create(&mut remote, 1_005);
    assert!(remote.hello(None).unwrap().can.forget);
    lines.extend(append(&mut remote, &mut chain, 5));
    for _ in 0..2 {
        remote.forget(1_002, &[0, 1, 700]).unwrap();
        let kept = [&lines[..2], &lines[700..701], &lines[1_002..]].concat();
        assert_eq!(read_all(&mut place.start(), None), (kept, Some(chain.head())));
    }
    assert_eq!(
        place.git("server.git", &["rev-list", "--count", BRANCH]),
        "3",
        "the second time nothing is left to do"
    );
    lines.extend(append(&mut remote, &mut chain, 1));
    assert_eq!(read_all(&mut remote, Some(1_008)).0, lines[1_009..]);
}
