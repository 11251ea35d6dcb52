//! Tests against the real server, in process, on port 0.

mod accounts;
mod admission;
mod avatars;
mod claim;
mod collector;
mod cost;
mod firebase;
mod harness;
mod http;
mod inner_listeners;
mod leaks;
mod limits;
mod mail;
mod operations;
mod operators;
mod origin;
mod own_data;
mod player;
mod process;
mod prometheus;
mod read_models;
mod redis;
mod switch;
mod telemetry;
mod texts;
