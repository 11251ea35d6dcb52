//! Versions of the catalogue: upload, dry run, switch.

mod compare;
mod survey;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use admin_http::views::{
    CatalogueProblem, CatalogueText, CatalogueVersion, CatalogueVersions, DryRun, UploadedCatalogue,
};
use admin_http::{Actor, Refused};
use persistence::{CatalogueKept, InForce, NewCatalogue, Published, StoreError};
use simulation::catalogue::Catalogue;

use super::NodeOperations;
use crate::published::{self, BUILTIN_BY};

/// Names of modules in a refusal.
const NAMED_MAX: usize = 10;

pub(super) async fn catalogues(operations: &NodeOperations) -> Result<CatalogueVersions, Refused> {
    let store = &operations.node.catalogues;
    let published = store.published().await.map_err(refused)?;
    let in_force = version_in_force(&published);
    let since_ms = |version| {
        published.in_force.filter(|in_force| in_force.version == version).map(|in_force| in_force.since_ms)
    };
    let mut versions: Vec<CatalogueVersion> = Vec::new();
    for kept in store.catalogues().await.map_err(refused)? {
        let is_brought = kept.uploaded_by != BUILTIN_BY;
        versions.push(CatalogueVersion {
            version: kept.version,
            uploaded_at_ms: is_brought.then_some(kept.uploaded_at_ms),
            uploaded_by: is_brought.then_some(kept.uploaded_by),
            in_force_since_ms: since_ms(kept.version),
        });
    }
    let builtin = Catalogue::builtin().version;
    if versions.iter().all(|kept| kept.version != builtin) {
        versions.push(CatalogueVersion {
            version: builtin,
            uploaded_at_ms: None,
            uploaded_by: None,
            in_force_since_ms: None,
        });
    }
    Ok(CatalogueVersions { in_force, versions })
}

pub(super) async fn catalogue_text(
    operations: &NodeOperations,
    version: u32,
) -> Result<CatalogueText, Refused> {
    Ok(CatalogueText { version, text: text_of(operations, version).await? })
}

pub(super) async fn upload_catalogue(
    operations: &NodeOperations,
    actor: Actor,
    text: &str,
) -> Result<UploadedCatalogue, Refused> {
    let catalogue = match Catalogue::parse(text) {
        Ok(catalogue) => catalogue,
        Err(errors) => {
            let problems = errors.0.into_iter().map(|error| CatalogueProblem {
                line: u32::try_from(error.line).unwrap_or(u32::MAX),
                path: error.path,
                problem: error.problem,
            });
            return Ok(UploadedCatalogue { version: None, problems: problems.collect() });
        }
    };
    let version = catalogue.version;
    if version == Catalogue::builtin().version && text != Catalogue::BUILTIN_TEXT {
        return Ok(taken(text, version, "it belongs to the catalogue inside the program"));
    }
    let new = NewCatalogue {
        version,
        text: text.to_owned(),
        at_ms: operations.node.clock.now_ms(),
        by: actor.operator.clone(),
    };
    match operations.node.catalogues.keep_catalogue(new).await.map_err(refused)? {
        CatalogueKept::New => {
            tracing::info!(
                version,
                operator = actor.operator,
                audit_seq = actor.audit_seq,
                "catalogue uploaded"
            );
        }
        CatalogueKept::Same => {}
        CatalogueKept::Taken => return Ok(taken(text, version, "it belongs to a version with another text")),
        CatalogueKept::Full => return Err(full()),
    }
    Ok(UploadedCatalogue { version: Some(version), problems: Vec::new() })
}

/// A number that cannot be had.
fn taken(text: &str, version: u32, why: &str) -> UploadedCatalogue {
    let line = text.lines().position(|line| line.trim_start().starts_with("version:"));
    let line = line.map_or(1, |index| u32::try_from(index + 1).unwrap_or(u32::MAX));
    let problem = format!("expected a number that is free, {version} is not: {why}");
    let problem = CatalogueProblem { line, path: "version".to_owned(), problem };
    UploadedCatalogue { version: None, problems: vec![problem] }
}

fn full() -> Refused {
    Refused::Conflict(format!(
        "{} versions are kept and each of them was in force once; delete the rows of some from the table catalogue",
        persistence::catalogue::CATALOGUES_MAX
    ))
}

pub(super) async fn dry_run(operations: &NodeOperations, version: u32) -> Result<DryRun, Refused> {
    // One at a time: it costs as much as some thousand players.
    let Ok(_turn) = operations.dry_runs.try_acquire() else { return Err(Refused::Busy) };
    let to = Arc::new(catalogue_of(operations, version).await?);
    let from = operations.node.catalogue();
    let tried = survey::try_heroes(&operations.node, Arc::clone(&from), Arc::clone(&to)).await?;
    Ok(DryRun {
        from: from.version,
        to: to.version,
        changes: compare::changes(&from, &to),
        heroes: tried.heroes,
        heroes_changed: tried.heroes_changed,
        heroes_broken: tried.heroes_broken,
        examples: tried.examples,
        histogram: tried.histogram,
    })
}

pub(super) async fn switch_catalogue(
    operations: &NodeOperations,
    actor: Actor,
    in_force: u32,
    version: u32,
) -> Result<(), Refused> {
    let (node, store) = (&operations.node, &operations.node.catalogues);
    let published = store.published().await.map_err(refused)?;
    let now_in_force = version_in_force(&published);
    if in_force != now_in_force {
        return Err(Refused::Conflict(format!("version {now_in_force} is in force by now; look again")));
    }
    if version == in_force {
        return Err(Refused::Invalid(format!("version {version} is in force already")));
    }
    let to = catalogue_of(operations, version).await?;
    let broken = survey::find_broken(node, &to).await;
    if broken.heroes > 0 {
        let named: Vec<_> = broken.modules.iter().take(NAMED_MAX).map(String::as_str).collect();
        return Err(Refused::Conflict(format!(
            "{} heroes that are here now own or build what version {version} does not have ({}); bring a version that \
             keeps it",
            broken.heroes,
            named.join(", ")
        )));
    }
    keep_for_the_way_back(operations, version).await?;
    let seen = published.in_force.map(|in_force| in_force.version);
    let next = InForce { version, since_ms: node.clock.now_ms() };
    if !store.put_in_force(seen, next).await.map_err(unsure)? {
        return Err(Refused::Conflict("somebody else has just switched; look again".to_owned()));
    }
    tracing::info!(
        from = in_force,
        to = version,
        operator = actor.operator,
        audit_seq = actor.audit_seq,
        "catalogue switched"
    );
    follow(operations).await
}

/// The numbers inside the program, so that there is a way back to them after an upgrade, and one to them now.
async fn keep_for_the_way_back(operations: &NodeOperations, version: u32) -> Result<(), Refused> {
    let node = &operations.node;
    let builtin = Catalogue::builtin().version;
    let is_needed = builtin == version || node.board.posted().in_force.is_none();
    if !is_needed {
        return Ok(());
    }
    match published::keep_builtin(&*node.catalogues, node.clock.now_ms()).await.map_err(refused)? {
        // Another text of its number was brought under an earlier program: then that one is meant, and it is kept.
        CatalogueKept::New | CatalogueKept::Same | CatalogueKept::Taken => Ok(()),
        CatalogueKept::Full => Err(full()),
    }
}

/// This server follows at once, the others within five seconds.
pub(super) async fn follow(operations: &NodeOperations) -> Result<(), Refused> {
    operations.node.board.follow_now().await.map_err(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "published, and not followed here yet");
        Refused::Unsure
    })
}

fn version_in_force(published: &Published) -> u32 {
    published.in_force.map_or_else(|| Catalogue::builtin().version, |in_force| in_force.version)
}

async fn text_of(operations: &NodeOperations, version: u32) -> Result<String, Refused> {
    if let Some(text) = operations.node.catalogues.catalogue_text(version).await.map_err(refused)? {
        return Ok(text);
    }
    if version == Catalogue::builtin().version {
        return Ok(Catalogue::BUILTIN_TEXT.to_owned());
    }
    Err(Refused::NotFound(format!("there is no version {version} of the catalogue")))
}

async fn catalogue_of(operations: &NodeOperations, version: u32) -> Result<Catalogue, Refused> {
    let text = text_of(operations, version).await?;
    Catalogue::parse(&text).map_err(|errors| {
        let first = errors.0.first().map(ToString::to_string).unwrap_or_default();
        Refused::Invalid(format!(
            "this program cannot read version {version}: {first}; bring it again, mended"
        ))
    })
}

/// What a store's failure means where nothing can have changed.
pub(super) fn refused(error: StoreError) -> Refused {
    match error {
        StoreError::Busy(_) => Refused::Busy,
        StoreError::Unavailable(_) | StoreError::Ambiguous(_) | StoreError::Full(_) => Refused::Away,
        other => {
            tracing::error!(error = &other as &dyn std::error::Error, "the store refuses an operator's wish");
            Refused::Internal
        }
    }
}

/// What it means for a write that may have been kept all the same.
pub(super) fn unsure(error: StoreError) -> Refused {
    match error {
        StoreError::Unavailable(_) | StoreError::Ambiguous(_) => Refused::Unsure,
        other => refused(other),
    }
}
