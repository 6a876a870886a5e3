/*
 * Every function of the header, called in the documented way: envelopes and key order to the letter (contract sections
 * 2 to 6), and the reasons of contract section 5.
 */
#include "support.h"

#include <stdlib.h>

/* The directory of these tests. */
#define ACCOUNTS                                                                                                       \
    "\"accounts\": {\"inline\": {\"reseller1\": {\"reseller\": 1, \"domain\": \"reseller.example\"},"                  \
    " \"example\": {\"owner\": \"reseller1\", \"domain\": \"example.com\", \"team\": [\"team_user\"]},"                \
    " \"other\": {\"domain\": \"other.example\"}}}"

/* What a WHM function answers when there is no data, with data, and when it fails. */
#define WHM_DONE(function) "{\"metadata\":{\"command\":\"" function "\",\"reason\":\"OK\",\"result\":1,\"version\":1}}"
#define WHM_DATA(function, data)                                                                                       \
    "{\"data\":" data ",\"metadata\":{\"command\":\"" function "\",\"reason\":\"OK\",\"result\":1,\"version\":1}}"
#define WHM_FAILED(function, why)                                                                                      \
    "{\"metadata\":{\"command\":\"" function "\",\"reason\":\"" why "\",\"result\":0,\"version\":1}}"

/* The same for UAPI. */
#define UAPI_DATA(data)                                                                                                \
    "{\"data\":" data ",\"errors\":null,\"messages\":null,\"metadata\":{},\"status\":1,\"warnings\":null}"
#define UAPI_FAILED(why)                                                                                               \
    "{\"data\":null,\"errors\":[\"" why "\"],\"messages\":null,\"metadata\":{},\"status\":0,\"warnings\":null}"

static void versions(void)
{
    ok(tfa_version() == tfa_version(), "the version is static");
    is_text(tfa_version(), "0.1.0", "the version");
    is_number(tfa_abi_version(), TFA_ABI_VERSION, "the library and the header have the same binary interface");
    tfa_free(NULL);
    tfa_close(NULL);
    ok(true, "NULL can be freed and closed");
}

static void function_list(void)
{
    const char *list = taken(tfa_functions());
    is_number(size_at(list, ""), 25, "there are 25 functions");
    is_text(at(list, "4"),
            "{\"name\":\"twofactorauth_set_tfa_config\",\"door\":\"whm\",\"module\":null,"
            "\"symbol\":\"tfa_twofactorauth_set_tfa_config\",\"callers\":\"resellers\",\"parameters\":["
            "{\"name\":\"secret\",\"type\":\"string\",\"required\":true,"
            "\"description\":\"The shared secret: 16 to 128 characters of Base32.\"},"
            "{\"name\":\"tfa_token\",\"type\":\"string\",\"required\":true,"
            "\"description\":\"The code that the authenticator shows for the secret.\"}],"
            "\"description\":\"Enrols the caller, when the code proves that its authenticator has the secret.\"}",
            "a WHM function is described");
    is_text(at(list, "20/symbol"), "tfa_uapi_get_user_configuration", "a UAPI function has a symbol");
    is_text(at(list, "20/module"), "TwoFactorAuth", "and a module");
    is_text(at(list, "15/name"), "applist", "a function about other calls");
    is_text(at(list, "15/symbol"), "null", "has no symbol");
}

static void policy(tfa_t *tfa)
{
    is_text(taken(tfa_twofactorauth_policy_status(tfa, "root", NULL)),
            WHM_DATA("twofactorauth_policy_status", "{\"is_enabled\":0}"), "the policy is off at first");
    is_text(taken(tfa_uapi_generate_user_configuration(tfa, "example", NULL)),
            UAPI_FAILED("Two-factor authentication is not enabled on this server."), "UAPI generates nothing then");
    is_text(taken(tfa_uapi_set_user_configuration(tfa, "example", "{\"secret\": \"CAOXW75HKYJJ6E5Y\", \"tfa_token\": 1}")),
            UAPI_FAILED("Two-factor authentication is not enabled on this server."), "nor sets");
    is_text(taken(tfa_twofactorauth_enable_policy(tfa, "root", "{}")), WHM_DONE("twofactorauth_enable_policy"),
            "root enables it");
    is_text(taken(tfa_twofactorauth_policy_status(tfa, "reseller1", "{}")),
            WHM_DATA("twofactorauth_policy_status", "{\"is_enabled\":1}"), "a reseller sees it enabled");
    is_text(taken(tfa_twofactorauth_disable_policy(tfa, "root", NULL)), WHM_DONE("twofactorauth_disable_policy"),
            "root disables it");
    is_text(taken(tfa_whmapi1(tfa, "root", "twofactorauth_enable_policy", NULL)), WHM_DONE("twofactorauth_enable_policy"),
            "and enables it by name");
}

static void issuers(tfa_t *tfa)
{
    is_text(taken(tfa_twofactorauth_get_issuer(tfa, "reseller1", NULL)),
            WHM_DATA("twofactorauth_get_issuer",
                     "{\"issuer\":\"server.example.com\",\"system_wide_issuer\":\"server.example.com\"}"),
            "the host name is the issuer at first");
    is_text(taken(tfa_twofactorauth_set_issuer(tfa, "root", "{\"issuer\": \"Example Hosting\"}")),
            WHM_DONE("twofactorauth_set_issuer"), "root sets the system-wide issuer");
    is_text(taken(tfa_twofactorauth_set_issuer(tfa, "reseller1", "{\"issuer\": \"R & D: \\u00fc\"}")),
            WHM_DONE("twofactorauth_set_issuer"), "a reseller sets its own");
    is_text(taken(tfa_twofactorauth_get_issuer(tfa, "reseller1", NULL)),
            WHM_DATA("twofactorauth_get_issuer",
                     "{\"issuer\":\"R & D: \u00fc\",\"system_wide_issuer\":\"Example Hosting\"}"),
            "and sees both");
    is_text(at(uapi(tfa, "example", "generate_user_configuration", NULL), "errors"), "null", "an account gets a secret");
    has_text(at(uapi(tfa, "example", "generate_user_configuration", NULL), "data/otpauth_str"),
             "otpauth://totp/R%20%26%20D%3A%20%C3%BC:example?secret=", "from its reseller");
    is_text(taken(tfa_twofactorauth_set_issuer(tfa, "reseller1", "{\"issuer\": \"\"}")),
            WHM_DONE("twofactorauth_set_issuer"), "an empty issuer is set");
    is_text(at(whm(tfa, "reseller1", "twofactorauth_get_issuer", NULL), "data/issuer"), "Example Hosting",
            "and restores the default");
}

/* Enrols root through WHM; answers nothing, the secret is kept in `secret`. */
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
            "root gets a secret");
    is_text(at(whm(tfa, "root", "twofactorauth_login_status", "{\"user\": \"root\"}"), "data/is_enabled"), "0",
            "nothing is stored by that");
    long step = step_now();
    is_text(taken(tfa_twofactorauth_set_tfa_config(
                tfa, "root", text("{\"secret\": \"%s\", \"tfa_token\": \"%s\"}", secret, wrong_code(secret, step)))),
            WHM_FAILED("twofactorauth_set_tfa_config", "The security code is invalid."), "a wrong code enrols nobody");
    const char *args = text("{\"secret\": \"%s\", \"tfa_token\": \"%s\"}", secret, code(secret, step));
    is_text(taken(tfa_twofactorauth_set_tfa_config(tfa, "root", args)),
            WHM_DATA("twofactorauth_set_tfa_config", "{\"success\":1}"), "the right code enrols root");
    is_text(taken(tfa_twofactorauth_set_tfa_config(tfa, "root", args)),
            WHM_FAILED("twofactorauth_set_tfa_config", "The security code has already been used."),
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
            "it gets a secret");
    is_text(taken(tfa_uapi_set_user_configuration(
                tfa, "example",
                text("{\"secret\": \"%s\", \"tfa_token\": \"%s\"}", secret, code(secret, step_now())))),
            UAPI_DATA("{\"tfa_configured\":1}"), "and enrols");
    is_text(taken(tfa_uapi_get_user_configuration(tfa, "example", NULL)),
            UAPI_DATA("{\"is_enabled\":1,\"issuer\":\"Example Hosting\"}"), "and sees it");
    is_text(taken(tfa_uapi_get_team_user_configuration(tfa, "example", "{\"team_user\": \"team_user\"}")),
            UAPI_DATA("{\"is_enabled\":0,\"issuer\":\"Example Hosting\"}"), "its team user is not enrolled");
    is_text(taken(tfa_uapi(tfa, "example", "TwoFactorAuth", "get_user_configuration", NULL)),
            UAPI_DATA("{\"is_enabled\":1,\"issuer\":\"Example Hosting\"}"), "UAPI works by name as well");
}

static void login(tfa_t *tfa, const char *secret)
{
    long step = step_now();
    is_text(taken(tfa_twofactorauth_login_status(tfa, "root", "{\"user\": \"example\"}")),
            WHM_DATA("twofactorauth_login_status",
                     "{\"required\":1,\"is_enabled\":1,\"locked\":0,\"retry_after\":0,\"failures\":0,"
                     "\"recovery_codes_left\":0}"),
            "the account needs a code now");
    is_text(taken(tfa_twofactorauth_verify_login(
                tfa, "root",
                text("{\"user\": \"example\", \"tfa_token\": \"%s\", \"remote_addr\": \"192.0.2.1\"}",
                     code(secret, step + 1)))),
            WHM_DATA("twofactorauth_verify_login",
                     "{\"required\":1,\"verified\":1,\"method\":\"totp\",\"locked\":0,\"retry_after\":0,\"reason\":null}"),
            "the next code lets it in");
    is_text(taken(tfa_twofactorauth_verify_login(
                tfa, "root",
                text("{\"user\": \"example\", \"tfa_token\": \"%s\"}", code(secret, step + 1)))),
            WHM_DATA("twofactorauth_verify_login",
                     "{\"required\":1,\"verified\":0,\"method\":null,\"locked\":0,\"retry_after\":0,"
                     "\"reason\":\"The security code has already been used.\"}"),
            "and not again");
    is_number(tfa_login(tfa, "example", wrong_code(secret, step)), TFA_DENIED, "a wrong code does not");
    is_number(tfa_login(tfa, "other", NULL), TFA_NOT_REQUIRED, "an account without 2FA needs none");
    is_text(taken(tfa_twofactorauth_unlock_user(tfa, "root", "{\"user\": \"example\"}")),
            WHM_DONE("twofactorauth_unlock_user"), "root unlocks it");
}

static void recovery(tfa_t *tfa)
{
    const char *answer = taken(tfa_uapi_generate_recovery_codes(tfa, "example", NULL));
    is_text(answer, text(UAPI_DATA("{\"recovery_codes\":%s}"), at(answer, "data/recovery_codes")),
            "the account gets recovery codes");
    is_number(size_at(answer, "data/recovery_codes"), 10, "ten of them");
    is_text(taken(tfa_twofactorauth_verify_login(
                tfa, "root",
                text("{\"user\": \"example\", \"tfa_token\": \"%s\"}", at(answer, "data/recovery_codes/3")))),
            WHM_DATA("twofactorauth_verify_login",
                     "{\"required\":1,\"verified\":1,\"method\":\"recovery\",\"locked\":0,\"retry_after\":0,"
                     "\"reason\":null}"),
            "one of them lets it in");
    answer = taken(tfa_twofactorauth_generate_recovery_codes(tfa, "root", NULL));
    is_text(answer,
            text(WHM_DATA("twofactorauth_generate_recovery_codes", "{\"recovery_codes\":%s}"),
                 at(answer, "data/recovery_codes")),
            "root gets its own");
    is_text(taken(tfa_uapi_generate_recovery_codes(tfa, "other", NULL)),
            UAPI_FAILED("Two-factor authentication is not configured for \\\"other\\\"."),
            "without 2FA there are none");
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
            "root lists just one");
    is_text(taken(tfa_twofactorauth_get_tfa_config_for_user(tfa, "root", "{\"user\": \"example\"}")),
            text(WHM_DATA("twofactorauth_get_tfa_config_for_user",
                          "{\"example\":{\"email\":{},\"primary_account\":{\"secret\":\"%s\"},\"team\":{}}}"),
                 secret),
            "root reads an account's secret");
    is_text(taken(tfa_twofactorauth_set_tfa_config_for_user(
                tfa, "root",
                "{\"example\": {\"email\": {\"user@example.com\": {\"secret\": \"AAAABBBBCCCCDDDD\"}},"
                " \"team\": {\"team_user@example\": {\"secret\": \"ddddccccbbbbaaaa\"}}}}")),
            WHM_DONE("twofactorauth_set_tfa_config_for_user"), "root gives secrets to a mailbox and a team user");
    is_text(taken(tfa_twofactorauth_get_tfa_config_for_user(tfa, "root", "{\"user\": \"example\"}")),
            text(WHM_DATA("twofactorauth_get_tfa_config_for_user",
                          "{\"example\":{\"email\":{\"user@example.com\":{\"secret\":\"AAAABBBBCCCCDDDD\"}},"
                          "\"primary_account\":{\"secret\":\"%s\"},"
                          "\"team\":{\"team_user@example\":{\"secret\":\"DDDDCCCCBBBBAAAA\"}}}}"),
                 secret),
            "they have them, and the account keeps its own");
    is_text(at(whm(tfa, "root", "twofactorauth_get_tfa_config_for_user", "{\"user\": \"root\"}"),
               "data/root/primary_account/secret"),
            root_secret, "root reads its own secret");
}

/* The functions about other calls, and a web server's requests: the wire formats have their own tests. */
static void other_doors(tfa_t *tfa)
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
    has_text(at(answer, "content_type"), "application/json", "in JSON");
    is_text(at(taken(tfa_http(tfa, "root", "GET", "/elsewhere", NULL)), "status"), "404", "another path is not ours");
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
            "a reseller removes what is its own, and cannot tell what is not from what does not exist");
    is_text(taken(tfa_twofactorauth_remove_user_config(tfa, "root", "{\"user-7\": \"nobody\"}")),
            WHM_DATA("twofactorauth_remove_user_config",
                     "{\"failed\":{\"nobody\":\"The user \\\"nobody\\\" does not exist.\"},\"users_modified\":[]}"),
            "root is told that a user does not exist");
    is_text(taken(tfa_uapi_remove_user_configuration(tfa, "user@example.com", NULL)),
            UAPI_DATA("{\"tfa_removed\":1}"), "a mailbox removes its own");
    is_text(taken(tfa_twofactorauth_get_user_configs(tfa, "root", NULL)),
            WHM_DATA("twofactorauth_get_user_configs",
                     "{\"example\":{\"is_enabled\":0,\"primary_domain\":\"example.com\"},"
                     "\"other\":{\"is_enabled\":0,\"primary_domain\":\"other.example\"},"
                     "\"reseller1\":{\"is_enabled\":0,\"primary_domain\":\"reseller.example\"},"
                     "\"root\":{\"is_enabled\":1,\"primary_domain\":\"\"}}"),
            "root lists everybody, and root alone is left");
}

/* Reasons of contract section 5 that no other check has met. */
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
        is_text(at(answer, "data"), "(absent)", "and there is no data");
    }
    char *issuer = repeated("i", 129);
    is_text(reason(whm(tfa, "root", "twofactorauth_set_issuer", "{\"issuer\": \"%s\"}", issuer)),
            "The parameter \"issuer\" is not valid: it has more than 128 characters.", "an issuer has a limit");
    free(issuer);
    is_text(taken(tfa_uapi(tfa, "example", "Email", "list_pops", NULL)),
            UAPI_FAILED("The module \\\"Email\\\" does not exist."), "another UAPI module");
    is_text(taken(tfa_uapi(tfa, "example", "TwoFactorAuth", "x", NULL)),
            UAPI_FAILED("The function \\\"x\\\" does not exist in the module \\\"TwoFactorAuth\\\"."),
            "an unknown UAPI function");
}

/* RFC 4226 appendix D and RFC 6238 appendix B. */
static void codes(void)
{
    static const uint8_t seed[] = "1234567890123456789012345678901234567890123456789012345678901234";
    static const long hotp[] = {755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489};
    for (size_t counter = 0; counter < COUNT(hotp); counter++) {
        is_number(tfa_generate_hotp(seed, 20, TFA_SHA1, 6, counter), hotp[counter], "RFC 4226, counter %zu", counter);
    }
    static const struct {
        uint64_t time;
        long codes[3];
    } totp[] = {
        {59, {94287082, 46119246, 90693936}},          {1111111109, {7081804, 68084774, 25091201}},
        {1111111111, {14050471, 67062674, 99943326}},  {1234567890, {89005924, 91819424, 93441116}},
        {2000000000, {69279037, 90698825, 38618901}},  {20000000000, {65353130, 77737706, 47863826}},
    };
    static const struct {
        uint32_t algorithm;
        size_t length;
    } hashes[] = {{TFA_SHA1, 20}, {TFA_SHA256, 32}, {TFA_SHA512, 64}};
    for (size_t row = 0; row < COUNT(totp); row++) {
        for (size_t hash = 0; hash < COUNT(hashes); hash++) {
            is_number(tfa_generate_totp(seed, hashes[hash].length, hashes[hash].algorithm, 8, 30, totp[row].time),
                      totp[row].codes[hash], "RFC 6238, hash %u at %llu", hashes[hash].algorithm,
                      (unsigned long long)totp[row].time);
        }
    }
    uint64_t step = 7;
    is_number(tfa_verify_totp(seed, 20, TFA_SHA1, 8, 30, 1, 59 + 30, "9428 7082", &step), 1, "a code one step old is right");
    is_number((long)step, 1, "and its step is told");
    is_number(tfa_verify_totp(seed, 20, TFA_SHA1, 8, 30, 1, 59 + 60, "94287082", &step), 0, "two steps old is wrong");
    is_number(tfa_verify_totp(seed, 20, TFA_SHA1, 8, 30, 1, 59 + 30, "94287082", NULL), 1, "the step need not be asked for");
    const char *base32 = "gezd gnbv gy3t qojq gezd gnbv gy3t qojq";
    for (int away = -2; away <= 2; away++) {
        is_number(tfa_verify_totp_base32(base32, "287 082", (uint64_t)(59 + 30 * away)), away >= -1 && away <= 1,
                  "check: %d steps away", away);
    }
}

static void plain_functions(void)
{
    uint8_t bytes[8] = {0};
    is_number(tfa_decode_base32("mzxw 6ytb-oi======", bytes, sizeof(bytes)), 6, "Base32 is decoded");
    ok(memcmp(bytes, "foobar\0\0", 8) == 0, "into the bytes, and no further");
    is_number(tfa_decode_base32("MZXW6YTBOI", NULL, 0), 6, "the length alone can be asked for");
    is_number(tfa_decode_base32("MZXW6YTBOI", bytes, 5), -1, "five bytes are no room for six");
    is_number((long)strlen(at(taken(tfa_generate_secret(NULL)), "secret")), 32, "a secret of its own has 32 characters");
    is_number((long)strlen(at(taken(tfa_generate_secret("{\"length\": 128}")), "secret")), 128, "or as many as asked for");
    const char *uri = "{\"otpauth_str\":\"otpauth://totp/Example%20Hosting:root?secret=CAOXW75HKYJJ6E5Y"
                      "&issuer=Example%20Hosting\"}";
    is_text(taken(tfa_build_otpauth("{\"secret\": \"caox w75h kyjj 6e5y\", \"account\": \"root\", \"issuer\": \"Example Hosting\"}")),
            uri, "the URI of the contract");
    is_text(taken(tfa_parse_otpauth(uri)),
            "{\"type\":\"totp\",\"secret\":\"CAOXW75HKYJJ6E5Y\",\"account\":\"root\",\"issuer\":\"Example Hosting\","
            "\"algorithm\":\"SHA1\",\"digits\":6,\"period\":30}",
            "and its parts");
    const char *counter = taken(tfa_build_otpauth("{\"secret\": \"CAOXW75HKYJJ6E5Y\", \"account\": \"a\", \"counter\": 9}"));
    is_text(taken(tfa_parse_otpauth(counter)),
            "{\"type\":\"hotp\",\"secret\":\"CAOXW75HKYJJ6E5Y\",\"account\":\"a\",\"issuer\":\"\","
            "\"algorithm\":\"SHA1\",\"digits\":6,\"period\":30,\"counter\":9}",
            "the parts of one with a counter");
    const char *svg = taken(tfa_draw_qr("{\"text\": \"otpauth://totp/a\"}"));
    is_text(at(svg, "content_type"), "image/svg+xml", "a QR code is an SVG picture");
    has_text(at(svg, "qr"), "<svg xmlns=\"http://www.w3.org/2000/svg\"", "of its own");
    const char *png = taken(tfa_draw_qr("{\"text\": \"otpauth://totp/a\", \"format\": \"png\"}"));
    ok(strncmp(at(png, "qr"), "iVBORw0KGgo", 11) == 0, "or a PNG in Base64");
    is_text(at(taken(tfa_draw_qr("{\"text\": \"otpauth://totp/a\", \"format\": \"terminal\"}")), "content_type"), "text/plain",
            "or text for a terminal");
}

static int32_t nobody(void *context, const char *question, const char *name, void *reply)
{
    (void)question, (void)name, (void)reply;
    ++*(int *)context;
    return 0;
}

static void lookups(tfa_t *tfa)
{
    int asked = 0;
    is_number(tfa_set_lookup(tfa, nobody, &asked), 1, "a lookup takes the place of the directory");
    is_number(tfa_login(tfa, "example", NULL), TFA_UNANSWERED, "whom it does not know is kept out");
    ok(asked > 0, "it was asked");
    is_number(tfa_reply(NULL, "{}"), 0, "a reply to nothing is refused");
}

static void ignores(void *context, const char *line)
{
    (void)context;
    (void)line;
}

static void heard(void *context, const char *line)
{
    char *copy = context;
    snprintf(copy, 512, "%s", line);
}

struct asking {
    tfa_t *tfa;
    int calls;
};

/* Writes with the handle that is calling, and lends its ear to somebody else. */
static void asks(void *context, const char *line)
{
    struct asking *asking = context;
    asking->calls++;
    if (asking->calls == 1) {
        is_text(at(line, "event"), "policy_disabled", "a line comes in the call that writes it");
        ok(worked(whm(asking->tfa, "root", "twofactorauth_enable_policy", NULL)), "which may write with the same handle");
    } else {
        is_text(at(line, "event"), "policy_enabled", "what it writes comes back to it");
        is_number(tfa_set_audit(asking->tfa, ignores, NULL), 1, "and it may give its place to another");
    }
}

static void audit(tfa_t *tfa)
{
    char line[512] = "";
    is_number(tfa_set_audit(tfa, heard, line), 1, "the host hears of the audit trail");
    is_number(tfa_set_audit(tfa, NULL, line), 0, "without a function it does not");
    is_number(tfa_set_audit(NULL, heard, line), 0, "nor without a handle");
    ok(worked(whm(tfa, "root", "twofactorauth_enable_policy", NULL)), "the policy is turned on");
    is_text(at(line, "event"), "policy_enabled", "and the host is told what");
    is_text(at(line, "caller"), "root", "by whom");
    is_text(at(line, "function"), "twofactorauth_enable_policy", "and how");

    struct asking asking = {tfa, 0};
    is_number(tfa_set_audit(tfa, asks, &asking), 1, "another hears in its place");
    ok(worked(whm(tfa, "root", "twofactorauth_disable_policy", NULL)), "the policy is turned off");
    is_number(asking.calls, 2, "each line is told once");
    ok(worked(whm(tfa, "root", "twofactorauth_enable_policy", NULL)), "the policy is turned on again");
    is_number(asking.calls, 2, "and to whoever hears now");
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
    other_doors(tfa);
    removal(tfa);
    reasons(tfa);
    audit(tfa);
    lookups(tfa);
    tfa_close(tfa);
    codes();
    plain_functions();
    return done();
}
