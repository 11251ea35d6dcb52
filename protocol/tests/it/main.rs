//! The wire from outside: golden frames, hostile frames, properties, and whether the document is complete.

mod arbitrary;
mod document;
mod golden;
mod hostile;
mod names;
mod property;
mod reference;
mod sample;
