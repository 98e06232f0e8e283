//! `cargo perfcheck hook`.

use std::io::{Read, Write};

use crate::hook::{self, Check, Comparer, HookFolder, Installed, Push, Sharing};
use crate::plan::{Environment, ExitStatus, HookCommand, HookInstallArgs, HookRunArgs};
use crate::units::command_line;

/// Installs, removes or shows the hook, or runs as the hook.
///
/// # Errors
/// There is no repository, or the hook cannot be read or written.
pub(crate) fn hook(
    command: &HookCommand,
    environment: &Environment,
    out: &mut impl Write,
    err: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    match command {
        HookCommand::Install(args) => install(args, environment, out)?,
        HookCommand::Uninstall => {
            let left = HookFolder::of(&environment.cwd)?.uninstall()?;
            writeln!(out, "removed; {}", describe(&left))?;
        }
        HookCommand::Status => {
            let installed = HookFolder::of(&environment.cwd)?.installed()?;
            writeln!(out, "{}", describe(&installed))?;
        }
        HookCommand::Run(args) => return run(args, environment, &mut std::io::stdin(), err),
    }
    Ok(ExitStatus::Success)
}

fn install(
    args: &HookInstallArgs,
    environment: &Environment,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let sharing = if args.shared {
        Sharing::Allowed
    } else {
        Sharing::Refused
    };
    let mut arguments = vec!["--limit".to_owned(), args.limit.to_string()];
    if let Some(with) = &args.with {
        arguments.push("--with".to_owned());
        arguments.push(environment.cwd.join(with).to_string_lossy().into_owned());
    }
    if !args.options.is_empty() {
        arguments.push("--".to_owned());
        arguments.extend(args.options.iter().cloned());
    }
    let program = std::env::current_exe()?;
    let folder = HookFolder::of(&environment.cwd)?;
    let manifest = hook::manifest_from(&environment.cwd)?;
    let installed = folder.install(&program, manifest, &arguments, sharing)?;
    writeln!(out, "{}", describe(&installed))?;
    writeln!(
        out,
        "to skip the check once: `git push --no-verify` or `PERFCHECK_SKIP=1 git push`"
    )?;
    Ok(())
}

fn describe(installed: &Installed) -> String {
    match installed {
        Installed::No => "no pre-push hook is installed".to_owned(),
        Installed::Other(path) => format!("`{}` is another program's hook", path.display()),
        Installed::Ours {
            path,
            manifests,
            chained,
        } => {
            let below = manifests
                .iter()
                .filter_map(|manifest| manifest.parent())
                .map(|folder| match folder.as_os_str().is_empty() {
                    true => "the top".to_owned(),
                    false => format!("`{}`", folder.display()),
                });
            let below: Vec<String> = below.collect();
            let places = match below.as_slice() {
                [] => String::new(),
                [only] if only == "the top" => String::new(),
                several => format!(" in {}", several.join(" and ")),
            };
            let first = chained
                .as_ref()
                .map(|before| format!(", and runs `{}` first", before.display()))
                .unwrap_or_default();
            format!(
                "`{}` checks performance{places} before a push{first}",
                path.display()
            )
        }
    }
}

/// The hook that git runs. It is silent if nothing is wrong, and exact if something is.
fn run(
    args: &HookRunArgs,
    environment: &Environment,
    refs: &mut impl Read,
    err: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    let mut text = String::new();
    refs.read_to_string(&mut text)?;
    if environment
        .variable("PERFCHECK_SKIP")
        .is_some_and(|value| value != "0")
    {
        writeln!(err, "perfcheck: skipped, as PERFCHECK_SKIP asks")?;
        return Ok(ExitStatus::Success);
    }
    let pushes = Push::parse(&text)?;
    let comparer = Comparer {
        program: match &args.with {
            Some(program) => environment.cwd.join(program),
            None => std::env::current_exe()?,
        },
        manifests: args.manifest_path.clone(),
        options: args.options.clone(),
        limit: args.limit.as_duration(),
    };
    let checks = hook::check(&environment.cwd, &args.remote, &pushes, &comparer)?;
    let mut status = ExitStatus::Success;
    let options = command_line(args.options.iter().map(String::as_str));
    let options = if options.is_empty() {
        options
    } else {
        format!(" {options}")
    };
    for check in checks {
        match check {
            Check::Passed => {}
            Check::Unchecked { range, reason } => writeln!(
                err,
                "perfcheck: {range} is pushed unchecked: {reason}\nto see it: `cargo perfcheck {range}{options}`"
            )?,
            Check::Rejected { range, report } => {
                writeln!(
                    err,
                    "{report}\nperfcheck: the push to {} is stopped, since {range} is rejected\n\
                     to look closer: `cargo perfcheck {range}{options}`; to push anyway: `git push --no-verify`",
                    args.remote
                )?;
                status = ExitStatus::Rejected;
            }
        }
    }
    Ok(status)
}
