//! Command lines with each side's own programs, folder and name.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::build::{Build, Executable};
use crate::plan::{ProgramName, Template, TemplatePiece, Workload, WorkloadCommand};
use crate::units::{Side, quoted};

/// A workload as one side runs it.
#[derive(Debug, Clone)]
pub(super) struct FilledWorkload {
    pub(super) side: Side,
    pub(super) command: FilledCommand,
    pub(super) prepare: Option<FilledCommand>,
    pub(super) conclude: Option<FilledCommand>,
    pub(super) setup: Option<FilledCommand>,
    pub(super) cleanup: Option<FilledCommand>,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) stdin: Option<PathBuf>,
    /// Where all of them run.
    pub(super) folder: PathBuf,
}

/// What is started.
#[derive(Debug, Clone)]
pub(super) struct FilledCommand {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
}

/// Fills the places of templates for one side.
pub(super) struct Filler<'a> {
    pub(super) side: Side,
    pub(super) build: &'a Build,
}

impl<'a> Filler<'a> {
    /// The whole workload; `None` where this side lacks a program that it names.
    pub(super) fn workload(&self, workload: &Workload) -> Option<FilledWorkload> {
        let other = |command: &Option<WorkloadCommand>| match command {
            Some(command) => self.command(command).map(Some),
            None => Some(None),
        };
        let variables = workload.env.iter();
        let variables = variables.map(|(name, value)| Some((name.into(), self.word(value)?)));
        let mut env: Vec<(OsString, OsString)> = self.library_path(workload).collect();
        env.extend(variables.collect::<Option<Vec<_>>>()?);
        Some(FilledWorkload {
            side: self.side,
            command: self.command(&workload.command)?,
            prepare: other(&workload.prepare)?,
            conclude: other(&workload.conclude)?,
            setup: other(&workload.setup)?,
            cleanup: other(&workload.cleanup)?,
            env,
            stdin: match &workload.stdin {
                Some(file) => Some(self.folder().join(self.word(file)?)),
                None => None,
            },
            folder: self.folder().to_owned(),
        })
    }

    /// What this side built of a program.
    pub(super) fn program(&self, name: &ProgramName) -> Option<&'a Executable> {
        let mut built = self.build.programs.iter();
        built.find(|one| {
            let package = name.package.as_ref();
            one.target == name.name && package.is_none_or(|package| *package == one.package)
        })
    }

    fn folder(&self) -> &'a Path {
        &self.build.workspace_root
    }

    /// Where the dynamic linker finds the build's own libraries, as `cargo run` has it.
    fn library_path(&self, workload: &Workload) -> impl Iterator<Item = (OsString, OsString)> {
        let programs = workload.programs();
        let first = programs.iter().find_map(|name| self.program(name));
        let env = first.map_or(&[][..], |program| &program.env);
        let paths = env.iter().filter(|(name, _)| is_library_path(name));
        paths.map(|(name, value)| (name.into(), value.clone()))
    }

    fn command(&self, command: &WorkloadCommand) -> Option<FilledCommand> {
        let words = match command {
            WorkloadCommand::Words(words) => {
                let words = words.iter().map(|word| self.word(word));
                words.collect::<Option<Vec<_>>>()?
            }
            WorkloadCommand::Shell(text) => {
                vec!["sh".into(), "-c".into(), self.text(text, quoted)?.into()]
            }
        };
        let mut words = words.into_iter();
        let program = PathBuf::from(words.next()?);
        Some(FilledCommand {
            // A path is meant from where it runs; a mere name is looked for on the `PATH`.
            program: match program.components().count() {
                1 => program,
                _ => self.folder().join(program),
            },
            arguments: words.collect(),
        })
    }

    fn word(&self, template: &Template) -> Option<OsString> {
        self.text(template, str::to_owned).map(OsString::from)
    }

    /// The text with its places filled, each as `written`.
    fn text(&self, template: &Template, written: impl Fn(&str) -> String) -> Option<String> {
        let piece = |piece: &TemplatePiece| {
            Some(match piece {
                TemplatePiece::Text(text) => text.clone(),
                TemplatePiece::Program(name) => written(self.program(name)?.path.to_str()?),
                TemplatePiece::Folder => written(self.folder().to_str()?),
                TemplatePiece::Side => self.side.name().to_owned(),
            })
        };
        template.pieces().iter().map(piece).collect()
    }
}

/// Whether a variable says where the dynamic linker looks.
pub(super) fn is_library_path(name: &str) -> bool {
    ["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"].contains(&name)
}
