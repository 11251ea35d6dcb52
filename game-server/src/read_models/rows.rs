//! Events to rows: what each event means for the tables that people look at. Pure; it looks at the hero before and after
//! each event, so that a row says what the hero says, however often a session pauses, asks, or is credited in parts.

use persistence::{
    AssemblyRow, AssemblyState, EventKind, FocusSessionRow, HeroId, HeroRows, LedgerRow, ReadRows, Seq,
    SessionState, TaskRow,
};
use simulation::apply::apply;
use simulation::command::{Category, FocusMode, Priority};
use simulation::event::{Credit, Event, OfflinePart, TimedEvent};
use simulation::hero::{EndKind, Hero, Job, Session, Task};
use simulation::rules::session::planned_ms;
use simulation::world::Witness;

use crate::convert;

/// The rows that changed through the events after `from` up to `to`.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    from: Seq,
    to: Seq,
    ledger: Vec<LedgerRow>,
    sessions: ById<FocusSessionRow>,
    tasks: ById<TaskRow>,
    assemblies: ById<AssemblyRow>,
}

/// Rows in the order of their ids, each once. Nearly always there is one or none: a tree would have room for eleven.
#[derive(Debug)]
struct ById<T>(Vec<(u32, T)>);

impl<T> Default for ById<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> ById<T> {
    fn place(&self, id: u32) -> usize {
        self.0.partition_point(|(other, _)| *other < id)
    }

    fn get(&self, id: u32) -> Option<&T> {
        self.0.get(self.place(id)).filter(|(other, _)| *other == id).map(|(_, row)| row)
    }

    /// Adds a row, or replaces the one with this id.
    fn put(&mut self, id: u32, row: T) {
        let place = self.place(id);
        match self.0.get_mut(place) {
            Some((other, old)) if *other == id => *old = row,
            _ => {
                self.0.reserve_exact(usize::from(self.0.is_empty()));
                self.0.insert(place, (id, row));
            }
        }
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn into_rows(self) -> impl Iterator<Item = T> {
        self.0.into_iter().map(|(_, row)| row)
    }
}

impl Changes {
    /// None yet; the next event comes after this one.
    pub(crate) fn after_seq(seq: Seq) -> Self {
        Self { from: seq, to: seq, ..Self::default() }
    }

    /// As if events had changed nothing.
    #[cfg(test)]
    pub(super) fn skip_to(&mut self, seq: Seq) {
        self.to = seq;
    }

    /// The last event that is in them.
    pub(crate) fn to(&self) -> Seq {
        self.to
    }

    /// The event after which they begin.
    pub(crate) fn from(&self) -> Seq {
        self.from
    }

    /// How many rows.
    pub(crate) fn count(&self) -> usize {
        self.ledger.len() + self.sessions.len() + self.tasks.len() + self.assemblies.len()
    }

    /// As they are written.
    pub(crate) fn into_part(self, hero: HeroId) -> HeroRows {
        let rows = ReadRows {
            ledger: self.ledger,
            sessions: self.sessions.into_rows().collect(),
            tasks: self.tasks.into_rows().collect(),
            assemblies: self.assemblies.into_rows().collect(),
        };
        HeroRows { hero, from: self.from, to: self.to, rows }
    }

    /// Adds what the next events changed.
    ///
    /// # Panics
    /// When they are not the next ones.
    pub(crate) fn append(&mut self, next: Changes) {
        assert_eq!(self.to, next.from, "changes have no gaps");
        self.to = next.to;
        self.ledger.extend(next.ledger);
        next.sessions.into_rows().for_each(|row| self.note_session(row));
        next.tasks.into_rows().for_each(|row| self.tasks.put(row.task_id, row));
        next.assemblies.into_rows().for_each(|row| self.note_assembly(row));
    }

    fn note_ledger(&mut self, timed: &TimedEvent) {
        // Most events move no balance.
        if timed.event.energy_me() == 0 && timed.event.dopamine_md() == 0 {
            return;
        }
        // In the words of the wire.
        let line = convert::event(self.to.0, timed);
        self.ledger.push(LedgerRow {
            seq: self.to,
            at_ms: line.at_ms,
            kind: EventKind::of(timed.event.kind()),
            cause: line.cause,
            subject: line.subject,
            energy_me: line.energy_me,
            earned_me: timed.event.earned_me(),
            dopamine_md: line.dopamine_md,
        });
    }

    /// Rows of what this event takes out of the hero.
    fn note_before(&mut self, hero: &Hero, at_ms: i64, event: &Event) {
        match event {
            Event::SessionEnded { end, ended_at_ms, credit, asks, .. } => {
                let state = if *asks { SessionState::Asks } else { SessionState::Ended };
                if let Some(session) = &hero.session {
                    let row = over(session, state, *ended_at_ms, credit);
                    self.note_session(FocusSessionRow { end_kind: Some(end_word(*end).to_owned()), ..row });
                }
            }
            Event::SessionConfirmed { credit, .. } => {
                if let Some(asked) = &hero.to_confirm {
                    let row = over(&asked.session, SessionState::Ended, asked.ended_at_ms, credit);
                    self.note_session(row);
                }
            }
            Event::SessionDiscarded { .. } => {
                if let Some(session) = &hero.session {
                    let row = over(session, SessionState::Discarded, at_ms, &Credit::default());
                    self.note_session(row);
                }
            }
            Event::TaskDeleted { task_ids, .. } | Event::DaysEnded { archived_task_ids: task_ids, .. } => {
                for task in task_ids.iter().filter_map(|task_id| hero.task(*task_id)) {
                    let row = TaskRow { removed_at_ms: Some(at_ms), ..task_row(task) };
                    self.tasks.put(row.task_id, row);
                }
            }
            Event::ModuleAssembled { job_id, cost_md, counts, .. } => {
                if let Some(job) = hero.job(*job_id).copied() {
                    let row = ended(&job, AssemblyState::Assembled, at_ms);
                    self.note_assembly(AssemblyRow { counts: *counts, finish_md: *cost_md, ..row });
                }
            }
            Event::AssemblyCancelled { job_id, refund_me, .. } => {
                if let Some(job) = hero.job(*job_id).copied() {
                    let row = ended(&job, AssemblyState::Cancelled, at_ms);
                    self.note_assembly(AssemblyRow { refund_me: *refund_me, ..row });
                }
            }
            Event::GuestUnited { union } => {
                for job_id in &union.jobs_ended {
                    if let Some(job) = hero.job(*job_id).copied() {
                        let row = ended(&job, AssemblyState::Cancelled, at_ms);
                        self.note_assembly(AssemblyRow { refund_me: job.paid_me, ..row });
                    }
                }
            }
            // What it was building goes on elsewhere, or was paid back there.
            Event::HeroHandedOver { .. } => {
                for job in hero.assembly.jobs.clone() {
                    self.note_assembly(ended(&job, AssemblyState::Cancelled, at_ms));
                }
            }
            _ => {}
        }
    }

    /// Rows of what the hero has after this event. Every event is named, so that whoever adds one decides.
    fn note_after(&mut self, hero: &Hero, at_ms: i64, event: &Event) {
        match event {
            Event::HeroCreated { jobs, .. } => {
                for job in jobs {
                    let row = assembly_row(job, AssemblyState::Running);
                    self.note_assembly(AssemblyRow { counts: false, started_at_ms: Some(at_ms), ..row });
                }
            }
            Event::AssemblyStarted { job, .. } => {
                let row = assembly_row(job, AssemblyState::Running);
                self.note_assembly(AssemblyRow { started_at_ms: Some(at_ms), ..row });
            }
            Event::SessionStarted { .. }
            | Event::SessionPaused { .. }
            | Event::SessionInterrupted { .. }
            // A deleted task is not what an open session is for any more.
            | Event::TaskDeleted { .. } => self.note_open_session(hero),
            Event::SessionDescribed { old_task_id, .. } => {
                self.note_open_session(hero);
                self.note_task(hero, *old_task_id);
            }
            Event::DaysEnded { credit, .. } => {
                if let Some(day) = credit {
                    self.note_open_session(hero);
                    self.note_task(hero, day.credit.task_id);
                }
            }
            Event::SessionEnded { credit, .. } | Event::SessionConfirmed { credit, .. } => {
                self.note_task(hero, credit.task_id);
            }
            Event::OfflineFocusCredited {
                session_id, started_at_ms, ended_at_ms, category, task_id, parts, ..
            } => {
                let times = (*started_at_ms, *ended_at_ms);
                self.note_session(offline(*session_id, times, *category, *task_id, parts));
                self.note_task(hero, *task_id);
            }
            Event::TaskCreated { task } | Event::TaskUpdated { task } => self.note_task(hero, Some(task.task_id)),
            Event::TaskCompleted { task_id, .. } | Event::TaskReopened { task_id, .. } => {
                self.note_task(hero, Some(*task_id));
            }
            Event::TasksBrought { tasks } => tasks.iter().for_each(|task| self.note_task(hero, Some(task.task_id))),
            Event::GuestUnited { union } => {
                for job in &union.jobs {
                    let row = assembly_row(job, AssemblyState::Running);
                    self.note_assembly(AssemblyRow {
                        counts: job.paid_me > 0,
                        started_at_ms: Some(at_ms),
                        ..row
                    });
                }
            }
            // Their rows were made before the hero forgot them.
            Event::SessionDiscarded { .. }
            | Event::ModuleAssembled { .. }
            | Event::AssemblyCancelled { .. }
            // What they move is in the ledger.
            | Event::BreakEnded { .. }
            | Event::BonusPaid { .. }
            | Event::AchievementUnlocked { .. }
            | Event::BlueprintPaid { .. }
            | Event::BlueprintUnpinned { .. }
            | Event::ModuleUpgraded { .. }
            | Event::ModuleSold { .. }
            | Event::PresetSlotBought { .. }
            | Event::CosmeticBought { .. }
            | Event::BalanceCorrected { .. }
            | Event::HeroHandedOver { .. }
            // Nothing of these is in a table.
            | Event::NothingChanged
            | Event::SessionResumed { .. }
            | Event::RoundFinished { .. }
            | Event::SessionContinued { .. }
            | Event::SessionSignalled { .. }
            | Event::BreakStarted { .. }
            | Event::DayActivated { .. }
            | Event::DayExtended { .. }
            | Event::OutageDeclared { .. }
            | Event::ShieldGiven { .. }
            | Event::HeroRenamed { .. }
            | Event::ZoneQueued { .. }
            | Event::DailyGoalSet { .. }
            | Event::RestDaysSet { .. }
            | Event::VacationSet { .. }
            | Event::LevelReached { .. }
            | Event::AssemblyPaceChanged { .. }
            | Event::BlueprintPinned { .. }
            | Event::RackChanged { .. }
            | Event::SynergyFound { .. }
            | Event::PresetSaved { .. }
            | Event::PresetQueued { .. }
            | Event::PresetUnqueued
            | Event::PresetDeleted { .. }
            | Event::CosmeticEquipped { .. } => {}
        }
    }

    fn note_open_session(&mut self, hero: &Hero) {
        if let Some(session) = &hero.session {
            let row = session_row(session, SessionState::Open, &Credit::default());
            self.note_session(row);
        }
    }

    fn note_session(&mut self, mut row: FocusSessionRow) {
        let earlier = self.sessions.get(row.session_id);
        row.end_kind = row.end_kind.or_else(|| earlier.and_then(|earlier| earlier.end_kind.clone()));
        self.sessions.put(row.session_id, row);
    }

    fn note_task(&mut self, hero: &Hero, task_id: Option<u32>) {
        if let Some(task) = task_id.and_then(|task_id| hero.task(task_id)) {
            self.tasks.put(task.task_id, task_row(task));
        }
    }

    fn note_assembly(&mut self, mut row: AssemblyRow) {
        let earlier = self.assemblies.get(row.job_id);
        row.started_at_ms = row.started_at_ms.or_else(|| earlier.and_then(|earlier| earlier.started_at_ms));
        self.assemblies.put(row.job_id, row);
    }
}

impl Witness for Changes {
    fn before(&mut self, hero: &Hero, timed: &TimedEvent) {
        self.to = self.to.next();
        self.note_ledger(timed);
        // What the hero is about to forget.
        self.note_before(hero, timed.at_ms, &timed.event);
    }

    /// What it knows now.
    fn after(&mut self, hero: &Hero, timed: &TimedEvent) {
        self.note_after(hero, timed.at_ms, &timed.event);
    }
}

/// A hero that is folded out of the journal, and the rows that changed since they were last taken.
#[derive(Debug)]
pub(crate) struct Projection {
    hero: Hero,
    changes: Changes,
}

impl Projection {
    /// Of a hero whose events up to `seq` are folded.
    pub(crate) fn new(hero: Hero, seq: Seq) -> Self {
        Self { hero, changes: Changes::after_seq(seq) }
    }

    /// The last event that is folded.
    pub(crate) fn seq(&self) -> Seq {
        self.changes.to()
    }

    /// Rows that changed since they were taken.
    pub(crate) fn rows_count(&self) -> usize {
        self.changes.count()
    }

    /// What changed; the next changes begin here.
    pub(crate) fn take(&mut self) -> Changes {
        let next = Changes::after_seq(self.seq());
        std::mem::replace(&mut self.changes, next)
    }

    /// Folds the next event.
    pub(crate) fn event(&mut self, timed: &TimedEvent) {
        self.changes.before(&self.hero, timed);
        apply(&mut self.hero, timed);
        self.changes.after(&self.hero, timed);
    }
}

/// A session with what was credited before and what is credited now.
fn session_row(session: &Session, state: SessionState, credit: &Credit) -> FocusSessionRow {
    let mode = match session.mode {
        FocusMode::Countdown { .. } => "countdown",
        FocusMode::Pomodoro { .. } => "pomodoro",
        FocusMode::Flowtime => "flowtime",
    };
    FocusSessionRow {
        session_id: session.session_id,
        state,
        end_kind: None,
        mode: mode.to_owned(),
        planned_minutes: planned_ms(session.mode).and_then(|ms| u16::try_from(ms / 60_000).ok()),
        category: category_word(session.category).to_owned(),
        task_id: session.task_id,
        started_at_ms: session.started_at_ms,
        ended_at_ms: None,
        interruptions: session.interruptions,
        focus_ms: session.credited_focus_ms + credit.focus_ms,
        energy_me: session.credited_me + credit.energy_me,
        dopamine_md: session.credited_md + credit.dopamine_md,
    }
}

fn over(session: &Session, state: SessionState, ended_at_ms: i64, credit: &Credit) -> FocusSessionRow {
    FocusSessionRow { ended_at_ms: Some(ended_at_ms), ..session_row(session, state, credit) }
}

fn offline(
    session_id: u32,
    (started_at_ms, ended_at_ms): (i64, i64),
    category: Category,
    task_id: Option<u32>,
    parts: &[OfflinePart],
) -> FocusSessionRow {
    FocusSessionRow {
        session_id,
        state: SessionState::Ended,
        end_kind: None,
        mode: "offline".to_owned(),
        planned_minutes: None,
        category: category_word(category).to_owned(),
        task_id,
        started_at_ms,
        ended_at_ms: Some(ended_at_ms),
        interruptions: 0,
        focus_ms: parts.iter().map(|part| part.focus_ms).sum(),
        energy_me: parts.iter().map(|part| part.energy_me).sum(),
        dopamine_md: parts.iter().map(|part| part.dopamine_md).sum(),
    }
}

fn task_row(task: &Task) -> TaskRow {
    let occurrences = task.repeat.iter().flat_map(|repeat| &repeat.occurrences);
    TaskRow {
        task_id: task.task_id,
        parent_id: task.parent_id,
        category: category_word(task.category).to_owned(),
        priority: priority_word(task.priority).to_owned(),
        estimate_minutes: task.estimate_minutes,
        due_day: task.due_day,
        repeats: task.repeat.is_some(),
        created_at_ms: task.created_at_ms,
        done_at_ms: task.done_at_ms.max(occurrences.filter_map(|it| it.done_at_ms).max()),
        removed_at_ms: None,
        focus_ms: task.focus_ms,
    }
}

fn assembly_row(job: &Job, state: AssemblyState) -> AssemblyRow {
    AssemblyRow {
        job_id: job.job_id,
        module_id: job.module_id.to_string(),
        state,
        counts: true,
        paid_me: job.paid_me,
        refund_me: 0,
        finish_md: 0,
        work_ms: job.work_ms,
        started_at_ms: None,
        ended_at_ms: None,
    }
}

fn ended(job: &Job, state: AssemblyState, at_ms: i64) -> AssemblyRow {
    AssemblyRow { ended_at_ms: Some(at_ms), ..assembly_row(job, state) }
}

fn end_word(end: EndKind) -> &'static str {
    match end {
        EndKind::Completed => "completed",
        EndKind::Banked => "banked",
        EndKind::Auto => "auto",
    }
}

fn category_word(category: Category) -> &'static str {
    match category {
        Category::Creative => "creative",
        Category::Analytical => "analytical",
        Category::Physical => "physical",
        Category::Learning => "learning",
        Category::None => "none",
    }
}

fn priority_word(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Medium => "medium",
        Priority::High => "high",
    }
}
