//! Assembly, blueprints, upgrades, selling: rules, section 6.

use super::{focus, wallet};
use crate::catalogue::{Catalogue, ModuleSpec, Rarity};
use crate::draft::Draft;
use crate::event::Event;
use crate::hero::{Hero, Job, OwnedModule, SessionState};
use crate::id::ModuleId;
use crate::rejection::{Field, Rejection};

/// Jobs at the same time.
#[must_use]
pub fn slots(hero: &Hero, catalogue: &Catalogue) -> u8 {
    catalogue.rack.at_level(hero.wallet.level).assembly_slots
}

/// The speed that all jobs should have now.
fn speed_permille(draft: &mut Draft<'_>) -> u32 {
    let rules = &draft.catalogue.assembly;
    let session = draft.hero.session.as_deref();
    let focusing = session.is_some_and(|session| session.state == SessionState::Running);
    let base = if focusing { rules.focus_permille } else { rules.idle_permille };
    let speed = focus::share(base, 1000 + draft.effect().assembly_bonus_permille);
    u32::try_from(speed.max(1)).unwrap_or(u32::MAX)
}

/// A module that can be assembled: known, allowed by the level, not there yet.
fn wanted<'a>(draft: &Draft<'a>, module_id: ModuleId) -> Result<&'a ModuleSpec, Rejection> {
    let spec = draft.catalogue.module(module_id).ok_or(Rejection::UnknownModule)?;
    if draft.hero.wallet.level < spec.hero_level {
        return Err(Rejection::LevelTooLow { needed: spec.hero_level });
    }
    let building = draft.hero.assembly.jobs.iter().any(|job| job.module_id == module_id);
    if building || draft.hero.module(module_id).is_some() {
        return Err(Rejection::AlreadyOwned);
    }
    Ok(spec)
}

fn free_slot(draft: &Draft<'_>) -> Result<(), Rejection> {
    let slots = slots(&draft.hero, draft.catalogue);
    if draft.hero.assembly.jobs.len() < usize::from(slots) {
        Ok(())
    } else {
        Err(Rejection::SlotFull { slots })
    }
}

pub(crate) fn assemble(draft: &mut Draft<'_>, now_ms: i64, module_id: ModuleId) -> Result<(), Rejection> {
    let spec = wanted(draft, module_id)?;
    free_slot(draft)?;
    let blueprint = draft.hero.assembly.blueprint.as_deref().filter(|pinned| pinned.module_id == module_id);
    let paid_me = blueprint.map_or(0, |pinned| pinned.paid_me);
    let cost_me = (spec.cost_me - paid_me).max(0);
    wallet::afford_me(&draft.hero, cost_me)?;
    let from_blueprint = blueprint.is_some();
    start(draft, now_ms, spec, cost_me, paid_me, from_blueprint);
    Ok(())
}

fn start(
    draft: &mut Draft<'_>,
    now_ms: i64,
    spec: &ModuleSpec,
    cost_me: i64,
    paid_me: i64,
    from_blueprint: bool,
) {
    let job = Job {
        job_id: draft.next_id(),
        module_id: spec.id,
        paid_me: paid_me + cost_me,
        work_ms: spec.build_ms,
        done_permille_ms: 0,
    };
    let speed_permille = speed_permille(draft);
    draft.emit(now_ms, Event::AssemblyStarted { job, cost_me, from_blueprint, speed_permille });
}

pub(crate) fn pin(draft: &mut Draft<'_>, now_ms: i64, module_id: ModuleId) -> Result<(), Rejection> {
    wanted(draft, module_id)?;
    match draft.hero.assembly.blueprint.as_deref() {
        Some(pinned) if pinned.module_id == module_id => Ok(()),
        Some(_) => Err(Rejection::BlueprintPinned),
        None => {
            draft.emit(now_ms, Event::BlueprintPinned { module_id });
            Ok(())
        }
    }
}

pub(crate) fn pay(draft: &mut Draft<'_>, now_ms: i64, amount_me: i64) -> Result<(), Rejection> {
    let pinned = *draft.hero.assembly.blueprint.as_deref().ok_or(Rejection::NoBlueprint)?;
    let spec = wanted(draft, pinned.module_id)?;
    if amount_me < 1 {
        return Err(Rejection::OutOfRange { field: Field::AmountMe, min: 1, max: spec.cost_me });
    }
    let left_me = (spec.cost_me - pinned.paid_me).max(0);
    let cost_me = amount_me.min(left_me);
    wallet::afford_me(&draft.hero, cost_me)?;
    if cost_me == left_me {
        free_slot(draft)?;
        start(draft, now_ms, spec, cost_me, pinned.paid_me, true);
    } else {
        draft.emit(now_ms, Event::BlueprintPaid { module_id: pinned.module_id, cost_me });
    }
    Ok(())
}

pub(crate) fn unpin(draft: &mut Draft<'_>, now_ms: i64) -> Result<(), Rejection> {
    let pinned = *draft.hero.assembly.blueprint.as_deref().ok_or(Rejection::NoBlueprint)?;
    let (module_id, refund_me) = (pinned.module_id, pinned.paid_me);
    draft.emit(now_ms, Event::BlueprintUnpinned { module_id, refund_me });
    Ok(())
}

/// Work that a job has done by `now_ms`, in thousandths of a ms of idle speed; at most all of it.
#[must_use]
pub fn done_permille_ms(hero: &Hero, job: &Job, now_ms: i64) -> i64 {
    let ms = (now_ms - hero.assembly.anchor_ms).max(0);
    let done = i128::from(job.done_permille_ms) + i128::from(ms) * i128::from(hero.assembly.speed_permille);
    i64::try_from(done).unwrap_or(i64::MAX).min(job.work_ms * 1000)
}

/// When a job is done at the speed of now.
#[must_use]
pub fn done_at_ms(hero: &Hero, job: &Job) -> i64 {
    let left = (job.work_ms * 1000 - job.done_permille_ms).max(0);
    let speed = i64::from(hero.assembly.speed_permille.max(1));
    hero.assembly.anchor_ms + (left + speed - 1) / speed
}

/// What finishing a job now costs: by the work left at idle speed, so that starting a session changes no price.
#[must_use]
pub fn finish_md(hero: &Hero, job: &Job, now_ms: i64, catalogue: &Catalogue) -> i64 {
    let left = job.work_ms * 1000 - done_permille_ms(hero, job, now_ms);
    let part = catalogue.assembly.finish_now_every_ms * 1000;
    (left + part - 1) / part * catalogue.assembly.finish_now_md
}

pub(crate) fn finish_now(draft: &mut Draft<'_>, now_ms: i64, job_id: u32) -> Result<(), Rejection> {
    let job = *draft.hero.job(job_id).ok_or(Rejection::UnknownJob)?;
    let cost_md = finish_md(&draft.hero, &job, now_ms, draft.catalogue);
    wallet::afford_md(&draft.hero, cost_md)?;
    complete(draft, now_ms, &job, cost_md);
    Ok(())
}

fn complete(draft: &mut Draft<'_>, at_ms: i64, job: &Job, cost_md: i64) {
    let module = OwnedModule {
        module_id: job.module_id,
        level: 1,
        paid_me: job.paid_me,
        invested_md: 0,
        built_at_ms: at_ms,
    };
    let rarity_slot = draft.catalogue.module(job.module_id).and_then(|spec| match spec.rarity {
        Rarity::Common => None,
        Rarity::Rare => Some(0),
        Rarity::Epic => Some(1),
        Rarity::Legendary => Some(2),
    });
    let counts = job.paid_me > 0;
    draft.emit(at_ms, Event::ModuleAssembled { job_id: job.job_id, module, cost_md, counts, rarity_slot });
}

fn next_job(hero: &Hero) -> Option<(i64, &Job)> {
    hero.assembly
        .jobs
        .iter()
        .map(|job| (done_at_ms(hero, job), job))
        .min_by_key(|(at_ms, job)| (*at_ms, job.job_id))
}

pub(crate) fn due(hero: &Hero, _catalogue: &Catalogue) -> Option<i64> {
    next_job(hero).map(|(at_ms, _)| at_ms)
}

pub(crate) fn finish(draft: &mut Draft<'_>, at_ms: i64) {
    if let Some(job) = next_job(&draft.hero).map(|(_, job)| *job) {
        complete(draft, at_ms, &job, 0);
    }
}

pub(crate) fn cancel(draft: &mut Draft<'_>, now_ms: i64, job_id: u32) -> Result<(), Rejection> {
    let job = *draft.hero.job(job_id).ok_or(Rejection::UnknownJob)?;
    if job.paid_me == 0 {
        return Err(Rejection::StarterJob);
    }
    let (module_id, refund_me) = (job.module_id, job.paid_me);
    draft.emit(now_ms, Event::AssemblyCancelled { job_id, module_id, refund_me });
    Ok(())
}

/// Jobs follow the session and the clock.
pub(crate) fn keep_pace(draft: &mut Draft<'_>, at_ms: i64) {
    if draft.hero.assembly.jobs.is_empty() {
        return;
    }
    let speed_permille = speed_permille(draft);
    if speed_permille != draft.hero.assembly.speed_permille {
        draft.emit(at_ms, Event::AssemblyPaceChanged { speed_permille });
    }
}

/// What the next level of a module costs; nothing at the highest.
#[must_use]
pub fn upgrade_md(module: &OwnedModule, catalogue: &Catalogue) -> Option<i64> {
    catalogue.upgrades.cost_md(catalogue.module(module.module_id)?.rarity, module.level)
}

pub(crate) fn upgrade(draft: &mut Draft<'_>, now_ms: i64, module_id: ModuleId) -> Result<(), Rejection> {
    draft.catalogue.module(module_id).ok_or(Rejection::UnknownModule)?;
    let module = *draft.hero.module(module_id).ok_or(Rejection::NotOwned)?;
    let cost_md = upgrade_md(&module, draft.catalogue).ok_or(Rejection::LevelMax)?;
    wallet::afford_md(&draft.hero, cost_md)?;
    draft.emit(now_ms, Event::ModuleUpgraded { module_id, level: module.level + 1, cost_md });
    Ok(())
}

/// What selling a module gives now: energy and dopamine.
#[must_use]
pub fn sale(module: &OwnedModule, now_ms: i64, catalogue: &Catalogue) -> (i64, i64) {
    let rules = &catalogue.sell;
    if now_ms - module.built_at_ms <= rules.full_refund_ms {
        return (module.paid_me, module.invested_md);
    }
    let energy_me = focus::share(module.paid_me, rules.energy_permille);
    (energy_me, focus::share(module.invested_md, rules.dopamine_permille))
}

pub(crate) fn sell(draft: &mut Draft<'_>, now_ms: i64, module_id: ModuleId) -> Result<(), Rejection> {
    let module = *draft.hero.module(module_id).ok_or(Rejection::NotOwned)?;
    if draft.hero.rack.cell_of(module_id).is_some() {
        return Err(Rejection::InRack);
    }
    let (refund_me, refund_md) = sale(&module, now_ms, draft.catalogue);
    draft.emit(now_ms, Event::ModuleSold { module_id, refund_me, refund_md });
    Ok(())
}
