//! The table of all functions: every door reads it, and nothing is callable that is not in it.

use super::answer::Outcome;
use super::{Request, meta, uapi, whm};

/// The UAPI module that this library is.
pub const MODULE: &str = "TwoFactorAuth";

/// What begins the names of the WHM functions that are about two-factor authentication; the others are about calls.
const PREFIX: &str = "twofactorauth_";

/// Which API a function belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// WHM API 1.
    Whm,
    /// UAPI, module [`MODULE`].
    Uapi,
}

/// Who may call a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// Root alone.
    Root,
    /// Root and resellers.
    RootAndResellers,
    /// Whoever exists.
    Everybody,
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is: `string`, `object`.
    pub kind: &'static str,
    /// Whether a call without it is refused.
    pub required: bool,
    /// What it means.
    pub about: &'static str,
}

/// One function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Where it is called.
    pub door: Door,
    /// By whom.
    pub callers: Callers,
    /// With what.
    pub parameters: &'static [Parameter],
    /// What it does, in a line.
    pub about: &'static str,
    pub(super) handler: fn(&Request<'_>) -> Outcome,
}

const fn required(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: "string", required: true, about }
}

const fn optional(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: "string", required: false, about }
}

const SECRET: Parameter = required("secret", "The shared secret: 16 to 128 characters of Base32.");
const TOKEN: Parameter = required("tfa_token", "The code that the authenticator shows for the secret.");
const USER: Parameter = required("user", "The account, mailbox or team user.");

/// All functions, in the order of the contract.
pub static FUNCTIONS: &[Function] = &[
    Function {
        name: "twofactorauth_enable_policy",
        door: Door::Whm,
        callers: Callers::Root,
        parameters: &[],
        about: "Asks for second factors from now on.",
        handler: whm::enable_policy,
    },
    Function {
        name: "twofactorauth_disable_policy",
        door: Door::Whm,
        callers: Callers::Root,
        parameters: &[],
        about: "Asks for no second factor any more; enrolments are kept.",
        handler: whm::disable_policy,
    },
    Function {
        name: "twofactorauth_policy_status",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[],
        about: "Tells whether second factors are asked for.",
        handler: whm::policy_status,
    },
    Function {
        name: "twofactorauth_generate_tfa_config",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[],
        about: "Proposes a new secret for the caller; nothing is stored.",
        handler: whm::generate_tfa_config,
    },
    Function {
        name: "twofactorauth_set_tfa_config",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[SECRET, TOKEN],
        about: "Enrols the caller, when the code proves that its authenticator has the secret.",
        handler: whm::set_tfa_config,
    },
    Function {
        name: "twofactorauth_get_issuer",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[],
        about: "Tells the caller's issuer and the system-wide one.",
        handler: whm::get_issuer,
    },
    Function {
        name: "twofactorauth_set_issuer",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[required("issuer", "At most 128 characters; an empty value restores the default.")],
        about: "Sets the system-wide issuer (root) or the caller's own (a reseller).",
        handler: whm::set_issuer,
    },
    Function {
        name: "twofactorauth_get_user_configs",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[optional("user", "Just this one.")],
        about: "Lists the caller and its accounts, and whether they are enrolled.",
        handler: whm::get_user_configs,
    },
    Function {
        name: "twofactorauth_remove_user_config",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[
            optional("user", "Whom to remove; user or user-0 is needed."),
            optional("user-0", "The first of several; user-1 and so on follow."),
        ],
        about: "Removes the enrolments of the named users.",
        handler: whm::remove_user_config,
    },
    Function {
        name: "twofactorauth_get_tfa_config_for_user",
        door: Door::Whm,
        callers: Callers::Root,
        parameters: &[required("user", "The account.")],
        about: "Tells the secrets of an account, its mailboxes and its team users.",
        handler: whm::get_tfa_config_for_user,
    },
    Function {
        name: "twofactorauth_set_tfa_config_for_user",
        door: Door::Whm,
        callers: Callers::Root,
        parameters: &[Parameter {
            name: "*",
            kind: "object",
            required: true,
            about: "By account, what twofactorauth_get_tfa_config_for_user answers; sections may be left out.",
        }],
        about: "Gives users the secrets named, in place of all they had; all of them or none.",
        handler: whm::set_tfa_config_for_user,
    },
    Function {
        name: "twofactorauth_login_status",
        door: Door::Whm,
        callers: Callers::Root,
        parameters: &[USER],
        about: "Tells whether a user has to give a code, and how the user stands.",
        handler: whm::login_status,
    },
    Function {
        name: "twofactorauth_verify_login",
        door: Door::Whm,
        callers: Callers::Root,
        parameters: &[
            USER,
            required("tfa_token", "The code or recovery code that the user gave."),
            optional("remote_addr", "Where the login comes from, for the audit trail."),
        ],
        about: "Judges a login: lets in at most once for each code.",
        handler: whm::verify_login,
    },
    Function {
        name: "twofactorauth_unlock_user",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[USER],
        about: "Forgets a user's wrong codes, and with them every lock.",
        handler: whm::unlock_user,
    },
    Function {
        name: "twofactorauth_generate_recovery_codes",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[],
        about: "Makes ten recovery codes for the caller; the ones before die.",
        handler: whm::generate_recovery_codes,
    },
    Function {
        name: "applist",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[],
        about: "Lists the WHM functions that the caller may call.",
        handler: meta::applist,
    },
    Function {
        name: "batch",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[
            required("command", "A function and its parameters as in a URL; repeated, or command-0 and so on."),
            optional("abort_on_error", "1: the first command that fails is the last."),
        ],
        about: "Calls several WHM functions, one after the other.",
        handler: meta::batch,
    },
    Function {
        name: "uapi_cpanel",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[
            required("cpanel.user", "The account, mailbox or team user to act for."),
            required("cpanel.module", "TwoFactorAuth."),
            required("cpanel.function", "The UAPI function; its own parameters stand beside these."),
        ],
        about: "Calls a UAPI function for a user.",
        handler: meta::uapi_cpanel,
    },
    Function {
        name: "cpanel",
        door: Door::Whm,
        callers: Callers::RootAndResellers,
        parameters: &[
            required("cpanel_jsonapi_apiversion", "3, which is UAPI."),
            required("cpanel_jsonapi_user", "The account, mailbox or team user to act for."),
            required("cpanel_jsonapi_module", "TwoFactorAuth."),
            required("cpanel_jsonapi_func", "The UAPI function; its own parameters stand beside these."),
        ],
        about: "Calls a UAPI function for a user, and answers in cPanel's envelope.",
        handler: meta::cpanel,
    },
    Function {
        name: "generate_user_configuration",
        door: Door::Uapi,
        callers: Callers::Everybody,
        parameters: &[],
        about: "Proposes a new secret for the caller; nothing is stored.",
        handler: uapi::generate_user_configuration,
    },
    Function {
        name: "get_user_configuration",
        door: Door::Uapi,
        callers: Callers::Everybody,
        parameters: &[],
        about: "Tells whether the caller is enrolled, and its issuer.",
        handler: uapi::get_user_configuration,
    },
    Function {
        name: "set_user_configuration",
        door: Door::Uapi,
        callers: Callers::Everybody,
        parameters: &[SECRET, TOKEN],
        about: "Enrols the caller, when the code proves that its authenticator has the secret.",
        handler: uapi::set_user_configuration,
    },
    Function {
        name: "remove_user_configuration",
        door: Door::Uapi,
        callers: Callers::Everybody,
        parameters: &[],
        about: "Removes the caller's enrolment.",
        handler: uapi::remove_user_configuration,
    },
    Function {
        name: "get_team_user_configuration",
        door: Door::Uapi,
        callers: Callers::Everybody,
        parameters: &[required("team_user", "One of the caller's team users, with or without its account or domain.")],
        about: "Tells whether a team user is enrolled, and its issuer.",
        handler: uapi::get_team_user_configuration,
    },
    Function {
        name: "generate_recovery_codes",
        door: Door::Uapi,
        callers: Callers::Everybody,
        parameters: &[],
        about: "Makes ten recovery codes for the caller; the ones before die.",
        handler: uapi::generate_recovery_codes,
    },
];

/// The function of that name behind that door.
pub fn find(door: Door, name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.door == door && function.name == name)
}

impl Function {
    /// The C symbol that calls it. The functions about other calls have none: `tfa_whmapi1` reaches them by name.
    pub fn symbol(&self) -> Option<String> {
        match self.door {
            Door::Whm => self.name.starts_with(PREFIX).then(|| format!("tfa_{}", self.name)),
            Door::Uapi => Some(format!("tfa_uapi_{}", self.name)),
        }
    }
}
