//! `dopamine-hero export HERO`: everything that is kept about one hero, as one JSON document.

use std::io::Write;

use anyhow::{Context, ensure};
use persistence::{CommandRef, EventRecord, HeroId, JournalStore, Seq};
use serde_json::{Value, json};
use simulation::{catalogue::Catalogue, event::TimedEvent};

use crate::{
    convert,
    journal::{self, StoredHero},
    texts::TextKeys,
};

/// Events asked for at once.
const PAGE_ROWS: u32 = 1_000;

/// One row of a journal: as a client sees it, whose command it was, and all that it says.
pub(crate) fn line(record: &EventRecord, timed: &TimedEvent) -> serde_json::Result<Value> {
    let mut line = serde_json::to_value(convert::event(record.seq.0, timed))?;
    if let Some(fields) = line.as_object_mut() {
        if let Some(CommandRef { stream_id, cmd_seq }) = record.command {
            fields.insert("stream_id".to_owned(), stream_id.0.into());
            fields.insert("cmd_seq".to_owned(), cmd_seq.0.into());
        }
        fields.insert("body".to_owned(), serde_json::to_value(&timed.event)?);
    }
    Ok(line)
}

/// Writes a hero and its whole journal. The hero is shown as of its last event. What the player of an erased hero has
/// typed cannot be read any more; nor can it without the secret in SECRET_KEYS.
///
/// # Errors
/// A hero that is not known, a journal that does not fold, a store that is away, and those of `out`.
pub async fn run(
    store: &dyn JournalStore,
    texts: &TextKeys,
    catalogue: &Catalogue,
    hero: HeroId,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let head = store.head(hero).await?;
    ensure!(head.is_some(), "hero {hero} is not in this store: check the id and DATABASE_URL");
    let texts = texts.find_if_configured(hero).await?;
    let mut stored = StoredHero::default();
    let mut events: Vec<Value> = Vec::new();
    let mut next = Seq(1);
    loop {
        let page = store.events(hero, next, PAGE_ROWS).await?;
        let Some(last) = page.last() else { break };
        next = last.seq.next();
        for record in &page {
            let timed = journal::apply(&mut stored, record, texts.as_ref())
                .with_context(|| format!("hero {hero} does not fold"))?;
            let line = line(record, &timed)?;
            events.push(line);
        }
    }
    let streams: Vec<_> =
        stored.streams.iter().map(|(id, seq)| json!({"stream_id": id, "cmd_seq": seq})).collect();
    let view = convert::hero_view(&stored.hero, &hero.to_string(), catalogue, stored.hero.latest_ms);
    let document = json!({
        "hero_id": hero.to_string(),
        "last_seq": next.0 - 1,
        "hero": view,
        "streams": streams,
        "events": events,
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)?;
    Ok(())
}
