use std::io::Write as _;
use std::path::PathBuf;

use gate_model::request::SeenHead;
use gate_model::time::Timestamp;
use serde_json::json;

use super::{Waiting, WaitingError, add, beside, read, remove};
use crate::entry::Kind;

struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        beside(&self.directory.path().join("ledger.db"))
    }

    fn append(&self, bytes: &[u8]) {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(self.path()).unwrap();
        file.write_all(bytes).unwrap();
    }
}

fn waiting(text: &str) -> Waiting {
    let (actor, data) = (json!({"id": "github:carol"}), json!({"decision": "pass", "text": text}));
    let at = Timestamp::parse("2026-11-22T16:30:35.123456Z").unwrap();
    let head = SeenHead { seq: 7, hash: format!("b3:{}", "1".repeat(64)) };
    Waiting::new(("lint", actor, data), "000102030405060708090a0b0c0d0e0f", head, at).unwrap()
}

#[test]
fn what_waits_is_there_in_its_order_until_it_is_taken_out() {
    let bench = Bench::new();
    assert_eq!(read(&bench.path()).unwrap(), []);
    let three = ["a", "b", "c"].map(waiting);
    for one in &three {
        add(&bench.path(), one).unwrap();
    }
    assert_eq!(read(&bench.path()).unwrap(), three);
    remove(&bench.path(), &[three[1].id.clone()]).unwrap();
    assert_eq!(read(&bench.path()).unwrap(), [three[0].clone(), three[2].clone()]);
    remove(&bench.path(), &[three[0].id.clone(), three[2].id.clone()]).unwrap();
    assert!(!bench.path().exists());
}

#[test]
fn the_entry_that_it_becomes_names_it() {
    let one = waiting("a");
    let draft = one.draft(Some(json!({"id": "github:dave"}))).unwrap();
    assert_eq!(draft.data["waited"]["id"], one.id.as_str());
    assert_eq!(draft.data["waited"]["head"]["seq"], 7);
    assert_eq!(draft.data["waited"]["reported_by"]["id"], "github:dave");
    assert_eq!((draft.kind, draft.gate.as_deref(), draft.reference), (Kind::Decision, Some("lint"), None));
    assert_eq!(draft.data["text"], "a");
    assert!(one.draft(None).unwrap().data["waited"].get("reported_by").is_none());
}

#[test]
fn a_line_that_a_crash_cut_was_never_acknowledged() {
    let bench = Bench::new();
    add(&bench.path(), &waiting("a")).unwrap();
    bench.append(b"{\"actor\":{\"id\":\"github:ca");
    assert_eq!(read(&bench.path()).unwrap().len(), 1);
    add(&bench.path(), &waiting("b")).unwrap();
    assert_eq!(read(&bench.path()).unwrap().len(), 2);
}

#[test]
fn a_line_that_is_none_is_named_and_nothing_is_taken() {
    let good = waiting("a");
    let text = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut value = serde_json::to_value(&good).unwrap();
        edit(&mut value);
        format!("{value}\n")
    };
    let wrong = [
        "\n".to_owned(),
        "[]\n".to_owned(),
        text(&|value| value["schema"] = json!("gate.waiting/2")),
        text(&|value| value["id"] = json!("../x")),
        text(&|value| value["more"] = json!(1)),
        text(&|value| value["head"]["at"] = json!(1)),
        text(&|value| value["kind"] = json!("grant")),
        text(&|value| value["data"] = json!([])),
    ];
    for line in wrong {
        let bench = Bench::new();
        add(&bench.path(), &good).unwrap();
        bench.append(line.as_bytes());
        let refused = read(&bench.path()).unwrap_err();
        assert!(matches!(refused, WaitingError::Line { line: 2, .. }), "{line}: {refused}");
    }
}

#[test]
fn nothing_is_written_through_a_link_or_into_a_pipe() {
    let bench = Bench::new();
    let other = bench.directory.path().join("other");
    std::fs::write(&other, "kept\n").unwrap();
    std::os::unix::fs::symlink(&other, bench.path()).unwrap();
    assert!(add(&bench.path(), &waiting("a")).is_err());
    assert!(read(&bench.path()).is_err());
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "kept\n");
    std::fs::remove_file(bench.path()).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, bench.path(), rustix::fs::Mode::RUSR).unwrap();
    assert!(read(&bench.path()).is_err());
}
