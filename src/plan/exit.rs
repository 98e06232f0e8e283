//! With which status the program ends. Published behaviour: a number never changes its meaning.

/// With which status the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: the run was completed, and nothing in it fails the run.
    Success,
    /// 100: the run was completed, and its vote fails it: `reject`, or a vote that `--deny` names.
    Rejected,
    /// 2: the command line or the configuration cannot be understood; nothing was run. The number
    /// that clap and most other programs use.
    Usage,
    /// 101: the run could not be completed. The number that cargo uses.
    Incomplete,
}

impl ExitStatus {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            ExitStatus::Success => 0,
            ExitStatus::Usage => 2,
            ExitStatus::Rejected => 100,
            ExitStatus::Incomplete => 101,
        }
    }
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        std::process::ExitCode::from(status.code())
    }
}
