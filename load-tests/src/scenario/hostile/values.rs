//! Sound commands whose values the rules refuse, and the ids of another hero. The code says what is wrong, the number of
//! the command is named, and the hero stays as it is.

use anyhow::Result;
use protocol::client::{ClientMessage, Command, CommandFrame};
use protocol::server::ServerMessage;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::{HostileReport, Target, furnish};
use crate::http::Endpoint;
use crate::wire::{Device, Received, Socket};

/// A command and the codes with which it may be refused.
type Refusal = (Value, &'static [&'static str]);

const RANGE: &[&str] = &["out_of_range"];
const TEXT: &[&str] = &["invalid_text"];
/// How many ids are drawn and claimed, besides those of a real hero.
const FOREIGN_IDS: u32 = 200;
/// The same ids in every run.
const FOREIGN_IDS_SEED: u64 = 9;

fn task(field: &str, value: Value) -> Value {
    let mut task = json!({"title": "t", "category": "none", "priority": "low", "estimate_minutes": 1});
    task[field] = value;
    json!({"create_task": task})
}

fn focus(mode: Value) -> Value {
    json!({"start_focus": {"mode": mode, "category": "none"}})
}

/// Values that are wrong for any hero.
fn wrong_values() -> Vec<Refusal> {
    let mut cases: Vec<Refusal> = vec![
        (task("title", json!("")), TEXT),
        (task("title", json!("   ")), TEXT),
        (task("title", json!("x".repeat(201))), TEXT),
        (task("title", json!("a\u{7}b")), TEXT),
        (task("estimate_minutes", json!(481)), RANGE),
        (task("due_on", json!("2026-02-30")), &["invalid_date"]),
        (task("due_on", json!("tomorrow")), &["invalid_date"]),
        (task("recurrence", json!({"every_days": {"days": 0}})), RANGE),
        (task("recurrence", json!({"every_days": {"days": 366}})), RANGE),
        (task("recurrence", json!({"weekdays": {"weekdays": []}})), RANGE),
        (task("recurrence", json!({"weekdays": {"weekdays": [0]}})), RANGE),
        (task("recurrence", json!({"weekdays": {"weekdays": [8]}})), RANGE),
        (json!({"rename_hero": {"name": ""}}), TEXT),
        (json!({"rename_hero": {"name": "x".repeat(41)}}), TEXT),
        (json!({"set_daily_goal": {"minutes": 4}}), RANGE),
        (json!({"set_daily_goal": {"minutes": 241}}), RANGE),
        (json!({"set_rest_days": {"weekdays": [1, 2, 3]}}), &["limit_reached"]),
        (json!({"set_rest_days": {"weekdays": [8]}}), RANGE),
        (
            json!({"set_time_zone": {"time_zone": "Mars/Olympus", "day_start_minutes": 240}}),
            &["unknown_time_zone"],
        ),
        (json!({"set_time_zone": {"time_zone": "Europe/Berlin", "day_start_minutes": 361}}), RANGE),
        (json!({"start_vacation": {"days": 0}}), RANGE),
        (json!({"start_vacation": {"days": 31}}), RANGE),
    ];
    for (minutes, rounds) in [(4, 1), (181, 1), (25, 0), (25, 13)] {
        cases.push((focus(json!({"pomodoro": {"planned_minutes": minutes, "rounds": rounds}})), RANGE));
    }
    cases.push((focus(json!({"countdown": {"planned_minutes": 4}})), RANGE));
    cases.push((focus(json!({"countdown": {"planned_minutes": 181}})), RANGE));
    cases
}

/// Things that a fresh hero does not have. It has one: job 1, the starter module, which fills its only slot.
fn nothing_there() -> Vec<Refusal> {
    const MODULE: &[&str] = &["unknown_module"];
    vec![
        (json!({"describe_focus": {"intention": "x"}}), &["no_session"]),
        (json!("pause_focus"), &["no_session"]),
        (json!("resume_focus"), &["no_session"]),
        (json!("interrupt_focus"), &["no_session"]),
        (json!("keep_going"), &["no_session"]),
        (json!("end_focus"), &["no_session"]),
        (json!("cancel_focus"), &["no_session"]),
        (json!("start_break"), &["no_break_due"]),
        (json!("end_break"), &["no_break"]),
        (json!({"confirm_focus": "yes"}), &["nothing_to_confirm"]),
        (
            json!({"report_offline_focus": {"started_at_ms": 0, "duration_ms": 60_000, "category": "none"}}),
            &["too_late"],
        ),
        (
            json!({"report_offline_focus": {"started_at_ms": 0, "duration_ms": -1, "category": "none"}}),
            &["out_of_range", "offline_refused"],
        ),
        (json!({"assemble_module": {"module_id": "gen_nothing"}}), MODULE),
        (json!({"assemble_module": {"module_id": ""}}), MODULE),
        (json!({"assemble_module": {"module_id": "../../etc/passwd"}}), MODULE),
        (json!({"assemble_module": {"module_id": "gen_aurora"}}), &["level_too_low", "not_enough_energy"]),
        (json!({"assemble_module": {"module_id": "gen_pulse"}}), &["slot_full"]),
        (json!({"pin_blueprint": {"module_id": "gen_nothing"}}), MODULE),
        (json!({"pay_blueprint": {"amount_me": 1}}), &["no_blueprint"]),
        (json!({"pay_blueprint": {"amount_me": 0}}), &["out_of_range", "no_blueprint"]),
        (json!({"pay_blueprint": {"amount_me": -1}}), &["out_of_range", "no_blueprint"]),
        (
            json!({"pay_blueprint": {"amount_me": -9_007_199_254_740_991_i64}}),
            &["out_of_range", "no_blueprint"],
        ),
        (json!({"finish_assembly": {"job_id": 1}}), &["not_enough_dopamine"]),
        (json!({"cancel_assembly": {"job_id": 1}}), &["starter_job"]),
        (json!({"upgrade_module": {"module_id": "gen_pulse"}}), &["not_owned"]),
        (json!({"sell_module": {"module_id": "gen_pulse"}}), &["not_owned"]),
        (json!({"place_module": {"module_id": "gen_pulse", "cell": 0}}), &["not_owned"]),
        (json!({"remove_module": {"module_id": "gen_pulse"}}), &["not_owned", "not_in_rack"]),
        (json!({"connect_cable": {"from": "gen_pulse", "to": "core"}}), &["not_owned", "not_in_rack"]),
        (json!({"disconnect_cable": {"from": "gen_pulse"}}), &["not_owned", "not_in_rack"]),
        (json!({"save_preset": {"slot": 200, "name": "n", "category": "none"}}), &["unknown_slot"]),
        (json!({"save_preset": {"slot": 0, "name": "", "category": "none"}}), TEXT),
        (json!({"load_preset": {"slot": 200}}), &["empty_slot"]),
        (json!({"load_preset": {"slot": 0}}), &["empty_slot"]),
        (json!({"delete_preset": {"slot": 200}}), &["empty_slot"]),
        (json!({"import_preset": {"slot": 0, "code": "nonsense"}}), &["invalid_code"]),
        (json!({"import_preset": {"slot": 0, "code": "x".repeat(513)}}), &["invalid_code", "invalid_text"]),
        (json!("buy_preset_slot"), &["not_enough_dopamine"]),
        (json!({"buy_cosmetic": {"cosmetic_id": "nothing"}}), &["unknown_cosmetic"]),
        (json!({"equip_cosmetic": {"cosmetic_id": "nothing"}}), &["unknown_cosmetic", "not_owned"]),
    ]
}

/// Numbers of things that another hero has and this one has not.
fn foreign_ids(id: u32) -> Vec<Refusal> {
    const TASK: &[&str] = &["unknown_task"];
    let task =
        json!({"task_id": id, "title": "mine", "category": "none", "priority": "low", "estimate_minutes": 1});
    let job = if id == 1 { 2 } else { id };
    vec![
        (json!({"update_task": task}), TASK),
        (json!({"complete_task": {"task_id": id}}), TASK),
        (json!({"reopen_task": {"task_id": id}}), TASK),
        (json!({"delete_task": {"task_id": id}}), TASK),
        (
            json!({"create_task": {"title": "t", "category": "none", "priority": "low", "estimate_minutes": 1,
            "parent_id": id}}),
            TASK,
        ),
        (json!({"start_focus": {"mode": "flowtime", "category": "none", "task_id": id}}), TASK),
        (json!({"finish_assembly": {"job_id": job}}), &["unknown_job"]),
        (json!({"cancel_assembly": {"job_id": job}}), &["unknown_job"]),
    ]
}

/// Tries all of them.
///
/// # Errors
/// When the server cannot be reached at all.
pub async fn run(endpoint: &Endpoint) -> Result<HostileReport> {
    let mut report = HostileReport::default();
    let victim = Target::new(endpoint).await?;
    // A hero of its own with nothing in it: whatever it reaches belongs to somebody else.
    let attacker = Device::new_guest(endpoint, None, 3).await?;
    let before = super::look(endpoint, &attacker).await?;
    let (mut socket, _) = attacker.open(endpoint, None).await?;
    let mut cases = wrong_values();
    cases.extend(nothing_there());
    let victims = victim.ids().into_iter().chain([0, 1, 2, 3, 1_000_000, u32::MAX]);
    for id in victims.chain(drawn_ids()) {
        cases.extend(foreign_ids(id));
    }
    for (body, codes) in cases {
        report.cases += 1;
        if let Err(problem) = refused(&mut socket, &body, codes).await {
            report.find(format!("{}: {problem:#}", shown(&body)));
            // Whatever happened, the next case begins on a fresh socket and at its true number.
            socket = attacker.open(endpoint, None).await?.0;
        }
    }
    socket.close().await;
    let after = super::look(endpoint, &attacker).await?;
    if after.0 != before.0 || crate::mirror::lasting(&after.1) != crate::mirror::lasting(&before.1) {
        report.find(format!("refused commands moved the hero from event {} to {}", before.0, after.0));
    }
    victim.check(endpoint, &mut report).await?;
    report.add(own_ids_work(endpoint).await?);
    Ok(report)
}

/// Numbers all over their range, the same in every run: whatever a client claims, it owns nothing of another hero.
fn drawn_ids() -> impl Iterator<Item = u32> {
    let mut rng = StdRng::seed_from_u64(FOREIGN_IDS_SEED);
    // Small ones are those that other heroes have.
    (0..FOREIGN_IDS).map(move |number| rng.random::<u32>() >> (number % 32))
}

async fn refused(socket: &mut Socket, body: &Value, codes: &[&str]) -> Result<()> {
    let body: Command = serde_json::from_value(body.clone())?;
    socket.send(&ClientMessage::Command(CommandFrame { cmd_seq: 1, body })).await?;
    loop {
        match socket.receive_soon().await? {
            Received::Message(ServerMessage::Rejected(rejected)) => {
                anyhow::ensure!(
                    codes.contains(&rejected.code.as_str()),
                    "refused as {} ({}), not as {codes:?}",
                    rejected.code,
                    rejected.hint
                );
                anyhow::ensure!(rejected.cmd_seq == Some(1), "the refusal is about {:?}", rejected.cmd_seq);
                anyhow::ensure!(!rejected.hint.is_empty(), "a refusal without a hint");
                return Ok(());
            }
            Received::Message(ServerMessage::Progress(_) | ServerMessage::Status(_)) => {}
            other => anyhow::bail!("answered with {other:?}"),
        }
    }
}

/// The control: the same ids are good for their owner.
async fn own_ids_work(endpoint: &Endpoint) -> Result<HostileReport> {
    let mut report = HostileReport { cases: 1, ..HostileReport::default() };
    let owner = Device::new_guest(endpoint, None, 4).await?;
    furnish(endpoint, &owner).await?;
    let (_, hero) = super::look(endpoint, &owner).await?;
    let Some(task) = hero.tasks.first() else {
        report.find("the tasks of a hero are not in its snapshot".to_owned());
        return Ok(report);
    };
    let (mut socket, welcome) = owner.open(endpoint, None).await?;
    let cmd_seq = welcome.cmd_seq_applied + 1;
    let body = Command::DeleteTask { task_id: task.task_id };
    socket.send(&ClientMessage::Command(CommandFrame { cmd_seq, body })).await?;
    if let Err(problem) = super::until_durable(&mut socket, cmd_seq).await {
        report.find(format!("the owner cannot delete its own task: {problem:#}"));
    }
    socket.close().await;
    Ok(report)
}

fn shown(body: &Value) -> String {
    body.to_string().chars().take(120).collect()
}
