//! Commands from inside the server, and the end of a hero that was handed over.

use simulation::{event::Event, hero::Hero, id::HeroKey, rejection::Rejection};
use tokio::sync::oneshot;

use super::{nodes::two, *};
use crate::acting::{Act, ActFailed, Acted};

const INTO: HeroKey = HeroKey([9; 16]);

impl Rig {
    fn ask(&self, hero: HeroId, command: Command) -> oneshot::Receiver<Result<Acted, ActFailed>> {
        let (answer, answered) = oneshot::channel();
        let act = Act { command: Box::new(command), time_zone: Some("Asia/Tokyo".to_owned()), answer };
        self.shard.try_send(Request::Act { hero, act }).expect("the inbox has room");
        answered
    }

    async fn act(&self, hero: HeroId, command: Command) -> Result<Acted, ActFailed> {
        let answered = timeout(Duration::from_secs(60), self.ask(hero, command));
        answered.await.expect("an answer within a minute").unwrap_or(Err(ActFailed::Unsure))
    }
}

async fn last_seq(store: &MemoryStore, id: HeroId) -> u64 {
    store.head(id).await.expect("the store is there").map_or(0, |head| head.last_seq.0)
}

fn zone(time_zone: &str) -> Command {
    Command::SetTimeZone { time_zone: time_zone.to_owned(), day_start_minutes: 60 }
}

fn next_zone(hero: &Hero) -> Option<&str> {
    hero.next_zone.as_deref().map(|zone| zone.time_zone.as_str())
}

#[tokio::test(start_paused = true)]
async fn a_hero_that_nobody_plays_is_loaded_changed_and_forgotten() {
    let rig = Rig::start();
    let acted = rig.act(hero(1), zone("Europe/Paris")).await.expect("it is done");
    assert_eq!(acted.hero.zone.time_zone, "Asia/Tokyo", "it begins where whoever asked is");
    assert_eq!((next_zone(&acted.before), next_zone(&acted.hero)), (None, Some("Europe/Paris")));
    assert!(matches!(acted.events[..], [ref timed] if matches!(timed.event, Event::ZoneQueued { .. })));
    let seq = last_seq(&rig.store, hero(1)).await;
    assert_eq!(seq, 2, "it is durable when it is answered");
    // The same again changes nothing and is not journaled.
    let again = rig.act(hero(1), zone("Europe/Paris")).await.expect("it is true already");
    assert_eq!((again.events.len(), last_seq(&rig.store, hero(1)).await), (0, seq));
    // What the rules refuse changes nothing either.
    let refused = rig.act(hero(1), zone("Mars/Base")).await.map(|acted| acted.events);
    assert_eq!(refused, Err(ActFailed::Rejected(Rejection::UnknownTimeZone)));
    assert_eq!(last_seq(&rig.store, hero(1)).await, seq);
    assert_verifies(&rig.store).await;
}

#[tokio::test(start_paused = true)]
async fn it_is_answered_when_it_is_durable_and_not_before() {
    let mut rig = Rig::start();
    let mut phone = rig.connect(hero(1), 7, None);
    phone.welcome().await;
    rig.store.hold_appends();
    let mut answered = rig.ask(hero(1), rename("Ada"));
    assert!(phone.told().await.is_empty(), "nobody hears of it");
    assert!(answered.try_recv().is_err());
    rig.store.release_appends();
    answered.await.expect("an answer").expect("it is done");
    let news = phone.events().await;
    assert_eq!(news.patch.profile.map(|profile| profile.name).as_deref(), Some("Ada"));
}

#[tokio::test(start_paused = true)]
async fn a_busy_or_draining_server_refuses_and_nothing_has_changed() {
    let rig = Rig::start();
    rig.act(hero(1), rename("Ada")).await.expect("it is done");
    let seq = last_seq(&rig.store, hero(1)).await;
    rig.shard.drain().await;
    let refused = rig.act(hero(1), rename("Bo")).await.map(|acted| acted.events);
    assert_eq!(refused, Err(ActFailed::Busy));
    assert_eq!(last_seq(&rig.store, hero(1)).await, seq);
}

#[tokio::test(start_paused = true)]
async fn whoever_has_given_up_is_not_served() {
    let rig = Rig::start();
    drop(rig.ask(hero(1), rename("Ada")));
    // It waits for the load, and nobody waits for it any more.
    let acted = rig.act(hero(1), rename("Bo")).await.expect("it is done");
    assert_eq!(acted.before.name, "Hero");
}

#[tokio::test(start_paused = true)]
async fn a_hero_of_another_node_comes_and_its_devices_see_it() {
    let (store, mut one, two) = two().await;
    let mut phone = one.rig.connect(hero(1), 7, None);
    phone.welcome().await;
    phone.send(1, rename("Ada"));
    phone.durable().await;
    phone.told().await;
    let acted = two.rig.act(hero(1), rename("Bo")).await.expect("it is done");
    assert_eq!((acted.before.name.as_str(), acted.hero.name.as_str()), ("Ada", "Bo"));
    let named = |events: &Events| events.patch.profile.as_ref().map(|profile| profile.name.clone());
    let mut news = phone.events().await;
    while named(&news).as_deref() != Some("Bo") {
        news = phone.events().await;
    }
    assert_eq!(phone.closed, None);
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn devices_of_a_hero_that_is_handed_over_are_sent_away_on_every_node() {
    let (store, mut one, mut two) = two().await;
    let mut phone = one.rig.connect(hero(1), 7, None);
    phone.welcome().await;
    let mut laptop = two.rig.connect(hero(1), 8, None);
    laptop.welcome().await;
    phone.told().await;
    let acted = two.rig.act(hero(1), Command::HandOver { into: INTO }).await.expect("it is done");
    assert!(acted.hero.handed_over().is_some());
    laptop.expect_close(close::MOVED).await;
    let news = laptop.events().await;
    assert_eq!(news.events.last().map(|event| event.kind.as_str()), Some("hero_handed_over"));
    phone.expect_close(close::MOVED).await;
    // One that comes back too early sees how it ended, and is sent away again.
    let mut early = one.rig.connect(hero(1), 7, None);
    early.welcome().await;
    early.expect_close(close::MOVED).await;
    let again = one.rig.act(hero(1), Command::HandOver { into: INTO }).await.expect("it is true already");
    assert_eq!(again.events, []);
    let other = one.rig.act(hero(1), rename("Ada")).await.map(|acted| acted.events);
    assert_eq!(other, Err(ActFailed::Rejected(Rejection::Claimed)));
    assert_verifies(&store).await;
}
