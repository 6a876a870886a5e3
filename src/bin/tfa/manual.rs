//! The manual pages: one for each command and link, and `tfa.toml(5)`.
//!
//! Promise: every page of a command has the sections FILES, ENVIRONMENT, EXAMPLES and EXIT STATUS.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use tfa::engine::config::file::{JSON, TOML, VARIABLE};
use tfa::engine::config::keys::{KEYS, Key};

use crate::commands::{EXIT_STATUS, Tfa};

/// An example: what it does, and the command.
type Example = (&'static str, &'static str);

/// The examples of each page.
const EXAMPLES: &[(&str, &[Example])] = &[
    ("tfa", &[("Set up a new server", "tfa init && tfa qr && tfa policy enable")]),
    (
        "tfa-whmapi1",
        &[
            ("Show whether two-factor authentication is enabled", "tfa whmapi1 twofactorauth_policy_status"),
            (
                "Remove an enrolment, and read the answer as JSON",
                "tfa whmapi1 --output=json twofactorauth_remove_user_config user=example",
            ),
        ],
    ),
    ("whmapi1", &[("Show whether two-factor authentication is enabled", "whmapi1 twofactorauth_policy_status")]),
    (
        "tfa-uapi",
        &[("Show whether a user is enrolled", "tfa uapi --user=example TwoFactorAuth get_user_configuration")],
    ),
    ("uapi", &[("Show whether a user is enrolled", "uapi --user=example TwoFactorAuth get_user_configuration")]),
    (
        "tfa-init",
        &[("Create a store with the account directory of a panel", "tfa init --store /srv/tfa/tfa.db --accounts /etc")],
    ),
    ("tfa-policy", &[("Enable two-factor authentication", "tfa policy enable")]),
    ("tfa-policy-enable", &[("Enable two-factor authentication", "tfa policy enable")]),
    ("tfa-policy-disable", &[("Disable two-factor authentication", "tfa policy disable")]),
    ("tfa-policy-status", &[("Show the policy", "tfa policy status")]),
    ("tfa-issuer", &[("Show the issuer", "tfa issuer get")]),
    ("tfa-issuer-get", &[("Show the issuer", "tfa issuer get")]),
    ("tfa-issuer-set", &[("Set the issuer", "tfa issuer set 'Example Hosting'")]),
    ("tfa-status", &[("Show everybody who is enrolled", "tfa status"), ("Show one user", "tfa status example")]),
    (
        "tfa-qr",
        &[
            ("Enrol a user at the terminal", "tfa qr --user=example"),
            ("Write the QR code to a file", "tfa qr --user=example --format=png --file=example.png"),
        ],
    ),
    ("tfa-login", &[("Verify a code", "tfa login example")]),
    ("tfa-unlock", &[("Lift a lock", "tfa unlock example")]),
    ("tfa-remove", &[("Show what would be removed, then remove it", "tfa remove --dry-run a b && tfa remove a b")]),
    ("tfa-recovery-codes", &[("Generate recovery codes", "tfa recovery-codes example")]),
    (
        "tfa-code",
        &[
            ("Generate the present code of a secret in a file", "tfa code < secret"),
            ("Verify a code", "tfa code --verify < secret-and-code"),
        ],
    ),
    ("tfa-keys", &[("Rotate the key", "tfa keys rotate")]),
    ("tfa-keys-list", &[("Show the keys", "tfa keys list")]),
    ("tfa-keys-rotate", &[("Rotate the key", "tfa keys rotate")]),
    ("tfa-backup", &[("Write a backup", "tfa backup /var/backups/tfa.db")]),
    ("tfa-restore", &[("Restore it", "tfa restore /var/backups/tfa.db")]),
    ("tfa-audit", &[("Follow the denied logins of a user", "tfa audit --follow --user=example --event=wrong")]),
    ("tfa-doctor", &[("Check the server from a monitor", "tfa doctor --json --no-clock")]),
    ("tfa-generate", &[("Write completions and pages", "tfa generate --no-links /usr/local/share")]),
];

/// The pages by their paths below a `share` folder. `links` are the programs beside `tfa`.
pub fn pages(links: Vec<Command>) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut pages = vec![(PathBuf::from("man/man5/tfa.toml.5"), configuration_page()?)];
    let mut tfa = Tfa::command().disable_help_subcommand(true);
    tfa.build();
    add(&tfa, &mut pages)?;
    links.iter().try_for_each(|link| add(link, &mut pages))?;
    Ok(pages)
}

/// Adds the pages of a command and its subcommands.
fn add(command: &Command, pages: &mut Vec<(PathBuf, Vec<u8>)>) -> io::Result<()> {
    command.get_subcommands().try_for_each(|command| add(command, pages))?;
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    man.render(&mut text)?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    sections(name).to_writer(&mut text)?;
    pages.push((Path::new("man/man1").join(man.get_filename()), text));
    Ok(())
}

/// The sections that clap does not know of.
fn sections(name: &str) -> Roff {
    let mut roff = Roff::default();
    roff.control("SH", ["FILES"]);
    files(&mut roff);
    roff.control("SH", ["ENVIRONMENT"]);
    roff.control("TP", []).text([bold(VARIABLE)]);
    roff.text([roman("The configuration file to read in place of the usual one.")]);
    roff.control("SH", ["EXAMPLES"]);
    let examples = EXAMPLES.iter().filter(|(page, _)| *page == name).flat_map(|(_, examples)| *examples);
    for (about, command) in examples {
        roff.control("TP", []).text([roman(format!("{about}:"))]).text([bold(*command)]);
    }
    roff.control("SH", ["EXIT STATUS"]).text([roman(EXIT_STATUS)]);
    roff
}

fn files(roff: &mut Roff) {
    for (path, about) in [
        (TOML, "The configuration; see tfa.toml(5)."),
        (JSON, "The same in JSON, if there is no other."),
        ("/var/lib/tfa/tfa.db", "The database, unless the configuration names another."),
        ("/var/lib/tfa/tfa.key", "The keys that seal the secrets in the database."),
    ] {
        roff.control("TP", []).text([bold(path)]).text([roman(about)]);
    }
}

/// `tfa.toml(5)`, from the table of the configuration's keys.
fn configuration_page() -> io::Result<Vec<u8>> {
    let mut roff = Roff::default();
    roff.control("TH", ["tfa.toml", "5", "", concat!("tfa ", env!("CARGO_PKG_VERSION"))]);
    roff.control("SH", ["NAME"]).text([roman("tfa.toml - the configuration of two-factor authentication")]);
    roff.control("SH", ["DESCRIPTION"]).text([roman(
        "The command line, the C library and its bindings read this file. Each key is optional, and an unknown key is an \
         error. The file is TOML; a file whose name ends in .json is JSON with the same keys. The file and the folders \
         above it must belong to root or to the user who reads it, and must not be writable by others.",
    )]);
    roff.control("SH", ["KEYS"]);
    for Key { name, default, about } in KEYS {
        roff.control("TP", []).text([bold(*name)]);
        roff.text([roman(format!("{about} Default: {default}."))]);
    }
    roff.control("SH", ["FILES"]);
    files(&mut roff);
    roff.control("SH", ["SEE ALSO"]).text([roman("tfa(1), tfa-init(1), tfa-doctor(1)")]);
    let mut text = Vec::new();
    roff.to_writer(&mut text)?;
    Ok(text)
}
