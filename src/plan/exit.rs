//! With which status the program ends. Published behaviour: a number never changes its meaning.

/// With which status the program ends. Where several apply, the first of: 2, 101, 100, 102, 103, 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: the run was completed, and nothing in it fails the run.
    Success,
    /// 100: the vote fails the run: `reject`, or, of a completed run, a vote that `--deny` names.
    Rejected,
    /// 102: benchmarks had to be measured, and none of them was.
    NothingMeasured,
    /// 103: the run ended early; there is a report, and it is partial.
    EndedEarly,
    /// 2: the command line or the configuration cannot be understood; nothing was run. The number
    /// that clap and most other programs use.
    Usage,
    /// 101: the run could not be completed, or its report could not be written. The number that cargo uses.
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
            ExitStatus::NothingMeasured => 102,
            ExitStatus::EndedEarly => 103,
        }
    }
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        std::process::ExitCode::from(status.code())
    }
}
