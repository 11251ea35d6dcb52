//! `dopamine-hero verify`: reads the whole store and says whether every promise about it holds.
//!
//! The store's own checks (chain, gaps, epochs, streams, snapshots) come from `persistence`; this adds what needs the
//! game: every event folds, every snapshot equals the fold at its place, and the ledger adds up to the balances; that of
//! the read models too, when they are up to date.

use std::{
    fmt,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use persistence::{
    HeroHead, HeroId, JournalStore, LedgerSum, ReadModelStore, StoreError,
    scan::{self, Step},
};
use tokio::time::{Duration, Instant};

use crate::journal::{self, StoredHero};
use crate::texts::{TextKey, TextKeys};

/// Heroes asked for at once.
const PAGE_ROWS: u32 = 500;
/// Heroes whose findings are printed; the rest is only counted.
const SHOWN_MAX: u64 = 100;
/// How often progress is printed.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// What a run over a store found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Heroes read.
    pub heroes: u64,
    /// Events read.
    pub events: u64,
    /// Snapshots read and compared.
    pub snapshots: u64,
    /// Heroes with at least one finding.
    pub damaged: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { heroes, events, snapshots, damaged } = self;
        let verdict = if *damaged == 0 { "clean" } else { "DAMAGED" };
        write!(
            f,
            "{heroes} heroes, {events} events, {snapshots} snapshots, {damaged} damaged heroes: {verdict}"
        )
    }
}

/// Checks every hero of a store. Progress and findings go to `out`, a line each. Texts are opened where their key is at
/// hand, and compared as they are stored where it is not.
///
/// # Errors
/// Those of a store that is away, and of `out`.
pub async fn run(
    store: &dyn JournalStore,
    models: &dyn ReadModelStore,
    texts: &TextKeys,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let mut after = None;
    let mut printed = Instant::now();
    loop {
        let page = store.heroes(after, PAGE_ROWS).await?;
        for head in &page {
            let findings = hero(store, models, texts, head.hero, &mut summary).await?;
            if !findings.is_empty() {
                summary.damaged += 1;
                if summary.damaged <= SHOWN_MAX {
                    for finding in &findings {
                        writeln!(out, "hero {}: {finding}", head.hero)?;
                    }
                }
            }
            if printed.elapsed() >= PROGRESS_EVERY {
                printed = Instant::now();
                writeln!(out, "… {summary}")?;
            }
        }
        match page.last() {
            Some(last) => after = Some(last.hero),
            None => break,
        }
    }
    writeln!(out, "{summary}")?;
    Ok(summary)
}

async fn hero(
    store: &dyn JournalStore,
    models: &dyn ReadModelStore,
    texts: &TextKeys,
    id: HeroId,
    summary: &mut Summary,
) -> Result<Vec<String>, StoreError> {
    let mut ledger = Ledger { texts: texts.find_if_configured(id).await?, ..Ledger::default() };
    // A history that breaks the fold is damage like any other; the heroes after it are read too.
    let mut step = |step: Step<'_>| {
        let folded = catch_unwind(AssertUnwindSafe(|| ledger.step(step)));
        folded.unwrap_or_else(|_panic| Err("it breaks the fold".to_owned()))
    };
    let scanned = scan::scan(store, id, &mut step).await?;
    let Some(scanned) = scanned else { return Ok(vec!["it vanished while it was read".to_owned()]) };
    summary.heroes += 1;
    summary.events += scanned.events_count;
    summary.snapshots += scanned.snapshots_count;
    let mut findings: Vec<_> = scanned.findings.iter().map(|finding| format!("{finding:?}")).collect();
    findings.extend(ledger.differences());
    findings.extend(read_models(store, models, &scanned.head, &ledger).await?);
    Ok(findings)
}

/// What is wrong with a hero's read models. Those that are behind are nothing to wonder about.
async fn read_models(
    store: &dyn JournalStore,
    models: &dyn ReadModelStore,
    head: &HeroHead,
    ledger: &Ledger,
) -> Result<Option<String>, StoreError> {
    let LedgerSum { read_seq, energy_me, dopamine_md } = models.ledger_sum(head.hero).await?;
    let rebuild = format!("run `dopamine-hero rebuild-read-models {}`", head.hero);
    if read_seq > head.last_seq {
        // A server may have added events meanwhile.
        let last_seq = store.head(head.hero).await?.map_or(head.last_seq, |now| now.last_seq);
        let (read_seq, last_seq) = (read_seq.0, last_seq.0);
        return Ok((read_seq > last_seq).then(|| {
            format!("its read models have read event {read_seq} and the last one is {last_seq}: {rebuild}")
        }));
    }
    let wallet = &ledger.stored.hero.wallet;
    let is_right = (energy_me, dopamine_md) == (wallet.energy_me, wallet.dopamine_md);
    Ok((read_seq == head.last_seq && !is_right).then(|| {
        format!("the ledger of its read models adds up to {energy_me} mE and {dopamine_md} mD: {rebuild}")
    }))
}

/// A fold that also adds up every amount.
#[derive(Default)]
struct Ledger {
    texts: Option<TextKey>,
    stored: StoredHero,
    energy_me: i64,
    dopamine_md: i64,
}

impl Ledger {
    fn step(&mut self, step: Step<'_>) -> Result<(), String> {
        match step {
            Step::Event(record) => {
                let timed = journal::apply(&mut self.stored, record, self.texts.as_ref())
                    .map_err(|error| error.to_string())?;
                self.energy_me += timed.event.energy_me();
                self.dopamine_md += timed.event.dopamine_md();
                Ok(())
            }
            Step::Snapshot(snapshot) => {
                let state =
                    journal::state(snapshot, self.texts.as_ref()).map_err(|error| error.to_string())?;
                if state == self.stored {
                    Ok(())
                } else {
                    Err("the snapshot is not what its events fold to".to_owned())
                }
            }
        }
    }

    fn differences(&self) -> Vec<String> {
        let wallet = &self.stored.hero.wallet;
        let pairs = [
            ("energy", wallet.energy_me, self.energy_me, "mE"),
            ("dopamine", wallet.dopamine_md, self.dopamine_md, "mD"),
        ];
        let differing = pairs.iter().filter(|(_, balance, sum, _)| balance != sum);
        differing
            .map(|(what, balance, sum, unit)| {
                format!("the {what} balance is {balance} {unit}, its ledger adds up to {sum}")
            })
            .collect()
    }
}
