//! A hero as bytes while nobody asks for it: about a third of what it takes when the rules can read it.
//!
//! The bytes live in this process only. They are not the journal's: no field has its name, texts are readable, and the whole is
//! compressed. See docs/decisions/0020-quiet-heroes-are-packed.md.

use simulation::{hero::Hero, world::Packing};

/// What a packed hero of some months takes at most; more is room that is made in steps.
const ROOM_BYTES: usize = 4 * 1024;

pub(super) const PACKING: Packing = Packing { pack, unpack };

fn pack(hero: &Hero) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(ROOM_BYTES);
    // Empty fields at the end of a hero are left out. Without names that is read well, unless one is left out before another.
    let needs_names = hero.kin.is_none() && !hero.corrections.is_empty();
    let packed = match needs_names {
        true => rmp_serde::encode::write_named(&mut bytes, hero),
        false => rmp_serde::encode::write(&mut bytes, hero),
    };
    packed.expect("heroes are plain data");
    let packed = lz4_flex::compress_prepend_size(&bytes);
    debug_assert_eq!(unpack(&packed), *hero, "nothing is lost");
    // A copy of just that size: the room is taken again by the next one.
    Box::from(&*packed)
}

fn unpack(bytes: &[u8]) -> Hero {
    let bytes = lz4_flex::decompress_size_prepended(bytes).expect("it was packed by this process");
    rmp_serde::from_slice(&bytes).expect("it was packed by this process")
}

#[cfg(test)]
mod tests {
    use simulation::{
        hero::{Corrected, Kin},
        id::HeroKey,
        text::PlayerText,
    };

    use super::*;

    /// What may be left out, in all combinations, and texts that cannot be read.
    #[test]
    fn a_packed_hero_is_the_same_hero() {
        let kin = Kin { guests: vec![HeroKey([7; HeroKey::BYTES])], handed_over: None };
        let corrected = Corrected { audit_seq: 9, reverts: Some(3) };
        for kin in [None, Some(Box::new(kin))] {
            for corrections in [vec![], vec![corrected]] {
                let name = PlayerText::Sealed(Box::new(Box::from([1, 2, 3])));
                let hero = Hero { name, last_id: 12, kin: kin.clone(), corrections, ..Hero::default() };
                assert_eq!(unpack(&pack(&hero)), hero);
            }
        }
    }
}
