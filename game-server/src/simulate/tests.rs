use std::path::{Path, PathBuf};

use protocol::types;
use simulation::{catalogue::Catalogue, event::TimedEvent};

use super::{SCENARIO_BYTES_MAX, SimulateError, play, play_watched};
use crate::convert;
use crate::convert::tests::client::{lay_over, steady};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../simulation/golden")
}

fn scenarios() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(golden()).expect("the goldens lie in the simulation") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|extension| extension == "scenario") {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            all.push((name, std::fs::read_to_string(&path).expect("readable")));
        }
    }
    all.sort();
    assert!(all.len() >= 8, "some goldens are missing");
    all
}

fn played(scenario: &str) -> String {
    let mut out = Vec::new();
    play(scenario, &Catalogue::builtin(), &mut out).expect("a golden scenario runs to its end");
    String::from_utf8(out).expect("JSON is UTF-8")
}

#[test]
fn golden_scenarios_end_as_they_did() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch that rewrites goldens reaches a test no other way"
    )]
    let update = std::env::var("UPDATE").is_ok();
    for (name, scenario) in scenarios() {
        let path = golden().join(format!("{name}.expected"));
        let found = played(&scenario);
        if update {
            std::fs::write(&path, &found).expect("write what happens now");
        }
        let wanted = std::fs::read_to_string(&path).unwrap_or_default();
        for (index, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
            assert_eq!(
                found,
                wanted,
                "{name}.expected, line {}: UPDATE=1 rewrites it if that is meant",
                index + 1
            );
        }
        assert_eq!(found.lines().count(), wanted.lines().count(), "{name}.expected has another length");
    }
}

/// The hero at the end of a golden scenario.
fn hero_after(name: &str) -> types::Hero {
    let scenario = scenarios().into_iter().find(|(found, _)| found == name).expect("a golden of that name").1;
    let out = played(&scenario);
    let last: serde_json::Value =
        serde_json::from_str(out.lines().last().expect("a last line")).expect("JSON");
    serde_json::from_value(last["hero"].clone()).expect("a hero")
}

#[test]
fn five_minutes_pay_for_the_first_module() {
    let hero = hero_after("first_minutes");
    // Rules, section 10: 26,200 mE; the module costs 25 E, and first_build and first_patch pay 5 E each.
    assert_eq!(hero.wallet.lifetime_energy_me, 26_200 + 10_000);
    assert_eq!(hero.wallet.energy_me, 1_200 + 10_000);
    assert_eq!(hero.rack.powered, ["gen_pulse", "gen_sine"]);
    assert!(hero.today.active);
}

#[test]
fn refusals_change_nothing() {
    let hero = hero_after("refusals");
    assert_eq!(hero.profile.name, "Calm");
    assert_eq!((hero.wallet.energy_me, hero.tasks.len(), hero.presets.presets.len()), (0, 0, 0));
    assert!(hero.focus.session.is_none());
}

/// A client that lays patches over its first snapshot sees what a fresh snapshot would show.
#[test]
fn patches_add_up_to_the_hero() {
    let catalogue = Catalogue::builtin();
    for (name, scenario) in scenarios() {
        let mut client: Option<types::Hero> = None;
        let mut steps = 0;
        let mut watch = |hero: &simulation::hero::Hero, events: &[simulation::event::TimedEvent], now_ms| {
            let fresh = convert::hero_view(hero, "h", &catalogue, now_ms);
            let kinds: Vec<_> = events.iter().map(|timed| timed.event.kind()).collect();
            match &mut client {
                Some(client) => lay_over(client, convert::patch(hero, events, &catalogue, now_ms)),
                none => *none = Some(fresh.clone()),
            }
            let seen = client.clone().expect("set just now");
            assert_eq!(steady(seen), steady(fresh), "{name}, after {kinds:?} at {now_ms}");
            steps += 1;
        };
        play_watched(&scenario, &catalogue, &mut Vec::new(), &mut watch).expect("a golden scenario runs");
        assert!(steps > 4, "{name}");
    }
}

fn problem(scenario: &str) -> String {
    match play(scenario, &Catalogue::builtin(), &mut Vec::new()) {
        Err(error) => error.to_string(),
        Ok(()) => panic!("{scenario:?} is not wrong"),
    }
}

#[test]
fn a_wrong_line_is_named_with_what_was_expected() {
    let first = r#"{"at": "2026-03-02T08:00:00Z"}"#;
    for (scenario, wanted) in [
        (String::new(), vec!["empty", "expected"]),
        ("# only words\n\n".into(), vec!["empty"]),
        ("{".into(), vec!["line 1", "expected"]),
        (format!("{first}\nnonsense"), vec!["line 2", "column", "expected"]),
        (format!("{first}\n\n{{\"command\": \"end_focus\"}}"), vec!["line 3", "missing field `at`"]),
        (format!("{first}\n{{\"at\": \"yesterday\"}}"), vec!["line 2", "RFC 3339", "yesterday"]),
        (format!("{first}\n{{\"at\": 5}}"), vec!["line 2", "expected a string"]),
        (
            format!("{first}\n{{\"at\": \"2026-03-02T07:59:59Z\"}}"),
            vec!["line 2", "at or after", "08:00:00Z"],
        ),
        (
            format!("{first}\n{{\"at\": \"2026-03-02T09:00:00Z\", \"create\": {{}}}}"),
            vec!["line 2", "first line"],
        ),
        (
            format!("{first}\n{{\"at\": \"2026-03-02T09:00:00Z\", \"command\": \"win\"}}"),
            vec!["line 2", "unknown variant `win`", "`start_focus`"],
        ),
        (
            format!("{first}\n{{\"at\": \"2026-03-02T09:00:00Z\", \"comand\": \"end_focus\"}}"),
            vec!["line 2", "unknown field `comand`", "`command`"],
        ),
        (
            r#"{"at": "2026-03-02T08:00:00Z", "create": {"time_zone": "Mars/Olympus"}}"#.into(),
            vec!["line 1", "IANA"],
        ),
    ] {
        let problem = problem(&scenario);
        for word in wanted {
            assert!(problem.contains(word), "{scenario:?}: {problem:?} does not say {word:?}");
        }
    }
}

#[test]
fn a_huge_scenario_is_not_read() {
    let huge = " ".repeat(SCENARIO_BYTES_MAX + 1);
    let refused = play(&huge, &Catalogue::builtin(), &mut Vec::new());
    assert!(matches!(refused, Err(SimulateError::TooLarge)));
}

/// The events of every golden scenario, with its name.
pub(crate) fn golden_events() -> Vec<(String, Vec<TimedEvent>)> {
    let played = |scenario: &str| {
        let mut all = Vec::new();
        let mut watch = |_: &_, events: &[TimedEvent], _| all.extend_from_slice(events);
        play_watched(scenario, &Catalogue::builtin(), &mut Vec::new(), &mut watch)
            .expect("a golden scenario runs to its end");
        all
    };
    scenarios().into_iter().map(|(name, scenario)| (name, played(&scenario))).collect()
}
