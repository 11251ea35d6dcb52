//! `codegen`: the TypeScript types of the protocol, written by the protocol crate itself.

use anyhow::{Context, Result};

use crate::process::cargo;
use crate::step::{Output, Reporter, Steps};
use crate::workspace::Workspace;

/// Where the types go; committed, so that the web client builds without Rust.
pub(crate) const GENERATED_FILE: &str = "web/sdk/src/protocol.gen.ts";

pub(crate) fn run(workspace: &Workspace, check: bool) -> Result<()> {
    let mut steps = Steps::new(1, Output::Brief);
    let name = if check { "protocol types are up to date" } else { "protocol types" };
    steps.must(name, |reporter| if check { verify(workspace, reporter) } else { write(workspace, reporter) })
}

fn write(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    reporter.run(generator(workspace).env("UPDATE", "1"))?;
    reporter.say(&format!("wrote {GENERATED_FILE}"));
    Ok(())
}

/// Fails when the committed file differs from what the Rust types say.
pub(crate) fn verify(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    reporter.run(generator(workspace).env_remove("UPDATE")).with_context(|| {
        format!("{GENERATED_FILE} is not up to date: run `cargo xtask codegen` and commit it")
    })
}

/// The protocol crate's own test compares its types with the file, and writes the file when `UPDATE` is set.
fn generator(workspace: &Workspace) -> std::process::Command {
    cargo(workspace, &["test", "--quiet", "--package", "protocol", "--lib", "typescript"])
}
