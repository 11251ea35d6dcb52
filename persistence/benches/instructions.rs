//! What `cargo xtask instructions` counts of the journal: a full flush, from events to what Postgres is sent.
//!
//! Without arguments it names its cases; with a case and a number it does that case so many times.

#![expect(clippy::unwrap_used, reason = "a program that measures ends at the first thing that goes wrong")]

use std::hint::black_box;

use bytes::Bytes;
use persistence::postgres::append_statement;
use persistence::writer::FLUSH_EVENTS_MAX;
use persistence::{
    Chain, CommandRef, CommandSeq, Epoch, EventBody, EventKind, EventRecord, HeroAppend, HeroId, Seq,
    StreamId,
};
use uuid::Uuid;

type Case = (&'static str, fn(times: usize));

const CASES: [Case; 2] = [("flush_chain", chain_case), ("flush_statement", statement_case)];

/// A command makes this many events, so that a flush is of half as many heroes.
const EVENTS_PER_COMMAND: u64 = 2;
/// Bytes of an event's payload: what a finished session takes.
const PAYLOAD_BYTES: usize = 160;

fn main() {
    // `cargo bench` adds a flag of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [case, times] = arguments.as_slice() else {
        return CASES.iter().for_each(|(name, _)| println!("{name}"));
    };
    let (_, run) = CASES.iter().find(|(name, _)| name == case).unwrap();
    run(times.parse().unwrap());
}

/// Gives every event its place and its hash.
fn chain_case(times: usize) {
    let payload = Bytes::from(vec![0x5a; PAYLOAD_BYTES]);
    for _ in 0..times {
        black_box(flush(black_box(&payload)));
    }
}

/// Turns a flush into the arrays of its one statement.
fn statement_case(times: usize) {
    let flush = flush(&Bytes::from(vec![0x5a; PAYLOAD_BYTES]));
    let parts: Vec<&HeroAppend> = flush.iter().collect();
    for _ in 0..times {
        drop(black_box(append_statement(black_box(&parts))));
    }
}

/// Commands of many heroes, as many as a flush holds.
fn flush(payload: &Bytes) -> Vec<HeroAppend> {
    let commands = FLUSH_EVENTS_MAX as u64 / EVENTS_PER_COMMAND;
    (1..=commands).map(|number| command(HeroId(Uuid::from_u128(number.into())), payload)).collect()
}

/// The first command of a hero.
fn command(hero: HeroId, payload: &Bytes) -> HeroAppend {
    let previous = Chain::genesis(hero);
    let mut chain = previous;
    let events = (1..=EVENTS_PER_COMMAND).map(|seq| {
        let command = CommandRef { stream_id: StreamId(7), cmd_seq: CommandSeq(1) };
        let body = EventBody {
            command: (seq == 1).then_some(command),
            kind: EventKind::of("session_ended"),
            schema_version: 2,
            catalogue_version: 1,
            at_ms: 1_780_000_000_000,
            payload: payload.clone(),
        };
        let event = EventRecord::seal(hero, Epoch(1), Seq(seq), chain, body);
        chain = event.chain;
        event
    });
    let events = events.collect();
    HeroAppend { hero, epoch: Epoch(1), previous, events }
}
