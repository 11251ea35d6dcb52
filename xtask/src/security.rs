//! `security`: what is proved of docs/security.md by programs rather than by tests.

mod measure;

use anyhow::{Result, ensure};
use clap::Args;

use crate::serve;
use crate::step::{Output, Reporter, Steps};
use crate::workspace::Workspace;

/// What `security` takes.
#[derive(Args)]
pub(crate) struct SecurityArguments {
    /// Which steps; all when none is named
    steps: Vec<String>,
    /// Few rounds: shows that it works, not how much it is
    #[arg(long)]
    quick: bool,
}

/// Something that was measured or counted.
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) seen: String,
}

type Step = (&'static str, fn(&Workspace, bool, &Reporter) -> Result<Vec<Figure>>);

/// All steps, in their order.
const STEPS: &[Step] = &[("measure", measure::run)];

pub(crate) fn run(workspace: &Workspace, arguments: &SecurityArguments) -> Result<()> {
    let known: Vec<&str> = STEPS.iter().map(|(name, _)| *name).collect();
    for name in &arguments.steps {
        ensure!(known.contains(&name.as_str()), "there is no step {name}; there are {known:?}");
    }
    let is_chosen = |name: &str| arguments.steps.is_empty() || arguments.steps.iter().any(|it| it == name);
    let chosen: Vec<&Step> = STEPS.iter().filter(|(name, _)| is_chosen(name)).collect();
    let mut steps = Steps::new(chosen.len() + 1, Output::All);
    steps.must("server and bots", |reporter| serve::build(workspace, false, reporter))?;
    for (name, step) in chosen {
        steps.try_step(name, |reporter| {
            for figure in step(workspace, arguments.quick, reporter)? {
                println!("{}: {}", figure.what, figure.seen);
            }
            Ok(())
        });
    }
    steps.finish()
}
