// Generated from the Rust crate `protocol` by `cargo xtask codegen`. Do not edit.
//
// The wire between a client and the game server; docs/protocol.md explains it. Structs are maps with field names, enums
// are externally tagged. Ignore fields and event kinds that you do not know.

/** The WebSocket subprotocol that both sides must name. */
export const SUBPROTOCOL = "dopamine-hero.v1.msgpack";

/** Why the server closes a socket. */
export const CLOSE = {
  normal: 1000,
  going_away: 1001,
  unsupported_data: 1003,
  invalid_payload: 1007,
  policy: 1008,
  too_big: 1009,
  internal: 1011,
  restart: 1012,
  overload: 1013,
  unauthenticated: 4001,
  banned: 4003,
  moved: 4004,
  rate: 4008,
} as const;

/** What a client does about a close code; docs/protocol.md says what each word means. */
export type CloseReaction = "after_going_away" | "backoff" | "fix_client" | "new_ticket" | "now" | "slow_down" | "stop";

/** What a client does about each close code. */
export const CLOSE_REACTION: Readonly<Record<number, CloseReaction>> = {
  1000: "stop",
  1001: "backoff",
  1003: "fix_client",
  1007: "fix_client",
  1008: "stop",
  1009: "fix_client",
  1011: "backoff",
  1012: "after_going_away",
  1013: "backoff",
  4001: "new_ticket",
  4003: "stop",
  4004: "now",
  4008: "slow_down",
};

/** Refusals by the server itself; the rules of the game have more. */
export const REJECT = {
  malformed: "malformed",
  hello_expected: "hello_expected",
  hello_repeated: "hello_repeated",
  out_of_order: "out_of_order",
  stream_forgotten: "stream_forgotten",
  rate: "rate",
  busy: "busy",
  read_only: "read_only",
  quarantined: "quarantined",
  internal: "internal",
} as const;

/** Limits of the wire; docs/protocol.md says what happens beyond each. */
export const LIMIT = {
  inbound_frame_bytes_max: 8192,
  hello_frame_bytes_max: 1024,
  outbound_frame_bytes_max: 1048576,
  depth_max: 16,
  items_max: 256,
  string_bytes_max: 1024,
  integer_max: 9007199254740991,
  hello_within_ms: 3000,
  ticket_lifetime_ms: 30000,
  messages_per_second: 30,
  messages_burst: 60,
  bytes_per_second: 16384,
  bytes_burst: 65536,
  commands_per_second: 10,
  commands_burst: 20,
  pings_per_second: 2,
  streams_max: 4,
  results_per_stream_max: 64,
  client_chars_max: 64,
  title_chars_max: 200,
  intention_chars_max: 200,
  name_chars_max: 40,
  preset_code_chars_max: 512,
} as const;

/**
 * A frame from the client.
 */
export type ClientMessage = { "hello": Hello } | { "command": CommandFrame } | { "ping": Ping };

/**
 * Opens a session on a fresh socket, or resumes one.
 */
export type Hello = { 
/**
 * Single-use, from `POST /v1/ws-ticket`, at most 30 s old.
 */
ticket: string, 
/**
 * Names this device's command stream: drawn once per device at random, 1 to 2^53 − 1, and kept.
 */
stream_id: number, 
/**
 * The last event the client has seen, or nothing for a full snapshot.
 */
last_seq?: number | null, 
/**
 * Name and version of the client, for the operator; at most 64 characters.
 */
client: string, 
/**
 * IANA zone of the device, used only to give a new hero its first zone.
 */
time_zone?: string | null, };

/**
 * A command with its place in the device's stream, which makes it happen exactly once.
 */
export type CommandFrame = { 
/**
 * 1 for the first command of a stream; the server takes the last applied number + 1 and no other.
 */
cmd_seq: number, 
/**
 * What the player wants.
 */
body: Command, };

/**
 * Client time, echoed by `pong`.
 */
export type Ping = { 
/**
 * Any number of the client's choice, 0 to 2^53 − 1; usually its monotonic clock in ms.
 */
client_ms: number, };

/**
 * What a player can want. Ids are the hero's own small numbers: a command never reaches another hero.
 */
export type Command = { "start_focus": { 
/**
 * How its end is found.
 */
mode: FocusMode, 
/**
 * What kind of work; decides which category modules and mastery count.
 */
category: Category, 
/**
 * The task it is for.
 */
task_id?: number | null, } } | { "describe_focus": { 
/**
 * The task it is for.
 */
task_id?: number | null, 
/**
 * Free words, at most 200 characters.
 */
intention?: string | null, } } | "pause_focus" | "resume_focus" | "interrupt_focus" | "keep_going" | "end_focus" | "cancel_focus" | "start_break" | "end_break" | { "confirm_focus": Confirmation } | { "report_offline_focus": { 
/**
 * When it began, by the client's best estimate of server time.
 */
started_at_ms: number, 
/**
 * How long it ran by the monotonic clock.
 */
duration_ms: number, 
/**
 * What kind of work.
 */
category: Category, 
/**
 * The task it was for.
 */
task_id?: number | null, } } | { "create_task": { 
/**
 * 1 to 200 characters.
 */
title: string, 
/**
 * Self-chosen, no effect on the reward.
 */
category: Category, 
/**
 * 900, 1000 or 1200 ‰ of the reward.
 */
priority: Priority, 
/**
 * 0 to 480; 0 is "no estimate".
 */
estimate_minutes: number, 
/**
 * `YYYY-MM-DD` in the hero's zone.
 */
due_on?: string | null, 
/**
 * Repeats by date; only for a task without a parent.
 */
recurrence?: Recurrence | null, 
/**
 * Makes it a subtask (one level, 20 at most).
 */
parent_id?: number | null, } } | { "update_task": { 
/**
 * Which.
 */
task_id: number, 
/**
 * 1 to 200 characters.
 */
title: string, 
/**
 * See `create_task`.
 */
category: Category, 
/**
 * See `create_task`.
 */
priority: Priority, 
/**
 * See `create_task`.
 */
estimate_minutes: number, 
/**
 * See `create_task`.
 */
due_on?: string | null, 
/**
 * See `create_task`.
 */
recurrence?: Recurrence | null, } } | { "complete_task": { 
/**
 * Which.
 */
task_id: number, 
/**
 * The occurrence's date for a recurring task (`YYYY-MM-DD`), else nothing.
 */
occurrence_on?: string | null, } } | { "reopen_task": { 
/**
 * Which.
 */
task_id: number, 
/**
 * As in `complete_task`.
 */
occurrence_on?: string | null, } } | { "delete_task": { 
/**
 * Which.
 */
task_id: number, } } | { "rename_hero": { 
/**
 * The new name.
 */
name: string, } } | { "set_time_zone": { 
/**
 * IANA name.
 */
time_zone: string, 
/**
 * 0 to 360 minutes after midnight.
 */
day_start_minutes: number, } } | { "set_daily_goal": { 
/**
 * The goal.
 */
minutes: number, } } | { "set_rest_days": { 
/**
 * The weekdays.
 */
weekdays: Array<number>, } } | { "start_vacation": { 
/**
 * How many player-days, today included.
 */
days: number, } } | "end_vacation" | { "assemble_module": { 
/**
 * A catalogue id such as `gen_pulse`.
 */
module_id: string, } } | { "pin_blueprint": { 
/**
 * A catalogue id.
 */
module_id: string, } } | { "pay_blueprint": { 
/**
 * How much, at least 1.
 */
amount_me: number, } } | "unpin_blueprint" | { "finish_assembly": { 
/**
 * Which job.
 */
job_id: number, } } | { "cancel_assembly": { 
/**
 * Which job.
 */
job_id: number, } } | { "upgrade_module": { 
/**
 * An owned module.
 */
module_id: string, } } | { "sell_module": { 
/**
 * An owned module.
 */
module_id: string, } } | { "place_module": { 
/**
 * An owned module.
 */
module_id: string, 
/**
 * Row-major index, 0 at the top left.
 */
cell: number, } } | { "remove_module": { 
/**
 * A placed module.
 */
module_id: string, } } | { "connect_cable": Cable } | { "disconnect_cable": { 
/**
 * The module whose output it is.
 */
from: string, } } | "auto_patch" | { "save_preset": { 
/**
 * 0 to the number of preset slots − 1.
 */
slot: number, 
/**
 * 1 to 40 characters.
 */
name: string, 
/**
 * What it is meant for.
 */
category: Category, } } | { "load_preset": { 
/**
 * Which slot.
 */
slot: number, } } | { "delete_preset": { 
/**
 * Which slot.
 */
slot: number, } } | { "import_preset": { 
/**
 * Which slot.
 */
slot: number, 
/**
 * The code, at most 512 characters.
 */
code: string, } } | "buy_preset_slot" | { "buy_cosmetic": { 
/**
 * A catalogue id.
 */
cosmetic_id: string, } } | { "equip_cosmetic": { 
/**
 * An owned cosmetic.
 */
cosmetic_id: string, } };

/**
 * The answer to "still you?".
 */
export type Confirmation = "yes" | { "until": { 
/**
 * A moment inside the session.
 */
at_ms: number, } } | "discard";

/**
 * A frame from the server.
 */
export type ServerMessage = { "welcome": Welcome } | { "durable": CommandResult } | { "duplicate": CommandResult } | { "rejected": Rejected } | { "events": Events } | { "progress": Progress } | { "pong": Pong } | { "status": Status } | { "going_away": GoingAway };

/**
 * Opens the session.
 */
export type Welcome = { 
/**
 * Names this socket in the operator's logs.
 */
connection_id: string, 
/**
 * The hero's last event that is contained in `state`.
 */
seq: number, 
/**
 * How far this stream was applied: repeat what lies above, in order.
 */
cmd_seq_applied: number, 
/**
 * The hero, or what is new since `last_seq`.
 */
state: WelcomeState, 
/**
 * Which catalogue is in force, see `GET /v1/catalogue`.
 */
catalogue_version: number, 
/**
 * Server time when the frame was made.
 */
server_now_ms: number, 
/**
 * How often the simulation ticks.
 */
tick_hz: number, 
/**
 * Whether durable commands are refused for the moment.
 */
read_only: boolean, 
/**
 * Another device of this hero is connected too.
 */
other_devices: number, };

/**
 * Either a full hero or just the difference; the server says which.
 */
export type WelcomeState = { "snapshot": Hero } | { "events": Events };

/**
 * What became of a command.
 */
export type CommandResult = { 
/**
 * The command.
 */
cmd_seq: number, 
/**
 * The event that it caused first.
 */
seq: number, 
/**
 * The id of what it made (task, session, job), if it made something.
 */
created_id: number | null, };

/**
 * Why something was refused and what to do.
 */
export type Rejected = { 
/**
 * The command, or nothing if the frame was not one.
 */
cmd_seq: number | null, 
/**
 * From the list in `docs/protocol.md`; a client branches on this.
 */
code: string, 
/**
 * What to do, in plain words for a developer or a player.
 */
hint: string, 
/**
 * When to try the same again, if trying again can help.
 */
retry_after_ms: number | null, };

/**
 * Durable facts, in order.
 */
export type Events = { 
/**
 * What happened, oldest first, gap-free.
 */
events: Array<Event>, 
/**
 * The sections of the hero that these events touched, whole and current.
 */
patch: HeroPatch, };

/**
 * One line of the hero's journal.
 */
export type Event = { 
/**
 * Its place in the hero's journal: 1, 2, 3, …
 */
seq: number, 
/**
 * When it happened (not when it was noticed).
 */
at_ms: number, 
/**
 * From the list in `docs/protocol.md`; unknown kinds are to be ignored.
 */
kind: string, 
/**
 * Why, for amounts: `focus`, `ignition`, `completion`, `task`, `achievement`, …
 */
cause: string | null, 
/**
 * Change of the energy balance.
 */
energy_me: number, 
/**
 * Change of the dopamine balance.
 */
dopamine_md: number, 
/**
 * The module, achievement, task, preset or event it is about.
 */
subject: string | null, 
/**
 * What the team says to the player about it, at most 200 characters.
 */
note?: string, };

/**
 * Answers `ping`.
 */
export type Pong = { 
/**
 * Copied from the ping.
 */
client_ms: number, 
/**
 * Server time.
 */
server_now_ms: number, };

/**
 * How the service is, whenever some of it changes. After `welcome` it comes only if there is something to say.
 */
export type Status = { 
/**
 * While true, commands are refused with `read_only`; timers go on and are true.
 */
read_only: boolean, 
/**
 * How many other devices of this hero are connected.
 */
other_devices: number, 
/**
 * Which catalogue is in force: it may change while the socket is open, see `GET /v1/catalogue`.
 */
catalogue_version: number, 
/**
 * What the operators tell every player; nothing once it is taken back.
 */
notice: Notice | null, };

/**
 * A few words of the operators, such as when the service will be away.
 */
export type Notice = { 
/**
 * At most 200 characters. Plain text: show it as text, never as markup.
 */
text: string, 
/**
 * Stop showing it then; nothing: until it is taken back.
 */
until_ms: number | null, };

/**
 * The server is about to close this socket on purpose.
 */
export type GoingAway = { 
/**
 * Come back after this long; spread by the server so that not everybody comes at once.
 */
reconnect_after_ms: number, };

/**
 * Enough to draw the running session until the next change without another byte.
 */
export type Progress = { 
/**
 * The session.
 */
session_id: number, 
/**
 * The moment for which the numbers hold.
 */
at_ms: number, 
/**
 * Focused time in the session so far.
 */
focus_ms: number, 
/**
 * Energy of the session so far, not yet in the wallet.
 */
energy_me: number, 
/**
 * Dopamine of the session so far, not yet in the wallet.
 */
dopamine_md: number, 
/**
 * How fast energy comes; 0 while paused.
 */
energy_rate_ue_per_s: number, 
/**
 * How fast dopamine comes; 0 while paused.
 */
dopamine_rate_ud_per_s: number, 
/**
 * When the rates change next if nobody does anything.
 */
next_boundary_ms: number | null, };

/**
 * What kind of work it is.
 */
export type Category = "creative" | "analytical" | "physical" | "learning" | "none";

/**
 * How important a task is.
 */
export type Priority = "low" | "medium" | "high";

/**
 * How a task repeats.
 */
export type Recurrence = { "every_days": { 
/**
 * 1 to 365.
 */
days: number, } } | { "weekdays": { 
/**
 * At least one.
 */
weekdays: Array<number>, } };

/**
 * How the end of a session is found.
 */
export type FocusMode = { "countdown": { 
/**
 * 5 to 180.
 */
planned_minutes: number, } } | { "pomodoro": { 
/**
 * 5 to 180, each round.
 */
planned_minutes: number, 
/**
 * 1 to 12.
 */
rounds: number, } } | "flowtime";

/**
 * A cable from a module's output to an input.
 */
export type Cable = { 
/**
 * The module whose output it is.
 */
from: string, 
/**
 * The module whose input it is, or `core`.
 */
to: string, };

/**
 * The whole hero.
 */
export type Hero = { 
/**
 * UUID.
 */
hero_id: string, 
/**
 * Who and when.
 */
profile: Profile, 
/**
 * What there is to spend, and the level.
 */
wallet: Wallet, 
/**
 * What runs now.
 */
focus: Focus, 
/**
 * The current player-day.
 */
today: Today, 
/**
 * Showing up.
 */
streak: Streak, 
/**
 * All open tasks, and those done in the last days.
 */
tasks: Array<Task>, 
/**
 * Owned modules.
 */
modules: Array<OwnedModule>, 
/**
 * What is being built.
 */
assembly: Assembly, 
/**
 * The rack and what it does.
 */
rack: Rack, 
/**
 * Kept racks.
 */
presets: Presets, 
/**
 * Unlocked achievements.
 */
achievements: Array<Unlocked>, 
/**
 * Totals and the last 30 days.
 */
statistics: Statistics, };

/**
 * The sections that changed; a missing one did not.
 */
export type HeroPatch = { 
/**
 * See `Hero::profile`.
 */
profile?: Profile, 
/**
 * See `Hero::wallet`.
 */
wallet?: Wallet, 
/**
 * See `Hero::focus`.
 */
focus?: Focus, 
/**
 * See `Hero::today`.
 */
today?: Today, 
/**
 * See `Hero::streak`.
 */
streak?: Streak, 
/**
 * Tasks that are new or changed: replace by `task_id`.
 */
tasks?: Array<Task>, 
/**
 * Tasks that are gone.
 */
tasks_removed?: Array<number>, 
/**
 * See `Hero::modules`.
 */
modules?: Array<OwnedModule>, 
/**
 * See `Hero::assembly`.
 */
assembly?: Assembly, 
/**
 * See `Hero::rack`.
 */
rack?: Rack, 
/**
 * See `Hero::presets`.
 */
presets?: Presets, 
/**
 * See `Hero::achievements`.
 */
achievements?: Array<Unlocked>, 
/**
 * See `Hero::statistics`.
 */
statistics?: Statistics, };

/**
 * Who and when.
 */
export type Profile = { 
/**
 * Chosen by the player.
 */
name: string, 
/**
 * When the hero was made.
 */
created_at_ms: number, 
/**
 * IANA name of the zone in force.
 */
time_zone: string, 
/**
 * Start of the player-day, minutes after midnight.
 */
day_start_minutes: number, 
/**
 * Zone that takes effect when the day ends.
 */
next_time_zone: string | null, 
/**
 * Start of day that takes effect when the day ends.
 */
next_day_start_minutes: number | null, 
/**
 * Minutes of focus that make the daily goal.
 */
daily_goal_minutes: number, 
/**
 * Fixed rest days; 1 is Monday.
 */
rest_weekdays: Array<number>, 
/**
 * Last day of the vacation (`YYYY-MM-DD`).
 */
vacation_until: string | null, 
/**
 * Owned skins and cable colours.
 */
cosmetics: Array<string>, 
/**
 * Worn ones.
 */
equipped: Array<string>, };

/**
 * What there is to spend, and the level.
 */
export type Wallet = { 
/**
 * Energy balance.
 */
energy_me: number, 
/**
 * Dopamine balance.
 */
dopamine_md: number, 
/**
 * All energy ever earned.
 */
lifetime_energy_me: number, 
/**
 * 1 to 100.
 */
level: number, 
/**
 * Experience (whole lifetime energy) at which this level began.
 */
level_xp: number, 
/**
 * Experience of the next level; nothing at the cap.
 */
next_level_xp: number | null, };

/**
 * What runs now: a session, or a break, or nothing.
 */
export type Focus = { 
/**
 * The open session.
 */
session: Session | null, 
/**
 * The running break.
 */
on_break: Break | null, 
/**
 * A session that asks "still you?".
 */
to_confirm: ToConfirm | null, };

/**
 * Whether the clock runs.
 */
export type SessionState = "running" | "paused" | "interrupted" | "overtime" | "resting" | "waiting";

/**
 * The open session: all a client needs to draw a true timer.
 */
export type Session = { 
/**
 * The hero's number for it.
 */
session_id: number, 
/**
 * Rises with every change: an older one is never drawn over a newer one.
 */
revision: number, 
/**
 * Whether the clock runs.
 */
state: SessionState, 
/**
 * How its end is found.
 */
mode: FocusMode, 
/**
 * What kind of work.
 */
category: Category, 
/**
 * The task.
 */
task_id: number | null, 
/**
 * Free words.
 */
intention: string | null, 
/**
 * When it began.
 */
started_at_ms: number, 
/**
 * Server time for which `focus_ms_at_anchor` holds.
 */
anchor_ms: number, 
/**
 * Focused time at the anchor; while running it grows by 1 ms a ms.
 */
focus_ms_at_anchor: number, 
/**
 * Focused time at which the plan is fulfilled; nothing in flowtime.
 */
planned_ms: number | null, 
/**
 * Current pomodoro round, from 1.
 */
round: number, 
/**
 * When an unanswered pause or overtime ends the session.
 */
auto_end_at_ms: number | null, 
/**
 * Interruptions so far.
 */
interruptions: number, 
/**
 * Rates and sums for drawing.
 */
progress: Progress, };

/**
 * A running break.
 */
export type Break = { 
/**
 * When it began.
 */
started_at_ms: number, 
/**
 * How long it should be; 80 % of it pays.
 */
planned_ms: number, };

/**
 * A long session that asks once afterwards.
 */
export type ToConfirm = { 
/**
 * Which.
 */
session_id: number, 
/**
 * When it began.
 */
started_at_ms: number, 
/**
 * When it ended.
 */
ended_at_ms: number, };

/**
 * The current player-day.
 */
export type Today = { 
/**
 * `YYYY-MM-DD`.
 */
date: string, 
/**
 * When the day began.
 */
starts_at_ms: number, 
/**
 * When it ends.
 */
ends_at_ms: number, 
/**
 * Focused time credited so far, without what the open session has not banked.
 */
focus_ms: number, 
/**
 * The goal is reached.
 */
goal_reached: boolean, 
/**
 * Energy from tasks so far; at most 60,000.
 */
task_energy_me: number, 
/**
 * The day already counts for the streak.
 */
active: boolean, };

/**
 * Showing up.
 */
export type Streak = { 
/**
 * Days in a row.
 */
days: number, 
/**
 * The longest ever.
 */
longest_days: number, 
/**
 * All active days ever; never falls.
 */
active_days: number, 
/**
 * Misses that cost nothing.
 */
shields: number, 
/**
 * How many can be kept.
 */
shields_max: number, };

/**
 * A task, with its subtasks as tasks of their own that name it as parent.
 */
export type Task = { 
/**
 * The hero's number for it.
 */
task_id: number, 
/**
 * The parent of a subtask.
 */
parent_id: number | null, 
/**
 * 1 to 200 characters.
 */
title: string, 
/**
 * What kind of work.
 */
category: Category, 
/**
 * How important.
 */
priority: Priority, 
/**
 * 0 is "no estimate".
 */
estimate_minutes: number, 
/**
 * `YYYY-MM-DD`.
 */
due_on: string | null, 
/**
 * How it repeats.
 */
recurrence: Recurrence | null, 
/**
 * For a recurring task: its latest date until today (`YYYY-MM-DD`), nothing if that is over a week ago.
 */
occurrence_on: string | null, 
/**
 * When it was made.
 */
created_at_ms: number, 
/**
 * When it was done, for a task that is; for a recurring one, when that date was.
 */
done_at_ms: number | null, 
/**
 * Focus linked to it so far.
 */
focus_ms: number, 
/**
 * What finishing it would pay today; 500 at most within 60 s of its creation, whatever this says.
 */
reward_me: number, };

/**
 * An owned module.
 */
export type OwnedModule = { 
/**
 * Catalogue id.
 */
module_id: string, 
/**
 * 1 to 5.
 */
level: number, 
/**
 * Price of the next level; nothing at 5.
 */
upgrade_md: number | null, 
/**
 * What selling gives now.
 */
sell_me: number, 
/**
 * What selling gives now.
 */
sell_md: number, };

/**
 * What is being built.
 */
export type Assembly = { 
/**
 * Jobs at the same time.
 */
slots: number, 
/**
 * Running jobs.
 */
jobs: Array<Job>, 
/**
 * A blueprint that is being paid for.
 */
blueprint: Blueprint | null, };

/**
 * A running job.
 */
export type Job = { 
/**
 * The hero's number for it.
 */
job_id: number, 
/**
 * What it makes.
 */
module_id: string, 
/**
 * Server time for which `done_ms_at_anchor` holds.
 */
anchor_ms: number, 
/**
 * Work done at the anchor, in ms of idle speed.
 */
done_ms_at_anchor: number, 
/**
 * Work needed, in ms of idle speed.
 */
work_ms: number, 
/**
 * Speed now: 1000 idle, 4000 while focusing, more with a clock.
 */
speed_permille: number, 
/**
 * When it is done at the speed of now.
 */
done_at_ms: number, 
/**
 * What finishing it now costs.
 */
finish_md: number, };

/**
 * A blueprint that is being paid for.
 */
export type Blueprint = { 
/**
 * What it will make.
 */
module_id: string, 
/**
 * Paid so far.
 */
paid_me: number, 
/**
 * The price.
 */
price_me: number, };

/**
 * The rack and what it does.
 */
export type Rack = { 
/**
 * Cells in a row.
 */
columns: number, 
/**
 * Rows.
 */
rows: number, 
/**
 * How far a cable reaches.
 */
reach: number, 
/**
 * What lies where.
 */
placements: Array<Placement>, 
/**
 * What is plugged into what.
 */
cables: Array<Cable>, 
/**
 * Modules that a generator reaches and that reach the core.
 */
powered: Array<string>, 
/**
 * Dopamine while focusing (of the next session).
 */
dopamine_rate_ud_per_s: number, 
/**
 * Added to the energy of a session.
 */
energy_bonus_permille: number, 
/**
 * Found ones that work now.
 */
synergies: Array<string>, 
/**
 * All that were ever found.
 */
synergies_found: Array<string>, };

/**
 * A module on the grid.
 */
export type Placement = { 
/**
 * Which module.
 */
module_id: string, 
/**
 * Row-major index, 0 at the top left.
 */
cell: number, };

/**
 * Kept racks.
 */
export type Presets = { 
/**
 * How many there may be.
 */
slots: number, 
/**
 * Price of one more slot; nothing when no more can be bought.
 */
next_slot_md: number | null, 
/**
 * The kept ones.
 */
presets: Array<Preset>, 
/**
 * Will be loaded when the session ends.
 */
queued_slot: number | null, };

/**
 * A kept rack.
 */
export type Preset = { 
/**
 * Its number.
 */
slot: number, 
/**
 * Its name.
 */
name: string, 
/**
 * What it is meant for.
 */
category: Category, 
/**
 * The short code to share it.
 */
code: string, };

/**
 * An unlocked achievement.
 */
export type Unlocked = { 
/**
 * Catalogue id.
 */
achievement_id: string, 
/**
 * When.
 */
at_ms: number, };

/**
 * Totals and the last 30 days.
 */
export type Statistics = { 
/**
 * Focused time ever.
 */
focus_ms: number, 
/**
 * Sessions ended (not discarded).
 */
sessions: number, 
/**
 * Tasks done.
 */
tasks_done: number, 
/**
 * Returns after an interruption.
 */
comebacks: number, 
/**
 * Focused minutes by category: creative, analytical, physical, learning, none.
 */
focus_minutes_by_category: [number, number, number, number, number], 
/**
 * The last 30 player-days, oldest first and today last, days without anything left out.
 */
days: Array<DayTotal>, };

/**
 * One player-day.
 */
export type DayTotal = { 
/**
 * `YYYY-MM-DD`.
 */
date: string, 
/**
 * Focused time.
 */
focus_ms: number, 
/**
 * Energy earned.
 */
energy_me: number, 
/**
 * Tasks done.
 */
tasks_done: number, };
