//! The server under load: one that runs, or one that is started for it and watched.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::faults::{Server, ServerPlan};
use crate::http::Endpoint;
use crate::process::{self, Memory};

/// Where the server is, or how it is started.
#[derive(Clone, Debug)]
pub enum Target {
    /// One that runs, at `http://host:port`, and its process if that may be looked at.
    Running {
        /// Its address.
        url: String,
        /// Its process on this machine.
        pid: Option<u32>,
    },
    /// One of its own, with a store of its own.
    Own {
        /// The program.
        binary: PathBuf,
        /// Where its store and its log go; a store that is there is used.
        directory: PathBuf,
        /// Instead of a SQLite file there.
        database: Option<String>,
        /// More variables of its environment.
        environment: Vec<(String, String)>,
    },
}

/// How the server was set, and what was found afterwards.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServerFacts {
    /// Where it was.
    pub url: String,
    /// What was set for the run: limits are raised here, because all players are on one machine.
    pub environment: Vec<String>,
    /// Whether `verify` found its store whole; nothing for a server that goes on running.
    pub is_verified: Option<bool>,
    /// Panics and errors in its log.
    pub problems: Vec<String>,
}

/// What a process has taken so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    at: Instant,
    cpu: Duration,
    memory_bytes: u64,
}

/// An open target.
pub(super) struct Running {
    endpoint: Endpoint,
    pid: Option<u32>,
    own: Option<Own>,
    facts: ServerFacts,
}

struct Own {
    plan: ServerPlan,
    server: Option<Server>,
    /// It is asked to stop and started again, while everybody plays.
    replacing: Option<JoinHandle<Result<Server>>>,
}

impl Target {
    pub(super) async fn open(&self) -> Result<Running> {
        match self {
            Target::Running { url, pid } => {
                let facts = ServerFacts { url: url.clone(), ..ServerFacts::default() };
                Ok(Running { endpoint: Endpoint::resolve(url).await?, pid: *pid, own: None, facts })
            }
            Target::Own { binary, directory, database, environment } => {
                let plan = ServerPlan::new(binary, directory)?
                    .without_socket_limits()
                    .with("CONNECTIONS_MAX", "1000000");
                let plan = match database {
                    Some(url) => plan.on_database(url),
                    None => plan,
                };
                let plan = environment.iter().fold(plan, |plan, (name, value)| plan.with(name, value));
                if database.is_some() {
                    plan.migrate().await?;
                }
                let server = plan.start().await?;
                let facts = ServerFacts {
                    url: format!("http://{}", plan.endpoint().authority),
                    environment: plan.variables(),
                    ..ServerFacts::default()
                };
                let pid = server.id();
                Ok(Running {
                    endpoint: plan.endpoint(),
                    pid,
                    own: Some(Own { plan, server: Some(server), replacing: None }),
                    facts,
                })
            }
        }
    }
}

impl Running {
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn facts(&self) -> &ServerFacts {
        &self.facts
    }

    /// That a server of our own still runs.
    pub(super) async fn check(&mut self) -> Result<()> {
        let Some(own) = &mut self.own else { return Ok(()) };
        if own.replacing.as_ref().is_some_and(JoinHandle::is_finished) {
            self.pid = own.replaced().await?;
        }
        if let Some(server) = &mut own.server
            && let Some(status) = server.has_ended()?
        {
            bail!("the server ended with {status}:\n{}", own.plan.log_tail());
        }
        Ok(())
    }

    /// Asks a server of our own to stop and starts it again once it has, without waiting for that. Somebody else's is replaced
    /// by whoever runs it, while this program measures.
    pub(super) fn replace(&mut self) {
        let Some(own) = &mut self.own else { return };
        let Some(server) = own.server.take() else { return };
        let plan = own.plan.clone();
        own.replacing = Some(tokio::spawn(async move {
            let status = server.stop().await?;
            if !status.success() {
                bail!("the server ended with {status}:\n{}", plan.log_tail());
            }
            plan.start().await
        }));
    }

    /// What its process has taken, if it may be looked at.
    pub(super) fn usage(&self) -> Option<Usage> {
        let pid = self.pid?;
        let (cpu, memory) = (process::cpu_time(pid).ok()?, Memory::of(pid).ok()?);
        Some(Usage { at: Instant::now(), cpu, memory_bytes: memory.rss_kib * 1024 })
    }

    /// CPU in thousandths of a core between two looks, and memory at the later one.
    pub(super) fn took(&self, before: Option<Usage>, now: Option<Usage>) -> Option<(u64, u64)> {
        let (before, now) = (before?, now?);
        let passed = now.at.saturating_duration_since(before.at).as_micros();
        // A server that was replaced begins at nothing.
        let cpu = now.cpu.checked_sub(before.cpu).unwrap_or(now.cpu).as_micros();
        let permille = (cpu * 1_000).checked_div(passed)?;
        Some((u64::try_from(permille).ok()?, now.memory_bytes))
    }

    /// Stops a server of our own and looks at what it leaves.
    pub(super) async fn close(self) -> Result<ServerFacts> {
        let Running { own, mut facts, .. } = self;
        let Some(mut own) = own else { return Ok(facts) };
        own.replaced().await?;
        let Own { plan, server, .. } = own;
        if let Some(server) = server {
            let status = server.stop().await?;
            if !status.success() {
                facts.problems.push(format!("it ended with {status}"));
            }
        }
        facts.problems.extend(plan.log_problems());
        let (is_whole, words) = plan.verify().await?;
        if !is_whole {
            facts.problems.push(words);
        }
        facts.is_verified = Some(is_whole);
        Ok(facts)
    }
}

impl Own {
    /// Waits for a server that is being replaced; the process of the new one.
    async fn replaced(&mut self) -> Result<Option<u32>> {
        if let Some(replacing) = self.replacing.take() {
            self.server = Some(replacing.await.context("the replacing panicked")??);
        }
        Ok(self.server.as_ref().and_then(Server::id))
    }
}
