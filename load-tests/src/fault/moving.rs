//! Heroes that move between living servers of one Postgres: claimed by two at once, and handed over again and again.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use test_servers::{Postgres, Redis};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::nodes::plan;
use super::player::Player;
use super::{Bench, Case, Need, Outcome};
use crate::bot::Silence;
use crate::faults::{Server, ServerPlan};
use crate::http::Endpoint;
use crate::scenario::crowd::{Crowd, CrowdOptions, Habit, audit_ledgers};
use crate::scenario::settle::{Settled, settle_nodes};

/// Guests that are made at once, before anything is measured.
const ARRIVE_AT_ONCE: usize = 16;
/// How long everybody may take to get a hero that the other server wants too, on two busy cores.
const CLAIMED_WITHIN: Duration = Duration::from_secs(180);
/// The wait before a device that was sent away comes back.
const BACK_AFTER: Duration = Duration::from_millis(200);
/// How long both servers may take to agree on who has what.
const AGREE_WITHIN: Duration = Duration::from_secs(30);
/// Hand-overs that go on at the same time.
const MOVERS: u32 = 8;
/// The promise: 99 of 100 hand-overs between living servers take no longer.
const HAND_OVER_P99: Duration = Duration::from_secs(1);
/// News reach a device on the other server within this; without Redis it looks once a second.
const NEWS_WITHIN: Duration = Duration::from_secs(3);
/// One visit in so many is followed by a command of the device that was left behind.
const ACTS_BACK_EACH: u32 = 5;

pub(super) const CLAIMED_AT_ONCE: Case = Case {
    id: "15",
    name: "two servers claim the same heroes at once",
    needs: &[Need::Postgres],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(claimed_at_once(bench)),
};

pub(super) const HAND_OVER: Case = Case {
    id: "hand-over",
    name: "a hero moves between living servers, without Redis and with it",
    needs: &[Need::Postgres, Need::Redis],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(hand_over(bench)),
};

/// Two servers of one database.
struct Two {
    plan: ServerPlan,
    servers: Vec<Server>,
}

impl Two {
    async fn start(plan: ServerPlan) -> Result<Self> {
        let other = plan.another_node("two")?;
        let servers = vec![plan.start().await?, other.start().await?];
        Ok(Self { plan, servers })
    }

    fn nodes(&self) -> Vec<Endpoint> {
        self.servers.iter().map(|server| server.plan().endpoint()).collect()
    }

    /// A number of both servers together.
    async fn sum(&self, metric: &str) -> Result<f64> {
        let mut sum = 0.0;
        for server in &self.servers {
            sum += server.plan().metric(metric).await?;
        }
        Ok(sum)
    }

    /// Bots on both for a moment, then the checks that hold after every fault, also for these players.
    async fn settle(self, bench: &Bench, players: &[Player]) -> Result<Settled> {
        let options = CrowdOptions { bots: 20, seed: bench.seed, wish_every_ms: 200, cut_once_in: 20 };
        let crowd = Crowd::start_on(&self.nodes(), &options, on_both).await?;
        super::disk::play_on(&crowd, 100).await?;
        let mut settled = settle_nodes(&self.plan, self.servers, crowd, &|_| false).await?;
        settled.verdict.add(audit_ledgers(&self.plan, players.iter().map(|player| &player.ledger)).await?);
        settled.findings.extend(players.iter().flat_map(|player| player.ledger.findings.clone()));
        Ok(settled)
    }
}

/// Devices begin at each server in turn.
pub(super) fn on_both(bot: u32) -> Habit {
    Habit { first_node: usize::try_from(bot).unwrap_or(0), silence: Silence::REPORTED }
}

/// New heroes with two devices each.
async fn pairs(node: &Endpoint, count: u32) -> Result<Vec<[Player; 2]>> {
    let mut made = Vec::new();
    let mut arriving = JoinSet::new();
    for number in 0..count {
        if arriving.len() >= ARRIVE_AT_ONCE {
            made.extend(arriving.join_next().await.transpose()?.transpose()?);
        }
        let node = node.clone();
        let [_, _, high, low] = number.to_be_bytes();
        arriving.spawn(async move { Player::pair(&node, Some(Ipv4Addr::new(127, 3, high, low))).await });
    }
    while let Some(pair) = arriving.join_next().await {
        made.push(pair??);
    }
    Ok(made)
}

async fn claimed_at_once(bench: &Bench) -> Result<Outcome> {
    let postgres = Postgres::start();
    let plan = plan(bench, "15", &postgres).await?;
    let two = Two::start(plan).await?;
    let heroes = bench.count(1_000, 100);
    let nodes = two.nodes();
    let everybody = Arc::new(Barrier::new(usize::try_from(heroes)? * 2));
    let mut coming = JoinSet::new();
    for pair in pairs(&nodes[0], heroes).await? {
        for (player, node) in pair.into_iter().zip(&nodes) {
            coming.spawn(claim(player, node.clone(), Arc::clone(&everybody)));
        }
    }
    let (mut players, mut slowest) = (Vec::new(), Duration::ZERO);
    while let Some(done) = coming.join_next().await {
        let (player, took) = done.context("a player panicked")??;
        slowest = slowest.max(took);
        players.push(player);
    }
    let owned = one_owner_each(&two, f64::from(heroes)).await;
    let hand_overs = two.sum("hand_overs_total").await?;
    let fences = two.sum("fences_total").await?;
    for player in &mut players {
        player.leave().await;
    }
    let settled = two.settle(bench, &players).await?;
    let injected = format!("{} devices come to {heroes} heroes at both servers and act", heroes * 2);
    let checked = format!(
        "each had its answer, the last after {:.1} s and {hand_overs} hand-overs; then every hero was in the memory of \
         one server as its own; {fences} were fenced",
        slowest.as_secs_f64()
    );
    let mut outcome = Outcome::of(&settled, injected, checked);
    outcome.expect(owned.is_ok(), format!("{owned:?}"));
    outcome.expect(
        hand_overs >= f64::from(heroes),
        format!("only {hand_overs} hand-overs: nothing was contested"),
    );
    outcome.expect(fences == 0.0, format!("{fences} heroes were fenced although both servers lived"));
    Ok(outcome)
}

/// Comes at the same moment as everybody else, and acts until it is acknowledged. Returns how long that took.
async fn claim(mut player: Player, node: Endpoint, everybody: Arc<Barrier>) -> Result<(Player, Duration)> {
    let name = format!("claimed {} {}", player.mark(), player.device.stream_id);
    everybody.wait().await;
    let began = Instant::now();
    let mut is_said = false;
    let acting = async {
        loop {
            let attempt = async {
                player.come(&node).await?;
                if is_said {
                    player.repeat().await?;
                } else {
                    is_said = true;
                    player.say(&name).await?;
                }
                player.done().await
            };
            if attempt.await.is_ok() {
                return;
            }
            tokio::time::sleep(BACK_AFTER).await;
        }
    };
    timeout(CLAIMED_WITHIN, acting).await.context("a device never got its hero")?;
    Ok((player, began.elapsed()))
}

/// Waits until the heroes that the servers have as their own are so many together.
async fn one_owner_each(two: &Two, heroes: f64) -> Result<()> {
    let mut last = f64::NAN;
    let agreeing = async {
        loop {
            last = two.sum("heroes_in_memory").await?;
            if (last - heroes).abs() < f64::EPSILON {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let agreed = timeout(AGREE_WITHIN, agreeing).await;
    agreed.with_context(|| format!("the servers have {last} heroes together, and there are {heroes}"))?
}

/// What hand-overs cost.
#[derive(Default)]
struct Costs {
    by_coming: Vec<Duration>,
    by_acting: Vec<Duration>,
    news: Vec<Duration>,
}

async fn hand_over(bench: &Bench) -> Result<Outcome> {
    let without = measured(bench, None).await?;
    let redis = Redis::start();
    let with = measured(bench, Some(&redis)).await?;
    let mut outcome = Outcome {
        injected: format!("{}; with Redis {}", without.injected, with.injected),
        checked: format!("without Redis: {}. With Redis: {}", without.checked, with.checked),
        acknowledged: without.acknowledged + with.acknowledged,
        lost: without.lost + with.lost,
        doubled: without.doubled + with.doubled,
        findings: without.findings,
    };
    outcome.findings.extend(with.findings);
    Ok(outcome)
}

async fn measured(bench: &Bench, redis: Option<&Redis>) -> Result<Outcome> {
    let postgres = Postgres::start();
    let case = if redis.is_some() { "hand-over-redis" } else { "hand-over" };
    let mut plan = plan(bench, case, &postgres).await?;
    if let Some(redis) = redis {
        plan = plan.with("REDIS_URL", &redis.url());
    }
    let two = Two::start(plan).await?;
    if redis.is_some() {
        for server in &two.servers {
            crate::scenario::settle::wait_for_metric(server.plan(), "redis_up", 1.0, AGREE_WITHIN).await?;
        }
    }
    let visits = bench.count(528, 96) / MOVERS;
    let mut moving = JoinSet::new();
    for pair in pairs(&two.nodes()[0], MOVERS).await? {
        moving.spawn(move_about(pair, two.nodes(), visits));
    }
    let (mut players, mut costs) = (Vec::new(), Costs::default());
    while let Some(moved) = moving.join_next().await {
        let (pair, cost) = moved.context("a player panicked")??;
        players.extend(pair);
        costs.by_coming.extend(cost.by_coming);
        costs.by_acting.extend(cost.by_acting);
        costs.news.extend(cost.news);
    }
    let hand_overs = two.sum("hand_overs_total").await?;
    let settled = two.settle(bench, &players).await?;
    let moves = costs.by_coming.len() + costs.by_acting.len();
    let mut outcome = Outcome::of(
        &settled,
        format!("{moves} hand-overs, {MOVERS} at once"),
        format!(
            "by coming {}, by a command of the device left behind {}; the news reached it in {}, no socket was closed",
            quantiles(&mut costs.by_coming),
            quantiles(&mut costs.by_acting),
            quantiles(&mut costs.news)
        ),
    );
    let p99 = quantile(&costs.by_coming, 99).max(quantile(&costs.by_acting, 99));
    outcome.expect(p99 <= HAND_OVER_P99, format!("p99 of a hand-over is {p99:?}"));
    let is_moved = hand_overs >= f64::from(u32::try_from(moves)?);
    outcome.expect(is_moved, format!("{moves} moves were {hand_overs} hand-overs"));
    Ok(outcome)
}

/// Two devices of a hero visit it in turn, each always at its own server; the other one stays connected, sees what
/// happens, and now and then acts.
async fn move_about(pair: [Player; 2], nodes: Vec<Endpoint>, visits: u32) -> Result<([Player; 2], Costs)> {
    let [mut stays, mut comes] = pair;
    let (mut here, mut there) = (&nodes[0], &nodes[1]);
    let mut costs = Costs::default();
    stays.come(here).await?;
    for visit in 0..visits {
        costs.by_coming.push(comes.come(there).await.context("by coming")?);
        let name = format!("visit {} {visit}", comes.mark());
        comes.say(&name).await?;
        comes.done().await?;
        costs.news.push(timeout(NEWS_WITHIN, stays.sees(&name)).await.context("no news for a follower")??);
        if visit.is_multiple_of(ACTS_BACK_EACH) {
            let name = format!("back {} {visit}", stays.mark());
            stays.say(&name).await?;
            costs.by_acting.push(stays.done().await.context("by acting")?);
            timeout(NEWS_WITHIN, comes.sees(&name)).await.context("no news for a follower")??;
            // The hero is here again: the next visit must come from the other side.
            continue;
        }
        (stays, comes) = (comes, stays);
        (here, there) = (there, here);
    }
    let _last_owner = here;
    stays.leave().await;
    comes.leave().await;
    Ok(([stays, comes], costs))
}

fn quantiles(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let ms = |percent| quantile(times, percent).as_millis();
    format!("p50 {}, p99 {}, max {} ms", ms(50), ms(99), ms(100))
}

/// Of sorted times.
fn quantile(times: &[Duration], percent: usize) -> Duration {
    let index = (times.len() * percent).div_ceil(100).max(1) - 1;
    times.get(index).copied().unwrap_or_default()
}
