//! The migration of a Postgres database is cut off: its process killed, its connection ended, Postgres killed under it. The
//! next one finds nothing half-done, and the server starts.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use test_servers::Postgres;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep, timeout};

use super::disk::play_on;
use super::postgres::ask;
use super::{Bench, Case, Need, Outcome};
use crate::faults::ServerPlan;
use crate::scenario::crowd::{Crowd, CrowdOptions};
use crate::scenario::settle::settle;

/// How long a migration of an empty database may take on a busy machine, its wait for another one included.
const MIGRATED_WITHIN: Duration = Duration::from_secs(60);
/// Migrations that begin at the same moment.
const AT_ONCE: usize = 3;
/// Commands that the players of the last database are to have acknowledged.
const PLAYED: u64 = 200;
/// Everything that a migration makes, in one text: columns, keys and checks, indexes, functions, what is recorded as done.
const TABLES: &str = "SELECT md5(string_agg(line, chr(10) ORDER BY line)) FROM (
    SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
        FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', version, success, encode(checksum, 'hex')) FROM _sqlx_migrations
) AS made (line)";
/// How many migrations are recorded as done; an error when there is no record yet.
const DONE: &str = "SELECT count(*) FROM _sqlx_migrations WHERE success";
/// Ends every connection of ours.
const END_THEM: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'dopamine-hero%'";

pub(super) const CUT_OFF: Case = Case {
    id: "24",
    name: "a migration of Postgres is cut off midway, several run at once",
    needs: &[Need::Postgres, Need::Program("psql")],
    quick: true,
    is_control: false,
    run: |bench| Box::pin(cut_off(bench)),
};

/// What cuts a migration off.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// kill -9 of its process; its backend finds out later.
    ProcessKilled,
    /// Its connection is ended by Postgres.
    BackendEnded,
    /// kill -9 of Postgres.
    PostgresKilled,
    /// Others run, and one of them is killed.
    OneOfSeveralKilled,
}

impl Fault {
    /// How often, in the full list and in the short one.
    const ALL: [(Self, u32, u32, &'static str); 4] = [
        (Self::ProcessKilled, 60, 8, "migrations killed"),
        (Self::BackendEnded, 20, 3, "ended by Postgres"),
        (Self::PostgresKilled, 6, 1, "under which Postgres was killed"),
        (Self::OneOfSeveralKilled, 15, 2, "times one of three at once killed"),
    ];
}

struct Trial {
    plan: ServerPlan,
    postgres: Postgres,
    random: StdRng,
    /// How long an undisturbed migration takes: the faults come within it.
    usual_ms: u64,
    /// What it leaves.
    tables: String,
    /// Faults that came while the migration ran.
    midway: u32,
    /// How many migrations were recorded as done right after a fault, and how often.
    cut_at: BTreeMap<u64, u32>,
    refused: u32,
    findings: Vec<String>,
}

async fn cut_off(bench: &Bench) -> Result<Outcome> {
    let postgres = block_in_place(Postgres::start);
    let plan = bench.plan("24")?.on_database(&block_in_place(|| postgres.new_database()));
    let mut trial = Trial {
        plan,
        postgres,
        random: StdRng::seed_from_u64(bench.seed),
        usual_ms: 0,
        tables: String::new(),
        midway: 0,
        cut_at: BTreeMap::new(),
        refused: 0,
        findings: Vec::new(),
    };
    trial.undisturbed().await?;
    let mut injected = Vec::new();
    for (fault, full, quick, what) in Fault::ALL {
        let times = bench.count(full, quick);
        for _ in 0..times {
            trial.new_database().await?;
            trial.cut_off(fault).await?;
            trial.migrates(fault).await?;
        }
        trial.server_starts().await?;
        injected.push(format!("{times} {what}"));
    }
    trial.play(bench, injected.join(", ")).await
}

impl Trial {
    /// Twice: the first one finds cold caches.
    async fn undisturbed(&mut self) -> Result<()> {
        for _ in 0..2 {
            self.new_database().await?;
            let began = Instant::now();
            self.plan.migrate().await?;
            self.usual_ms = u64::try_from(began.elapsed().as_millis())?;
        }
        self.tables = ask(&self.plan.database_url(), TABLES)?;
        Ok(())
    }

    /// An empty one instead of the last one.
    async fn new_database(&mut self) -> Result<()> {
        let url = self.plan.database_url();
        let name = url.rsplit('/').next().and_then(|end| end.split('?').next()).context("no database")?;
        ask(&self.postgres.url(), &format!("DROP DATABASE {name} WITH (FORCE)"))?;
        let new = block_in_place(|| self.postgres.new_database());
        self.plan = self.plan.clone().on_database(&new);
        Ok(())
    }

    /// Begins to migrate and lets the fault come at a random moment.
    async fn cut_off(&mut self, fault: Fault) -> Result<()> {
        let mut migrations = vec![self.plan.start_migration()?];
        if matches!(fault, Fault::OneOfSeveralKilled) {
            for _ in 1..AT_ONCE {
                migrations.push(self.plan.start_migration()?);
            }
        }
        sleep(Duration::from_millis(self.random.random_range(0..=self.usual_ms))).await;
        let mut found = migrations[0].try_wait()?.is_none();
        match fault {
            Fault::ProcessKilled | Fault::OneOfSeveralKilled => {
                migrations.swap_remove(0).kill().await.context("cannot kill a migration")?;
            }
            Fault::BackendEnded => {
                found = !ask(&self.postgres.url(), END_THEM)?.is_empty();
            }
            Fault::PostgresKilled => block_in_place(|| self.postgres.restart()),
        }
        self.midway += u32::from(found);
        let done =
            ask(&self.plan.database_url(), DONE).ok().and_then(|count| count.parse().ok()).unwrap_or(0);
        *self.cut_at.entry(done).or_default() += 1;
        for migration in migrations {
            let output = timeout(MIGRATED_WITHIN, migration.wait_with_output());
            let output = output.await.context("a migration does not end")??;
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            self.refused += u32::from(!output.status.success());
            match fault {
                Fault::OneOfSeveralKilled if !output.status.success() => {
                    self.findings.push(format!("beside a killed migration another one failed: {words}"));
                }
                // It says so and ends in order.
                _ if !output.status.success() && output.status.code() != Some(1) => {
                    self.findings.push(format!("{fault:?}: it ended with {}: {words}", output.status));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The next migration finds nothing half-done.
    async fn migrates(&mut self, after: Fault) -> Result<()> {
        let migrated = timeout(MIGRATED_WITHIN, self.plan.migrate()).await;
        if let Err(error) = migrated.context("it does not end").flatten() {
            self.findings.push(format!("after {after:?}: {error:#}"));
        } else if ask(&self.plan.database_url(), TABLES)? != self.tables {
            self.findings.push(format!("after {after:?}: other tables than an undisturbed migration makes"));
        }
        Ok(())
    }

    async fn server_starts(&mut self) -> Result<()> {
        let status = self.plan.start().await?.stop().await?;
        if !status.success() {
            self.findings
                .push(format!("on a database whose migration was cut off, the server ended with {status}"));
        }
        Ok(())
    }

    /// Players on the last database, and what holds after every fault.
    async fn play(self, bench: &Bench, injected: String) -> Result<Outcome> {
        let server = self.plan.start().await?;
        let options = CrowdOptions { bots: 20, seed: bench.seed, wish_every_ms: 50, cut_once_in: 0 };
        let crowd = Crowd::start(&self.plan.endpoint(), &options).await?;
        play_on(&crowd, PLAYED).await?;
        let settled = settle(&self.plan, server, crowd, &|_| false).await?;
        let at = self.cut_at.iter().map(|(done, times)| format!("{times} × {done} done"));
        let checked = format!(
            "{} faults came while it ran, right after them {}; {} said that they failed; every next one made the same \
             tables, the server played on the last",
            self.midway,
            at.collect::<Vec<_>>().join(", "),
            self.refused
        );
        let mut outcome = Outcome::of(&settled, injected, checked);
        outcome.findings.extend(self.findings);
        outcome.expect(self.midway > 0 && self.cut_at.len() > 1, "nothing was cut off midway");
        Ok(outcome)
    }
}
