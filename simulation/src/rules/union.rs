//! A guest's hero becomes part of an account's: it is handed over, and the other one takes in what it leaves.
//!
//! Two events in two journals, each of them idempotent: the hand-over ends the guest's hero for good, so that what it
//! leaves is the same whenever it is looked at, and the union notes whose it was. Nothing that the account's hero has
//! becomes less.

mod belongings;
mod days;
mod tasks;

use alloc::boxed::Box;

use super::{confirm, focus, rest, session};
use crate::advance;
use crate::draft::Draft;
use crate::event::{Event, GuestUnion};
use crate::hero::{EndKind, Estate, Hero, SessionState, Statistics, Wallet};
use crate::id::HeroKey;

/// Ends a guest's hero. What runs is credited first, with everything that follows from it.
pub(crate) fn hand_over(draft: &mut Draft<'_>, now_ms: i64, into: HeroKey) {
    confirm::silence(draft, now_ms);
    rest::end_before_session(draft, now_ms);
    end_session(draft, now_ms);
    // A long one asks first, and there is nobody left to answer.
    confirm::silence(draft, now_ms);
    advance::run(draft, now_ms);
    let Wallet { energy_me, dopamine_md, .. } = draft.hero.wallet;
    draft.emit(now_ms, Event::HeroHandedOver { into, energy_me, dopamine_md });
}

fn end_session(draft: &mut Draft<'_>, now_ms: i64) {
    let Some(open) = draft.hero.session.as_deref() else { return };
    let (ended_at_ms, end) = match open.state {
        SessionState::Running => (focus::hold_ms(open, draft.catalogue).min(now_ms), EndKind::Banked),
        SessionState::Paused { since_ms } | SessionState::Interrupted { since_ms } => {
            (since_ms, EndKind::Banked)
        }
        SessionState::Overtime { since_ms } => (since_ms, session::fulfilled(open)),
        SessionState::Resting | SessionState::Waiting { .. } => (open.meter.at_ms, EndKind::Banked),
    };
    let meter = focus::certain(&draft.hero, open, now_ms, draft.catalogue);
    session::finish(draft, now_ms, ended_at_ms, meter, end);
}

/// Takes in what a guest's hero leaves.
pub(crate) fn unite(draft: &mut Draft<'_>, now_ms: i64, estate: &Estate) {
    let (hero, guest) = (&draft.hero, estate.hero());
    if hero.has_united(estate.guest()) {
        return;
    }
    let catalogue = draft.catalogue;
    let days = days::unite(hero, guest, estate.end().at_ms, catalogue);
    let mut came = belongings::unite(hero, estate, days.goal_twice, catalogue);
    // What the open session has earned was earned at the place in the day where it was until now.
    let moves = days.today.focus_ms != hero.today.focus_ms;
    let open = hero.session.as_deref().filter(|session| moves && session.state == SessionState::Running);
    let union = GuestUnion {
        guest: estate.guest(),
        energy_me: came.energy_me,
        dopamine_md: came.dopamine_md,
        earned_me: came.earned_me,
        refund_me: came.refunds.energy_me(),
        refund_md: came.refunds.dopamine_md(),
        modules: core::mem::take(&mut came.modules),
        jobs: core::mem::take(&mut came.jobs),
        jobs_ended: core::mem::take(&mut came.jobs_ended),
        achievements: core::mem::take(&mut came.achievements),
        synergies: core::mem::take(&mut came.synergies),
        cosmetics: core::mem::take(&mut came.cosmetics),
        preset_slots: came.preset_slots,
        presets_used: guest.presets.slots_used & !hero.presets.slots_used,
        statistics: statistics(&hero.statistics, &guest.statistics),
        today: days.today,
        records: days.records,
        streak: days.streak,
        meter: open.map(|session| focus::certain(hero, session, now_ms, catalogue)),
    };
    draft.emit(now_ms, Event::GuestUnited { union: Box::new(union) });
    for preset in came.presets {
        draft.emit(now_ms, Event::PresetSaved { preset });
    }
    for tasks in tasks::brought(&draft.hero, guest, catalogue) {
        draft.emit(now_ms, Event::TasksBrought { tasks });
    }
}

/// What both did, together; what is a best or a last one is the better or the later.
fn statistics(own: &Statistics, guest: &Statistics) -> Statistics {
    let mut sum = *own;
    let categories = sum.focus_ms_by_category.iter_mut().zip(guest.focus_ms_by_category);
    categories.for_each(|(total, more)| *total += more);
    let lasts = sum.last_day_by_category.iter_mut().zip(guest.last_day_by_category);
    lasts.for_each(|(last, other)| *last = other.max(*last));
    let rarities = sum.rarities_owned.iter_mut().zip(guest.rarities_owned);
    rarities.for_each(|(total, more)| *total = total.saturating_add(more));
    sum.categories_in_week = own.categories_in_week.max(guest.categories_in_week);
    for (total, more) in [
        (&mut sum.sessions, guest.sessions),
        (&mut sum.sparks, guest.sparks),
        (&mut sum.tasks_done, guest.tasks_done),
        (&mut sum.tasks_backed, guest.tasks_backed),
        (&mut sum.estimates_met, guest.estimates_met),
        (&mut sum.frogs, guest.frogs),
        (&mut sum.splits, guest.splits),
        (&mut sum.comebacks, guest.comebacks),
        (&mut sum.breaks, guest.breaks),
        (&mut sum.modules_built, guest.modules_built),
        (&mut sum.welcomes, guest.welcomes),
    ] {
        *total = total.saturating_add(more);
    }
    sum
}

/// Whether a guest's hero has ever been played.
#[must_use]
pub fn is_played(guest: &Hero) -> bool {
    guest.wallet.lifetime_me > 0 || guest.statistics.sessions > 0 || !guest.tasks.is_empty()
}
