//! What can be said on the command line. The functions and their parameters come from the registry.

use std::fmt::Write;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, value_parser};
use tfa::api::registry::{Api, FUNCTIONS, Function, MODULE, Parameter};
use tfa::engine::audit::Event;
use tfa::wire::format::FORMATS;

/// The WHM door.
pub const WHMAPI1: &str = "whmapi1";
/// The UAPI door.
pub const UAPI: &str = "uapi";

/// `tfa` with all of its subcommands.
pub fn tfa() -> Command {
    Command::new("tfa")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Two-factor authentication for hosting panels")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            whmapi1(),
            uapi(),
            init(),
            login(),
            qr(),
            status(),
            unlock(),
            keys(),
            audit(),
            doctor(),
            generate(),
        ])
}

/// `whmapi1`, as a subcommand and by its own name.
pub fn whmapi1() -> Command {
    door(Command::new(WHMAPI1), Api::Whm)
        .about("Call a WHM API 1 function")
        .override_usage("whmapi1 [--output=FORMAT] FUNCTION [NAME=VALUE]...")
}

/// `uapi`, as a subcommand and by its own name.
pub fn uapi() -> Command {
    let module = Arg::new("module").index(1).value_name("MODULE").required(true).help(MODULE);
    door(Command::new(UAPI).arg(module), Api::Uapi)
        .about("Call a UAPI function")
        .override_usage("uapi [--user=USER] [--output=FORMAT] TwoFactorAuth FUNCTION [NAME=VALUE]...")
}

/// What both doors have.
fn door(command: Command, door: Api) -> Command {
    let (function, parameters) = if door == Api::Whm { (1, 2) } else { (2, 3) };
    command
        .arg(
            Arg::new("function")
                .index(function)
                .value_name("FUNCTION")
                .required(true)
                .help("One of the functions below"),
        )
        .arg(
            Arg::new("parameters")
                .index(parameters)
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .num_args(0..)
                .help("Its parameters, URI-encoded. Other users can see them: give secrets by --input"),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(FORMATS.map(|format| format.name())))
                .default_value("yaml")
                .help("The format of the answer"),
        )
        .arg(
            Arg::new("input")
                .long("input")
                .value_name("FORMAT")
                .value_parser(["json"])
                .help("Read further parameters from standard input, as a JSON object"),
        )
        .arg(user("Act as this user; the superuser may be anyone"))
        .arg(config())
        .after_help(functions(door))
}

/// The functions behind a door and their parameters.
fn functions(door: Api) -> String {
    let mut text = "Functions:\n".to_owned();
    for function in FUNCTIONS.iter().filter(|function| function.api == door) {
        // Writing to a String does not fail.
        let _ = describe(&mut text, function);
    }
    text.push_str("\nExit status: 0 when it worked, 1 when it did not, 2 for bad usage.");
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

/// How a parameter is given.
fn notation(parameter: &Parameter) -> String {
    match parameter.kind {
        "object" => "--input=json".to_owned(),
        _ => format!("{}=", parameter.name),
    }
}

fn init() -> Command {
    Command::new("init")
        .about("Make the configuration, the store and the key file, and keep what is there")
        .arg(config())
        .arg(path("store", "The database [default: /var/lib/tfa/tfa.db]"))
        .arg(path("accounts", "The folder with the panel's account files [default: /etc, if they are there]"))
}

fn login() -> Command {
    Command::new("login")
        .about("Ask for a user's code, and tell whether it lets in; it is used up")
        .arg(Arg::new("subject").value_name("USER").required(true).help("The account, mailbox or team user"))
        .arg(config())
}

fn qr() -> Command {
    Command::new("qr")
        .about("Show a new secret as a QR code, and enrol with the code that the authenticator shows for it")
        .arg(user("Whom it is for; the superuser may say anyone"))
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["terminal", "svg", "png"])
                .default_value("terminal")
                .help("The form of the picture"),
        )
        .arg(path("file", "Where to put the picture, in a new file for its owner alone [default: standard output]"))
        .arg(config())
}

fn status() -> Command {
    Command::new("status")
        .about("Show the policy, and who is enrolled, as a table")
        .arg(Arg::new("subject").value_name("USER").help("Just this user"))
        .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).help("Show also who is not enrolled"))
        .arg(config())
}

fn unlock() -> Command {
    Command::new("unlock")
        .about("Forget a user's wrong codes, and with them every lock")
        .arg(Arg::new("subject").value_name("USER").required(true).help("The account, mailbox or team user"))
        .arg(config())
}

fn keys() -> Command {
    let rotate = "Make a new key, reseal every secret under it while logins go on, and retire the older keys; repeated \
                  after it was cut off, it finishes what was begun";
    Command::new("keys")
        .about("Show and change the keys that secrets are sealed under")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("list").about("Show each key, whether it seals, and how many secrets it has").arg(config()),
        )
        .subcommand(Command::new("rotate").about(rotate).arg(config()))
}

fn audit() -> Command {
    let option = |name, help| Arg::new(name).long(name).value_name("NAME").help(help);
    let events = PossibleValuesParser::new(Event::ALL.map(Event::name));
    let since = "No lines from before: a duration (2h, 7days), a day or a time in UTC (2026-01-31T12:00:00)";
    Command::new("audit")
        .about("Show the audit trail: every change and every verdict, oldest first")
        .arg(option("user", "Only lines about this user"))
        .arg(option("caller", "Only lines of this caller"))
        .arg(option("event", "Only lines of this event").value_name("EVENT").value_parser(events))
        .arg(option("function", "Only lines of this function"))
        .arg(option("address", "Only logins from this address").value_name("ADDRESS"))
        .arg(option("since", since).value_name("TIME"))
        .arg(option("until", "No lines from then on; in the same notation").value_name("TIME"))
        .arg(
            Arg::new("follow")
                .long("follow")
                .short('f')
                .action(ArgAction::SetTrue)
                .help("Go on with lines as they come"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("JSON, one object a line"))
        .arg(config())
}

fn doctor() -> Command {
    Command::new("doctor")
        .about("Check configuration, store, permissions, account directory and clock, and say how to mend them")
        .arg(config())
}

fn generate() -> Command {
    Command::new("generate")
        .about("Write shell completions and manual pages below a folder such as /usr/local/share")
        .arg(Arg::new("folder").value_name("FOLDER").required(true).value_parser(value_parser!(PathBuf)))
}

fn user(help: &'static str) -> Arg {
    Arg::new("user").long("user").value_name("USER").help(help)
}

fn config() -> Arg {
    path("config", "The configuration file [default: TFA_CONFIG, /etc/tfa/tfa.toml or /etc/tfa/tfa.json]")
}

fn path(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("PATH").value_parser(value_parser!(PathBuf)).help(help)
}
