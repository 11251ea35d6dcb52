//! The process ends: killed at random, killed at a named point, asked to stop.

use std::time::Duration;

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use test_servers::Postgres;

use super::{Bench, Case, Need, Outcome, postgres};
use crate::bot::Phase;
use crate::faults::ServerPlan;
use crate::scenario::crowd::{Crowd, CrowdOptions};
use crate::scenario::kill::{KillOptions, KillReport, run};
use crate::scenario::settle::settle;

/// Far above what a drain or a crash takes.
const ENDS_WITHIN: Duration = Duration::from_secs(60);
/// The places where a server with `fault-points` can die.
const POINTS: [&str; 3] = ["before-send", "after-send", "after-commit"];

pub(super) const AT_RANDOM: Case = Case {
    id: "1",
    name: "kill -9 of the server at random, SQLite",
    needs: &[],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(at_random(bench)),
};

pub(super) const AT_RANDOM_POSTGRES: Case = Case {
    id: "1-postgres",
    name: "kill -9 of the server at random, Postgres",
    needs: &[Need::Postgres],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(at_random_on_postgres(bench)),
};

pub(super) const AT_RANDOM_CONTROL: Case = Case {
    id: "1-control",
    name: "the same with a build that acknowledges before it flushes",
    needs: &[],
    quick: false,
    is_control: true,
    run: |bench| Box::pin(at_random_control(bench)),
};

pub(super) const AT_POINTS: Case = Case {
    id: "2",
    name: "death between apply and flush, after the send, after the commit; SQLite",
    needs: &[],
    quick: false,
    is_control: false,
    run: |bench| Box::pin(at_points_on_sqlite(bench)),
};

pub(super) const AT_POINTS_POSTGRES: Case = Case {
    id: "2-postgres",
    name: "death between apply and flush, after the send, after the commit; Postgres",
    needs: &[Need::Postgres],
    quick: false,
    is_control: false,
    run: |bench| Box::pin(at_points_on_postgres(bench)),
};

pub(super) const ASKED_TO_STOP: Case = Case {
    id: "21",
    name: "SIGTERM with everybody playing",
    needs: &[],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(asked_to_stop(bench)),
};

async fn at_random(bench: &Bench) -> Result<Outcome> {
    let plan = bench.plan("1")?;
    Ok(outcome(&run(&random_kills(bench, bench.count(100, 5), plan)).await?))
}

async fn at_random_on_postgres(bench: &Bench) -> Result<Outcome> {
    let postgres = Postgres::start();
    let plan = postgres::plan(bench, "1-postgres", &postgres).await?;
    let database = Some(plan.database_url());
    let options = KillOptions { database, ..random_kills(bench, bench.count(40, 4), plan) };
    Ok(outcome(&run(&options).await?))
}

fn random_kills(bench: &Bench, kills: u32, plan: ServerPlan) -> KillOptions {
    KillOptions {
        kills,
        crowd: CrowdOptions {
            bots: bench.count(150, 50),
            seed: bench.seed,
            wish_every_ms: u64::from(bench.count(100, 200)),
            cut_once_in: 300,
        },
        kill_after_ms_min: 200,
        kill_after_ms_max: 2_000,
        verify_each: 10,
        ..KillOptions::new(bench.binary.clone(), plan.directory)
    }
}

async fn at_random_control(bench: &Bench) -> Result<Outcome> {
    let binary = bench.test_build("broken-ack-before-flush").await?;
    let plan = bench.plan("1-control")?;
    let options = KillOptions {
        kills: 20,
        environment: vec![("I_WANT_TO_LOSE_DATA".to_owned(), "yes".to_owned())],
        verify_each: 20,
        ..KillOptions::new(binary, plan.directory)
    };
    Ok(outcome(&run(&options).await?))
}

fn outcome(report: &KillReport) -> Outcome {
    let verdict = &report.verdict;
    Outcome {
        injected: format!("{} kills under {} devices", report.kills, report.bots),
        checked: format!(
            "answers lost with the server: {} applied, {} not; {} events of {} heroes, {} folds, {} facts",
            report.resumed_applied,
            report.resumed_open,
            verdict.events,
            verdict.heroes,
            verdict.folds,
            verdict.facts
        ),
        acknowledged: verdict.acknowledged,
        lost: verdict.lost,
        doubled: verdict.doubled + report.acknowledged_twice,
        findings: if report.is_clean() {
            Vec::new()
        } else {
            verdict.findings.iter().chain(&report.findings).cloned().collect()
        },
    }
}

async fn at_points_on_sqlite(bench: &Bench) -> Result<Outcome> {
    at_points(bench, bench.plan("2")?, bench.count(60, 6)).await
}

async fn at_points_on_postgres(bench: &Bench) -> Result<Outcome> {
    let postgres = Postgres::start();
    let plan = postgres::plan(bench, "2-postgres", &postgres).await?;
    at_points(bench, plan, bench.count(30, 6)).await
}

/// Dies at a point, at a random append, again and again; each life has another point.
async fn at_points(bench: &Bench, plan: ServerPlan, lives: u32) -> Result<Outcome> {
    let binary = bench.test_build("fault-points").await?;
    let plan = plan.with_binary(&binary).with("I_WANT_TO_LOSE_DATA", "yes");
    let mut random = StdRng::seed_from_u64(bench.seed);
    let server = plan.start().await?;
    let options = CrowdOptions { bots: 50, seed: bench.seed, wish_every_ms: 100, cut_once_in: 0 };
    let crowd = Crowd::start(&plan.endpoint(), &options).await?;
    server.kill().await?;
    crowd.tell(Phase::Down)?;
    let mut died = [0_u32; POINTS.len()];
    for life in 0..lives {
        let index = usize::try_from(life).unwrap_or(0) % POINTS.len();
        let point = format!("{}:{}", POINTS[index], random.random_range(1..150));
        let mut server = plan.clone().with("FAULT_POINT", &point).start().await?;
        crowd.tell(Phase::Up)?;
        let status = server.ended(ENDS_WITHIN).await.with_context(|| format!("at {point}"))?;
        crowd.tell(Phase::Down)?;
        died[index] += u32::from(!status.success());
    }
    let server = plan.start().await?;
    crowd.tell(Phase::Up)?;
    let stats = crowd.stats.clone();
    let settled = settle(&plan, server, crowd, &|_| false).await?;
    let injected = POINTS.iter().zip(died).map(|(point, count)| format!("{count} × {point}"));
    let injected = injected.collect::<Vec<_>>().join(", ");
    let checked = format!(
        "answers lost with the server: {} applied, {} not",
        stats.resumed_applied.get(),
        stats.resumed_open.get()
    );
    let mut outcome = Outcome::of(&settled, injected, checked);
    outcome.expect(died.iter().sum::<u32>() == lives, "a server ended without dying at its point");
    Ok(outcome)
}

async fn asked_to_stop(bench: &Bench) -> Result<Outcome> {
    let plan = bench.plan("21")?;
    let bots = bench.count(1_000, 200);
    let mut server = plan.start().await?;
    let options = CrowdOptions { bots, seed: bench.seed, wish_every_ms: 2_000, cut_once_in: 0 };
    let crowd = Crowd::start(&plan.endpoint(), &options).await?;
    let stats = crowd.stats.clone();
    let playing = async {
        while stats.connected() < u64::from(bots) || stats.acknowledged.get() < u64::from(bots) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(ENDS_WITHIN, playing).await.context("not everybody plays")?;
    server.ask_to_stop().await?;
    let status = server.ended(ENDS_WITHIN).await?;
    crowd.tell(Phase::Down)?;
    let (clean, words) = plan.verify().await?;
    let server = plan.start().await?;
    let settled = settle(&plan, server, crowd, &|_| false).await?;
    let told_1012 = settled.bots.iter().filter(|bot| bot.closed.contains_key(&1012)).count();
    let checked = format!(
        "{} devices were warned, {told_1012} sockets closed with 1012, all resumed",
        stats.drained.get()
    );
    let mut outcome = Outcome::of(&settled, format!("SIGTERM with {bots} devices"), checked);
    outcome.expect(status.success(), format!("it ended with {status}"));
    outcome.expect(clean, format!("verify: {words}"));
    outcome.expect(told_1012 == settled.bots.len(), format!("{told_1012} sockets closed with 1012"));
    Ok(outcome)
}
