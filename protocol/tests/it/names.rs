//! Asks serde for the names of an enum's variants and of their fields, so that no test keeps a list of its own.

use serde::de::value::Error;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error as _, VariantAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

/// The names of all variants of an enum, as on the wire.
pub(crate) fn variants<'de, T: Deserialize<'de>>() -> Vec<&'static str> {
    let mut names = Vec::new();
    let _ = T::deserialize(Probe { variant: None, names: &mut names });
    assert!(!names.is_empty(), "not an enum");
    names
}

/// The names of a struct's fields.
pub(crate) fn fields<'de, T: Deserialize<'de>>() -> Vec<&'static str> {
    variants::<T>()
}

/// The names of the fields of one variant; none for a variant without braces of its own.
pub(crate) fn variant_fields<'de, T: Deserialize<'de>>(variant: &'static str) -> Vec<&'static str> {
    let mut names = Vec::new();
    let _ = T::deserialize(Probe { variant: Some(variant), names: &mut names });
    names
}

struct Probe<'a> {
    variant: Option<&'static str>,
    names: &'a mut Vec<&'static str>,
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("only names are read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.names.extend_from_slice(fields);
        Err(Error::custom("only names are read"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.variant.is_some() {
            return visitor.visit_enum(self);
        }
        self.names.extend_from_slice(variants);
        Err(Error::custom("only names are read"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Probe<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name = self.variant.expect("set by variant_fields");
        seed.deserialize(serde::de::value::StrDeserializer::new(name)).map(|value| (value, self))
    }
}

impl<'de> VariantAccess<'de> for Probe<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Error> {
        Err(Error::custom("its fields are those of its content"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("there are none on the wire"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.names.extend_from_slice(fields);
        Err(Error::custom("only names are read"))
    }
}
