//! How much of Postgres' raw speed the journal keeps: events a second through writer and store, against multi-row inserts
//! of 256 rows of the same bytes into a table of the same shape, on the same private server, taking turns.
//!
//! `cargo xtask bench journal` prints one line of JSON; progress goes to standard error.

#![expect(clippy::unwrap_used, reason = "a program that measures ends at the first thing that goes wrong")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use persistence::writer::FLUSH_EVENTS_MAX;
use persistence::{
    Chain, CommandRef, CommandSeq, Epoch, EventBody, EventKind, EventRecord, HeroAppend, HeroId,
    JournalHandle, JournalStore, JournalWriter, NodeId, PostgresStore, Seq, StreamId, Subscription, Ticket,
    WriterConfig,
};
use sqlx::{Connection, PgConnection, Postgres, QueryBuilder};
use tokio::time::Instant;
use uuid::Uuid;

/// Heroes that take turns: as many as a node with some thousand players has at work at a time.
const HEROES: u128 = 1_000;
/// Pairs of measurements; their median counts.
const PAIRS: usize = 5;
/// How long each half of a pair lasts.
const HALF: Duration = Duration::from_secs(4);
/// Events on their way while the journal works as fast as it can: some flushes.
const OUTSTANDING_MAX: usize = 4 * FLUSH_EVENTS_MAX;
/// Commands a second when the acknowledgement is measured: far from what is possible, so that no queue is measured.
const QUIET_PER_SECOND: u64 = 500;
/// A command makes this many events.
const EVENTS_PER_COMMAND: u64 = 2;
/// Bytes of an event's payload: what a finished session takes.
const PAYLOAD_BYTES: usize = 160;

struct Hero {
    id: HeroId,
    epoch: Epoch,
    seq: Seq,
    chain: Chain,
    commands: u64,
}

impl Hero {
    /// The events of its next command.
    fn command(&mut self) -> HeroAppend {
        self.commands += 1;
        let previous = self.chain;
        let events = (0..EVENTS_PER_COMMAND).map(|index| {
            let command = (index == 0)
                .then_some(CommandRef { stream_id: StreamId(7), cmd_seq: CommandSeq(self.commands) });
            let body = EventBody {
                command,
                kind: EventKind::of("energy_earned"),
                schema_version: 1,
                catalogue_version: 1,
                at_ms: 1_780_000_000_000,
                payload: vec![0x5a; PAYLOAD_BYTES].into(),
            };
            let event = EventRecord::seal(self.id, self.epoch, self.seq.next(), self.chain, body);
            (self.seq, self.chain) = (event.seq, event.chain);
            event
        });
        let events = events.collect();
        HeroAppend { hero: self.id, epoch: self.epoch, previous, events }
    }
}

#[tokio::main]
async fn main() {
    // `cargo bench` hands its own flags over; there is nothing to choose here.
    let server = test_servers::Postgres::start();
    PostgresStore::migrate(&server.url()).await.unwrap();
    let store = Arc::new(PostgresStore::open(&server.url()).await.unwrap());
    let mut heroes = claim_all(&store).await;
    let (journal, _writer) = JournalWriter::start(Arc::clone(&store) as _, WriterConfig::quiet(1));
    let mut subscription = journal.subscribe();
    let mut raw = Raw::open(&server.url()).await;
    let (mut raw_rates, mut rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 1..=PAIRS {
        let raw_rate = raw.measure().await;
        let rate = saturate(&journal, &mut subscription, &mut heroes).await;
        eprintln!("pair {pair} of {PAIRS}: raw {raw_rate:.0} rows/s, journal {rate:.0} events/s");
        raw_rates.push(raw_rate);
        rates.push(rate);
        ratios.push(rate / raw_rate);
    }
    let (full_p50, full_p99) =
        percentiles(&mut loaded_latencies(&journal, &mut subscription, &mut heroes).await);
    let (quiet_p50, quiet_p99) =
        percentiles(&mut quiet_latencies(&journal, &mut subscription, &mut heroes).await);
    println!(
        "{{\"bench\":\"journal\",\"raw_rows_per_s\":{:.0},\"events_per_s\":{:.0},\"ratio\":{:.2},\"goal\":\"ratio >= 0.50\",\
         \"ack_saturated_ms\":{{\"p50\":{full_p50:.1},\"p99\":{full_p99:.1}}},\
         \"ack_at_{QUIET_PER_SECOND}_commands_per_s_ms\":{{\"p50\":{quiet_p50:.1},\"p99\":{quiet_p99:.1}}}}}",
        median(&mut raw_rates),
        median(&mut rates),
        median(&mut ratios),
    );
}

async fn claim_all(store: &PostgresStore) -> Vec<Hero> {
    let node = NodeId(Uuid::from_u128(1));
    let mut heroes = Vec::new();
    for number in 1..=HEROES {
        let claim = store.claim(HeroId(Uuid::from_u128(number)), node).await.unwrap();
        let (id, epoch, seq, chain) = (claim.hero, claim.epoch, claim.last_seq, claim.chain);
        heroes.push(Hero { id, epoch, seq, chain, commands: 0 });
    }
    heroes
}

/// Multi-row inserts, one after the other, each durable before the next.
struct Raw {
    connection: PgConnection,
    hero: Hero,
}

impl Raw {
    async fn open(url: &str) -> Self {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let tables = "CREATE TABLE raw_event (LIKE hero_event INCLUDING ALL)";
        sqlx::raw_sql(tables).execute(&mut connection).await.unwrap();
        let id = HeroId(Uuid::from_u128(u128::MAX));
        let hero = Hero { id, epoch: Epoch(1), seq: Seq(0), chain: Chain::genesis(id), commands: 0 };
        Self { connection, hero }
    }

    async fn measure(&mut self) -> f64 {
        let (begun, mut rows) = (Instant::now(), 0);
        while begun.elapsed() < HALF {
            let mut batch = Vec::with_capacity(FLUSH_EVENTS_MAX);
            while batch.len() < FLUSH_EVENTS_MAX {
                batch.extend(self.hero.command().events);
            }
            rows += batch.len();
            let mut insert = QueryBuilder::<Postgres>::new(
                "INSERT INTO raw_event (hero_id, seq, epoch, stream_id, cmd_seq, at_ms, catalogue_version,
                    schema_version, kind, chain, payload) ",
            );
            let int = |number: u64| i64::try_from(number).unwrap();
            insert.push_values(&batch, |mut row, event| {
                row.push_bind(event.hero.0)
                    .push_bind(int(event.seq.0))
                    .push_bind(int(event.epoch.0))
                    .push_bind(event.command.map(|it| int(it.stream_id.0)))
                    .push_bind(event.command.map(|it| int(it.cmd_seq.0)))
                    .push_bind(event.at_ms)
                    .push_bind(i64::from(event.catalogue_version))
                    .push_bind(i32::from(event.schema_version))
                    .push_bind(event.kind.as_str())
                    .push_bind(&event.chain.0[..])
                    .push_bind(&event.payload[..]);
            });
            insert.build().execute(&mut self.connection).await.unwrap();
        }
        rate(rows, begun.elapsed())
    }
}

/// Commands as fast as the journal takes them, for a while; events a second that became durable.
async fn saturate(journal: &JournalHandle, subscription: &mut Subscription, heroes: &mut [Hero]) -> f64 {
    let begun = Instant::now();
    let done = drive(journal, subscription, heroes, HALF, None).await;
    rate(done.len() * usize::try_from(EVENTS_PER_COMMAND).unwrap(), begun.elapsed())
}

async fn loaded_latencies(
    journal: &JournalHandle,
    subscription: &mut Subscription,
    heroes: &mut [Hero],
) -> Vec<Duration> {
    drive(journal, subscription, heroes, HALF, None).await
}

async fn quiet_latencies(
    journal: &JournalHandle,
    subscription: &mut Subscription,
    heroes: &mut [Hero],
) -> Vec<Duration> {
    drive(
        journal,
        subscription,
        heroes,
        HALF,
        Some(Duration::from_secs(1) / u32::try_from(QUIET_PER_SECOND).unwrap()),
    )
    .await
}

/// Submits commands of one hero after the other, every `period` or as fast as it goes; how long each took to be durable.
async fn drive(
    journal: &JournalHandle,
    subscription: &mut Subscription,
    heroes: &mut [Hero],
    lasts: Duration,
    period: Option<Duration>,
) -> Vec<Duration> {
    let per_command = usize::try_from(EVENTS_PER_COMMAND).unwrap();
    let (begun, mut done) = (Instant::now(), Vec::new());
    let mut waiting: VecDeque<(Ticket, Instant)> = VecDeque::new();
    let (mut next, mut due) = (0, begun);
    while begun.elapsed() < lasts || !waiting.is_empty() {
        let is_open = begun.elapsed() < lasts;
        while is_open
            && waiting.len() * per_command < OUTSTANDING_MAX
            && period.is_none_or(|_| due <= Instant::now())
        {
            let hero = &mut heroes[next % usize::try_from(HEROES).unwrap()];
            next += 1;
            let group = hero.command();
            let permit = journal.try_reserve(hero.id, per_command, group.bytes()).unwrap();
            // From the moment it was due: what waits behind a slow flush is not left out.
            let from = if period.is_some() { due } else { Instant::now() };
            waiting.push_back((journal.submit(permit, group), from));
            due += period.unwrap_or_default();
        }
        let until_due = async {
            match period.filter(|_| is_open) {
                Some(_) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            alive = subscription.changed() => assert!(alive, "the writer stopped"),
            () = until_due => {}
        }
        let (notices, watermark) = subscription.take();
        assert!(notices.is_empty(), "nobody else writes here: {notices:?}");
        while let Some((_, from)) = waiting.pop_front_if(|(ticket, _)| *ticket <= watermark) {
            done.push(from.elapsed());
        }
    }
    done
}

#[expect(clippy::cast_precision_loss, reason = "counts of some seconds")]
fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Median and 99th percentile in milliseconds.
fn percentiles(latencies: &mut [Duration]) -> (f64, f64) {
    latencies.sort_unstable();
    let at = |permille: usize| latencies[(latencies.len() - 1) * permille / 1_000].as_secs_f64() * 1_000.0;
    (at(500), at(990))
}
