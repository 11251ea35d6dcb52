//! Redis is killed, emptied, stalled, restored from an old copy, or lies, while every hero is loaded anew beside it:
//! nothing of value changes, and it shows in a metric.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use test_servers::{Postgres, Redis};
use tokio::task::block_in_place;
use tokio::time::Instant;

use super::{Bench, Case, Need, Outcome, postgres};
use crate::bot::Phase;
use crate::faults::{Server, ServerPlan};
use crate::scenario::crowd::{Crowd, CrowdOptions};
use crate::scenario::settle::{settle, wait_for_metric};

/// How long the players may have to wait for anything.
const WITHIN: Duration = Duration::from_secs(40);
/// How long a stalled Redis says nothing.
const STALLED: Duration = Duration::from_secs(5);

pub(super) const LIES: Case = Case {
    id: "17",
    name: "Redis killed, emptied, stalled, old or lying",
    needs: &[Need::Postgres, Need::Program("redis-server"), Need::Program("psql")],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(lies(bench)),
};

/// What is done to Redis while the server is down, so that every hero is loaded with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Treatment {
    Nothing,
    Killed,
    Emptied,
    Stalled,
    OldCopy,
    Lying,
}

const TREATMENTS: [Treatment; 6] = [
    Treatment::Nothing,
    Treatment::OldCopy,
    Treatment::Lying,
    Treatment::Stalled,
    Treatment::Emptied,
    Treatment::Killed,
];

/// Numbers of the cache over the lives of the server.
#[derive(Default)]
struct Told {
    states_used: f64,
    bad_seals: f64,
    away: f64,
    slow: f64,
}

impl Told {
    async fn add(&mut self, plan: &ServerPlan) -> Result<()> {
        let calls = async |call: &str, outcome: &str| {
            plan.metric(&format!("redis_calls_total{{call=\"{call}\",outcome=\"{outcome}\"}}")).await
        };
        self.states_used += calls("get_snapshot", "done").await?;
        self.bad_seals += calls("get_snapshot", "bad_seal").await?;
        self.away += plan.metric("redis_away_total").await?;
        self.slow += calls("get_snapshot", "slow").await?;
        Ok(())
    }
}

async fn lies(bench: &Bench) -> Result<Outcome> {
    let database = block_in_place(Postgres::start);
    let mut redis = block_in_place(Redis::start);
    let plan = postgres::plan(bench, "17", &database).await?.with("REDIS_URL", &redis.url());
    let mut server = plan.start().await?;
    let options = CrowdOptions { bots: 40, seed: bench.seed, wish_every_ms: 60, cut_once_in: 100 };
    let crowd = Crowd::start(&plan.endpoint(), &options).await?;
    play_on(&plan, &crowd, 100).await?;
    // The first restart fills Redis with states; the copy of them gets old.
    server = again(&plan, server, &crowd, &mut redis, Treatment::Nothing, &[]).await?;
    let old_copy = block_in_place(|| copy_of(&redis))?;
    let rounds = bench.count(3, 1);
    let mut told = Told::default();
    for _ in 0..rounds {
        for treatment in TREATMENTS {
            play_on(&plan, &crowd, 60).await?;
            told.add(&plan).await?;
            server = again(&plan, server, &crowd, &mut redis, treatment, &old_copy).await?;
            play_on(&plan, &crowd, 60).await?;
            block_in_place(|| mend(&mut redis, treatment))?;
        }
    }
    play_on(&plan, &crowd, 60).await?;
    told.add(&plan).await?;
    let injected =
        format!("{} restarts of the server, each beside another Redis: {TREATMENTS:?}", rounds * 6);
    let checked = format!(
        "{} states from Redis used, {} not believed, {} calls too slow, {} times away",
        told.states_used, told.bad_seals, told.slow, told.away
    );
    let settled = settle(&plan, server, crowd, &|_| false).await?;
    drop((database, redis));
    let mut outcome = Outcome::of(&settled, injected, checked);
    outcome.expect(told.states_used > 0.0, "no state from Redis was ever used: this shows nothing");
    outcome.expect(told.bad_seals > 0.0, "the lies were not noticed");
    outcome.expect(told.away > 0.0, "nobody noticed that Redis was away");
    Ok(outcome)
}

async fn play_on(plan: &ServerPlan, crowd: &Crowd, more: u64) -> Result<()> {
    let wanted = crowd.stats.acknowledged.get() + more;
    let deadline = Instant::now() + WITHIN;
    while crowd.stats.acknowledged.get() < wanted {
        ensure!(Instant::now() < deadline, "nobody is served:\n{}", plan.log_tail());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Stops the server in order, so that every hero's state goes to Redis, treats Redis, and starts the server.
async fn again(
    plan: &ServerPlan,
    server: Server,
    crowd: &Crowd,
    redis: &mut Redis,
    treatment: Treatment,
    old_copy: &[u8],
) -> Result<Server> {
    crowd.tell(Phase::Down)?;
    let status = server.stop().await?;
    ensure!(status.success(), "the server ended with {status}");
    block_in_place(|| treat(redis, treatment, old_copy))?;
    let server = plan.start().await?;
    if !matches!(treatment, Treatment::Killed | Treatment::Stalled) {
        // Heroes that are loaded before Redis is connected would show nothing.
        wait_for_metric(plan, "redis_up", 1.0, WITHIN).await?;
    }
    crowd.tell(Phase::Up)?;
    if treatment == Treatment::Stalled {
        // The fault itself is a stretch of time; the players do not wait for it.
        tokio::time::sleep(STALLED).await;
        signal(redis, "CONT")?;
    }
    Ok(server)
}

fn treat(redis: &mut Redis, treatment: Treatment, old_copy: &[u8]) -> Result<()> {
    match treatment {
        Treatment::Nothing => {}
        Treatment::Killed => redis.kill(),
        Treatment::Emptied => drop(redis.cli(&["FLUSHALL"])),
        Treatment::Stalled => signal(redis, "STOP")?,
        Treatment::OldCopy => {
            redis.kill();
            std::fs::write(redis.folder().join("dump.rdb"), old_copy)
                .context("cannot put the old copy back")?;
            redis.restart();
        }
        Treatment::Lying => {
            // Each hero's state under another hero's name, and every third is garbage.
            let swap = "local keys = redis.call('KEYS', 'dh:hot:*')
                local values = {}
                for i, key in ipairs(keys) do values[i] = redis.call('GET', key) end
                for i, key in ipairs(keys) do
                    if i % 3 == 0 then redis.call('SET', key, 'not a state at all')
                    else redis.call('SET', key, values[i % #keys + 1]) end
                end
                return #keys";
            let count = redis.cli(&["EVAL", swap, "0"]);
            ensure!(count.trim() != "0", "there is nothing in Redis to lie about");
        }
    }
    Ok(())
}

fn mend(redis: &mut Redis, treatment: Treatment) -> Result<()> {
    if treatment == Treatment::Killed {
        // It comes back empty.
        let _none = std::fs::remove_file(redis.folder().join("dump.rdb"));
        redis.restart();
    }
    Ok(())
}

/// What Redis would restore from.
fn copy_of(redis: &Redis) -> Result<Vec<u8>> {
    redis.cli(&["SAVE"]);
    std::fs::read(redis.folder().join("dump.rdb")).context("Redis has saved no copy")
}

fn signal(redis: &Redis, name: &str) -> Result<()> {
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {}", redis.pid())]).status()?;
    ensure!(status.success(), "cannot send SIG{name} to Redis");
    Ok(())
}
