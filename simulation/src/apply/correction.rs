//! What a hero remembers of a correction; its amounts are paid like those of every event.

use crate::hero::{CORRECTIONS_KEPT, Corrected, Hero};

pub(super) fn apply(hero: &mut Hero, audit_seq: u64, reverts: Option<u64>) {
    if hero.corrections.len() == CORRECTIONS_KEPT {
        hero.corrections.remove(0);
    }
    hero.corrections.push(Corrected { audit_seq, reverts });
}
