/*
 * The API functions, called as documented: exact envelopes with the order of keys (contract sections 2 to 6), and the
 * reasons of contract section 5.
 */
#include "support.h"

#include <dlfcn.h>
#include <stdlib.h>

/* The directory of these tests. */
#define ACCOUNTS                                                                                                       \
    "\"accounts\": {\"inline\": {\"reseller1\": {\"reseller\": 1, \"domain\": \"reseller.example\"},"                  \
    " \"example\": {\"owner\": \"reseller1\", \"domain\": \"example.com\", \"team\": [\"team_user\"]},"                \
    " \"other\": {\"domain\": \"other.example\"}}}"

/* Answers of a WHM function: without data, with data, and a failure. */
#define WHM_DONE(function) "{\"metadata\":{\"command\":\"" function "\",\"reason\":\"OK\",\"result\":1,\"version\":1}}"
#define WHM_DATA(function, data)                                                                                       \
    "{\"data\":" data ",\"metadata\":{\"command\":\"" function "\",\"reason\":\"OK\",\"result\":1,\"version\":1}}"
#define WHM_FAILED(function, why, reason_code)                                                                         \
    "{\"metadata\":{\"command\":\"" function "\",\"reason\":\"" why "\",\"reason_code\":\"" reason_code                      \
    "\",\"result\":0,\"version\":1}}"

/* The same for UAPI. */
#define UAPI_DATA(data)                                                                                                \
    "{\"data\":" data ",\"errors\":null,\"messages\":null,\"metadata\":{},\"status\":1,\"warnings\":null}"
#define UAPI_FAILED(why, reason_code)                                                                                  \
    "{\"data\":null,\"errors\":[\"" why "\"],\"messages\":null,\"metadata\":{\"reason_code\":\"" reason_code                 \
    "\"},\"status\":0,\"warnings\":null}"

static void versions(void)
{
    ok(tfa_version() == tfa_version(), "the version is static");
    is_text(tfa_version(), "0.1.0", "the version");
    is_number(tfa_abi_version(), TFA_ABI_VERSION, "the library and the header have the same binary interface");
    tfa_free(NULL);
    tfa_close(NULL);
    ok(true, "NULL can be freed and closed");
}

/* The entry of a function in the list; "(absent)" when it is not there. */
static const char *entry_of(const char *list, const char *name)
{
    for (long place = 0; place < size_at(list, ""); place++) {
        if (strcmp(at(list, text("%ld/name", place)), name) == 0) {
            return at(list, text("%ld", place));
        }
    }
    return "(absent)";
}

/* Every entry says what a caller needs to know, and names a symbol that the library exports. */
static void every_entry(const char *list)
{
    for (long place = 0; place < size_at(list, ""); place++) {
        const char *entry = at(list, text("%ld", place)), *name = at(entry, "name"), *symbol = at(entry, "symbol");
        bool is_uapi = strcmp(at(entry, "api"), "uapi") == 0;
        is_text(at(entry, "api"), is_uapi ? "uapi" : "whm", "%s: the API", name);
        is_text(at(entry, "module"), is_uapi ? "TwoFactorAuth" : "null", "%s: the module", name);
        ok(strlen(at(entry, "description")) > 10, "%s: the description", name);
        ok(size_at(entry, "parameters") >= 0, "%s: the parameters", name);
        bool has_symbol = is_uapi || strncmp(name, "twofactorauth_", 14) == 0;
        is_text(symbol, has_symbol ? text("tfa_%s%s", is_uapi ? "uapi_" : "", name) : "null", "%s: the symbol", name);
        ok(!has_symbol || dlsym(RTLD_DEFAULT, symbol) != NULL, "%s: the library exports it", name);
    }
}

static void function_list(void)
{
    const char *list = taken(tfa_functions());
    every_entry(list);
    const char *entry = entry_of(list, "twofactorauth_set_tfa_config");
    is_text(at(entry, "callers"), "resellers", "set_tfa_config: who may call it");
    is_text(at(entry, "parameters/0"),
            "{\"name\":\"secret\",\"type\":\"string\",\"required\":true,"
            "\"description\":\"The shared secret: 16 to 128 characters of Base32.\"}",
            "set_tfa_config: a parameter");
    is_text(at(entry_of(list, "applist"), "symbol"), "null", "applist has no symbol");
}

static void policy(tfa_t *tfa)
{
    is_text(taken(tfa_twofactorauth_policy_status(tfa, "root", NULL)),
            WHM_DATA("twofactorauth_policy_status", "{\"is_enabled\":0}"), "the policy is disabled at first");
    is_text(taken(tfa_uapi_generate_user_configuration(tfa, "example", NULL)),
            UAPI_FAILED("Two-factor authentication is not enabled on this server.", "policy_disabled"), "with the policy disabled, UAPI does not generate a secret");
    is_text(taken(tfa_uapi_set_user_configuration(tfa, "example", "{\"secret\": \"CAOXW75HKYJJ6E5Y\", \"tfa_token\": 1}")),
            UAPI_FAILED("Two-factor authentication is not enabled on this server.", "policy_disabled"), "and does not enrol");
    is_text(taken(tfa_twofactorauth_enable_policy(tfa, "root", "{}")), WHM_DONE("twofactorauth_enable_policy"),
            "root enables the policy");
    is_text(taken(tfa_twofactorauth_policy_status(tfa, "reseller1", "{}")),
            WHM_DATA("twofactorauth_policy_status", "{\"is_enabled\":1}"), "a reseller reads the policy");
    is_text(taken(tfa_twofactorauth_disable_policy(tfa, "root", NULL)), WHM_DONE("twofactorauth_disable_policy"),
            "root disables the policy");
    is_text(taken(tfa_whmapi1(tfa, "root", "twofactorauth_enable_policy", NULL)), WHM_DONE("twofactorauth_enable_policy"),
            "root enables the policy by the name of the function");
}

static void issuers(tfa_t *tfa)
{
    is_text(taken(tfa_twofactorauth_get_issuer(tfa, "reseller1", NULL)),
            WHM_DATA("twofactorauth_get_issuer",
                     "{\"issuer\":\"server.example.com\",\"system_wide_issuer\":\"server.example.com\"}"),
            "the host name is the default issuer");
    is_text(taken(tfa_twofactorauth_set_issuer(tfa, "root", "{\"issuer\": \"Example Hosting\"}")),
            WHM_DONE("twofactorauth_set_issuer"), "root sets the system-wide issuer");
    is_text(taken(tfa_twofactorauth_set_issuer(tfa, "reseller1", "{\"issuer\": \"R & D: \\u00fc\"}")),
            WHM_DONE("twofactorauth_set_issuer"), "a reseller sets its own issuer");
    is_text(taken(tfa_twofactorauth_get_issuer(tfa, "reseller1", NULL)),
            WHM_DATA("twofactorauth_get_issuer",
                     "{\"issuer\":\"R & D: \u00fc\",\"system_wide_issuer\":\"Example Hosting\"}"),
            "a reseller reads both issuers");
    is_text(at(uapi(tfa, "example", "generate_user_configuration", NULL), "errors"), "null", "an account generates a secret");
    has_text(at(uapi(tfa, "example", "generate_user_configuration", NULL), "data/otpauth_str"),
             "otpauth://totp/R%20%26%20D%3A%20%C3%BC:example?secret=", "the issuer is that of its reseller");
    is_text(taken(tfa_twofactorauth_set_issuer(tfa, "reseller1", "{\"issuer\": \"\"}")),
            WHM_DONE("twofactorauth_set_issuer"), "a reseller sets an empty issuer");
    is_text(at(whm(tfa, "reseller1", "twofactorauth_get_issuer", NULL), "data/issuer"), "Example Hosting",
            "an empty issuer restores the default");
}

/* Enrols root through WHM, and writes the secret to `secret`. */
static void whm_enrolment(tfa_t *tfa, char secret[SECRET_SIZE])
{
    const char *answer = taken(tfa_twofactorauth_generate_tfa_config(tfa, "root", NULL));
    snprintf(secret, SECRET_SIZE, "%s", at(answer, "data/secret"));
    is_number((long)strlen(secret), 16, "a secret has 16 characters");
    is_text(answer,
            text(WHM_DATA("twofactorauth_generate_tfa_config",
                          "{\"otpauth_str\":\"otpauth://totp/Example%%20Hosting:root?secret=%s&issuer=Example%%20Hosting\","
                          "\"secret\":\"%s\"}"),
                 secret, secret),
            "root generates a secret");
    is_text(at(whm(tfa, "root", "twofactorauth_login_status", "{\"user\": \"root\"}"), "data/is_enabled"), "0",
            "a generated secret is not stored");
    long step = step_now();
    is_text(taken(tfa_twofactorauth_set_tfa_config(
                tfa, "root", text("{\"secret\": \"%s\", \"tfa_token\": \"%s\"}", secret, wrong_code(secret, step)))),
            WHM_FAILED("twofactorauth_set_tfa_config", "The security code is invalid.", "invalid_code"), "an invalid code does not enrol");
    const char *args = text("{\"secret\": \"%s\", \"tfa_token\": \"%s\"}", secret, code(secret, step));
    is_text(taken(tfa_twofactorauth_set_tfa_config(tfa, "root", args)),
            WHM_DATA("twofactorauth_set_tfa_config", "{\"success\":1}"), "the valid code enrols root");
    is_text(taken(tfa_twofactorauth_set_tfa_config(tfa, "root", args)),
            WHM_FAILED("twofactorauth_set_tfa_config", "The security code has already been used.", "used_code"),
            "the same code does not enrol again");
}

static void uapi_enrolment(tfa_t *tfa, char secret[SECRET_SIZE])
{
    is_text(taken(tfa_uapi_get_user_configuration(tfa, "example", NULL)),
            UAPI_DATA("{\"is_enabled\":0,\"issuer\":\"Example Hosting\"}"), "an account is not enrolled at first");
    const char *answer = taken(tfa_uapi_generate_user_configuration(tfa, "example", NULL));
    snprintf(secret, SECRET_SIZE, "%s", at(answer, "data/secret"));
    is_text(answer,
            text(UAPI_DATA("{\"otpauth_str\":\"otpauth://totp/Example%%20Hosting:example?secret=%s"
                           "&issuer=Example%%20Hosting\",\"secret\":\"%s\"}"),
                 secret, secret),
            "an account generates a secret");
    is_text(taken(tfa_uapi_set_user_configuration(
                tfa, "example",
                text("{\"secret\": \"%s\", \"tfa_token\": \"%s\"}", secret, code(secret, step_now())))),
            UAPI_DATA("{\"tfa_configured\":1}"), "an account enrols");
    is_text(taken(tfa_uapi_get_user_configuration(tfa, "example", NULL)),
            UAPI_DATA("{\"is_enabled\":1,\"issuer\":\"Example Hosting\"}"), "an account reads its configuration");
    is_text(taken(tfa_uapi_get_team_user_configuration(tfa, "example", "{\"team_user\": \"team_user\"}")),
            UAPI_DATA("{\"is_enabled\":0,\"issuer\":\"Example Hosting\"}"), "an account reads the configuration of its team user");
    is_text(taken(tfa_uapi(tfa, "example", "TwoFactorAuth", "get_user_configuration", NULL)),
            UAPI_DATA("{\"is_enabled\":1,\"issuer\":\"Example Hosting\"}"), "UAPI functions are called by name too");
}

static void login(tfa_t *tfa, const char *secret)
{
    long step = step_now();
    is_text(taken(tfa_twofactorauth_login_status(tfa, "root", "{\"user\": \"example\"}")),
            WHM_DATA("twofactorauth_login_status",
                     "{\"required\":1,\"is_enabled\":1,\"locked\":0,\"retry_after\":0,\"failures\":0,"
                     "\"recovery_codes_left\":0}"),
            "an enrolled account needs a code");
    is_text(taken(tfa_twofactorauth_verify_login(
                tfa, "root",
                text("{\"user\": \"example\", \"tfa_token\": \"%s\", \"remote_addr\": \"192.0.2.1\"}",
                     code(secret, step + 1)))),
            WHM_DATA("twofactorauth_verify_login",
                     "{\"required\":1,\"verified\":1,\"method\":\"totp\",\"locked\":0,\"retry_after\":0,\"reason\":null,\"reason_code\":null}"),
            "the next code is accepted");
    is_text(taken(tfa_twofactorauth_verify_login(
                tfa, "root",
                text("{\"user\": \"example\", \"tfa_token\": \"%s\"}", code(secret, step + 1)))),
            WHM_DATA("twofactorauth_verify_login",
                     "{\"required\":1,\"verified\":0,\"method\":null,\"locked\":0,\"retry_after\":0,"
                     "\"reason\":\"The security code has already been used.\",\"reason_code\":\"used_code\"}"),
            "a used code is denied");
    is_number(tfa_login(tfa, "example", wrong_code(secret, step)), TFA_DENIED, "an invalid code is denied");
    is_number(tfa_login(tfa, "other", NULL), TFA_NOT_REQUIRED, "an account that is not enrolled needs no code");
    is_text(taken(tfa_twofactorauth_unlock_user(tfa, "root", "{\"user\": \"example\"}")),
            WHM_DONE("twofactorauth_unlock_user"), "root lifts a lock");
}

static void recovery(tfa_t *tfa)
{
    const char *answer = taken(tfa_uapi_generate_recovery_codes(tfa, "example", NULL));
    is_text(answer, text(UAPI_DATA("{\"recovery_codes\":%s}"), at(answer, "data/recovery_codes")),
            "an account generates recovery codes");
    is_number(size_at(answer, "data/recovery_codes"), 10, "there are ten recovery codes");
    is_text(taken(tfa_twofactorauth_verify_login(
                tfa, "root",
                text("{\"user\": \"example\", \"tfa_token\": \"%s\"}", at(answer, "data/recovery_codes/3")))),
            WHM_DATA("twofactorauth_verify_login",
                     "{\"required\":1,\"verified\":1,\"method\":\"recovery\",\"locked\":0,\"retry_after\":0,"
                     "\"reason\":null,\"reason_code\":null}"),
            "a recovery code is accepted");
    answer = taken(tfa_twofactorauth_generate_recovery_codes(tfa, "root", NULL));
    is_text(answer,
            text(WHM_DATA("twofactorauth_generate_recovery_codes", "{\"recovery_codes\":%s}"),
                 at(answer, "data/recovery_codes")),
            "root generates recovery codes");
    is_text(taken(tfa_uapi_generate_recovery_codes(tfa, "other", NULL)),
            UAPI_FAILED("Two-factor authentication is not configured for \\\"other\\\".", "not_configured"),
            "without an enrolment there are no recovery codes");
}

static void lists(tfa_t *tfa, const char *root_secret, const char *secret)
{
    is_text(taken(tfa_twofactorauth_get_user_configs(tfa, "reseller1", NULL)),
            WHM_DATA("twofactorauth_get_user_configs",
                     "{\"example\":{\"is_enabled\":1,\"primary_domain\":\"example.com\"},"
                     "\"reseller1\":{\"is_enabled\":0,\"primary_domain\":\"reseller.example\"}}"),
            "a reseller lists itself and its accounts");
    is_text(taken(tfa_twofactorauth_get_user_configs(tfa, "root", "{\"user\": \"other\"}")),
            WHM_DATA("twofactorauth_get_user_configs", "{\"other\":{\"is_enabled\":0,\"primary_domain\":\"other.example\"}}"),
            "root lists one account");
    is_text(taken(tfa_twofactorauth_get_tfa_config_for_user(tfa, "root", "{\"user\": \"example\"}")),
            text(WHM_DATA("twofactorauth_get_tfa_config_for_user",
                          "{\"example\":{\"email\":{},\"primary_account\":{\"secret\":\"%s\"},\"team\":{}}}"),
                 secret),
            "root reads an account's secret");
    is_text(taken(tfa_twofactorauth_set_tfa_config_for_user(
                tfa, "root",
                "{\"example\": {\"email\": {\"user@example.com\": {\"secret\": \"AAAABBBBCCCCDDDD\"}},"
                " \"team\": {\"team_user@example\": {\"secret\": \"ddddccccbbbbaaaa\"}}}}")),
            WHM_DONE("twofactorauth_set_tfa_config_for_user"), "root sets the secrets of a mailbox and a team user");
    is_text(taken(tfa_twofactorauth_get_tfa_config_for_user(tfa, "root", "{\"user\": \"example\"}")),
            text(WHM_DATA("twofactorauth_get_tfa_config_for_user",
                          "{\"example\":{\"email\":{\"user@example.com\":{\"secret\":\"AAAABBBBCCCCDDDD\"}},"
                          "\"primary_account\":{\"secret\":\"%s\"},"
                          "\"team\":{\"team_user@example\":{\"secret\":\"DDDDCCCCBBBBAAAA\"}}}}"),
                 secret),
            "the account keeps its own secret");
    is_text(at(whm(tfa, "root", "twofactorauth_get_tfa_config_for_user", "{\"user\": \"root\"}"),
               "data/root/primary_account/secret"),
            root_secret, "root reads its own secret");
}

/* The functions that call others, and an HTTP request; the wire formats have their own tests. */
static void other_calls(tfa_t *tfa)
{
    is_text(at(whm(tfa, "root", "applist", NULL), "data/app/0"), "twofactorauth_enable_policy",
            "the functions that root may call are listed");
    is_text(at(whm(tfa, "root", "uapi_cpanel",
                   "{\"cpanel.user\": \"example\", \"cpanel.module\": \"TwoFactorAuth\","
                   " \"cpanel.function\": \"get_user_configuration\"}"),
               "data/uapi"),
            UAPI_DATA("{\"is_enabled\":1,\"issuer\":\"Example Hosting\"}"), "root calls UAPI for an account");
    const char *answer = taken(tfa_http(
        tfa, "root", "GET", "/cpsess0123456789/json-api/twofactorauth_policy_status?api.version=1", NULL));
    is_text(answer,
            text("{\"status\":200,\"content_type\":\"%s\",\"body\":%s}", at(answer, "content_type"),
                 "\"{\\\"data\\\":{\\\"is_enabled\\\":1},\\\"metadata\\\":{\\\"command\\\":\\\"twofactorauth_policy_status"
                 "\\\",\\\"reason\\\":\\\"OK\\\",\\\"result\\\":1,\\\"version\\\":1}}\""),
            "a web server's request is answered");
    has_text(at(answer, "content_type"), "application/json", "the response is JSON");
    is_text(at(taken(tfa_http(tfa, "root", "GET", "/elsewhere", NULL)), "status"), "404", "any other path is not found");
}

static void removal(tfa_t *tfa)
{
    is_text(taken(tfa_twofactorauth_remove_user_config(
                tfa, "reseller1",
                "{\"user\": \"example\", \"user-0\": \"team_user@example\", \"user-1\": \"other\", \"user-2\": \"nobody\"}")),
            WHM_DATA("twofactorauth_remove_user_config",
                     "{\"failed\":{\"other\":\"You are not authorized to modify \\\"other\\\"\","
                     "\"nobody\":\"You are not authorized to modify \\\"nobody\\\"\"},"
                     "\"users_modified\":[\"example\",\"team_user@example\"]}"),
            "a reseller removes its own; other and unknown users get the same error");
    is_text(taken(tfa_twofactorauth_remove_user_config(tfa, "root", "{\"user-7\": \"nobody\"}")),
            WHM_DATA("twofactorauth_remove_user_config",
                     "{\"failed\":{\"nobody\":\"The user \\\"nobody\\\" does not exist.\"},\"users_modified\":[]}"),
            "root gets another error for an unknown user");
    is_text(taken(tfa_uapi_remove_user_configuration(tfa, "user@example.com", NULL)),
            UAPI_DATA("{\"tfa_removed\":1}"), "a mailbox removes its own enrolment");
    is_text(taken(tfa_twofactorauth_get_user_configs(tfa, "root", NULL)),
            WHM_DATA("twofactorauth_get_user_configs",
                     "{\"example\":{\"is_enabled\":0,\"primary_domain\":\"example.com\"},"
                     "\"other\":{\"is_enabled\":0,\"primary_domain\":\"other.example\"},"
                     "\"reseller1\":{\"is_enabled\":0,\"primary_domain\":\"reseller.example\"},"
                     "\"root\":{\"is_enabled\":1,\"primary_domain\":\"\"}}"),
            "root lists all accounts, of which only root is enrolled");
}

/* The other reasons of contract section 5. */
static void reasons(tfa_t *tfa)
{
    static const struct {
        const char *caller, *function, *args, *reason;
    } cases[] = {
        {"root", "twofactorauth_set_tfa_config", "{\"tfa_token\": \"123456\"}", "The parameter \"secret\" is required."},
        {"root", "twofactorauth_set_tfa_config", "{\"secret\": \"CAOXW75HKYJJ6E5Y\"}",
         "The parameter \"tfa_token\" is required."},
        {"root", "twofactorauth_set_tfa_config", "{\"secret\": \"\", \"tfa_token\": \"123456\"}",
         "The parameter \"secret\" is required."},
        {"root", "twofactorauth_set_tfa_config", "{\"secret\": \"CAOXW75HKYJJ6E51\", \"tfa_token\": \"123456\"}",
         "The parameter \"secret\" is not a Base32 string of 16 to 128 characters."},
        {"root", "twofactorauth_set_tfa_config", "{\"secret\": \"CAOXW75H\", \"tfa_token\": \"123456\"}",
         "The parameter \"secret\" is not a Base32 string of 16 to 128 characters."},
        {"root", "twofactorauth_set_tfa_config", "{\"secret\": 7, \"tfa_token\": \"123456\"}",
         "The parameter \"secret\" is not valid: it is not a string."},
        {"root", "twofactorauth_set_issuer", NULL, "The parameter \"issuer\" is required."},
        {"root", "twofactorauth_set_issuer", "{\"issuer\": \"a\\u0007b\"}",
         "The parameter \"issuer\" is not valid: it has control characters."},
        {"root", "twofactorauth_remove_user_config", "{}", "The parameter \"user\" is required."},
        {"reseller1", "twofactorauth_enable_policy", NULL,
         "You are not authorized to call \"twofactorauth_enable_policy\"."},
        {"root", "twofactorauth_login_status", "{\"user\": \"nobody\"}", "The user \"nobody\" does not exist."},
        {"root", "twofactorauth_verify_login", "{\"user\": \"nobody\", \"tfa_token\": \"123456\"}",
         "The user \"nobody\" does not exist."},
        {"root", "x", NULL, "Unknown app (\"x\") requested for this version (1) of the API."},
    };
    for (size_t place = 0; place < COUNT(cases); place++) {
        const char *answer = whm(tfa, cases[place].caller, cases[place].function, cases[place].args ? "%s" : NULL,
                                 cases[place].args);
        is_text(reason(answer), cases[place].reason, "%s: %s", cases[place].function, cases[place].reason);
        is_text(at(answer, "data"), "(absent)", "%s: no data", cases[place].reason);
    }
    char *issuer = repeated("i", 129);
    is_text(reason(whm(tfa, "root", "twofactorauth_set_issuer", "{\"issuer\": \"%s\"}", issuer)),
            "The parameter \"issuer\" is not valid: it has more than 128 characters.", "an issuer has at most 128 characters");
    free(issuer);
    is_text(taken(tfa_uapi(tfa, "example", "Email", "list_pops", NULL)),
            UAPI_FAILED("The module \\\"Email\\\" does not exist.", "unknown_module"), "another UAPI module");
    is_text(taken(tfa_uapi(tfa, "example", "TwoFactorAuth", "x", NULL)),
            UAPI_FAILED("The function \\\"x\\\" does not exist in the module \\\"TwoFactorAuth\\\".", "unknown_function"),
            "an unknown UAPI function");
}

int main(void)
{
    struct place place = new_place();
    char root_secret[SECRET_SIZE], secret[SECRET_SIZE];
    versions();
    function_list();
    tfa_t *tfa = open_at(&place, WIDE ", " ACCOUNTS);
    policy(tfa);
    issuers(tfa);
    whm_enrolment(tfa, root_secret);
    uapi_enrolment(tfa, secret);
    login(tfa, secret);
    recovery(tfa);
    lists(tfa, root_secret, secret);
    other_calls(tfa);
    removal(tfa);
    reasons(tfa);
    tfa_close(tfa);
    return done();
}
