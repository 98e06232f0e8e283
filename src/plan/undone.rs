//! `--no-…`: a switch that a file or a variable sets is undone on the command line.

use clap::{Arg, ArgAction, ArgMatches, Command};

/// The switches that were undone, by their names without dashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UndoneSwitches(Vec<String>);

impl UndoneSwitches {
    /// Whether this one was.
    pub(super) fn contains(&self, switch: &str) -> bool {
        self.0.iter().any(|undone| undone == switch)
    }
}

/// The prefix of clap's id for the opposite of a switch.
const PREFIX: &str = "undo-";

/// The option that undoes a switch: `--no-locked` for `--locked`, `--cache` for `--no-cache`.
fn opposite(switch: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let positive = switch.strip_prefix("no-").filter(|name| !is_taken(name));
    positive.map_or_else(|| format!("no-{switch}"), str::to_owned)
}

impl clap::Args for UndoneSwitches {
    /// Because this is flattened in last, it adds the opposite of every switch defined before it.
    fn augment_args(mut command: Command) -> Command {
        let options: Vec<(String, bool, String)> = command
            .get_arguments()
            .filter_map(|option| {
                let is_switch = matches!(option.get_action(), ArgAction::SetTrue);
                let id = option.get_id().to_string();
                Some((option.get_long()?.to_owned(), is_switch, id))
            })
            .collect();
        let is_taken = |name: &str| options.iter().any(|(long, ..)| long == name);
        for (switch, _, id) in options.iter().filter(|(_, is_switch, _)| *is_switch) {
            let undo = Arg::new(format!("{PREFIX}{switch}"))
                .long(opposite(switch, is_taken))
                .action(ArgAction::SetTrue)
                .overrides_with(id.clone())
                .hide(true);
            command = command.arg(undo);
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for UndoneSwitches {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut undone = UndoneSwitches::default();
        undone.update_from_arg_matches(matches)?;
        Ok(undone)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let switches = matches.ids().filter_map(|id| {
            let switch = id.as_str().strip_prefix(PREFIX)?;
            matches.get_flag(id.as_str()).then(|| switch.to_owned())
        });
        self.0 = switches.collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::opposite;

    #[test]
    fn the_opposite_of_a_switch_has_a_name_of_its_own() {
        let is_taken = |name: &str| name == "profile";
        assert_eq!(opposite("locked", is_taken), "no-locked");
        assert_eq!(opposite("no-cache", is_taken), "cache");
        assert_eq!(opposite("no-profile", is_taken), "no-no-profile");
    }
}
