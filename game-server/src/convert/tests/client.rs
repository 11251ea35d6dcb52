//! A client's side of patches, written from docs/protocol.md.

use protocol::types;

/// What a client does with a patch.
pub(crate) fn lay_over(hero: &mut types::Hero, patch: types::HeroPatch) {
    macro_rules! replace {
        ($($section:ident),+) => { $( if let Some(section) = patch.$section { hero.$section = section; } )+ };
    }
    replace!(
        profile,
        wallet,
        focus,
        today,
        streak,
        modules,
        assembly,
        rack,
        presets,
        achievements,
        statistics
    );
    for task in patch.tasks.unwrap_or_default() {
        match hero.tasks.iter_mut().find(|known| known.task_id == task.task_id) {
            Some(known) => *known = task,
            None => hero.tasks.push(task),
        }
    }
    let removed = patch.tasks_removed.unwrap_or_default();
    hero.tasks.retain(|task| !removed.contains(&task.task_id));
}

/// Without what moves by time alone: docs/protocol.md says which values those are.
pub(crate) fn steady(mut hero: types::Hero) -> types::Hero {
    if let Some(session) = &mut hero.focus.session {
        session.progress.at_ms = 0;
        session.progress.focus_ms = 0;
        session.progress.energy_me = 0;
        session.progress.dopamine_md = 0;
        session.progress.energy_rate_ue_per_s = 0;
        session.progress.dopamine_rate_ud_per_s = 0;
        session.progress.next_boundary_ms = None;
    }
    for job in &mut hero.assembly.jobs {
        job.finish_md = 0;
    }
    for module in &mut hero.modules {
        (module.sell_me, module.sell_md) = (0, 0);
    }
    if hero.focus.session.is_some() {
        for task in &mut hero.tasks {
            (task.focus_ms, task.reward_me) = (0, 0);
        }
    }
    hero
}
