//! Rows of the table `entry`, as they stand in a page.
//!
//! A row is a record of three columns: the number, which is the row's own and takes no space; the body; the
//! hash. Its header is its own length, then the type of each column (section 2.1 of the file format). What does
//! not fit the page goes on in a list of overflow pages (section 1.6).

use super::page::{Layer, Pages, big_endian, varint};
use crate::chain::{Bad, Facts, inspect};
use crate::entry::EntryHash;
use crate::profile::MAX_BYTES;

/// The type of a column with a blob of 32 bytes, and what every body begins with: the keys are sorted.
pub(super) const SIGN: &[u8] = b"\x4c{\"actor\":";
/// How long the header of a row is: its length and three types, of which that of the body has one to four bytes.
const MIN_HEADER: usize = 4;
const MAX_HEADER: usize = 7;

/// A record that may be a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    header: usize,
    body: usize,
    text: bool,
    hash: Option<usize>,
}

/// An entry that is intact in itself.
#[derive(Debug)]
pub(super) struct Intact<'b> {
    pub(super) facts: Facts,
    pub(super) body: &'b [u8],
}

impl Layout {
    /// Reads the header of the record that begins at `at`. Its first byte, the header's length, follows from the
    /// rest and is not looked at: SQLite writes over it where it frees a row.
    pub(super) fn read(page: &[u8], at: usize) -> Option<Self> {
        let mut next = at.checked_add(1)?;
        let mut types = [0; 3];
        for kind in &mut types {
            (*kind, next) = varint(page, next)?;
        }
        let [number, body, hash] = types;
        if number != 0 || body < 12 || body > 13 + 2 * MAX_BYTES as u64 {
            return None;
        }
        let hash = hash.checked_sub(12).filter(|length| length % 2 == 0);
        let hash = hash.and_then(|length| usize::try_from(length / 2).ok());
        Some(Self {
            header: next - at,
            body: usize::try_from((body - 12) / 2).ok()?,
            text: body % 2 == 1,
            hash,
        })
    }

    /// The records that may begin before `sign`, the place of a [`SIGN`], at which their headers end.
    pub(super) fn starts(page: &[u8], sign: usize) -> impl Iterator<Item = usize> {
        (MIN_HEADER..=MAX_HEADER).filter_map(move |length| {
            let at = (sign + 1).checked_sub(length)?;
            Self::read(page, at).filter(|layout| layout.header == length).map(|_| at)
        })
    }

    /// The entry of this layout in a whole record.
    fn entry<'b>(&self, record: &'b [u8]) -> Result<Intact<'b>, Bad> {
        if !self.text {
            return Err(Bad::NotText("a BLOB"));
        }
        let short = || Bad::Unreadable("its overflow pages are not there".to_owned());
        let (body, rest) =
            record.get(self.header..).and_then(|rest| rest.split_at_checked(self.body)).ok_or_else(short)?;
        let recorded = match self.hash {
            Some(32) => EntryHash(rest.get(..32).and_then(|hash| hash.try_into().ok()).ok_or_else(short)?),
            _ => return Err(Bad::HashForm),
        };
        let facts = inspect(body)?;
        if facts.hash == recorded {
            Ok(Intact { facts, body })
        } else {
            Err(Bad::Hash { computed: facts.hash, recorded })
        }
    }

    /// As far as it is needed: a hash of another length is none.
    const fn length(&self) -> usize {
        self.header + self.body + 32
    }
}

/// The entry of the record at `at` of `page`, which was read from `pages` in `layer`. `scratch` is where it is put
/// together.
pub(super) fn entry<'b>(
    pages: &Pages,
    layer: Layer,
    page: &[u8],
    at: usize,
    scratch: &'b mut Vec<u8>,
) -> Result<Intact<'b>, Bad> {
    let layout =
        Layout::read(page, at).ok_or_else(|| Bad::Unreadable("it is no row of the table".to_owned()))?;
    gather(pages, layer, page, at, layout.length(), scratch);
    layout.entry(scratch)
}

/// Puts the record together that begins at `at`, as far as its pages are there.
fn gather(pages: &Pages, layer: Layer, page: &[u8], at: usize, length: usize, record: &mut Vec<u8>) {
    record.clear();
    let usable = pages.shape().usable();
    let local = local(length, usable).min(page.len().saturating_sub(at));
    record.extend_from_slice(&page[at..at + local]);
    let mut next = big_endian(page, at + local);
    let mut overflow = Vec::new();
    // Each page adds bytes, so that a list that leads back into itself ends too.
    while record.len() < length
        && let Some(number) = next
    {
        pages.read(number, layer, &mut overflow);
        let Some(content) = overflow.get(4..) else { return };
        record.extend_from_slice(&content[..content.len().min(length - record.len())]);
        next = big_endian(&overflow, 0);
    }
}

/// How many bytes of a record of `length` stand in a leaf itself (section 1.6, "table b-tree leaf cell").
const fn local(length: usize, usable: usize) -> usize {
    if length <= usable - 35 {
        return length;
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let wanted = least + (length - least) % (usable - 4);
    if wanted <= usable - 35 { wanted } else { least }
}
