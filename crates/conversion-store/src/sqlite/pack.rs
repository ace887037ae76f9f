//! How texts and item positions are packed into blobs.

use std::cell::RefCell;
use std::io;
use std::ops::Range;

use zstd::bulk::{Compressor, Decompressor};

const LEVEL: i32 = 1;
/// Shorter texts are not worth the time.
const WORTHWHILE: usize = 192;
/// Longer texts stay as they are, so that a damaged blob cannot ask for more memory than this.
const LONGEST: usize = 64 << 20;
/// How every zstd frame begins. No UTF-8 text begins so: its second byte cannot follow its first.
const ZSTD_MAGIC: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// The text, compressed where that makes it shorter.
pub(super) fn pack(text: &str) -> Vec<u8> {
    let plain = text.as_bytes();
    if (WORTHWHILE..=LONGEST).contains(&plain.len())
        && let Ok(packed) = compress(plain)
        && packed.len() < plain.len()
    {
        return packed;
    }
    plain.to_vec()
}

fn compress(plain: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| match slot {
        Some(compressor) => compressor.compress(plain),
        None => slot.insert(Compressor::new(LEVEL)?).compress(plain),
    })
}

/// The text again.
pub(super) fn unpack(blob: &[u8]) -> rusqlite::Result<String> {
    let bytes = if blob.starts_with(ZSTD_MAGIC) {
        Decompressor::new().and_then(|mut zstd| zstd.decompress(blob, LONGEST)).map_err(damaged)?
    } else {
        blob.to_vec()
    };
    String::from_utf8(bytes).map_err(damaged)
}

/// What a column holds cannot be read.
pub(super) fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(error))
}

/// Where items stand, as pairs of varints: distance from the end of the one before, length.
pub(super) fn pack_ranges(ranges: &[Range<usize>]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(ranges.len() * 3);
    let mut end = 0;
    for range in ranges {
        put_varint(&mut blob, range.start.saturating_sub(end));
        put_varint(&mut blob, range.len());
        end = range.end;
    }
    blob
}

/// Where items stand.
pub(super) fn unpack_ranges(blob: &[u8]) -> Vec<Range<usize>> {
    let mut bytes = blob.iter().copied();
    let mut ranges = Vec::new();
    let mut end: usize = 0;
    while let (Some(gap), Some(length)) = (take_varint(&mut bytes), take_varint(&mut bytes)) {
        let start = end.saturating_add(gap);
        end = start.saturating_add(length);
        ranges.push(start..end);
    }
    ranges
}

fn put_varint(blob: &mut Vec<u8>, mut number: usize) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            blob.push(low & 0x7F);
            return;
        }
        blob.push(low | 0x80);
    }
}

fn take_varint(bytes: &mut impl Iterator<Item = u8>) -> Option<usize> {
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = bytes.next()?;
        number |= usize::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_texts_shrink_and_short_ones_stay() {
        let long = r#"{"event":"TRIAL_BOOKED"}"#.repeat(50);
        assert!(pack(&long).len() < long.len() / 4);
        assert_eq!(unpack(&pack(&long)).unwrap(), long);
        assert_eq!(pack("{}"), b"{}");
        assert!(unpack(ZSTD_MAGIC).is_err());
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in ".{0,600}") {
            prop_assert_eq!(unpack(&pack(&text)).unwrap(), text);
        }

        #[test]
        fn ranges_come_back(steps in proptest::collection::vec((0usize..5, 0usize..1_000_000), 0..20)) {
            let mut end = 0;
            let ranges: Vec<_> = steps.iter().map(|(gap, length)| {
                let start = end + gap;
                end = start + length;
                start..end
            }).collect();
            prop_assert_eq!(unpack_ranges(&pack_ranges(&ranges)), ranges);
        }
    }
}
