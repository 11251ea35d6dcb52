//! The writer over SQLite, in real time: the two together, and nothing of a run that was cut off.

use std::sync::Arc;

use persistence::{Drained, JournalStore, JournalWriter, Seq, SqliteStore, Ticket, WriterConfig, scan};

use crate::folder::Folder;
use crate::history::{Owner, hero};

const HEROES: u128 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_in_the_file() {
    for is_cut in [false, true] {
        let folder = Folder::new();
        let store = SqliteStore::open(&folder.file()).await.unwrap();
        let (journal, task) = JournalWriter::start(Arc::new(store.clone()), WriterConfig::quiet(1));
        let mut subscription = journal.subscribe();
        let mut owners = Vec::new();
        for number in 0..HEROES {
            owners.push(Owner::claim(&store, hero(number)).await);
        }
        let mut promised = vec![(Ticket(0), Seq(0)); owners.len()];
        let mut last = Ticket(0);
        for round in 1..=30 {
            for (owner, promise) in owners.iter_mut().zip(&mut promised) {
                let permit = journal.try_reserve(owner.hero, 2, 1_000).unwrap();
                let command = owner.command(1, round);
                last = journal.submit(permit, command);
                *promise = (last, owner.seq);
            }
            // The last round of a cut run is not waited for.
            while !(is_cut && round == 30) && subscription.take().1 < last {
                assert!(subscription.changed().await);
            }
            assert!(owners.iter().all(|owner| journal.snapshot(owner.snapshot("state"))));
        }
        let watermark = if is_cut {
            task.abort();
            subscription.take().1
        } else {
            assert_eq!(journal.drain(std::time::Duration::from_secs(60)).await, Drained::Clean);
            last
        };
        store.close().await;
        let store = SqliteStore::open(&folder.file()).await.unwrap();
        for (owner, (ticket, seq)) in owners.iter().zip(promised) {
            let stored = store.events(owner.hero, Seq(1), 1_000).await.unwrap();
            assert_eq!(owner.made.get(..stored.len()), Some(&stored[..]));
            assert!(ticket > watermark || stored.len() as u64 == seq.0);
            assert!(stored.len() >= 58, "29 rounds were acknowledged");
            let scanned = scan::scan(&store, owner.hero, &mut |_| Ok(())).await.unwrap().unwrap();
            assert_eq!(scanned.findings, []);
            assert_eq!(scanned.snapshots_count, 3);
        }
    }
}
