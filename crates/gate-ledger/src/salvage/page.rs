//! The pages of a file, those of its write-ahead log over them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::LogDamage;
use super::wal::{Frames, Wal};
use crate::infile;
use crate::store::beside;

/// How the file is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Bytes of a page.
    pub(super) size: usize,
    /// Bytes at the end of each page that SQLite leaves to extensions.
    pub(super) reserved: usize,
}

impl Shape {
    /// Bytes of a page that hold anything.
    pub(super) const fn usable(self) -> usize {
        self.size - self.reserved
    }
}

/// Which version of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    /// The one of the write-ahead log where that has one.
    Newest,
    /// The one in the file, over which the log has another.
    Covered,
    /// That of one frame of a damaged log, which is page 0 here, since its own number may be damaged; other pages
    /// come from the frames behind it first, as a transaction writes them.
    After(u32),
    /// The same, with other pages from the frames in front of it first.
    Before(u32),
}

/// The file, read by pages, which are numbered from 1.
#[derive(Debug)]
pub(super) struct Pages {
    file: File,
    wal: Option<Wal>,
    /// The log's frames, in this shape.
    frames: Option<Frames>,
    length: u64,
    shape: Shape,
}

impl Pages {
    /// Opens the file and its log. The shape is that of a ledger as it was made, until another is set.
    pub(super) fn open(real: &Path) -> io::Result<Self> {
        let file = infile::open(real)?;
        let length = file.metadata()?.len();
        let log = beside(real, "-wal");
        let wal = infile::open(&log).ok().and_then(Wal::open);
        let mut pages = Self { file, wal, frames: None, length, shape: Shape { size: 0, reserved: 0 } };
        pages.divide(Shape { size: 8192, reserved: 0 });
        Ok(pages)
    }

    pub(super) const fn shape(&self) -> Shape {
        self.shape
    }

    /// Divides file and log by `shape`.
    pub(super) fn divide(&mut self, shape: Shape) {
        if shape.size != self.shape.size {
            self.frames = self.wal.as_ref().and_then(|wal| wal.frames(shape.size));
        }
        self.shape = shape;
    }

    /// The shapes that the file may have, the likeliest first: what its header says, what its log says, that
    /// of a new ledger, and any other.
    pub(super) fn shapes(&self) -> Vec<Shape> {
        let plain = |size| Shape { size, reserved: 0 };
        let mut header = [0; 100];
        let read = self.read_at(0, &mut header);
        let size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65536,
            size => usize::from(size),
        };
        let mut shapes = Vec::new();
        if read && size.is_power_of_two() && size >= 512 {
            // SQLite itself wants 480 bytes of each page.
            let reserved = usize::from(header[20]);
            shapes.extend((size - reserved >= 480).then_some(Shape { size, reserved }));
            shapes.push(plain(size));
        }
        shapes.extend(self.wal.as_ref().and_then(|wal| wal.page_size).map(plain));
        shapes.extend([8192, 4096, 16384, 1024, 2048, 32768, 65536, 512].map(plain));
        let mut seen = Vec::new();
        shapes.retain(|shape| {
            let new = !seen.contains(shape);
            seen.push(*shape);
            new
        });
        shapes
    }

    /// The number of the last page.
    pub(super) fn last(&self) -> u32 {
        let in_file = self.length.div_ceil(self.shape.size as u64);
        let in_log = self.log().into_iter().flat_map(Frames::numbers).max().unwrap_or(0);
        u32::try_from(in_file).unwrap_or(u32::MAX).max(in_log)
    }

    /// More entries than the file and its log have room for: none is shorter than this.
    pub(super) fn room(&self) -> u64 {
        const SHORTEST: u64 = 200;
        let last = self.last().max(self.counted().unwrap_or(0));
        u64::from(last) * self.shape.size as u64 / SHORTEST
    }

    /// How many pages there should be, as the newest first page says. SQLite itself believes it only beside two
    /// equal counters.
    fn counted(&self) -> Option<u32> {
        let mut first = Vec::new();
        self.read(1, Layer::Newest, &mut first);
        let is_file = first.starts_with(b"SQLite format 3\0");
        let is_current = is_file && big_endian(&first, 24)? == big_endian(&first, 92)?;
        big_endian(&first, 28).filter(|count| is_current && *count > 0)
    }

    /// The first page that is not all there although the file should have it, and how many it should have.
    pub(super) fn cut(&self) -> Option<(u32, u32)> {
        let counted = self.counted()?;
        let whole = u32::try_from(self.length / self.shape.size as u64).unwrap_or(u32::MAX);
        let is_there = |page: u32| self.log().is_some_and(|log| log.newest(page).is_some());
        (whole.saturating_add(1)..=counted).find(|page| !is_there(*page)).map(|page| (page, counted))
    }

    /// The frames of a damaged log that may hold what no page shows.
    pub(super) fn others(&self) -> Vec<u32> {
        self.log().map(Frames::others).unwrap_or_default()
    }

    /// The pages of the file that its log has newer versions of.
    pub(super) fn covered(&self) -> Vec<u32> {
        let mut pages: Vec<u32> = self.log().into_iter().flat_map(Frames::numbers).collect();
        pages.sort_unstable();
        pages
    }

    /// Reads a page into `buffer`. One that lies partly behind the end of the file ends in zeros; one that
    /// cannot be read at all leaves the buffer empty.
    pub(super) fn read(&self, page: u32, layer: Layer, buffer: &mut Vec<u8>) {
        buffer.clear();
        buffer.resize(self.shape.size, 0);
        if self.read_from_log(page, layer, buffer) {
            buffer.truncate(self.shape.usable());
            return;
        }
        let Some(before) = page.checked_sub(1) else { return buffer.clear() };
        let place = u64::from(before) * self.shape.size as u64;
        if place >= self.length || !self.read_at(place, buffer) {
            buffer.clear();
        }
        buffer.truncate(self.shape.usable());
    }

    /// What is wrong with the log.
    pub(super) fn damage(&self) -> LogDamage {
        self.log()
            .map(|log| LogDamage { header: log.headless, frames: log.bad, is_open: log.is_open })
            .unwrap_or_default()
    }

    /// Reads the version of a page that the log has, if `layer` means one.
    fn read_from_log(&self, page: u32, layer: Layer, buffer: &mut [u8]) -> bool {
        let (Some(wal), Some(frames)) = (&self.wal, &self.frames) else { return false };
        let frame = match layer {
            Layer::Newest => frames.newest(page),
            Layer::Covered => None,
            Layer::After(frame) | Layer::Before(frame) if page == 0 => Some(frame),
            Layer::After(frame) => frames.near(page, frame, false),
            Layer::Before(frame) => frames.near(page, frame, true),
        };
        frame.is_some_and(|frame| wal.read(frames, frame, buffer))
    }

    /// The frames of the log, if it has pages of this size.
    const fn log(&self) -> Option<&Frames> {
        self.frames.as_ref()
    }

    /// Reads as many bytes as there are from `place`; says whether that went well.
    fn read_at(&self, place: u64, buffer: &mut [u8]) -> bool {
        let mut file = &self.file;
        if file.seek(SeekFrom::Start(place)).is_err() {
            return false;
        }
        let mut read = 0;
        while read < buffer.len() {
            match file.read(&mut buffer[read..]) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A page that the disk does not give back is as lost as one that holds nothing.
                Err(_) => return false,
            }
        }
        true
    }
}

/// The number in the four bytes at `at`.
pub(super) fn big_endian(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// The number in the two bytes at `at`.
pub(super) fn big_endian_16(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(usize::from(u16::from_be_bytes(bytes.try_into().ok()?)))
}

/// A number of one to nine bytes, as SQLite writes it, and where it ends.
pub(super) fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for place in 0..9 {
        let byte = *bytes.get(at.checked_add(place)?)?;
        if place == 8 {
            return Some((value << 8 | u64::from(byte), at + 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + place + 1));
        }
    }
    None
}
