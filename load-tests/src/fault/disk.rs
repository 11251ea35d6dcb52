//! The disk below SQLite: the power goes, a synchronisation fails, no space is left.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::process::Command;

use super::machine::{Disk, run};
use super::{Bench, Case, Need, Outcome};
use crate::bot::Phase;
use crate::faults::Server;
use crate::scenario::crowd::{Crowd, CrowdOptions};
use crate::scenario::settle::{settle, wait_for_metric};

/// How long a server may take to notice that its disk is gone. It writes all the time.
const NOTICES_WITHIN: Duration = Duration::from_secs(30);
/// How the process ends when only a restart mends it.
const BROKEN: i32 = 70;
/// The disk of these cases.
const DISK_MEBIBYTES: u32 = 96;

pub(super) const POWER_CUT: Case = Case {
    id: "5",
    name: "power cut of the disk below SQLite",
    needs: &[Need::Root, Need::Program("mkfs.ext4"), Need::Program("python3")],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(power_cut(bench, None)),
};

pub(super) const POWER_CUT_CONTROL: Case = Case {
    id: "5-control",
    name: "the same with synchronous = NORMAL",
    needs: &[Need::Root, Need::Program("mkfs.ext4"), Need::Program("python3")],
    quick: false,
    is_control: true,
    run: |bench| Box::pin(power_cut(bench, Some("broken-sqlite-normal"))),
};

pub(super) const FSYNC_FAILS: Case = Case {
    id: "7",
    name: "fsync fails below SQLite (EIO)",
    needs: &[Need::Root, Need::Program("strace")],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(fsync_fails(bench)),
};

pub(super) const FULL: Case = Case {
    id: "8",
    name: "disk full below SQLite",
    needs: &[Need::Root, Need::Program("mkfs.ext4")],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(full(bench)),
};

fn crowd_options(bench: &Bench) -> CrowdOptions {
    CrowdOptions { bots: 50, seed: bench.seed, wish_every_ms: 100, cut_once_in: 0 }
}

/// A log line that is nothing but the disk's fault.
fn is_about_the_disk(line: &str) -> bool {
    line.contains(" ERROR ") && !line.contains("panicked")
}

/// The server of the next life, after the disk took the one before. Returns also how that one ended.
async fn end_of_life(mut server: Server) -> Result<Option<i32>> {
    match server.ended(NOTICES_WITHIN).await {
        Ok(status) => Ok(status.code()),
        Err(_) => {
            server.kill().await?;
            Ok(None)
        }
    }
}

async fn power_cut(bench: &Bench, broken: Option<&str>) -> Result<Outcome> {
    let mut plan = bench.plan(if broken.is_some() { "5-control" } else { "5" })?;
    if let Some(feature) = broken {
        plan = plan.with_binary(&bench.test_build(feature).await?).with("I_WANT_TO_LOSE_DATA", "yes");
    }
    let disk = Disk::new(&plan.directory, DISK_MEBIBYTES)?;
    let plan = plan.on_database(&sqlite(disk.path()));
    let mut random = StdRng::seed_from_u64(bench.seed);
    let mut server = plan.start().await?;
    let crowd = Crowd::start(&plan.endpoint(), &crowd_options(bench)).await?;
    let cuts = bench.count(20, 3);
    let (mut by_itself, mut broke) = (0, Vec::new());
    for number in 1..=cuts {
        tokio::time::sleep(Duration::from_millis(random.random_range(300..2_500))).await;
        disk.cut_power()?;
        let code = end_of_life(server).await?;
        crowd.tell(Phase::Down)?;
        by_itself += u32::from(code == Some(BROKEN));
        disk.power_on()?;
        let (clean, words) = plan.verify().await?;
        if !clean {
            broke.push(format!("verify after power cut {number}: {words}"));
        }
        server = plan.start().await?;
        crowd.tell(Phase::Up)?;
    }
    let settled = settle(&plan, server, crowd, &is_about_the_disk).await?;
    let checked = format!("{by_itself} times the server ended by itself with {BROKEN}");
    let mut outcome = Outcome::of(&settled, format!("{cuts} power cuts under 50 devices"), checked);
    outcome.findings.extend(broke);
    outcome.expect(by_itself == cuts, format!("only {by_itself} of {cuts} servers ended with {BROKEN}"));
    Ok(outcome)
}

fn sqlite(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("heroes.sqlite").display())
}

async fn fsync_fails(bench: &Bench) -> Result<Outcome> {
    let plan = bench.plan("7")?;
    let mut random = StdRng::seed_from_u64(bench.seed);
    let mut server = plan.start().await?;
    let crowd = Crowd::start(&plan.endpoint(), &crowd_options(bench)).await?;
    let failures = bench.count(15, 3);
    let mut by_itself = 0;
    for _ in 0..failures {
        tokio::time::sleep(Duration::from_millis(random.random_range(300..1_500))).await;
        let id = server.id().context("the server ended by itself")?.to_string();
        let mut strace = Command::new("strace")
            .args(["-f", "-qq", "-p", &id, "-e", "trace=fsync,fdatasync"])
            .args(["-e", "inject=fsync,fdatasync:error=EIO", "-o", "/dev/null"])
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let code = end_of_life(server).await?;
        crowd.tell(Phase::Down)?;
        strace.wait().await?;
        by_itself += u32::from(code == Some(BROKEN));
        server = plan.start().await?;
        crowd.tell(Phase::Up)?;
    }
    let settled = settle(&plan, server, crowd, &is_about_the_disk).await?;
    let checked = format!("{by_itself} times the server ended with {BROKEN} and started again");
    let mut outcome =
        Outcome::of(&settled, format!("{failures} failed synchronisations under 50 devices"), checked);
    outcome
        .expect(by_itself == failures, format!("only {by_itself} of {failures} servers ended with {BROKEN}"));
    Ok(outcome)
}

async fn full(bench: &Bench) -> Result<Outcome> {
    let plan = bench.plan("8")?;
    let disk = Disk::new(&plan.directory, DISK_MEBIBYTES)?;
    let plan = plan.on_database(&sqlite(disk.path()));
    let server = plan.start().await?;
    let crowd = Crowd::start(&plan.endpoint(), &crowd_options(bench)).await?;
    let times = bench.count(5, 2);
    let mut refused = 0;
    for _ in 0..times {
        play_on(&crowd, 200).await?;
        let ballast = disk.path().join("ballast");
        fill(&ballast)?;
        wait_for_metric(&plan, "journal_read_only", 1.0, NOTICES_WITHIN).await?;
        let before = crowd.stats.refused().get("read_only").copied().unwrap_or(0);
        while_refusing(&crowd, before).await?;
        std::fs::remove_file(&ballast)?;
        wait_for_metric(&plan, "journal_read_only", 0.0, NOTICES_WITHIN).await?;
        refused = crowd.stats.refused().get("read_only").copied().unwrap_or(0);
    }
    play_on(&crowd, 200).await?;
    let settled = settle(&plan, server, crowd, &is_about_the_disk).await?;
    let checked = format!("{refused} commands refused with read_only, each time back by itself");
    Ok(Outcome::of(&settled, format!("{times} times no space under 50 devices"), checked))
}

/// Takes the last byte of the disk.
pub(super) fn fill(ballast: &Path) -> Result<()> {
    let output = format!("of={}", ballast.display());
    for block in ["bs=64k", "bs=4k"] {
        // dd fails when the disk is full, which is what it is for.
        let _full = run("dd", &["if=/dev/zero", &output, block, "oflag=append", "conv=notrunc"]);
    }
    anyhow::ensure!(ballast.exists(), "the disk could not be filled");
    Ok(())
}

/// Waits until so many more commands are acknowledged.
pub(super) async fn play_on(crowd: &Crowd, more: u64) -> Result<()> {
    let wanted = crowd.stats.acknowledged.get() + more;
    let played = async {
        while crowd.stats.acknowledged.get() < wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(NOTICES_WITHIN, played).await.context("the bots are no longer served")
}

/// Waits until commands are refused with `read_only`, more than were before.
async fn while_refusing(crowd: &Crowd, before: u64) -> Result<()> {
    let refused = async {
        while crowd.stats.refused().get("read_only").copied().unwrap_or(0) < before + 20 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(NOTICES_WITHIN, refused).await.context("no command is refused with read_only")
}
