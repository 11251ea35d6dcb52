//! Who was seen, who is kept out, and whose sockets are to be closed.

use persistence::accounts::{NewAccount, Revoke};
use persistence::support::{BANNED_GUEST_KEPT_MS, CLOSED_KEPT_MS, CloseWish};
use persistence::{DeviceId, HeroId, NodeId};
use uuid::Uuid;

use crate::backend::Backend;
use crate::history::hero;
use crate::owners::{guest, id, new, union};

fn device(number: u128) -> DeviceId {
    DeviceId(Uuid::from_u128(number))
}

pub(crate) async fn heroes_are_seen_once_the_last_first(backend: impl Backend) {
    let accounts = backend.accounts();
    for number in [1, 2, 3] {
        accounts.create_guest(guest(number)).await.unwrap();
    }
    accounts.create_account(NewAccount { is_new_hero: false, ..new(2) }).await.unwrap();
    let session = crate::owners::session(9, 2);
    accounts.add_session(session).await.unwrap();
    accounts.touch_device(device(1), 7_000).await.unwrap();
    accounts.touch_device(device(9), 9_000).await.unwrap();
    let support = backend.support();
    let seen = support.seen(None, 10).await.unwrap();
    let heroes: Vec<HeroId> = seen.iter().map(|it| it.hero).collect();
    assert_eq!(heroes, [hero(2), hero(1), hero(3)], "each once, where its last device is");
    let first = seen[0];
    assert_eq!((first.device, first.account, first.last_seen_ms), (device(9), Some(id(2)), 9_000));
    assert_eq!((first.revoked_at_ms, first.guest_banned_at_ms), (None, None));
    let mut paged = Vec::new();
    let mut after = None;
    while let [next] = support.seen(after, 1).await.unwrap()[..] {
        paged.push(next);
        after = Some(next.place());
    }
    assert_eq!(paged, seen, "pages have no gap and repeat nothing");
    assert_eq!(support.seen_hero(hero(2)).await.unwrap(), Some(first));
    assert_eq!(support.seen_hero(hero(8)).await.unwrap(), None);
}

pub(crate) async fn a_banned_guest_is_kept_and_comes_back(backend: impl Backend) {
    let (accounts, support) = (backend.accounts(), backend.support());
    accounts.create_guest(guest(1)).await.unwrap();
    assert!(support.ban_guest(hero(1), 5_000).await.unwrap());
    assert!(support.ban_guest(hero(1), 6_000).await.unwrap(), "it is banned");
    let seen = support.seen_hero(hero(1)).await.unwrap().unwrap();
    assert_eq!(
        (seen.guest_banned_at_ms, seen.revoked_at_ms),
        (Some(5_000), Some(5_000)),
        "the first time counts"
    );
    assert_eq!(accounts.devices(hero(1)).await.unwrap(), []);
    assert_eq!(accounts.orphaned_guests(5_000 + BANNED_GUEST_KEPT_MS, 10).await.unwrap(), []);
    assert_eq!(accounts.orphaned_guests(5_001 + BANNED_GUEST_KEPT_MS, 10).await.unwrap(), [hero(1)]);
    let backend = backend.reopen().await;
    let (accounts, support) = (backend.accounts(), backend.support());
    assert!(support.unban_guest(hero(1)).await.unwrap());
    assert!(!support.unban_guest(hero(1)).await.unwrap());
    assert_eq!(accounts.devices(hero(1)).await.unwrap().len(), 1, "it may act again");
    accounts.revoke(hero(1), Revoke::All, 7_000).await.unwrap();
    assert!(support.ban_guest(hero(1), 8_000).await.unwrap());
    assert!(support.unban_guest(hero(1)).await.unwrap());
    assert_eq!(accounts.devices(hero(1)).await.unwrap(), [], "what was logged out before stays so");
}

pub(crate) async fn only_guests_are_banned_as_guests(backend: impl Backend) {
    let (accounts, support) = (backend.accounts(), backend.support());
    accounts.create_account(new(1)).await.unwrap();
    accounts.create_guest(guest(2)).await.unwrap();
    accounts.begin_union(union(2, 1, 4_000)).await.unwrap();
    for number in [1, 2, 3] {
        assert!(!support.ban_guest(hero(number), 5_000).await.unwrap(), "hero {number}");
    }
    assert_eq!(accounts.devices(hero(2)).await.unwrap().len(), 1, "nothing has changed");
}

pub(crate) async fn a_banned_guest_can_be_erased(backend: impl Backend) {
    let (accounts, support) = (backend.accounts(), backend.support());
    accounts.create_guest(guest(1)).await.unwrap();
    assert!(support.ban_guest(hero(1), 5_000).await.unwrap());
    assert!(accounts.erase_guest(hero(1)).await.unwrap());
    assert_eq!(support.seen_hero(hero(1)).await.unwrap(), None);
    assert!(!support.unban_guest(hero(1)).await.unwrap(), "nothing of it is left");
}

pub(crate) async fn wishes_to_close_are_heard_by_all(backend: impl Backend) {
    let support = backend.support();
    let wish = |number, at_ms, is_ban| CloseWish { hero: hero(number), at_ms, is_ban };
    for wish in [wish(1, 5_000, false), wish(2, 6_000, true), wish(1, 7_000, true)] {
        support.close_sockets(wish).await.unwrap();
    }
    assert_eq!(support.close_wishes(0, 10).await.unwrap(), [wish(2, 6_000, true), wish(1, 7_000, true)]);
    assert_eq!(support.close_wishes(6_001, 10).await.unwrap(), [wish(1, 7_000, true)]);
    assert_eq!(support.close_wishes(0, 1).await.unwrap(), [wish(2, 6_000, true)]);
    let late = wish(3, 6_001 + CLOSED_KEPT_MS, false);
    support.close_sockets(late).await.unwrap();
    assert_eq!(
        support.close_wishes(0, 10).await.unwrap(),
        [wish(1, 7_000, true), late],
        "old ones are forgotten"
    );
}

pub(crate) async fn a_node_has_a_name_while_it_is_there(backend: impl Backend) {
    let node = NodeId(Uuid::from_u128(7));
    assert_eq!(backend.support().node_name(node).await.unwrap(), None);
    backend.journal().join(node, "seven").await.unwrap();
    assert_eq!(backend.support().node_name(node).await.unwrap(), Some("seven".to_owned()));
    backend.journal().retire(node).await.unwrap();
    assert_eq!(backend.support().node_name(node).await.unwrap(), None);
}
