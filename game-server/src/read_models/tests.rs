//! What a follower does with the events of whole lives, and when.

mod actor;
mod life;
mod state;

use std::sync::Arc;

use persistence::read_model::WRITE_ROWS;
use persistence::{
    AssemblyState, Claim, Epoch, EventRecord, FocusSessionRow, HeroAppend, HeroId, HeroRows, JournalStore,
    MemoryStore, NodeId, ReadModelStore, ReadRows, Seq, SessionState, SnapshotRecord,
};
use simulation::command::Confirmation;
use simulation::event::{Event, TimedEvent};
use simulation::hero::Hero;
use uuid::Uuid;

use super::follow::Follower;
use super::fresh::FreshRows;
use super::rebuild::{self, Which};
use super::rows::Projection;
use crate::accounts::Keys;
use crate::streams::Streams;
use crate::texts::{TextKey, TextKeys};
use crate::{journal, verify};

fn hero(number: u128) -> HeroId {
    HeroId(Uuid::from_u128(number))
}

fn node() -> NodeId {
    NodeId(Uuid::from_u128(1_000))
}

fn follower(store: &MemoryStore) -> Follower {
    Follower::new(Arc::new(store.clone()), Arc::new(store.clone()), FreshRows::default())
}

/// One hero and what it has written.
struct Owner {
    claim: Claim,
    texts: TextKey,
    hero: Hero,
    brought: Brought,
}

/// What came with guests: the rows of it are theirs.
#[derive(Default)]
struct Brought {
    sessions: u32,
    focus_ms: i64,
    modules_built: u32,
}

impl Brought {
    fn note(&mut self, hero: &Hero, event: &Event) {
        let Event::GuestUnited { union } = event else { return };
        self.sessions += union.statistics.sessions - hero.statistics.sessions;
        self.focus_ms += union.statistics.focus_ms() - hero.statistics.focus_ms();
        self.modules_built += union.statistics.modules_built - hero.statistics.modules_built;
    }
}

impl Owner {
    async fn new(store: &MemoryStore, id: HeroId) -> Owner {
        let claim = store.claim(id, node()).await.unwrap();
        Owner { claim, texts: TextKey::random(), hero: Hero::default(), brought: Brought::default() }
    }

    async fn write(&mut self, store: &MemoryStore, events: &[TimedEvent]) {
        for group in events.chunks(persistence::record::GROUP_EVENTS_MAX) {
            let (id, epoch, previous) = (self.claim.hero, self.claim.epoch, self.claim.chain);
            let mut records = Vec::new();
            for timed in group {
                let body = journal::body(timed, None, 1, &self.texts);
                let seq = self.claim.last_seq.next();
                let record = EventRecord::seal(id, epoch, seq, self.claim.chain, body);
                (self.claim.last_seq, self.claim.chain) = (seq, record.chain);
                records.push(record);
                self.brought.note(&self.hero, &timed.event);
                simulation::apply::apply(&mut self.hero, timed);
            }
            store.append(&[HeroAppend { hero: id, epoch, previous, events: records }]).await.unwrap();
        }
    }

    async fn snapshot(&self, store: &MemoryStore) {
        let Claim { hero, epoch, last_seq, chain, .. } = self.claim;
        let state = journal::encode_state(&self.hero, &Streams::default(), &self.texts);
        let version = journal::SCHEMA_VERSION;
        let snapshot = SnapshotRecord::seal(hero, last_seq, epoch, version, chain, state, 0);
        store.snapshot(&[snapshot]).await.unwrap();
    }
}

/// Follows until nothing is new.
async fn catch_up(follower: &mut Follower, id: HeroId) {
    loop {
        let step = follower.follow(&[id]).await.unwrap();
        assert!(step.aside.is_empty(), "{:?}", step.aside);
        if step.again.is_empty() {
            return;
        }
    }
}

/// Every row of a hero, oldest first.
async fn rows(store: &MemoryStore, id: HeroId) -> ReadRows {
    let mut all = ReadRows::default();
    let page = u32::MAX;
    while let rows @ [_, ..] = &*store.ledger(id, all.ledger.last().map(|row| row.seq), page).await.unwrap() {
        all.ledger.extend_from_slice(rows);
    }
    loop {
        let rows = store.sessions(id, all.sessions.last().map(|row| row.session_id), page).await.unwrap();
        if rows.is_empty() {
            break;
        }
        all.sessions.extend(rows);
    }
    loop {
        let rows = store.tasks(id, all.tasks.last().map(|row| row.task_id), page).await.unwrap();
        if rows.is_empty() {
            break;
        }
        all.tasks.extend(rows);
    }
    loop {
        let rows = store.assemblies(id, all.assemblies.last().map(|row| row.job_id), page).await.unwrap();
        if rows.is_empty() {
            break;
        }
        all.assemblies.extend(rows);
    }
    all
}

/// The rows say what the hero says, by other ways than those on which they were made.
fn check(Owner { hero, brought, .. }: &Owner, rows: &ReadRows) {
    let energy_me: i64 = rows.ledger.iter().map(|row| row.energy_me).sum();
    let earned_me: i64 = rows.ledger.iter().map(|row| row.earned_me).sum();
    let dopamine_md: i64 = rows.ledger.iter().map(|row| row.dopamine_md).sum();
    let wallet = &hero.wallet;
    assert_eq!(
        (energy_me, earned_me, dopamine_md),
        (wallet.energy_me, wallet.lifetime_me, wallet.dopamine_md),
        "the ledger adds up"
    );
    let of = |state: SessionState| rows.sessions.iter().filter(move |row| row.state == state);
    let statistics = &hero.statistics;
    let over = of(SessionState::Asks).count() + of(SessionState::Ended).count();
    assert_eq!(over, (statistics.sessions - brought.sessions) as usize, "sessions that are over");
    let focus_ms: i64 = rows.sessions.iter().map(|row| row.focus_ms).sum();
    assert_eq!(focus_ms, statistics.focus_ms() - brought.focus_ms, "focus that is credited");
    let focus = |row: &&persistence::LedgerRow| row.cause.as_deref() == Some("focus");
    let focus_me: i64 = rows.ledger.iter().filter(focus).map(|row| row.energy_me).sum();
    assert_eq!(rows.sessions.iter().map(|row| row.energy_me).sum::<i64>(), focus_me, "energy of focus");
    let open: Vec<&FocusSessionRow> = of(SessionState::Open).collect();
    assert_eq!(
        open.iter().map(|row| (row.session_id, row.task_id, row.interruptions)).collect::<Vec<_>>(),
        hero.session.iter().map(|it| (it.session_id, it.task_id, it.interruptions)).collect::<Vec<_>>()
    );
    assert_eq!(
        of(SessionState::Asks).map(|row| row.session_id).collect::<Vec<_>>(),
        hero.to_confirm.iter().map(|it| it.session.session_id).collect::<Vec<_>>()
    );
    for row in rows.sessions.iter().filter(|row| row.mode != "offline") {
        let is_ended = matches!(row.state, SessionState::Asks | SessionState::Ended);
        assert_eq!(row.end_kind.is_some(), is_ended, "{row:?}");
        assert_eq!(row.ended_at_ms.is_none(), row.state == SessionState::Open, "{row:?}");
    }
    let listed = rows.tasks.iter().filter(|row| row.removed_at_ms.is_none());
    assert_eq!(
        listed.map(|row| (row.task_id, row.focus_ms)).collect::<Vec<_>>(),
        hero.tasks.iter().rev().map(|it| (it.task_id, it.focus_ms)).collect::<Vec<_>>()
    );
    let built = rows.assemblies.iter().filter(|row| row.state == AssemblyState::Assembled && row.counts);
    assert_eq!(
        built.count(),
        (statistics.modules_built - brought.modules_built) as usize,
        "modules that were built"
    );
    let running = rows.assemblies.iter().filter(|row| row.state == AssemblyState::Running);
    assert_eq!(
        running.map(|row| row.job_id).collect::<Vec<_>>(),
        hero.assembly.jobs.iter().rev().map(|job| job.job_id).collect::<Vec<_>>()
    );
    assert!(rows.assemblies.iter().all(|row| row.started_at_ms.is_some()));
}

#[tokio::test]
async fn rows_say_what_the_hero_says_in_golden_scenarios_and_lives() {
    for (name, events) in life::all() {
        let store = MemoryStore::new();
        let mut owner = Owner::new(&store, hero(1)).await;
        owner.write(&store, &events).await;
        let mut follower = follower(&store);
        catch_up(&mut follower, hero(1)).await;
        assert_eq!(store.read_seq(hero(1)).await.unwrap(), owner.claim.last_seq, "{name}");
        eprintln!("{name}: {} events", events.len());
        check(&owner, &rows(&store, hero(1)).await);
    }
}

/// However the stream of events is split, whichever snapshots there are, and also when a follower begins anew.
#[tokio::test]
async fn followed_in_parts_is_followed_at_once_is_rebuilt() {
    for (name, events) in life::all() {
        let (whole, parts) = (MemoryStore::new(), MemoryStore::new());
        let mut random = life::Random::of(&name);
        Owner::new(&whole, hero(1)).await.write(&whole, &events).await;
        catch_up(&mut follower(&whole), hero(1)).await;
        let expected = rows(&whole, hero(1)).await;
        let mut owner = Owner::new(&parts, hero(1)).await;
        let mut following = follower(&parts);
        let mut rest = &events[..];
        while !rest.is_empty() {
            let (part, after) = rest.split_at(random.below(40).min(rest.len() - 1) + 1);
            rest = after;
            owner.write(&parts, part).await;
            match random.below(4) {
                0 => owner.snapshot(&parts).await,
                1 => following = follower(&parts),
                2 => catch_up(&mut following, hero(1)).await,
                _ => {
                    following.follow(&[hero(1)]).await.unwrap();
                }
            }
        }
        catch_up(&mut following, hero(1)).await;
        assert_eq!(rows(&parts, hero(1)).await, expected, "{name}");
        let store = std::sync::Arc::new(parts.clone());
        let mut out = Vec::new();
        let summary = rebuild::run(store.clone(), store, Which::After(None), &mut out)
            .await
            .expect("the store is there");
        assert_eq!((summary.heroes, summary.events, summary.damaged), (1, events.len() as u64, 0));
        assert_eq!(rows(&parts, hero(1)).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_write_is_shared_by_heroes_and_has_an_end() {
    let store = MemoryStore::new();
    let events = life::long();
    assert!(events.len() > 300, "a life that needs several writes");
    let heroes: Vec<HeroId> = (1..=6).map(hero).collect();
    for id in &heroes {
        let few = if *id == hero(1) { 5 } else { events.len() };
        Owner::new(&store, *id).await.write(&store, &events[..few]).await;
    }
    let mut follower = follower(&store);
    let first = follower.follow(&heroes).await.unwrap();
    assert_eq!(first.again, heroes[1..], "who has more comes again, in order");
    assert_eq!(store.read_seq(hero(1)).await.unwrap(), Seq(5));
    assert!(store.read_seq(hero(2)).await.unwrap() > Seq(100));
    assert_eq!(store.read_seq(hero(6)).await.unwrap(), Seq(0), "those before it have filled the write");
    let mut count = 0;
    for id in &heroes {
        count += rows(&store, *id).await.count();
    }
    assert!((WRITE_ROWS..WRITE_ROWS + 8).contains(&count), "{count} rows");
    let mut again = first.again;
    while !again.is_empty() {
        again = follower.follow(&again).await.unwrap().again;
    }
    assert_eq!(store.behind(None, 9).await.unwrap(), []);
}

/// What the tests above rest on.
#[test]
fn the_lives_hold_whatever_makes_rows() {
    let lives = life::all();
    let events = || lives.iter().flat_map(|(_, events)| events);
    let kinds: std::collections::BTreeSet<&str> = events().map(|timed| timed.event.kind()).collect();
    let making = "hero_created session_started session_described session_paused session_interrupted session_ended
        session_discarded session_confirmed offline_focus_credited days_ended task_created task_updated task_completed
        task_reopened task_deleted assembly_started module_assembled assembly_cancelled module_sold
        break_ended bonus_paid achievement_unlocked";
    for kind in making.split_whitespace() {
        assert!(kinds.contains(kind), "no life has {kind}");
    }
    let over_midnight = |event: &Event| matches!(event, Event::DaysEnded { credit: Some(_), .. });
    let archives = |event: &Event| matches!(event, Event::DaysEnded { archived_task_ids, .. } if !archived_task_ids.is_empty());
    let asks = |event: &Event| matches!(event, Event::SessionEnded { asks: true, .. });
    let denies =
        |event: &Event| matches!(event, Event::SessionConfirmed { answer: Confirmation::Discard, .. });
    for (what, is_it) in [
        ("midnight", &over_midnight as &dyn Fn(&Event) -> bool),
        ("archive", &archives),
        ("asks", &asks),
        ("denial", &denies),
    ] {
        assert!(events().any(|timed| is_it(&timed.event)), "no life has {what}");
    }
}

#[tokio::test]
async fn a_hero_that_cannot_be_read_is_set_aside_and_named() {
    let store = MemoryStore::new();
    let events = life::long();
    let heroes: Vec<HeroId> = (1..=4).map(hero).collect();
    for id in &heroes {
        Owner::new(&store, *id).await.write(&store, &events[..20]).await;
    }
    assert!(store.lose_event(hero(2), Seq(7)));
    // The first byte of a payload says what it is.
    assert!(store.damage_event(hero(3), Seq(1)));
    let step = follower(&store).follow(&heroes).await.unwrap();
    let aside: Vec<_> = step.aside.iter().map(|(hero, what)| (*hero, what.as_str())).collect();
    assert!(
        matches!(aside[..], [(two, "event 7 is missing"), (three, _)] if two == hero(2) && three == hero(3)),
        "{aside:?}"
    );
    for id in [1, 4] {
        assert_eq!(store.read_seq(hero(id)).await.unwrap(), Seq(20));
    }
    let store = std::sync::Arc::new(store);
    let mut out = Vec::new();
    let summary =
        rebuild::run(store.clone(), store.clone(), Which::After(Some(hero(1))), &mut out).await.unwrap();
    assert_eq!((summary.heroes, summary.damaged), (1, 2), "{}", String::from_utf8_lossy(&out));
    let unknown = rebuild::run(store.clone(), store, Which::One(hero(9)), &mut out).await;
    assert!(unknown.unwrap_err().to_string().contains("is not in this store"));
}

/// Two followers of one database: each row once.
#[tokio::test]
async fn a_follower_that_was_overtaken_begins_where_the_other_is() {
    let store = MemoryStore::new();
    let events = life::long();
    let mut owner = Owner::new(&store, hero(1)).await;
    owner.write(&store, &events).await;
    let (mut slow, mut fast) = (follower(&store), follower(&store));
    let first = slow.follow(&[hero(1)]).await.unwrap();
    assert_eq!(first.again, [hero(1)], "it keeps a hero that is half done");
    catch_up(&mut fast, hero(1)).await;
    let second = slow.follow(&[hero(1)]).await.unwrap();
    assert_eq!((second.events, second.again.len()), (0, 0));
    check(&owner, &rows(&store, hero(1)).await);
}

#[tokio::test]
async fn verify_finds_a_ledger_that_does_not_add_up() {
    let store = MemoryStore::new();
    let mut owner = Owner::new(&store, hero(1)).await;
    owner.write(&store, &life::long()).await;
    let last_seq = owner.claim.last_seq;
    let texts = TextKeys::new(Arc::new(store.clone()), Keys::random());
    let verified = async || {
        let mut out = Vec::new();
        let damaged = verify::run(&store, &store, &texts, &mut out).await.unwrap().damaged;
        (damaged, String::from_utf8(out).unwrap())
    };
    catch_up(&mut follower(&store), hero(1)).await;
    assert_eq!(verified().await.0, 0);
    let wrong = |to: u64| HeroRows { hero: hero(1), from: Seq(0), to: Seq(to), rows: ReadRows::default() };
    for (read_seq, text) in [(last_seq.0, "adds up to 0 mE"), (last_seq.0 + 1, "the last one is")] {
        store.reset(hero(1)).await.unwrap();
        assert_eq!(store.write_rows(&[wrong(read_seq)]).await.unwrap(), [true]);
        let (damaged, out) = verified().await;
        assert!(damaged == 1 && out.contains(text) && out.contains("rebuild-read-models"), "{out}");
    }
    store.reset(hero(1)).await.unwrap();
    assert_eq!(store.write_rows(&[wrong(3)]).await.unwrap(), [true]);
    assert_eq!(verified().await.0, 0, "one that is behind is nothing to wonder about");
    let shared = std::sync::Arc::new(store.clone());
    rebuild::run(shared.clone(), shared, Which::One(hero(1)), &mut Vec::new()).await.unwrap();
    check(&owner, &rows(&store, hero(1)).await);
    assert_eq!(verified().await.0, 0);
}

/// Rows that are made beside the events, group by group, are those that the journal gives; and the journal is not read.
#[tokio::test]
async fn fresh_rows_are_the_rows_of_the_journal() {
    for (name, events) in life::all() {
        for group in [1, 7, 48] {
            let (store, beside) = (MemoryStore::new(), MemoryStore::new());
            let mut owner = Owner::new(&store, hero(1)).await;
            owner.write(&store, &events).await;
            catch_up(&mut follower(&store), hero(1)).await;

            let fresh = FreshRows::default();
            let nothing_to_read = Arc::new(MemoryStore::new());
            let mut follower = Follower::new(nothing_to_read, Arc::new(beside.clone()), fresh.clone());
            let mut made = Projection::new(Hero::default(), Seq(0));
            for (index, group) in events.chunks(group).enumerate() {
                group.iter().for_each(|timed| made.event(timed));
                fresh.note(hero(1), Epoch(1), made.take());
                fresh.durable(&[(hero(1), Epoch(1), made.seq())]);
                if index % 3 == 2 || made.seq() == owner.claim.last_seq {
                    catch_up(&mut follower, hero(1)).await;
                }
            }
            assert_eq!(beside.read_seq(hero(1)).await.unwrap(), owner.claim.last_seq, "{name}");
            assert_eq!(rows(&beside, hero(1)).await, rows(&store, hero(1)).await, "{name}");
        }
    }
}

/// A hero that lives as in a shard: its rows are made beside its events.
struct Live {
    owner: Owner,
    fresh: FreshRows,
    follower: Follower,
    made: Projection,
}

impl Live {
    async fn new(store: &MemoryStore) -> Live {
        let fresh = FreshRows::default();
        let shared = Arc::new(store.clone());
        let follower = Follower::new(shared.clone(), shared, fresh.clone());
        let made = Projection::new(Hero::default(), Seq(0));
        Live { owner: Owner::new(store, hero(1)).await, fresh, follower, made }
    }

    /// Events become durable. Unless their rows are kept they are forgotten.
    async fn publish(&mut self, store: &MemoryStore, group: &[TimedEvent], is_kept: bool) {
        self.owner.write(store, group).await;
        group.iter().for_each(|timed| self.made.event(timed));
        let (changes, claim) = (self.made.take(), &self.owner.claim);
        if is_kept {
            self.fresh.note(hero(1), claim.epoch, changes);
        }
        self.fresh.durable(&[(hero(1), claim.epoch, claim.last_seq)]);
    }
}

/// Fresh rows of events that the stored rows do not reach yet: the journal fills what is missing, and then they fit again.
#[tokio::test]
async fn fresh_rows_that_do_not_fit_are_made_again() {
    let events = life::long();
    let store = MemoryStore::new();
    let mut live = Live::new(&store).await;
    for (index, group) in events.chunks(11).enumerate() {
        live.publish(&store, group, index % 4 != 1).await;
        if index % 3 == 2 {
            catch_up(&mut live.follower, hero(1)).await;
            assert_eq!(store.read_seq(hero(1)).await.unwrap(), live.owner.claim.last_seq);
        }
    }
    catch_up(&mut live.follower, hero(1)).await;
    check(&live.owner, &rows(&store, hero(1)).await);
}

/// A hero whose player never rests is caught up with too: what does not fit is not tried again and again.
#[tokio::test]
async fn fresh_rows_that_keep_coming_do_not_hide_what_is_missing() {
    let events = life::long();
    let store = MemoryStore::new();
    let mut live = Live::new(&store).await;
    for (index, group) in events.chunks(3).take(12).enumerate() {
        live.publish(&store, group, index > 0).await;
        if index > 0 {
            live.follower.follow(&[hero(1)]).await.unwrap();
        }
    }
    let behind = live.owner.claim.last_seq.0 - store.read_seq(hero(1)).await.unwrap().0;
    assert!(behind <= 6, "{behind} events behind");
}
