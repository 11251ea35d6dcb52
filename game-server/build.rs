//! Embeds the web client anew when it was built anew.

fn main() {
    // Debug builds read the files from disk at run time. In a release build the files are inside, so it must follow them;
    // watching a folder that does not exist yet would rebuild the server every time.
    let is_release = std::env::var_os("PROFILE").is_some_and(|profile| profile != "debug");
    println!("cargo:rerun-if-changed={}", if is_release { "../web/player/dist" } else { "build.rs" });
}
