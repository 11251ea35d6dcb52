//! Postgres ends: killed, its disk torn out, out of order or full. The server beside it stays up, refuses what it cannot
//! keep, and goes on when Postgres is back.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use protocol::client::Command as PlayerCommand;
use protocol::server::ServerMessage;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use test_servers::{Postgres, PostgresOptions};
use tokio::process::Command;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep, timeout};

use super::damage::say_on;
use super::disk::fill;
use super::machine::{Disk, run};
use super::{Bench, Case, Need, Outcome};
use crate::bot::Phase;
use crate::faults::{Server, ServerPlan};
use crate::scenario::crowd::{Crowd, CrowdOptions};
use crate::scenario::settle::{settle, wait_for_metric};
use crate::wire::{Device, Received, Socket};

/// How long a server may take to see that its database is away, or back. Its back-off grows to 5 s, and 3 good flushes end
/// read-only.
const NOTICES_WITHIN: Duration = Duration::from_secs(30);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Holds a data folder, the write-ahead log of [`SMALL_LOG`] and some minutes of play.
const DISK_MEBIBYTES: u32 = 192;
/// Settings that keep the write-ahead log far below the size of the disk.
const SMALL_LOG: [&str; 2] = ["min_wal_size=32MB", "max_wal_size=64MB"];
/// How long a disk stays full after the first refusals: longer than the queue waits.
const FULL_FOR: Duration = Duration::from_secs(6);
/// Ids of processes of Postgres.
const PIDS: &str = "SELECT pid FROM pg_stat_activity";
/// The journal writer's connection, as it calls itself.
const JOURNAL: &str = "application_name = 'dopamine-hero journal'";
/// The build whose commits are confirmed before they are on the disk.
const BROKEN: &str = "broken-postgres-async-commit";

pub(super) const KILLED: Case = Case {
    id: "3",
    name: "kill -9 of Postgres: of all of it, of the backend that commits, for longer than the queue waits",
    needs: &[Need::Postgres, Need::Program("psql")],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(killed(bench, None)),
};

pub(super) const KILLED_CONTROL: Case = Case {
    id: "3-control",
    name: "the same with synchronous_commit = off",
    needs: &[Need::Postgres, Need::Program("psql")],
    quick: false,
    is_control: true,
    run: |bench| Box::pin(killed(bench, Some(BROKEN))),
};

pub(super) const POWER_CUT: Case = Case {
    id: "4",
    name: "power cut of the disk below Postgres",
    needs: &[Need::Postgres, Need::Root, Need::Program("mkfs.ext4"), Need::Program("python3")],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(power_cut(bench, None)),
};

pub(super) const POWER_CUT_CONTROL: Case = Case {
    id: "4-control",
    name: "the same with synchronous_commit = off",
    needs: &[Need::Postgres, Need::Root, Need::Program("mkfs.ext4"), Need::Program("python3")],
    quick: false,
    is_control: true,
    run: |bench| Box::pin(power_cut(bench, Some(BROKEN))),
};

pub(super) const FSYNC_FAILS: Case = Case {
    id: "6",
    name: "fsync fails below Postgres (EIO)",
    needs: &[Need::Postgres, Need::Root, Need::Program("strace"), Need::Program("psql")],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(fsync_fails(bench)),
};

pub(super) const FULL: Case = Case {
    id: "8-postgres",
    name: "disk full below Postgres",
    needs: &[Need::Postgres, Need::Root, Need::Program("mkfs.ext4"), Need::Program("psql")],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(full(bench)),
};

/// A server of the case's own on a new database that has its tables.
pub(super) async fn plan(bench: &Bench, case: &str, postgres: &Postgres) -> Result<ServerPlan> {
    on_new_database(bench.plan(case)?, postgres).await
}

async fn on_new_database(plan: ServerPlan, postgres: &Postgres) -> Result<ServerPlan> {
    let plan = plan.on_database(&block_in_place(|| postgres.new_database()));
    plan.migrate().await?;
    Ok(plan)
}

/// A Postgres whose data are on a disk of their own. It must be dropped before the disk.
fn on_disk(disk: &Disk) -> Result<Postgres> {
    let data = disk.path().join("postgres");
    std::fs::create_dir(&data)?;
    let settings = SMALL_LOG.map(str::to_owned).to_vec();
    let options = PostgresOptions { data_folder: Some(data), settings, ..PostgresOptions::default() };
    Ok(block_in_place(|| Postgres::start_with(&options)))
}

/// Rows of one statement. A database that ends meanwhile is an error here, and none of a test.
pub(super) fn ask(url: &str, sql: &str) -> Result<String> {
    let arguments = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql];
    Ok(block_in_place(|| run("psql", &arguments))?.trim().to_owned())
}

/// The server and its players, whose Postgres is hurt.
struct Stage {
    plan: ServerPlan,
    server: Server,
    crowd: Crowd,
    /// How servers ended that should have waited.
    ended: Vec<String>,
    /// The longest time from a mended Postgres to the next acknowledged command.
    longest: Duration,
}

impl Stage {
    async fn start(bench: &Bench, plan: ServerPlan) -> Result<Self> {
        let server = plan.start().await?;
        let options = CrowdOptions { bots: 50, seed: bench.seed, wish_every_ms: 100, cut_once_in: 0 };
        let crowd = Crowd::start(&plan.endpoint(), &options).await?;
        Ok(Self { plan, server, crowd, ended: Vec::new(), longest: Duration::ZERO })
    }

    /// Waits until everybody is served again, with Postgres mended a moment ago. A server that ended is noted and started
    /// again, as a supervisor does it.
    async fn recover(&mut self) -> Result<()> {
        let mended = Instant::now();
        self.play_on(1).await?;
        self.longest = self.longest.max(mended.elapsed());
        self.play_on(100).await
    }

    async fn play_on(&mut self, more: u64) -> Result<()> {
        let wanted = self.crowd.stats.acknowledged.get() + more;
        let deadline = Instant::now() + NOTICES_WITHIN;
        while self.crowd.stats.acknowledged.get() < wanted {
            ensure!(Instant::now() < deadline, "nobody is served:\n{}", self.plan.log_tail());
            if let Ok(status) = self.server.ended(LOOK_EVERY).await {
                self.ended.push(format!("the server ended with {status}"));
                self.crowd.tell(Phase::Down)?;
                self.server = self.plan.start().await?;
                self.crowd.tell(Phase::Up)?;
            }
        }
        Ok(())
    }

    /// A device that waits for no answer when the fault comes; everybody else may.
    async fn witness(&self) -> Result<Socket> {
        let device = Device::new_guest(&self.plan.endpoint(), None, 1).await?;
        Ok(device.open(&self.plan.endpoint(), None).await?.0)
    }

    /// Waits until the server is read-only, which the witness is told.
    async fn read_only(&self, mut witness: Socket) -> Result<()> {
        self.is_read_only(true).await?;
        let answer =
            say_on(&mut witness, 1, PlayerCommand::RenameHero { name: "witness".to_owned() }).await?;
        match &answer {
            Received::Message(ServerMessage::Rejected(it)) if it.code == "read_only" => Ok(()),
            _ => bail!("a server that is read-only answered {answer:?}"),
        }
    }

    async fn is_read_only(&self, wanted: bool) -> Result<()> {
        wait_for_metric(&self.plan, "journal_read_only", f64::from(u8::from(wanted)), NOTICES_WITHIN).await
    }

    fn refused(&self) -> u64 {
        self.crowd.stats.refused().get("read_only").copied().unwrap_or(0)
    }

    async fn settle(mut self, injected: String, mut checked: Vec<String>) -> Result<Outcome> {
        self.play_on(100).await?;
        checked.push(format!(
            "served again within {} ms at the longest, {} commands refused with read_only",
            self.longest.as_millis(),
            self.refused()
        ));
        let settled = settle(&self.plan, self.server, self.crowd, &is_about_the_database).await?;
        let mut outcome = Outcome::of(&settled, injected, checked.join("; "));
        outcome.findings.extend(self.ended);
        Ok(outcome)
    }
}

/// A log line that is nothing but the database's fault.
fn is_about_the_database(line: &str) -> bool {
    line.contains("the store is away or full")
}

/// The same plan, with a build that is broken on purpose when it is a control.
async fn perhaps_broken(bench: &Bench, plan: ServerPlan, broken: Option<&str>) -> Result<ServerPlan> {
    let Some(feature) = broken else { return Ok(plan) };
    Ok(plan.with_binary(&bench.test_build(feature).await?).with("I_WANT_TO_LOSE_DATA", "yes"))
}

async fn killed(bench: &Bench, broken: Option<&str>) -> Result<Outcome> {
    let mut postgres = block_in_place(Postgres::start);
    let plan = plan(bench, if broken.is_some() { "3-control" } else { "3" }, &postgres).await?;
    let plan = perhaps_broken(bench, plan, broken).await?;
    let mut random = StdRng::seed_from_u64(bench.seed);
    let mut stage = Stage::start(bench, plan).await?;
    let kills = if broken.is_some() { 6 } else { bench.count(24, 3) };
    let (mut at_once, mut of_a_backend, mut for_long) = (0, 0, 0);
    for number in 0..kills {
        sleep(Duration::from_millis(random.random_range(300..2_000))).await;
        match number % 6 {
            1 | 4 => {
                of_a_backend += 1;
                let backend = ask(&stage.plan.database_url(), &format!("{PIDS} WHERE {JOURNAL}"))?;
                run("sh", &["-c", "kill -9 $1", "kill", &backend])?;
                until_it_answers(&postgres).await?;
            }
            2 => {
                for_long += 1;
                let witness = stage.witness().await?;
                block_in_place(|| postgres.kill());
                stage.read_only(witness).await?;
                block_in_place(|| postgres.restart());
            }
            _ => {
                at_once += 1;
                block_in_place(|| postgres.restart());
            }
        }
        stage.recover().await?;
    }
    let injected = format!(
        "{at_once} kills of all of Postgres, {of_a_backend} of the backend that commits, {for_long} until read-only, \
         under 50 devices"
    );
    stage.settle(injected, Vec::new()).await
}

/// Waits until Postgres has mended itself.
async fn until_it_answers(postgres: &Postgres) -> Result<()> {
    let deadline = Instant::now() + NOTICES_WITHIN;
    while ask(&postgres.url(), "SELECT 1").is_err() {
        ensure!(Instant::now() < deadline, "Postgres does not come back by itself:\n{}", postgres.log());
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

async fn power_cut(bench: &Bench, broken: Option<&str>) -> Result<Outcome> {
    let plan = bench.plan(if broken.is_some() { "4-control" } else { "4" })?;
    let plan = perhaps_broken(bench, plan, broken).await?;
    let disk = Disk::new(&plan.directory, DISK_MEBIBYTES)?;
    let mut postgres = on_disk(&disk)?;
    let plan = on_new_database(plan, &postgres).await?;
    let mut random = StdRng::seed_from_u64(bench.seed);
    let mut stage = Stage::start(bench, plan).await?;
    let cuts = if broken.is_some() { 5 } else { bench.count(20, 2) };
    for _ in 0..cuts {
        sleep(Duration::from_millis(random.random_range(300..2_000))).await;
        block_in_place(|| disk.cut_power())?;
        // What Postgres does with a disk that is gone must not be confirmed either.
        sleep(Duration::from_millis(random.random_range(0..500))).await;
        block_in_place(|| -> Result<()> {
            postgres.kill();
            disk.power_on()?;
            postgres.restart();
            Ok(())
        })?;
        stage.recover().await?;
    }
    stage.settle(format!("{cuts} power cuts under 50 devices"), Vec::new()).await
}

/// Whose synchronisations fail, and how it is brought to do one.
const SYNCHRONISERS: [(&str, &str); 4] = [
    ("the backend that commits", JOURNAL),
    ("the checkpointer", "backend_type = 'checkpointer'"),
    ("the walwriter", "backend_type IN ('walwriter', 'background writer')"),
    ("everybody", "pid <> pg_backend_pid()"),
];

async fn fsync_fails(bench: &Bench) -> Result<Outcome> {
    let postgres = block_in_place(Postgres::start);
    let plan = plan(bench, "6", &postgres).await?;
    let mut random = StdRng::seed_from_u64(bench.seed);
    let mut stage = Stage::start(bench, plan).await?;
    let mut panics = Vec::new();
    for (who, condition) in SYNCHRONISERS.iter().cycle().take(bench.count(16, 4) as usize) {
        sleep(Duration::from_millis(random.random_range(300..1_500))).await;
        let before = panics_in(&postgres);
        let pids = ask(&stage.plan.database_url(), &format!("{PIDS} WHERE {condition}"))?;
        let mut strace = Command::new("strace");
        strace.args(pids.lines().flat_map(|pid| ["-p", pid]));
        let mut strace = strace
            .args(["-f", "-qq", "-e", "trace=fsync,fdatasync"])
            .args(["-e", "inject=fsync,fdatasync:error=EIO", "-o", "/dev/null"])
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let deadline = Instant::now() + NOTICES_WITHIN;
        while panics_in(&postgres) == before && Instant::now() < deadline {
            // Fails once Postgres has noticed.
            let _answer = ask(&stage.plan.database_url(), "CHECKPOINT");
        }
        let noticed = panics_in(&postgres) > before;
        // It ends with those whom it traces.
        let _ended = timeout(NOTICES_WITHIN, strace.wait()).await.context("Postgres lives on")??;
        panics.push((*who, noticed));
        until_it_answers(&postgres).await?;
        stage.recover().await?;
    }
    let count = panics.len();
    let times = count / SYNCHRONISERS.len();
    let whom = SYNCHRONISERS.map(|(who, _)| who).join(", ");
    let mut outcome =
        stage.settle(format!("{count} failed synchronisations, {times} each of {whom}"), Vec::new()).await?;
    for (who, _) in panics.iter().filter(|(_, noticed)| !noticed) {
        outcome.expect(false, format!("a failed fsync of {who} did not end Postgres"));
    }
    Ok(outcome)
}

fn panics_in(postgres: &Postgres) -> usize {
    postgres.log().matches("PANIC:").count()
}

async fn full(bench: &Bench) -> Result<Outcome> {
    let plan = bench.plan("8-postgres")?;
    let disk = Disk::new(&plan.directory, DISK_MEBIBYTES)?;
    let mut postgres = on_disk(&disk)?;
    let plan = on_new_database(plan, &postgres).await?;
    let mut stage = Stage::start(bench, plan).await?;
    let times = bench.count(5, 1);
    let mut restarts = 0;
    for _ in 0..times {
        stage.play_on(200).await?;
        let ballast = disk.path().join("ballast");
        let witness = stage.witness().await?;
        block_in_place(|| fill(&ballast))?;
        stage.read_only(witness).await?;
        // It must not believe in between that the database is back.
        sleep(FULL_FOR).await;
        let still = stage.plan.metric("journal_read_only").await?;
        ensure!(still > 0.5, "with a full disk the server took commands again");
        std::fs::remove_file(&ballast)?;
        // Out of space for its log it ends, and a supervisor starts it again.
        if ask(&postgres.url(), "SELECT 1").is_err() {
            restarts += 1;
            block_in_place(|| postgres.restart());
        }
        stage.is_read_only(false).await?;
        stage.recover().await?;
    }
    let checked = format!("each time back by itself, Postgres was started again {restarts} times");
    stage.settle(format!("{times} times no space under 50 devices"), vec![checked]).await
}
