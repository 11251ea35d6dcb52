//! One hero is damaged: by a rule that panics, by a flipped bit, by a newer program. It never becomes a wrong hero, and the
//! others never notice.

use anyhow::{Context, Result, bail};
use protocol::client::{ClientMessage, Command, CommandFrame};
use protocol::server::ServerMessage;

use super::disk::play_on;
use super::machine::run;
use super::{Bench, Case, Need, Outcome};
use crate::bot::Phase;
use crate::faults::ServerPlan;
use crate::scenario::crowd::{Crowd, CrowdOptions};
use crate::scenario::settle::settle;
use crate::wire::{Device, Received};

/// The name that makes a rule panic in a build with `fault-points`.
const PANIC_NAME: &str = "panic, please";
/// Damages one row of a SQLite store, or mends it, while no server runs. `argv`: file, what, hero (a UUID). The bytes that
/// were there are kept in a table of our own.
const SURGERY: &str = r#"
import hashlib, sqlite3, sys, uuid
file, what, hero = sys.argv[1], sys.argv[2], uuid.UUID(sys.argv[3]).bytes
db = sqlite3.connect(file)
one = lambda sql, *values: db.execute(sql, values).fetchone()
flip = lambda data: data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 16]) + data[len(data) // 2 + 1:]
db.execute("CREATE TABLE IF NOT EXISTS surgery_event AS SELECT * FROM hero_event WHERE 0")
db.execute("CREATE TABLE IF NOT EXISTS surgery_head AS SELECT * FROM hero_head WHERE 0")
db.execute("CREATE TABLE IF NOT EXISTS surgery_snapshot AS SELECT * FROM hero_snapshot WHERE 0")
last = one("SELECT max(seq) FROM hero_event WHERE hero_id = ?", hero)[0]
snap = one("SELECT max(seq) FROM hero_snapshot WHERE hero_id = ?", hero)[0]
if what == "tail":
    print(last - (snap or 0))
elif what == "event":
    db.execute("INSERT INTO surgery_event SELECT * FROM hero_event WHERE hero_id = ? AND seq = ?", (hero, last))
    payload = one("SELECT payload FROM hero_event WHERE hero_id = ? AND seq = ?", hero, last)[0]
    db.execute("UPDATE hero_event SET payload = ? WHERE hero_id = ? AND seq = ?", (flip(payload), hero, last))
elif what == "snapshot":
    db.execute("INSERT INTO surgery_snapshot SELECT * FROM hero_snapshot WHERE hero_id = ? AND seq = ?", (hero, snap))
    state = one("SELECT state FROM hero_snapshot WHERE hero_id = ? AND seq = ?", hero, snap)[0]
    db.execute("UPDATE hero_snapshot SET state = ? WHERE hero_id = ? AND seq = ?", (flip(state), hero, snap))
elif what == "future":
    db.execute("INSERT INTO surgery_event SELECT * FROM hero_event WHERE hero_id = ? AND seq = ?", (hero, last))
    db.execute("INSERT INTO surgery_head SELECT * FROM hero_head WHERE hero_id = ?", (hero,))
    previous = one("SELECT chain FROM hero_event WHERE hero_id = ? AND seq = ?", hero, last - 1)[0]
    epoch, stream, number, kind, catalogue, at, payload = one(
        "SELECT epoch, stream_id, cmd_seq, kind, catalogue_version, at_ms, payload FROM hero_event "
        "WHERE hero_id = ? AND seq = ?", hero, last)
    be = lambda value, size: value.to_bytes(size, "big", signed=False)
    command = b"\0" if stream is None else b"\1" + be(stream, 8) + be(number, 8)
    chain = hashlib.sha256(
        b"dopamine-hero event 1" + previous + hero + be(last, 8) + be(epoch, 8) + command
        + be(len(kind), 8) + kind.encode() + be(999, 2) + be(catalogue, 4) + at.to_bytes(8, "big", signed=True)
        + be(len(payload), 8) + payload).digest()
    db.execute("UPDATE hero_event SET schema_version = 999, chain = ? WHERE hero_id = ? AND seq = ?", (chain, hero, last))
    db.execute("UPDATE hero_head SET min_reader = 999, chain = ? WHERE hero_id = ?", (chain, hero))
elif what == "state":
    print(one("SELECT state FROM hero_head WHERE hero_id = ?", hero)[0])
elif what == "free":
    db.execute("UPDATE hero_head SET state = 'free' WHERE hero_id = ?", (hero,))
    db.execute("DELETE FROM poison_command WHERE hero_id = ?", (hero,))
elif what == "mend":
    db.execute("REPLACE INTO hero_event SELECT * FROM surgery_event WHERE hero_id = ?", (hero,))
    db.execute("REPLACE INTO hero_snapshot SELECT * FROM surgery_snapshot WHERE hero_id = ?", (hero,))
    db.execute("UPDATE hero_head SET state = 'free', min_reader = coalesce((SELECT min_reader FROM surgery_head s "
        "WHERE s.hero_id = hero_head.hero_id), min_reader), chain = coalesce((SELECT chain FROM surgery_head s "
        "WHERE s.hero_id = hero_head.hero_id), chain) WHERE hero_id = ?", (hero,))
    db.execute("DELETE FROM poison_command WHERE hero_id = ?", (hero,))
    for table in ("surgery_event", "surgery_head", "surgery_snapshot"):
        db.execute("DROP TABLE " + table)
db.commit()
"#;

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
    run: |bench| Box::pin(flipped_byte(bench)),
};

pub(super) const FUTURE_SCHEMA: Case = Case {
    id: "20",
    name: "an event from a future program",
    needs: &[Need::Program("python3")],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(future_schema(bench)),
};

fn operate(plan: &ServerPlan, what: &str, hero_id: &str) -> Result<String> {
    let file = plan.directory.join("heroes.sqlite").display().to_string();
    Ok(run("python3", &["-c", SURGERY, &file, what, hero_id])?.trim().to_owned())
}

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
    let state = operate(&plan, "state", &victim.hero_id)?;
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

async fn flipped_byte(bench: &Bench) -> Result<Outcome> {
    let plan = bench.plan("19")?;
    let server = plan.start().await?;
    let crowd = Crowd::start(&plan.endpoint(), &options(bench)).await?;
    let victim = victim(&plan, 5).await?;
    // In order, so that a snapshot is written; its damage must not matter, as the events before it are there.
    let status = server.stop().await?;
    crowd.tell(Phase::Down)?;
    operate(&plan, "snapshot", &victim.hero_id)?;
    let (found_snapshot, _) = plan.verify().await.map(|(clean, words)| (!clean, words))?;
    let server = plan.start().await?;
    crowd.tell(Phase::Up)?;
    let answer =
        say(&plan, &victim, 6, Command::RenameHero { name: "from an older snapshot".to_owned() }).await?;
    // Killed, so that the last event is after every snapshot.
    play_on(&crowd, 100).await?;
    server.kill().await?;
    crowd.tell(Phase::Down)?;
    operate(&plan, "mend", &victim.hero_id)?;
    let name = name_of(&plan, &victim.hero_id).await?;
    let tail = operate(&plan, "tail", &victim.hero_id)?;
    operate(&plan, "event", &victim.hero_id)?;
    let (found_event, _) = plan.verify().await.map(|(clean, words)| (!clean, words))?;
    let server = plan.start().await?;
    crowd.tell(Phase::Up)?;
    let refused = victim.open(&plan.endpoint(), None).await.err();
    play_on(&crowd, 100).await?;
    let status_again = server.stop().await?;
    crowd.tell(Phase::Down)?;
    operate(&plan, "mend", &victim.hero_id)?;
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

async fn future_schema(bench: &Bench) -> Result<Outcome> {
    let plan = bench.plan("20")?;
    let server = plan.start().await?;
    let crowd = Crowd::start(&plan.endpoint(), &options(bench)).await?;
    let victim = victim(&plan, 5).await?;
    play_on(&crowd, 100).await?;
    server.kill().await?;
    crowd.tell(Phase::Down)?;
    operate(&plan, "future", &victim.hero_id)?;
    let server = plan.start().await?;
    crowd.tell(Phase::Up)?;
    let refused = victim.open(&plan.endpoint(), None).await.err();
    play_on(&crowd, 100).await?;
    server.kill().await?;
    crowd.tell(Phase::Down)?;
    // A newer program may have it still: it was given back, not set aside.
    let state = operate(&plan, "state", &victim.hero_id)?;
    operate(&plan, "mend", &victim.hero_id)?;
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
