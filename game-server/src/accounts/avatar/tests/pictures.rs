//! What becomes a picture, what of it is left, and what it costs to refuse the rest.

use std::process::Command;

use image::{DynamicImage, GenericImageView, ImageFormat, Rgba, RgbaImage};

use super::samples::{encoded, exif, halves, small, with_chunk, with_segment, zero_png, zlib_of_zeros};
use crate::accounts::avatar::{
    AVATAR_BYTES_MAX, AVATAR_PIXELS, PIXELS_MAX, SENT_BYTES_MAX, Unfit, avatar_of,
};

const FORMATS: [ImageFormat; 3] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP];
const RED: [u8; 4] = [255, 0, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];
const MARK: &str = "<script>alert('mark')</script>";

fn avatar(sent: &[u8]) -> DynamicImage {
    let png = avatar_of(sent).expect("a picture");
    assert_eq!(chunks(&png), ["IHDR", "IDAT", "IEND"], "nothing else is in an avatar");
    assert!(png.len() <= AVATAR_BYTES_MAX);
    let picture = image::load_from_memory_with_format(&png, ImageFormat::Png).expect("our own PNG");
    assert_eq!(picture.dimensions(), (AVATAR_PIXELS, AVATAR_PIXELS));
    picture
}

/// The kinds of a PNG's chunks, neighbours of one kind once; fails when anything follows the last.
fn chunks(png: &[u8]) -> Vec<String> {
    let mut kinds = Vec::new();
    let mut rest = &png[8..];
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest[..4].try_into().expect("four")) as usize;
        kinds.push(String::from_utf8_lossy(&rest[4..8]).into_owned());
        rest = &rest[length + 12..];
    }
    kinds.dedup();
    kinds
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[track_caller]
fn assert_near(found: Rgba<u8>, wanted: [u8; 4]) {
    let is_near = found.0.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) < 16);
    assert!(is_near, "{found:?} instead of {wanted:?}");
}

#[test]
fn a_picture_becomes_its_middle() {
    for format in FORMATS {
        for (width, height) in [(64, 48), (48, 64), (1, 1), (255, 257), (4096, 2), (2, 4096), (400, 300)] {
            let picture = avatar(&encoded(&halves(width, height), format));
            if width > 1 {
                assert_near(picture.get_pixel(10, 128), RED);
                assert_near(picture.get_pixel(245, 128), BLUE);
            }
        }
    }
}

#[test]
fn the_clear_parts_of_a_picture_stay_clear() {
    let half_clear = RgbaImage::from_fn(64, 64, |x, _| Rgba([255, 0, 0, if x < 32 { 0 } else { 255 }]));
    let picture = avatar(&encoded(&half_clear.into(), ImageFormat::Png));
    assert_eq!((picture.get_pixel(10, 10).0[3], picture.get_pixel(245, 10).0[3]), (0, 255));
}

#[test]
fn the_worst_picture_fits() {
    // No pixel is like another: nothing can be compressed.
    let mut state = 1_u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let noise = RgbaImage::from_fn(256, 256, |_, _| Rgba([byte(), byte(), byte(), byte()]));
    let sent = encoded(&noise.into(), ImageFormat::Png);
    assert!(
        avatar_of(&sent).expect("a picture").len() > AVATAR_BYTES_MAX * 9 / 10,
        "the limit is no larger than needed"
    );
    avatar(&sent);
}

#[test]
fn a_picture_is_turned_as_its_camera_was_held_and_tells_nothing_else() {
    let jpeg = small(ImageFormat::Jpeg);
    let sent = with_segment(&jpeg, 0xe1, &exif(6, "52.5N 13.4E at home"));
    assert!(has(&sent, "13.4E"));
    let picture = avatar(&sent);
    assert!(!has(&avatar_of(&sent).expect("a picture"), "13.4E"));
    assert_near(picture.get_pixel(128, 10), RED);
    assert_near(picture.get_pixel(128, 245), BLUE);
    // A note that is nonsense is none.
    assert_near(avatar(&with_segment(&jpeg, 0xe1, &exif(99, ""))).get_pixel(10, 128), RED);
    assert_near(avatar(&with_segment(&jpeg, 0xe1, b"Exif\0\0\xff\xff")).get_pixel(10, 128), RED);
}

#[test]
fn what_hides_in_a_picture_is_left_behind() {
    let (png, jpeg, webp) = (small(ImageFormat::Png), small(ImageFormat::Jpeg), small(ImageFormat::WebP));
    let zip = format!("PK\x03\x04{MARK}PK\x05\x06");
    for (what, sent) in [
        ("HTML in a text", with_chunk(&png, b"tEXt", format!("Comment\0{MARK}").as_bytes())),
        ("HTML in a chunk that nobody knows", with_chunk(&png, b"htMl", MARK.as_bytes())),
        ("HTML after a PNG", [&png, MARK.as_bytes()].concat()),
        ("a zip after a PNG", [&png, zip.as_bytes()].concat()),
        ("HTML in a comment", with_segment(&jpeg, 0xfe, MARK.as_bytes())),
        ("HTML in Exif", with_segment(&jpeg, 0xe1, &exif(1, MARK))),
        ("a zip after a JPEG", [&jpeg, zip.as_bytes()].concat()),
        ("a zip after a WebP", [&webp, zip.as_bytes()].concat()),
    ] {
        assert!(has(&sent, MARK), "{what}");
        let png = avatar_of(&sent).expect(what);
        assert!(!has(&png, "mark") && !has(&png, "PK"), "{what}");
        assert_eq!(chunks(&png), ["IHDR", "IDAT", "IEND"], "{what}");
    }
}

#[test]
fn what_is_no_picture_is_refused() {
    let png = small(ImageFormat::Png);
    for sent in [
        &b""[..],
        b"<!doctype html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg/>",
        b"\xef\xbb\xbf<html>",
        b"GIF89a/*\x01\x00\x01\x00\x80\x00\x00*/=alert(1);//",
        b"GIF87a\x01\x00\x01\x00\x00\x00\x00;PK\x03\x04",
        b"PK\x03\x04\x14\x00",
        b"%PDF-1.7",
        b"BM\x1e\0\0\0",
        b"II*\0\x08\0\0\0",
        b"\0\0\x01\0\x01\0",
        b"\0\0\0\x1cftypavif",
        b"#!/bin/sh",
        &[b" ", &png[..]].concat(),
        &[MARK.as_bytes(), &png[..]].concat(),
    ] {
        assert_eq!(avatar_of(sent), Err(Unfit::Kind), "{:?}", String::from_utf8_lossy(sent));
    }
}

#[test]
fn what_is_broken_is_refused_wherever_it_breaks() {
    for format in FORMATS {
        let whole = small(format);
        for length in (0..whole.len()).step_by(7) {
            let Err(unfit) = avatar_of(&whole[..length]) else { continue };
            assert!(matches!(unfit, Unfit::Kind | Unfit::Damaged), "{format:?} cut at {length}: {unfit:?}");
        }
        // Every byte wrong once: a refusal or a picture, never a panic.
        for index in (0..whole.len()).step_by(3) {
            let mut wrong = whole.clone();
            wrong[index] ^= 0xff;
            let _either = avatar_of(&wrong);
        }
        assert_eq!(avatar_of(&whole[..40]), Err(Unfit::Damaged), "{format:?}");
    }
}

#[test]
fn sides_and_pixels_have_exact_limits() {
    let size = |width, height| avatar_of(&zero_png(width, height, 8, 0, 1)).map(|_| ());
    assert_eq!(size(4096, 3072), Ok(()));
    assert_eq!(size(4096, 3073), Err(Unfit::TooLarge));
    assert_eq!(size(4096, 1), Ok(()));
    assert_eq!(size(4097, 1), Err(Unfit::TooLarge));
    assert_eq!(size(1, 4097), Err(Unfit::TooLarge));
    assert_eq!(PIXELS_MAX, 4096 * 3072);
}

/// Each is below the limit of a body and takes 100 MB to 400 MB when it is believed. Only the last two
/// may become a picture.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    const MUCH: u64 = 300_000_000;
    let (png, jpeg) = (small(ImageFormat::Png), small(ImageFormat::Jpeg));
    let mut large_jpeg = jpeg.clone();
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame");
    large_jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    let mut large_webp = small(ImageFormat::WebP);
    large_webp[21..25].copy_from_slice(&[0xff, 0xff, 0xff, 0x0f]);
    let profile = |kind, head: &[u8]| with_chunk(&png, kind, &[head, &zlib_of_zeros(MUCH)].concat());
    vec![
        ("many pixels", zero_png(16_000, 16_000, 8, 0, 1)),
        ("many bytes a pixel", zero_png(4096, 3072, 16, 6, 8)),
        ("a wide line", zero_png(100_000_000, 2, 8, 0, 1)),
        ("a JPEG's claim", large_jpeg),
        ("a WebP's claim", large_webp),
        ("a profile", profile(b"iCCP", b"p\0\0")),
        ("a text", profile(b"zTXt", b"t\0\0")),
    ]
}

#[test]
fn a_bomb_is_refused_before_it_takes_memory() {
    const MEGABYTES_MAX: u64 = 128;
    let folder = std::env::temp_dir().join(format!("dopamine-hero-bombs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let bombs = bombs();
    // And the dearest of those that are taken.
    let fair = ("the largest picture", zero_png(4096, 3072, 8, 6, 4));
    for (what, sent) in bombs.iter().chain([&fair]) {
        assert!(sent.len() <= SENT_BYTES_MAX, "{what}: {}", sent.len());
        std::fs::write(folder.join("bomb"), sent).expect("a file");
        let helper = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "accounts::avatar::tests::pictures::helper_that_decodes", "--nocapture"])
            .env("AVATAR_BOMB", folder.join("bomb"))
            .output()
            .expect("a test can be started");
        let said = String::from_utf8_lossy(&helper.stdout).into_owned();
        let line = said
            .lines()
            .find_map(|line| line.split_once("decoded: "))
            .unwrap_or_else(|| panic!("{what}: {said}"))
            .1;
        let (megabytes, became) = line.split_once(' ').expect("two words");
        println!("{what}: {} KiB sent, {megabytes} MB taken, {became}", sent.len() / 1024);
        assert!(megabytes.parse::<u64>().expect("a number") <= MEGABYTES_MAX, "{what}: {line}");
        match *what {
            "the largest picture" => assert_eq!(became, "taken"),
            // The picture around them is a fair one, and what is too large is skipped.
            "a profile" | "a text" => {}
            // Its decoder calls a size that it does not believe damaged.
            "a WebP's claim" => assert!(matches!(became, "TooLarge" | "Damaged"), "{what}: {became}"),
            _ => assert_eq!(became, "TooLarge", "{what}"),
        }
    }
    std::fs::remove_dir_all(&folder).expect("our own folder");
}

/// Not a test of its own: what the test before it starts, because only a process of its own has a peak of its own.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test above tells this one what to decode")]
fn helper_that_decodes() {
    let Ok(file) = std::env::var("AVATAR_BOMB") else { return };
    let sent = std::fs::read(file).expect("the bomb");
    let before = peak_kib();
    let became = avatar_of(&sent).map(|_| ());
    let megabytes = (peak_kib() - before) / 1000;
    println!();
    println!(
        "decoded: {megabytes} {}",
        became.map_or_else(|unfit| format!("{unfit:?}"), |()| "taken".to_owned())
    );
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak is told");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}
