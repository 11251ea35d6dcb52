//! Whether the time of a refused login says why it was refused.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::process::Command;
use tokio::time::Instant;

use super::compare::Medians;
use super::slowloris::source;
use super::{Measurement, SecurityOptions, Verdict};
use crate::faults::ServerPlan;
use crate::http::{Endpoint, request};

/// Each is tried so often: below the five wrong passwords that are free, so that nobody has to wait.
const TRIES: usize = 3;
const PASSWORD: &str = "three plain words";
const GOAL: f64 = 0.02;
/// Bans everybody who is there.
const BAN: &str = "import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=10)
print(db.execute('UPDATE account SET banned_at_ms = 1').rowcount)
db.commit()";

/// Why a login is refused.
#[derive(Clone, Copy, Debug)]
enum Why {
    Unknown,
    Wrong,
    Banned,
}

pub(super) async fn run(options: &SecurityOptions) -> Result<Vec<Measurement>> {
    let people = options.count(120, 10);
    let plan = options.plan("enumeration")?;
    let server = plan.start().await?;
    let endpoint = plan.endpoint();
    register(&endpoint, Why::Banned, people).await?;
    let banned = ban(&plan).await?;
    ensure!(banned == people, "{banned} of {people} were banned");
    register(&endpoint, Why::Wrong, people).await?;
    for number in 0..20 {
        refused(&endpoint, Why::Unknown, people + number, number).await?;
    }
    let mut took = [Vec::new(), Vec::new(), Vec::new()];
    let mut again = Vec::new();
    let mut number = 0;
    for _ in 0..TRIES {
        for person in 0..people {
            // Each comes first, second and third equally often.
            for place in 0..3 {
                number += 1;
                let index = (place + person) % 3;
                let why = [Why::Unknown, Why::Wrong, Why::Banned].get(index).copied().unwrap_or(Why::Unknown);
                let ms = refused(&endpoint, why, person, number).await?.as_secs_f64() * 1000.0;
                if let Some(list) = took.get_mut(index) {
                    list.push(ms);
                }
            }
            number += 1;
            // The same thing once more, to see how far it differs from itself.
            let ms = refused(&endpoint, Why::Unknown, 2 * people + person, number).await?;
            again.push(ms.as_secs_f64() * 1000.0);
        }
    }
    ensure!(server.stop().await?.success(), "the server did not end well");
    let [unknown, wrong, banned] = &took;
    let pairs = [
        ("unknown and wrong password", unknown, wrong),
        ("unknown and banned", unknown, banned),
        ("wrong password and banned", wrong, banned),
        ("unknown and unknown (the measure of noise)", unknown, &again),
    ];
    let mut found = Vec::new();
    for (name, first, second) in pairs {
        let medians = Medians::of(first, second, options.seed)?;
        let verdict = match (medians.excess().abs() <= GOAL, medians.is_nothing()) {
            (true, _) | (false, true) => Verdict::Met,
            (false, false) => Verdict::Missed,
        };
        let seen = format!(
            "medians {:.3} and {:.3} ms, {:+.2} %; the difference lies between {:+.3} and {:+.3} ms in 95 of 100 draws, so it can{} \
             be told; {} logins each, one at a time, each from another address",
            medians.first,
            medians.second,
            medians.excess() * 100.0,
            medians.low,
            medians.high,
            if medians.is_nothing() { "not" } else { "" },
            first.len()
        );
        let figures = json!({
            "first_median_ms": medians.first,
            "second_median_ms": medians.second,
            "excess": medians.excess(),
            "difference_low_ms": medians.low,
            "difference_high_ms": medians.high,
            "samples": first.len(),
        });
        let goal = "medians within 2 %, or no difference to be told";
        found.push(Measurement::new(&format!("enumeration, {name}"), goal, seen, verdict, figures));
    }
    Ok(found)
}

fn mail(why: Why, person: usize) -> String {
    format!("{why:?}{person:05}@example.org")
}

async fn register(endpoint: &Endpoint, why: Why, people: usize) -> Result<()> {
    for person in 0..people {
        let body = json!({ "mail": mail(why, person), "password": PASSWORD });
        let answer = request(endpoint, None, "POST", "/v1/auth/register", None, Some(&body)).await?;
        ensure!(answer.status == 201, "no account: {}", answer.status);
    }
    Ok(())
}

async fn refused(endpoint: &Endpoint, why: Why, person: usize, number: usize) -> Result<Duration> {
    let password = if matches!(why, Why::Wrong) { "another one here!" } else { PASSWORD };
    let body = json!({ "mail": mail(why, person), "password": password });
    let began = Instant::now();
    let answer =
        request(endpoint, Some(source(4, number)), "POST", "/v1/auth/login", None, Some(&body)).await?;
    let took = began.elapsed();
    ensure!(answer.status == 401, "{why:?} was answered with {}", answer.status);
    Ok(took)
}

/// In the server's own file: there is no route for it yet.
async fn ban(plan: &ServerPlan) -> Result<usize> {
    let file = plan.database_url().trim_start_matches("sqlite://").to_owned();
    let run = Command::new("python3").args(["-c", BAN, &file]).stdin(Stdio::null()).output();
    let output = run.await.context("cannot run python3")?;
    ensure!(output.status.success(), "no ban: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().context("a count")
}
