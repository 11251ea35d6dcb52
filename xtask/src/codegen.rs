//! `codegen`: what the protocol crate writes itself: TypeScript types, golden frames, the tables of docs/protocol.md.

use anyhow::{Context, Result};

use crate::process::cargo;
use crate::step::{Output, Reporter, Steps};
use crate::workspace::Workspace;

/// Where they go; committed, so that the web client builds without Rust.
pub(crate) const GENERATED_FILES: &str = "web/sdk/src/protocol.gen.ts, protocol/golden and docs/protocol.md";

pub(crate) fn run(workspace: &Workspace, check: bool) -> Result<()> {
    let mut steps = Steps::new(1, Output::Brief);
    let name = if check { "protocol types are up to date" } else { "protocol types" };
    steps.must(name, |reporter| if check { verify(workspace, reporter) } else { write(workspace, reporter) })
}

fn write(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    reporter.run(generator(workspace).env("UPDATE", "1"))?;
    reporter.say(&format!("wrote {GENERATED_FILES}"));
    Ok(())
}

/// Fails when a committed file differs from what the Rust types say.
pub(crate) fn verify(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    reporter.run(generator(workspace).env_remove("UPDATE")).with_context(|| {
        format!("{GENERATED_FILES} are not up to date: run `cargo xtask codegen` and commit them")
    })
}

/// The protocol crate's own tests compare its types with the files, and write the files when `UPDATE` is set.
fn generator(workspace: &Workspace) -> std::process::Command {
    cargo(workspace, &["test", "--quiet", "--package", "protocol", "--package", "admin-http"])
}
