//! Where git looks for this repository's hooks, and what it contains.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use git2::ConfigLevel;

use super::{HookError, Installed, script};
use crate::revision;

/// The hook's name, which git prescribes.
const NAME: &str = "pre-push";

/// The name of an existing hook while ours is installed.
const CHAINED: &str = "pre-push.before-perfcheck";

/// Whether a folder for many repositories may be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Yes.
    Allowed,
    /// No.
    Refused,
}

/// The folder where git looks for this repository's hooks.
#[derive(Debug)]
pub(crate) struct HookFolder {
    path: PathBuf,
    shared: bool,
}

impl HookFolder {
    /// That of the repository that `cwd` is in, linked worktrees included.
    ///
    /// # Errors
    /// There is no repository, or its configuration cannot be read.
    pub(crate) fn of(cwd: &Path) -> Result<HookFolder, HookError> {
        let repository = revision::open(cwd, None)?;
        let config = repository.config()?.snapshot()?;
        let Ok(configured) = config.get_path("core.hooksPath") else {
            // All worktrees of a repository have their hooks in one place.
            return Ok(HookFolder {
                path: repository.common_dir().join("hooks"),
                shared: false,
            });
        };
        let level = config.get_entry("core.hooksPath")?.level();
        let own = matches!(level, ConfigLevel::Local | ConfigLevel::Worktree);
        // A relative path is relative to where git runs hooks: the top of the checkout.
        let top = repository.workdir().unwrap_or(repository.path());
        Ok(HookFolder {
            shared: !own && configured.is_absolute(),
            path: top.join(configured),
        })
    }

    fn hook(&self) -> PathBuf {
        self.path.join(NAME)
    }

    fn chained(&self) -> PathBuf {
        self.path.join(CHAINED)
    }

    /// What lies there.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn installed(&self) -> Result<Installed, HookError> {
        let path = self.hook();
        if path.symlink_metadata().is_err() {
            return Ok(Installed::No);
        }
        // Bytes, since another hook may be a binary.
        let text = fs_err::read(&path)?;
        if !script::is_ours(&text) {
            return Ok(Installed::Other(path));
        }
        let chained = self.chained();
        Ok(Installed::Ours {
            path,
            manifests: script::manifests(&text),
            chained: chained.symlink_metadata().is_ok().then_some(chained),
        })
    }

    /// Installs our hook for the workspace of `manifest`; an existing hook is moved aside and runs first. An older
    /// version of ours is updated, and continues to check its workspaces.
    ///
    /// # Errors
    /// The folder is shared, which was not allowed, or a file cannot be written.
    pub(crate) fn install(
        &self,
        program: &Path,
        manifest: PathBuf,
        arguments: &[String],
        sharing: Sharing,
    ) -> Result<Installed, HookError> {
        if self.shared && sharing == Sharing::Refused {
            return Err(HookError::SharedFolder {
                folder: self.path.clone(),
            });
        }
        fs_err::create_dir_all(&self.path)?;
        let mut checked = Vec::new();
        match self.installed()? {
            Installed::No => {}
            Installed::Ours { manifests, .. } => checked = manifests,
            Installed::Other(theirs) => {
                let aside = self.chained();
                if aside.symlink_metadata().is_ok() {
                    return Err(HookError::ChainOccupied { path: aside });
                }
                fs_err::rename(theirs, aside)?;
            }
        }
        if !checked.contains(&manifest) {
            checked.push(manifest);
        }
        // Written atomically: git may run the hook at this very moment.
        let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
        std::io::Write::write_all(
            &mut file,
            script::text(program, &checked, arguments, CHAINED).as_bytes(),
        )?;
        let executable = std::fs::Permissions::from_mode(0o755);
        fs_err::set_permissions(file.path(), executable)?;
        file.persist(self.hook()).map_err(|error| error.error)?;
        self.installed()
    }

    /// Removes our hook and restores the previous one.
    ///
    /// # Errors
    /// The hook is not ours, or a file cannot be removed.
    pub(crate) fn uninstall(&self) -> Result<Installed, HookError> {
        match self.installed()? {
            Installed::No => Ok(Installed::No),
            Installed::Other(path) => Err(HookError::NotOurs { path }),
            Installed::Ours { path, chained, .. } => {
                match chained {
                    Some(before) => fs_err::rename(before, path)?,
                    None => fs_err::remove_file(path)?,
                }
                self.installed()
            }
        }
    }
}
