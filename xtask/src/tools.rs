//! What the machine must have before we start, with an answer a person can act on when it has not.

use anyhow::{Result, bail};

use crate::process::output_of;

/// The oldest Node.js that Vite runs on.
pub(crate) const NODE_VERSION_MIN: (u32, u32) = (20, 19);

/// Node.js and npm for the web client.
pub(crate) fn check_node() -> Result<()> {
    check_node_version(output_of("node", &["--version"]).as_deref())?;
    if output_of("npm", &["--version"]).is_none() {
        bail!(
            "npm was not found on the path; it comes with most packages of Node.js (on Debian: the package npm)"
        );
    }
    Ok(())
}

/// A C compiler for SQLite and for linking.
pub(crate) fn check_compiler() -> Result<()> {
    if output_of("cc", &["--version"]).is_none() {
        bail!("no C compiler (cc) was found on the path; on Debian install the package gcc");
    }
    Ok(())
}

fn check_node_version(version: Option<&str>) -> Result<()> {
    let (major_min, minor_min) = NODE_VERSION_MIN;
    let Some(version) = version else {
        bail!("node was not found on the path; install Node.js {major_min}.{minor_min} or newer, with npm");
    };
    let mut numbers = version.trim_start_matches('v').split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < NODE_VERSION_MIN {
        bail!("node is {version}; the web client needs Node.js {major_min}.{minor_min} or newer");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_or_missing_node_is_named() {
        assert!(check_node_version(Some("v20.19.0")).is_ok());
        assert!(check_node_version(Some("v24.1.0")).is_ok());
        let old = check_node_version(Some("v18.20.4")).unwrap_err().to_string();
        assert!(old.contains("v18.20.4") && old.contains("20.19"), "{old}");
        let missing = check_node_version(None).unwrap_err().to_string();
        assert!(missing.contains("install Node.js 20.19"), "{missing}");
    }
}
