//! The write-ahead log: which pages it holds newer versions of.
//!
//! Only what was committed counts, as in SQLite: frames up to the last one that ends a transaction, as long as
//! salt and running checksum fit (<https://www.sqlite.org/fileformat2.html>, section 4.1 to 4.4). Behind them may
//! lie frames of an earlier use of the log, and of transactions that never came to an end.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use super::page::big_endian;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The magic number of a log whose checksums read words in little-endian order; one more means big-endian.
const MAGIC: u32 = 0x377f_0682;

/// A log with its committed pages.
#[derive(Debug)]
pub(super) struct Wal {
    file: File,
    /// The size of its pages, in bytes.
    pub(super) page_size: usize,
    /// Where the newest committed version of a page begins in the log.
    pages: HashMap<u32, u64>,
}

impl Wal {
    /// Reads the log; none where there is nothing committed in it.
    pub(super) fn read(file: File) -> Option<Self> {
        let mut input = BufReader::new(&file);
        let mut header = [0; HEADER];
        input.read_exact(&mut header).ok()?;
        let magic = big_endian(&header, 0)?;
        let page_size = usize::try_from(big_endian(&header, 8)?).ok()?;
        if magic & !1 != MAGIC || !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return None;
        }
        let mut sum = Checksum { big: magic & 1 == 1, state: (0, 0) };
        sum.add(&header[..24]);
        if !sum.is(&header[24..]) {
            return None;
        }
        let pages = committed(&mut input, sum, &header[16..24], page_size);
        (!pages.is_empty()).then_some(Self { file, page_size, pages })
    }

    /// The pages that it holds.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.pages.keys().copied()
    }

    /// Reads `page` into `buffer`, which is as long as a page. Says whether the log holds it.
    pub(super) fn page(&self, page: u32, buffer: &mut [u8]) -> bool {
        let Some(place) = self.pages.get(&page) else { return false };
        let mut file = &self.file;
        file.seek(SeekFrom::Start(*place)).and_then(|_| file.read_exact(buffer)).is_ok()
    }
}

/// Follows the frames; the pages of a transaction count once its last frame, which says the size of the
/// database, was seen.
fn committed(input: &mut dyn Read, mut sum: Checksum, salt: &[u8], page_size: usize) -> HashMap<u32, u64> {
    let (mut pages, mut pending) = (HashMap::new(), Vec::new());
    let mut frame = vec![0; FRAME_HEADER + page_size];
    let mut place = HEADER as u64;
    while input.read_exact(&mut frame).is_ok() {
        let (Some(page), Some(size)) = (big_endian(&frame, 0), big_endian(&frame, 4)) else { break };
        sum.add(&frame[..8]);
        sum.add(&frame[FRAME_HEADER..]);
        if &frame[8..16] != salt || page == 0 || !sum.is(&frame[16..FRAME_HEADER]) {
            break;
        }
        pending.push((page, place + FRAME_HEADER as u64));
        if size > 0 {
            pages.extend(pending.drain(..));
        }
        place += frame.len() as u64;
    }
    pages
}

/// The running checksum of section 4.2.
struct Checksum {
    big: bool,
    state: (u32, u32),
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let number =
            |bytes: [u8; 4]| if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        // Words come in pairs.
        let mut words = bytes.as_chunks::<4>().0.iter().map(|word| number(*word));
        while let (Some(one), Some(other)) = (words.next(), words.next()) {
            self.state.0 = self.state.0.wrapping_add(one).wrapping_add(self.state.1);
            self.state.1 = self.state.1.wrapping_add(other).wrapping_add(self.state.0);
        }
    }

    fn is(&self, recorded: &[u8]) -> bool {
        (big_endian(recorded, 0), big_endian(recorded, 4)) == (Some(self.state.0), Some(self.state.1))
    }
}
