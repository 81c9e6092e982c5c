//! The pages of a file, those of its write-ahead log over them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::wal::Wal;
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
}

/// The file, read by pages, which are numbered from 1.
#[derive(Debug)]
pub(super) struct Pages {
    file: File,
    wal: Option<Wal>,
    length: u64,
    pub(super) shape: Shape,
}

impl Pages {
    /// Opens the file and its log. The shape is that of a ledger as it was made, until another is set.
    pub(super) fn open(real: &Path) -> io::Result<Self> {
        let file = File::open(real)?;
        let length = file.metadata()?.len();
        let log = beside(real, "-wal");
        // Opening a pipe that somebody put there would never end.
        let wal = log.is_file().then(|| File::open(&log).ok()).flatten().and_then(Wal::read);
        Ok(Self { file, wal, length, shape: Shape { size: 8192, reserved: 0 } })
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
        shapes.extend(self.wal.as_ref().map(|wal| plain(wal.page_size)));
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
        let in_log = self.log().into_iter().flat_map(Wal::numbers).max().unwrap_or(0);
        u32::try_from(in_file).unwrap_or(u32::MAX).max(in_log)
    }

    /// More entries than the file and its log have room for: none is shorter than this.
    pub(super) fn room(&self) -> u64 {
        const SHORTEST: u64 = 200;
        u64::from(self.last()) * self.shape.size as u64 / SHORTEST
    }

    /// The pages of the file that its log has newer versions of.
    pub(super) fn covered(&self) -> Vec<u32> {
        let mut pages: Vec<u32> = self.log().into_iter().flat_map(Wal::numbers).collect();
        pages.sort_unstable();
        pages
    }

    /// Reads a page into `buffer`. One that lies partly behind the end of the file ends in zeros; one that
    /// cannot be read at all leaves the buffer empty.
    pub(super) fn read(&self, page: u32, layer: Layer, buffer: &mut Vec<u8>) {
        buffer.clear();
        let Some(before) = page.checked_sub(1) else { return };
        buffer.resize(self.shape.size, 0);
        if layer == Layer::Newest && self.log().is_some_and(|wal| wal.page(page, buffer)) {
            buffer.truncate(self.shape.usable());
            return;
        }
        let place = u64::from(before) * self.shape.size as u64;
        if place >= self.length || !self.read_at(place, buffer) {
            buffer.clear();
        }
        buffer.truncate(self.shape.usable());
    }

    fn log(&self) -> Option<&Wal> {
        self.wal.as_ref().filter(|wal| wal.page_size == self.shape.size)
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
