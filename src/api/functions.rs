// The rows: every function of the panel's API that this library has, in the order of the contract.
//
// This file is read twice. `registry` makes the table that every door reads from it; `build.rs` makes the C symbols from
// it. The header, the reference, the bindings and the command line follow. A row has the API and the name, who may call
// the function, whether it reads or changes something, a sentence, the parameters, an example (the caller and its
// parameters as JSON, in which {secret} and {code} stand for a secret and its present code), and the handler.

functions! {
    Whm "twofactorauth_enable_policy" {
        callers: Root,
        effect: Changes,
        about: "Enables two-factor authentication on this server.",
        parameters: [],
        example: ("root", "{}"),
        handler: whm::policy::enable,
    }
    Whm "twofactorauth_disable_policy" {
        callers: Root,
        effect: Changes,
        about: "Disables two-factor authentication on this server. Enrolments are kept.",
        parameters: [],
        example: ("root", "{}"),
        handler: whm::policy::disable,
    }
    Whm "twofactorauth_policy_status" {
        callers: RootAndResellers,
        effect: Reads,
        about: "Returns whether two-factor authentication is enabled.",
        parameters: [],
        example: ("root", "{}"),
        handler: whm::policy::status,
    }
    Whm "twofactorauth_generate_tfa_config" {
        callers: RootAndResellers,
        effect: Reads,
        about: "Generates a secret for the caller. Nothing is stored.",
        parameters: [],
        example: ("root", "{}"),
        handler: whm::enrolment::generate,
    }
    Whm "twofactorauth_set_tfa_config" {
        callers: RootAndResellers,
        effect: Changes,
        about: "Enrols the caller with a secret, once a code shows that the authenticator has it.",
        parameters: [SECRET, TOKEN, CURRENT_TOKEN],
        example: ("root", r#"{"secret": "{secret}", "tfa_token": "{code}"}"#),
        handler: whm::enrolment::set,
    }
    Whm "twofactorauth_get_issuer" {
        callers: RootAndResellers,
        effect: Reads,
        about: "Returns the caller's issuer and the system-wide issuer.",
        parameters: [],
        example: ("root", "{}"),
        handler: whm::policy::get_issuer,
    }
    Whm "twofactorauth_set_issuer" {
        callers: RootAndResellers,
        effect: Changes,
        about: "Sets the system-wide issuer (root) or the caller's own issuer (a reseller).",
        parameters: [required("issuer", "At most 128 characters. An empty value restores the default.")],
        example: ("root", r#"{"issuer": "Example Hosting"}"#),
        handler: whm::policy::set_issuer,
    }
    Whm "twofactorauth_get_user_configs" {
        callers: RootAndResellers,
        effect: Reads,
        about: "Lists the caller and its accounts, and whether each is enrolled.",
        parameters: [optional("user", "Restricts the list to this user.")],
        example: ("root", "{}"),
        handler: whm::users::list,
    }
    Whm "twofactorauth_remove_user_config" {
        callers: RootAndResellers,
        effect: Changes,
        about: "Removes the enrolments of one or more users.",
        parameters: [
            required("user", "The account, mailbox or team user; user-0 can stand in its place."),
            optional("user-0", "The first of several users; user-1 and so on follow."),
            CURRENT_TOKEN,
        ],
        example: ("root", r#"{"user-0": "example", "user-1": "nobody"}"#),
        handler: whm::users::remove,
    }
    Whm "twofactorauth_get_tfa_config_for_user" {
        callers: Root,
        effect: Reads,
        about: "Returns the secrets of an account, its mailboxes and its team users.",
        parameters: [required("user", "The account.")],
        example: ("root", r#"{"user": "example"}"#),
        handler: whm::secrets::get,
    }
    Whm "twofactorauth_set_tfa_config_for_user" {
        callers: Root,
        effect: Changes,
        about: "Sets the secrets of users, replacing their enrolments: all of them, or none.",
        parameters: [object(
            "*",
            "By account, the answer of twofactorauth_get_tfa_config_for_user; sections can be left out. An entry has secret, and can have algorithm, digits and period.",
        )],
        example: (
            "root",
            r#"{"example": {"email": {"user@example.com": {"secret": "{secret}"}}, "primary_account": {"secret": "{secret}"}, "team": {}}}"#
        ),
        handler: whm::secrets::set,
    }
    Whm "twofactorauth_login_status" {
        callers: Root,
        effect: Reads,
        about: "Returns whether a login of a user needs a code, and the state of the user's locks and recovery codes.",
        parameters: [USER, KIND],
        example: ("root", r#"{"user": "example"}"#),
        handler: whm::login::status,
    }
    Whm "twofactorauth_verify_login" {
        callers: Root,
        effect: Changes,
        about: "Verifies a login code. Each code is accepted at most once.",
        parameters: [
            USER,
            KIND,
            required("tfa_token", "The one-time code or recovery code that the user entered."),
            optional("remote_addr", "The IP address that the login comes from, for the audit trail."),
        ],
        example: ("root", r#"{"user": "example", "tfa_token": "{code}", "remote_addr": "192.0.2.1"}"#),
        handler: whm::login::verify,
    }
    Whm "twofactorauth_unlock_user" {
        callers: RootAndResellers,
        effect: Changes,
        about: "Resets a user's failed-attempt count and lifts any lock.",
        parameters: [USER, KIND],
        example: ("root", r#"{"user": "example"}"#),
        handler: whm::login::unlock,
    }
    Whm "twofactorauth_generate_recovery_codes" {
        callers: RootAndResellers,
        effect: Changes,
        about: "Generates ten recovery codes for the caller. Earlier codes are revoked.",
        parameters: [CURRENT_TOKEN],
        example: ("root", "{}"),
        handler: whm::enrolment::generate_recovery_codes,
    }
    Whm "twofactorauth_resolve_user" {
        callers: Root,
        effect: Reads,
        about: "Resolves a name to its canonical spelling, the account that it belongs to, and that account's owner.",
        parameters: [USER, KIND],
        example: ("root", r#"{"user": "user@example.com"}"#),
        handler: whm::users::resolve,
    }
    Whm "twofactorauth_rename_user" {
        callers: Root,
        effect: Changes,
        about: "Moves everything of an account and its team users to the account's new name: all of it, or nothing.",
        parameters: [
            required("user", "The account's name until now."),
            required("new_name", "Its new name, which must not have two-factor authentication data yet."),
        ],
        example: ("root", r#"{"user": "example", "new_name": "renamed"}"#),
        handler: whm::lifecycle::rename,
    }
    Whm "twofactorauth_remove_account" {
        callers: Root,
        effect: Changes,
        about: "Removes everything of an account, its mailboxes and its team users.",
        parameters: [required("user", "The account.")],
        example: ("root", r#"{"user": "example"}"#),
        handler: whm::lifecycle::remove,
    }
    Whm "applist" {
        callers: RootAndResellers,
        effect: Reads,
        about: "Lists the WHM functions that the caller may call.",
        parameters: [],
        example: ("root", "{}"),
        handler: meta::applist,
    }
    Whm "batch" {
        callers: RootAndResellers,
        effect: Changes,
        about: "Calls several WHM functions, one after the other.",
        parameters: [
            required("command", "A function and its parameters as in a URL; repeated, or command-0 and so on."),
            optional("abort_on_error", "1 ends the batch at the first command that fails."),
        ],
        example: (
            "root",
            r#"{"command": ["twofactorauth_policy_status", "twofactorauth_get_user_configs?user=example"], "abort_on_error": "1"}"#
        ),
        handler: meta::batch,
    }
    Whm "uapi_cpanel" {
        callers: RootAndResellers,
        effect: Changes,
        about: "Calls a UAPI function on behalf of a user.",
        parameters: [
            required("cpanel.user", "The account, mailbox or team user to act for."),
            required("cpanel.module", "TwoFactorAuth."),
            required("cpanel.function", "The UAPI function; its own parameters stand beside these."),
        ],
        example: (
            "root",
            r#"{"cpanel.user": "example", "cpanel.module": "TwoFactorAuth", "cpanel.function": "get_user_configuration"}"#
        ),
        handler: meta::uapi_cpanel,
    }
    Whm "cpanel" {
        callers: RootAndResellers,
        effect: Changes,
        about: "Calls a UAPI function on behalf of a user, and returns its answer in cPanel's envelope.",
        parameters: [
            required("cpanel_jsonapi_apiversion", "3, which is UAPI."),
            required("cpanel_jsonapi_user", "The account, mailbox or team user to act for."),
            required("cpanel_jsonapi_module", "TwoFactorAuth."),
            required("cpanel_jsonapi_func", "The UAPI function; its own parameters stand beside these."),
        ],
        example: (
            "root",
            r#"{"cpanel_jsonapi_user": "example", "cpanel_jsonapi_module": "TwoFactorAuth", "cpanel_jsonapi_func": "get_user_configuration", "cpanel_jsonapi_apiversion": "3"}"#
        ),
        handler: meta::cpanel,
    }
    Uapi "generate_user_configuration" {
        callers: Everybody,
        effect: Reads,
        about: "Generates a secret for the caller. Nothing is stored.",
        parameters: [],
        example: ("other", "{}"),
        handler: uapi::generate_user_configuration,
    }
    Uapi "get_user_configuration" {
        callers: Everybody,
        effect: Reads,
        about: "Returns whether the caller is enrolled, and its issuer.",
        parameters: [],
        example: ("example", "{}"),
        handler: uapi::get_user_configuration,
    }
    Uapi "set_user_configuration" {
        callers: Everybody,
        effect: Changes,
        about: "Enrols the caller with a secret, once a code shows that the authenticator has it.",
        parameters: [SECRET, TOKEN, CURRENT_TOKEN],
        example: ("other", r#"{"secret": "{secret}", "tfa_token": "{code}"}"#),
        handler: uapi::set_user_configuration,
    }
    Uapi "remove_user_configuration" {
        callers: Everybody,
        effect: Changes,
        about: "Removes the caller's enrolment.",
        parameters: [CURRENT_TOKEN],
        example: ("example", "{}"),
        handler: uapi::remove_user_configuration,
    }
    Uapi "get_team_user_configuration" {
        callers: Everybody,
        effect: Reads,
        about: "Returns whether a team user of the caller is enrolled, and its issuer.",
        parameters: [required(
            "team_user",
            "One of the caller's team users, with or without its account or domain.",
        )],
        example: ("example", r#"{"team_user": "team_user"}"#),
        handler: uapi::get_team_user_configuration,
    }
    Uapi "generate_recovery_codes" {
        callers: Everybody,
        effect: Changes,
        about: "Generates ten recovery codes for the caller. Earlier codes are revoked.",
        parameters: [CURRENT_TOKEN],
        example: ("example", "{}"),
        handler: whm::enrolment::generate_recovery_codes,
    }
}
