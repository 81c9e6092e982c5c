//! Hashing many bodies side by side.
//!
//! Below 1 KiB BLAKE3 has nothing to spread over the lanes of a SIMD register within one message, and entries
//! are mostly smaller. But every entry stores the hash before it, so that the hashes of many do not wait for
//! each other: those of equally many blocks share the lanes, which takes a third of the time.
//!
//! This uses the `platform` module of the crate blake3, which is public but hidden from its documentation: a
//! release could take it away, and then this file would not compile. What it computes is compared with
//! [`super::hash`] for every length in the tests. The structure of a chunk is that of the BLAKE3 paper,
//! sections 2.2 (compression function) and 2.4 (chunk chaining values).

use std::sync::OnceLock;

use blake3::IncrementCounter;
use blake3::platform::{Platform, le_bytes_from_words_32, words_from_le_bytes_32};

use super::hash::{CONTEXT, EntryHash, hash};

const BLOCK: usize = 64;
/// The longest message that is one chunk, in bytes.
const CHUNK: usize = 1024;
/// The most lanes that any platform has.
const LANES: usize = 16;

// The flags of BLAKE3 (paper, section 2.2, table 3).
const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;
const DERIVE_KEY_MATERIAL: u8 = 1 << 6;

/// Sorts messages by their number of blocks; kept between calls for its memory.
#[derive(Default)]
pub(crate) struct ManyHasher {
    /// The indexes of the messages that have so many blocks before their last one.
    by_blocks: [Vec<usize>; CHUNK / BLOCK],
}

impl ManyHasher {
    /// Calls `each` with the index and the hash of every body, in no particular order.
    pub(crate) fn hash<'a>(
        &mut self,
        count: usize,
        body: impl Fn(usize) -> &'a [u8],
        mut each: impl FnMut(usize, EntryHash),
    ) {
        self.by_blocks.iter_mut().for_each(Vec::clear);
        for index in 0..count {
            match self.by_blocks.get_mut(blocks_before_last(body(index))) {
                Some(group) => group.push(index),
                None => each(index, hash(body(index))),
            }
        }
        for (blocks, group) in self.by_blocks.iter().enumerate() {
            for some in group.chunks(LANES) {
                let mut bodies: [&[u8]; LANES] = [&[]; LANES];
                for (place, index) in bodies.iter_mut().zip(some) {
                    *place = body(*index);
                }
                let hashes = hash_equal(blocks, &bodies[..some.len()]);
                some.iter().zip(hashes).for_each(|(index, hash)| each(*index, hash));
            }
        }
    }
}

/// How many whole blocks come before the last one, which may be short or, in an empty message, empty.
const fn blocks_before_last(body: &[u8]) -> usize {
    body.len().saturating_sub(1) / BLOCK
}

/// The hashes of at most [`LANES`] bodies that have `blocks` blocks before their last one.
fn hash_equal(blocks: usize, bodies: &[&[u8]]) -> [EntryHash; LANES] {
    let key = key_words();
    let mut values = [0; LANES * 32];
    if let Some(prefix) = blocks.checked_sub(1).and_then(|index| PREFIXES.get(index)) {
        prefix(key, bodies, &mut values[..bodies.len() * 32]);
    }
    let platform = Platform::detect();
    let flags = DERIVE_KEY_MATERIAL | CHUNK_END | ROOT | if blocks == 0 { CHUNK_START } else { 0 };
    let mut hashes = [EntryHash::ZERO; LANES];
    for ((body, value), hash) in bodies.iter().zip(values.as_chunks::<32>().0).zip(&mut hashes) {
        let mut state = if blocks == 0 { *key } else { words_from_le_bytes_32(value) };
        let last = body.get(blocks * BLOCK..).unwrap_or_default();
        let mut block = [0; BLOCK];
        block.iter_mut().zip(last).for_each(|(place, byte)| *place = *byte);
        // At most BLOCK bytes; were it not so, the hash would be wrong and the entry bad, never good.
        let length = u8::try_from(last.len()).unwrap_or(u8::MAX);
        platform.compress_in_place(&mut state, &block, length, 0, flags);
        *hash = EntryHash(le_bytes_from_words_32(&state));
    }
    hashes
}

/// Writes the chaining values after the first blocks of some bodies.
type Prefix = fn(&[u32; 8], &[&[u8]], &mut [u8]);

/// By the number of blocks, from 1.
const PREFIXES: [Prefix; CHUNK / BLOCK - 1] = [
    prefix::<64>,
    prefix::<128>,
    prefix::<192>,
    prefix::<256>,
    prefix::<320>,
    prefix::<384>,
    prefix::<448>,
    prefix::<512>,
    prefix::<576>,
    prefix::<640>,
    prefix::<704>,
    prefix::<768>,
    prefix::<832>,
    prefix::<896>,
    prefix::<960>,
];

fn prefix<const N: usize>(key: &[u32; 8], bodies: &[&[u8]], values: &mut [u8]) {
    let mut inputs = [&[0; N]; LANES];
    for (input, body) in inputs.iter_mut().zip(bodies) {
        // Each is longer than N bytes; otherwise its hash would be wrong and its entry bad, never good.
        *input = body.first_chunk().unwrap_or(&[0; N]);
    }
    let inputs = &inputs[..bodies.len()];
    let flags = DERIVE_KEY_MATERIAL;
    Platform::detect().hash_many(inputs, key, 0, IncrementCounter::No, flags, CHUNK_START, 0, values);
}

fn key_words() -> &'static [u32; 8] {
    static KEY: OnceLock<[u32; 8]> = OnceLock::new();
    KEY.get_or_init(|| words_from_le_bytes_32(&blake3::hazmat::hash_derive_key_context(CONTEXT)))
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, ManyHasher};
    use crate::entry::hash;

    #[test]
    fn many_hashes_are_the_same_as_each_alone() {
        // Every length up to three chunks, in groups of every size that the lanes can leave over.
        let bytes: Vec<u8> = (0..3 * CHUNK).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect();
        let mut hasher = ManyHasher::default();
        for repeat in [1, 2, 7, 16, 17] {
            let bodies: Vec<&[u8]> = (0..3 * CHUNK)
                .step_by(repeat)
                .flat_map(|length| std::iter::repeat_n(&bytes[..length], repeat))
                .collect();
            let mut seen = 0;
            hasher.hash(
                bodies.len(),
                |index| bodies[index],
                |index, found| {
                    assert_eq!(found, hash(bodies[index]), "{} bytes", bodies[index].len());
                    seen += 1;
                },
            );
            assert_eq!(seen, bodies.len());
        }
    }

    #[test]
    fn different_bodies_in_one_group_get_their_own_hashes() {
        let bodies: Vec<Vec<u8>> = (0..40_u8).map(|byte| vec![byte; 500 + usize::from(byte % 3)]).collect();
        ManyHasher::default().hash(
            bodies.len(),
            |index| &bodies[index],
            |index, found| {
                assert_eq!(found, hash(&bodies[index]));
            },
        );
    }
}
