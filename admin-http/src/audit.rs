//! The audit log: who did what to whom, and why, written before it is done.
//!
//! Each row's hash is keyed and goes over the row and the hash of the one before; a head, sealed with the same key, says
//! where the log ends. So nobody without the key can change, remove, move or cut off a row unseen, not even with the
//! whole database in hand. What remains is to put an old copy of all of it back: the server's own log names every row's
//! place and hash, and [`verify`] takes one of them as what must be there. Nothing here is ever updated: what came of a row
//! is a row of its own.

use std::sync::{Arc, Mutex, PoisonError};

use ring::hmac::{self, HMAC_SHA256};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::operations::Refused;
use crate::records::{AuditHead, AuditRecord, Records};
use crate::views::{AuditRow, AuditVerdict, Role};

/// Longest details of a row, in bytes of JSON.
pub(crate) const DETAILS_BYTES_MAX: usize = 4 * 1024;
/// Longest outcome, in characters.
const OUTCOME_CHARS_MAX: usize = 300;
/// Longest subject, in characters.
const SUBJECT_CHARS_MAX: usize = 200;
/// Tries of one row while other servers append theirs: each try that fails is another's that got through.
const TRIES_MAX: u32 = 32;
/// Rows that are read at a time.
const PAGE_ROWS: u32 = 500;

/// What is to be a row.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) operator: String,
    pub(crate) role: Option<Role>,
    pub(crate) action: &'static str,
    pub(crate) subject: String,
    pub(crate) reason: String,
    pub(crate) details: Value,
    pub(crate) outcome: Option<(u64, String)>,
}

/// The log of one database, as one server writes it.
pub(crate) struct Log {
    records: Arc<dyn Records>,
    /// One row at a time from this server; the others' are met by comparing and swapping.
    turn: Semaphore,
    /// The last end that this server saw: a log that is shorter was tampered with.
    seen: Mutex<Option<AuditHead>>,
}

impl Log {
    pub(crate) fn new(records: Arc<dyn Records>) -> Self {
        Self { records, turn: Semaphore::new(1), seen: Mutex::default() }
    }

    /// Writes a row; its place. When this fails, what it was to tell must not happen.
    pub(crate) async fn append(&self, entry: Entry) -> Result<u64, Refused> {
        let _turn = self.turn.acquire().await.expect("it is never closed");
        let records = &*self.records;
        let keys = records.audit_keys();
        let mut row = row_of(entry, records)?;
        let mut unsure: Option<AuditHead> = None;
        for _ in 0..TRIES_MAX {
            let before = records.audit_head().await?;
            if let Some(mine) = unsure.take()
                && is_stored(records, mine).await?
            {
                return Ok(self.saw(mine));
            }
            self.check_end(&keys, before).await?;
            let head = chain(&keys, before, &mut row);
            match records.append_audit(before, row.clone(), head).await {
                Ok(true) => return Ok(self.saw(head)),
                Ok(false) => {}
                Err(Refused::Unsure) => unsure = Some(head),
                Err(refused) => return Err(refused),
            }
        }
        Err(Refused::Busy)
    }

    fn saw(&self, head: AuditHead) -> u64 {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
        head.seq
    }

    /// Nothing is chained to an end that is not ours, or that was further once.
    async fn check_end(&self, keys: &[[u8; 32]], head: Option<AuditHead>) -> Result<(), Refused> {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = match head {
            Some(head) => {
                is_sealed(keys, &head) && seen.is_none_or(|seen| head.seq > seen.seq || head == seen)
            }
            None => seen.is_none() && self.records.audit_after(0, 1).await?.is_empty(),
        };
        if is_good {
            return Ok(());
        }
        let what = "the audit log is damaged: its end is not the one that was written. Nothing is done before somebody \
                    has looked: dopamine-hero audit verify";
        Err(Refused::Conflict(what.into()))
    }
}

async fn is_stored(records: &dyn Records, mine: AuditHead) -> Result<bool, Refused> {
    let found = records.audit_after(mine.seq - 1, 1).await?;
    Ok(found.first().is_some_and(|row| row.seq == mine.seq && row.hash == mine.hash))
}

fn row_of(entry: Entry, records: &dyn Records) -> Result<AuditRecord, Refused> {
    let details = if entry.details.is_null() { String::new() } else { entry.details.to_string() };
    if details.len() > DETAILS_BYTES_MAX {
        return Err(Refused::Invalid("what is to be done is too long to be noted".into()));
    }
    let mut nonce = [0; 16];
    records.fill_random(&mut nonce);
    let cut = |text: &str, chars_max: usize| text.chars().take(chars_max).collect::<String>();
    Ok(AuditRecord {
        seq: 0,
        at_ms: records.now_ms(),
        nonce,
        operator: entry.operator,
        role: entry.role.map_or("", Role::as_str).to_owned(),
        action: entry.action.to_owned(),
        subject: cut(&entry.subject, SUBJECT_CHARS_MAX),
        reason: entry.reason,
        details,
        outcome_of: entry.outcome.as_ref().map(|(of, _)| *of),
        outcome: entry.outcome.map(|(_, outcome)| cut(&outcome, OUTCOME_CHARS_MAX)),
        hash: [0; 32],
    })
}

/// Puts a row behind the end; the new end.
fn chain(keys: &[[u8; 32]], before: Option<AuditHead>, row: &mut AuditRecord) -> AuditHead {
    let key = keys.first().expect("there is always a key");
    let (seq, previous) = before.map_or((0, [0; 32]), |head| (head.seq, head.hash));
    row.seq = seq + 1;
    row.hash = hash(key, &previous, row);
    let seal = sign(key, &head_bytes(row.seq, &row.hash));
    AuditHead { seq: row.seq, hash: row.hash, seal }
}

fn sign(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(HMAC_SHA256, key), message);
    *tag.as_ref().first_chunk().expect("HMAC-SHA-256 has 32 bytes")
}

fn head_bytes(seq: u64, hash: &[u8; 32]) -> Vec<u8> {
    [&b"head"[..], &seq.to_be_bytes(), hash].concat()
}

fn is_sealed(keys: &[[u8; 32]], head: &AuditHead) -> bool {
    keys.iter().any(|key| sign(key, &head_bytes(head.seq, &head.hash)) == head.seal)
}

/// Every field with its length before it, so that no two rows have the same bytes.
fn hash(key: &[u8; 32], previous: &[u8; 32], row: &AuditRecord) -> [u8; 32] {
    let outcome_of = row.outcome_of.map(|seq| seq.to_string());
    let fields: [&[u8]; 12] = [
        previous,
        &row.seq.to_be_bytes(),
        &row.at_ms.to_be_bytes(),
        &row.nonce,
        row.operator.as_bytes(),
        row.role.as_bytes(),
        row.action.as_bytes(),
        row.subject.as_bytes(),
        row.reason.as_bytes(),
        row.details.as_bytes(),
        outcome_of.as_deref().unwrap_or_default().as_bytes(),
        row.outcome.as_deref().unwrap_or_default().as_bytes(),
    ];
    let mut message = b"row".to_vec();
    for field in fields {
        let length = u64::try_from(field.len()).expect("a field is small");
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(field);
    }
    sign(key, &message)
}

/// As the panel shows it.
pub(crate) fn view(row: AuditRecord, outcome: Option<String>) -> AuditRow {
    AuditRow {
        seq: row.seq,
        at_ms: row.at_ms,
        operator: row.operator,
        role: Role::parse(&row.role),
        action: row.action,
        subject: row.subject,
        reason: row.reason,
        details: serde_json::from_str(&row.details).unwrap_or(Value::Null),
        outcome,
        hash: crate::digest::hex(&row.hash),
    }
}

/// Reads the whole log, also beside running servers, and says the first thing that does not fit; nothing once more than
/// `rows_max` were read. `expect` is a row that must be there: its place and hash, as a line of the server's log says.
///
/// # Errors
/// Those of a database that is away.
pub async fn verify(
    records: &dyn Records,
    expect: Option<(u64, [u8; 32])>,
    rows_max: u64,
) -> Result<Option<AuditVerdict>, Refused> {
    let keys = records.audit_keys();
    let mut reading = Reading { seq: 0, hash: [0; 32] };
    let damaged = |reading: &Reading, problem: String| {
        Ok(Some(AuditVerdict { is_whole: false, rows: reading.seq, problem: Some(problem) }))
    };
    loop {
        // The end is read first: whatever it counts must then be there, however many rows come meanwhile.
        let head = records.audit_head().await?;
        loop {
            let page = records.audit_after(reading.seq, PAGE_ROWS).await?;
            if page.is_empty() {
                break;
            }
            for row in &page {
                if let Err(problem) = reading.take(&keys, row, expect) {
                    return damaged(&reading, problem);
                }
            }
            if reading.seq > rows_max {
                return Ok(None);
            }
        }
        let seq = reading.seq;
        let after = records.audit_head().await?;
        match after {
            None if seq == 0 && head.is_none() => break,
            None => return damaged(&reading, "the end of the log is missing".into()),
            Some(after) if !is_sealed(&keys, &after) => {
                return damaged(&reading, "the end of the log was not written by this server".into());
            }
            Some(after) if after.seq == seq && after.hash == reading.hash => break,
            // More rows came between the last page and the end: read on.
            Some(after) if after.seq > seq && !records.audit_after(seq, 1).await?.is_empty() => {}
            Some(after) if after.seq > seq => {
                return damaged(&reading, format!("rows {} to {} were cut off", seq + 1, after.seq));
            }
            Some(after) => {
                return damaged(
                    &reading,
                    format!("the log's end says row {}, its last row is another", after.seq),
                );
            }
        }
    }
    if let Some((seq, _)) = expect.filter(|(seq, _)| *seq > reading.seq) {
        return damaged(&reading, format!("row {seq} is missing: this is an older copy of the log"));
    }
    if reading.seq == 0 && !records.operators().await?.is_empty() {
        return damaged(&reading, "the log is empty, although there are operators".into());
    }
    Ok(Some(AuditVerdict { is_whole: true, rows: reading.seq, problem: None }))
}

/// How far the log was read.
struct Reading {
    seq: u64,
    hash: [u8; 32],
}

impl Reading {
    fn take(
        &mut self,
        keys: &[[u8; 32]],
        row: &AuditRecord,
        expect: Option<(u64, [u8; 32])>,
    ) -> Result<(), String> {
        let wanted = self.seq + 1;
        if row.seq != wanted {
            return Err(format!("row {wanted} is missing"));
        }
        if !keys.iter().any(|key| hash(key, &self.hash, row) == row.hash) {
            return Err(format!("row {wanted} was changed, or does not follow from the one before"));
        }
        if expect.is_some_and(|(seq, hash)| seq == wanted && hash != row.hash) {
            return Err(format!("row {wanted} is another one than expected"));
        }
        *self = Reading { seq: wanted, hash: row.hash };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
