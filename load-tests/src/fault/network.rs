//! What is between the server and its Postgres: cut after any byte, silent, slow to let go, full. The database itself is
//! well; the server must notice, wait, and lose nothing.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use test_servers::{Postgres, PostgresOptions};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::task::block_in_place;
use tokio::time::Instant;

use super::{Bench, Case, Need, Outcome, postgres};
use crate::faults::{Server, ServerPlan};
use crate::proxy::{Cut, Direction, Faults, Flow, Proxy};
use crate::scenario::crowd::{Crowd, CrowdOptions};
use crate::scenario::settle::{settle, wait_for_metric};

/// Longest wait for anything here; the server's own waits are 5 s.
const WITHIN: Duration = Duration::from_secs(40);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// A call without an answer is given up after 5 s; with what a busy machine adds.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(7);
/// Bytes of a flush of this crowd to the database, and of its answer, with something to spare.
const REQUEST_BYTES_MAX: u64 = 12_000;
const ANSWER_BYTES_MAX: u64 = 240;

const NEEDS: &[Need] = &[Need::Postgres, Need::Program("psql")];

pub(super) const CUT: Case = Case {
    id: "9",
    name: "TCP to the database cut after each n-th byte",
    needs: NEEDS,
    quick: true,
    is_control: false,
    run: |bench| Box::pin(cut(bench)),
};

pub(super) const BLACK_HOLE: Case = Case {
    id: "10",
    name: "black-holed database",
    needs: NEEDS,
    quick: true,
    is_control: false,
    run: |bench| Box::pin(black_hole(bench)),
};

pub(super) const OVERTAKEN: Case = Case {
    id: "11",
    name: "the old backend commits after the retry began",
    needs: NEEDS,
    // Whether the two meet is a matter of milliseconds; every change has the same as a test of the store.
    quick: false,
    is_control: false,
    run: |bench| Box::pin(overtaken(bench)),
};

pub(super) const LOCKED: Case = Case {
    id: "12",
    name: "a lock held 10 s in the database",
    needs: NEEDS,
    quick: true,
    is_control: false,
    run: |bench| Box::pin(locked(bench)),
};

pub(super) const CROWDED: Case = Case {
    id: "13",
    name: "too many connections in the database",
    needs: NEEDS,
    quick: true,
    is_control: false,
    run: |bench| Box::pin(crowded(bench)),
};

/// A server that reaches its Postgres through the proxy, and its players.
struct Line {
    postgres: Postgres,
    /// The database without the proxy, for our own questions.
    direct: String,
    proxy: Proxy,
    plan: ServerPlan,
    server: Server,
    crowd: Crowd,
}

impl Line {
    async fn start(bench: &Bench, case: &str, options: &PostgresOptions) -> Result<Self> {
        let postgres = block_in_place(|| Postgres::start_with(options));
        let direct = block_in_place(|| postgres.new_database());
        let proxy = Proxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, postgres.port()))).await?;
        let through =
            direct.replace(&format!(":{}/", postgres.port()), &format!(":{}/", proxy.address().port()));
        ensure!(through != direct, "the address of the database has an unexpected shape: {direct}");
        let plan = bench.plan(case)?.on_database(&through);
        plan.migrate().await?;
        let server = plan.start().await?;
        let options = CrowdOptions { bots: 40, seed: bench.seed, wish_every_ms: 60, cut_once_in: 0 };
        let crowd = Crowd::start(&plan.endpoint(), &options).await?;
        Ok(Self { postgres, direct, proxy, plan, server, crowd })
    }

    /// Waits until so many more commands are acknowledged.
    async fn play_on(&self, more: u64) -> Result<()> {
        let wanted = self.crowd.stats.acknowledged.get() + more;
        self.wait(|| self.crowd.stats.acknowledged.get() >= wanted, "nobody is served").await
    }

    async fn wait(&self, mut holds: impl FnMut() -> bool, otherwise: &str) -> Result<()> {
        let deadline = Instant::now() + WITHIN;
        while !holds() {
            ensure!(Instant::now() < deadline, "{otherwise}:\n{}", self.plan.log_tail());
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Backends that wait for a lock inside a flush.
    fn waiting_flushes(&self) -> Result<u64> {
        let sql = "SELECT count(*) FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND query LIKE '%journal_append%'";
        postgres::ask(&self.direct, sql)?.parse().context("a count is a number")
    }

    async fn refused_read_only(&self) -> u64 {
        self.crowd.stats.refused().get("read_only").copied().unwrap_or(0)
    }

    /// How long it takes until everybody is served again.
    async fn served_again(&self) -> Result<Duration> {
        let mended = Instant::now();
        wait_for_metric(&self.plan, "journal_read_only", 0.0, WITHIN).await?;
        self.play_on(20).await?;
        Ok(mended.elapsed())
    }

    async fn settle(self, injected: String, checked: String) -> Result<Outcome> {
        let is_expected = |line: &str| line.contains("the store is away or full");
        let settled = settle(&self.plan, self.server, self.crowd, &is_expected).await?;
        drop(self.postgres);
        Ok(Outcome::of(&settled, injected, checked))
    }
}

async fn cut(bench: &Bench) -> Result<Outcome> {
    let line = Line::start(bench, "9", &PostgresOptions::default()).await?;
    let each = u64::from(bench.count(60, 8));
    let before = line.proxy.counts().cut.get();
    let retries_before = line.plan.metric("journal_retries_total").await?;
    for (is_to_server, bytes_max) in [(true, REQUEST_BYTES_MAX), (false, ANSWER_BYTES_MAX)] {
        for number in 0..each {
            let direction =
                Direction { cut_after_bytes: Some(number * bytes_max / each), ..Direction::default() };
            let cut = if number % 2 == 0 { Cut::Reset } else { Cut::End };
            let faults = match is_to_server {
                true => Faults { to_server: direction, cut, ..Faults::default() },
                false => Faults { to_client: direction, cut, ..Faults::default() },
            };
            let cut_so_far = line.proxy.counts().cut.get();
            line.proxy.set(faults);
            line.wait(|| line.proxy.counts().cut.get() > cut_so_far, "nothing was cut").await?;
            line.proxy.heal();
            line.play_on(5).await?;
        }
    }
    let cuts = line.proxy.counts().cut.get() - before;
    let retries = line.plan.metric("journal_retries_total").await? - retries_before;
    let injected = format!(
        "{cuts} connections cut after 0 to {REQUEST_BYTES_MAX} bytes to the database and 0 to {ANSWER_BYTES_MAX} from it, \
         by reset and by end in turn"
    );
    let mut outcome = line.settle(injected, format!("{retries} flushes sent again")).await?;
    outcome.expect(retries > 0.0, "no flush was hit by a cut");
    Ok(outcome)
}

async fn black_hole(bench: &Bench) -> Result<Outcome> {
    let line = Line::start(bench, "10", &PostgresOptions::default()).await?;
    line.play_on(50).await?;
    let times = bench.count(4, 1);
    let (mut longest, mut longest_back) = (Duration::ZERO, Duration::ZERO);
    for number in 0..times {
        let retries = line.plan.metric("journal_retries_total").await?;
        let flow = if number % 2 == 0 { Flow::Held } else { Flow::Swallowed };
        line.proxy.set(Faults::black_hole(flow));
        let begun = Instant::now();
        while line.plan.metric("journal_retries_total").await? <= retries {
            ensure!(begun.elapsed() < WITHIN, "no call was given up:\n{}", line.plan.log_tail());
            tokio::time::sleep(LOOK_EVERY).await;
        }
        longest = longest.max(begun.elapsed());
        wait_for_metric(&line.plan, "journal_read_only", 1.0, WITHIN).await?;
        let refused = line.refused_read_only().await;
        let deadline = Instant::now() + WITHIN;
        while line.refused_read_only().await <= refused {
            ensure!(Instant::now() < deadline, "nobody was refused with read_only");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        line.proxy.heal();
        longest_back = longest_back.max(line.served_again().await?);
    }
    let checked = format!(
        "a call given up after {} ms at the longest, served again within {} ms, {} commands refused with read_only",
        longest.as_millis(),
        longest_back.as_millis(),
        line.refused_read_only().await
    );
    let injected = format!("{times} black holes, held and swallowing in turn, until read-only");
    let mut outcome = line.settle(injected, checked).await?;
    outcome.expect(longest <= GIVEN_UP_WITHIN, format!("a call was given up only after {longest:?}"));
    Ok(outcome)
}

async fn overtaken(bench: &Bench) -> Result<Outcome> {
    let line = Line::start(bench, "11", &PostgresOptions::default()).await?;
    let times = bench.count(40, 5);
    let mut overtaken = 0;
    for _ in 0..times {
        line.play_on(5).await?;
        let mut lock = Session::open(&line.direct).await?;
        lock.say("BEGIN; SELECT count(*) FROM (SELECT 1 FROM hero_head FOR UPDATE) AS locked;").await?;
        let deadline = Instant::now() + WITHIN;
        while line.waiting_flushes()? < 1 {
            ensure!(Instant::now() < deadline, "no flush waits for the lock");
        }
        // The server's end is cut; the backend still waits, and will commit.
        line.proxy.cut_all(Cut::Reset);
        let cut = Instant::now();
        // Postgres looks once a second whether a waiting backend's client is gone.
        while line.waiting_flushes()? < 2 && cut.elapsed() < Duration::from_millis(700) {}
        overtaken += u32::from(line.waiting_flushes()? >= 2);
        lock.say("COMMIT;").await?;
        lock.close().await?;
    }
    line.play_on(50).await?;
    let injected = format!(
        "{times} flushes cut off while their backend waited for a lock, which was freed during the retry"
    );
    let checked = format!("{overtaken} times both backends waited for the same heads");
    let mut outcome = line.settle(injected, checked).await?;
    outcome.expect(
        overtaken * 2 >= times,
        format!("only {overtaken} of {times} repetitions met the older call"),
    );
    Ok(outcome)
}

async fn locked(bench: &Bench) -> Result<Outcome> {
    let line = Line::start(bench, "12", &PostgresOptions::default()).await?;
    let times = bench.count(3, 1);
    let mut longest_back = Duration::ZERO;
    for number in 0..times {
        line.play_on(50).await?;
        let table = if number % 2 == 0 { "hero_head" } else { "hero_event" };
        let mut lock = Session::open(&line.direct).await?;
        lock.say(&format!("BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE;")).await?;
        let begun = Instant::now();
        wait_for_metric(&line.plan, "journal_read_only", 1.0, WITHIN).await?;
        tokio::time::sleep(Duration::from_secs(10).saturating_sub(begun.elapsed())).await;
        lock.say("COMMIT;").await?;
        lock.close().await?;
        longest_back = longest_back.max(line.served_again().await?);
    }
    let checked = format!(
        "read-only during each, served again within {} ms, {} commands refused with read_only",
        longest_back.as_millis(),
        line.refused_read_only().await
    );
    line.settle(format!("{times} tables locked for 10 s"), checked).await
}

async fn crowded(bench: &Bench) -> Result<Outcome> {
    const CONNECTIONS: u32 = 24;
    let options = PostgresOptions { max_connections: CONNECTIONS, ..PostgresOptions::default() };
    let line = Line::start(bench, "13", &options).await?;
    let times = bench.count(3, 1);
    let (mut longest_back, mut intruders_count) = (Duration::ZERO, 0);
    for _ in 0..times {
        line.play_on(50).await?;
        // The server's own connections are cut, and others take every place that gets free.
        let mut intruders = Vec::new();
        line.proxy.set(Faults::black_hole(Flow::Swallowed));
        line.proxy.cut_all(Cut::Reset);
        for _ in 0..CONNECTIONS + 4 {
            intruders.push(Session::open(&line.direct).await?);
        }
        let deadline = Instant::now() + WITHIN;
        while postgres::ask(&line.direct, "SELECT 1").is_ok() {
            ensure!(Instant::now() < deadline, "the database still has a place");
            intruders.push(Session::open(&line.direct).await?);
        }
        intruders_count += intruders.len();
        line.proxy.heal();
        wait_for_metric(&line.plan, "journal_read_only", 1.0, WITHIN).await?;
        for intruder in intruders {
            intruder.kill().await?;
        }
        longest_back = longest_back.max(line.served_again().await?);
    }
    let checked =
        format!("read-only while there was no place, served again within {} ms", longest_back.as_millis());
    let injected = format!("{times} times all {CONNECTIONS} places taken by {intruders_count} others in all");
    line.settle(injected, checked).await
}

/// A `psql` that is told what to do, a line at a time.
struct Session {
    child: Child,
}

impl Session {
    async fn open(url: &str) -> Result<Self> {
        let child = Command::new("psql")
            .args(["-X", "-q", "-A", "-t", "-d", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run psql")?;
        Ok(Self { child })
    }

    async fn say(&mut self, sql: &str) -> Result<()> {
        let input = self.child.stdin.as_mut().context("psql has an input")?;
        input.write_all(format!("{sql}\n").as_bytes()).await.context("psql has ended")?;
        Ok(())
    }

    /// Lets it do what it was told, and waits for its end.
    async fn close(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let ended = tokio::time::timeout(WITHIN, self.child.wait()).await;
        ensure!(ended.context("psql does not end")??.success(), "psql was refused something");
        Ok(())
    }

    async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("cannot end psql")
    }
}
