//! Many bots against one server that the scenario starts and stops, and what is examined when they have left.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::StreamExt;
use futures_util::stream;
use protocol::server::WelcomeState;
use protocol::types::Hero;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::audit::{self, Export, Verdict};
use crate::bot::{Bot, Phase, Silence, World};
use crate::faults::ServerPlan;
use crate::http::Endpoint;
use crate::ledger::Ledger;
use crate::mind::Mind;
use crate::mirror::lasting;
use crate::scenario::Progress;
use crate::stats::Stats;
use crate::wire::Device;

/// One bot in so many is a second device of the bot before it.
pub const SIBLING_EACH: u32 = 5;
/// How long all bots together may take to clear what is open at the end.
const FINISH_WITHIN: Duration = Duration::from_secs(180);
/// How often the comparison of a client's view with the server's is repeated when time itself makes events in between.
const COMPARE_ATTEMPTS: u32 = 5;
/// Views that are compared at once, so that a thousand heroes do not wait for each other.
const COMPARED_AT_ONCE: usize = 16;
/// Exports at once: each is a process.
const EXPORTS_AT_ONCE: usize = 3;
/// What a finding shows of a difference.
const DIFFERENCE_CHARS: usize = 600;

/// Who plays and how.
#[derive(Clone, Copy, Debug)]
pub struct CrowdOptions {
    /// How many devices.
    pub bots: u32,
    /// What they wish follows from it.
    pub seed: u64,
    /// Mean time between two wishes of one bot.
    pub wish_every_ms: u64,
    /// One wish in so many is followed by a cut of the connection; 0 is never.
    pub cut_once_in: u32,
}

/// What a bot does where there are several servers.
#[derive(Clone, Copy, Debug)]
pub struct Habit {
    /// The server it comes to first.
    pub first_node: usize,
    /// What it makes of one that answers nothing.
    pub silence: Silence,
}

/// Bots at play.
pub struct Crowd {
    /// Their counters.
    pub stats: Arc<Stats>,
    phase: watch::Sender<Phase>,
    bots: JoinSet<Bot>,
}

impl Crowd {
    /// Makes the heroes on a server that is up, and lets the bots go.
    ///
    /// # Errors
    /// When the server refuses a guest.
    pub async fn start(endpoint: &Endpoint, options: &CrowdOptions) -> Result<Self> {
        let habit = |_| Habit { first_node: 0, silence: Silence::REPORTED };
        Self::start_on(std::slice::from_ref(endpoint), options, habit).await
    }

    /// As `start`, with several servers of one database. `habit` says what the bot of a number does.
    ///
    /// # Errors
    /// When the first server refuses a guest.
    pub async fn start_on(
        nodes: &[Endpoint],
        options: &CrowdOptions,
        habit: impl Fn(u32) -> Habit,
    ) -> Result<Self> {
        let first = nodes.first().context("there is no server")?;
        let mut random = StdRng::seed_from_u64(options.seed);
        let stats: Arc<Stats> = Arc::default();
        let (phase, phases) = watch::channel(Phase::Up);
        let world = World {
            nodes: nodes.into(),
            silence: Silence::REPORTED,
            phase: phases,
            stats: Arc::clone(&stats),
            wish_every_ms: options.wish_every_ms,
            cut_once_in: options.cut_once_in,
        };
        let mut bots = JoinSet::new();
        let mut last: Option<Device> = None;
        for index in 0..options.bots {
            let stream_id = random.random_range(1..=protocol::limit::INTEGER_MAX);
            let source = Some(source_address(index));
            let device = match &last {
                Some(last) if index % SIBLING_EACH == SIBLING_EACH - 1 => last.sibling(stream_id, source),
                _ => Device::new_guest(first, source, stream_id).await?,
            };
            last = Some(device.clone());
            let mind = Mind::new(random.random(), format!("bot{index:03}"));
            let Habit { first_node, silence } = habit(index);
            let bot = Bot::new(device, mind, Arc::clone(&stats)).at(first_node);
            bots.spawn(bot.run(World { silence, ..world.clone() }));
        }
        Ok(Self { stats, phase, bots })
    }

    /// Tells the bots whether there is a server.
    ///
    /// # Errors
    /// When no bot is left.
    pub fn tell(&self, phase: Phase) -> Result<()> {
        self.phase.send(phase).context("all bots are gone before the end")
    }

    /// Lets the bots clear what is open, and takes their books.
    ///
    /// # Errors
    /// When a bot panicked or does not come to an end.
    pub async fn finish(mut self) -> Result<Vec<Bot>> {
        self.tell(Phase::Finish)?;
        let all = async {
            let mut bots = Vec::new();
            while let Some(bot) = self.bots.join_next().await {
                bots.push(bot.context("a bot panicked")?);
            }
            anyhow::Ok(bots)
        };
        let mut bots = tokio::time::timeout(FINISH_WITHIN, all).await.context("the bots do not finish")??;
        bots.sort_by_key(|bot| bot.device.source);
        Ok(bots)
    }
}

/// Compares what each client believes after all its events and patches with a fresh snapshot. Differences go into the
/// bots' findings, and so does a server that shows no hero.
pub async fn compare_views(endpoint: &Endpoint, bots: &mut [Bot]) {
    // Devices of one hero one after the other: an event of time that the first look makes is not news for the second.
    let mut heroes: BTreeMap<String, Vec<&mut Bot>> = BTreeMap::new();
    for bot in bots {
        heroes.entry(bot.device.hero_id.clone()).or_default().push(bot);
    }
    let each = async |devices: Vec<&mut Bot>| {
        for bot in devices {
            if let Err(error) = compare_view(endpoint, bot).await {
                bot.ledger.find(format!("the hero is not shown any more: {error:#}"));
            }
        }
    };
    stream::iter(heroes.into_values()).for_each_concurrent(COMPARED_AT_ONCE, each).await;
}

async fn compare_view(endpoint: &Endpoint, bot: &mut Bot) -> Result<()> {
    for _ in 0..COMPARE_ATTEMPTS {
        let (socket, welcome) = bot.device.open(endpoint, bot.mirror.last_seq()).await?;
        bot.on_welcome(&welcome);
        socket.close().await;
        let (socket, fresh) = bot.device.open(endpoint, None).await?;
        socket.close().await;
        let WelcomeState::Snapshot(hero) = &fresh.state else {
            bot.ledger.find("a hello without last_seq was answered without a snapshot".to_owned());
            return Ok(());
        };
        if fresh.seq == bot.mirror.seq() {
            if bot.mirror.hero().map(lasting) != Some(lasting(hero)) {
                bot.ledger.find(difference(bot.mirror.hero(), hero));
            }
            return Ok(());
        }
    }
    bot.ledger.find("the hero never stood still long enough to compare it".to_owned());
    Ok(())
}

/// Exports every hero of the bots and compares its journal with their ledgers. No server may run. Of a hero that cannot
/// be exported everything is lost.
///
/// # Errors
/// When an export is not understood.
pub async fn audit(plan: &ServerPlan, bots: &[Bot]) -> Result<Verdict> {
    examine_all(plan, bots.iter().map(|bot| &bot.ledger), |export, verdict| {
        let lived = bots.iter().filter(|bot| bot.device.hero_id == export.hero_id);
        for bot in lived.filter(|bot| bot.mirror.seq() == export.last_seq) {
            verdict.compare_fold(bot.mirror.hero(), &export.hero, &export.hero_id);
        }
    })
    .await
}

/// As `audit`, for devices that are no bots.
///
/// # Errors
/// As `audit`.
pub async fn audit_ledgers<'a>(
    plan: &ServerPlan,
    ledgers: impl Iterator<Item = &'a Ledger>,
) -> Result<Verdict> {
    examine_all(plan, ledgers, |_, _| ()).await
}

async fn examine_all<'a>(
    plan: &ServerPlan,
    ledgers: impl Iterator<Item = &'a Ledger>,
    also: impl Fn(&Export, &mut Verdict),
) -> Result<Verdict> {
    let mut heroes: BTreeMap<&str, Vec<&Ledger>> = BTreeMap::new();
    for ledger in ledgers {
        heroes.entry(&ledger.hero_id).or_default().push(ledger);
    }
    let mut verdict = Verdict::default();
    let progress = Progress::new(u64::try_from(heroes.len()).unwrap_or(0), "heroes audited");
    let mut exports = stream::iter(heroes)
        .map(|(hero_id, ledgers)| async move { (ledgers, plan.export(hero_id).await) })
        .buffer_unordered(EXPORTS_AT_ONCE);
    while let Some((ledgers, export)) = exports.next().await {
        let export = match export {
            Ok(json) => audit::parse(&json)?,
            Err(error) => {
                verdict.add(audit::unreadable(&format!("{error:#}"), &ledgers));
                continue;
            }
        };
        verdict.add(audit::examine(&export, &ledgers));
        also(&export, &mut verdict);
        progress.step(format!("lost {} doubled {}", verdict.lost, verdict.doubled));
    }
    progress.done();
    Ok(verdict)
}

/// An address of its own for each bot, as players have.
fn source_address(index: u32) -> Ipv4Addr {
    let [_, _, high, low] = (index + 1).to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

fn difference(mirror: Option<&Hero>, fresh: &Hero) -> String {
    let ours = serde_json::to_value(mirror.map(lasting)).unwrap_or_default();
    let theirs = serde_json::to_value(lasting(fresh)).unwrap_or_default();
    let mut sections = Vec::new();
    if let (Some(ours), Some(theirs)) = (ours.as_object(), theirs.as_object()) {
        for (name, value) in theirs {
            if ours.get(name) != Some(value) {
                let ours = ours.get(name).map(ToString::to_string).unwrap_or_default();
                sections.push(format!("{name}: {ours} instead of {value}"));
            }
        }
    }
    let words: String = sections.join("; ").chars().take(DIFFERENCE_CHARS).collect();
    format!("the patches led to another hero than the snapshot shows: {words}")
}
