//! Finding rows: those that the table leads to, and those that lie about.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use memchr::memmem::Finder;

use super::page::{Layer, Pages, big_endian, big_endian_16, varint};
use super::record::{self, Layout, SIGN};
use crate::chain::LedgerId;

/// The first byte of a page of a table: one that holds rows, and one that leads to others.
const LEAF: u8 = 0x0d;
const INTERIOR: u8 = 0x05;
/// How many ledgers are told apart; whoever mixes more into one file loses those that come last.
const MAX_LEDGERS: usize = 250;

/// An intact entry in the file. Small: there may be millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Its position, from its body.
    pub(super) seq: u64,
    /// The page in which its record begins, and where.
    pub(super) page: u32,
    pub(super) at: u16,
    pub(super) layer: Layer,
    /// Whether the table leads to it.
    pub(super) live: bool,
    /// The place of its ledger in [`Index::ledgers`].
    pub(super) ledger: u8,
}

/// All that was found.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) found: Vec<Found>,
    /// Rows that the table leads to and that are bad: the row's number and the defect.
    pub(super) bad: Vec<(u64, &'static str)>,
    pub(super) ledgers: Vec<LedgerId>,
    /// The highest number up to which there were rows, as the pages say that lead to others.
    pub(super) reach: Option<u64>,
}

/// The index of the file. If the table leads to nothing, or to bad rows, the file is divided in every way that there
/// is, and the one counts that shows most.
pub(super) fn best(real: &Path) -> io::Result<(Pages, Index)> {
    let mut pages = Pages::open(real)?;
    let mut best = (pages.shape(), Index::default());
    for shape in pages.shapes() {
        pages.divide(shape);
        let index = index(&pages);
        if index.found.len() > best.1.found.len() {
            best = (shape, index);
        }
        // A header may say how pages are divided and be wrong in one byte: then some rows are good, and others not.
        if best.1.bad.is_empty() && best.1.found.iter().any(|found| found.live) {
            break;
        }
    }
    pages.divide(best.0);
    Ok((pages, best.1))
}

impl Index {
    fn push(&mut self, page: u32, at: usize, layer: Layer, live: bool, facts: &crate::chain::Facts) {
        let known = self.ledgers.iter().position(|ledger| *ledger == facts.ledger);
        let ledger = known.unwrap_or_else(|| {
            self.ledgers.push(facts.ledger);
            self.ledgers.len() - 1
        });
        if let (Ok(at), Ok(number)) = (u16::try_from(at), u8::try_from(ledger)) {
            self.found.push(Found { seq: facts.seq, page, at, layer, live, ledger: number });
        }
        self.ledgers.truncate(MAX_LEDGERS);
    }
}

/// Looks through all pages.
fn index(pages: &Pages) -> Index {
    let mut search = Search {
        pages,
        sign: Finder::new(SIGN),
        index: Index::default(),
        page: Vec::new(),
        record: Vec::new(),
    };
    let tree = root(pages).map(|root| leaves(pages, root)).unwrap_or_default();
    search.index.reach = tree.reach;
    for number in 1..=pages.last() {
        search.page(number, Layer::Newest, tree.leaves.contains(&number));
    }
    for number in pages.covered() {
        search.page(number, Layer::Covered, false);
    }
    for frame in pages.others() {
        search.page(0, Layer::After(frame), false);
    }
    search.index
}

struct Search<'p> {
    pages: &'p Pages,
    sign: Finder<'static>,
    index: Index,
    page: Vec<u8>,
    record: Vec<u8>,
}

impl Search<'_> {
    fn page(&mut self, number: u32, layer: Layer, leaf: bool) {
        let mut page = std::mem::take(&mut self.page);
        self.pages.read(number, layer, &mut page);
        let known = if leaf { self.rows(number, &page) } else { HashSet::new() };
        let signs = self.sign.find_iter(&page);
        let mut starts: Vec<usize> = signs.flat_map(|sign| Layout::starts(&page, sign)).collect();
        starts.retain(|at| !known.contains(at));
        for at in starts {
            for layer in ways(layer) {
                if let Ok(intact) = record::entry(self.pages, layer, &page, at, &mut self.record) {
                    self.index.push(number, at, layer, false, &intact.facts);
                    break;
                }
            }
        }
        self.page = page;
    }

    /// Takes the rows of a page that the table leads to. Returns where the intact ones begin.
    fn rows(&mut self, number: u32, page: &[u8]) -> HashSet<usize> {
        let mut known = HashSet::new();
        for (rowid, at) in cells(page, number) {
            match record::entry(self.pages, Layer::Newest, page, at, &mut self.record) {
                Ok(intact) => {
                    self.index.push(number, at, Layer::Newest, true, &intact.facts);
                    known.insert(at);
                }
                // A number below zero was never given to an entry, so nothing is lost with it.
                Err(bad) => self.index.bad.extend(u64::try_from(rowid).ok().map(|row| (row, bad.code()))),
            }
        }
        known
    }
}

/// Where what does not fit the page may go on: of a frame, behind it or in front.
fn ways(layer: Layer) -> impl Iterator<Item = Layer> {
    let other = if let Layer::After(frame) = layer { Some(Layer::Before(frame)) } else { None };
    std::iter::once(layer).chain(other)
}

/// The rows of a leaf: number and start of the record.
fn cells(page: &[u8], number: u32) -> Vec<(i64, usize)> {
    let header = header(number);
    if page.get(header) != Some(&LEAF) {
        return Vec::new();
    }
    let count = big_endian_16(page, header + 3).unwrap_or(0);
    let pointers = (0..count).map_while(|place| big_endian_16(page, header + 8 + 2 * place));
    let cells = pointers.filter_map(|cell| {
        let (_, next) = varint(page, cell)?;
        let (rowid, at) = varint(page, next)?;
        Some((rowid.cast_signed(), at))
    });
    cells.collect()
}

/// Where the header of a page begins: the first page has that of the file in front of it.
const fn header(number: u32) -> usize {
    if number == 1 { 100 } else { 0 }
}

/// What a table's root leads to.
#[derive(Default)]
struct Tree {
    leaves: HashSet<u32>,
    /// The highest number of a row that a page names which leads to others.
    reach: Option<u64>,
}

/// The leaves that a table's root leads to. A page that leads nowhere, or to where somebody was, is passed over.
fn leaves(pages: &Pages, root: u32) -> Tree {
    let (mut tree, mut visited, mut open) = (Tree::default(), HashSet::new(), vec![root]);
    let (mut page, usable) = (Vec::new(), pages.room());
    while let Some(number) = open.pop() {
        if !visited.insert(number) {
            continue;
        }
        pages.read(number, Layer::Newest, &mut page);
        let header = header(number);
        match page.get(header) {
            Some(&LEAF) => drop(tree.leaves.insert(number)),
            Some(&INTERIOR) => {
                let count = big_endian_16(&page, header + 3).unwrap_or(0);
                let pointers = (0..count).map_while(|place| big_endian_16(&page, header + 12 + 2 * place));
                for cell in pointers {
                    open.extend(big_endian(&page, cell));
                    let named = varint(&page, cell + 4).map(|(row, _)| row);
                    tree.reach = tree.reach.max(named.filter(|row| *row < usable));
                }
                open.extend(big_endian(&page, header + 8));
            }
            _ => {}
        }
    }
    tree
}

/// The root of the table `entry`, from the schema, which is a table with its root on the first page: type, name,
/// table, root and SQL of each object.
fn root(pages: &Pages) -> Option<u32> {
    let mut page = Vec::new();
    leaves(pages, 1).leaves.into_iter().find_map(|number| {
        pages.read(number, Layer::Newest, &mut page);
        cells(&page, number).into_iter().find_map(|(_, at)| root_in(&page, at))
    })
}

/// The root in the record at `at`, if it describes the table.
fn root_in(page: &[u8], at: usize) -> Option<u32> {
    /// The types of the texts `table` and `entry`.
    const FIVE: u64 = 13 + 2 * 5;
    let (length, mut next) = varint(page, at)?;
    let mut types = [0; 4];
    for kind in &mut types {
        (*kind, next) = varint(page, next)?;
    }
    let content = page.get(at.checked_add(usize::try_from(length).ok()?)?..)?;
    let root = content.strip_prefix(b"tableentryentry")?;
    let width = match types {
        [FIVE, FIVE, FIVE, width @ 1..=4] => usize::try_from(width).ok()?,
        _ => return None,
    };
    Some(root.get(..width)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}
