mod pictures;
mod samples;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use image::ImageFormat;
use object_store::ObjectStoreExt;
use persistence::AccountId;
use test_servers::S3;
use uuid::Uuid;

use super::{AvatarFailed, AvatarKey, Avatars, CHANGES_MAX, NoKey, PNG_SIGNATURE, Unfit};
use crate::config::{AvatarPlace, Bucket, SecretText};
use samples::small;

fn account(number: u128) -> AccountId {
    AccountId(Uuid::from_u128(number))
}

fn avatars(place: &AvatarPlace) -> Avatars {
    Avatars::open(place).expect("the place is there")
}

fn sent() -> Bytes {
    small(ImageFormat::Jpeg).into()
}

/// A folder that is gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("dopamine-hero-avatars-{}-{number}", std::process::id());
        Folder(std::env::temp_dir().join(name))
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                if entry.path().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
            }
        }
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone_already = std::fs::remove_dir_all(&self.0);
    }
}

fn bucket(server: &S3, secret: &str) -> AvatarPlace {
    // Every client of HTTP needs it, as in main.rs. It fails only when another test was first.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    AvatarPlace::Bucket(Bucket {
        name: server.bucket().to_owned(),
        endpoint: Some(server.url()),
        region: "us-east-1".to_owned(),
        access_key_id: server.key().0.to_owned(),
        secret_access_key: SecretText::new(secret.to_owned()),
    })
}

/// What holds of every place.
async fn check_place(avatars: &Avatars) {
    let first = avatars.begin(account(1)).expect("room").keep(sent()).await.expect("kept");
    let png = avatars.get(&first).await.expect("an answer").expect("it is there");
    assert!(png.starts_with(&PNG_SIGNATURE));

    let change = avatars.begin(account(1)).expect("room");
    let second = change.keep(small(ImageFormat::Png).into()).await.expect("kept");
    assert_ne!(first, second, "another picture has another name");
    assert!(
        avatars.get(&first).await.expect("an answer").is_some(),
        "the old one is there until the new one is in force"
    );
    change.forget(&first).await;
    change.forget(&first).await;
    drop(change);
    assert_eq!(avatars.get(&first).await, Ok(None));
    assert!(avatars.get(&second).await.expect("an answer").is_some());

    let other = avatars.begin(account(2)).expect("room").keep(sent()).await.expect("kept");
    for _ in 0..3 {
        avatars.begin(account(1)).expect("room").keep(sent()).await.expect("kept");
    }
    avatars.erase(account(1)).await.expect("an answer");
    avatars.erase(account(1)).await.expect("an answer");
    assert_eq!(avatars.get(&second).await, Ok(None), "also what nobody remembers");
    assert!(avatars.get(&other).await.expect("an answer").is_some(), "somebody else's stays");
    let unfit = avatars.begin(account(1)).expect("room").keep(Bytes::from_static(b"<svg/>")).await;
    assert_eq!(unfit, Err(AvatarFailed::Unfit(Unfit::Kind)));
}

/// What was put there behind our back is not handed out.
async fn check_strange_objects(avatars: &Avatars) {
    let key = AvatarKey::new(account(3));
    let place = avatars.place.as_ref().expect("a place");
    for strange in
        [b"<!doctype html><script>alert(1)</script>".to_vec(), b"\x89PNG\r\n\x1a\n".repeat(200_000)]
    {
        place.put(&key.path(), strange.into()).await.expect("put");
        assert_eq!(avatars.get(&key).await, Ok(None));
    }
}

#[tokio::test]
async fn pictures_are_kept_in_memory() {
    let avatars = avatars(&AvatarPlace::Memory);
    check_place(&avatars).await;
    check_strange_objects(&avatars).await;
}

#[tokio::test]
async fn pictures_are_kept_in_a_folder() {
    let folder = Folder::new();
    let place = AvatarPlace::Folder(folder.0.join("made/if/missing"));
    let first = avatars(&place);
    check_place(&first).await;
    check_strange_objects(&first).await;
    assert_eq!(folder.files().len(), 2, "account 2's and the strange one: {:?}", folder.files());
    let key = first.begin(account(4)).expect("room").keep(sent()).await.expect("kept");
    drop(first);
    let again = avatars(&place);
    assert!(again.get(&key).await.expect("an answer").is_some(), "a restart finds it");
    for account in [account(2), account(3), account(4)] {
        again.erase(account).await.expect("an answer");
    }
    assert_eq!(folder.files(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told() {
    let folder = Folder::new();
    std::fs::write(&folder.0, "a file").expect("written");
    let failed = Avatars::open(&AvatarPlace::Folder(folder.0.join("below"))).expect_err("it is a file");
    assert!(failed.to_string().contains("AVATAR_DIR"), "{failed}");
    std::fs::remove_file(&folder.0).expect("our own file");
}

#[tokio::test]
async fn pictures_are_kept_in_a_bucket() {
    let mut server = S3::start();
    let secret = server.key().1.to_owned();
    let avatars = avatars(&bucket(&server, &secret));
    check_place(&avatars).await;
    check_strange_objects(&avatars).await;
    let key = avatars.begin(account(5)).expect("room").keep(sent()).await.expect("kept");
    let log = server.log();
    let stored = format!("PUT /{}/avatars/{}", server.bucket(), key.path());
    assert!(log.contains(&stored), "{stored} is missing in:\n{log}");
    assert!(log.contains("DELETE /"), "{log}");

    server.kill();
    assert_eq!(avatars.get(&key).await, Err(AvatarFailed::Away));
    let change = avatars.begin(account(5)).expect("room");
    assert_eq!(change.keep(sent()).await, Err(AvatarFailed::Away));
    change.forget(&key).await;
    assert_eq!(avatars.erase(account(5)).await, Err(AvatarFailed::Away));
}

#[tokio::test]
async fn a_bucket_believes_nobody_with_a_wrong_secret() {
    let server = S3::start();
    let secret = server.key().1.to_owned();
    let right = avatars(&bucket(&server, &secret));
    let key = right.begin(account(1)).expect("room").keep(sent()).await.expect("kept");
    let wrong = avatars(&bucket(&server, &secret.chars().rev().collect::<String>()));
    assert_eq!(wrong.begin(account(1)).expect("room").keep(sent()).await, Err(AvatarFailed::Away));
    assert_eq!(wrong.get(&key).await, Err(AvatarFailed::Away));
    assert_eq!(wrong.erase(account(1)).await, Err(AvatarFailed::Away));
    assert!(right.get(&key).await.expect("an answer").is_some());
    assert!(server.log().contains("\" 403 "), "{}", server.log());
    let shown = format!("{right:?} {:?}", bucket(&server, &secret));
    assert!(!shown.contains(&secret), "{shown}");
}

#[tokio::test]
async fn without_a_place_nobody_has_a_picture() {
    let avatars = avatars(&AvatarPlace::Nowhere);
    assert_eq!(avatars.begin(account(1)).expect_err("no place"), AvatarFailed::NotConfigured);
    assert_eq!(avatars.get(&AvatarKey::new(account(1))).await, Ok(None));
    assert_eq!(avatars.erase(account(1)).await, Ok(()));
}

#[tokio::test]
async fn an_account_changes_its_picture_once_at_a_time_and_few_do_at_once() {
    let avatars = avatars(&AvatarPlace::Memory);
    let change = avatars.begin(account(1)).expect("room");
    assert_eq!(avatars.begin(account(1)).expect_err("it is being changed"), AvatarFailed::Busy);
    assert_eq!(avatars.changes.available_permits(), CHANGES_MAX - 1, "a refusal takes no room");
    drop(change);
    let changes: Vec<_> =
        (0..CHANGES_MAX as u128).map(|number| avatars.begin(account(number)).expect("room")).collect();
    assert_eq!(avatars.begin(account(99)).expect_err("full"), AvatarFailed::Busy);
    drop(changes);
    assert!(avatars.begin(account(99)).is_ok());
    assert!(avatars.changing.lock().expect("nobody panicked").is_empty());
}

#[test]
fn a_key_is_what_we_print_and_nothing_else() {
    let key = AvatarKey::new(account(1));
    let text = key.to_string();
    assert_eq!(text.len(), 65);
    assert_eq!(text.parse(), Ok(key.clone()));
    assert_eq!(AvatarKey::new(account(1)).owner, key.owner);
    assert_ne!(AvatarKey::new(account(2)).owner, key.owner);
    assert!(!text.contains(&account(1).0.simple().to_string()));
    let half = "0".repeat(32);
    for wrong in [
        "".to_owned(),
        "-".to_owned(),
        half.clone(),
        format!("{half}-"),
        format!("{half}-{half}-"),
        format!("{half}-{half}.png"),
        format!("{half}/{half}"),
        format!("{half}-{}", "0".repeat(31)),
        format!("{half}-{}", "0".repeat(33)),
        format!("{half}-{}", "A".repeat(32)),
        format!("{half}-{}", "../".repeat(11)),
        format!("{}-{half}", "%2e%2e%2f".repeat(4)),
        format!("..-{half}"),
        format!("{half}-{}", "\0".repeat(32)),
        format!("{half}-{}", "０".repeat(32)),
    ] {
        assert_eq!(wrong.parse::<AvatarKey>(), Err(NoKey), "{wrong:?}");
    }
}
