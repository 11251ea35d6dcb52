//! What is wrong with a catalogue.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, {path}: {problem}")]
pub struct CatalogueError {
    /// Line in the text, from 1.
    pub line: usize,
    /// The field, such as `modules[3].cost_me`; `catalogue` for the file as a whole.
    pub path: String,
    /// What was expected there, and what was found.
    pub problem: String,
}

/// Everything that is wrong, in the order of the text. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueErrors(pub Vec<CatalogueError>);

impl CatalogueErrors {
    /// More than that are not collected.
    pub const COUNT_MAX: usize = 200;
}

impl fmt::Display for CatalogueErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{error}")?;
        }
        Ok(())
    }
}

impl core::error::Error for CatalogueErrors {}
