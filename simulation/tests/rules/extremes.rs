//! Events with amounts that no rule ever makes: a journal may hold them all the same, and reading it must not end a server.

use simulation::apply::apply;
use simulation::command::{Category, FocusMode};
use simulation::event::{Bonus, Credit, Event, OfflinePart, TimedEvent};
use simulation::hero::{EndKind, Hero, Job, Meter, OwnedModule, Session, SessionState};
use simulation::id::{HeroKey, ModuleId};

/// A hero of whom nothing can become more.
fn full() -> Hero {
    let mut hero = Hero::default();
    hero.wallet.energy_me = i64::MAX;
    hero.wallet.dopamine_md = i64::MIN;
    hero.wallet.lifetime_me = i64::MAX;
    hero.today.energy_me = i64::MAX;
    hero.today.focus_ms = i64::MAX;
    hero.today.bounds.day_no = i32::MIN;
    hero.gap_offline_ms = i64::MAX;
    hero.streak.chain.shields = u8::MAX;
    hero.streak.active_days = u32::MAX;
    hero.presets.slots_bought = u8::MAX;
    let statistics = &mut hero.statistics;
    statistics.focus_ms_by_category = [i64::MAX; 5];
    for count in [
        &mut statistics.sessions,
        &mut statistics.sparks,
        &mut statistics.tasks_done,
        &mut statistics.tasks_backed,
        &mut statistics.frogs,
        &mut statistics.splits,
        &mut statistics.comebacks,
        &mut statistics.breaks,
        &mut statistics.modules_built,
        &mut statistics.welcomes,
    ] {
        *count = u32::MAX;
    }
    hero.session = Some(Box::new(session()));
    hero.assembly.speed_permille = u32::MAX;
    hero.assembly.anchor_ms = i64::MIN;
    hero.assembly.jobs = vec![job()];
    hero
}

fn session() -> Session {
    let end = Meter { focus_ms: i64::MAX, energy_me: i64::MAX, ..Meter::default() };
    Session {
        session_id: 1,
        revision: u32::MAX,
        state: SessionState::Running,
        mode: FocusMode::Flowtime,
        category: Category::None,
        task_id: None,
        intention: None,
        started_at_ms: i64::MIN,
        started_day_no: 0,
        meter: end,
        acted: end,
        signal_ms: 0,
        open_ended: true,
        target_ms: None,
        round: u8::MAX,
        round_from_me: 0,
        completion_me: i64::MAX,
        acted_completion_me: i64::MAX,
        credited_focus_ms: i64::MAX,
        credited_me: i64::MAX,
        credited_md: i64::MIN,
        task_from_ms: 0,
        paused_ms: i64::MAX,
        interruptions: u16::MAX,
        ignited: false,
        started_day_counted: false,
        mod_permille: 0,
        early_rate_ud_per_s: 0,
        rate_ud_per_s: 0,
        interruption_ms: 0,
    }
}

fn gen_sine() -> ModuleId {
    ModuleId::literal("gen_sine")
}

fn job() -> Job {
    Job { job_id: 1, module_id: gen_sine(), paid_me: 1, work_ms: 1, done_permille_ms: i64::MAX }
}

fn events() -> Vec<Event> {
    let credit = Credit {
        energy_me: i64::MAX,
        dopamine_md: i64::MIN,
        focus_ms: i64::MAX,
        day_focus_ms: i64::MAX,
        ..Credit::default()
    };
    let part =
        OfflinePart { day_no: i32::MIN, focus_ms: i64::MAX, energy_me: i64::MAX, dopamine_md: i64::MIN };
    let module =
        OwnedModule { module_id: gen_sine(), level: 1, paid_me: 1, invested_md: i64::MAX, built_at_ms: 0 };
    vec![
        Event::BonusPaid { bonus: Bonus::Ignition, energy_me: i64::MAX },
        Event::BonusPaid { bonus: Bonus::WelcomeBack, energy_me: i64::MAX },
        Event::SessionResumed { paused_ms: i64::MAX, comeback: true },
        Event::OfflineFocusCredited {
            session_id: 1,
            started_at_ms: 0,
            ended_at_ms: 0,
            category: Category::None,
            task_id: None,
            parts: vec![part; 3],
            refused_ms: 0,
            spark: true,
        },
        Event::BreakEnded { taken: true, energy_me: i64::MAX, round_begins: None },
        Event::ShieldGiven { shields: u8::MAX },
        Event::PresetSlotBought { cost_md: i64::MIN },
        Event::BlueprintPinned { module_id: gen_sine() },
        Event::BlueprintPaid { module_id: gen_sine(), cost_me: i64::MAX },
        Event::BlueprintPaid { module_id: gen_sine(), cost_me: i64::MIN },
        Event::ModuleAssembled { job_id: 2, module, cost_md: i64::MIN, counts: true, rarity_slot: Some(9) },
        Event::ModuleUpgraded { module_id: gen_sine(), level: 2, cost_md: i64::MAX },
        Event::TaskCompleted {
            task_id: 1,
            occurrence_day: None,
            energy_me: i64::MAX,
            first: true,
            backed: true,
            focus_ms: i64::MAX,
            frog: true,
            estimate_met: true,
            split: true,
        },
        Event::HeroHandedOver { into: HeroKey([0; 16]), energy_me: i64::MIN, dopamine_md: i64::MIN },
        Event::SessionEnded {
            session_id: 1,
            end: EndKind::Auto,
            ended_at_ms: i64::MAX,
            meter: Meter::default(),
            credit,
            asks: false,
        },
    ]
}

#[test]
fn what_adds_up_stops_at_the_end_of_its_scale() {
    for at_ms in [i64::MIN, 0, i64::MAX] {
        let mut hero = full();
        for event in events() {
            apply(&mut hero, &TimedEvent { at_ms, event });
        }
        assert_eq!(hero.wallet.lifetime_me, i64::MAX);
        assert_eq!(hero.statistics.sessions, u32::MAX);
        assert_eq!(hero.streak.chain.shields, u8::MAX);
    }
}
