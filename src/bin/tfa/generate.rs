//! `tfa generate`: shell completions and manual pages, from the commands that the program parses.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use tfa::api::registry::{Api, FUNCTIONS, MODULE};

use crate::commands::{Generate, Program, Tfa, UAPI, Uapi, WHMAPI1, Whmapi1};
use crate::failure::Failure;
use crate::manual;

/// Where each shell looks below a `share` folder, and how it names the files there.
const SHELLS: [(Shell, &str, &str, &str); 3] = [
    (Shell::Bash, "bash-completion/completions", "", ""),
    (Shell::Zsh, "zsh/site-functions", "_", ""),
    (Shell::Fish, "fish/vendor_completions.d", "", ".fish"),
];

/// Writes the files.
pub fn run(Generate { folder, no_links }: &Generate) -> Result<ExitCode, Failure> {
    let failed = |error: io::Error| Failure::Refused(format!("{} cannot be written to: {error}", folder.display()));
    let links = if *no_links { Vec::new() } else { links() };
    let mut files = completions(&links);
    files.extend(manual::pages(links).map_err(failed)?);
    files.iter().try_for_each(|(path, text)| write(&folder.join(path), text)).map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    path.parent().map(fs::create_dir_all).transpose()?;
    fs::write(path, text)
}

/// The programs that links make of this one.
fn links() -> Vec<Command> {
    vec![
        Program::<Whmapi1>::command().name(WHMAPI1).bin_name(WHMAPI1),
        Program::<Uapi>::command().name(UAPI).bin_name(UAPI),
    ]
}

fn completions(links: &[Command]) -> Vec<(PathBuf, Vec<u8>)> {
    let mut programs =
        vec![Tfa::command().mut_subcommand(WHMAPI1, with_functions).mut_subcommand(UAPI, with_functions)];
    programs.extend(links.iter().cloned().map(with_functions));
    let mut files = Vec::new();
    for (shell, place, before, after) in SHELLS {
        for program in &programs {
            let name = program.get_name().to_owned();
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut program.clone(), &name, &mut text);
            files.push((Path::new(place).join(format!("{before}{name}{after}")), text));
        }
    }
    files
}

/// The command with the names of its functions as the only ones: for completion, not for parsing, where an unknown name
/// has an answer of its own.
fn with_functions(command: Command) -> Command {
    let api = if command.get_name() == UAPI { Api::Uapi } else { Api::Whm };
    let names = FUNCTIONS.iter().filter(|function| function.api == api).map(|function| function.name);
    let command = match api {
        Api::Whm => command,
        Api::Uapi => command.mut_arg("module", |arg| arg.value_parser([MODULE])),
    };
    // A changed argument becomes the last one, so all of them are named in their order.
    command
        .mut_arg("function", |arg| arg.value_parser(PossibleValuesParser::new(names)))
        .mut_arg("parameters", |arg| arg)
}
