//! `command`: CPU time of the server from a command's frame to its durable acknowledgement, against a bare WebSocket echo of
//! the same frame sizes.
//!
//! Server and echo are on one core, in turns; everything else is on the other. Two hundred connections ask and wait, without a
//! break, so that the core is as busy as they can make it. CPU time is the process's own, user and system, as the kernel
//! counts it, so that it does not matter who else is on the machine.
//!
//! The echo has no store to wait for, so that its core is full and its clients never sleep. It is also asked as often as the server
//! was, for what a frame costs where both sides fall asleep between two of them. The goal does not count that.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use test_servers::Postgres;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::{block_in_place, spawn_blocking};

use super::crowd::source;
use super::line::{Line, STEPS, Seen, drive};
use super::{BenchOptions, float, float_of, median, round};
use crate::faults::{self, ServerPlan};
use crate::http::Endpoint;
use crate::process::{SERVER_CORE, client_core, cpu_time, pin_this_process};

const CONNECTIONS: usize = 200;
/// Server and echo, in turns.
const PAIRS: usize = 5;
/// Turns of a fifth of the length in each pair, of the server and of another build of it.
const TURNS_AGAINST: usize = 8;
const LASTS: Duration = Duration::from_secs(5);
/// Caches, allocator and the database's files get to their size in it. It also shows the sizes for the echo.
const WARM_UP: Duration = Duration::from_secs(3);
const RATIO_MAX: f64 = 2.0;

/// One side's turn.
struct Turn {
    cpu_us: f64,
    per_second: f64,
    /// Part of the core that it used.
    busy: f64,
}

/// The journal's counters.
#[derive(Clone, Copy)]
struct Journal {
    flushes: f64,
    events: f64,
    flush_seconds: f64,
}

pub(super) async fn run(options: &BenchOptions) -> Result<Value> {
    pin_this_process(client_core()).await?;
    let name = if options.postgres { "command-postgres" } else { "command" };
    let (plan, database) = on_store(options, options.plan(name)?).await?;
    let (against, other_database) = match &options.against {
        Some(server) => {
            let plan = options.plan_of(server, &format!("{name}-against"))?;
            let (plan, database) = on_store(options, plan).await?;
            (Some(plan), database)
        }
        None => (None, None),
    };
    let options = options.clone();
    // One thread for all lines: several would only take turns on the one core, and cost the server more wake-ups.
    let line = spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(measure(&options, &plan, against.as_ref()))
    });
    let line = line.await??;
    block_in_place(|| drop((database, other_database)));
    Ok(line)
}

/// The server pinned and without limits, on a database of its own if it shall have one.
async fn on_store(options: &BenchOptions, plan: ServerPlan) -> Result<(ServerPlan, Option<Postgres>)> {
    let mut plan = plan.without_socket_limits().pinned_to(SERVER_CORE);
    let database = options.postgres.then(|| block_in_place(Postgres::start));
    if let Some(database) = &database {
        plan = plan.on_database(&database.url());
        plan.migrate().await?;
    }
    Ok((plan, database))
}

async fn measure(options: &BenchOptions, plan: &ServerPlan, against: Option<&ServerPlan>) -> Result<Value> {
    let connections = options.players(CONNECTIONS, 4);
    let lasts = if options.quick { Duration::from_millis(500) } else { LASTS };
    let warm_up = if options.quick { lasts } else { WARM_UP };
    let mut server = Server::start(plan, connections).await?;
    let sizes = sizes(&drive(&mut server.lines, warm_up, None).await?)?;
    let mut other = match against {
        Some(plan) => Some(Server::start(plan, connections).await?),
        None => None,
    };
    if let Some(other) = &mut other {
        drive(&mut other.lines, warm_up, None).await?;
    }
    let (_echo, echo_id, echo_endpoint) = start_echo().await?;
    let mut echo = Vec::new();
    for _ in 0..connections {
        echo.push(Line::to_echo(&echo_endpoint, sizes).await?);
    }
    drive(&mut echo, lasts / 5, None).await?;
    let (mut all, mut journal) = (Seen::new()?, Journal { flushes: 0.0, events: 0.0, flush_seconds: 0.0 });
    let mut turns = Turns::default();
    for pair in 1..=options.count(PAIRS, 1) {
        let before = Journal::of(plan).await?;
        let (turn, seen) = turn(server.id, &mut server.lines, lasts, None).await?;
        journal.add(before, Journal::of(plan).await?);
        all.add(&seen)?;
        let (bare, _) = self::turn(echo_id, &mut echo, lasts, None).await?;
        ensure!(turn.per_second > 0.0, "no command was answered in {} s", lasts.as_secs());
        let every = Duration::from_secs_f64(float_of(connections) / turn.per_second);
        let (paced, _) = self::turn(echo_id, &mut echo, lasts, Some(every)).await?;
        eprintln!(
            "pair {pair}: server {:.1} µs a command, {:.0}/s; echo {:.1} µs, {:.0}/s; asked as often {:.1} µs, {:.0}/s",
            turn.cpu_us, turn.per_second, bare.cpu_us, bare.per_second, paced.cpu_us, paced.per_second
        );
        turns.game.push(turn);
        turns.echo.push(bare);
        turns.paced.push(paced);
        // In between, because a server closes a line that has said nothing for 25 s.
        for _ in 0..options.count(TURNS_AGAINST, 1) {
            let Some(other) = &mut other else { break };
            let (ours, _) = self::turn(server.id, &mut server.lines, lasts / 5, None).await?;
            let (theirs, _) = self::turn(other.id, &mut other.lines, lasts / 5, None).await?;
            eprintln!("pair {pair}: {:.1} µs a command, against {:.1} µs", ours.cpu_us, theirs.cpu_us);
            turns.against.push((ours, theirs));
        }
    }
    server.stop(plan).await?;
    if let (Some(other), Some(plan)) = (other, against) {
        other.stop(plan).await?;
    }
    Ok(line(options, connections, sizes, &all, journal, &turns))
}

/// A server that runs, and who asks it.
struct Server {
    running: faults::Server,
    id: u32,
    lines: Vec<Line>,
}

impl Server {
    async fn start(plan: &ServerPlan, connections: usize) -> Result<Self> {
        let running = plan.start().await?;
        let id = running.id().context("the server runs")?;
        let mut lines = Vec::new();
        for number in 0..connections {
            lines.push(Line::to_game(&plan.endpoint(), source(number)).await?);
        }
        Ok(Self { running, id, lines })
    }

    async fn stop(self, plan: &ServerPlan) -> Result<()> {
        drop(self.lines);
        let ended = self.running.stop().await?;
        ensure!(ended.success(), "the server did not end well: {}", plan.log_tail());
        Ok(())
    }
}

/// What each turn took, in order.
#[derive(Default)]
struct Turns {
    game: Vec<Turn>,
    echo: Vec<Turn>,
    paced: Vec<Turn>,
    /// The server, and another build of it right after.
    against: Vec<(Turn, Turn)>,
}

/// Question and answer of each step, in bytes.
fn sizes(seen: &Seen) -> Result<[(usize, usize); STEPS]> {
    let mut sizes = [(0, 0); STEPS];
    for (size, step) in sizes.iter_mut().zip(&seen.steps) {
        ensure!(step.count > 0, "no command was answered");
        let mean = |bytes: u64| usize::try_from(bytes / step.count);
        *size = (mean(step.asked_bytes)?, mean(step.answered_bytes)?);
    }
    Ok(sizes)
}

async fn turn(
    id: u32,
    lines: &mut Vec<Line>,
    lasts: Duration,
    every: Option<Duration>,
) -> Result<(Turn, Seen)> {
    let (before, began) = (cpu_time(id)?, tokio::time::Instant::now());
    let seen = drive(lines, lasts, every).await?;
    let (cpu, took) = (cpu_time(id)? - before, began.elapsed());
    let count = float(seen.count());
    let turn = Turn {
        cpu_us: cpu.as_secs_f64() * 1e6 / count,
        per_second: count / took.as_secs_f64(),
        busy: cpu.as_secs_f64() / took.as_secs_f64(),
    };
    Ok((turn, seen))
}

impl Journal {
    async fn of(plan: &ServerPlan) -> Result<Self> {
        let flushes = plan.metric("journal_batch_events_count").await?;
        let events = plan.metric("journal_batch_events_sum").await?;
        let flush_seconds = plan.metric("journal_flush_seconds_sum").await?;
        Ok(Self { flushes, events, flush_seconds })
    }

    fn add(&mut self, before: Journal, after: Journal) {
        self.flushes += after.flushes - before.flushes;
        self.events += after.events - before.events;
        self.flush_seconds += after.flush_seconds - before.flush_seconds;
    }
}

/// The echo as a process of its own, on the server's core.
async fn start_echo() -> Result<(Child, u32, Endpoint)> {
    let program = std::env::current_exe().context("this program is a file")?;
    let mut command = Command::new("taskset");
    command.args(["-c", &SERVER_CORE.to_string()]).arg(&program).arg("bare-echo");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().context("taskset (of util-linux) is needed")?;
    let mut port = String::new();
    let output = child.stdout.take().context("its output is ours")?;
    BufReader::new(output).read_line(&mut port).await?;
    let port = port.trim().parse().context("the echo did not print its port")?;
    let id = child.id().context("the echo runs")?;
    Ok((child, id, Endpoint::local(port)))
}

fn line(
    options: &BenchOptions,
    connections: usize,
    sizes: [(usize, usize); STEPS],
    all: &Seen,
    journal: Journal,
    Turns { game, echo, paced, against }: &Turns,
) -> Value {
    let of = |turns: &[Turn], what: fn(&Turn) -> f64| round(median(turns.iter().map(what).collect()));
    let ratios = game.iter().zip(echo).map(|(game, echo)| game.cpu_us / echo.cpu_us);
    let ratio = round(median(ratios.collect()));
    let ms = |quantile: f64| round(float(all.latency_us.value_at_quantile(quantile)) / 1000.0);
    let mut line = json!({
        "store": if options.postgres { "postgres" } else { "sqlite" },
        "connections": connections,
        "cpu_us_a_command": of(game, |turn| turn.cpu_us),
        "echo_cpu_us": of(echo, |turn| turn.cpu_us),
        "ratio": ratio,
        "goal": format!("ratio <= {RATIO_MAX:.1}"),
        "is_met": ratio <= RATIO_MAX,
        "echo_asked_as_often": { "cpu_us": of(paced, |turn| turn.cpu_us), "per_s": of(paced, |turn| turn.per_second) },
        "commands_per_s": of(game, |turn| turn.per_second),
        "echo_per_s": of(echo, |turn| turn.per_second),
        "core_busy": of(game, |turn| turn.busy),
        "echo_core_busy": of(echo, |turn| turn.busy),
        "latency_ms": { "p50": ms(0.5), "p99": ms(0.99), "p99_9": ms(0.999) },
        "events_a_command": round(journal.events / float(all.count())),
        "events_a_flush": round(journal.events / journal.flushes),
        "commands_a_flush": round(float(all.count()) / journal.flushes),
        "flush_ms": round(journal.flush_seconds * 1000.0 / journal.flushes),
        "bytes_asked_and_answered": sizes,
        "limits": "those of sockets and addresses are lifted by SOCKET_*_PER_SECOND, SOCKET_*_BURST and RATE_LIMIT_MAX_REQUESTS",
    });
    if !against.is_empty() {
        let ratios = against.iter().map(|(ours, theirs)| ours.cpu_us / theirs.cpu_us).collect();
        let per_second = against.iter().map(|(ours, theirs)| ours.per_second / theirs.per_second).collect();
        line["against"] =
            json!({ "cpu_ratio": round(median(ratios)), "per_s_ratio": round(median(per_second)) });
    }
    line
}
