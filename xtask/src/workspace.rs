//! Where things are, and which crate depends on which: what `cargo metadata` says.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The checkout this run works on.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
    /// Every dependency of a crate of the workspace on another crate of it.
    pub(crate) edges: Vec<Edge>,
}

/// One crate of the workspace names another as a dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Workspace {
    /// Asks cargo. Needs no network: dependencies are not resolved.
    pub(crate) fn load() -> Result<Self> {
        let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest_dir.parent().context("xtask is a folder of the workspace")?;
        let output = Command::new(cargo_program())
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(root)
            .output()
            .context("cannot start cargo")?;
        if !output.status.success() {
            bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
        let target =
            metadata["target_directory"].as_str().context("cargo metadata names no target folder")?;
        Ok(Self { root: root.to_path_buf(), target: target.into(), edges: edges(&metadata) })
    }

    /// The folder of the npm workspace.
    pub(crate) fn web(&self) -> PathBuf {
        self.root.join("web")
    }

    /// Where the server's binary stands once it is built.
    pub(crate) fn server_binary(&self, release: bool) -> PathBuf {
        self.target.join(if release { "release" } else { "debug" }).join("dopamine-hero")
    }
}

/// The cargo that started us, or the one on the path.
pub(crate) fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The edges inside the workspace, of any kind: normal, dev and build.
fn edges(metadata: &Value) -> Vec<Edge> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let name_of = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let members: Vec<String> = packages.iter().map(name_of).collect();
    let mut edges = Vec::new();
    for package in packages {
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let edge = Edge { from: name_of(package), to: name_of(dependency) };
            if members.contains(&edge.to) && !edges.contains(&edge) {
                edges.push(edge);
            }
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_those_between_members_only() {
        let metadata = serde_json::json!({"packages": [
            {"name": "a", "dependencies": [{"name": "b"}, {"name": "serde"}, {"name": "b", "kind": "dev"}]},
            {"name": "b", "dependencies": []},
        ]});
        assert_eq!(edges(&metadata), [Edge { from: "a".into(), to: "b".into() }]);
    }
}
