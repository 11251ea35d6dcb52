//! Clients that do not behave: they read nothing, or say everything twice and in another order.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context, Result, bail};
use protocol::client::{ClientMessage, Command, CommandFrame};
use protocol::server::ServerMessage;
use protocol::types::{Category, Priority};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use super::{Bench, Case, Outcome};
use crate::faults::ServerPlan;
use crate::ledger::Ledger;
use crate::scenario::crowd::{Crowd, CrowdOptions};
use crate::scenario::settle::settle;
use crate::wire::{Device, Received, Socket};

/// Devices of one hero that read nothing: as many as a hero may have, and one that plays.
const DEAF_OF_ONE_HERO: u32 = 7;
/// As small as the system allows, so that the kernel hides little.
const RECEIVE_BUFFER_BYTES: u32 = 2_048;
/// Far more than the kernel and the server hold for a device that does not read.
const COMMANDS_MAX: u64 = 30_000;
/// Commands that are on their way at once.
const IN_FLIGHT_MAX: u64 = 16;
/// Tasks that a hero has before the oldest is deleted again.
const TASKS_MAX: usize = 20;
/// Commands after which the deaf devices show that they are alive.
const SIGN_OF_LIFE_EACH: u64 = 50;
/// New commands of one round of repetitions.
const BURST: u64 = 4;
/// Answers a hero remembers; older repetitions are answered without a place.
const ANSWERS_KEPT: u64 = 64;

pub(super) const SLOW_READERS: Case = Case {
    id: "22",
    name: "200 devices that read nothing",
    needs: &[],
    quick: false,
    is_control: false,
    run: |bench| Box::pin(slow_readers(bench)),
};

pub(super) const REPEATED_FRAMES: Case = Case {
    id: "23",
    name: "frames said twice, in another order, and again much later",
    needs: &[],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(repeated_frames(bench)),
};

/// Says hello and then reads nothing any more.
async fn deaf(plan: &ServerPlan, device: &Device) -> Result<Socket> {
    let endpoint = plan.endpoint();
    let ticket = device.ticket(&endpoint).await?;
    let tcp = TcpSocket::new_v4()?;
    tcp.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    let mut socket = Socket::upgrade(&endpoint, tcp.connect(endpoint.address).await?).await?;
    socket.send(&ClientMessage::Hello(device.hello(ticket, None))).await?;
    match socket.receive_soon().await? {
        Received::Message(ServerMessage::Welcome(_)) => Ok(socket),
        other => bail!("hello was answered with {other:?}"),
    }
}

async fn slow_readers(bench: &Bench) -> Result<Outcome> {
    let plan = bench.plan("22")?;
    let server = plan.start().await?;
    let options = CrowdOptions { bots: 30, seed: bench.seed, wish_every_ms: 200, cut_once_in: 0 };
    let crowd = Crowd::start(&plan.endpoint(), &options).await?;
    let heroes = bench.count(200, 21).div_ceil(DEAF_OF_ONE_HERO);
    let mut players = JoinSet::new();
    for _ in 0..heroes {
        players.spawn(until_alone(plan.clone()));
    }
    let mut closed = 0;
    while let Some(player) = players.join_next().await {
        closed += player.context("a player panicked")??;
    }
    let counted = plan.metric("slow_clients_closed_total").await?;
    let settled = settle(&plan, server, crowd, &|_| false).await?;
    let deaf = heroes * DEAF_OF_ONE_HERO;
    let checked =
        format!("{closed} were closed, {counted} counted as slow, the devices beside them had every answer");
    let mut outcome = Outcome::of(&settled, format!("{deaf} devices that read nothing, 30 that do"), checked);
    outcome.expect(closed == deaf, format!("{closed} of {deaf} were closed"));
    outcome.expect(counted >= f64::from(deaf), format!("{counted} of {deaf} were counted"));
    Ok(outcome)
}

/// Plays one hero until its deaf devices are gone. Returns how many there were.
async fn until_alone(plan: ServerPlan) -> Result<u32> {
    let device = Device::new_guest(&plan.endpoint(), None, 1).await?;
    let mut deaf_ones = Vec::new();
    for number in 0..DEAF_OF_ONE_HERO {
        deaf_ones.push(deaf(&plan, &device.sibling(2 + u64::from(number), None)).await?);
    }
    let (mut socket, _) = device.open(&plan.endpoint(), None).await?;
    let (mut others, mut sent, mut applied) = (DEAF_OF_ONE_HERO, 0, 0);
    let mut tasks = VecDeque::new();
    while others > 0 || applied < sent {
        while others > 0 && sent < applied + IN_FLIGHT_MAX {
            sent += 1;
            if sent > COMMANDS_MAX {
                bail!("{sent} commands, and {others} devices that do not read are still there");
            }
            if sent.is_multiple_of(SIGN_OF_LIFE_EACH) {
                // Each shows that it is alive, as a phone in a pocket does. When the server has cut one this fails.
                for deaf_one in &mut deaf_ones {
                    let _closed = deaf_one.send_raw(Message::Pong(Vec::new().into())).await;
                }
            }
            let body = if tasks.len() < TASKS_MAX {
                create_task("🦀".repeat(protocol::limit::TITLE_CHARS_MAX))
            } else {
                tasks.pop_front().map_or(Command::KeepGoing, |task_id| Command::DeleteTask { task_id })
            };
            socket.send(&ClientMessage::Command(CommandFrame { cmd_seq: sent, body })).await?;
        }
        match socket.receive_soon().await? {
            Received::Message(ServerMessage::Durable(result)) => {
                applied = result.cmd_seq;
                tasks.extend(result.created_id);
            }
            Received::Message(ServerMessage::Status(status)) => others = status.other_devices,
            Received::Message(ServerMessage::Rejected(rejected)) => bail!("refused: {rejected:?}"),
            Received::Message(_) => {}
            Received::Closed(code) => bail!("the device that reads was closed with {code}"),
        }
    }
    socket.close().await;
    Ok(DEAF_OF_ONE_HERO)
}

async fn repeated_frames(bench: &Bench) -> Result<Outcome> {
    let plan = bench.plan("23")?;
    let server = plan.start().await?;
    let options = CrowdOptions { bots: 30, seed: bench.seed, wish_every_ms: 200, cut_once_in: 50 };
    let crowd = Crowd::start(&plan.endpoint(), &options).await?;
    let rounds = bench.count(100, 25);
    let mut repeaters = JoinSet::new();
    for number in 0..10 {
        repeaters.spawn(repeat(plan.clone(), rounds, bench.seed + number));
    }
    let (mut ledgers, mut counts) = (Vec::new(), Counts::default());
    while let Some(repeater) = repeaters.join_next().await {
        let (ledger, counted) = repeater.context("a repeater panicked")??;
        ledgers.push(ledger);
        counts.sent += counted.sent;
        counts.duplicates += counted.duplicates;
        counts.out_of_order += counted.out_of_order;
    }
    let mut settled = settle(&plan, server, crowd, &|_| false).await?;
    for ledger in &ledgers {
        let export = crate::audit::parse(&plan.export(&ledger.hero_id).await?)?;
        settled.verdict.add(crate::audit::examine(&export, &[ledger]));
        settled.findings.extend(ledger.findings.iter().cloned());
    }
    let Counts { sent, duplicates, out_of_order } = counts;
    let injected = format!("{sent} frames of 10 devices, each twice, shuffled, old ones among them");
    let checked = format!(
        "{duplicates} answered as duplicates with the first answer, {out_of_order} refused as out of order"
    );
    let mut outcome = Outcome::of(&settled, injected, checked);
    outcome.expect(duplicates > 0 && out_of_order > 0, "nothing was repeated or nothing out of order");
    Ok(outcome)
}

#[derive(Default)]
struct Counts {
    sent: u64,
    duplicates: u64,
    out_of_order: u64,
}

/// One device that says everything twice and in another order.
async fn repeat(plan: ServerPlan, rounds: u32, seed: u64) -> Result<(Ledger, Counts)> {
    let mut random = StdRng::seed_from_u64(seed);
    let device = Device::new_guest(&plan.endpoint(), None, seed + 1).await?;
    let mut ledger = Ledger::new(device.hero_id.clone(), device.stream_id);
    let (mut socket, _) = device.open(&plan.endpoint(), None).await?;
    let mut counts = Counts::default();
    // The command of each number, and the place of its first answer.
    let mut said: BTreeMap<u64, (usize, Command)> = BTreeMap::new();
    let mut applied = 0;
    for _ in 0..rounds {
        for cmd_seq in applied + 1..=applied + BURST {
            let marker = format!("repeated {seed} {cmd_seq}");
            let command = rename_or_create(cmd_seq, &marker);
            let entry = ledger.wish(&command, Some(marker));
            ledger.sending(entry, cmd_seq);
            said.insert(cmd_seq, (entry, command));
        }
        let newest = applied + BURST;
        let mut burst: Vec<u64> = (applied + 1..=newest).chain(applied + 1..=newest).collect();
        // In the end `newest` itself is one of those that are kept.
        let oldest_kept = newest.saturating_sub(ANSWERS_KEPT - 1).max(1);
        burst.extend((0..BURST).map(|_| random.random_range(oldest_kept..=newest)));
        burst.shuffle(&mut random);
        // In the end once in order, so that the round gets through.
        burst.extend(applied + 1..=newest);
        for cmd_seq in &burst {
            let (_, body) = &said[cmd_seq];
            socket
                .send(&ClientMessage::Command(CommandFrame { cmd_seq: *cmd_seq, body: body.clone() }))
                .await?;
            counts.sent += 1;
        }
        let mut answers = 0;
        while answers < burst.len() {
            match socket.receive_soon().await.context("a frame without an answer")? {
                Received::Message(ServerMessage::Durable(result)) => {
                    let (entry, _) = &said[&result.cmd_seq];
                    if result.cmd_seq != applied + 1 || !ledger.acknowledge(*entry, &result, false) {
                        ledger.find(format!("command {} was done after {applied}", result.cmd_seq));
                    }
                    applied = result.cmd_seq;
                }
                Received::Message(ServerMessage::Duplicate(result)) => {
                    counts.duplicates += 1;
                    let first = ledger.acknowledged_as(result.cmd_seq);
                    if first
                        .is_none_or(|first| (first.seq, first.created_id) != (result.seq, result.created_id))
                    {
                        ledger.find(format!(
                            "command {} was first {first:?}, repeated {result:?}",
                            result.cmd_seq
                        ));
                    }
                }
                Received::Message(ServerMessage::Rejected(rejected)) if rejected.code == "out_of_order" => {
                    counts.out_of_order += 1;
                }
                Received::Message(ServerMessage::Rejected(rejected)) => bail!("refused: {rejected:?}"),
                Received::Closed(code) => bail!("closed with {code}"),
                Received::Message(_) => continue,
            }
            answers += 1;
        }
        if applied != newest {
            bail!("a round ended at {applied} and not at {newest}");
        }
    }
    socket.close().await;
    Ok((ledger, counts))
}

/// Some make something, so that a repetition must name the same thing.
fn rename_or_create(cmd_seq: u64, marker: &str) -> Command {
    if !cmd_seq.is_multiple_of(8) {
        return Command::RenameHero { name: marker.to_owned() };
    }
    create_task(marker.to_owned())
}

fn create_task(title: String) -> Command {
    Command::CreateTask {
        title,
        category: Category::Learning,
        priority: Priority::Medium,
        estimate_minutes: 25,
        due_on: None,
        recurrence: None,
        parent_id: None,
    }
}
