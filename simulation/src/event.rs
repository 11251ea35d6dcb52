//! What happened: outcomes with their amounts. Only events change a hero, and only events are journaled; replaying
//! them runs no rule, so that history never changes when the rules do.

mod amounts;
mod facts;
mod origin;
mod sections;
mod union;

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use amounts::{Bonus, Credit, DayCredit, OfflinePart, RoundBegins};
pub use sections::Sections;
pub use union::GuestUnion;

use crate::catalogue::Category;
use crate::command::Confirmation;
use crate::hero::{
    Break, DayBounds, DayRecord, EndKind, Job, Meter, OwnedModule, Preset, Session, SessionState,
    StreakChain, Task, Zone,
};
use crate::id::{AchievementId, CosmeticId, HeroKey, ModuleId};
use crate::rack::{Rack, Synergy};
use crate::text::PlayerText;

/// An event and its moment: when it happened, not when it was noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedEvent {
    /// Server UTC.
    pub at_ms: i64,
    /// What happened.
    pub event: Event,
}

/// What happened to a hero. Adding a variant or an optional field is compatible; anything else raises
/// [`crate::hero::SCHEMA_VERSION`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Seq 1 of every hero.
    HeroCreated {
        /// Name.
        name: PlayerText,
        /// Zone and start of day.
        zone: Zone,
        /// The first player-day.
        today: DayBounds,
        /// Shields to begin with.
        shields: u8,
        /// Minutes of the daily goal.
        daily_goal_minutes: u16,
        /// The free starter modules, being built.
        jobs: Vec<Job>,
        /// Speed of assembly.
        speed_permille: u32,
    },
    /// The command was already true.
    NothingChanged,

    // ── focus ──
    /// A session opened.
    SessionStarted {
        /// As it begins.
        session: Box<Session>,
    },
    /// What the session is for.
    SessionDescribed {
        /// The task from now on.
        task_id: Option<u32>,
        /// Free words.
        intention: Option<PlayerText>,
        /// The task that it was for until now, if it changed.
        old_task_id: Option<u32>,
        /// Focus that the old task keeps.
        old_task_focus_ms: i64,
        /// Focused time at which the link to the new task begins.
        task_from_ms: i64,
    },
    /// The clock stopped: a pause, or at once an interruption.
    SessionPaused {
        /// Accrual at this moment.
        meter: Meter,
        /// Paused or interrupted.
        state: SessionState,
    },
    /// The pause became so long that it counts as an interruption.
    SessionInterrupted {
        /// The ramp position that is left.
        ramp_ms: i64,
    },
    /// The clock runs again.
    SessionResumed {
        /// How long the pause was.
        paused_ms: i64,
        /// Back from an interruption.
        comeback: bool,
    },
    /// The plan or a round is fulfilled.
    RoundFinished {
        /// Accrual at this moment.
        meter: Meter,
        /// Its completion bonus, paid at the end.
        completion_me: i64,
    },
    /// "Keep going", or the next round.
    SessionContinued {
        /// Accrual at this moment, overtime included.
        meter: Meter,
        /// The round from now on.
        round: u8,
        /// Focused time at which it is fulfilled; nothing when it is open-ended now.
        target_ms: Option<i64>,
    },
    /// A sign of life in an open-ended session.
    SessionSignalled {
        /// Accrual at this moment.
        meter: Meter,
    },
    /// The session is over and credited, or asks "still you?" first.
    SessionEnded {
        /// Which.
        session_id: u32,
        /// How.
        end: EndKind,
        /// As of when; at most the event's moment.
        ended_at_ms: i64,
        /// Accrual at that moment.
        meter: Meter,
        /// What is credited now; all zero if the session asks first.
        credit: Credit,
        /// Whether it asks first.
        asks: bool,
    },
    /// Too short, or cancelled: as if it had not been.
    SessionDiscarded {
        /// Which.
        session_id: u32,
    },
    /// "Still you?" is answered, by the player or by silence.
    SessionConfirmed {
        /// Which.
        session_id: u32,
        /// The answer.
        answer: Confirmation,
        /// What is credited.
        credit: Credit,
    },
    /// A session that ran without the server.
    OfflineFocusCredited {
        /// The number it got.
        session_id: u32,
        /// Accepted from.
        started_at_ms: i64,
        /// Accepted until.
        ended_at_ms: i64,
        /// What kind of work.
        category: Category,
        /// The task it was for.
        task_id: Option<u32>,
        /// What it gave, by day.
        parts: Vec<OfflinePart>,
        /// Reported but not accepted.
        refused_ms: i64,
        /// Whether it reached the ignition.
        spark: bool,
    },
    /// A break began.
    BreakStarted {
        /// From when and how long.
        on_break: Break,
    },
    /// A break is over.
    BreakEnded {
        /// Long enough to count.
        taken: bool,
        /// Its bonus.
        energy_me: i64,
        /// The next pomodoro round begins now.
        round_begins: Option<RoundBegins>,
    },
    /// A bonus, at once in the wallet.
    BonusPaid {
        /// Why.
        bonus: Bonus,
        /// How much; 0 when the limit of the day is reached.
        energy_me: i64,
    },

    // ── days ──
    /// A day counts for the streak.
    DayActivated {
        /// Which.
        day_no: i32,
        /// Streak and shields after it.
        chain: StreakChain,
        /// Days before today that are re-evaluated.
        records: Vec<DayRecord>,
        /// The streak before today, re-evaluated.
        before_today: StreakChain,
    },
    /// One or more player-days are over.
    DaysEnded {
        /// What an open session earned until the end of the first of them.
        credit: Option<DayCredit>,
        /// The days, oldest first, at most 30 of the last.
        records: Vec<DayRecord>,
        /// Streak and shields now.
        chain: StreakChain,
        /// The day that begins.
        next: DayBounds,
        /// A zone that takes effect.
        zone: Option<Zone>,
        /// Tasks that were done days ago and leave the list.
        archived_task_ids: Vec<u32>,
    },
    /// A change of zone made the day longer: its date comes again.
    DayExtended {
        /// The day's new bounds.
        today: DayBounds,
        /// The zone that takes effect.
        zone: Zone,
    },
    /// The service was away.
    OutageDeclared {
        /// Today is excused.
        today: bool,
        /// Days before today that are re-evaluated.
        records: Vec<DayRecord>,
        /// The streak before today, re-evaluated.
        before_today: StreakChain,
        /// Streak and shields after it.
        chain: StreakChain,
    },
    /// A module gave a shield.
    ShieldGiven {
        /// How many.
        shields: u8,
    },

    // ── tasks ──
    /// A task is new.
    TaskCreated {
        /// As it begins.
        task: Task,
    },
    /// A task was edited.
    TaskUpdated {
        /// As it is now.
        task: Task,
    },
    /// A task or an occurrence is done.
    TaskCompleted {
        /// Which.
        task_id: u32,
        /// The occurrence's date.
        occurrence_day: Option<i32>,
        /// The reward.
        energy_me: i64,
        /// The first time.
        first: bool,
        /// Backed by linked focus.
        backed: bool,
        /// The linked focus, which backs no other date of a recurring task.
        #[serde(default)]
        focus_ms: i64,
        /// Old and with focus.
        frog: bool,
        /// The estimate was close.
        estimate_met: bool,
        /// With it, a task with enough subtasks has all of them done.
        split: bool,
    },
    /// Not done after all.
    TaskReopened {
        /// Which.
        task_id: u32,
        /// The occurrence's date.
        occurrence_day: Option<i32>,
    },
    /// A task and its subtasks left the list.
    TaskDeleted {
        /// All of them.
        task_ids: Vec<u32>,
        /// The parent that a deleted subtask leaves behind.
        #[serde(default)]
        parent_id: Option<u32>,
    },

    // ── profile ──
    /// A new name.
    HeroRenamed {
        /// The name.
        name: PlayerText,
    },
    /// A zone waits for the end of the day.
    ZoneQueued {
        /// Nothing if the zone in force stays.
        zone: Option<Zone>,
    },
    /// A new goal.
    DailyGoalSet {
        /// Minutes.
        minutes: u16,
    },
    /// New rest days.
    RestDaysSet {
        /// Bit 0 is Monday.
        weekdays: u8,
    },
    /// A vacation began or was ended.
    VacationSet {
        /// Its last day.
        until_day: Option<i32>,
    },

    // ── wallet ──
    /// The hero reached a level.
    LevelReached {
        /// The highest one reached.
        level: u8,
    },
    /// An achievement.
    AchievementUnlocked {
        /// Which.
        achievement_id: AchievementId,
        /// Its reward.
        energy_me: i64,
    },

    // ── assembly and modules ──
    /// A module is paid and being built.
    AssemblyStarted {
        /// The job.
        job: Job,
        /// Paid now; what a blueprint had collected was paid before.
        cost_me: i64,
        /// It was the blueprint.
        from_blueprint: bool,
        /// Speed of all jobs from now on.
        speed_permille: u32,
    },
    /// All jobs run at another speed.
    AssemblyPaceChanged {
        /// 1000 is idle.
        speed_permille: u32,
    },
    /// A module is finished.
    ModuleAssembled {
        /// The job.
        job_id: u32,
        /// What was made.
        module: OwnedModule,
        /// Paid to finish at once.
        cost_md: i64,
        /// Counts as built by the player.
        counts: bool,
        /// 0 rare, 1 epic, 2 legendary; nothing for common.
        rarity_slot: Option<u8>,
    },
    /// A job was given up.
    AssemblyCancelled {
        /// Which.
        job_id: u32,
        /// What it would have made.
        module_id: ModuleId,
        /// What comes back.
        refund_me: i64,
    },
    /// A blueprint waits for instalments.
    BlueprintPinned {
        /// What it will make.
        module_id: ModuleId,
    },
    /// An instalment.
    BlueprintPaid {
        /// What it will make.
        module_id: ModuleId,
        /// How much.
        cost_me: i64,
    },
    /// The blueprint was given up.
    BlueprintUnpinned {
        /// What it would have made.
        module_id: ModuleId,
        /// What comes back.
        refund_me: i64,
    },
    /// A module has a new level.
    ModuleUpgraded {
        /// Which.
        module_id: ModuleId,
        /// Its level now.
        level: u8,
        /// Price.
        cost_md: i64,
    },
    /// A module is gone.
    ModuleSold {
        /// Which.
        module_id: ModuleId,
        /// What comes back.
        refund_me: i64,
        /// What comes back.
        refund_md: i64,
    },

    // ── rack ──
    /// The rack is another one.
    RackChanged {
        /// All of it.
        rack: Rack,
        /// The preset it comes from.
        preset_slot: Option<u8>,
    },
    /// A synergy works for the first time.
    SynergyFound {
        /// Which.
        synergy: Synergy,
    },
    /// A preset is kept.
    PresetSaved {
        /// All of it.
        preset: Preset,
    },
    /// A preset waits for the end of the session.
    PresetQueued {
        /// Which slot.
        slot: u8,
    },
    /// A queued preset was gone or empty when the session ended.
    PresetUnqueued,
    /// A slot is empty.
    PresetDeleted {
        /// Which slot.
        slot: u8,
    },
    /// One more preset slot.
    PresetSlotBought {
        /// Price.
        cost_md: i64,
    },
    /// A skin or cable colour.
    CosmeticBought {
        /// Which.
        cosmetic_id: CosmeticId,
        /// Price.
        cost_md: i64,
    },
    /// Worn from now on.
    CosmeticEquipped {
        /// Which.
        cosmetic_id: CosmeticId,
        /// What it takes the place of.
        replaces: Option<CosmeticId>,
    },

    // ── operators ──
    /// The team changed the balances. It is not earned: neither experience nor a day's energy.
    BalanceCorrected {
        /// Energy that came; negative if it was taken.
        energy_me: i64,
        /// Dopamine that came; negative if it was taken.
        dopamine_md: i64,
        /// The operator who did it.
        operator: Box<str>,
        /// The row of the audit log that was written before.
        audit_seq: u64,
        /// Why, in the operator's words; the player reads it.
        reason: PlayerText,
        /// The event that it takes back.
        reverts: Option<u64>,
    },

    // ── guests ──
    /// A guest's hero became part of an account's: it is over, and its balances went there.
    HeroHandedOver {
        /// Whose part.
        into: HeroKey,
        /// Energy that went.
        energy_me: i64,
        /// Dopamine that went.
        dopamine_md: i64,
    },
    /// A guest's hero became part of this one.
    GuestUnited {
        /// What came.
        union: Box<GuestUnion>,
    },
    /// Tasks of a guest that was united, under new numbers.
    TasksBrought {
        /// By number, ascending.
        tasks: Vec<Task>,
    },
}
