use persistence::MemoryStore;
use simulation::calendar::parse_rfc3339;

use super::*;

fn at(text: &str) -> i64 {
    parse_rfc3339(text).expect("a time")
}

/// Half of a month of 30 days is over.
const NOON: &str = "2026-11-16T00:00:00Z";

fn costs(pairs: &[(&str, &str)], now: &str) -> (Costs, MemoryStore, Clock) {
    let look_up = |name: &str| {
        pairs.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
    };
    let config = Config::parse(look_up).expect("the test's variables are right");
    let (store, clock) = (MemoryStore::new(), Clock::fixed(at(now)));
    let costs = Costs::new(&config, Arc::new(store.clone()), clock.clone()).expect("clients can be made");
    (costs, store, clock)
}

fn time(size: &str, hours: u64, since: &str) -> ServerTime {
    ServerTime { size: size.to_owned(), seconds: hours * 3600, since_ms: at(since) }
}

#[test]
fn a_month_ends_where_the_next_one_begins() {
    for (now, number, name, start, end) in [
        (NOON, 202_611, "2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("2026-12-31T23:59:59Z", 202_612, "2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2028-02-29T12:00:00Z", 202_802, "2028-02", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("2027-01-01T00:00:00Z", 202_701, "2027-01", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"),
    ] {
        let span = MonthSpan::at(at(now));
        assert_eq!((span.month, span.start_ms, span.end_ms), (Month(number), at(start), at(end)), "{now}");
        assert_eq!(span.name(), name);
    }
}

#[test]
fn a_month_costs_what_ran_and_what_belongs_to_it() {
    let first = "2026-11-01T00:00:00Z";
    let span = MonthSpan::at(at(NOON));
    let two_small = [time("Fargate 0.5 vCPU, 1 GB", 720, first)];
    // A file and no balancer: two servers for 15 days, and as much again.
    let (alone, ..) = costs(&[], NOON);
    let money = alone.money(span, at(NOON), &two_small);
    assert_eq!((money.spent_usd, money.forecast_usd), (17.77, 35.55));
    let postgres = ("DATABASE_URL", "postgres://db/hero");
    let all = [postgres, ("REDIS_URL", "redis://r"), ("TRUSTED_PROXIES", "10.0.0.0/8")];
    let (whole, ..) = costs(&all, NOON);
    let money = whole.money(span, at(NOON), &two_small);
    let fixed = model::fixed_month_usd(&whole.prices, whole.installation, 0);
    assert!(fixed > 20.0, "{fixed}");
    assert_eq!(money.spent_usd, cents(17.774_88 + fixed / 2.0));
    assert_eq!(money.forecast_usd, cents(35.549_76 + fixed));
    // One that began in the middle of the month is not charged for the time before it.
    let (money, later) =
        (whole.money(span, at(NOON), &[time("Fargate 0.5 vCPU, 1 GB", 0, NOON)]), fixed / 2.0);
    assert_eq!(money.spent_usd, 0.0);
    assert!(money.forecast_usd > later && money.forecast_usd < fixed + 2_000.0, "{money:?}");
    // A size that this list does not know costs nothing, rather than something made up.
    assert_eq!(alone.money(span, at(NOON), &[time("Fargate 3 vCPU, 1 GB", 720, first)]).spent_usd, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_server_adds_the_time_that_it_ran() {
    let (costs, store, _clock) = costs(&[], NOON);
    let month = Month(202_611);
    tokio::time::advance(Duration::from_millis(59_900)).await;
    costs.step().await.expect("the store is there");
    tokio::time::advance(Duration::from_millis(60_200)).await;
    store.fail_until_healed(persistence::Fault::Unavailable);
    costs.step().await.expect_err("the store is away");
    store.heal();
    costs.step().await.expect("the store is back");
    let times = store.server_time(month).await.expect("memory");
    assert_eq!(times.len(), 1);
    assert_eq!(
        (times[0].seconds, times[0].since_ms),
        (120, at(NOON)),
        "nothing is lost and nothing counted twice"
    );
    assert!(costs.prices.size_named(&times[0].size).is_some(), "{}", times[0].size);
}

#[tokio::test]
async fn the_panel_is_shown_the_whole_page() {
    let (costs, store, _clock) = costs(&[("MONTHLY_BUDGET_USD", "280")], NOON);
    costs.sample(&Machine::of_this_process(None).usage(), 3);
    let page = costs.view().await.expect("the store is there");
    assert_eq!((page.budget.budget_usd, page.budget.spent_usd), (280, 0.0));
    assert_eq!(page.budget.told_to, Vec::<String>::new());
    assert_eq!(page.phases.len(), 3);
    assert!(page.prices_of.contains("check before you rely on them"), "{}", page.prices_of);
    store.set_budget_usd(1_000, 0).await.expect("memory");
    assert_eq!(costs.view().await.expect("the store is there").budget.budget_usd, 1_000);
}
