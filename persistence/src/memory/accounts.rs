//! Accounts beside the journal in memory.

use super::{MemoryStore, Rows};
use crate::accounts::{AccountStore, DEVICES_MAX, Device, DeviceId, NewGuest, TokenHash};
use crate::error::StoreError;
use crate::record::HeroId;
use crate::store::StoreFuture;

impl AccountStore for MemoryStore {
    fn create_guest(&self, guest: NewGuest) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                let NewGuest { hero, device, token_hash, name, created_at_ms } = guest;
                let is_taken = inner.heroes.contains_key(&hero)
                    || inner.devices.contains_key(&device)
                    || inner.devices.values().any(|other| other.token_hash == token_hash);
                if is_taken {
                    return Err(StoreError::Poison {
                        what: "the hero, device or token exists already".into(),
                    });
                }
                inner.heroes.insert(hero, Rows::new(hero));
                let row = Device {
                    device,
                    hero,
                    token_hash,
                    name,
                    created_at_ms,
                    last_seen_ms: created_at_ms,
                    revoked_at_ms: None,
                };
                inner.devices.insert(device, row);
                Ok(())
            })
        })
    }

    fn device_by_token(&self, token_hash: TokenHash) -> StoreFuture<'_, Option<Device>> {
        Box::pin(async move {
            Ok(self.lock().devices.values().find(|device| device.token_hash == token_hash).cloned())
        })
    }

    fn touch_device(&self, device: DeviceId, now_ms: i64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                if let Some(row) = inner.devices.get_mut(&device) {
                    row.last_seen_ms = row.last_seen_ms.max(now_ms);
                }
                Ok(())
            })
        })
    }

    fn devices(&self, hero: HeroId) -> StoreFuture<'_, Vec<Device>> {
        Box::pin(async move {
            let inner = self.lock();
            let mut devices: Vec<Device> =
                inner.devices.values().filter(|it| it.hero == hero).cloned().collect();
            devices.sort_by_key(|device| (device.created_at_ms, device.device));
            devices.truncate(DEVICES_MAX as usize);
            Ok(devices)
        })
    }
}
