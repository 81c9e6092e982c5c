//! What every remote must do, whatever keeps its lines.
//!
//! Each check gets a place of its own, in which there is nothing yet.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Barrier;
use std::time::Duration;

use gate_ledger::archive::EntryRef;
use gate_ledger::entry::{Entry, EntryHash};
use gate_ledger::remote::{Batch, Outcome, Remote, RemoteError, Why};

use super::{Chain, Site, read_all};

/// Makes a test of each check. `$make` gives a fresh [`Site`], or nothing where that kind of remote cannot be had; then
/// the test says that it was skipped.
#[macro_export]
macro_rules! conformance {
    ($make:expr) => {
        $crate::conformance!(@ $make;
            nothing_is_there_at_first, a_ledger_is_made_once, lines_come_back_unchanged_and_in_order,
            reading_begins_and_stops_where_asked, whoever_was_not_first_adds_nothing,
            whoever_lost_keeps_nobody_waiting_for_long,
            the_same_lines_sent_twice_are_there_once, connections_see_each_others_lines,
            thousands_of_lines_come_back, writers_at_once_add_each_line_once, what_it_cannot_do_it_says);
    };
    (@ $make:expr; $($check:ident),*) => {
        $(
            #[test]
            fn $check() {
                match $make {
                    Some(site) => $crate::remote::conformance::$check(&site),
                    None => eprintln!("skipped: this kind of remote cannot be had here"),
                }
            }
        )*
    };
}

/// A ledger of `count` lines, made through `remote`.
fn begin(remote: &mut dyn Remote, count: usize) -> (Chain, Vec<Vec<u8>>) {
    let mut chain = Chain::new(0xa1);
    let batch = chain.batch(count, "begin");
    assert_eq!(remote.create(&batch).expect("an answer"), Outcome::Taken);
    (chain, batch.lines)
}

fn take(remote: &mut dyn Remote, after: EntryRef, batch: &Batch) {
    assert_eq!(remote.append(after, batch).expect("an answer"), Outcome::Taken);
}

/// No head, no lines, and nothing to append to.
pub fn nothing_is_there_at_first(site: &dyn Site) {
    let mut remote = site.connect();
    let hello = remote.hello(None).expect("an answer");
    assert_eq!((hello.head, hello.ledger), (None, None));
    assert_eq!(read_all(&mut *remote, None), (Vec::new(), None));
    let mut chain = Chain::new(0xa1);
    chain.line("never sent");
    let after = chain.head();
    let outcome = remote.append(after, &chain.batch(1, "early")).expect("an answer");
    assert_eq!(outcome, Outcome::Moved(None));
}

/// The second who makes one is told that there is one, and changes nothing.
pub fn a_ledger_is_made_once(site: &dyn Site) {
    let mut remote = site.connect();
    let (chain, lines) = begin(&mut *remote, 2);
    let hello = remote.hello(Some(chain.id())).expect("an answer");
    assert_eq!(hello.head, Some(chain.head()));
    assert!(hello.ledger.is_none_or(|ledger| ledger == chain.id()));
    let other = Chain::new(0xb2).batch(3, "other");
    for remote in [&mut remote, &mut site.connect()] {
        let outcome = remote.create(&other).expect("an answer");
        assert!(matches!(outcome, Outcome::Moved(_)), "{outcome:?}");
        assert_eq!(read_all(&mut **remote, None), (lines.clone(), Some(chain.head())));
    }
}

/// Whatever they hold: quotes, scripts, escapes, as much as an entry can.
pub fn lines_come_back_unchanged_and_in_order(site: &dyn Site) {
    let mut remote = site.connect();
    let (mut chain, mut lines) = begin(&mut *remote, 1);
    let long = "x".repeat((1 << 20) - 1_000);
    for text in [
        "\"quoted\" \\ back\\\\slash \\n",
        "füx 修正 \u{202e}\u{1f600}",
        "\ttab\nnew line",
        "%s $HOME `id`",
        "'; --",
        &long,
    ] {
        let after = chain.head();
        let batch = Batch { lines: vec![chain.line(text)], ..Batch::default() };
        take(&mut *remote, after, &batch);
        lines.extend(batch.lines);
    }
    assert_eq!(read_all(&mut *site.connect(), None), (lines, Some(chain.head())));
}

/// Behind a position, and never more than asked for.
pub fn reading_begins_and_stops_where_asked(site: &dyn Site) {
    let mut remote = site.connect();
    let (chain, lines) = begin(&mut *remote, 7);
    let head = Some(chain.head());
    for (after, most, expected) in [
        (None, 10, &lines[..]),
        (None, 3, &lines[..3]),
        (Some(0), 10, &lines[1..]),
        (Some(2), 2, &lines[3..5]),
        (Some(5), 1, &lines[6..]),
        (Some(6), 5, &[]),
        (Some(900), 5, &[]),
        (Some(2), 0, &[]),
    ] {
        let mut came = Vec::new();
        let read = remote.read(after, most, &mut |line| {
            came.push(line.to_vec());
            ControlFlow::Continue(())
        });
        assert_eq!(read.expect("an answer"), head, "after {after:?}");
        assert_eq!(came, expected, "after {after:?} at most {most}");
    }
}

/// An older entry, another hash, a position that is not there yet: nothing is added, and the head is told.
pub fn whoever_was_not_first_adds_nothing(site: &dyn Site) {
    let mut remote = site.connect();
    let (mut chain, mut lines) = begin(&mut *remote, 2);
    let (old, stale) = (chain.head(), chain.clone());
    let batch = chain.batch(1, "first");
    take(&mut *remote, old, &batch);
    lines.extend(batch.lines);
    let there = chain.head();
    let false_hash = EntryRef { hash: EntryHash([9; 32]), ..there };
    let further = EntryRef { seq: there.seq + 1, ..there };
    for after in [old, false_hash, further] {
        let batch = stale.behind(after).batch(2, "too late");
        assert_eq!(
            remote.append(after, &batch).expect("an answer"),
            Outcome::Moved(Some(there)),
            "{after:?}"
        );
        assert_eq!(read_all(&mut *remote, None), (lines.clone(), Some(there)));
    }
}

/// One may keep the others waiting until it has judged again; not after another ask, nor when it is gone.
pub fn whoever_lost_keeps_nobody_waiting_for_long(site: &dyn Site) {
    let (mut one, mut two) = (site.connect(), site.connect());
    let (mut chain, mut lines) = begin(&mut *one, 1);
    let nowhere = EntryRef { seq: 900, ..chain.head() };
    let lost = chain.behind(nowhere).batch(1, "nowhere");
    for ends in [false, true] {
        assert_eq!(one.append(nowhere, &lost).expect("an answer"), Outcome::Moved(Some(chain.head())));
        if ends {
            one = site.connect();
        } else {
            one.hello(None).expect("an answer");
        }
        let (after, batch) = (chain.head(), chain.batch(1, "free"));
        take(&mut *two, after, &batch);
        lines.extend(batch.lines);
    }
    assert_eq!(read_all(&mut *one, None), (lines, Some(chain.head())));
}

/// The second time they do not follow the newest entry any more.
pub fn the_same_lines_sent_twice_are_there_once(site: &dyn Site) {
    let mut remote = site.connect();
    let (mut chain, mut lines) = begin(&mut *remote, 1);
    let (after, batch) = (chain.head(), chain.batch(3, "again"));
    take(&mut *remote, after, &batch);
    let again = site.connect().append(after, &batch).expect("an answer");
    assert_eq!(again, Outcome::Moved(Some(chain.head())));
    lines.extend(batch.lines);
    assert_eq!(read_all(&mut *remote, None), (lines, Some(chain.head())));
}

/// A connection that was there before is no older than a new one.
pub fn connections_see_each_others_lines(site: &dyn Site) {
    let (mut one, mut two) = (site.connect(), site.connect());
    assert_eq!(two.hello(None).expect("an answer").head, None);
    let (mut chain, mut lines) = begin(&mut *one, 1);
    for turn in 0..4 {
        let (writer, reader) = if turn % 2 == 0 { (&mut two, &mut one) } else { (&mut one, &mut two) };
        let (after, batch) = (chain.head(), chain.batch(2, "turn"));
        take(&mut **writer, after, &batch);
        lines.extend(batch.lines);
        assert_eq!(read_all(&mut **reader, None), (lines.clone(), Some(chain.head())));
    }
}

/// However they came, alone or many at once.
pub fn thousands_of_lines_come_back(site: &dyn Site) {
    let mut remote = site.connect();
    let (mut chain, mut lines) = begin(&mut *remote, 1_500);
    for count in [400, 1, 1, 97, 1, 1, 1_200] {
        let (after, batch) = (chain.head(), chain.batch(count, "more"));
        take(&mut *remote, after, &batch);
        lines.extend(batch.lines);
    }
    let head = Some(chain.head());
    assert_eq!(read_all(&mut *site.connect(), None), (lines.clone(), head));
    for after in [0, 998, 999, 1_000, 1_997, 2_000, 3_199] {
        let behind = lines[usize::try_from(after).expect("small") + 1..].to_vec();
        assert_eq!(read_all(&mut *remote, Some(after)), (behind, head), "after {after}");
    }
}

/// Each comes again until it was first once; what is there in the end is one chain with each of them in it.
pub fn writers_at_once_add_each_line_once(site: &dyn Site) {
    let writers = site.writers();
    let (chain, _) = begin(&mut *site.connect(), 1);
    let start = Barrier::new(writers);
    std::thread::scope(|scope| {
        for writer in 0..writers {
            let (chain, start) = (&chain, &start);
            scope.spawn(move || {
                let mut remote = site.connect();
                start.wait();
                loop {
                    let head = remote.read(None, 0, &mut |_| ControlFlow::Continue(()));
                    let head = head.expect("an answer").expect("a ledger");
                    let batch = chain.behind(head).batch(1, &format!("writer {writer}"));
                    match remote.append(head, &batch).expect("an answer") {
                        Outcome::Taken => break,
                        // As callers do: not all again at the same moment.
                        Outcome::Moved(_) => {
                            std::thread::sleep(Duration::from_millis(13 * (writer as u64 % 8)));
                        }
                        other => panic!("writer {writer}: {other:?}"),
                    }
                }
            });
        }
    });
    let (lines, head) = read_all(&mut *site.connect(), None);
    let mut linked = gate_ledger::chain::Chain::new();
    let texts: BTreeSet<String> = lines
        .iter()
        .map(|line| {
            let entry = Entry::from_line(line).expect("a line");
            linked.push(entry.body.as_bytes(), Some(entry.hash)).expect("one chain");
            entry.data["text"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    assert_eq!((texts.len(), lines.len()), (writers + 1, writers + 1));
    assert_eq!(head.map(|head| head.seq), Some(writers as u64));
}

/// Where it cannot drop or erase, asking for that is answered, and the connection goes on.
pub fn what_it_cannot_do_it_says(site: &dyn Site) {
    let mut remote = site.connect();
    let (chain, lines) = begin(&mut *remote, 3);
    let can = remote.hello(None).expect("an answer").can;
    let unsupported = |answer: Result<u64, RemoteError>| {
        let said = answer.expect_err("it says that it cannot");
        assert!(matches!(&said, RemoteError::Failed(failed) if failed.why == Why::Unsupported), "{said}");
    };
    if !can.forget {
        unsupported(remote.forget(2, &[0]).map(|()| 0));
    }
    if !can.erase {
        unsupported(remote.erase(&[]));
        unsupported(remote.openings(0, 2, &mut |_| ControlFlow::Continue(())).map(|()| 0));
    }
    assert_eq!(read_all(&mut *remote, None), (lines, Some(chain.head())));
}
