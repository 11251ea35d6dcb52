//! A preset as a short text that players share: `DH1.` and up to 508 letters.
//!
//! ```text
//! version 1, bytes behind `DH1.` as base64url without padding:
//!   category u8 · name length u8 · name UTF-8 · module count u8
//!   per module: cell u8 · short id 3 bytes · output u8 (0 none, 1 core, n the module n − 2 of this list)
//!   checksum 4 bytes over everything before
//! ```
//! A module is named by a short number made of its id, so that a full grid fits; the catalogue is checked to have
//! no two modules with the same one. Modules that this catalogue does not know leave gaps.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::catalogue::{Catalogue, Category};
use crate::id::ModuleId;
use crate::rack::{CORE, Cable, Cell, GRID_SIDE_MAX, Grid, Placement, Rack};

/// Longest code that is written or read, in characters (which are all one byte).
pub const CODE_CHARS_MAX: usize = 512;
/// Longest name of a preset.
pub const NAME_CHARS_MAX: usize = 40;
/// Most modules in a code: with the longest name they just fit into [`CODE_CHARS_MAX`]. The catalogue allows no
/// larger grid.
pub const MODULES_MAX: usize = 40;

const PREFIX: &str = "DH1.";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const CHECKSUM_BYTES: usize = 4;
/// Everything that fits on the largest grid.
const WIDEST: Grid = Grid { columns: GRID_SIDE_MAX, rows: GRID_SIDE_MAX };

/// What a code says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedPreset {
    /// Its name, 1 to [`NAME_CHARS_MAX`] characters.
    pub name: String,
    /// What it is meant for.
    pub category: Category,
    /// Layout and cables, valid for the largest grid and a hero who owns everything: see [`Rack::fitted`].
    pub rack: Rack,
    /// Modules of the code that this catalogue does not know, or that did not fit.
    pub left_out: u8,
}

/// Why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresetCodeError {
    /// Longer than [`CODE_CHARS_MAX`].
    #[error("a preset code has at most {CODE_CHARS_MAX} characters")]
    TooLong,
    /// It does not begin as a code does.
    #[error("a preset code begins with {PREFIX}")]
    NotACode,
    /// It is a code of a newer version.
    #[error("this preset code needs a newer version of the game")]
    UnknownVersion,
    /// A character is wrong or missing.
    #[error("this preset code is damaged: a character is wrong or missing")]
    Damaged,
}

/// Writes a preset as a code. Whatever is over the limits is left out; the rules allow no such preset.
#[must_use]
pub fn encode(name: &str, category: Category, rack: &Rack) -> String {
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    let placements = rack.placements.get(..MODULES_MAX).unwrap_or(&rack.placements);
    let mut bytes = Vec::new();
    bytes.push(category_number(category));
    bytes.push(small(name.len()));
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(small(placements.len()));
    for placement in placements {
        let output = match rack.output_of(placement.module_id) {
            None => 0,
            Some(CORE) => 1,
            Some(to) => {
                let position = placements.iter().position(|other| other.module_id == to);
                position.map_or(0, |position| small(position + 2))
            }
        };
        bytes.push(placement.cell.number());
        bytes.extend_from_slice(&short_id(placement.module_id));
        bytes.push(output);
    }
    bytes.extend_from_slice(&checksum(&bytes));
    let mut code = PREFIX.to_string();
    write_base64(&bytes, &mut code);
    code
}

/// Reads a code. Blanks around it are ignored.
///
/// # Errors
/// Says why the text is no code.
pub fn decode(text: &str, catalogue: &Catalogue) -> Result<SharedPreset, PresetCodeError> {
    let text = text.trim_ascii();
    if text.len() > CODE_CHARS_MAX {
        return Err(PresetCodeError::TooLong);
    }
    let Some(body) = text.strip_prefix(PREFIX) else { return Err(other_version(text)) };
    let bytes = read_base64(body).ok_or(PresetCodeError::Damaged)?;
    let content = bytes.len().checked_sub(CHECKSUM_BYTES).ok_or(PresetCodeError::Damaged)?;
    let (content, sum) = bytes.split_at(content);
    if sum != checksum(content) {
        return Err(PresetCodeError::Damaged);
    }
    read_content(content, catalogue).ok_or(PresetCodeError::Damaged)
}

/// Three bytes that stand for a module in codes.
pub(crate) fn short_id(module_id: ModuleId) -> [u8; 3] {
    let [a, b, c, d] = checksum(module_id.as_str().as_bytes());
    [a ^ d, b, c]
}

fn small(count: usize) -> u8 {
    u8::try_from(count).expect("names and racks in codes are cut to less than 256 bytes and modules")
}

const fn category_number(category: Category) -> u8 {
    match category {
        Category::None => 0,
        Category::Creative => 1,
        Category::Analytical => 2,
        Category::Physical => 3,
        Category::Learning => 4,
    }
}

fn other_version(text: &str) -> PresetCodeError {
    let version = text.strip_prefix("DH").and_then(|rest| rest.split_once('.')).map(|(version, _)| version);
    match version {
        Some(version) if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) => {
            PresetCodeError::UnknownVersion
        }
        _ => PresetCodeError::NotACode,
    }
}

/// FNV-1a: it finds slips of the hand, and is no protection against intent. None is needed: a code only says what
/// a player could have patched.
fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hash: u32 = 0x811c_9dc5;
    for byte in bytes {
        hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    }
    hash.to_be_bytes()
}

/// Takes bytes from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }
}

fn read_content(content: &[u8], catalogue: &Catalogue) -> Option<SharedPreset> {
    let mut reader = Reader(content);
    let category_byte = reader.byte()?;
    let mut categories = Category::NAMED.into_iter().chain([Category::None]);
    let category = categories.find(|category| category_number(*category) == category_byte)?;
    let name_len = usize::from(reader.byte()?);
    let name = core::str::from_utf8(reader.take(name_len)?).ok()?;
    if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return None;
    }
    let count = reader.byte()?;
    if usize::from(count) > MODULES_MAX {
        return None;
    }
    let mut modules: Vec<(Cell, Option<ModuleId>, u8)> = Vec::new();
    for _ in 0..count {
        let cell = Cell::from_number(reader.byte()?)?;
        let short = reader.take(3)?;
        let known = catalogue.modules.iter().find(|module| short_id(module.id) == short);
        modules.push((cell, known.map(|module| module.id), reader.byte()?));
    }
    if !reader.0.is_empty() {
        return None;
    }
    let mut rack = Rack::default();
    for (cell, module_id, output) in &modules {
        let Some(module_id) = *module_id else { continue };
        rack.placements.push(Placement { cell: *cell, module_id });
        let to = match output {
            0 => None,
            1 => Some(CORE),
            position => modules.get(usize::from(*position) - 2)?.1,
        };
        rack.cables.extend(to.map(|to| Cable { from: module_id, to }));
    }
    let rack = rack.fitted(|_| true, WIDEST, catalogue);
    let left_out = usize::from(count) - rack.placements.len();
    Some(SharedPreset { name: name.to_string(), category, rack, left_out: small(left_out) })
}

fn write_base64(bytes: &[u8], text: &mut String) {
    for group in bytes.chunks(3) {
        let mut bits = 0_u32;
        for index in 0..3 {
            bits = bits << 8 | u32::from(group.get(index).copied().unwrap_or(0));
        }
        for letter in 0..=group.len() {
            let six = bits >> (18 - 6 * letter) & 63;
            let letter = ALPHABET.get(six as usize).expect("six bits, and as many letters");
            text.push(char::from(*letter));
        }
    }
}

/// Reads what [`write_base64`] wrote, and nothing that it would not have written.
fn read_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        if group.len() == 1 {
            return None;
        }
        let mut bits = 0_u32;
        for index in 0..4 {
            let six = match group.get(index) {
                Some(letter) => ALPHABET.iter().position(|known| known == letter)?,
                None => 0,
            };
            bits = bits << 6 | u32::try_from(six).ok()?;
        }
        let [_, decoded @ ..] = bits.to_be_bytes();
        let (used, unused) = decoded.split_at(group.len() - 1);
        if unused.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend_from_slice(used);
    }
    Some(bytes)
}
