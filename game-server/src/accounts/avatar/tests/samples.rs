//! Pictures and what pretends to be one, made here byte by byte.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// Left half red, right half blue.
pub(super) fn halves(width: u32, height: u32) -> DynamicImage {
    let colour = |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
    RgbImage::from_fn(width, height, colour).into()
}

pub(super) fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("memory takes it");
    bytes.into_inner()
}

/// A picture in one of the three formats that are taken.
pub(super) fn small(format: ImageFormat) -> Vec<u8> {
    encoded(&halves(64, 48), format)
}

/// The same JPEG with a segment (`0xE1` is Exif's) right behind its beginning.
pub(super) fn with_segment(jpeg: &[u8], kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).expect("a short segment");
    [&jpeg[..2], &[0xff, kind], &length.to_be_bytes(), content, &jpeg[2..]].concat()
}

/// Exif that says how the camera was held (6: turn it to the right), and a maker's name.
pub(super) fn exif(orientation: u8, maker: &str) -> Vec<u8> {
    let mut tiff = b"Exif\0\0II*\0\x08\0\0\0\x02\0".to_vec();
    let maker_bytes = u8::try_from(maker.len()).expect("a short name");
    // Entries of 12 bytes: tag, type, count, value or where it is. Behind both of them comes the text.
    tiff.extend([0x0f, 0x01, 2, 0, maker_bytes, 0, 0, 0, 38, 0, 0, 0]);
    tiff.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    tiff.extend([0; 4]);
    tiff.extend(maker.as_bytes());
    tiff
}

/// The same PNG with a chunk right behind its header.
pub(super) fn with_chunk(png: &[u8], kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    const HEADER_END: usize = 8 + 25;
    [&png[..HEADER_END], &chunk(kind, content), &png[HEADER_END..]].concat()
}

/// A true PNG of nothing but zeros: some kilobytes of each megabyte.
pub(super) fn zero_png(
    width: u32,
    height: u32,
    bit_depth: u8,
    colour_type: u8,
    bytes_per_pixel: u64,
) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([bit_depth, colour_type, 0, 0, 0]);
    let data = zlib_of_zeros((u64::from(width) * bytes_per_pixel + 1) * u64::from(height));
    let chunks = [chunk(b"IHDR", &header), chunk(b"IDAT", &data), chunk(b"IEND", &[])].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunks].concat()
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a chunk has a length");
    let named = [kind, content].concat();
    [&length.to_be_bytes()[..], &named, &crc32(&named).to_be_bytes()].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

/// So many zeros as zlib writes them: a first one, then "the last byte, 258 times" in 13 bits each.
pub(super) fn zlib_of_zeros(count: u64) -> Vec<u8> {
    let mut bits = Bits { bytes: vec![0x78, 0x01], waiting: 0, count: 0 };
    // The last block, of fixed codes.
    bits.push(0b011, 3);
    let zero = |bits: &mut Bits| bits.push(u32::from(0x30_u8.reverse_bits()), 8);
    zero(&mut bits);
    for _ in 0..(count - 1) / 258 {
        bits.push(u32::from(0b1100_0101_u8.reverse_bits()), 13);
    }
    for _ in 0..(count - 1) % 258 {
        zero(&mut bits);
    }
    bits.push(0, 7);
    bits.push(0, 7);
    let sum = u32::try_from(count % 65_521).expect("small") << 16 | 1;
    [bits.bytes, sum.to_be_bytes().to_vec()].concat()
}

/// Bits into bytes, the lowest first.
struct Bits {
    bytes: Vec<u8>,
    waiting: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, bits: u32, count: u32) {
        self.waiting |= bits << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.waiting.to_le_bytes()[0]);
            self.waiting >>= 8;
            self.count -= 8;
        }
    }
}
