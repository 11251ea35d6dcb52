//! Private Postgres, Redis, S3 and Prometheus servers for tests, from the programs that the system has.
//!
//! Owns the server's process, its folder and its port. Never touches a server that somebody else started, and leaves
//! nothing behind: no process, no folder, no shared memory, also when the test is killed with SIGKILL (see
//! [`Guardian`]). Everything that goes wrong is a panic with a text that says what to do: this is a test's helper.

mod guardian;
mod machine;
mod postgres;
mod prometheus;
mod redis;
mod s3;

pub use guardian::{Guardian, KILL_ALL};
pub use postgres::{Postgres, PostgresOptions};
pub use prometheus::Prometheus;
pub use redis::Redis;
pub use s3::S3;
