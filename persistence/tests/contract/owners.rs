//! Accounts: who owns a hero, with which devices, and how that ends.

use std::sync::Arc;

use persistence::accounts::{
    AccountChange, AccountEvent, AccountEventKind, AccountKey, CODES_MAX, Changed, Code, CodePurpose,
    Created, DEVICES_MAX, LookupHash, NewAccount, NewSession, Revoke, Revoked, Rotate, Rotation, Sealed,
    Union, UnionBegun,
};
use persistence::{AccountId, AccountStore, DeviceId, HeroId, NewGuest, TokenHash};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::backend::Backend;
use crate::history::hero;

const GRACE_MS: i64 = 10_000;
const LIFE_MS: i64 = 1_000_000;

pub(crate) fn id(number: u128) -> AccountId {
    AccountId(Uuid::from_u128(number))
}

fn device(number: u128) -> DeviceId {
    DeviceId(Uuid::from_u128(number))
}

fn token(number: u8) -> TokenHash {
    TokenHash([number; 32])
}

/// An account with a hero of its own, both of this number.
pub(crate) fn new(number: u8) -> NewAccount {
    NewAccount {
        account: id(number.into()),
        hero: hero(number.into()),
        is_new_hero: true,
        mail: Some(LookupHash([number; 32])),
        subject: None,
        password: Some("$argon2id$…".into()),
        profile: Sealed(vec![number; 40]),
        created_at_ms: 1_000,
    }
}

pub(crate) fn session(number: u8, of: u8) -> NewSession {
    NewSession {
        device: device(number.into()),
        account: id(of.into()),
        hero: hero(of.into()),
        name: "phone".into(),
        refresh: token(number),
        created_at_ms: 1_000 + i64::from(number),
        expires_at_ms: LIFE_MS,
    }
}

pub(crate) fn guest(number: u8) -> NewGuest {
    NewGuest {
        hero: hero(number.into()),
        device: device(number.into()),
        token_hash: token(number),
        name: "browser".into(),
        created_at_ms: 1_000,
    }
}

fn rotate(presented: u8, next: u8, now_ms: i64) -> Rotate {
    Rotate {
        presented: token(presented),
        next: token(next),
        now_ms,
        grace_ms: GRACE_MS,
        expires_at_ms: LIFE_MS,
    }
}

pub(crate) fn union(guest: u8, account: u8, begun_at_ms: i64) -> Union {
    Union {
        guest: hero(guest.into()),
        into: hero(account.into()),
        account: id(account.into()),
        begun_at_ms,
        finished_at_ms: None,
    }
}

async fn live(accounts: &dyn AccountStore, of: HeroId) -> Vec<DeviceId> {
    accounts.devices(of).await.unwrap().iter().map(|device| device.device).collect()
}

/// Runs the same call many times at once.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    accounts: &Arc<dyn AccountStore>,
    call: impl Fn(Arc<dyn AccountStore>, u8) -> F,
) -> Vec<T> {
    let calls: JoinSet<T> = (0..8).map(|number| call(Arc::clone(accounts), number)).collect();
    calls.join_all().await
}

pub(crate) async fn an_account_is_found_by_every_key(backend: impl Backend) {
    let accounts = backend.accounts();
    let with_subject = NewAccount { subject: Some(LookupHash([99; 32])), ..new(1) };
    assert_eq!(accounts.create_account(with_subject).await.unwrap(), Created::Done);
    assert_eq!(accounts.create_account(new(2)).await.unwrap(), Created::Done);
    let backend = backend.reopen().await;
    let accounts = backend.accounts();
    let keys = [
        AccountKey::Id(id(1)),
        AccountKey::Hero(hero(1)),
        AccountKey::Mail(LookupHash([1; 32])),
        AccountKey::Subject(LookupHash([99; 32])),
    ];
    for key in keys {
        let found = accounts.account(key).await.unwrap().expect("it is there");
        assert_eq!((found.account, found.hero, found.created_at_ms), (id(1), hero(1), 1_000), "{key:?}");
        assert_eq!((found.profile, found.password), (Sealed(vec![1; 40]), Some("$argon2id$…".into())));
    }
    assert_eq!(accounts.account(AccountKey::Subject(LookupHash([1; 32]))).await.unwrap(), None);
    let head = backend.journal().head(hero(1)).await.unwrap();
    assert!(head.is_some(), "its hero was made with it");
}

pub(crate) async fn nothing_is_taken_twice(backend: impl Backend) {
    let accounts = backend.accounts();
    let subject = Some(LookupHash([99; 32]));
    accounts.create_account(NewAccount { subject, ..new(1) }).await.unwrap();
    accounts.create_guest(guest(5)).await.unwrap();
    let cases = [
        (NewAccount { mail: new(1).mail, ..new(2) }, Created::MailTaken),
        (NewAccount { subject, ..new(2) }, Created::SubjectTaken),
        (NewAccount { hero: hero(1), is_new_hero: false, ..new(2) }, Created::HeroTaken),
        (NewAccount { is_new_hero: false, ..new(2) }, Created::HeroTaken),
    ];
    for (account, expected) in cases {
        assert_eq!(accounts.create_account(account).await.unwrap(), expected);
        assert_eq!(backend.journal().heroes(None, 10).await.unwrap().len(), 2, "nothing is half done");
    }
    assert_eq!(accounts.create_account(new(2)).await.unwrap(), Created::Done);
    let mail = AccountChange::Mail { mail: LookupHash([1; 32]), profile: Sealed(vec![7]) };
    assert_eq!(accounts.change_account(id(2), mail).await.unwrap(), Changed::Taken);
    let change = AccountChange::Subject(LookupHash([99; 32]));
    assert_eq!(accounts.change_account(id(2), change.clone()).await.unwrap(), Changed::Taken);
    assert_eq!(accounts.change_account(id(1), change).await.unwrap(), Changed::Done, "its own");
    let unchanged = accounts.account(AccountKey::Id(id(2))).await.unwrap().unwrap();
    assert_eq!((unchanged.mail, unchanged.profile), (new(2).mail, new(2).profile));
}

pub(crate) async fn of_many_accounts_with_one_mail_one_is_made(backend: impl Backend) {
    let accounts = backend.accounts();
    let made = at_once(&accounts, |accounts, number| async move {
        accounts.create_account(NewAccount { mail: Some(LookupHash([77; 32])), ..new(number) }).await.unwrap()
    });
    let made = made.await;
    assert_eq!(made.iter().filter(|it| **it == Created::Done).count(), 1, "{made:?}");
    assert!(made.iter().all(|it| matches!(it, Created::Done | Created::MailTaken)), "{made:?}");
    assert_eq!(backend.journal().heroes(None, 100).await.unwrap().len(), 1, "and one hero");
}

pub(crate) async fn a_guest_becomes_an_account_with_its_devices(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_guest(guest(1)).await.unwrap();
    let account = NewAccount { is_new_hero: false, ..new(1) };
    assert_eq!(accounts.create_account(account).await.unwrap(), Created::Done);
    let found = accounts.device_by_token(token(1)).await.unwrap().unwrap();
    assert_eq!((found.account, found.hero), (Some(id(1)), hero(1)));
    assert_eq!(accounts.device(device(1)).await.unwrap(), Some(found));
    assert_eq!(accounts.device(device(9)).await.unwrap(), None);
}

pub(crate) async fn every_part_of_an_account_changes_alone(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_account(new(1)).await.unwrap();
    accounts.create_account(new(2)).await.unwrap();
    let changes = [
        AccountChange::Password("other".into()),
        AccountChange::MailVerified(5),
        AccountChange::Avatar(Some("picture".into())),
        AccountChange::EraseAt(Some(9)),
        AccountChange::BannedAt(Some(7)),
        AccountChange::Profile(Sealed(vec![3])),
        AccountChange::Subject(LookupHash([8; 32])),
    ];
    for change in changes {
        assert_eq!(accounts.change_account(id(9), change.clone()).await.unwrap(), Changed::Missing);
        assert_eq!(accounts.change_account(id(1), change).await.unwrap(), Changed::Done);
    }
    let changed = accounts.account(AccountKey::Id(id(1))).await.unwrap().unwrap();
    assert_eq!((changed.password.as_deref(), changed.mail_verified_at_ms), (Some("other"), Some(5)));
    assert_eq!((changed.avatar.as_deref(), changed.erase_at_ms), (Some("picture"), Some(9)));
    assert_eq!((changed.banned_at_ms, changed.profile), (Some(7), Sealed(vec![3])));
    assert_eq!(changed.subject, Some(LookupHash([8; 32])));
    let mail = AccountChange::Mail { mail: LookupHash([6; 32]), profile: Sealed(vec![4]) };
    accounts.change_account(id(1), mail).await.unwrap();
    accounts.change_account(id(1), AccountChange::Avatar(None)).await.unwrap();
    accounts.change_account(id(1), AccountChange::EraseAt(None)).await.unwrap();
    let changed = accounts.account(AccountKey::Mail(LookupHash([6; 32]))).await.unwrap().unwrap();
    assert_eq!((changed.mail_verified_at_ms, changed.profile), (None, Sealed(vec![4])), "not verified yet");
    assert_eq!((changed.avatar, changed.erase_at_ms), (None, None));
    let other = accounts.account(AccountKey::Id(id(2))).await.unwrap().unwrap();
    assert_eq!((other.password, other.profile), (new(2).password, new(2).profile), "untouched");
}

pub(crate) async fn a_refresh_token_is_good_once_and_for_the_grace(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_account(new(1)).await.unwrap();
    accounts.add_session(session(1, 1)).await.unwrap();
    let rotated = accounts.rotate(rotate(1, 2, 5_000)).await.unwrap();
    let Rotation::Rotated(found) = rotated else { panic!("{rotated:?}") };
    assert_eq!((found.device, found.hero, found.account), (device(1), hero(1), Some(id(1))));
    assert_eq!((found.token_hash, found.last_seen_ms), (None, 5_000));
    let again = accounts.rotate(rotate(1, 3, 5_000 + GRACE_MS)).await.unwrap();
    assert!(matches!(again, Rotation::Rotated(_)), "the answer was lost: {again:?}");
    let both = [accounts.rotate(rotate(2, 4, 16_000)).await, accounts.rotate(rotate(3, 5, 16_000)).await];
    assert!(both.iter().all(|it| matches!(it, Ok(Rotation::Rotated(_)))), "{both:?}");
    let reused = accounts.rotate(rotate(1, 6, 5_000 + GRACE_MS + 1)).await.unwrap();
    let Rotation::Reused(found) = reused else { panic!("{reused:?}") };
    assert_eq!((found.device, found.revoked_at_ms), (device(1), Some(15_001)));
    for left in [1, 4, 5, 6] {
        let refused = accounts.rotate(rotate(left, 50 + left, 16_001)).await.unwrap();
        assert_eq!(refused, Rotation::Unknown, "the whole family is void: {left}");
    }
    let events = accounts.account_events(hero(1), 10).await.unwrap();
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((event.kind, event.device), (AccountEventKind::RefreshReused, Some(device(1))));
}

pub(crate) async fn a_refresh_token_ends(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_account(new(1)).await.unwrap();
    accounts.add_session(session(1, 1)).await.unwrap();
    accounts.add_session(session(2, 1)).await.unwrap();
    assert_eq!(accounts.rotate(rotate(1, 3, LIFE_MS)).await.unwrap(), Rotation::Unknown);
    let last = accounts.rotate(rotate(1, 3, LIFE_MS - 1)).await.unwrap();
    assert!(matches!(last, Rotation::Rotated(_)), "{last:?}");
    assert_eq!(accounts.rotate(rotate(9, 4, 5_000)).await.unwrap(), Rotation::Unknown, "never issued");
    accounts.prune(LIFE_MS).await.unwrap();
    let pruned = Rotate { now_ms: 5_000, ..rotate(2, 5, 0) };
    assert_eq!(accounts.rotate(pruned).await.unwrap(), Rotation::Unknown, "forgotten");
}

pub(crate) async fn many_uses_of_one_token_at_once_are_one_family(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_account(new(1)).await.unwrap();
    accounts.add_session(session(1, 1)).await.unwrap();
    let rotated = at_once(&accounts, |accounts, number| async move {
        accounts.rotate(rotate(1, 100 + number, 5_000)).await.unwrap()
    });
    let rotated = rotated.await;
    assert!(rotated.iter().all(|it| matches!(it, Rotation::Rotated(_))), "{rotated:?}");
    let late = at_once(&accounts, |accounts, number| async move {
        accounts.rotate(rotate(1, 200 + number, 50_000)).await.unwrap()
    });
    let late = late.await;
    let reused = late.iter().filter(|it| matches!(it, Rotation::Reused(_))).count();
    assert_eq!(reused, 1, "noticed once: {late:?}");
    assert_eq!(live(&*accounts, hero(1)).await, []);
    assert_eq!(accounts.account_events(hero(1), 10).await.unwrap().len(), 1);
}

pub(crate) async fn revoked_devices_are_listed_for_other_nodes(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_account(new(1)).await.unwrap();
    accounts.create_account(new(2)).await.unwrap();
    for number in 11..=14 {
        accounts.add_session(session(number, 1)).await.unwrap();
    }
    accounts.add_session(session(21, 2)).await.unwrap();
    let one = Revoke::One(device(12));
    assert_eq!(accounts.revoke(hero(2), one, 2_000).await.unwrap(), [], "another hero's");
    assert_eq!(accounts.revoke(hero(1), one, 2_000).await.unwrap(), [device(12)]);
    assert_eq!(accounts.revoke(hero(1), one, 2_500).await.unwrap(), [], "only once");
    let mut others = accounts.revoke(hero(1), Revoke::AllBut(device(13)), 3_000).await.unwrap();
    others.sort();
    assert_eq!(others, [device(11), device(14)]);
    assert_eq!(live(&*accounts, hero(1)).await, [device(13)]);
    let at = |number: u128, at_ms| Revoked { hero: hero(1), device: device(number), at_ms };
    let all = [at(12, 2_000), at(11, 3_000), at(14, 3_000)];
    assert_eq!(accounts.revoked_since(2_000, 10).await.unwrap(), all);
    assert_eq!(accounts.revoked_since(2_001, 10).await.unwrap(), all[1..]);
    assert_eq!(accounts.revoked_since(0, 2).await.unwrap(), all[..2]);
    assert_eq!(accounts.revoke(hero(1), Revoke::All, 4_000).await.unwrap(), [device(13)]);
    assert_eq!(live(&*accounts, hero(2)).await, [device(21)]);
    assert_eq!(accounts.rotate(rotate(13, 90, 4_001)).await.unwrap(), Rotation::Unknown);
}

pub(crate) async fn the_device_not_seen_for_longest_makes_room(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_account(new(1)).await.unwrap();
    let max = u8::try_from(DEVICES_MAX).unwrap();
    for number in 1..=max {
        accounts.add_session(session(number, 1)).await.unwrap();
    }
    accounts.touch_device(device(1), 900_000).await.unwrap();
    assert_eq!(live(&*accounts, hero(1)).await.len(), usize::from(max));
    accounts.add_session(session(max + 1, 1)).await.unwrap();
    let left = live(&*accounts, hero(1)).await;
    assert_eq!(left.len(), usize::from(max));
    assert!(left.contains(&device(1)) && !left.contains(&device(2)), "{left:?}");
    assert!(left.contains(&device(u128::from(max) + 1)), "the new one has its right");
}

pub(crate) async fn a_code_is_good_once(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_account(new(1)).await.unwrap();
    let code =
        |number, purpose, expires_at_ms| Code { hash: token(number), account: id(1), purpose, expires_at_ms };
    let (reset, verify) = (CodePurpose::ResetPassword, CodePurpose::VerifyMail);
    accounts.put_code(code(1, reset, 9_000)).await.unwrap();
    assert_eq!(accounts.take_code(token(1), verify, 5_000).await.unwrap(), None, "for something else");
    assert_eq!(accounts.take_code(token(1), reset, 9_000).await.unwrap(), None, "too late");
    let taken = at_once(&accounts, |accounts, _| async move {
        accounts.take_code(token(1), CodePurpose::ResetPassword, 8_999).await.unwrap()
    });
    assert_eq!(taken.await.into_iter().flatten().collect::<Vec<_>>(), [id(1)], "one of many");
    let first = 10;
    let last = first + u8::try_from(CODES_MAX).unwrap();
    for number in first..=last {
        accounts.put_code(code(number, verify, 9_000 + i64::from(number))).await.unwrap();
    }
    assert_eq!(accounts.take_code(token(first), verify, 5_000).await.unwrap(), None, "the oldest is void");
    assert_eq!(accounts.take_code(token(first + 1), verify, 5_000).await.unwrap(), Some(id(1)));
    accounts.prune(9_000 + i64::from(last)).await.unwrap();
    assert_eq!(accounts.take_code(token(last), verify, 5_000).await.unwrap(), None, "forgotten");
}

pub(crate) async fn a_union_is_decided_once(backend: impl Backend) {
    let accounts = backend.accounts();
    for number in [1, 2] {
        accounts.create_account(new(number)).await.unwrap();
    }
    for number in [5, 6] {
        accounts.create_guest(guest(number)).await.unwrap();
    }
    assert_eq!(accounts.begin_union(union(9, 1, 5_000)).await.unwrap(), UnionBegun::Elsewhere, "unknown");
    assert_eq!(
        accounts.begin_union(union(2, 1, 5_000)).await.unwrap(),
        UnionBegun::Elsewhere,
        "an account's"
    );
    let begun = at_once(&accounts, |accounts, number| async move {
        accounts.begin_union(union(5, 1 + number % 2, 5_000)).await.unwrap()
    });
    let begun = begun.await;
    assert_eq!(begun.iter().filter(|it| **it == UnionBegun::Begun).count(), 1, "{begun:?}");
    let [decided] = accounts.unfinished_unions(10).await.unwrap()[..] else { panic!("one is open") };
    let again = accounts.begin_union(Union { begun_at_ms: 6_000, ..decided }).await.unwrap();
    assert_eq!(again, UnionBegun::Again(decided), "as it was decided");
    let other = if decided.account == id(1) { 2 } else { 1 };
    assert_eq!(accounts.begin_union(union(5, other, 6_000)).await.unwrap(), UnionBegun::Elsewhere);
    let account = NewAccount { is_new_hero: false, mail: None, ..new(5) };
    assert_eq!(accounts.create_account(account).await.unwrap(), Created::HeroTaken, "it is promised");
    accounts.finish_union(hero(5), 7_000).await.unwrap();
    accounts.finish_union(hero(5), 8_000).await.unwrap();
    assert_eq!(accounts.unfinished_unions(10).await.unwrap(), []);
    let moved = accounts.device_by_token(token(5)).await.unwrap().unwrap();
    assert_eq!((moved.hero, moved.account), (decided.into, Some(decided.account)));
    let done = accounts.begin_union(decided).await.unwrap();
    assert_eq!(done, UnionBegun::Again(Union { finished_at_ms: Some(7_000), ..decided }));
    assert_eq!(accounts.unions_since(decided.account, 5_000).await.unwrap(), 1);
    assert_eq!(accounts.unions_since(decided.account, 5_001).await.unwrap(), 0);
    accounts.finish_union(hero(6), 8_000).await.unwrap();
    assert_eq!(accounts.device_by_token(token(6)).await.unwrap().unwrap().hero, hero(6), "never decided");
}

pub(crate) async fn a_hero_goes_one_way_only(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_account(new(1)).await.unwrap();
    for number in 100..108_u8 {
        accounts.create_guest(guest(number)).await.unwrap();
        let (left, right) = (Arc::clone(&accounts), Arc::clone(&accounts));
        let united = tokio::spawn(async move { left.begin_union(union(number, 1, 5_000)).await.unwrap() });
        let account = NewAccount { is_new_hero: false, ..new(number) };
        let owned = tokio::spawn(async move { right.create_account(account).await.unwrap() });
        let (united, owned) = (united.await.unwrap(), owned.await.unwrap());
        let is_one = (united == UnionBegun::Begun) != (owned == Created::Done);
        assert!(is_one, "{united:?} and {owned:?}");
    }
}

pub(crate) async fn an_account_is_erased_when_it_is_due(backend: impl Backend) {
    let accounts = backend.accounts();
    for number in [1, 2, 3] {
        accounts.create_account(new(number)).await.unwrap();
        accounts.add_session(session(number, number)).await.unwrap();
    }
    accounts.change_account(id(1), AccountChange::EraseAt(Some(5_000))).await.unwrap();
    accounts.change_account(id(2), AccountChange::EraseAt(Some(4_000))).await.unwrap();
    let due =
        |found: Vec<persistence::accounts::Account>| found.iter().map(|it| it.account).collect::<Vec<_>>();
    assert_eq!(due(accounts.due_erasures(3_999, 10).await.unwrap()), []);
    assert_eq!(due(accounts.due_erasures(5_000, 10).await.unwrap()), [id(2), id(1)]);
    assert_eq!(due(accounts.due_erasures(5_000, 1).await.unwrap()), [id(2)]);
    assert!(!accounts.erase_account(id(1), 4_999).await.unwrap(), "one ms early");
    assert!(!accounts.erase_account(id(3), 4_999).await.unwrap(), "nobody asked");
    let code =
        Code { hash: token(80), account: id(1), purpose: CodePurpose::VerifyMail, expires_at_ms: LIFE_MS };
    accounts.put_code(code).await.unwrap();
    assert!(accounts.erase_account(id(1), 5_000).await.unwrap());
    assert!(!accounts.erase_account(id(1), 5_000).await.unwrap(), "it is gone");
    for key in [AccountKey::Id(id(1)), AccountKey::Mail(LookupHash([1; 32])), AccountKey::Hero(hero(1))] {
        assert_eq!(accounts.account(key).await.unwrap(), None);
    }
    assert_eq!(accounts.device(device(1)).await.unwrap(), None);
    assert_eq!(accounts.rotate(rotate(1, 90, 5_001)).await.unwrap(), Rotation::Unknown);
    assert_eq!(accounts.take_code(token(80), CodePurpose::VerifyMail, 5_001).await.unwrap(), None);
    let kinds: Vec<_> =
        accounts.account_events(hero(1), 10).await.unwrap().iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [AccountEventKind::Erased]);
    assert!(backend.journal().head(hero(1)).await.unwrap().is_some(), "the journal stays");
    assert_eq!(live(&*accounts, hero(3)).await, [device(3)]);
    assert_eq!(
        accounts.create_account(NewAccount { mail: new(1).mail, ..new(9) }).await.unwrap(),
        Created::Done
    );
}

pub(crate) async fn guests_that_nobody_uses_are_forgotten(backend: impl Backend) {
    let accounts = backend.accounts();
    for number in [1, 2, 3] {
        accounts.create_guest(guest(number)).await.unwrap();
    }
    accounts.touch_device(device(2), 9_000).await.unwrap();
    accounts.create_account(NewAccount { is_new_hero: false, ..new(3) }).await.unwrap();
    assert_eq!(accounts.stale_guests(1_000, 10).await.unwrap(), []);
    assert_eq!(accounts.stale_guests(1_001, 10).await.unwrap(), [hero(1)]);
    assert_eq!(accounts.stale_guests(9_001, 10).await.unwrap(), [hero(1), hero(2)]);
    assert_eq!(accounts.stale_guests(9_001, 1).await.unwrap(), [hero(1)]);
    assert!(!accounts.erase_guest(hero(3)).await.unwrap(), "an account's");
    assert!(accounts.erase_guest(hero(1)).await.unwrap());
    assert!(!accounts.erase_guest(hero(1)).await.unwrap());
    assert_eq!(accounts.device_by_token(token(1)).await.unwrap(), None);
    assert_eq!(accounts.stale_guests(9_001, 10).await.unwrap(), [hero(2)]);
    assert!(backend.journal().head(hero(1)).await.unwrap().is_some(), "the journal stays");
}

pub(crate) async fn guests_that_nobody_can_reach_are_found(backend: impl Backend) {
    let accounts = backend.accounts();
    for number in [1, 2, 3, 4] {
        accounts.create_guest(guest(number)).await.unwrap();
    }
    accounts.create_account(NewAccount { is_new_hero: false, ..new(3) }).await.unwrap();
    assert_eq!(accounts.orphaned_guests(LIFE_MS, 10).await.unwrap(), [], "all of them may act");
    for (number, now_ms) in [(2, 5_000), (1, 6_000), (3, 6_000), (4, 6_000)] {
        accounts.revoke(hero(number), Revoke::All, now_ms).await.unwrap();
    }
    let union =
        Union { guest: hero(4), into: hero(3), account: id(3), begun_at_ms: 7_000, finished_at_ms: None };
    assert_eq!(accounts.begin_union(union).await.unwrap(), UnionBegun::Begun);
    assert_eq!(accounts.orphaned_guests(5_000, 10).await.unwrap(), []);
    assert_eq!(accounts.orphaned_guests(5_001, 10).await.unwrap(), [hero(2)]);
    assert_eq!(
        accounts.orphaned_guests(9_000, 10).await.unwrap(),
        [hero(2), hero(1)],
        "no account's, none promised"
    );
    assert_eq!(accounts.orphaned_guests(9_000, 1).await.unwrap(), [hero(2)]);
    assert!(accounts.erase_guest(hero(2)).await.unwrap());
    assert_eq!(accounts.orphaned_guests(9_000, 10).await.unwrap(), [hero(1)]);
}

pub(crate) async fn what_happened_is_listed_newest_first(backend: impl Backend) {
    let accounts = backend.accounts();
    let event = |number: u128, kind, at_ms| AccountEvent {
        id: Uuid::from_u128(number),
        account: Some(id(1)),
        hero: Some(hero(1)),
        device: None,
        kind,
        at_ms,
    };
    let events = [
        event(1, AccountEventKind::Registered, 1_000),
        event(2, AccountEventKind::LoggedIn, 2_000),
        event(3, AccountEventKind::LoggedOut, 3_000),
    ];
    for event in events.iter().chain(&events[..1]) {
        accounts.note(event.clone()).await.unwrap();
    }
    accounts.note(AccountEvent { hero: None, ..event(4, AccountEventKind::Banned, 4_000) }).await.unwrap();
    let backend = backend.reopen().await;
    let listed = backend.accounts().account_events(hero(1), 2).await.unwrap();
    assert_eq!(listed, [events[2].clone(), events[1].clone()]);
    assert_eq!(backend.accounts().account_events(hero(1), 10).await.unwrap().len(), 3);
}

pub(crate) async fn the_first_lookup_key_stays(backend: impl Backend) {
    let accounts = backend.accounts();
    let keys = at_once(&accounts, |accounts, number| async move {
        accounts.lookup_key(Sealed(vec![number; 60])).await.unwrap()
    });
    let keys = keys.await;
    assert!(keys.iter().all(|key| *key == keys[0]), "one for all");
    let backend = backend.reopen().await;
    assert_eq!(backend.accounts().lookup_key(Sealed(vec![99; 60])).await.unwrap(), keys[0]);
}
