//! A server that does nothing but note what it was told.

use std::sync::Mutex;

use crate::operations::{Actor, Answer, Operations, Refused};
use crate::views::{
    Balance, Banner, CatalogueText, CatalogueVersions, Corrected, Correction, Cost, DryRun, HeroAt,
    HistoryPoint, JournalOverview, Outage, Overview, Player, PlayerPage, SimulationOverview, Span, System,
    Timeline, TimelineEvent, UploadedCatalogue,
};

#[derive(Default)]
pub(crate) struct FakeServer {
    /// Who did what, because of which row, and why.
    pub(crate) done: Mutex<Vec<(Actor, String)>>,
    /// What the next correction is answered with.
    pub(crate) failing: Mutex<Option<Refused>>,
}

impl FakeServer {
    pub(crate) fn done(&self) -> Vec<(Actor, String)> {
        self.done.lock().expect("nobody panics with it").clone()
    }

    /// Twice for the same row is once.
    fn note(&self, actor: &Actor, what: String) {
        let mut done = self.done.lock().expect("nobody panics with it");
        if !done.iter().any(|(earlier, _)| earlier.audit_seq == actor.audit_seq) {
            done.push((actor.clone(), what));
        }
    }
}

impl Operations for FakeServer {
    fn overview(&self) -> Overview {
        let is_draining = self.done().iter().any(|(_, what)| what == "drain");
        let readiness = if is_draining { "draining" } else { "ready" };
        Overview { readiness: readiness.into(), ..overview_now() }
    }

    fn history(&self, _span: Span) -> Vec<HistoryPoint> {
        Vec::new()
    }

    fn system(&self) -> Answer<'_, System> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn find_players<'a>(&'a self, query: &'a str, _after: Option<&'a str>) -> Answer<'a, PlayerPage> {
        Box::pin(async move {
            assert_ne!(query, "panic", "a mistake of the server");
            if query == "hang" {
                std::future::pending::<()>().await;
            }
            Err(Refused::Internal)
        })
    }

    fn player<'a>(&'a self, _hero: &'a str) -> Answer<'a, Player> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn timeline<'a>(&'a self, _hero: &'a str, before: Option<u64>, _limit: u32) -> Answer<'a, Timeline> {
        let event = TimelineEvent {
            seq: before.unwrap_or(8) - 1,
            at_ms: 0,
            kind: "session_ended".into(),
            cause: None,
            subject: None,
            energy_me: 900_000,
            dopamine_md: 0,
            command: None,
            catalogue_version: 1,
            operator: None,
            body: serde_json::Value::Null,
        };
        Box::pin(async { Ok(Timeline { last_seq: 9, events: vec![event], before: None }) })
    }

    fn hero_at<'a>(&'a self, _hero: &'a str, _seq: u64) -> Answer<'a, HeroAt> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn balance<'a>(&'a self, _hero: &'a str) -> Answer<'a, Balance> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn export<'a>(&'a self, _hero: &'a str) -> Answer<'a, Vec<u8>> {
        Box::pin(async { Ok(b"{}".to_vec()) })
    }

    fn close_connections<'a>(
        &'a self,
        _actor: Actor,
        _hero: &'a str,
        _connection: Option<&'a str>,
    ) -> Answer<'a, ()> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn ban<'a>(&'a self, actor: Actor, hero: &'a str, is_banned: bool) -> Answer<'a, ()> {
        self.note(&actor, format!("ban {hero} {is_banned}"));
        Box::pin(async { Ok(()) })
    }

    fn erase<'a>(&'a self, _actor: Actor, _hero: &'a str, _is_wanted: bool) -> Answer<'a, ()> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn correct<'a>(&'a self, actor: Actor, hero: &'a str, correction: Correction) -> Answer<'a, Corrected> {
        let what = format!("correct {hero} {} {}", correction.energy_me, correction.dopamine_md);
        let answer = self.failing.lock().expect("nobody panics with it").take();
        if answer.is_none() {
            self.note(&actor, what);
        }
        Box::pin(async move { answer.map_or(Ok(Corrected { seq: 9, energy_me: 1, dopamine_md: 2 }), Err) })
    }

    fn correction_limit(&self) -> Correction {
        Correction { energy_me: 500_000, dopamine_md: 50_000, reverts: None }
    }

    fn outages(&self) -> Answer<'_, Vec<Outage>> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn declare_outage(&self, _actor: Actor, _outage: Outage) -> Answer<'_, ()> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn catalogues(&self) -> Answer<'_, CatalogueVersions> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn catalogue_text(&self, _version: u32) -> Answer<'_, CatalogueText> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn upload_catalogue<'a>(&'a self, actor: Actor, text: &'a str) -> Answer<'a, UploadedCatalogue> {
        self.note(&actor, format!("catalogue of {} bytes", text.len()));
        Box::pin(async { Err(Refused::Invalid("no catalogue".into())) })
    }

    fn dry_run(&self, _version: u32) -> Answer<'_, DryRun> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn switch_catalogue(&self, _actor: Actor, _in_force: u32, _version: u32) -> Answer<'_, ()> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn cost(&self) -> Answer<'_, Cost> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn set_budget(&self, _actor: Actor, _budget_usd: u32) -> Answer<'_, ()> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn set_banner(&self, _actor: Actor, _banner: Option<Banner>) -> Answer<'_, ()> {
        Box::pin(async { Err(Refused::Internal) })
    }

    fn drain(&self, actor: Actor) -> Answer<'_, ()> {
        self.note(&actor, "drain".into());
        Box::pin(async { Ok(()) })
    }
}

fn overview_now() -> Overview {
    Overview {
        version: "1.2.3".into(),
        node_name: "hero-1".into(),
        now_ms: 1_500,
        started_at_ms: 1_000,
        uptime_ms: 500,
        readiness: "ready".into(),
        connections_open: 3,
        connections_max: 10_000,
        heroes_in_memory: 2,
        focus_sessions_open: 1,
        energy_hour_me: 12_000,
        tasks_completed: 4,
        modules_assembled: 1,
        simulation: SimulationOverview {
            shards: 2,
            tick_hz: 10,
            ticks: 40,
            tick_overruns: 0,
            tick_p99_ms: Some(0.2),
            tick_budget_ms: 100.0,
        },
        journal: JournalOverview {
            queue_events: 5,
            queue_events_max: 20_000,
            queue_bytes: 900,
            oldest_age_ms: 4,
            read_only: false,
        },
        ack_p99_ms: Some(4.0),
        cpu_permille: 30,
        cores: 2,
        memory_bytes: 40_000_000,
        memory_limit_bytes: 1_000_000_000,
        redis_up: None,
    }
}
