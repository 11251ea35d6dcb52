//! Several servers on one Postgres: one that is frozen while it owns heroes, two that claim the same ones, and a hero that
//! moves between living ones.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result};
use test_servers::Postgres;
use tokio::time::Instant;

use super::disk::play_on;
use super::player::Player;
use super::{Bench, Case, Need, Outcome};
use crate::bot::Silence;
use crate::faults::{Server, ServerPlan};
use crate::http::Endpoint;
use crate::proxy::{Direction, Faults, Flow, Proxy};
use crate::scenario::crowd::{Crowd, CrowdOptions, Habit, SIBLING_EACH, audit_ledgers};
use crate::scenario::settle::settle_nodes;

/// A frozen node's heroes are somebody else's within this.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(20);
/// A device that hears nothing for so long comes to the other node.
const GIVES_UP_AFTER: Duration = Duration::from_secs(4);
/// Longer than anybody is frozen: the other devices stay where they are.
const STAYS_FOR: Duration = Duration::from_secs(60);
/// Heroes with a device at the frozen node and one that comes to the other.
const WITNESSES: u8 = 8;
/// The code of a socket whose hero is elsewhere.
const MOVED: u16 = 4004;
/// The code of a socket that said nothing for 25 s: after a long freeze the server looks at its clock first.
const SILENT: u16 = 1001;

pub(super) const FROZEN: Case = Case {
    id: "14",
    name: "an owner is frozen, its flush under way; it thaws when another node has its heroes",
    needs: &[Need::Postgres],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(frozen(bench, None)),
};

pub(super) const FROZEN_CONTROL: Case = Case {
    id: "14-control",
    name: "the same with an append that compares nothing",
    needs: &[Need::Postgres],
    quick: false,
    is_control: true,
    run: |bench| Box::pin(frozen(bench, Some("broken-fence-off"))),
};

/// A server of the case's own on a new database that has its tables.
pub(super) async fn plan(bench: &Bench, case: &str, postgres: &Postgres) -> Result<ServerPlan> {
    let plan = bench.plan(case)?.on_database(&postgres.new_database());
    plan.migrate().await?;
    Ok(plan)
}

/// A breakable way to the plan's database, and the plan that uses it.
pub(super) async fn behind_proxy(plan: ServerPlan, postgres: &Postgres) -> Result<(ServerPlan, Proxy)> {
    let proxy = Proxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, postgres.port()))).await?;
    let port = |port: u16| format!(":{port}/");
    let url = plan.database_url().replace(&port(postgres.port()), &port(proxy.address().port()));
    Ok((plan.on_database(&url), proxy))
}

async fn frozen(bench: &Bench, broken: Option<&str>) -> Result<Outcome> {
    let postgres = Postgres::start();
    let case = if broken.is_some() { "14-control" } else { "14" };
    let mut two = plan(bench, case, &postgres).await?;
    if let Some(feature) = broken {
        two = two.with_binary(&bench.test_build(feature).await?).with("I_WANT_TO_LOSE_DATA", "yes");
    }
    let (one, proxy) = behind_proxy(two.another_node("one")?, &postgres).await?;
    let nodes = [one.endpoint(), two.endpoint()];
    let (first, second) = (one.start().await?, two.start().await?);
    let options =
        CrowdOptions { bots: bench.count(100, 40), seed: bench.seed, wish_every_ms: 200, cut_once_in: 0 };
    let crowd = Crowd::start_on(&nodes, &options, stays_or_leaves).await?;
    let rounds = if broken.is_some() { 1 } else { bench.count(2, 1) };
    let freeze = Duration::from_secs(u64::from(bench.count(30, 20)));
    let mut freezing = Freezing { first: &first, proxy: &proxy, crowd: &crowd, nodes: &nodes, freeze };
    let (mut witnesses, mut findings) = (Vec::new(), Vec::new());
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let seen = freezing.round(&one, round).await?;
        slowest = slowest.max(seen.taken_over);
        witnesses.extend(seen.witnesses);
        findings.extend(seen.findings);
    }
    play_on(&crowd, 200).await?;
    let fenced = one.metric("fences_total").await?;
    let gaps = one.metric("lease_gaps_total").await?;
    let mut settled = settle_nodes(&two, vec![second, first], crowd, &is_about_the_database).await?;
    settled.verdict.add(audit_ledgers(&two, witnesses.iter().map(|player| &player.ledger)).await?);
    let stayed = settled.bots.iter().filter(|bot| bot.closed.contains_key(&MOVED)).count();
    let injected = format!(
        "{rounds} × {} s frozen under {} devices, with flushes held in the network that arrive after the take-over",
        freeze.as_secs(),
        options.bots
    );
    let checked = format!(
        "the other node had its heroes after {:.1} s at most; nothing unflushed was told to {} devices that stayed; \
         thawed, it doubted its lease {gaps} times, dropped {fenced} heroes and closed {stayed} bots with {MOVED}",
        slowest.as_secs_f64(),
        rounds * u32::from(WITNESSES)
    );
    let mut outcome = Outcome::of(&settled, injected, checked);
    outcome.findings.extend(findings);
    outcome.findings.extend(witnesses.iter().flat_map(|player| player.ledger.findings.clone()));
    outcome.expect(fenced >= f64::from(u32::from(WITNESSES) * rounds), format!("only {fenced} were fenced"));
    outcome.expect(slowest <= TAKEN_OVER_WITHIN, format!("a take-over took {slowest:?}"));
    Ok(outcome)
}

/// All come to the first node. When it is silent, second devices stay and the others leave.
fn stays_or_leaves(bot: u32) -> Habit {
    let stays = bot % SIBLING_EACH == SIBLING_EACH - 1;
    let after = if stays { STAYS_FOR } else { GIVES_UP_AFTER };
    Habit { first_node: 0, silence: Silence { after, is_finding: stays } }
}

struct Freezing<'a> {
    first: &'a Server,
    proxy: &'a Proxy,
    crowd: &'a Crowd,
    nodes: &'a [Endpoint; 2],
    freeze: Duration,
}

struct Frozen {
    taken_over: Duration,
    witnesses: Vec<Player>,
    findings: Vec<String>,
}

impl Freezing<'_> {
    /// Freezes the first node while its flushes are held, lets them through when the second one has the heroes, and
    /// thaws it.
    async fn round(&mut self, one: &ServerPlan, round: u32) -> Result<Frozen> {
        let [owner, other] = self.nodes;
        let (mut stay, mut come) = (Vec::new(), Vec::new());
        for number in 0..WITNESSES {
            let [mut stays, comes] = Player::pair(owner, Some(Ipv4Addr::new(127, 3, 0, number))).await?;
            stays.come_in_the_end(owner).await?;
            stays.say(&format!("before {round} {number}")).await?;
            stays.done().await?;
            stay.push(stays);
            come.push(comes);
        }
        play_on(self.crowd, 200).await?;
        let held = Direction { flow: Flow::Held, ..Direction::default() };
        self.proxy.set(Faults { to_server: held, ..Faults::default() });
        for (number, stays) in stay.iter_mut().enumerate() {
            stays.say(&format!("held {round} {number}")).await?;
        }
        self.until_queued(one).await?;
        self.first.signal("STOP").await?;
        let frozen_at = Instant::now();
        let taken_over = self.take_over(&mut come, other, round).await?;
        self.proxy.heal();
        tokio::time::sleep_until(frozen_at + self.freeze).await;
        self.first.signal("CONT").await?;
        let mut findings = Vec::new();
        for stays in &mut stay {
            let code = stays.until_closed().await?;
            if code != MOVED && code != SILENT {
                findings.push(format!("a device of a hero that was taken over was closed with {code}"));
            }
            if stays.ledger.entries.last().is_some_and(|entry| entry.acknowledged.is_some()) {
                findings.push("a command was acknowledged that the frozen node had not flushed".to_owned());
            }
        }
        Ok(Frozen { taken_over, witnesses: stay.into_iter().chain(come).collect(), findings })
    }

    /// Waits until the commands of the witnesses, and what bots said, are applied and not durable.
    async fn until_queued(&self, one: &ServerPlan) -> Result<()> {
        let queued = async {
            while one.metric("journal_queue_events").await? < f64::from(WITNESSES) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(Duration::from_secs(3), queued).await.context("nothing waits for its flush")?
    }

    /// The other devices come to the other node, and act there. Returns the longest wait.
    async fn take_over(&self, come: &mut [Player], other: &Endpoint, round: u32) -> Result<Duration> {
        let mut coming = futures_util::stream::FuturesUnordered::new();
        for (number, comes) in come.iter_mut().enumerate() {
            coming.push(async move {
                let took = comes.come(other).await.context("nobody takes a frozen node's hero over")?;
                for time in 0..3 {
                    comes.say(&format!("after {round} {number} {time}")).await?;
                    comes.done().await?;
                }
                anyhow::Ok(took)
            });
        }
        let mut slowest = Duration::ZERO;
        while let Some(took) = futures_util::StreamExt::next(&mut coming).await {
            slowest = slowest.max(took?);
        }
        Ok(slowest)
    }
}

/// A log line that says no more than that the database was away, also when somebody came just then.
pub(super) fn is_about_the_database(line: &str) -> bool {
    let is_unanswered =
        line.contains("it is not known whether") || line.contains("the store is not available");
    line.contains("the store is away or full") || (line.contains("could not load") && is_unanswered)
}
