//! Columns of many rows as arrays of Postgres's binary format, written straight into the statement. The driver's own arrays ask
//! for the type and check the size of every element; the append has eighteen columns and is what the server does most.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo};
use sqlx::{Encode, Postgres, Type};
use uuid::Uuid;

/// One column: what it holds for each row.
pub(super) struct Column<I>(I);

impl<I> Column<I> {
    pub(super) fn new(values: I) -> Self {
        Self(values)
    }
}

/// What an array can hold.
pub(super) trait Element: Type<Postgres> + PgHasArrayType {
    /// As it is sent; nothing for nil.
    fn bytes(&self) -> Option<impl AsRef<[u8]>>;
}

impl Element for i64 {
    fn bytes(&self) -> Option<impl AsRef<[u8]>> {
        Some(self.to_be_bytes())
    }
}

impl Element for i32 {
    fn bytes(&self) -> Option<impl AsRef<[u8]>> {
        Some(self.to_be_bytes())
    }
}

impl Element for Uuid {
    fn bytes(&self) -> Option<impl AsRef<[u8]>> {
        Some(self.as_bytes())
    }
}

impl Element for &[u8] {
    fn bytes(&self) -> Option<impl AsRef<[u8]>> {
        Some(self)
    }
}

impl Element for &str {
    fn bytes(&self) -> Option<impl AsRef<[u8]>> {
        Some(self.as_bytes())
    }
}

impl<T: Element> Element for Option<T> {
    fn bytes(&self) -> Option<impl AsRef<[u8]>> {
        self.as_ref().and_then(T::bytes)
    }
}

impl<I: Iterator<Item: Element>> Type<Postgres> for Column<I> {
    fn type_info() -> PgTypeInfo {
        I::Item::array_type_info()
    }
}

impl<I: Iterator<Item: Element> + Clone> Encode<'_, Postgres> for Column<I> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        const DIMENSIONS: i32 = 1;
        const NO_FLAGS: i32 = 0;
        const FIRST_INDEX: i32 = 1;
        const NIL: i32 = -1;
        let kind = I::Item::type_info().oid().ok_or("a type that every database has, has a number")?;
        let bytes: &mut Vec<u8> = buffer;
        let count = i32::try_from(self.0.clone().count())?;
        bytes.extend_from_slice(&DIMENSIONS.to_be_bytes());
        bytes.extend_from_slice(&NO_FLAGS.to_be_bytes());
        bytes.extend_from_slice(&kind.0.to_be_bytes());
        bytes.extend_from_slice(&count.to_be_bytes());
        bytes.extend_from_slice(&FIRST_INDEX.to_be_bytes());
        for value in self.0.clone() {
            match value.bytes() {
                Some(element) => {
                    let element = element.as_ref();
                    bytes.extend_from_slice(&i32::try_from(element.len())?.to_be_bytes());
                    bytes.extend_from_slice(element);
                }
                None => bytes.extend_from_slice(&NIL.to_be_bytes()),
            }
        }
        Ok(IsNull::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded<'a>(value: impl Encode<'a, Postgres>) -> Vec<u8> {
        let mut buffer = PgArgumentBuffer::default();
        assert!(matches!(value.encode(&mut buffer), Ok(IsNull::No)));
        buffer.to_vec()
    }

    /// The same type and the same bytes as the driver makes of the same values.
    fn check<'a, T>(values: Vec<T>)
    where
        T: Element + Clone + Encode<'a, Postgres>,
    {
        let column = || Column::new(values.iter().cloned());
        fn type_of<T: Type<Postgres>>(_: &T) -> PgTypeInfo {
            T::type_info()
        }
        assert_eq!(type_of(&column()), <[T] as Type<Postgres>>::type_info());
        assert_eq!(encoded(column()), encoded(&values[..]));
    }

    #[test]
    fn a_column_is_what_the_driver_makes_of_it() {
        check(vec![i64::MIN, -1, 0, 1, i64::MAX]);
        check(vec![i32::MIN, 7]);
        check(vec![Uuid::from_u128(1), Uuid::from_u128(u128::MAX)]);
        check(vec![&b"chain"[..], b"", &[0; 300]]);
        check(vec!["task_created", "", "Å"]);
        check(vec![Some(3_i64), None, Some(-3)]);
        check(vec![None, Some(&b"x"[..])]);
        check(Vec::<i64>::new());
    }
}
