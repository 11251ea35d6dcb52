//! Owns what operators publish for every server of a database: which catalogue is in force, and what players are told. It
//! asks the database every two seconds, and at once when somebody here has changed it, so that all servers follow without
//! speaking to each other.
//!
//! It never touches a hero: shards take what is posted between two ticks. A version that this program cannot read is not
//! taken over; the server goes on with the numbers it has, and the log says so.
//!
//! ```text
//! store ◀─published, text─ ┌────────────┐ ─posted▶ board (read by whoever needs the numbers)
//! operations ─follow now─▶ │ follow     │ ─posted▶ shards
//! timer ─────────2 s─────▶ └────────────┘
//! ```

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use persistence::{CatalogueKept, CatalogueStore, InForce, NewCatalogue, Published, StoreError};
use protocol::server::Notice;
use simulation::catalogue::{Catalogue, CatalogueErrors};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::http::CatalogueJson;
use crate::node::Node;

/// How often the database is asked: a change is everywhere within 5 s, also when one look fails.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long one look may take.
const LOOK_WITHIN: Duration = Duration::from_secs(5);
/// Operators who wait for a change to be taken over. Full: they wait for room.
const NUDGES_MAX: usize = 16;
/// How long whoever has changed something waits until it is taken over here.
const FOLLOW_WITHIN: Duration = Duration::from_secs(10);

/// Why what is published cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum PublishedFailed {
    /// The database cannot be asked.
    #[error("cannot ask the store which catalogue is in force")]
    Store(#[from] StoreError),
    /// Its text is gone.
    #[error("catalogue version {0} is in force and its text is not in the store: restore it from a backup")]
    Missing(u32),
    /// This program cannot read it.
    #[error(
        "catalogue version {version} is in force and this program cannot read it: put one in force that both programs \
         can read before the upgrade, or start with the built-in one: dopamine-hero use-builtin-catalogue"
    )]
    Unreadable {
        /// Which.
        version: u32,
        /// What is wrong with it.
        source: CatalogueErrors,
    },
    /// Nobody follows, or not in time.
    #[error("it is published, and not taken over here yet")]
    Late,
}

/// What is in force on this server.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The numbers.
    pub catalogue: Arc<Catalogue>,
    /// As players get them.
    pub json: CatalogueJson,
    /// What players are told, until it is over.
    pub notice: Option<Notice>,
    /// As the store says it; nothing while the numbers are those inside the program.
    pub in_force: Option<InForce>,
}

impl Posted {
    /// The numbers inside the program, and no words.
    #[must_use]
    pub fn builtin() -> Posted {
        Posted::of(Catalogue::builtin())
    }

    fn of(catalogue: Catalogue) -> Posted {
        let json = serde_json::to_vec(&catalogue).expect("a catalogue is maps, lists, texts and numbers");
        let json = CatalogueJson::new(json);
        Posted { catalogue: Arc::new(catalogue), json, notice: None, in_force: None }
    }

    /// What a store publishes.
    ///
    /// # Errors
    /// [`PublishedFailed`].
    pub async fn read(store: &dyn CatalogueStore) -> Result<Posted, PublishedFailed> {
        let published = store.published().await?;
        Posted::builtin().follow(published, store).await
    }

    /// This, as far as it is still so, and what is new.
    async fn follow(
        &self,
        Published { in_force, banner }: Published,
        store: &dyn CatalogueStore,
    ) -> Result<Posted, PublishedFailed> {
        let version = |in_force: Option<InForce>| in_force.map(|in_force| in_force.version);
        let mut posted = match in_force.map(|in_force| in_force.version) {
            // A version's text never changes.
            same if same == version(self.in_force) => self.clone(),
            None => Posted::builtin(),
            Some(version) => Posted::of(read_version(store, version).await?),
        };
        posted.in_force = in_force;
        posted.notice = banner.map(|banner| Notice { text: banner.text, until_ms: banner.until_ms });
        Ok(posted)
    }
}

/// The catalogue in force in a store, for tools.
///
/// # Errors
/// [`PublishedFailed`].
pub async fn catalogue_in_force(store: &dyn CatalogueStore) -> Result<Arc<Catalogue>, PublishedFailed> {
    Ok(Posted::read(store).await?.catalogue)
}

/// As whose version the one inside the program is kept.
pub const BUILTIN_BY: &str = "the program";

/// Keeps the version inside this program, so that it can be put in force.
///
/// # Errors
/// Those of the store.
pub async fn keep_builtin(store: &dyn CatalogueStore, at_ms: i64) -> Result<CatalogueKept, StoreError> {
    let text = Catalogue::BUILTIN_TEXT.to_owned();
    let version = Catalogue::builtin().version;
    store.keep_catalogue(NewCatalogue { version, text, at_ms, by: BUILTIN_BY.to_owned() }).await
}

/// Puts the version inside this program in force; says which it is.
///
/// # Errors
/// A store that cannot be written; a number that belongs to another text; somebody else's switch at the same time.
pub async fn use_builtin(store: &dyn CatalogueStore, now_ms: i64) -> anyhow::Result<u32> {
    let version = Catalogue::builtin().version;
    let seen = store.published().await?.in_force.map(|in_force| in_force.version);
    match keep_builtin(store, now_ms).await? {
        CatalogueKept::New | CatalogueKept::Same => {}
        CatalogueKept::Taken => anyhow::bail!(
            "version {version} in the store has another text than the one inside this program: upload this program's \
             catalogue under a new number"
        ),
        CatalogueKept::Full => {
            anyhow::bail!("the store keeps as many versions as it can: delete rows of the table catalogue")
        }
    }
    if seen != Some(version) {
        let next = InForce { version, since_ms: now_ms };
        anyhow::ensure!(store.put_in_force(seen, next).await?, "somebody else has just switched; try again");
    }
    Ok(version)
}

async fn read_version(store: &dyn CatalogueStore, version: u32) -> Result<Catalogue, PublishedFailed> {
    let text = store.catalogue_text(version).await?.ok_or(PublishedFailed::Missing(version))?;
    Catalogue::parse(&text).map_err(|source| PublishedFailed::Unreadable { version, source })
}

/// Somebody who waits until this server has looked.
type Nudge = oneshot::Sender<Result<(), PublishedFailed>>;

/// What is posted, and how to have it looked at again.
#[derive(Debug)]
pub struct Board {
    posted: watch::Sender<Arc<Posted>>,
    nudges: mpsc::Sender<Nudge>,
    inbox: Mutex<Option<mpsc::Receiver<Nudge>>>,
}

impl Default for Board {
    fn default() -> Self {
        let (nudges, inbox) = mpsc::channel(NUDGES_MAX);
        let posted = watch::Sender::new(Arc::new(Posted::builtin()));
        Self { posted, nudges, inbox: Mutex::new(Some(inbox)) }
    }
}

impl Board {
    /// What is posted now.
    #[must_use]
    pub fn posted(&self) -> Arc<Posted> {
        Arc::clone(&self.posted.borrow())
    }

    pub(crate) fn post(&self, posted: Arc<Posted>) {
        self.posted.send_replace(posted);
    }

    /// Looks at once, and waits until this server follows.
    ///
    /// # Errors
    /// [`PublishedFailed`]: why it does not, or not yet.
    pub async fn follow_now(&self) -> Result<(), PublishedFailed> {
        let (nudge, followed) = oneshot::channel();
        let asked = async {
            self.nudges.send(nudge).await.map_err(|_| PublishedFailed::Late)?;
            followed.await.unwrap_or(Err(PublishedFailed::Late))
        };
        timeout(FOLLOW_WITHIN, asked).await.unwrap_or(Err(PublishedFailed::Late))
    }
}

/// Follows the store until the task is aborted.
///
/// # Panics
/// When it is started twice for one node.
pub fn follow(node: Arc<Node>, store: Arc<dyn CatalogueStore>) -> JoinHandle<()> {
    let inbox = node.board.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
    let inbox = inbox.expect("a node follows once");
    let follower = Follower { node, store, complained: false };
    tokio::spawn(follower.run(inbox))
}

struct Follower {
    node: Arc<Node>,
    store: Arc<dyn CatalogueStore>,
    /// What goes wrong is said once, not every two seconds.
    complained: bool,
}

impl Follower {
    async fn run(mut self, mut inbox: mpsc::Receiver<Nudge>) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Some(nudge) = inbox.recv() => {
                    // Whoever asked may have given up.
                    let _gone = nudge.send(self.look().await);
                }
                _ = looks.tick() => {
                    let looked = self.look().await;
                    self.complain(looked.err());
                }
            }
        }
    }

    async fn look(&self) -> Result<(), PublishedFailed> {
        let looking = async {
            let published = self.store.published().await?;
            let before = self.node.board.posted();
            let posted = before.follow(published, &*self.store).await?;
            if posted.in_force == before.in_force && posted.notice == before.notice {
                return Ok(());
            }
            let (from, to) = (before.catalogue.version, posted.catalogue.version);
            tracing::info!(
                from,
                to,
                has_notice = posted.notice.is_some(),
                "follows what operators published"
            );
            self.node.post(posted).await;
            Ok(())
        };
        timeout(LOOK_WITHIN, looking).await.unwrap_or(Err(PublishedFailed::Late))
    }

    fn complain(&mut self, error: Option<PublishedFailed>) {
        match error {
            // The journal says what is wrong with the store.
            None | Some(PublishedFailed::Store(_) | PublishedFailed::Late) => self.complained = false,
            Some(_) if self.complained => {}
            Some(error) => {
                self.complained = true;
                tracing::error!(error = &error as &dyn std::error::Error, "goes on with the numbers it has");
            }
        }
    }
}
