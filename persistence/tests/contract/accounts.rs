//! Guests and their devices.

use persistence::{Device, DeviceId, Epoch, HeroState, NewGuest, StoreError, TokenHash};
use uuid::Uuid;

use crate::backend::Backend;
use crate::history::{Owner, hero};

fn guest(number: u8) -> NewGuest {
    NewGuest {
        hero: hero(number.into()),
        device: DeviceId(Uuid::from_u128(number.into())),
        token_hash: TokenHash([number; 32]),
        name: format!("browser {number}"),
        created_at_ms: 1_000,
    }
}

pub(crate) async fn a_guest_is_found_by_its_token(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_guest(guest(1)).await.unwrap();
    accounts.create_guest(guest(2)).await.unwrap();
    let expected = Device {
        device: guest(2).device,
        hero: hero(2),
        account: None,
        token_hash: Some(TokenHash([2; 32])),
        name: "browser 2".into(),
        created_at_ms: 1_000,
        last_seen_ms: 1_000,
        revoked_at_ms: None,
    };
    let backend = backend.reopen().await;
    let accounts = backend.accounts();
    assert_eq!(accounts.device_by_token(TokenHash([2; 32])).await.unwrap(), Some(expected));
    assert_eq!(accounts.device_by_token(TokenHash([3; 32])).await.unwrap(), None);
}

pub(crate) async fn a_guest_can_be_claimed(backend: impl Backend) {
    backend.accounts().create_guest(guest(1)).await.unwrap();
    let store = backend.journal();
    let head = store.head(hero(1)).await.unwrap().unwrap();
    assert_eq!((head.epoch, head.state), (Epoch(0), HeroState::Free));
    let mut owner = Owner::claim(&*store, hero(1)).await;
    assert_eq!(owner.epoch, Epoch(1));
    owner.write(&*store, 1).await;
}

pub(crate) async fn taken_ids_are_refused(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_guest(guest(1)).await.unwrap();
    let taken = [
        NewGuest { hero: hero(1), ..guest(2) },
        NewGuest { device: guest(1).device, ..guest(2) },
        NewGuest { token_hash: guest(1).token_hash, ..guest(2) },
    ];
    for guest in taken {
        let refused = accounts.create_guest(guest).await;
        assert!(matches!(refused, Err(StoreError::Poison { .. })), "{refused:?}");
    }
    assert_eq!(backend.journal().heroes(None, 10).await.unwrap().len(), 1, "both or neither");
    accounts.create_guest(guest(2)).await.unwrap();
}

pub(crate) async fn a_touch_moves_only_forward(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_guest(guest(1)).await.unwrap();
    for now_ms in [5_000, 3_000] {
        accounts.touch_device(guest(1).device, now_ms).await.unwrap();
        let device = accounts.device_by_token(guest(1).token_hash).await.unwrap().unwrap();
        assert_eq!(device.last_seen_ms, 5_000);
    }
    accounts.touch_device(DeviceId(Uuid::from_u128(9)), 9_000).await.unwrap();
}

pub(crate) async fn devices_come_oldest_first(backend: impl Backend) {
    let accounts = backend.accounts();
    accounts.create_guest(guest(1)).await.unwrap();
    accounts.create_guest(guest(2)).await.unwrap();
    let devices = accounts.devices(hero(1)).await.unwrap();
    assert_eq!(devices.iter().map(|device| device.device).collect::<Vec<_>>(), [guest(1).device]);
    assert_eq!(accounts.devices(hero(3)).await.unwrap(), []);
}
