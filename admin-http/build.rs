//! Embeds the operators' panel anew when it was built anew.

use std::{env, fs, path::Path};

/// Where `cargo xtask build web` puts the panel.
const DIST: &str = "../web/admin/dist";

fn main() {
    // A folder that is missing while this compiles would count as an empty panel for ever: debug builds look into it at
    // run time, but only if it was there.
    if !Path::new(DIST).exists() {
        fs::create_dir_all(DIST).expect("the checkout can be written");
    }
    // In a release build the files are inside, so it must follow them.
    let is_release = env::var_os("PROFILE").is_some_and(|profile| profile != "debug");
    println!("cargo:rerun-if-changed={}", if is_release { DIST } else { "build.rs" });
}
