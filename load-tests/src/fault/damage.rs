//! One hero is damaged: by a rule that panics, by a flipped bit, by a newer program. It never becomes a wrong hero, and the
//! others never notice.

use anyhow::{Context, Result, bail};
use protocol::client::{ClientMessage, Command, CommandFrame};
use protocol::server::ServerMessage;
use test_servers::Postgres;

use super::disk::play_on;
use super::surgery::{Operation, operate};
use super::{Bench, Case, Need, Outcome, postgres};
use crate::bot::Phase;
use crate::faults::ServerPlan;
use crate::scenario::crowd::{Crowd, CrowdOptions};
use crate::scenario::settle::settle;
use crate::wire::{Device, Received, Socket};

/// The name that makes a rule panic in a build with `fault-points`.
const PANIC_NAME: &str = "panic, please";
pub(super) const PANIC: Case = Case {
    id: "18",
    name: "a rule panics on one hero's command, twice",
    needs: &[Need::Program("python3")],
    quick: false,
    is_control: false,
    run: |bench| Box::pin(panic(bench)),
};

pub(super) const FLIPPED_BYTE: Case = Case {
    id: "19",
    name: "a flipped bit in a snapshot, then in an event",
    needs: &[Need::Program("python3")],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(async { flipped_byte(bench, bench.plan("19")?).await }),
};

pub(super) const FLIPPED_BYTE_POSTGRES: Case = Case {
    id: "19-postgres",
    name: "a flipped bit in a snapshot, then in an event, Postgres",
    needs: &[Need::Postgres, Need::Program("psql")],
    quick: false,
    is_control: false,
    run: |bench| {
        Box::pin(async {
            let postgres = Postgres::start();
            flipped_byte(bench, postgres::plan(bench, "19-postgres", &postgres).await?).await
        })
    },
};

pub(super) const FUTURE_SCHEMA: Case = Case {
    id: "20",
    name: "an event from a future program",
    needs: &[Need::Program("python3")],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(async { future_schema(bench, bench.plan("20")?).await }),
};

pub(super) const FUTURE_SCHEMA_POSTGRES: Case = Case {
    id: "20-postgres",
    name: "an event from a future program, Postgres",
    needs: &[Need::Postgres, Need::Program("psql")],
    quick: false,
    is_control: false,
    run: |bench| {
        Box::pin(async {
            let postgres = Postgres::start();
            future_schema(bench, postgres::plan(bench, "20-postgres", &postgres).await?).await
        })
    },
};

fn options(bench: &Bench) -> CrowdOptions {
    CrowdOptions { bots: 30, seed: bench.seed, wish_every_ms: 100, cut_once_in: 0 }
}

/// A hero that is no bot's, with some history.
async fn victim(plan: &ServerPlan, commands: u64) -> Result<Device> {
    let device = Device::new_guest(&plan.endpoint(), None, 1).await?;
    for number in 1..=commands {
        let command = Command::RenameHero { name: format!("victim {number}") };
        match say(plan, &device, number, command).await? {
            Received::Message(ServerMessage::Durable(_)) => {}
            other => bail!("a rename was answered with {other:?}"),
        }
    }
    Ok(device)
}

/// Sends one command on a socket of its own and returns what answers it.
async fn say(plan: &ServerPlan, device: &Device, cmd_seq: u64, body: Command) -> Result<Received> {
    let (mut socket, _) = device.open(&plan.endpoint(), None).await?;
    say_on(&mut socket, cmd_seq, body).await
}

/// Sends one command and returns what answers it.
pub(super) async fn say_on(socket: &mut Socket, cmd_seq: u64, body: Command) -> Result<Received> {
    socket.send(&ClientMessage::Command(CommandFrame { cmd_seq, body })).await?;
    loop {
        match socket.receive_soon().await? {
            Received::Message(
                ServerMessage::Events(_) | ServerMessage::Progress(_) | ServerMessage::Status(_),
            ) => {}
            answer => return Ok(answer),
        }
    }
}

async fn name_of(plan: &ServerPlan, hero_id: &str) -> Result<String> {
    Ok(crate::audit::parse(&plan.export(hero_id).await?)?.hero.profile.name)
}

async fn panic(bench: &Bench) -> Result<Outcome> {
    let plan = bench.plan("18")?;
    let plan = plan.with_binary(&bench.test_build("fault-points").await?).with("I_WANT_TO_LOSE_DATA", "yes");
    let server = plan.start().await?;
    let crowd = Crowd::start(&plan.endpoint(), &options(bench)).await?;
    let victim = victim(&plan, 3).await?;
    play_on(&crowd, 100).await?;
    let deadly = || Command::RenameHero { name: PANIC_NAME.to_owned() };
    let first = say(&plan, &victim, 4, deadly()).await?;
    let after = say(&plan, &victim, 4, Command::RenameHero { name: "still here".to_owned() }).await?;
    let second = say(&plan, &victim, 5, deadly()).await?;
    let refused = victim.open(&plan.endpoint(), None).await.err();
    play_on(&crowd, 100).await?;
    let settled =
        settle(&plan, server, crowd, &|line| line.contains("panic") || line.contains(&victim.hero_id))
            .await?;
    let state = operate(&plan, Operation::State, &victim.hero_id)?;
    let mut outcome = Outcome::of(
        &settled,
        "two panics of a rule on one hero among 30 devices".to_owned(),
        format!(
            "the first was answered `internal` and changed nothing, after the second the hero was {state}"
        ),
    );
    let is_internal = |answer: &Received| matches!(answer, Received::Message(ServerMessage::Rejected(rejected)) if rejected.code == "internal");
    outcome.expect(is_internal(&first), format!("the first panic was answered with {first:?}"));
    outcome.expect(
        matches!(after, Received::Message(ServerMessage::Durable(_))),
        format!("after the first panic the hero did not go on: {after:?}"),
    );
    outcome.expect(
        is_internal(&second) || matches!(second, Received::Closed(1011)),
        format!("the second panic was answered with {second:?}"),
    );
    outcome.expect(state == "quarantined", format!("the hero is {state}"));
    outcome.expect(refused.is_some(), "a hero that was set aside was played");
    let name = name_of(&plan, &victim.hero_id).await?;
    outcome.expect(name == "still here", format!("the hero set aside is called {name}"));
    Ok(outcome)
}

async fn flipped_byte(bench: &Bench, plan: ServerPlan) -> Result<Outcome> {
    let server = plan.start().await?;
    let crowd = Crowd::start(&plan.endpoint(), &options(bench)).await?;
    let victim = victim(&plan, 5).await?;
    // In order, so that a snapshot is written; its damage must not matter, as the events before it are there.
    let status = server.stop().await?;
    crowd.tell(Phase::Down)?;
    operate(&plan, Operation::FlipSnapshot, &victim.hero_id)?;
    let (found_snapshot, _) = plan.verify().await.map(|(clean, words)| (!clean, words))?;
    let server = plan.start().await?;
    crowd.tell(Phase::Up)?;
    let answer =
        say(&plan, &victim, 6, Command::RenameHero { name: "from an older snapshot".to_owned() }).await?;
    // Killed, so that the last event is after every snapshot.
    play_on(&crowd, 100).await?;
    server.kill().await?;
    crowd.tell(Phase::Down)?;
    operate(&plan, Operation::Mend, &victim.hero_id)?;
    let name = name_of(&plan, &victim.hero_id).await?;
    let tail = operate(&plan, Operation::Tail, &victim.hero_id)?;
    operate(&plan, Operation::FlipEvent, &victim.hero_id)?;
    let (found_event, _) = plan.verify().await.map(|(clean, words)| (!clean, words))?;
    let server = plan.start().await?;
    crowd.tell(Phase::Up)?;
    let refused = victim.open(&plan.endpoint(), None).await.err();
    play_on(&crowd, 100).await?;
    let status_again = server.stop().await?;
    crowd.tell(Phase::Down)?;
    operate(&plan, Operation::Mend, &victim.hero_id)?;
    let server = plan.start().await?;
    crowd.tell(Phase::Up)?;
    victim.open(&plan.endpoint(), None).await.context("the mended hero is not played")?.0.close().await;
    let expected = |line: &str| line.contains(&victim.hero_id);
    let settled = settle(&plan, server, crowd, &expected).await?;
    let mut outcome = Outcome::of(
        &settled,
        "one bit of a snapshot, then one bit of the newest event, among 30 devices".to_owned(),
        "verify found both; the hero came from what was before the snapshot, was refused with the damaged event, \
         and was there again when it was mended"
            .to_owned(),
    );
    outcome.expect(status.success() && status_again.success(), "the server did not stop in order");
    outcome.expect(found_snapshot, "verify overlooked the snapshot");
    outcome.expect(found_event, "verify overlooked the event");
    outcome.expect(
        matches!(answer, Received::Message(ServerMessage::Durable(_))),
        format!("with a damaged snapshot the hero was not played: {answer:?}"),
    );
    outcome.expect(name == "from an older snapshot", format!("the hero is called {name}"));
    outcome.expect(tail != "0", "the event was in a snapshot already, so that nothing was injected");
    outcome.expect(refused.is_some(), "a hero with a damaged event was played");
    Ok(outcome)
}

async fn future_schema(bench: &Bench, plan: ServerPlan) -> Result<Outcome> {
    let server = plan.start().await?;
    let crowd = Crowd::start(&plan.endpoint(), &options(bench)).await?;
    let victim = victim(&plan, 5).await?;
    play_on(&crowd, 100).await?;
    server.kill().await?;
    crowd.tell(Phase::Down)?;
    operate(&plan, Operation::FutureEvent, &victim.hero_id)?;
    let server = plan.start().await?;
    crowd.tell(Phase::Up)?;
    let refused = victim.open(&plan.endpoint(), None).await.err();
    play_on(&crowd, 100).await?;
    server.kill().await?;
    crowd.tell(Phase::Down)?;
    // A newer program may have it still: it was given back, not set aside.
    let state = operate(&plan, Operation::State, &victim.hero_id)?;
    operate(&plan, Operation::Mend, &victim.hero_id)?;
    let name = name_of(&plan, &victim.hero_id).await?;
    let server = plan.start().await?;
    crowd.tell(Phase::Up)?;
    victim.open(&plan.endpoint(), None).await.context("the hero is not played any more")?.0.close().await;
    let settled = settle(&plan, server, crowd, &|line| line.contains(&victim.hero_id)).await?;
    let mut outcome = Outcome::of(
        &settled,
        "an event with schema version 999 among 30 devices".to_owned(),
        format!("the hero was refused and left {state}, with the old event it was played again"),
    );
    outcome.expect(refused.is_some(), "a hero from the future was played");
    outcome.expect(state == "free", format!("the hero from the future was left {state}"));
    outcome.expect(name == "victim 5", format!("the hero is called {name}"));
    Ok(outcome)
}
