// Generated from the Rust crate `admin-http` by `cargo xtask codegen`. Do not edit.
//
// What the operators' listener answers and takes. Times are server UTC in ms, amounts in thousandths.

/**
 * How a server is now.
 */
export type Overview = { 
/**
 * The program's version.
 */
version: string, 
/**
 * What this server is called.
 */
node_name: string, 
/**
 * Now.
 */
now_ms: number, 
/**
 * When it started.
 */
started_at_ms: number, 
/**
 * How long it has been running.
 */
uptime_ms: number, 
/**
 * `starting`, `ready` or `draining`.
 */
readiness: string, 
/**
 * Player sockets that are open.
 */
connections_open: number, 
/**
 * Most sockets at once.
 */
connections_max: number, 
/**
 * Heroes that shards hold.
 */
heroes_in_memory: number, 
/**
 * Focus sessions that run or pause.
 */
focus_sessions_open: number, 
/**
 * Energy that players got in the last 60 minutes (since the start, if that is less).
 */
energy_hour_me: number, 
/**
 * Tasks done since the start.
 */
tasks_completed: number, 
/**
 * Modules assembled since the start.
 */
modules_assembled: number, 
/**
 * The simulation.
 */
simulation: SimulationOverview, 
/**
 * The journal writer.
 */
journal: JournalOverview, 
/**
 * Acknowledgements of the last minute, 99th percentile; nothing when there were none.
 */
ack_p99_ms: number | null, 
/**
 * CPU of this process, in thousandths of one core, over the last 5 s.
 */
cpu_permille: number, 
/**
 * Cores that it may use.
 */
cores: number, 
/**
 * Resident memory of this process.
 */
memory_bytes: number, 
/**
 * Memory that it may use: the container's limit or the machine's.
 */
memory_limit_bytes: number, 
/**
 * Whether Redis answers; nothing when there is none.
 */
redis_up: boolean | null, };

/**
 * How the simulation is now.
 */
export type SimulationOverview = { 
/**
 * Threads that simulate.
 */
shards: number, 
/**
 * Ticks a second that each should make.
 */
tick_hz: number, 
/**
 * Ticks of all shards since the start.
 */
ticks: number, 
/**
 * Ticks that took longer than their period.
 */
tick_overruns: number, 
/**
 * A tick of the last minute, 99th percentile.
 */
tick_p99_ms: number | null, 
/**
 * What it may take.
 */
tick_budget_ms: number, };

/**
 * How the journal writer is now.
 */
export type JournalOverview = { 
/**
 * Events that are not durable yet.
 */
queue_events: number, 
/**
 * Most of them.
 */
queue_events_max: number, 
/**
 * Their bytes.
 */
queue_bytes: number, 
/**
 * How long the oldest of them has been waiting.
 */
oldest_age_ms: number, 
/**
 * Whether durable commands are refused because the store is away.
 */
read_only: boolean, };

/**
 * How far back.
 */
export type Span = "hour" | "day";

/**
 * How a server was at a moment. Rates and percentiles are of the time since the point before.
 */
export type HistoryPoint = { 
/**
 * When.
 */
at_ms: number, 
/**
 * Player sockets.
 */
connections_open: number, 
/**
 * Heroes in memory.
 */
heroes_in_memory: number, 
/**
 * Focus sessions.
 */
focus_sessions_open: number, 
/**
 * Energy given out, as if for an hour.
 */
energy_per_hour_me: number, 
/**
 * Tasks done, as if for an hour.
 */
tasks_per_hour: number, 
/**
 * Modules assembled, as if for an hour.
 */
modules_per_hour: number, 
/**
 * Tick, 99th percentile.
 */
tick_p99_ms: number | null, 
/**
 * Acknowledgement, 99th percentile.
 */
ack_p99_ms: number | null, 
/**
 * The oldest event that is not durable.
 */
journal_oldest_age_ms: number, 
/**
 * Events that are not durable.
 */
journal_queue_events: number, 
/**
 * CPU in thousandths of one core.
 */
cpu_permille: number, 
/**
 * Resident memory.
 */
memory_bytes: number, };

/**
 * Players that were found.
 */
export type PlayerPage = { 
/**
 * At most 50.
 */
players: Array<PlayerRow>, 
/**
 * Where the next page begins; nothing on the last one.
 */
next: string | null, };

/**
 * One of them.
 */
export type PlayerRow = { 
/**
 * The hero.
 */
hero_id: string, 
/**
 * Its name; nothing when it cannot be read (erased, or set aside).
 */
name: string | null, 
/**
 * `guest`, `account`, `banned`, `erasing` or `unknown` (nobody's any more).
 */
kind: string, 
/**
 * When it was made.
 */
created_at_ms: number | null, 
/**
 * When a device of it was last seen.
 */
last_seen_ms: number | null, 
/**
 * Sockets on this server.
 */
connections: number, };

/**
 * One player.
 */
export type Player = { 
/**
 * Its row.
 */
row: PlayerRow, 
/**
 * The last event.
 */
last_seq: number, 
/**
 * Which server has the hero in memory, by name.
 */
owner: string | null, 
/**
 * Why it is set aside, if it is.
 */
quarantined: string | null, 
/**
 * The hero as its player sees it: `Hero` of the protocol. Nothing when it cannot be read.
 */
hero: unknown | null, 
/**
 * Nothing for a guest.
 */
account: AccountFacts | null, 
/**
 * Devices that may act.
 */
devices: Array<Device>, 
/**
 * Sockets that are open on this server.
 */
sockets: Array<Socket>, };

/**
 * What is known of an account. The mail address is masked (`a…@example.org`).
 */
export type AccountFacts = { 
/**
 * The account.
 */
account_id: string, 
/**
 * Masked.
 */
mail: string | null, 
/**
 * Whether it is shown to be the owner's.
 */
is_mail_verified: boolean, 
/**
 * Since when it may not log in.
 */
banned_at_ms: number | null, 
/**
 * When it will be erased.
 */
erase_at_ms: number | null, 
/**
 * When it was made.
 */
created_at_ms: number, };

/**
 * A device that may act for a hero.
 */
export type Device = { 
/**
 * The device.
 */
device_id: string, 
/**
 * What the player calls it.
 */
name: string, 
/**
 * When it was made.
 */
created_at_ms: number, 
/**
 * When it was last seen.
 */
last_seen_ms: number, };

/**
 * An open socket.
 */
export type Socket = { 
/**
 * Its number on this server.
 */
connection_id: string, 
/**
 * Whose device it is.
 */
device_id: string | null, 
/**
 * Since when.
 */
connected_at_ms: number, };

/**
 * A page of a hero's journal.
 */
export type Timeline = { 
/**
 * The last event there is.
 */
last_seq: number, 
/**
 * Newest first.
 */
events: Array<TimelineEvent>, 
/**
 * The `before` of the next page; nothing on the last one.
 */
before: number | null, };

/**
 * One event.
 */
export type TimelineEvent = { 
/**
 * Its place in the journal.
 */
seq: number, 
/**
 * When it happened.
 */
at_ms: number, 
/**
 * What.
 */
kind: string, 
/**
 * Why a balance changed.
 */
cause: string | null, 
/**
 * What it is about.
 */
subject: string | null, 
/**
 * Change of the energy balance.
 */
energy_me: number, 
/**
 * Change of the dopamine balance.
 */
dopamine_md: number, 
/**
 * The device's stream and the number of its command; nothing when time or the server did it.
 */
command: [number, number] | null, 
/**
 * Which numbers were in force.
 */
catalogue_version: number, 
/**
 * The operator who did it.
 */
operator: string | null, 
/**
 * All that the event says.
 */
body: unknown, };

/**
 * A hero as it was.
 */
export type HeroAt = { 
/**
 * After this event.
 */
seq: number, 
/**
 * When that happened.
 */
at_ms: number, 
/**
 * The hero as its player saw it then: `Hero` of the protocol.
 */
hero: unknown, 
/**
 * The sections that the event changed, as they were before it: `HeroPatch` of the protocol.
 */
before: unknown, };

/**
 * Why a balance is what it is.
 */
export type Balance = { 
/**
 * What there is to spend.
 */
energy_me: number, 
/**
 * What there is to spend.
 */
dopamine_md: number, 
/**
 * By cause, the largest first; they add up to the balances.
 */
causes: Array<CauseSum>, 
/**
 * The last 100 changes, newest first.
 */
lines: Array<BalanceLine>, 
/**
 * Whether the sums and the hero agree; if not, something is wrong and `verify` says what.
 */
adds_up: boolean, };

/**
 * What one cause added up to.
 */
export type CauseSum = { 
/**
 * Why.
 */
cause: string, 
/**
 * How often.
 */
count: number, 
/**
 * Energy in all.
 */
energy_me: number, 
/**
 * Dopamine in all.
 */
dopamine_md: number, };

/**
 * One change, with the balances after it.
 */
export type BalanceLine = { 
/**
 * The event.
 */
seq: number, 
/**
 * When.
 */
at_ms: number, 
/**
 * What.
 */
kind: string, 
/**
 * Why.
 */
cause: string | null, 
/**
 * What it is about.
 */
subject: string | null, 
/**
 * Change of energy.
 */
energy_me: number, 
/**
 * Change of dopamine.
 */
dopamine_md: number, 
/**
 * Energy after it.
 */
energy_balance_me: number, 
/**
 * Dopamine after it.
 */
dopamine_balance_md: number, };

/**
 * A change of a hero's balances. Positive grants, negative takes.
 */
export type Correction = { 
/**
 * Energy.
 */
energy_me: number, 
/**
 * Dopamine.
 */
dopamine_md: number, 
/**
 * The event that it takes back; the amounts must then be that event's, negated, so that whoever looks at the amounts
 * sees what happens. An event can be taken back once.
 */
reverts: number | null, };

/**
 * What a correction did.
 */
export type Corrected = { 
/**
 * Its event in the hero's journal.
 */
seq: number, 
/**
 * Energy after it.
 */
energy_me: number, 
/**
 * Dopamine after it.
 */
dopamine_md: number, };

/**
 * The service was away.
 */
export type Outage = { 
/**
 * From.
 */
from_ms: number, 
/**
 * Until.
 */
until_ms: number, };

/**
 * Every version that is kept.
 */
export type CatalogueVersions = { 
/**
 * The one in force.
 */
in_force: number, 
/**
 * Newest first. The one inside the program is among them.
 */
versions: Array<CatalogueVersion>, };

/**
 * One of them.
 */
export type CatalogueVersion = { 
/**
 * Its number, as it says itself.
 */
version: number, 
/**
 * When it came; nothing for the one inside the program.
 */
uploaded_at_ms: number | null, 
/**
 * Who brought it.
 */
uploaded_by: string | null, 
/**
 * Since when it is in force.
 */
in_force_since_ms: number | null, };

/**
 * A version's text.
 */
export type CatalogueText = { 
/**
 * Its number.
 */
version: number, 
/**
 * RON.
 */
text: string, };

/**
 * What became of an upload: a version, or everything that is wrong with it.
 */
export type UploadedCatalogue = { 
/**
 * The new version; nothing when there are problems.
 */
version: number | null, 
/**
 * In the order of the text.
 */
problems: Array<CatalogueProblem>, };

/**
 * One thing that is wrong.
 */
export type CatalogueProblem = { 
/**
 * Line in the text, from 1.
 */
line: number, 
/**
 * The field.
 */
path: string, 
/**
 * What was expected there, and what was found.
 */
problem: string, };

/**
 * What a version would change.
 */
export type DryRun = { 
/**
 * The version in force.
 */
from: number, 
/**
 * The version that was tried.
 */
to: number, 
/**
 * Fields of the catalogue that differ, at most 500.
 */
changes: Array<DryRunChange>, 
/**
 * Heroes that were looked at: those in memory on this server, at most 10,000.
 */
heroes: number, 
/**
 * Of them, those for whom something changes.
 */
heroes_changed: number, 
/**
 * Heroes that own or build something that the new version does not have; it is refused while there are any.
 */
heroes_broken: number, 
/**
 * By change of the energy rate, the largest first, at most 100.
 */
examples: Array<DryRunHero>, 
/**
 * How many heroes have which change of the energy rate, in steps of 50 thousandths from −1000 to +1000; what lies
 * beyond is counted in the first and last one. 41 counts.
 */
histogram: Array<number>, };

/**
 * A field that differs.
 */
export type DryRunChange = { 
/**
 * Such as `modules[osc_sine].cost_me`.
 */
path: string, 
/**
 * As in force; nothing when it is new.
 */
from: string | null, 
/**
 * As tried; nothing when it is gone.
 */
to: string | null, };

/**
 * What would change for one hero, if it focused now.
 */
export type DryRunHero = { 
/**
 * The hero.
 */
hero_id: string, 
/**
 * Energy an hour of focus, as in force.
 */
energy_per_hour_from_me: number, 
/**
 * As tried.
 */
energy_per_hour_to_me: number, 
/**
 * In words: other prices of what it builds, a level more or less, modules that are gone.
 */
notes: Array<string>, };

/**
 * The whole page.
 */
export type Cost = { 
/**
 * What this server should be.
 */
rightsizing: Rightsizing, 
/**
 * The plan, with the load that this server was measured to carry.
 */
phases: Array<Phase>, 
/**
 * The month.
 */
budget: Budget, 
/**
 * When the prices were looked up, such as `2026-11-01`.
 */
prices_of: string, };

/**
 * What was measured and what it means.
 */
export type Rightsizing = { 
/**
 * What to do.
 */
verdict: Verdict, 
/**
 * Why, in a sentence with the figures.
 */
reason: string, 
/**
 * What this server runs on, as far as it can tell.
 */
size: string, 
/**
 * What it should run on.
 */
recommended: string, 
/**
 * Dollars a month that it would save; below zero, cost.
 */
saving_usd: number, 
/**
 * What was measured.
 */
load: Load, };

/**
 * What to do with the size of a server.
 */
export type Verdict = "unknown" | "keep" | "downsize" | "upsize";

/**
 * Load of this server over the time that was measured.
 */
export type Load = { 
/**
 * How long.
 */
measured_ms: number, 
/**
 * CPU, mean, thousandths of all cores.
 */
cpu_mean_permille: number, 
/**
 * CPU, 95th percentile.
 */
cpu_p95_permille: number, 
/**
 * Memory, highest, thousandths of the limit.
 */
memory_max_permille: number, 
/**
 * Most players at once.
 */
players_max: number, 
/**
 * Players that one such server carries at 70 % CPU and 80 % memory, from these figures.
 */
players_carried: number, };

/**
 * One phase of the plan.
 */
export type Phase = { 
/**
 * Users, from.
 */
users_from: number, 
/**
 * Users, up to.
 */
users_to: number, 
/**
 * Players at once, at the upper end.
 */
players_at_once: number, 
/**
 * Servers it takes.
 */
servers: number, 
/**
 * Each of them.
 */
size: string, 
/**
 * Dollars a month by part: servers, database, redis, load balancer, storage and traffic.
 */
parts: Array<[string, number]>, 
/**
 * In all.
 */
total_usd: number, 
/**
 * What the plan says.
 */
planned_usd: number, };

/**
 * The month's money.
 */
export type Budget = { 
/**
 * Dollars for the month.
 */
budget_usd: number, 
/**
 * Dollars of this month so far, from the servers that ran and the plan's prices.
 */
spent_usd: number, 
/**
 * Dollars of the whole month, if it goes on like this.
 */
forecast_usd: number, 
/**
 * Thresholds of the budget that were passed and told: 50, 80, 100.
 */
passed_percent: Array<number>, 
/**
 * Where it is told: `mail`, `slack`.
 */
told_to: Array<string>, };

/**
 * What runs, and how it is set.
 */
export type System = { 
/**
 * The program's version.
 */
version: string, 
/**
 * The compiler that made it.
 */
rust_version: string, 
/**
 * The database with its version, without credentials.
 */
database: string, 
/**
 * `development`, `staging` or `production`.
 */
environment: string, 
/**
 * Every variable, in the order of `.env.example`.
 */
settings: Array<Setting>, 
/**
 * Servers that share the database.
 */
nodes: Array<Node>, 
/**
 * Every migration.
 */
migrations: Array<Migration>, 
/**
 * What players are told.
 */
banner: Banner | null, };

/**
 * A server that was asked to drain.
 */
export type Draining = { 
/**
 * `draining`, as in the overview's `readiness`.
 */
status: string, };

/**
 * One variable.
 */
export type Setting = { 
/**
 * Its name.
 */
name: string, 
/**
 * What is in force; `***` for a secret that is set.
 */
value: string, 
/**
 * Whether it was set, or is the default.
 */
is_default: boolean, 
/**
 * What it means.
 */
meaning: string, };

/**
 * One server.
 */
export type Node = { 
/**
 * Its id.
 */
node_id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Whether it is the one that answers.
 */
is_this: boolean, 
/**
 * Whether its lease runs.
 */
is_alive: boolean, 
/**
 * When it renewed its lease.
 */
renewed_at_ms: number | null, 
/**
 * Its player sockets, where Redis knows.
 */
connections: number | null, 
/**
 * Its heroes, where Redis knows.
 */
heroes: number | null, };

/**
 * One migration.
 */
export type Migration = { 
/**
 * Its number.
 */
version: number, 
/**
 * What it does.
 */
description: string, 
/**
 * Whether it was applied.
 */
is_applied: boolean, };

/**
 * What every player is told.
 */
export type Banner = { 
/**
 * 1 to 200 characters.
 */
text: string, 
/**
 * Until when it shows; nothing: until it is taken back.
 */
until_ms: number | null, };

/**
 * What an operator may do. Each may do what those before it may.
 */
export type Role = "viewer" | "support" | "operator" | "owner";

/**
 * Whether somebody is there.
 */
export type SessionState = "setup" | "anonymous" | "signed_in";

/**
 * Who is logged in.
 */
export type SignedIn = { 
/**
 * The operator's name.
 */
name: string, 
/**
 * What it may do.
 */
role: Role, };

/**
 * The login of this browser.
 */
export type Session = { 
/**
 * Whether somebody is there.
 */
state: SessionState, 
/**
 * Who.
 */
operator: SignedIn | null, 
/**
 * What the header `x-csrf-token` of everything that changes something must hold.
 */
csrf_token: string | null, 
/**
 * `development`, `staging` or `production`.
 */
environment: string, 
/**
 * When it ends unless something is asked before.
 */
idle_until_ms: number | null, 
/**
 * When it ends at the latest.
 */
ends_at_ms: number | null, };

/**
 * The beginning of becoming an operator.
 */
export type SetupAsk = { 
/**
 * From the command line, or from an owner.
 */
token: string, 
/**
 * 8 to 128 characters.
 */
password: string, };

/**
 * What somebody who was invited gets to see before becoming an operator.
 */
export type SetupOffer = { 
/**
 * The name that the invitation says.
 */
name: string, 
/**
 * The role that the invitation says.
 */
role: Role, 
/**
 * For the authenticator, in base32. It is shown once and not kept before it was confirmed.
 */
totp_secret: string, 
/**
 * The same as an address for a QR code.
 */
totp_uri: string, };

/**
 * The end of becoming an operator.
 */
export type SetupConfirm = { 
/**
 * As before.
 */
token: string, 
/**
 * As before.
 */
password: string, 
/**
 * As it was offered.
 */
totp_secret: string, 
/**
 * What the authenticator shows: six digits.
 */
code: string, };

/**
 * A login.
 */
export type LoginAsk = { 
/**
 * The operator's name.
 */
name: string, 
/**
 * The password.
 */
password: string, 
/**
 * What the authenticator shows: six digits, good once.
 */
code: string, };

/**
 * One operator.
 */
export type Operator = { 
/**
 * The name.
 */
name: string, 
/**
 * What it may do.
 */
role: Role, 
/**
 * Since when.
 */
created_at_ms: number, 
/**
 * When it last logged in.
 */
last_login_ms: number | null, 
/**
 * Whether it may not log in any more.
 */
is_disabled: boolean, };

/**
 * What lets somebody become an operator, once.
 */
export type Invitation = { 
/**
 * To be given to that person, and shown only now.
 */
token: string, 
/**
 * Until when it is good.
 */
expires_at_ms: number, };

/**
 * To invite somebody. For a name that exists, it lets that person choose a password and authenticator anew.
 */
export type InvitationAsk = { 
/**
 * 1 to 32 of a to z, 0 to 9, `.`, `-` and `_`.
 */
name: string, 
/**
 * What it may do.
 */
role: Role, };

/**
 * What is to be another way. What is left out stays.
 */
export type OperatorChange = { 
/**
 * What it may do.
 */
role?: Role, 
/**
 * Whether it may not log in.
 */
is_disabled?: boolean, };

/**
 * One thing that was done.
 */
export type AuditRow = { 
/**
 * Its place in the log.
 */
seq: number, 
/**
 * When.
 */
at_ms: number, 
/**
 * Who; `command line` for whoever has a shell on the machine, nothing for somebody unknown.
 */
operator: string, 
/**
 * What the operator might do then; nothing for somebody unknown.
 */
role: Role | null, 
/**
 * What.
 */
action: string, 
/**
 * To whom or what.
 */
subject: string, 
/**
 * Why, in the operator's words.
 */
reason: string, 
/**
 * What else was said.
 */
details: unknown, 
/**
 * `done`, or `failed: ` and why; nothing while it goes on, or for what has no effect.
 */
outcome: string | null, 
/**
 * Follows from everything that is before it, in hex.
 */
hash: string, };

/**
 * A page of the audit log.
 */
export type AuditPage = { 
/**
 * Newest first.
 */
rows: Array<AuditRow>, 
/**
 * The `before` of the next page; nothing on the last one.
 */
before: number | null, };

/**
 * Whether the audit log is as it was written.
 */
export type AuditVerdict = { 
/**
 * Nothing was changed, removed, moved or cut off.
 */
is_whole: boolean, 
/**
 * Rows that were read.
 */
rows: number, 
/**
 * The first thing that is wrong.
 */
problem: string | null, };

/**
 * Where a wish for a second person stands.
 */
export type ApprovalState = "open" | "approved" | "refused" | "expired";

/**
 * What an operator wants to do and may not do alone.
 */
export type Approval = { 
/**
 * Which: the row of the audit log in which it was asked for.
 */
id: number, 
/**
 * `correction`.
 */
action: string, 
/**
 * Whose hero.
 */
hero_id: string, 
/**
 * What would change.
 */
correction: Correction, 
/**
 * Why.
 */
reason: string, 
/**
 * Who wants it.
 */
requested_by: string, 
/**
 * Since when.
 */
requested_at_ms: number, 
/**
 * Where it stands.
 */
state: ApprovalState, 
/**
 * Who decided.
 */
decided_by: string | null, 
/**
 * When.
 */
decided_at_ms: number | null, 
/**
 * Whether it has been carried out. One that was approved and is not done may be approved again: it happens once.
 */
is_done: boolean, };

/**
 * A second person's word.
 */
export type ApprovalDecision = { 
/**
 * Whether it shall be done.
 */
is_approved: boolean, };

/**
 * Why something is done.
 */
export type ReasonAsk = { 
/**
 * 3 to 200 characters.
 */
reason: string, };

/**
 * To close a socket.
 */
export type CloseAsk = { 
/**
 * 3 to 200 characters.
 */
reason: string, 
/**
 * Which; nothing: all of the hero.
 */
connection_id: string | null, };

/**
 * To ban, or to take that back.
 */
export type BanAsk = { 
/**
 * 3 to 200 characters.
 */
reason: string, 
/**
 * Whether it may not log in.
 */
is_banned: boolean, };

/**
 * To erase, or to take that back.
 */
export type EraseAsk = { 
/**
 * 3 to 200 characters.
 */
reason: string, 
/**
 * Whether it will be erased.
 */
is_wanted: boolean, };

/**
 * To correct balances.
 */
export type CorrectionAsk = { 
/**
 * 3 to 200 characters.
 */
reason: string, 
/**
 * Energy; with `reverts`, 0 or that event's, negated.
 */
energy_me: number, 
/**
 * Dopamine; with `reverts`, 0 or that event's, negated.
 */
dopamine_md: number, 
/**
 * The event that it takes back.
 */
reverts: number | null, };

/**
 * To say that the service was away.
 */
export type OutageAsk = { 
/**
 * 3 to 200 characters.
 */
reason: string, 
/**
 * From.
 */
from_ms: number, 
/**
 * Until.
 */
until_ms: number, };

/**
 * To keep another catalogue.
 */
export type CatalogueUpload = { 
/**
 * 3 to 200 characters.
 */
reason: string, 
/**
 * At most 256 KiB.
 */
text: string, };

/**
 * To put a catalogue in force.
 */
export type CatalogueSwitch = { 
/**
 * 3 to 200 characters.
 */
reason: string, 
/**
 * What the operator saw in force.
 */
in_force: number, 
/**
 * What is to be.
 */
version: number, };

/**
 * To set the budget.
 */
export type BudgetAsk = { 
/**
 * 3 to 200 characters.
 */
reason: string, 
/**
 * Whole dollars a month.
 */
budget_usd: number, };

/**
 * To tell players something, or nothing any more.
 */
export type BannerAsk = { 
/**
 * 3 to 200 characters.
 */
reason: string, 
/**
 * What they are told.
 */
banner: Banner | null, };

/**
 * What every refusal says.
 */
export type ErrorBody = { 
/**
 * To branch on.
 */
code: string, 
/**
 * What to do.
 */
hint: string, 
/**
 * To find it in the log; also in `x-request-id`.
 */
request_id: string, };
