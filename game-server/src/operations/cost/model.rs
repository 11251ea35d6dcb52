//! What the service should run on and what that costs: pure functions over measured load and a list of prices. Recommendations
//! only; nothing is ever done by itself.
//!
//! The model, on purpose a small one:
//! - Of the users, 10 % are there at once at the busiest time of the day ([`AT_ONCE_PERCENT`]).
//! - A server is full at 70 % of its processor and 80 % of its memory; the rest is for a bad minute.
//! - What one processor and one byte of memory carry was measured with bots on this server (`infrastructure/cost/load.json`).
//! - From 1,000 users on there are two servers or more, so that one may go, with Redis between them, and the database has a
//!   second machine that takes over.
//! - A user moves 10 MB and leaves 4 MB in the database, with its indexes, by the end of the first year.
//! - Prices are those of the list (`infrastructure/cost/prices.json`), 730 hours a month.

use admin_http::views::{Load, Phase, Rightsizing, Verdict};
use serde::Deserialize;

/// Hours of a month, as cloud providers count.
pub(super) const HOURS_PER_MONTH: f64 = 730.0;
/// Of the users, so many are there at once.
pub(super) const AT_ONCE_PERCENT: u64 = 10;
/// A server's processor is full from here on.
const CPU_FULL_PERMILLE: u64 = 700;
/// A server's memory is full from here on.
const MEMORY_FULL_PERMILLE: u64 = 800;
/// Below both of these a server is too large, above one of those too small.
const CPU_IDLE_PERMILLE: u32 = 200;
const MEMORY_IDLE_PERMILLE: u32 = 500;
const CPU_BUSY_PERMILLE: u32 = 800;
const MEMORY_BUSY_PERMILLE: u32 = 850;
/// Nothing is said before this was measured.
const MEASURED_MIN_MS: i64 = 60 * 60 * 1000;
/// A smaller server is recommended when a whole day was quiet; a larger one at once.
const QUIET_MIN_MS: i64 = 24 * 60 * 60 * 1000;
/// Most servers of a plan; whoever needs more needs another plan.
const SERVERS_MAX: u32 = 8;
/// What a user moves in a month and leaves in a year, in thousandths of a gigabyte.
const TRAFFIC_GB_PER_1000_USERS: f64 = 10.0;
const STORAGE_GB_PER_1000_USERS: f64 = 4.0;
/// What servers log in a month, all together, for 1,000 users.
const LOGS_GB_PER_1000_USERS: f64 = 0.5;
/// A database has this much storage at least.
const STORAGE_GB_MIN: f64 = 20.0;

/// The list of prices.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prices {
    /// When they were looked up.
    pub(super) as_of: String,
    /// Where, and how far they may be believed.
    pub(super) source: String,
    fargate: Fargate,
    databases: Vec<Named>,
    caches: Vec<Named>,
    load_balancer: LoadBalancer,
    storage_gb_month_usd: f64,
    traffic_gb_usd: f64,
    traffic_free_gb: f64,
    logs_gb_usd: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fargate {
    vcpu_hour_usd: f64,
    gb_hour_usd: f64,
    sizes: Vec<ListedSize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListedSize {
    millicores: u32,
    memory_mib: u32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    hour_usd: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoadBalancer {
    name: String,
    hour_usd: f64,
    unit_hour_usd: f64,
}

/// A size of a server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Size {
    /// Thousandths of a processor.
    pub(super) millicores: u32,
    /// Memory.
    pub(super) memory_mib: u32,
    /// Dollars an hour.
    pub(super) hour_usd: f64,
}

impl Size {
    pub(super) fn name(&self) -> String {
        let memory = f64::from(self.memory_mib) / 1024.0;
        format!("Fargate {} vCPU, {memory} GB", f64::from(self.millicores) / 1000.0)
    }

    pub(super) fn month_usd(&self) -> f64 {
        self.hour_usd * HOURS_PER_MONTH
    }
}

/// What bots found this server to carry.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Capacity {
    /// When and how it was measured.
    pub(super) measured: String,
    /// Players that play at once on one whole processor, at 70 % of it.
    pub(super) players_per_core: u64,
    /// Memory of a server without players.
    pub(super) memory_base_bytes: u64,
    /// Memory of each player more.
    pub(super) memory_player_bytes: u64,
}

impl Capacity {
    /// The one that was measured with bots and is part of the program.
    pub(super) fn embedded() -> Capacity {
        let text = include_str!("../../../../infrastructure/cost/load.json");
        serde_json::from_str(text).expect("a test reads it")
    }

    /// Players that a server of this size carries.
    pub(super) fn players(&self, size: &Size) -> u64 {
        let by_cpu = self.players_per_core * u64::from(size.millicores) / 1000;
        let memory = u64::from(size.memory_mib) * 1024 * 1024 * MEMORY_FULL_PERMILLE / 1000;
        let by_memory = memory.saturating_sub(self.memory_base_bytes) / self.memory_player_bytes.max(1);
        by_cpu.min(by_memory)
    }
}

impl Prices {
    /// The list that is part of the program.
    pub(super) fn embedded() -> Prices {
        let text = include_str!("../../../../infrastructure/cost/prices.json");
        serde_json::from_str(text).expect("a test reads it")
    }

    /// Every size, the cheapest first.
    pub(super) fn sizes(&self) -> Vec<Size> {
        let Fargate { vcpu_hour_usd, gb_hour_usd, sizes } = &self.fargate;
        let mut sizes: Vec<Size> = sizes
            .iter()
            .map(|&ListedSize { millicores, memory_mib }| {
                let cpu_usd = f64::from(millicores) / 1000.0 * vcpu_hour_usd;
                let memory_usd = f64::from(memory_mib) / 1024.0 * gb_hour_usd;
                Size { millicores, memory_mib, hour_usd: cpu_usd + memory_usd }
            })
            .collect();
        sizes.sort_by(|a, b| a.hour_usd.total_cmp(&b.hour_usd));
        sizes
    }

    /// The cheapest size that has at least this much; the largest when none has. A machine that keeps a little for itself
    /// still counts as what it is sold as.
    pub(super) fn size_for(&self, millicores: u32, memory_bytes: u64) -> Size {
        let (sizes, memory_mib) = (self.sizes(), memory_bytes / (1024 * 1024));
        let is_enough = |size: &&Size| {
            u64::from(size.millicores) * 105 >= u64::from(millicores) * 100
                && u64::from(size.memory_mib) * 105 >= memory_mib * 100
        };
        let found = sizes.iter().find(is_enough).or(sizes.last()).copied();
        found.unwrap_or(Size { millicores, memory_mib: 0, hour_usd: 0.0 })
    }

    /// A size by its name.
    pub(super) fn size_named(&self, name: &str) -> Option<Size> {
        self.sizes().into_iter().find(|size| size.name() == name)
    }
}

/// What a server should run on, from its load; `millicores` and `memory_bytes` are what it has.
pub(super) fn rightsize(prices: &Prices, millicores: u32, memory_bytes: u64, load: Load) -> Rightsizing {
    let now = prices.size_for(millicores, memory_bytes);
    let cpu = f64::from(load.cpu_p95_permille) / 10.0;
    let memory = f64::from(load.memory_max_permille) / 10.0;
    let figures =
        format!("its processor is at {cpu:.1} % (95th percentile) and its memory at {memory:.1} % (highest)");
    let keep = |verdict, reason| (verdict, reason, now);
    let is_busy =
        load.cpu_p95_permille > CPU_BUSY_PERMILLE || load.memory_max_permille > MEMORY_BUSY_PERMILLE;
    let is_idle =
        load.cpu_p95_permille < CPU_IDLE_PERMILLE && load.memory_max_permille < MEMORY_IDLE_PERMILLE;
    let fits =
        |is_wanted: &dyn Fn(&Size) -> bool| fitting(prices, millicores, memory_bytes, &load, is_wanted);
    // What is busy keeps all that it has; what is idle may lose of both.
    let has_more =
        |size: &Size| size.millicores >= now.millicores && size.memory_mib >= now.memory_mib && *size != now;
    let is_cheaper = |size: &Size| size.hour_usd < now.hour_usd;
    let (verdict, reason, recommended) = if load.measured_ms < MEASURED_MIN_MS {
        keep(Verdict::Unknown, "measured for less than an hour: too short to say".to_owned())
    } else if is_busy {
        match fits(&has_more) {
            Some(size) => {
                (Verdict::Upsize, format!("{figures}: above 80 % or 85 % a bad minute has no room"), size)
            }
            None => keep(Verdict::Upsize, format!("{figures}, and there is no larger size: add a server")),
        }
    } else if !is_idle {
        keep(Verdict::Keep, format!("{figures}: it fits"))
    } else if load.measured_ms < QUIET_MIN_MS {
        keep(Verdict::Unknown, format!("{figures}, but a smaller size needs a whole day of figures"))
    } else {
        match fits(&is_cheaper) {
            Some(size) => {
                (Verdict::Downsize, format!("{figures}: below 20 % and 50 % a smaller one will do"), size)
            }
            None => keep(Verdict::Keep, format!("{figures}, and there is no smaller size that is cheaper")),
        }
    };
    let saving_usd = cents(now.month_usd() - recommended.month_usd());
    Rightsizing { verdict, reason, size: now.name(), recommended: recommended.name(), saving_usd, load }
}

/// The cheapest of the wanted sizes on which this load leaves room.
fn fitting(
    prices: &Prices,
    millicores: u32,
    memory_bytes: u64,
    load: &Load,
    is_wanted: &dyn Fn(&Size) -> bool,
) -> Option<Size> {
    let cpu_used = u64::from(millicores) * u64::from(load.cpu_p95_permille);
    let memory_used_mib = memory_bytes / (1024 * 1024) * u64::from(load.memory_max_permille);
    prices.sizes().into_iter().find(|size| {
        is_wanted(size)
            && u64::from(size.millicores) * CPU_FULL_PERMILLE >= cpu_used
            && u64::from(size.memory_mib) * MEMORY_FULL_PERMILLE >= memory_used_mib
    })
}

/// Players that a server carries at its limits, if it goes on as it did with the most that it had.
pub(super) fn carried(players_max: u64, cpu_p95_permille: u32, memory_max_permille: u32) -> u64 {
    let by_cpu = players_max * CPU_FULL_PERMILLE / u64::from(cpu_p95_permille.max(1));
    let by_memory = players_max * MEMORY_FULL_PERMILLE / u64::from(memory_max_permille.max(1));
    by_cpu.min(by_memory)
}

/// One phase as it was planned.
struct Planned {
    users_from: u64,
    users_to: u64,
    servers_min: u32,
    database: usize,
    /// With a second one that takes over.
    is_doubled: bool,
    cache: Option<usize>,
    /// What a load balancer counts besides its hours: connections, requests and bytes.
    balancer_units: f64,
    planned_usd: f64,
}

/// Small, growing, grown.
const PLAN: [Planned; 3] = [
    Planned {
        users_from: 0,
        users_to: 1_000,
        servers_min: 1,
        database: 0,
        is_doubled: false,
        cache: None,
        balancer_units: 0.2,
        planned_usd: 70.0,
    },
    Planned {
        users_from: 1_000,
        users_to: 10_000,
        servers_min: 2,
        database: 1,
        is_doubled: true,
        cache: Some(0),
        balancer_units: 1.0,
        planned_usd: 280.0,
    },
    Planned {
        users_from: 10_000,
        users_to: 50_000,
        servers_min: 2,
        database: 2,
        is_doubled: true,
        cache: Some(1),
        balancer_units: 3.0,
        planned_usd: 1_000.0,
    },
];

/// The three phases with what they cost, each at its upper end.
pub(super) fn phases(prices: &Prices, capacity: &Capacity, at_once_percent: u64) -> Vec<Phase> {
    PLAN.iter().map(|planned| phase(prices, capacity, planned, planned.users_to, at_once_percent)).collect()
}

/// So many users, with the parts of the phase that they belong to.
pub(super) fn plan_for(prices: &Prices, capacity: &Capacity, users: u64, at_once_percent: u64) -> Phase {
    phase(prices, capacity, planned_for(users), users, at_once_percent)
}

/// The most players at once that any plan here carries.
pub(super) fn players_max(prices: &Prices, capacity: &Capacity) -> u64 {
    let most = prices.sizes().iter().map(|size| capacity.players(size)).max();
    most.unwrap_or(0) * u64::from(SERVERS_MAX)
}

/// The phase that so many users belong to; the last one has no end.
fn planned_for(users: u64) -> &'static Planned {
    let [small, growing, grown] = &PLAN;
    if users <= small.users_to {
        small
    } else if users <= growing.users_to {
        growing
    } else {
        grown
    }
}

fn phase(prices: &Prices, capacity: &Capacity, planned: &Planned, users: u64, at_once_percent: u64) -> Phase {
    let players_at_once = users * at_once_percent / 100;
    let (servers, size) = cheapest(prices, capacity, planned.servers_min, players_at_once);
    let mut parts = vec![("servers".to_owned(), cents(f64::from(servers) * size.month_usd()))];
    parts.extend(fixed_parts(prices, planned, users));
    let total_usd = cents(parts.iter().map(|(_, usd)| usd).sum());
    let size = size.name();
    Phase {
        users_from: planned.users_from,
        users_to: users,
        players_at_once,
        servers,
        size,
        parts,
        total_usd,
        planned_usd: planned.planned_usd,
    }
}

/// The fewest dollars that carry so many players; of two equal answers the one with fewer servers.
fn cheapest(prices: &Prices, capacity: &Capacity, servers_min: u32, players: u64) -> (u32, Size) {
    let sizes = prices.sizes();
    let mut best: Option<(u32, Size)> = None;
    for servers in servers_min..=SERVERS_MAX {
        let carries = |size: &&Size| capacity.players(size) * u64::from(servers) >= players;
        let Some(size) = sizes.iter().find(carries) else { continue };
        let cost = |(servers, size): (u32, Size)| f64::from(servers) * size.hour_usd;
        if best.is_none_or(|best| cost((servers, *size)) < cost(best) - 1e-9) {
            best = Some((servers, *size));
        }
    }
    best.unwrap_or((SERVERS_MAX, prices.size_for(u32::MAX, u64::MAX)))
}

/// What costs by the month whatever the servers do, by name.
fn fixed_parts(prices: &Prices, planned: &Planned, users: u64) -> Vec<(String, f64)> {
    let month = |hour_usd: f64| hour_usd * HOURS_PER_MONTH;
    let copies = if planned.is_doubled { 2.0 } else { 1.0 };
    let thousands = thousands(users);
    let hour_usd = |list: &[Named], index: usize| list.get(index).map_or(0.0, |named| named.hour_usd);
    let database = copies * month(hour_usd(&prices.databases, planned.database));
    let redis = planned.cache.map_or(0.0, |index| month(hour_usd(&prices.caches, index)));
    let LoadBalancer { hour_usd, unit_hour_usd, .. } = prices.load_balancer;
    let balancer = month(hour_usd + planned.balancer_units * unit_hour_usd);
    let storage_gb = (thousands * STORAGE_GB_PER_1000_USERS).max(STORAGE_GB_MIN);
    let storage = copies * storage_gb * prices.storage_gb_month_usd;
    let traffic_gb = (thousands * TRAFFIC_GB_PER_1000_USERS - prices.traffic_free_gb).max(0.0);
    let logs = thousands * LOGS_GB_PER_1000_USERS * prices.logs_gb_usd;
    [
        ("database", database),
        ("redis", redis),
        ("load balancer", balancer),
        ("storage and traffic", storage + traffic_gb * prices.traffic_gb_usd + logs),
    ]
    .map(|(name, usd)| (name.to_owned(), cents(usd)))
    .into()
}

fn thousands(users: u64) -> f64 {
    u32::try_from(users).map_or(f64::MAX, f64::from) / 1000.0
}

/// Which parts of the plan an installation has besides its servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Installation {
    /// A Postgres, not a file.
    pub(super) has_database: bool,
    /// A Redis.
    pub(super) has_redis: bool,
    /// A load balancer.
    pub(super) has_balancer: bool,
}

/// Dollars a month besides the servers, of the phase in which this many players at once are.
pub(super) fn fixed_month_usd(prices: &Prices, installation: Installation, players_at_once: u64) -> f64 {
    let users = players_at_once.saturating_mul(100) / AT_ONCE_PERCENT;
    let planned = planned_for(users);
    let is_there = |name: &str| match name {
        "database" => installation.has_database,
        "redis" => installation.has_redis,
        "load balancer" => installation.has_balancer,
        // A file lies on the server's own disk, and a server at home sends for nothing.
        _ => installation.has_database || installation.has_balancer,
    };
    fixed_parts(prices, planned, planned.users_to)
        .iter()
        .filter(|(name, _)| is_there(name))
        .map(|(_, usd)| usd)
        .sum()
}

/// Dollars with two digits behind the point.
pub(super) fn cents(usd: f64) -> f64 {
    (usd * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests;
