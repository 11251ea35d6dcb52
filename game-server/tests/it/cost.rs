//! A part of the month's budget is spent: told by a real mail and to a real HTTP server, once, by one of many servers.

use std::sync::Arc;

use game_server::clock::Clock;
use game_server::operations::cost::Costs;
use persistence::MemoryStore;
use persistence::budget::{BudgetNotice, BudgetStore, CLAIM_LIFE_MS, Month};

use crate::accounts::NOW_MS;
use crate::collector::Collector;
use crate::harness::{TestServer, config, wait_until};
use crate::leaks;
use crate::mail::Receiver;

/// A size of the list of prices, at 1.83 dollars an hour less than nobody would call large.
const LARGE: &str = "Fargate 8 vCPU, 60 GB";
const WEBHOOK: &str = "/services/T0/B0/3f2a9c-webhook-canary";

/// The month of `NOW_MS`.
fn month() -> Month {
    let date = simulation::calendar::format_rfc3339(NOW_MS);
    Month(date[..4].parse::<u32>().expect("a year") * 100 + date[5..7].parse::<u32>().expect("a month"))
}

async fn spend(store: &dyn BudgetStore, usd: u32) {
    // 60 GB and 8 processors cost a little under 0.6 dollars an hour.
    let seconds = usd * 3600 * 100 / 59;
    store.add_server_time(month(), LARGE, seconds, NOW_MS).await.expect("memory takes it");
}

/// As many servers as one likes on one store, with the same mail server and the same Slack.
struct Bench {
    store: MemoryStore,
    clock: Clock,
    mails: Receiver,
    slack: Collector,
}

impl Bench {
    async fn start(busy: usize) -> Bench {
        let (mails, slack) = (Receiver::start(busy).await, Collector::start().await);
        Bench { store: MemoryStore::new(), clock: Clock::fixed(NOW_MS), mails, slack }
    }

    fn server(&self) -> Arc<Costs> {
        let webhook = format!("{}{WEBHOOK}", self.slack.url());
        leaks::secret("webhook", &webhook);
        let config = config(&[
            ("SMTP_URL", self.mails.url()),
            ("MAIL_FROM", "Hero <hero@example.org>"),
            ("PUBLIC_URL", "https://play.example.org"),
            ("BUDGET_MAIL_TO", "operators@example.org"),
            ("SLACK_WEBHOOK_URL", &webhook),
            ("MONTHLY_BUDGET_USD", "100"),
        ]);
        assert!(!format!("{config:?}").contains("canary"), "a webhook is a secret");
        let store = Arc::new(self.store.clone());
        Arc::new(Costs::new(&config, store, self.clock.clone()).expect("clients can be made"))
    }

    /// All servers look at the same time.
    async fn look(servers: &[Arc<Costs>]) {
        let looks = servers.iter().cloned().map(|server| tokio::spawn(async move { server.step().await }));
        for look in looks.collect::<Vec<_>>() {
            look.await.expect("no panic").expect("the store is there");
        }
    }

    fn stop(self) {
        self.mails.stop();
        self.slack.stop();
    }
}

#[tokio::test]
async fn of_many_servers_one_tells_each_part_once_a_month() {
    let mut bench = Bench::start(0).await;
    let servers = [bench.server(), bench.server(), bench.server()];
    spend(&bench.store, 40).await;
    Bench::look(&servers).await;
    assert_eq!(bench.slack.requests(), 0, "40 of 100 is not half");
    spend(&bench.store, 42).await;
    for _ in 0..3 {
        Bench::look(&servers).await;
    }
    let mails = [bench.mails.mail().await, bench.mails.mail().await];
    let words = bench.slack.texts();
    assert_eq!(words.len(), 2, "50 and 80, by one server each");
    for percent in [50, 80] {
        let what = format!("{percent} % of the budget of 2027-01 is spent");
        assert_eq!(words.iter().filter(|text| text.contains(&what)).count(), 1, "{words:?}");
        let mail =
            mails.iter().find(|mail| mail.contains(&what)).unwrap_or_else(|| panic!("{what}: {mails:?}"));
        assert!(mail.contains("To: operators@example.org") && mail.contains("of $100."), "{mail}");
    }
    assert_eq!(bench.store.told_percents(month()).await.expect("memory"), [50, 80]);
    spend(&bench.store, 30).await;
    Bench::look(&servers).await;
    assert!(bench.mails.mail().await.contains("100 % of the budget"));
    assert_eq!(bench.slack.requests(), 3);
    bench.stop();
}

#[tokio::test]
async fn what_could_not_be_told_is_told_later() {
    let mut bench = Bench::start(1).await;
    let servers = [bench.server(), bench.server()];
    bench.slack.refuse(1);
    spend(&bench.store, 60).await;
    Bench::look(&servers).await;
    let told = bench.store.told_percents(month()).await.expect("memory");
    assert!(told.is_empty(), "both were away: {told:?}");
    Bench::look(&servers).await;
    assert_eq!(bench.slack.requests(), 1, "nobody is asked all the time");
    bench.clock.advance(CLAIM_LIFE_MS);
    Bench::look(&servers).await;
    assert!(bench.mails.mail().await.contains("50 % of the budget"));
    assert_eq!(bench.slack.requests(), 2);
    let notice = BudgetNotice { month: month(), percent: 50, channel: "slack" };
    assert!(!bench.store.claim_notice(notice, i64::MAX / 2).await.expect("memory"), "it is told for good");
    bench.stop();
}

#[tokio::test]
async fn a_server_counts_itself_from_its_start() {
    let server = TestServer::start().await;
    let budget = Arc::clone(server.budget());
    let now_ms = server.server().node().clock.now_ms();
    let date = simulation::calendar::format_rfc3339(now_ms);
    let number =
        date[..4].parse::<u32>().expect("a year") * 100 + date[5..7].parse::<u32>().expect("a month");
    let (sent, mut times) = tokio::sync::watch::channel(Vec::new());
    let asking = tokio::spawn(async move {
        loop {
            sent.send_replace(budget.server_time(Month(number)).await.expect("memory"));
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
    wait_until("it is in the table", || !times.borrow_and_update().is_empty()).await;
    asking.abort();
    server.stop().await;
}
