//! The write-ahead log: which pages it holds newer versions of, and what else lies in it.
//!
//! A frame counts if its salt is the log's and its checksum follows from the one that stands before it
//! (<https://www.sqlite.org/fileformat2.html>, section 4.1 to 4.4), once a frame behind it ends the transaction.
//! SQLite stops at the first frame that does not count; here the next one is judged by what its neighbour records,
//! so that one bad byte costs one frame or two, and the first frame stands for a header that is damaged. Entries are
//! judged by their own hashes anyway: where the log is damaged, every other frame of it is searched, too.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use super::page::big_endian;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The magic number of a log whose checksums read words in little-endian order; one more means big-endian.
const MAGIC: u32 = 0x377f_0682;

/// A log.
#[derive(Debug)]
pub(super) struct Wal {
    file: File,
    /// The size of its pages, in bytes, as its header says; none where that is damaged.
    pub(super) page_size: Option<usize>,
    header: [u8; HEADER],
}

/// The frames of a log, divided by a size of pages.
#[derive(Debug, Default)]
pub(super) struct Frames {
    page_size: usize,
    /// The frame with the newest committed version of a page.
    newest: HashMap<u32, u32>,
    /// All frames that say that they are of a page, in order.
    all: HashMap<u32, Vec<u32>>,
    /// How many there are.
    count: u32,
    /// How many do not follow from those before them although others of the same use of the log lie behind.
    pub(super) bad: u64,
    /// Whether the log's own header is damaged.
    pub(super) headless: bool,
    /// Whether the log ends with a damaged frame or within a transaction: what it would have told is not known.
    pub(super) is_open: bool,
}

impl Wal {
    /// Opens the log; none where it has no header's length of bytes.
    pub(super) fn open(mut file: File) -> Option<Self> {
        let mut header = [0; HEADER];
        file.read_exact(&mut header).ok()?;
        let page_size = page_size(&header);
        Some(Self { file, page_size, header })
    }

    /// The frames, if pages may have that size. A header without a sound checksum does not even say how its
    /// checksums are made; the order of bytes that explains more frames is the right one.
    pub(super) fn frames(&self, page_size: usize) -> Option<Frames> {
        if let Some(said) = self.page_size {
            let big = self.header[3] & 1 == 1;
            return (said == page_size).then(|| self.follow(page_size, big, Some(&self.header)));
        }
        let ways = [false, true].map(|big| self.follow(page_size, big, None));
        ways.into_iter().max_by_key(|frames| frames.newest.len()).filter(|frames| frames.count > 0)
    }

    fn follow(&self, page_size: usize, big: bool, header: Option<&[u8; HEADER]>) -> Frames {
        let mut frames = Frames { page_size, headless: header.is_none(), ..Frames::default() };
        let mut walk = Walk {
            big,
            salt: header.map(|header| slice8(&header[16..])),
            before: header.map(|header| slice8(&header[24..])),
            pending: Vec::new(),
            suspects: 0,
        };
        let mut file = &self.file;
        if file.seek(SeekFrom::Start(HEADER as u64)).is_err() {
            return frames;
        }
        let mut input = BufReader::new(file);
        let mut frame = vec![0; FRAME_HEADER + page_size];
        loop {
            let length = fill(&mut input, &mut frame);
            if length < frame.len() {
                let torn = length >= 16 && walk.salt == Some(slice8(&frame[8..]));
                frames.is_open |= torn || !walk.pending.is_empty();
                return frames;
            }
            walk.take(&frame, &mut frames);
        }
    }

    /// Reads frame `number` of `frames` into `buffer`, which is as long as a page; says whether it could.
    pub(super) fn read(&self, frames: &Frames, number: u32, buffer: &mut [u8]) -> bool {
        let length = (FRAME_HEADER + frames.page_size) as u64;
        let place = HEADER as u64 + u64::from(number) * length + FRAME_HEADER as u64;
        let mut file = &self.file;
        file.seek(SeekFrom::Start(place)).and_then(|_| file.read_exact(buffer)).is_ok()
    }
}

impl Frames {
    /// The pages of which it holds a committed version.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.newest.keys().copied()
    }

    /// The frame with the newest committed version of `page`.
    pub(super) fn newest(&self, page: u32) -> Option<u32> {
        self.newest.get(&page).copied()
    }

    /// The frame of `page` that lies next to `frame`: behind it if there is one there, or with `before` in front.
    pub(super) fn near(&self, page: u32, frame: u32, before: bool) -> Option<u32> {
        let all = self.all.get(&page)?;
        let (in_front, behind) = all.split_at(all.partition_point(|number| *number < frame));
        let (in_front, behind) = (in_front.last(), behind.first());
        (if before { in_front.or(behind) } else { behind.or(in_front) }).copied()
    }

    /// The frames that hold no newest version of a page, where the log is damaged; none of one that is sound: what
    /// newer frames say includes what these say.
    pub(super) fn others(&self) -> Vec<u32> {
        if self.bad == 0 && !self.headless && !self.is_open {
            return Vec::new();
        }
        let current: std::collections::HashSet<u32> = self.newest.values().copied().collect();
        (0..self.count).filter(|number| !current.contains(number)).collect()
    }
}

/// What is known between two frames.
struct Walk {
    big: bool,
    /// The salt of this use of the log; the first frame's where the header is damaged.
    salt: Option<[u8; 8]>,
    /// The checksum that the frame before records.
    before: Option<[u8; 8]>,
    /// The frames of a transaction whose end was not seen.
    pending: Vec<(u32, u32)>,
    /// Frames that do not count and may be left from an earlier use of the log.
    suspects: u64,
}

impl Walk {
    fn take(&mut self, frame: &[u8], frames: &mut Frames) {
        let number = frames.count;
        frames.count += 1;
        let recorded = slice8(&frame[16..]);
        let before = self.before.replace(recorded);
        let (page, size) = (big_endian(frame, 0).unwrap_or(0), big_endian(frame, 4).unwrap_or(0));
        if page > 0 {
            frames.all.entry(page).or_default().push(number);
        }
        if *self.salt.get_or_insert(slice8(&frame[8..])) != slice8(&frame[8..]) {
            self.suspects += 1;
            return;
        }
        frames.bad += std::mem::take(&mut self.suspects);
        let follows = before.is_none_or(|before| {
            checksum(self.big, before, [&frame[..8], &frame[FRAME_HEADER..]]) == recorded
        });
        frames.is_open = !follows;
        if page == 0 || !follows {
            frames.bad += 1;
            return;
        }
        self.pending.push((page, number));
        if size > 0 {
            frames.newest.extend(self.pending.drain(..));
        }
    }
}

/// The size of pages that a sound header says.
fn page_size(header: &[u8; HEADER]) -> Option<usize> {
    let magic = big_endian(header, 0)?;
    let size = usize::try_from(big_endian(header, 8)?).ok()?;
    let sum = checksum(magic & 1 == 1, [0; 8], [&header[..24], &[]]);
    let is_sound = magic & !1 == MAGIC
        && size.is_power_of_two()
        && (512..=65536).contains(&size)
        && sum == slice8(&header[24..]);
    is_sound.then_some(size)
}

/// The first eight bytes; zeros where there are fewer.
fn slice8(bytes: &[u8]) -> [u8; 8] {
    bytes.first_chunk().copied().unwrap_or_default()
}

/// Reads as much of a frame as there is.
fn fill(input: &mut dyn Read, frame: &mut [u8]) -> usize {
    let mut length = 0;
    while length < frame.len() {
        match input.read(&mut frame[length..]) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
            Ok(count) => length += count,
        }
    }
    length
}

/// The running checksum of section 4.2, from the one `before` on.
fn checksum(big: bool, before: [u8; 8], parts: [&[u8]; 2]) -> [u8; 8] {
    let number = |bytes: [u8; 4]| if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
    let mut state = (big_endian(&before, 0).unwrap_or(0), big_endian(&before, 4).unwrap_or(0));
    for part in parts {
        // Words come in pairs.
        let mut words = part.as_chunks::<4>().0.iter().map(|word| number(*word));
        while let (Some(one), Some(other)) = (words.next(), words.next()) {
            state.0 = state.0.wrapping_add(one).wrapping_add(state.1);
            state.1 = state.1.wrapping_add(other).wrapping_add(state.0);
        }
    }
    let mut sum = [0; 8];
    sum[..4].copy_from_slice(&state.0.to_be_bytes());
    sum[4..].copy_from_slice(&state.1.to_be_bytes());
    sum
}
