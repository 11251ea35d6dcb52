//! Tools about the operators of the panel.

use std::io::Write;
use std::sync::Arc;

use admin_http::audit;
use admin_http::views::Role;
use anyhow::{Context, bail};
use data_encoding::HEXLOWER;

use crate::accounts::{Accounts, Keys, Passwords};
use crate::clock::Clock;
use crate::config::Config;
use crate::operations::records::NodeRecords;
use crate::store::OpenStore;

/// Invites somebody to the panel. The token alone goes to `out`, so that a script can take it; what to do with it goes to
/// standard error.
///
/// # Errors
/// A name that is none, a store that cannot be written.
pub async fn invite(
    config: &Config,
    name: &str,
    role: Role,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let store = OpenStore::open_beside(&config.database).await?;
    let invited = async {
        let records = records(config, &store)?;
        let stores = store.stores();
        let keys = Keys::open(config, &stores.seal_key)?;
        // With another secret than the server's, the audit log would not follow from what is there.
        Accounts::new(Arc::clone(&stores.accounts), keys, Clock::system()).check_secret().await?;
        anyhow::Ok(admin_http::invite(Arc::new(records), name, role).await?)
    };
    let invitation = invited.await;
    store.close().await;
    writeln!(out, "{}", invitation?.token)?;
    let origin = config.admin_origin.clone();
    let panel = origin.unwrap_or_else(|| format!("http://localhost:{}", config.admin_port));
    eprintln!("{name} ({}) enters this token at {panel} within 24 hours; it is good once.", role.as_str());
    Ok(())
}

/// Verifies the audit log; whether it is whole.
///
/// # Errors
/// A store that cannot be read, an expectation that is none.
pub async fn verify_audit(
    config: &Config,
    expect: Option<&str>,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<bool> {
    let expect = expect.map(expectation).transpose()?;
    let store = OpenStore::open_read_only(&config.database).await?;
    let records = records(config, &store)?;
    let verdict = audit::verify(&records, expect, u64::MAX).await;
    store.close().await;
    let Some(verdict) = verdict? else { bail!("the log is longer than numbers go") };
    match &verdict.problem {
        None => writeln!(out, "{} rows, all as they were written", verdict.rows)?,
        Some(problem) => writeln!(out, "DAMAGED after {} rows: {problem}", verdict.rows)?,
    }
    Ok(verdict.is_whole)
}

fn records(config: &Config, store: &OpenStore) -> anyhow::Result<NodeRecords> {
    let stores = store.stores();
    let keys = Keys::open(config, &stores.seal_key)?;
    Ok(NodeRecords::new(Arc::clone(&stores.operators), keys, Clock::system(), Passwords::default()))
}

/// A row as a line of the server's log names it.
fn expectation(text: &str) -> anyhow::Result<(u64, [u8; 32])> {
    let parse = || {
        let (seq, hash) = text.split_once(':')?;
        let hash = HEXLOWER.decode(hash.as_bytes()).ok()?;
        Some((seq.parse().ok()?, hash.try_into().ok()?))
    };
    parse().context("--expect takes SEQ:HASH, the audit_seq and audit_hash of a line of the server's log")
}

#[cfg(test)]
mod tests {
    use super::expectation;

    #[test]
    fn an_expectation_is_a_place_and_a_hash() {
        let hash = "ab".repeat(32);
        assert_eq!(expectation(&format!("7:{hash}")).expect("it is one"), (7, [0xab; 32]));
        for text in ["", "7", "7:", ":ab", "x:ab", "7:abcd", &format!("-1:{hash}"), &format!("7:{hash}00")] {
            assert!(expectation(text).is_err(), "{text}");
        }
    }
}
