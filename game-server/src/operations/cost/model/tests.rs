use admin_http::views::{Load, Verdict};

use super::*;

const HOUR_MS: i64 = 60 * 60 * 1000;
const GIB: u64 = 1 << 30;

fn load(measured_ms: i64, cpu_p95_permille: u32, memory_max_permille: u32) -> Load {
    let cpu_mean_permille = cpu_p95_permille / 2;
    Load {
        measured_ms,
        cpu_mean_permille,
        cpu_p95_permille,
        memory_max_permille,
        players_max: 0,
        players_carried: 0,
    }
}

/// One core and 2 GB, for a day.
fn of_a_day(cpu_permille: u32, memory_permille: u32) -> Rightsizing {
    rightsize(&Prices::embedded(), 1000, 2 * GIB, load(24 * HOUR_MS, cpu_permille, memory_permille))
}

#[test]
fn the_list_of_prices_says_when_and_whence() {
    let prices = Prices::embedded();
    assert!(simulation::calendar::parse_date(&prices.as_of).is_some(), "{}", prices.as_of);
    assert!(prices.source.contains("check before you rely on them"));
    let sizes = prices.sizes();
    assert!(sizes.iter().all(|size| size.hour_usd > 0.0 && prices.size_named(&size.name()) == Some(*size)));
    assert!(sizes.len() <= persistence::budget::SIZES_MAX as usize);
    assert!(sizes.iter().all(|size| size.name().len() <= persistence::budget::SIZE_BYTES_MAX));
    // A task of the smallest size is known to cost about nine dollars a month.
    assert_eq!(cents(sizes[0].month_usd()), 9.01);
    assert_eq!(sizes[0].name(), "Fargate 0.25 vCPU, 0.5 GB");
}

#[test]
fn a_server_is_recognised_by_what_it_may_take() {
    let prices = Prices::embedded();
    let name = |millicores, bytes| prices.size_for(millicores, bytes).name();
    assert_eq!(name(500, GIB), "Fargate 0.5 vCPU, 1 GB");
    assert_eq!(name(500, GIB / 100 * 103), "Fargate 0.5 vCPU, 1 GB", "a little more is the same");
    assert_eq!(name(2000, 24 * GIB), "Fargate 4 vCPU, 30 GB", "the next one that has both");
    assert_eq!(name(64_000, 512 * GIB), "Fargate 8 vCPU, 60 GB", "the largest there is");
}

#[test]
fn a_quiet_server_should_be_smaller() {
    let sized = of_a_day(199, 499);
    assert_eq!(sized.verdict, Verdict::Downsize);
    assert_eq!(
        (sized.size.as_str(), sized.recommended.as_str()),
        ("Fargate 1 vCPU, 2 GB", "Fargate 0.5 vCPU, 2 GB")
    );
    assert!(sized.reason.contains("19.9 %") && sized.reason.contains("49.9 %"), "{}", sized.reason);
    assert_eq!(sized.saving_usd, 14.78);
    let idle = of_a_day(10, 100);
    assert_eq!(idle.recommended, "Fargate 0.25 vCPU, 0.5 GB");
}

#[test]
fn a_busy_server_should_be_larger_also_after_an_hour() {
    for (cpu, memory) in [(801, 100), (100, 851), (950, 900)] {
        let sized = rightsize(&Prices::embedded(), 1000, 2 * GIB, load(HOUR_MS, cpu, memory));
        assert_eq!(sized.verdict, Verdict::Upsize, "{cpu} {memory}");
        assert!(sized.saving_usd < 0.0, "{cpu} {memory}: {}", sized.saving_usd);
        let size = Prices::embedded().size_named(&sized.recommended).expect("a size of the list");
        let room = |used: u64, has: u64| used * 1000 <= has * 800;
        assert!(room(u64::from(cpu), u64::from(size.millicores)), "{}", sized.recommended);
        assert!(room(2048 * u64::from(memory) / 1000, u64::from(size.memory_mib)), "{}", sized.recommended);
    }
    let largest = rightsize(&Prices::embedded(), 8000, 60 * GIB, load(HOUR_MS, 900, 100));
    assert_eq!((largest.verdict, largest.saving_usd), (Verdict::Upsize, 0.0));
    assert!(largest.reason.contains("add a server"), "{}", largest.reason);
}

#[test]
fn what_lies_between_stays() {
    for (cpu, memory) in [(200, 100), (100, 500), (800, 850), (500, 500)] {
        let sized = of_a_day(cpu, memory);
        assert_eq!((sized.verdict, sized.saving_usd), (Verdict::Keep, 0.0), "{cpu} {memory}");
        assert_eq!(sized.size, sized.recommended);
    }
    let smallest = rightsize(&Prices::embedded(), 250, GIB / 2, load(24 * HOUR_MS, 10, 10));
    assert_eq!(smallest.verdict, Verdict::Keep);
}

#[test]
fn too_little_was_measured_to_say() {
    let sized =
        |measured_ms, cpu| rightsize(&Prices::embedded(), 1000, 2 * GIB, load(measured_ms, cpu, 100)).verdict;
    assert_eq!(sized(HOUR_MS - 1, 900), Verdict::Unknown);
    assert_eq!(sized(24 * HOUR_MS - 1, 100), Verdict::Unknown, "a night is no day");
    assert_eq!(sized(24 * HOUR_MS, 100), Verdict::Downsize);
}

#[test]
fn the_plan_holds_with_the_measured_load() {
    let (prices, capacity) = (Prices::embedded(), Capacity::embedded());
    let phases = phases(&prices, &capacity, AT_ONCE_PERCENT);
    let plan: Vec<_> = phases.iter().map(|it| (it.users_from, it.users_to, it.planned_usd)).collect();
    assert_eq!(plan, [(0, 1_000, 70.0), (1_000, 10_000, 280.0), (10_000, 50_000, 1_000.0)]);
    for phase in &phases {
        assert_eq!(phase.players_at_once * 10, phase.users_to, "one in ten is there at once");
        let size = prices.size_named(&phase.size).expect("a size of the list");
        assert!(capacity.players(&size) * u64::from(phase.servers) >= phase.players_at_once);
        let parts: f64 = phase.parts.iter().map(|(_, usd)| usd).sum();
        assert_eq!(cents(parts), phase.total_usd);
        assert!(phase.total_usd <= phase.planned_usd, "{} for {}", phase.total_usd, phase.users_to);
    }
    assert!(phases[1..].iter().all(|phase| phase.servers >= 2), "one may go");
}

#[test]
fn a_weaker_server_costs_more() {
    let prices = Prices::embedded();
    let strong = Capacity::embedded();
    let weak = Capacity { players_per_core: strong.players_per_core / 100, ..strong.clone() };
    let total = |capacity| phases(&prices, capacity, AT_ONCE_PERCENT)[2].total_usd;
    assert!(total(&weak) > total(&strong));
    // Nothing carries this: the plan says the most that it knows, and does not loop.
    let none = Capacity { players_per_core: 0, ..strong };
    assert_eq!(phases(&prices, &none, AT_ONCE_PERCENT)[2].servers, SERVERS_MAX);
}

#[test]
fn players_carried_follow_the_scarcer_of_the_two() {
    assert_eq!(carried(100, 350, 100), 200);
    assert_eq!(carried(100, 100, 400), 200);
    assert_eq!(carried(0, 0, 0), 0);
    assert_eq!(carried(7, 0, 0), 4_900);
}

#[test]
fn an_installation_pays_for_what_it_has() {
    let prices = Prices::embedded();
    let none = Installation { has_database: false, has_redis: false, has_balancer: false };
    assert_eq!(fixed_month_usd(&prices, none, 5_000), 0.0, "a file and one server");
    let all = Installation { has_database: true, has_redis: true, has_balancer: true };
    let by_players = [0, 101, 1_001].map(|players| fixed_month_usd(&prices, all, players));
    assert!(by_players[0] < by_players[1] && by_players[1] < by_players[2], "{by_players:?}");
    let phases = phases(&prices, &Capacity::embedded(), AT_ONCE_PERCENT);
    let servers = phases[2].parts[0].1;
    assert_eq!(cents(by_players[2] + servers), phases[2].total_usd, "the same as in the plan");
}
