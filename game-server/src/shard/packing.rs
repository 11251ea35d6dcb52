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
    // `kin` and `corrections`, the last fields, are left out where they are empty. Without names that is read well, unless the one is
    // left out and the other is not.
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
    use serde::{
        Deserialize, Deserializer,
        de::{Error as _, Visitor, value::Error},
    };
    use simulation::{
        hero::{Corrected, Kin},
        id::HeroKey,
        text::PlayerText,
    };

    use super::*;

    /// Says which fields a type has, as serde's derive knows them, and reads nothing.
    struct FieldsOf<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for FieldsOf<'_> {
        type Error = Error;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _name: &'static str,
            fields: &'static [&'static str],
            _visitor: V,
        ) -> Result<V::Value, Error> {
            *self.0 = fields;
            Err(Error::custom("only the fields were asked for"))
        }

        fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
            Err(Error::custom("not a struct"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    /// A third one would need a place in `pack`, or the process would not read its own bytes.
    #[test]
    fn only_the_two_last_fields_are_ever_left_out() {
        let mut all: &[&str] = &[];
        Hero::deserialize(FieldsOf(&mut all)).expect_err("it reads nothing");
        let written = serde_json::to_value(Hero::default()).expect("heroes are plain data");
        let is_left_out = |name: &&&str| written.get(**name).is_none();
        assert_eq!(all.iter().filter(is_left_out).collect::<Vec<_>>(), [&"kin", &"corrections"]);
        assert_eq!(all[all.len() - 2..], ["kin", "corrections"]);
    }

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
