//! Embeds the web client anew when it was built anew, and notes which compiler it was.

use std::{env, fs, path::Path, process::Command};

/// Where `cargo xtask build web` puts the web client.
const DIST: &str = "../web/player/dist";

fn main() {
    // A folder that is missing while the server compiles would count as an empty web client for ever: debug builds look
    // into it at run time, but only if it was there.
    if !Path::new(DIST).exists() {
        fs::create_dir_all(DIST).expect("the checkout can be written");
    }
    // In a release build the files are inside, so it must follow them.
    let is_release = env::var_os("PROFILE").is_some_and(|profile| profile != "debug");
    println!("cargo:rerun-if-changed={}", if is_release { DIST } else { "build.rs" });
    println!("cargo:rustc-env=RUSTC_VERSION={}", compiler());
}

/// What the compiler says of itself, for whoever asks a server what made it.
fn compiler() -> String {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(compiler).arg("--version").output().expect("the compiler that builds this runs");
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}
