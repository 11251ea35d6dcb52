//! Tests against the real server, in process, on port 0.

mod accounts;
mod admission;
mod avatars;
mod claim;
mod firebase;
mod harness;
mod http;
mod inner_listeners;
mod leaks;
mod limits;
mod mail;
mod origin;
mod own_data;
mod player;
mod process;
mod read_models;
mod redis;
mod texts;
