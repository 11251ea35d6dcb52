//! What operators publish: other numbers and words for everybody, between two ticks.

use persistence::{Epoch, Seq};
use protocol::server::{Notice, Status};
use simulation::command::Priority;
use simulation::id::ModuleId;

use super::*;
use crate::published::Posted;

/// The built-in catalogue under another version, with pieces replaced.
fn catalogue(version: u32, pieces: &[(&str, &str)]) -> Arc<Catalogue> {
    let mut text = Catalogue::BUILTIN_TEXT.replacen("version: 1", &format!("version: {version}"), 1);
    for (old, new) in pieces {
        assert!(text.contains(old), "{old:?} is not in the built-in catalogue");
        text = text.replacen(old, new, 1);
    }
    Arc::new(Catalogue::parse(&text).unwrap_or_else(|errors| panic!("{errors}")))
}

/// Twice the energy, and a dearer first module.
fn richer() -> Arc<Catalogue> {
    catalogue(2, &[("base_me_per_s: 20", "base_me_per_s: 40"), ("cost_me: 25_000", "cost_me: 26_000")])
}

/// A catalogue that has no module but the first.
fn poorer() -> Arc<Catalogue> {
    let text = Catalogue::BUILTIN_TEXT.replacen("version: 1", "version: 3", 1);
    let second = text.find("            id: \"gen_pulse\"").expect("it is there");
    let second = text[..second].rfind("        (").expect("it opens");
    let end = text.find("    ],\n\n    achievements").expect("the list ends");
    let text = format!("{}{}", &text[..second], &text[end..]);
    Arc::new(Catalogue::parse(&text).unwrap_or_else(|errors| panic!("{errors}")))
}

fn posted(catalogue: &Arc<Catalogue>, notice: Option<Notice>) -> Arc<Posted> {
    Arc::new(Posted { catalogue: Arc::clone(catalogue), notice, ..Posted::builtin() })
}

fn words(text: &str, until_ms: Option<i64>) -> Notice {
    Notice { text: text.to_owned(), until_ms }
}

impl Device {
    async fn status(&mut self) -> Status {
        self.expect("status", |message| match message {
            ServerMessage::Status(status) => Some(status),
            _ => None,
        })
        .await
    }

    /// The next news about numbers alone.
    async fn repriced(&mut self) -> Events {
        self.expect("news of other numbers", |message| match message {
            ServerMessage::Events(events) if events.events.is_empty() => Some(*events),
            _ => None,
        })
        .await
    }
}

#[tokio::test(start_paused = true)]
async fn a_running_session_goes_on_under_other_numbers() {
    let mut rig = Rig::start();
    let mut phone = rig.connect(hero(1), 7, None);
    let mut laptop = rig.connect(hero(1), 8, None);
    assert_eq!(phone.welcome().await.catalogue_version, 1);
    laptop.welcome().await;
    let countdown = FocusMode::Countdown { planned_minutes: 60 };
    phone.send(1, Command::StartFocus { mode: countdown, category: Category::None, task_id: None });
    phone.durable().await;
    laptop.events().await;
    let rate = |events: &Events| {
        let focus = events.patch.focus.as_ref().expect("the session shows another rate");
        focus.session.as_ref().expect("it goes on").progress.energy_rate_ue_per_s
    };
    rig.shard.post(posted(&richer(), None)).await;
    for device in [&mut phone, &mut laptop] {
        assert_eq!(
            rate(&device.repriced().await),
            80_000,
            "2 × base, and the day's first half hour counts double"
        );
        assert_eq!(device.status().await.catalogue_version, 2);
    }
    phone.send(2, rename("Ada"));
    let renamed = phone.durable().await;
    let stored = rig.store.events(hero(1), Seq(renamed.seq), 1).await.expect("the store is there");
    assert_eq!(stored[0].catalogue_version, 2);
    rig.shard.post(posted(&catalogue(1, &[]), None)).await;
    assert_eq!(rate(&phone.repriced().await), 40_000, "and back");
    assert_eq!(phone.status().await.catalogue_version, 1);
    rig.clock.advance(60_000);
    phone.send(3, Command::EndFocus);
    phone.durable().await;
    assert!(phone.closed.is_none() && laptop.closed.is_none());
    assert_verifies(&rig.store).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_durable_is_not_shown_with_the_news() {
    let mut rig = Rig::start();
    let mut device = rig.connect(hero(1), 7, None);
    device.welcome().await;
    device.told().await;
    device.frames.clear();
    rig.store.hold_appends();
    let title = "not on disk yet".to_owned();
    let (category, priority) = (Category::None, Priority::Medium);
    device.send(
        1,
        Command::CreateTask {
            title,
            category,
            priority,
            estimate_minutes: 5,
            due_on: None,
            recurrence: None,
            parent_id: None,
        },
    );
    device.told().await;
    rig.shard.post(posted(&richer(), None)).await;
    let told = device.told().await;
    let is_status = |message: &ServerMessage| matches!(message, ServerMessage::Status(_));
    assert!(!told.is_empty() && told.iter().all(is_status), "the task is not durable: {told:?}");
    rig.store.release_appends();
    let news = device.repriced().await;
    assert_eq!(news.patch.tasks.map(|tasks| tasks.len()), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_welcome_that_waited_names_the_version_once_more() {
    let mut rig = Rig::start();
    rig.store.hold_appends();
    let mut device = rig.connect(hero(1), 7, None);
    // Born, and not on disk yet.
    assert!(device.told().await.is_empty());
    rig.shard.post(posted(&richer(), None)).await;
    device.told().await;
    rig.store.release_appends();
    assert_eq!(device.welcome().await.catalogue_version, 1);
    assert_eq!(device.status().await.catalogue_version, 2);
}

#[tokio::test(start_paused = true)]
async fn words_reach_everybody_and_whoever_comes_later() {
    let mut rig = Rig::start();
    let mut early = rig.connect(hero(1), 7, None);
    early.welcome().await;
    let notice = words("We restart at noon.", Some(NOON_MS + 60_000));
    rig.shard.post(posted(&catalogue(1, &[]), Some(notice.clone()))).await;
    assert_eq!(early.status().await.notice, Some(notice.clone()));
    let mut late = rig.connect(hero(2), 8, None);
    late.welcome().await;
    assert_eq!(late.status().await.notice, Some(notice));
    rig.shard.post(posted(&catalogue(1, &[]), None)).await;
    for device in [&mut early, &mut late] {
        assert_eq!(device.status().await.notice, None, "taken back");
    }
    let over = words("We restarted.", Some(NOON_MS));
    rig.shard.post(posted(&catalogue(1, &[]), Some(over))).await;
    assert_eq!(early.status().await.notice, None, "it was over before it came");
    let mut last = rig.connect(hero(3), 9, None);
    last.welcome().await;
    assert!(!last.told().await.iter().any(|message| matches!(message, ServerMessage::Status(_))));
}

#[tokio::test(start_paused = true)]
async fn the_same_again_is_no_news() {
    let mut rig = Rig::start();
    let mut device = rig.connect(hero(1), 7, None);
    device.welcome().await;
    device.told().await;
    device.frames.clear();
    rig.shard.post(posted(&catalogue(1, &[]), None)).await;
    assert!(device.told().await.is_empty(), "{:?}", device.frames);
}

#[tokio::test(start_paused = true)]
async fn every_hero_hears_of_it_whatever_comes_between() {
    let mut rig = Rig::start();
    let mut devices: Vec<_> =
        (1..=200).map(|number| rig.connect(hero(number), u64::try_from(number).unwrap(), None)).collect();
    for device in &mut devices {
        device.welcome().await;
    }
    // Several at once: the last one counts, and nobody is left with an earlier one.
    for version in 2..=6 {
        rig.shard.post(posted(&catalogue(version, &[]), Some(words("Soon.", None)))).await;
    }
    for device in &mut devices {
        let (version, notice) = loop {
            let status = device.status().await;
            if status.catalogue_version == 6 {
                break (status.catalogue_version, status.notice);
            }
        };
        assert_eq!((version, notice.map(|notice| notice.text)), (6, Some("Soon.".to_owned())));
        assert_eq!(device.closed, None);
    }
}

/// A hero that owns and builds what is gone plays on, and is loaded again.
#[tokio::test(start_paused = true)]
async fn a_hero_with_modules_that_are_gone_plays_on() {
    let mut rig = Rig::start();
    let mut device = rig.connect(hero(1), 7, None);
    device.welcome().await;
    // The first module of a new hero is built within a minute of focus, and its energy pays the next one.
    let countdown = FocusMode::Countdown { planned_minutes: 60 };
    device.send(1, Command::StartFocus { mode: countdown, category: Category::None, task_id: None });
    device.durable().await;
    for minute in 0..62 {
        rig.clock.advance(60_000);
        tokio::time::sleep(Duration::from_millis(200)).await;
        device.take();
        assert_eq!(device.closed, None, "minute {minute}");
    }
    device.send(2, Command::EndFocus);
    device.durable().await;
    let pulse = ModuleId::literal("gen_pulse");
    device.send(3, Command::AssembleModule { module_id: pulse });
    device.durable().await;
    rig.shard.post(posted(&poorer(), None)).await;
    device.repriced().await;
    // What was paid for is built, goes into the rack as far as it can, and rests.
    rig.clock.advance(3_600_000);
    device.send(4, rename("Ada"));
    device.durable().await;
    device.send(5, Command::AutoPatch);
    device.durable().await;
    device.send(6, Command::UpgradeModule { module_id: pulse });
    assert_eq!(device.rejected().await, "unknown_module");
    device.send(6, Command::SellModule { module_id: pulse });
    device.told().await;
    assert_eq!(device.closed, None);

    let mut again = Rig::over(Arc::clone(&rig.store));
    again.clock.advance(2 * 3_600_000 + 200_000);
    again.shard.post(posted(&poorer(), None)).await;
    let mut device = again.connect(hero(1), 9, None);
    assert_eq!(device.welcome().await.catalogue_version, 3);
    device.send(1, rename("Bo"));
    device.durable().await;
    assert_verifies(&rig.store).await;
}

#[tokio::test(start_paused = true)]
async fn a_survey_shows_every_hero_once() {
    let mut rig = Rig::start();
    let mut devices: Vec<_> =
        (1..=600).map(|number| rig.connect(hero(number), u64::try_from(number).unwrap(), None)).collect();
    for device in &mut devices {
        device.welcome().await;
    }
    let (mut seen, mut after, mut slices) = (Vec::new(), None, 0);
    loop {
        let (slice, next) = rig.shard.survey(after).await;
        seen.extend(slice.into_iter().map(|(id, _)| id));
        slices += 1;
        let Some(id) = next else { break };
        after = Some(id);
    }
    assert_eq!(seen, (1..=600).map(hero).collect::<Vec<_>>());
    assert_eq!(slices, 3);
    let head = rig.store.head(hero(1)).await.expect("the store is there").expect("it was born");
    assert_eq!(head.epoch, Epoch(1));
}
