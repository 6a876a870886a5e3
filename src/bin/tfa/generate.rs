//! `tfa generate`: shell completions and manual pages, from the same commands that read the command line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Command};
use clap_complete::Shell;
use tfa::api::registry::{Api, FUNCTIONS, MODULE};

use crate::commands;
use crate::failure::Failure;

/// Where each shell looks below a `share` folder, and how the files there are named.
const SHELLS: [(Shell, &str, &str, &str); 3] = [
    (Shell::Bash, "bash-completion/completions", "", ""),
    (Shell::Zsh, "zsh/site-functions", "_", ""),
    (Shell::Fish, "fish/vendor_completions.d", "", ".fish"),
];

/// Writes all of them.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let folder = matches.get_one::<PathBuf>("folder").map(PathBuf::as_path).unwrap_or(Path::new("."));
    let written = completions(folder).and_then(|()| pages(folder));
    written.map_err(|error| Failure::Refused(format!("{} cannot be written to: {error}", folder.display())))?;
    Ok(ExitCode::SUCCESS)
}

fn completions(folder: &Path) -> io::Result<()> {
    let tfa = commands::tfa()
        .mut_subcommand(commands::WHMAPI1, |command| with_functions(command, Api::Whm))
        .mut_subcommand(commands::UAPI, |command| with_functions(command, Api::Uapi));
    let whmapi1 = with_functions(commands::whmapi1(), Api::Whm);
    let uapi = with_functions(commands::uapi(), Api::Uapi);
    for (shell, place, before, after) in SHELLS {
        let place = folder.join(place);
        fs::create_dir_all(&place)?;
        for command in [&tfa, &whmapi1, &uapi] {
            let name = command.get_name().to_owned();
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut command.clone(), &name, &mut text);
            fs::write(place.join(format!("{before}{name}{after}")), text)?;
        }
    }
    Ok(())
}

/// The command with the names of its functions as the only ones: for completion, not for reading a call, where an
/// unknown name has its own answer.
fn with_functions(command: Command, door: Api) -> Command {
    let names = FUNCTIONS.iter().filter(|function| function.api == door).map(|function| function.name);
    let command = command.mut_arg("function", |arg| arg.value_parser(PossibleValuesParser::new(names)));
    match door {
        Api::Whm => command,
        Api::Uapi => command.mut_arg("module", |arg| arg.value_parser([MODULE])),
    }
}

/// `tfa(1)`, a page for each subcommand, `whmapi1(1)` and `uapi(1)`.
fn pages(folder: &Path) -> io::Result<()> {
    let place = folder.join("man/man1");
    fs::create_dir_all(&place)?;
    clap_mangen::generate_to(commands::tfa(), &place)?;
    for command in [commands::whmapi1(), commands::uapi()] {
        clap_mangen::Man::new(command).generate_to(&place)?;
    }
    Ok(())
}
