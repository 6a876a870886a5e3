//! The commands and their arguments. The API's functions and their parameters come from the registry.

use std::fmt::Write;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use tfa::api::registry::{Api, FUNCTIONS, Function, MODULE, Parameter};
use tfa::engine::audit::Event;
use tfa::wire::format::{FORMATS, Format};

/// The exit statuses, as every help text and manual page gives them.
pub const EXIT_STATUS: &str = "0 when it worked, 1 when it did not, 2 for wrong usage.";

/// Two-factor authentication for hosting panels
#[derive(Parser)]
#[command(name = "tfa", version, arg_required_else_help = true)]
pub struct Tfa {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

// A program that is one API: `tfa` through a link, or `tfa whmapi1`. A doc comment would take the place of its help text.
#[derive(Parser)]
#[command(version)]
pub struct Program<A: Args> {
    #[command(flatten)]
    pub global: Global,
    #[command(flatten)]
    pub call: A,
}

#[derive(Args)]
pub struct Global {
    /// Read this configuration file [default: TFA_CONFIG, /etc/tfa/tfa.toml or /etc/tfa/tfa.json]
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Call a WHM API 1 function
    #[command(name = WHMAPI1)]
    Whmapi1(Whmapi1),
    /// Call a UAPI function
    #[command(name = UAPI)]
    Uapi(Uapi),
    /// Create the configuration, the store and the key file
    Init(Init),
    /// Show or change whether two-factor authentication is enabled
    #[command(subcommand)]
    Policy(Policy),
    /// Show or change the system-wide issuer
    #[command(subcommand)]
    Issuer(Issuer),
    /// Show who is enrolled
    Status(Status),
    /// Enrol a user with a QR code
    Qr(Qr),
    /// Verify a user's login code, which is then used
    Login(Subject),
    /// Lift a user's locks and reset the count of failed attempts
    Unlock(Subject),
    /// Remove users' enrolments
    Remove(Remove),
    /// Generate ten recovery codes for a user and revoke the earlier ones
    RecoveryCodes(Subject),
    /// Generate or verify a one-time code of a secret on standard input, without a store
    Code(Code),
    /// Show and rotate the keys that seal secrets
    #[command(subcommand)]
    Keys(Keys),
    /// Write a consistent copy of the store to a new file, without the keys
    Backup(BackupFile),
    /// Restore the store from a backup, and revoke all recovery codes
    Restore(BackupFile),
    /// Show the audit trail, oldest entries first
    Audit(Audit),
    /// Check configuration, store, keys, account directory and clock
    Doctor(Doctor),
    /// Write shell completions and manual pages below a folder such as /usr/local/share
    Generate(Generate),
}

/// The command that calls WHM API 1, and the link's name.
pub const WHMAPI1: &str = "whmapi1";
/// The command that calls UAPI, and the link's name.
pub const UAPI: &str = "uapi";

#[derive(Args)]
#[command(about = "Call a WHM API 1 function", after_help = functions(Api::Whm))]
pub struct Whmapi1 {
    #[command(flatten)]
    pub call: Call,
}

#[derive(Args)]
#[command(about = "Call a UAPI function", after_help = functions(Api::Uapi))]
pub struct Uapi {
    #[arg(help = MODULE)]
    pub module: String,
    #[command(flatten)]
    pub call: Call,
}

#[derive(Args)]
pub struct Call {
    /// One of the functions below
    pub function: String,
    /// Its parameters, URI-encoded. Other users can see them: pass secrets with --input
    #[arg(value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Write the answer in this format
    #[arg(long, value_name = "FORMAT", default_value = "yaml", value_parser = format())]
    pub output: Format,
    /// Read further parameters from standard input, as a JSON object
    #[arg(long, value_name = "FORMAT")]
    pub input: Option<Input>,
    /// Act as this user; only root and the owner of the store may act as another user
    #[arg(long)]
    pub user: Option<String>,
}

/// The format of further parameters.
#[derive(Clone, Copy, ValueEnum)]
pub enum Input {
    Json,
}

#[derive(Args)]
pub struct Init {
    /// Create the database here [default: /var/lib/tfa/tfa.db]
    #[arg(long, value_name = "PATH")]
    pub store: Option<PathBuf>,
    /// Read the panel's account files in this folder [default: /etc, or else the accounts of the operating system]
    #[arg(long, value_name = "FOLDER")]
    pub accounts: Option<PathBuf>,
}

#[derive(Subcommand)]
pub enum Policy {
    /// Enable two-factor authentication on this server
    Enable,
    /// Disable two-factor authentication on this server, and keep the enrolments
    Disable,
    /// Show whether two-factor authentication is enabled
    Status,
}

#[derive(Subcommand)]
pub enum Issuer {
    /// Show the system-wide issuer
    Get,
    /// Set the system-wide issuer
    Set {
        /// At most 128 characters; an empty one restores the default, the host name
        issuer: String,
    },
}

#[derive(Args)]
pub struct Subject {
    /// The account, mailbox or team user
    pub user: String,
}

#[derive(Args)]
pub struct Status {
    /// Show only this user
    pub user: Option<String>,
    /// Show also users who are not enrolled
    #[arg(long)]
    pub all: bool,
}

#[derive(Args)]
pub struct Remove {
    /// The accounts, mailboxes or team users
    #[arg(required = true, value_name = "USER")]
    pub users: Vec<String>,
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Args)]
pub struct Qr {
    /// Enrol this user [default: the user who runs the program]
    #[arg(long)]
    pub user: Option<String>,
    /// Draw the QR code in this format
    #[arg(long, value_enum, default_value_t = Picture::Terminal)]
    pub format: Picture,
    /// Write the QR code to a new file that only its owner can read [default: standard output]
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
}

/// The format of a QR code.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Picture {
    Terminal,
    Svg,
    Png,
}

#[derive(Args)]
pub struct Code {
    /// Verify a code, which is read after the secret; exit with 1 if it is invalid
    #[arg(long)]
    pub verify: bool,
    /// Read the secret in hexadecimal, not in Base32
    #[arg(long)]
    pub secret_hex: bool,
    /// The kind of code: totp, hotp or steam [default: totp]
    #[arg(long)]
    pub r#type: Option<String>,
    /// The hash: SHA1, SHA256 or SHA512 [default: SHA1]
    #[arg(long)]
    pub algorithm: Option<String>,
    /// The number of digits, 1 to 10 [default: 6]
    #[arg(long)]
    pub digits: Option<String>,
    /// The length of a time step in seconds [default: 30]
    #[arg(long)]
    pub period: Option<String>,
    /// The time in Unix seconds [default: now]
    #[arg(long)]
    pub time: Option<String>,
    /// The counter, for hotp
    #[arg(long)]
    pub counter: Option<String>,
    /// Accept this many time steps either side, or counters ahead [default: 1, for hotp 0]
    #[arg(long, requires = "verify")]
    pub skew: Option<String>,
}

#[derive(Subcommand)]
pub enum Keys {
    /// Show each key, whether it seals, and how many secrets are sealed under it
    List,
    /// Create a new key, reseal every secret under it while logins go on, and retire the older keys
    Rotate,
}

#[derive(Args)]
pub struct BackupFile {
    /// The file with the backup
    pub file: PathBuf,
}

#[derive(Args)]
pub struct Audit {
    /// Show only entries about this user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Show only entries of this caller
    #[arg(long, value_name = "NAME")]
    pub caller: Option<String>,
    /// Show only entries of this event
    #[arg(long, value_parser = PossibleValuesParser::new(Event::ALL.iter().map(|event| event.name())))]
    pub event: Option<String>,
    /// Show only entries of this function
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
    /// Show only logins from this address
    #[arg(long)]
    pub address: Option<String>,
    /// Show no entries from before: a duration (2h, 7days), a day or a time in UTC (2026-01-31T12:00:00)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Show no entries from then on; in the same notation
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Continue with entries as they are added
    #[arg(long, short)]
    pub follow: bool,
    /// Write JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Doctor {
    /// Leave out the check of the clock
    #[arg(long)]
    pub no_clock: bool,
    /// Remove enrolments of users who do not exist
    #[arg(long)]
    pub fix: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Generate {
    /// Write below this folder
    pub folder: PathBuf,
    /// Leave out the links whmapi1 and uapi
    #[arg(long)]
    pub no_links: bool,
}

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(FORMATS.map(Format::name))
        .try_map(|name| Format::from_name(&name).ok_or("it is not a format"))
}

/// The functions of an API and their parameters.
fn functions(api: Api) -> String {
    let mut text = "Functions:\n".to_owned();
    for function in FUNCTIONS.iter().filter(|function| function.api == api) {
        // Writing to a String does not fail.
        let _ = describe(&mut text, function);
    }
    let _ = write!(text, "\nExit status: {EXIT_STATUS}");
    text
}

fn describe(text: &mut String, function: &Function) -> std::fmt::Result {
    writeln!(text, "  {}\n      {}", function.name, function.about)?;
    for parameter in function.parameters {
        let optional = if parameter.required { "" } else { "Optional. " };
        writeln!(text, "        {}  {optional}{}", notation(parameter), parameter.about)?;
    }
    Ok(())
}

/// How a parameter is passed.
fn notation(parameter: &Parameter) -> String {
    match parameter.kind {
        "object" => "--input=json".to_owned(),
        _ => format!("{}=", parameter.name),
    }
}
