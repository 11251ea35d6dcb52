//! One realistic example of every message.

use protocol::client::{ClientMessage, Command, CommandFrame, Confirmation, Hello, Ping};
use protocol::code::RejectCode;
use protocol::server::{
    CommandResult, Event, Events, GoingAway, Notice, Pong, ServerMessage, Status, Welcome, WelcomeState,
};
use protocol::types::{
    Assembly, Blueprint, Break, Cable, Category, DayTotal, Focus, FocusMode, Hero, HeroPatch, Job,
    OwnedModule, Placement, Preset, Presets, Priority, Profile, Progress, Rack, Recurrence, Session,
    SessionState, Statistics, Streak, Task, ToConfirm, Today, Unlocked, Wallet,
};

/// Sunday, 2026-03-01T08:00:00Z.
const NOW_MS: i64 = 1_772_352_000_000;
const STREAM_ID: u64 = 7_205_759_403_792_793;

/// Every message of a client with the name of its golden file.
pub(crate) fn client() -> Vec<(String, ClientMessage)> {
    let mut all = vec![
        (
            "client.hello".to_owned(),
            ClientMessage::Hello(Hello {
                ticket: "Zm9jdXMtaXMtYS1nZW50bGUtcHJhY3RpY2U".into(),
                stream_id: STREAM_ID,
                last_seq: None,
                client: "example 1.0".into(),
                time_zone: Some("Europe/Berlin".into()),
            }),
        ),
        (
            "client.hello.resume".to_owned(),
            ClientMessage::Hello(Hello {
                ticket: "c3RhcnQtYWdhaW4td2l0aG91dC1ibGFtZQ".into(),
                stream_id: STREAM_ID,
                last_seq: Some(41),
                client: "example 1.0".into(),
                time_zone: None,
            }),
        ),
        ("client.ping".to_owned(), ClientMessage::Ping(Ping { client_ms: 123_456 })),
    ];
    for (index, (name, body)) in commands().into_iter().enumerate() {
        let frame = CommandFrame { cmd_seq: index as u64 + 1, body };
        all.push((format!("client.command.{name}"), ClientMessage::Command(frame)));
    }
    all
}

fn commands() -> Vec<(&'static str, Command)> {
    let mut all = focus_commands();
    all.extend(task_commands());
    all.extend(profile_commands());
    all.extend(module_commands());
    all.extend(rack_commands());
    all
}

fn focus_commands() -> Vec<(&'static str, Command)> {
    let started_at_ms = NOW_MS - 1_500_000;
    vec![
        (
            "start_focus",
            Command::StartFocus {
                mode: FocusMode::Countdown { planned_minutes: 5 },
                category: Category::Creative,
                task_id: None,
            },
        ),
        (
            "start_focus.pomodoro",
            Command::StartFocus {
                mode: FocusMode::Pomodoro { planned_minutes: 25, rounds: 4 },
                category: Category::Learning,
                task_id: Some(7),
            },
        ),
        (
            "start_focus.flowtime",
            Command::StartFocus { mode: FocusMode::Flowtime, category: Category::None, task_id: None },
        ),
        (
            "describe_focus",
            Command::DescribeFocus { task_id: Some(7), intention: Some("the first paragraph".into()) },
        ),
        ("pause_focus", Command::PauseFocus),
        ("resume_focus", Command::ResumeFocus),
        ("interrupt_focus", Command::InterruptFocus),
        ("keep_going", Command::KeepGoing),
        ("end_focus", Command::EndFocus),
        ("cancel_focus", Command::CancelFocus),
        ("start_break", Command::StartBreak),
        ("end_break", Command::EndBreak),
        ("confirm_focus", Command::ConfirmFocus(Confirmation::Yes)),
        ("confirm_focus.until", Command::ConfirmFocus(Confirmation::Until { at_ms: NOW_MS })),
        ("confirm_focus.discard", Command::ConfirmFocus(Confirmation::Discard)),
        (
            "report_offline_focus",
            Command::ReportOfflineFocus {
                started_at_ms,
                duration_ms: 1_500_000,
                category: Category::Analytical,
                task_id: None,
            },
        ),
    ]
}

fn task_commands() -> Vec<(&'static str, Command)> {
    vec![
        (
            "create_task",
            Command::CreateTask {
                title: "Water the plants 🌱".into(),
                category: Category::Physical,
                priority: Priority::Medium,
                estimate_minutes: 15,
                due_on: Some("2026-03-02".into()),
                recurrence: Some(Recurrence::Weekdays { weekdays: vec![1, 4] }),
                parent_id: None,
            },
        ),
        (
            "create_task.subtask",
            Command::CreateTask {
                title: "Find the watering can".into(),
                category: Category::None,
                priority: Priority::Low,
                estimate_minutes: 0,
                due_on: None,
                recurrence: None,
                parent_id: Some(7),
            },
        ),
        (
            "update_task",
            Command::UpdateTask {
                task_id: 7,
                title: "Water all plants".into(),
                category: Category::Physical,
                priority: Priority::High,
                estimate_minutes: 20,
                due_on: None,
                recurrence: Some(Recurrence::EveryDays { days: 3 }),
            },
        ),
        ("complete_task", Command::CompleteTask { task_id: 7, occurrence_on: Some("2026-03-02".into()) }),
        ("reopen_task", Command::ReopenTask { task_id: 7, occurrence_on: None }),
        ("delete_task", Command::DeleteTask { task_id: 8 }),
    ]
}

fn profile_commands() -> Vec<(&'static str, Command)> {
    vec![
        ("rename_hero", Command::RenameHero { name: "Åsa the Calm".into() }),
        (
            "set_time_zone",
            Command::SetTimeZone { time_zone: "America/Sao_Paulo".into(), day_start_minutes: 240 },
        ),
        ("set_daily_goal", Command::SetDailyGoal { minutes: 45 }),
        ("set_rest_days", Command::SetRestDays { weekdays: vec![6, 7] }),
        ("start_vacation", Command::StartVacation { days: 14 }),
        ("end_vacation", Command::EndVacation),
    ]
}

fn module_commands() -> Vec<(&'static str, Command)> {
    let module_id = || "gen_pulse".to_owned();
    vec![
        ("assemble_module", Command::AssembleModule { module_id: module_id() }),
        ("pin_blueprint", Command::PinBlueprint { module_id: "gen_aurora".into() }),
        ("pay_blueprint", Command::PayBlueprint { amount_me: 25_000 }),
        ("unpin_blueprint", Command::UnpinBlueprint),
        ("finish_assembly", Command::FinishAssembly { job_id: 3 }),
        ("cancel_assembly", Command::CancelAssembly { job_id: 3 }),
        ("upgrade_module", Command::UpgradeModule { module_id: module_id() }),
        ("sell_module", Command::SellModule { module_id: module_id() }),
    ]
}

fn rack_commands() -> Vec<(&'static str, Command)> {
    vec![
        ("place_module", Command::PlaceModule { module_id: "gen_sine".into(), cell: 0 }),
        ("remove_module", Command::RemoveModule { module_id: "gen_sine".into() }),
        ("connect_cable", Command::ConnectCable(Cable { from: "gen_sine".into(), to: "core".into() })),
        ("disconnect_cable", Command::DisconnectCable { from: "gen_sine".into() }),
        ("auto_patch", Command::AutoPatch),
        (
            "save_preset",
            Command::SavePreset { slot: 0, name: "Mornings".into(), category: Category::Creative },
        ),
        ("load_preset", Command::LoadPreset { slot: 0 }),
        ("delete_preset", Command::DeletePreset { slot: 0 }),
        ("import_preset", Command::ImportPreset { slot: 1, code: "DH1.AQhNb3JuaW5ncwEA7v8hAZqT4Uc".into() }),
        ("buy_preset_slot", Command::BuyPresetSlot),
        ("buy_cosmetic", Command::BuyCosmetic { cosmetic_id: "cable_moss".into() }),
        ("equip_cosmetic", Command::EquipCosmetic { cosmetic_id: "cable_moss".into() }),
    ]
}

/// Every message of the server with the name of its golden file.
pub(crate) fn server() -> Vec<(String, ServerMessage)> {
    let result = CommandResult { cmd_seq: 1, seq: 42, created_id: Some(1) };
    let welcome = |state, seq, cmd_seq_applied| {
        ServerMessage::Welcome(Box::new(Welcome {
            connection_id: "33267".into(),
            seq,
            cmd_seq_applied,
            state,
            catalogue_version: 1,
            server_now_ms: NOW_MS,
            tick_hz: 10,
            read_only: false,
            other_devices: 1,
        }))
    };
    [
        ("welcome.snapshot", welcome(WelcomeState::Snapshot(Box::new(hero())), 45, 1)),
        ("welcome.events", welcome(WelcomeState::Events(Box::new(started())), 42, 1)),
        ("welcome.nothing_new", welcome(WelcomeState::Events(Box::new(nothing())), 41, 0)),
        ("durable", ServerMessage::Durable(result)),
        ("duplicate", ServerMessage::Duplicate(CommandResult { created_id: None, ..result })),
        ("rejected", ServerMessage::Rejected(RejectCode::OutOfOrder.rejected(Some(2), None))),
        ("rejected.rate", ServerMessage::Rejected(RejectCode::Rate.rejected(None, Some(1_000)))),
        ("events", ServerMessage::Events(Box::new(started()))),
        (
            "events.full_patch",
            ServerMessage::Events(Box::new(Events { events: ended(), patch: full_patch() })),
        ),
        ("progress", ServerMessage::Progress(progress())),
        ("pong", ServerMessage::Pong(Pong { client_ms: 123_456, server_now_ms: NOW_MS })),
        (
            "status",
            ServerMessage::Status(Status {
                read_only: true,
                other_devices: 0,
                catalogue_version: 1,
                notice: None,
            }),
        ),
        (
            "status.notice",
            ServerMessage::Status(Status {
                read_only: false,
                other_devices: 1,
                catalogue_version: 2,
                notice: Some(Notice {
                    text: "We restart at 14:00 UTC, for a minute. Timers go on.".to_owned(),
                    until_ms: Some(1_772_372_460_000),
                }),
            }),
        ),
        ("going_away", ServerMessage::GoingAway(GoingAway { reconnect_after_ms: 2_300 })),
    ]
    .into_iter()
    .map(|(name, message)| (format!("server.{name}"), message))
    .collect()
}

fn progress() -> Progress {
    Progress {
        session_id: 1,
        at_ms: NOW_MS,
        focus_ms: 0,
        energy_me: 0,
        dopamine_md: 0,
        energy_rate_ue_per_s: 40_000,
        dopamine_rate_ud_per_s: 8_000,
        next_boundary_ms: Some(NOW_MS + 120_000),
    }
}

/// Nothing happened while the client was away.
fn nothing() -> Events {
    Events { events: vec![], patch: HeroPatch::default() }
}

/// What `start_focus` causes, and nothing else.
fn started() -> Events {
    let event = Event {
        seq: 42,
        at_ms: NOW_MS,
        kind: "session_started".into(),
        cause: None,
        energy_me: 0,
        dopamine_md: 0,
        subject: Some("1".into()),
        note: None,
    };
    Events { events: vec![event], patch: HeroPatch { focus: Some(focus()), ..HeroPatch::default() } }
}

fn ended() -> Vec<Event> {
    let line = |seq, kind: &str, cause: Option<&str>, energy_me, dopamine_md, subject: Option<&str>| Event {
        seq,
        at_ms: NOW_MS + 300_000,
        kind: kind.into(),
        cause: cause.map(Into::into),
        energy_me,
        dopamine_md,
        subject: subject.map(Into::into),
        note: None,
    };
    vec![
        line(43, "session_ended", Some("focus"), 12_000, 2_400, Some("1")),
        line(44, "bonus_paid", Some("completion"), 1_200, 0, None),
        line(45, "level_reached", None, 0, 0, Some("2")),
    ]
}

fn full_patch() -> HeroPatch {
    let hero = hero();
    HeroPatch {
        profile: Some(hero.profile),
        wallet: Some(hero.wallet),
        focus: Some(Focus {
            session: None,
            on_break: Some(Break { started_at_ms: NOW_MS + 300_000, planned_ms: 300_000 }),
            to_confirm: Some(ToConfirm {
                session_id: 9,
                started_at_ms: NOW_MS - 9_000_000,
                ended_at_ms: NOW_MS - 60_000,
            }),
        }),
        today: Some(hero.today),
        streak: Some(hero.streak),
        tasks: Some(hero.tasks),
        tasks_removed: Some(vec![3, 4]),
        modules: Some(hero.modules),
        assembly: Some(hero.assembly),
        rack: Some(hero.rack),
        presets: Some(hero.presets),
        achievements: Some(hero.achievements),
        statistics: Some(hero.statistics),
    }
}

fn focus() -> Focus {
    Focus {
        session: Some(Session {
            session_id: 1,
            revision: 1,
            state: SessionState::Running,
            mode: FocusMode::Countdown { planned_minutes: 5 },
            category: Category::Creative,
            task_id: None,
            intention: None,
            started_at_ms: NOW_MS,
            anchor_ms: NOW_MS,
            focus_ms_at_anchor: 0,
            planned_ms: Some(300_000),
            round: 1,
            auto_end_at_ms: None,
            interruptions: 0,
            progress: progress(),
        }),
        on_break: None,
        to_confirm: None,
    }
}

/// A hero with something in every section.
pub(crate) fn hero() -> Hero {
    Hero {
        hero_id: "019530a0-5f5e-7abc-8def-0123456789ab".into(),
        profile: profile(),
        wallet: Wallet {
            energy_me: 26_200,
            dopamine_md: 2_400,
            lifetime_energy_me: 26_200,
            level: 1,
            level_xp: 0,
            next_level_xp: Some(40),
        },
        focus: focus(),
        today: Today {
            date: "2026-03-01".into(),
            starts_at_ms: NOW_MS - 18_000_000,
            ends_at_ms: NOW_MS + 68_400_000,
            focus_ms: 300_000,
            goal_reached: false,
            task_energy_me: 2_000,
            active: true,
        },
        streak: Streak { days: 1, longest_days: 12, active_days: 40, shields: 1, shields_max: 3 },
        tasks: tasks(),
        modules: vec![OwnedModule {
            module_id: "gen_sine".into(),
            level: 1,
            upgrade_md: Some(40_000),
            sell_me: 0,
            sell_md: 0,
        }],
        assembly: assembly(),
        rack: rack(),
        presets: Presets {
            slots: 3,
            next_slot_md: Some(100_000),
            presets: vec![Preset {
                slot: 0,
                name: "Mornings".into(),
                category: Category::Creative,
                code: "DH1.AQhNb3JuaW5ncwEA7v8hAZqT4Uc".into(),
            }],
            queued_slot: None,
        },
        achievements: vec![Unlocked { achievement_id: "first_spark".into(), at_ms: NOW_MS + 300_000 }],
        statistics: Statistics {
            focus_ms: 300_000,
            sessions: 1,
            tasks_done: 1,
            comebacks: 0,
            focus_minutes_by_category: [5, 0, 0, 0, 0],
            days: vec![DayTotal {
                date: "2026-02-28".into(),
                focus_ms: 300_000,
                energy_me: 26_200,
                tasks_done: 1,
            }],
        },
    }
}

fn profile() -> Profile {
    Profile {
        name: "Hero".into(),
        created_at_ms: NOW_MS - 86_400_000,
        time_zone: "Europe/Berlin".into(),
        day_start_minutes: 240,
        next_time_zone: None,
        next_day_start_minutes: Some(300),
        daily_goal_minutes: 25,
        rest_weekdays: vec![7],
        vacation_until: None,
        cosmetics: vec!["cable_moss".into()],
        equipped: vec!["cable_moss".into()],
    }
}

fn tasks() -> Vec<Task> {
    let task = Task {
        task_id: 7,
        parent_id: None,
        title: "Water the plants 🌱".into(),
        category: Category::Physical,
        priority: Priority::Medium,
        estimate_minutes: 15,
        due_on: Some("2026-03-02".into()),
        recurrence: Some(Recurrence::Weekdays { weekdays: vec![1, 4] }),
        occurrence_on: Some("2026-03-02".into()),
        created_at_ms: NOW_MS - 3_600_000,
        done_at_ms: None,
        focus_ms: 0,
        reward_me: 1_400,
    };
    let subtask = Task {
        task_id: 8,
        parent_id: Some(7),
        title: "Find the watering can".into(),
        estimate_minutes: 0,
        due_on: None,
        recurrence: None,
        occurrence_on: None,
        done_at_ms: Some(NOW_MS - 60_000),
        reward_me: 0,
        ..task.clone()
    };
    vec![task, subtask]
}

fn assembly() -> Assembly {
    Assembly {
        slots: 1,
        jobs: vec![Job {
            job_id: 3,
            module_id: "gen_pulse".into(),
            anchor_ms: NOW_MS,
            done_ms_at_anchor: 12_000,
            work_ms: 60_000,
            speed_permille: 4_000,
            done_at_ms: NOW_MS + 12_000,
            finish_md: 2_000,
        }],
        blueprint: Some(Blueprint { module_id: "gen_aurora".into(), paid_me: 25_000, price_me: 5_000_000 }),
    }
}

fn rack() -> Rack {
    Rack {
        columns: 2,
        rows: 2,
        reach: 2,
        placements: vec![Placement { module_id: "gen_sine".into(), cell: 0 }],
        cables: vec![Cable { from: "gen_sine".into(), to: "core".into() }],
        powered: vec!["gen_sine".into()],
        dopamine_rate_ud_per_s: 4_000,
        energy_bonus_permille: 0,
        synergies: vec![],
        synergies_found: vec!["full_voice".into()],
    }
}
