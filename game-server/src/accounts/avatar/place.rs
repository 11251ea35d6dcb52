//! Where avatars are kept: a bucket of a store that speaks S3, a folder, or memory.

use std::fmt;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use crate::config::{AvatarPlace, Bucket};

/// In a bucket that may hold other things too.
const BUCKET_PREFIX: &str = "avatars";
/// Below the limit of a request, so that the client hears of it.
const CALL_WITHIN: Duration = Duration::from_secs(4);
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// One more try for a connection that had been closed; after that, the player is told.
const RETRIES_MAX: usize = 1;
const RETRY_WITHIN: Duration = Duration::from_secs(5);

/// Why avatars cannot be kept where the operator wants them.
#[derive(Debug, thiserror::Error)]
pub enum PlaceFailed {
    /// The folder.
    #[error(
        "cannot use the folder {folder} for avatars: make it writable, or set AVATAR_DIR or S3_BUCKET_NAME"
    )]
    Folder {
        /// Which.
        folder: String,
        /// Why.
        source: std::io::Error,
    },
    /// The bucket's settings.
    #[error("cannot use the bucket {bucket} for avatars: check the variables S3_ and AWS_")]
    Bucket {
        /// Which.
        bucket: String,
        /// Why.
        source: object_store::Error,
    },
}

/// Opens the place. A folder is made; a bucket is not asked before somebody needs it, so that a server starts without it.
pub(super) fn open(place: &AvatarPlace) -> Result<Option<Arc<dyn ObjectStore>>, PlaceFailed> {
    Ok(match place {
        AvatarPlace::Nowhere => None,
        AvatarPlace::Memory => Some(Arc::new(InMemory::new())),
        AvatarPlace::Folder(folder) => {
            let failed = |source| PlaceFailed::Folder { folder: folder.display().to_string(), source };
            fs::create_dir_all(folder).map_err(failed)?;
            let files = LocalFileSystem::new_with_prefix(folder)
                .map_err(|source| failed(std::io::Error::other(source)))?;
            Some(Arc::new(files.with_fsync(true).with_automatic_cleanup(true)))
        }
        AvatarPlace::Bucket(bucket) => Some(Arc::new(PrefixStore::new(client(bucket)?, BUCKET_PREFIX))),
    })
}

fn client(bucket: &Bucket) -> Result<impl ObjectStore, PlaceFailed> {
    let options = ClientOptions::new()
        .with_timeout(CALL_WITHIN)
        .with_connect_timeout(CONNECT_WITHIN)
        .with_allow_http(bucket.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://")));
    let retry = RetryConfig {
        max_retries: RETRIES_MAX,
        retry_timeout: RETRY_WITHIN,
        backoff: BackoffConfig::default(),
    };
    // Nothing is read from the environment here: the builder knows what the operator's variables said and no more.
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&bucket.name)
        .with_region(&bucket.region)
        .with_access_key_id(&bucket.access_key_id)
        .with_secret_access_key(bucket.secret_access_key.expose())
        // Some stores know no list of objects to delete, and ours are few.
        .with_disable_bulk_delete(true)
        .with_client_options(options)
        .with_retry(retry);
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    builder.build().map_err(|source| PlaceFailed::Bucket { bucket: bucket.name.clone(), source })
}

/// What went wrong, for a log: without the key's id and the signature, which some stores repeat in their answers.
pub(super) struct Brief<'a>(pub(super) &'a object_store::Error);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use object_store::Error as E;
        formatter.write_str(match self.0 {
            // A file system says what is wrong with it. A bucket repeats what was sent to it.
            E::Generic { store: "LocalFileSystem", source } => return source.fmt(formatter),
            E::NotFound { .. } => "not found; does the bucket exist?",
            E::Unauthenticated { .. } => "not authenticated; check the access key and the clock",
            E::PermissionDenied { .. } => "not permitted; check the key's rights",
            _ => "no answer as hoped",
        })
    }
}
