//! Makes an avatar of whatever somebody sends, or refuses it.
//!
//! Nothing of what was sent is kept but its colours: it is decoded, cut to a square, made small, and written anew. So no
//! place, camera, thumbnail, comment or second format that hides in a picture ever leaves this file.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, GenericImageView, ImageDecoder, ImageEncoder, ImageError, ImageFormat,
    ImageReader, Limits, imageops,
};

/// Sides of an avatar, in pixels.
pub const AVATAR_PIXELS: u32 = 256;
/// Longest side of a picture that is taken, in pixels.
pub const SIDE_PIXELS_MAX: u32 = 4096;
/// Most pixels of a picture that is taken: 4096 × 3072, what the camera of a phone makes.
pub const PIXELS_MAX: u64 = 4096 * 3072;
/// Most memory for a decoded picture: four bytes for each of its pixels, and some for the decoder.
const DECODED_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Largest avatar: its pixels when they cannot be compressed at all, and what PNG adds to them.
pub const AVATAR_BYTES_MAX: usize = 272 * 1024;
/// How every PNG begins.
pub(super) const PNG_SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// Why something does not become an avatar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is no PNG, JPEG or WebP.
    Kind,
    /// Its sides, or what it takes in memory.
    TooLarge,
    /// It begins like a picture but is none.
    Damaged,
}

/// A PNG of [`AVATAR_PIXELS`] squared of the middle of a picture. Takes a while: not for a thread that others wait for.
///
/// # Errors
/// [`Unfit`]; a picture that is too large is refused before memory is taken for it.
pub fn avatar_of(sent: &[u8]) -> Result<Bytes, Unfit> {
    // By its first bytes: what the client says about it counts for nothing.
    let format = image::guess_format(sent).map_err(|_unknown| Unfit::Kind)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP) {
        return Err(Unfit::Kind);
    }
    let mut reader = ImageReader::with_format(Cursor::new(sent), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(unfit)?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > SIDE_PIXELS_MAX || u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(Unfit::TooLarge);
    }
    limits().reserve(decoder.total_bytes()).map_err(unfit)?;
    // A phone writes pictures as its sensor lies and notes how it was held. A note that cannot be read is none.
    let held = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(unfit)?;
    let mut small = small_square(&picture);
    drop(picture);
    // A square's middle is its middle however it lies, so the small one can be turned instead.
    small.apply_orientation(held);
    encode(small)
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_PIXELS_MAX);
    limits.max_image_height = Some(SIDE_PIXELS_MAX);
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    limits
}

fn unfit(error: ImageError) -> Unfit {
    match error {
        ImageError::Limits(_) => Unfit::TooLarge,
        _ => Unfit::Damaged,
    }
}

/// Cut first: a line of 4096 × 1 pixels made 256 high would be a million wide.
fn small_square(picture: &DynamicImage) -> DynamicImage {
    let (width, height) = picture.dimensions();
    let side = width.min(height);
    let middle = imageops::crop_imm(picture, (width - side) / 2, (height - side) / 2, side, side);
    let small = imageops::resize(&*middle, AVATAR_PIXELS, AVATAR_PIXELS, imageops::FilterType::Triangle);
    DynamicImage::ImageRgba8(small)
}

fn encode(small: DynamicImage) -> Result<Bytes, Unfit> {
    let is_opaque = small.as_rgba8().is_some_and(|pixels| pixels.pixels().all(|pixel| pixel.0[3] == u8::MAX));
    let (pixels, colours) = if is_opaque {
        (small.into_rgb8().into_raw(), ExtendedColorType::Rgb8)
    } else {
        (small.into_rgba8().into_raw(), ExtendedColorType::Rgba8)
    };
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Default, FilterType::Adaptive)
        .write_image(&pixels, AVATAR_PIXELS, AVATAR_PIXELS, colours)
        .map_err(|_impossible| Unfit::Damaged)?;
    Ok(png.into())
}
