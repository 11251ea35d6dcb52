pub(crate) mod client;
mod walk;

use std::path::Path;

use protocol::{client::ClientMessage, codec::decode_client};
use simulation::{event::Event, rejection::Rejection};

use super::{command, rejected};

/// Every command on the wire, from the golden frames.
fn golden_commands() -> Vec<protocol::client::Command> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/golden");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the goldens lie in the protocol") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with("client.command.") && name.ends_with(".msgpack") {
            let frame = std::fs::read(&path).expect("readable");
            let Ok(ClientMessage::Command(frame)) = decode_client(&frame) else {
                panic!("{name} is a command")
            };
            all.push(frame.body);
        }
    }
    assert!(all.len() >= 45, "some golden frames are missing");
    all
}

#[test]
fn every_command_means_the_same_to_the_rules() {
    for wire in golden_commands() {
        let words = serde_json::to_value(&wire).expect("a JSON form");
        let translated = command(wire).expect("a golden command has good names");
        assert_eq!(serde_json::to_value(&translated).expect("a JSON form"), words);
    }
}

#[test]
fn a_name_that_cannot_be_one_is_refused() {
    use protocol::client::Command as Wire;
    for name in ["", "Not A Name", "ümlaut", "a_name_that_is_longer_than_24_bytes", "../etc", "core\0"] {
        let module = Wire::AssembleModule { module_id: name.into() };
        assert_eq!(command(module), Err(Rejection::UnknownModule), "{name:?}");
        let cosmetic = Wire::BuyCosmetic { cosmetic_id: name.into() };
        assert_eq!(command(cosmetic), Err(Rejection::UnknownCosmetic), "{name:?}");
    }
}

#[test]
fn a_refusal_says_which_command_why_and_what_to_do() {
    let rejected = rejected(7, &Rejection::NotEnoughEnergy { needed_me: 25_000 });
    assert_eq!((rejected.cmd_seq, rejected.code.as_str()), (Some(7), "not_enough_energy"));
    assert_eq!(rejected.hint, "it costs 25.000 E; earn more first");
}

/// serde names all variants when it is asked for one that is not there.
fn variants<'de, T: serde::Deserialize<'de>>() -> Vec<String> {
    let error = T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new("?"));
    let text = error.err().expect("there is no variant `?`").to_string();
    let names: Vec<String> = text.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert!(names.len() > 3, "{text}");
    names
}

#[test]
fn the_document_names_every_refusal_and_every_event() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md");
    let document = std::fs::read_to_string(path).expect("docs/protocol.md is there");
    let missing = |name: &String| !document.contains(&format!("| `{name}` |"));
    let refusals = variants::<Rejection>().into_iter().filter(|name| name != "rack_refused");
    let rack = ["no_such_cell", "cell_taken", "out_of_reach", "inputs_full", "cable_loop"].map(str::to_owned);
    let all = refusals.chain(rack).chain(variants::<Event>());
    let missing: Vec<String> = all.filter(missing).collect();
    assert!(missing.is_empty(), "docs/protocol.md does not name {missing:?}: run cargo xtask codegen");
}

/// A client that draws `energy_me + rate · dt` until the boundary is never off by more than the rounding, through every
/// bracket of a long session, over its plan and into overtime.
#[test]
fn progress_can_be_drawn_without_another_byte() {
    use simulation::{advance::advance, apply::apply, catalogue::Catalogue, command, decide::decide, rules};

    let catalogue = Catalogue::builtin();
    let start_ms = 1_772_438_400_000; // 2026-03-02T08:00:00Z
    let (mut hero, _created) =
        rules::create::create("Hero", "UTC", start_ms, &catalogue).expect("a good name");
    let mode = command::FocusMode::Countdown { planned_minutes: 180 };
    let start = command::Command::StartFocus { mode, category: command::Category::None, task_id: None };
    for timed in decide(&hero, &start, start_ms, &catalogue).expect("nothing is open") {
        apply(&mut hero, &timed);
    }
    let mut now_ms = start_ms;
    let mut boundaries = 0;
    let mut rates = Vec::new();
    loop {
        let before = super::progress(&hero, &catalogue, now_ms).expect("a session is open");
        let Some(boundary_ms) = before.next_boundary_ms else { break };
        rates.push(before.energy_rate_ue_per_s);
        assert!(boundary_ms > now_ms, "a boundary lies ahead");
        for at_ms in [now_ms + 1, (now_ms + boundary_ms) / 2, boundary_ms - 1] {
            for timed in advance(&hero, at_ms, &catalogue) {
                apply(&mut hero, &timed);
            }
            let drawn_me =
                before.energy_me + before.energy_rate_ue_per_s * (at_ms - before.at_ms) / 1_000_000;
            let true_me = super::progress(&hero, &catalogue, at_ms).expect("still open").energy_me;
            assert!((drawn_me - true_me).abs() <= 1, "{drawn_me} is drawn for {true_me} at {at_ms}");
        }
        now_ms = boundary_ms;
        for timed in advance(&hero, now_ms, &catalogue) {
            apply(&mut hero, &timed);
        }
        boundaries += 1;
    }
    // The ramp 1000, 1100, 1200, 1250, 1000, 500 ‰ times the day's 2000, 1000, 750 ‰ of 20 mE a second.
    assert_eq!(rates, [40_000, 44_000, 48_000, 24_000, 25_000, 20_000, 7_500], "{boundaries} boundaries");
    assert_eq!(now_ms - start_ms, 180 * 60_000, "nothing is drawn beyond the plan");
    assert!(super::progress(&hero, &catalogue, now_ms + 60_000).expect("overtime").energy_rate_ue_per_s == 0);
}

/// A client shows the box of a recurring task as ticked until its next date.
#[test]
fn a_recurring_task_is_done_until_its_next_date() {
    use simulation::{
        advance::advance,
        apply::apply,
        catalogue::Catalogue,
        command::{Category, Command, Priority, Recurrence},
        decide::decide,
        rules,
    };

    let catalogue = Catalogue::builtin();
    let start_ms = 1_772_438_400_000; // 2026-03-02T08:00:00Z
    let (mut hero, _created) =
        rules::create::create("Hero", "UTC", start_ms, &catalogue).expect("a good name");
    let create = Command::CreateTask {
        title: "Water the plants".into(),
        category: Category::None,
        priority: Priority::Medium,
        estimate_minutes: 0,
        due_on: None,
        recurrence: Some(Recurrence::EveryDays { days: 2 }),
        parent_id: None,
    };
    let task_id = hero.last_id + 1;
    let complete = Command::CompleteTask { task_id, occurrence_on: Some("2026-03-02".into()) };
    let reopen = Command::ReopenTask { task_id, occurrence_on: Some("2026-03-02".into()) };
    for (wish, at_ms) in [(create, 0), (complete.clone(), 1), (reopen, 2), (complete, 3)] {
        for timed in decide(&hero, &wish, start_ms + at_ms, &catalogue).expect("allowed") {
            apply(&mut hero, &timed);
        }
        let after = super::hero_view(&hero, "", &catalogue, start_ms).tasks;
        let is_done = matches!(wish, Command::CompleteTask { .. });
        assert_eq!(after[0].done_at_ms, is_done.then_some(start_ms + at_ms), "{wish:?}");
    }
    for (days, occurrence_on, is_done) in [(1, "2026-03-02", true), (2, "2026-03-04", false)] {
        let at_ms = start_ms + days * 86_400_000;
        for timed in advance(&hero, at_ms, &catalogue) {
            apply(&mut hero, &timed);
        }
        let task = super::hero_view(&hero, "", &catalogue, at_ms).tasks.remove(0);
        assert_eq!(task.occurrence_on.as_deref(), Some(occurrence_on));
        assert_eq!(task.done_at_ms.is_some(), is_done, "after {days} days");
    }
}
