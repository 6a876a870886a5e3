//! `tfa doctor`: checks what two-factor authentication rests on, and says how to mend what is wrong.
//!
//! Promise: it makes nothing that is not there, and exits with 0 only when every check passed.

use std::path::Path;
use std::process::ExitCode;

use clap::ArgMatches;
use tfa::engine::Tfa;
use tfa::engine::config::{Config, file as configuration_file};
use tfa::ffi::kernel;
use tfa::store::private;

use crate::failure::Failure;
use crate::{settings, terminal};

/// What a check found: that all is well, or what is wrong and how to mend it.
type Finding = Result<String, String>;

/// Checks everything.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let mut findings = vec![("clock", clock())];
    match configuration(matches) {
        Ok((config, found)) => {
            findings.insert(0, ("configuration", Ok(found)));
            findings.extend(house(config));
        }
        Err(why) => findings.insert(0, ("configuration", Err(why))),
    }
    let mut told = String::new();
    for (what, finding) in &findings {
        let (mark, text) = match finding {
            Ok(text) => ("ok   ", text),
            Err(text) => ("WRONG", text),
        };
        told.push_str(&format!("{mark} {what}: {text}\n"));
    }
    terminal::print(told.as_bytes())?;
    Ok(terminal::exit_code(findings.iter().all(|(_, finding)| finding.is_ok())))
}

fn configuration(matches: &ArgMatches) -> Result<(Config, String), String> {
    let why = |failure| match failure {
        Failure::Usage(why) | Failure::Refused(why) => why,
    };
    let found = match settings::file(matches).map_err(why)? {
        Some(path) => path.display().to_string(),
        None => return Err(format!("there is no {}. To create one, run: tfa init", configuration_file::TOML)),
    };
    Ok((settings::config(matches).map_err(why)?, found))
}

/// The clock: codes are a matter of seconds.
fn clock() -> Finding {
    match kernel::clock_is_synchronised() {
        Ok(true) => Ok("the kernel says that it is synchronised".to_owned()),
        Ok(false) => {
            Err("the kernel says that it is not synchronised, so that right codes may be refused. Install and start \
                          chrony or systemd-timesyncd on this machine, or on its host if it is a container"
                .to_owned())
        }
        Err(error) => {
            Err(format!("the kernel does not tell whether it is synchronised: {error}. Compare it with: date -u"))
        }
    }
}

/// The files, what is in them, and the account directory.
fn house(config: Config) -> Vec<(&'static str, Finding)> {
    let mut findings = vec![("store", file(&config.database)), ("keys", file(&config.key_file))];
    if findings.iter().all(|(_, finding)| finding.is_ok()) {
        match Tfa::open(config) {
            Ok(tfa) => findings.extend([("policy", policy(&tfa)), ("accounts", accounts(&tfa))]),
            Err(why) => findings.push(("opening", Err(why))),
        }
    }
    findings
}

/// A private file in a private folder.
fn file(path: &Path) -> Finding {
    let found = private::check(path).map_err(|error| error.to_string())?;
    if found.is_none() {
        return Err(format!("there is no {}. To make it: tfa init", path.display()));
    }
    private::directory(path).map_err(|error| error.to_string())?;
    Ok(format!("{}, for its owner alone", path.display()))
}

fn policy(tfa: &Tfa) -> Finding {
    match tfa.policy() {
        Ok(true) => Ok("second factors are asked for".to_owned()),
        Ok(false) => Ok("no second factor is asked for. To turn it on: whmapi1 twofactorauth_enable_policy".to_owned()),
        Err(refusal) => Err(refusal.to_string()),
    }
}

fn accounts(tfa: &Tfa) -> Finding {
    let users = tfa.view().map_err(|refusal| refusal.to_string())?;
    if users.is_open() {
        return Ok("none are configured, so that every well-formed name is an account of root's".to_owned());
    }
    let listing = users
        .accounts(None)
        .map_err(|error| format!("{error}. Mend the files, or \"accounts\" in the configuration"))?;
    Ok(format!("{} of them, root among them", listing.len()))
}
