//! How the process ends. `docs/operations.md` explains each to whoever wrote the unit file.

/// A way to end that is not success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// A tool could not do its work; its message says why.
    Failed = 1,
    /// The command line or the environment is wrong; every problem was printed.
    Usage = 64,
    /// `verify` found damage.
    Damaged = 65,
    /// The server could not start: port taken, store in use, too new or unfit.
    Unavailable = 69,
    /// Something broke that only a restart mends; what was acknowledged is safe.
    Broken = 70,
    /// The shutdown's deadline ran out first; what was acknowledged is safe.
    Late = 75,
    /// A second signal.
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> std::process::ExitCode {
        std::process::ExitCode::from(exit as u8)
    }
}
