//! One server process a test.

mod bench;
mod devices;
mod drain;
mod hostile;
mod kill;
mod limits;
mod load;
mod rolling;
mod slow_reader;
