//! A service's command with each side's own program, folder, name, and place to listen.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::build::{Build, Executable};
use crate::plan::{ListenPlace, ProgramName, Service, Template, TemplatePiece};
use crate::process::{ProcessLimits, clean_env, without_session};
use crate::units::Side;

/// Where one side of a service comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServiceSide<'a> {
    pub(super) side: Side,
    pub(super) build: &'a Build,
    pub(super) service: &'a Service,
    /// What it may use at most, where that is tested.
    pub(super) limits: Option<&'a ProcessLimits>,
}

impl<'a> ServiceSide<'a> {
    /// What starts this side with its place to listen as `listen`; `None` where the side lacks a program.
    pub(super) fn command(&self, listen: &str) -> Option<Command> {
        let words = self.service.command.templates().iter();
        let words = words.map(|word| self.text(word, listen));
        let words: Vec<String> = words.collect::<Option<_>>()?;
        let (program, arguments) = words.split_first()?;
        let program = Path::new(program);
        let program = match program.components().count() {
            1 => program.to_owned(),
            _ => self.folder().join(program),
        };
        let mut command = match self.limits {
            None => Command::new(program),
            Some(limits) => limits.command(&program),
        };
        clean_env(&mut command);
        without_session(&mut command);
        command.args(arguments).current_dir(self.folder());
        let built = self.service.programs();
        let built = built.iter().find_map(|name| self.program(name));
        for (name, value) in built.into_iter().flat_map(|program| &program.env) {
            if name == "LD_LIBRARY_PATH" {
                command.env(name, value);
            }
        }
        for (name, value) in &self.service.env {
            command.env(name, self.text(value, listen)?);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Some(command)
    }

    /// What this side built of a program.
    pub(super) fn program(&self, name: &ProgramName) -> Option<&'a Executable> {
        self.build.programs.iter().find(|one| {
            let package = name.package.as_ref();
            one.target == name.name && package.is_none_or(|package| *package == one.package)
        })
    }

    fn folder(&self) -> &'a PathBuf {
        &self.build.workspace_root
    }

    fn text(&self, template: &Template, listen: &str) -> Option<String> {
        let piece = |piece: &TemplatePiece| {
            Some(match piece {
                TemplatePiece::Text(text) => [ListenPlace::Port, ListenPlace::Socket]
                    .iter()
                    .fold(text.clone(), |text, place| {
                        text.replace(place.placeholder(), listen)
                    }),
                TemplatePiece::Program(name) => self.program(name)?.path.to_str()?.to_owned(),
                TemplatePiece::Folder => self.folder().to_str()?.to_owned(),
                TemplatePiece::Side => self.side.name().to_owned(),
            })
        };
        template.pieces().iter().map(piece).collect()
    }
}
