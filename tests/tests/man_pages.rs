//! The manual pages say what the tools do: every option, every example, every document.
//!
//! What is checked: options and verbs against `--help`, in both directions; mdoc against `mandoc -T lint`; every
//! command in an EXAMPLES section by running it; every JSON example by reading it as the type that it shows; the
//! worked example of gate-ledger(5) by hashing it.

#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

#[path = "man_pages/documents.rs"]
mod documents;
#[path = "man_pages/page.rs"]
mod page;
#[path = "man_pages/transcript.rs"]
mod transcript;

use std::collections::BTreeSet;
use std::process::Command;

use gate_ledger::entry::Entry;
use page::Page;

const TOOLS: [&str; 4] = ["gate-check", "gate-log", "gate-skip", "gate-verify"];

/// What a tool says about itself: the options and verbs of `--help`, those of its verbs included.
struct Help {
    options: BTreeSet<String>,
    verbs: BTreeSet<String>,
}

impl Help {
    fn of(tool: &str) -> Self {
        let text = help(tool, &[]);
        let verbs: BTreeSet<String> = verbs(&text);
        let all = verbs.iter().map(|verb| help(tool, &[verb])).chain([text.clone()]);
        Self { options: all.flat_map(|text| options(&text)).collect(), verbs }
    }
}

fn help(tool: &str, verb: &[&str]) -> String {
    let output = Command::new(transcript::tools().join(tool)).args(verb).arg("--help").output().unwrap();
    assert!(output.status.success(), "{tool} {verb:?} --help fails");
    String::from_utf8(output.stdout).unwrap()
}

/// The verbs stand below a heading that ends with a colon, two spaces in, with a description beside them.
fn verbs(help: &str) -> BTreeSet<String> {
    let lines = help.lines().skip_while(|line| !matches!(*line, "Verbs:" | "Commands:")).skip(1);
    let verb = |line: &str| line.trim_start().split(' ').next().unwrap_or_default().to_owned();
    lines
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .map(verb)
        .collect()
}

/// The options on the lines that begin with one: `-q, --quiet`, `--sign[=<KEY>]`. They are indented by two or six;
/// prose stands further left or right.
fn options(help: &str) -> BTreeSet<String> {
    let lines = help.lines().filter(|line| line.starts_with("  -") || line.starts_with("      --"));
    let words = lines.flat_map(|line| {
        line.trim_start().split("  ").next().unwrap_or_default().split([' ', ',', '[', '='])
    });
    words.filter(|word| word.starts_with('-')).map(str::to_owned).collect()
}

#[test]
fn options_and_verbs_of_help_are_those_of_the_page() {
    for tool in TOOLS {
        let (help, page) = (Help::of(tool), Page::named(&format!("{tool}.1")));
        assert_eq!(page.defined_options(), help.options, "{tool}: left is the page, right is --help");
        assert_eq!(page.defined_verbs(), help.verbs, "{tool}: left is the page, right is --help");
    }
}

#[test]
fn no_page_names_an_option_that_no_tool_has() {
    let known: BTreeSet<String> = TOOLS.iter().flat_map(|tool| Help::of(tool).options).collect();
    for page in Page::all() {
        let unknown: Vec<String> = page.named_options().difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", page.name);
    }
}

#[test]
fn mandoc_finds_no_fault() {
    for page in Page::all() {
        // In the folder of the pages, where mandoc finds the other pages that one refers to.
        let lint =
            Command::new("mandoc").args(["-T", "lint", &page.name]).current_dir(page::folder()).output();
        let lint = match lint {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                eprintln!("skipped: mandoc is not installed");
                return;
            }
            lint => lint.unwrap(),
        };
        let said =
            String::from_utf8_lossy(&lint.stdout).into_owned() + &String::from_utf8_lossy(&lint.stderr);
        assert!(lint.status.success() && said.is_empty(), "{said}");
    }
}

#[test]
fn every_example_does_what_its_page_says() {
    let mut faults = Vec::new();
    for page in Page::all() {
        let is_tool = TOOLS.iter().any(|tool| page.name == format!("{tool}.1"));
        match transcript::run(&page) {
            Ok(0) if is_tool => faults.push(format!("{} has no examples", page.name)),
            Ok(_) => {}
            Err(fault) => faults.push(fault),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_document_is_read_by_the_type_that_it_shows() {
    documents::check(&Page::named("gate-json.5"));
}

#[test]
fn the_worked_example_has_the_hashes_that_the_page_says() {
    let page = Page::named("gate-ledger.5");
    let blocks = page.blocks(Some("EXAMPLES"));
    let lines: Vec<String> =
        blocks.iter().filter(|block| block.starts_with('{')).map(|block| joined(block)).collect();
    let entries: Vec<Entry> = lines.iter().map(|line| entry(line)).collect();
    let [genesis, note] = entries.as_slice() else { panic!("there are {} entries", entries.len()) };
    assert_eq!((genesis.seq, note.seq, note.prev), (0, 1, genesis.hash));

    let leaves = [genesis, note].map(|entry| gate_ledger::tree::leaf_hash(entry.body.as_bytes()));
    let root = gate_ledger::tree::node_hash(&leaves[0], &leaves[1]);
    let hex = |hash: &[u8; 32]| gate_model::digest::written(hash).replace("b3:", "");
    let expected = [format!("{}\n{}\n", hex(&leaves[0]), hex(&leaves[1])), format!("{}\n", hex(&root))];
    assert!(expected.iter().all(|block| blocks.contains(block)), "{expected:?}");

    let all = page.blocks(None);
    let signed = all.iter().find(|block| block.contains("\n— ")).unwrap();
    let key =
        all.iter().find_map(|block| gate_ledger::note::VerifierKey::parse(block.trim_end()).ok()).unwrap();
    let (checkpoint, _) = gate_ledger::checkpoint::open(signed.as_bytes(), &[key]).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (2, root));
}

fn joined(block: &str) -> String {
    block.replace('\n', "")
}

/// The entry of an exported line, which must be exactly what an export writes.
fn entry(line: &str) -> Entry {
    let (open, _) = line.split_once(",\"hash\":").unwrap();
    let entry = Entry::from_body(format!("{open}}}").as_bytes()).unwrap();
    assert_eq!(entry.line(), line);
    entry
}
