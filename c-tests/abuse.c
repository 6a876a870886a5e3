/*
 * Requests that no caller should send: NULL, bad UTF-8, bad JSON, megabytes, nesting, control characters.
 *
 * Each is an error, never a crash, and a refused request leaves the store's files as they were, byte by byte.
 */
#include "bad_texts.h"
#include "support.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

/* A function, and its symbol if it has one. */
struct function {
    char name[64];
    char *(*call)(tfa_t *tfa, const char *caller, const char *args);
};

/* The function at an index of the library's list. */
static struct function function_at(const char *list, long place)
{
    struct function function = {.call = NULL};
    snprintf(function.name, sizeof(function.name), "%s", at(list, text("%ld/name", place)));
    const char *symbol = at(list, text("%ld/symbol", place));
    void *address = dlsym(RTLD_DEFAULT, symbol);
    if (address == NULL && strcmp(symbol, "null") != 0) {
        die("there is no symbol %s", symbol);
    }
    memcpy(&function.call, &address, sizeof(function.call));
    return function;
}

static const char *call(const struct function *function, tfa_t *tfa, const char *caller, const char *args)
{
    return taken(function->call ? function->call(tfa, caller, args) : tfa_whmapi1(tfa, caller, function->name, args));
}

/* Every function, by its symbol, with invalid handles, callers and arguments. */
static void every_function(const struct place *place, tfa_t *tfa)
{
    char *list = tfa_functions();
    unsigned long long before = fingerprint(place);
    ok(size_at(list, "") > 0, "the library lists its functions");
    for (long number = 0; number < size_at(list, ""); number++) {
        struct function function = function_at(list, number);
        const char *name = function.name;
        ok(refused(call(&function, NULL, "root", "{}")), "%s: no handle", name);
        is_text(reason(call(&function, tfa, NULL, "{}")), "The parameter \"caller\" is required.", "%s: no caller", name);
        is_text(reason(call(&function, tfa, "ro\xc3ot", "{}")), "The parameter \"caller\" is not valid: it is not UTF-8.",
                "%s: a caller of bad UTF-8", name);
        ok(refused(call(&function, tfa, "root\x1b[2J", "{}")), "%s: a caller with control characters", name);
        ok(refused(call(&function, tfa, bad_texts[TWO_MIB].args, "{}")), "%s: a caller of 2 MiB", name);
        for (size_t bad = 0; bad < bad_count; bad++) {
            ok(refused(call(&function, tfa, "root", bad_texts[bad].args)), "%s: %s", name, bad_texts[bad].what);
        }
        ok(refused(call(&function, NULL, NULL, NULL)), "%s: all arguments NULL", name);
    }
    tfa_free(list);
    ok(fingerprint(place) == before, "the store's files are unchanged");
}

static void by_name(const struct place *place, tfa_t *tfa)
{
    unsigned long long before = fingerprint(place);
    char *long_name = bad_texts[TWO_MIB].args;
    ok(refused(taken(tfa_whmapi1(tfa, "root", NULL, "{}"))), "WHM: no function");
    ok(refused(taken(tfa_whmapi1(tfa, "root", "\xff", "{}"))), "WHM: a function of bad UTF-8");
    ok(refused(taken(tfa_whmapi1(tfa, "root", "", "{}"))), "WHM: an empty function");
    ok(refused(taken(tfa_whmapi1(tfa, "root", "\x01\n\"</reason>", "{}"))), "WHM: a function of control characters");
    ok(refused(taken(tfa_whmapi1(tfa, "root", long_name, "{}"))), "WHM: a function of 2 MiB");
    ok(refused(taken(tfa_whmapi1(NULL, NULL, NULL, NULL))), "WHM: all arguments NULL");
    ok(refused(taken(tfa_uapi(tfa, "root", NULL, "get_user_configuration", "{}"))), "UAPI: no module");
    ok(refused(taken(tfa_uapi(tfa, "root", "TwoFactorAuth", NULL, "{}"))), "UAPI: no function");
    ok(refused(taken(tfa_uapi(tfa, "root", "\xff", "\xff", "{}"))), "UAPI: bad UTF-8");
    ok(refused(taken(tfa_uapi(tfa, "root", long_name, long_name, "{}"))), "UAPI: 2 MiB");
    ok(refused(taken(tfa_uapi(NULL, NULL, NULL, NULL, NULL))), "UAPI: all arguments NULL");
    ok(fingerprint(place) == before, "the store's files are unchanged");
}

/* Valid JSON with values that every function refuses. */
static void bad_values(const struct place *place, tfa_t *tfa)
{
    static const char *const users[] = {
        "a\\u0001b", "a\\u0007", "a\\nb", "\\u009b", "a b", "a/b", "../etc", "a:b", "a\\\"b", "a'b", "@", "a@", "@b",
        "a@b@c", "\\u2028", " ",
    };
    static const char *const functions[] = {
        "twofactorauth_login_status",          "twofactorauth_verify_login",
        "twofactorauth_unlock_user",           "twofactorauth_get_user_configs",
        "twofactorauth_get_tfa_config_for_user",
    };
    unsigned long long before = fingerprint(place);
    for (size_t user = 0; user < COUNT(users); user++) {
        for (size_t function = 0; function < COUNT(functions); function++) {
            is_text(reason(whm(tfa, "root", functions[function], "{\"user\": \"%s\", \"tfa_token\": \"1\"}", users[user])),
                    "The parameter \"user\" is not valid: it is not the name of a user.", "%s: user \"%s\"",
                    functions[function], users[user]);
        }
        const char *answer = whm(tfa, "root", "twofactorauth_remove_user_config", "{\"user\": \"%s\"}", users[user]);
        is_number(size_at(answer, "data/failed"), 1, "remove_user_config: user \"%s\" fails", users[user]);
        answer = whm(tfa, "root", "twofactorauth_set_tfa_config_for_user",
                     "{\"%s\": {\"primary_account\": {\"secret\": \"AAAABBBBCCCCDDDD\"}}}", users[user]);
        ok(refused(answer), "set_tfa_config_for_user: user \"%s\"", users[user]);
    }
    /* jansson refuses a key with a NUL, so this one is searched as text. */
    has_text(whm(tfa, "root", "twofactorauth_remove_user_config", "{\"user\": \"a\\u0000b\"}"),
             "\"failed\":{\"a\\u0000b\":", "remove_user_config: a user with a NUL fails");
    static const char *const values[] = {"[]", "{}", "true", "-1", "1.5", "1e99", "99999999999999999999999"};
    for (size_t value = 0; value < COUNT(values); value++) {
        ok(refused(whm(tfa, "root", "twofactorauth_verify_login", "{\"user\": \"example\", \"tfa_token\": %s}",
                       values[value])),
           "verify_login: a token of %s", values[value]);
        ok(refused(whm(tfa, "root", "twofactorauth_set_tfa_config", "{\"secret\": %s, \"tfa_token\": \"123456\"}",
                       values[value])),
           "set_tfa_config: a secret of %s", values[value]);
        ok(refused(whm(tfa, "root", "twofactorauth_login_status", "{\"user\": %s}", values[value])),
           "login_status: a user of %s", values[value]);
        ok(refused(whm(tfa, "root", "twofactorauth_set_issuer", "{\"issuer\": %s}", values[value])),
           "set_issuer: an issuer of %s", values[value]);
    }
    char *token = repeated("1", 257);
    ok(refused(whm(tfa, "root", "twofactorauth_verify_login", "{\"user\": \"example\", \"tfa_token\": \"%s\"}", token)),
       "verify_login: a token of 257 characters");
    free(token);
    ok(refused(whm(tfa, "root", "twofactorauth_verify_login",
                   "{\"user\": \"example\", \"tfa_token\": \"1\", \"remote_addr\": \"\\u0007\"}")),
       "verify_login: an address with control characters");
    ok(fingerprint(place) == before, "the store's files are unchanged");
}

static void web_requests(const struct place *place, tfa_t *tfa)
{
    static const char path[] = "/json-api/twofactorauth_enable_policy?api.version=1";
    unsigned long long before = fingerprint(place);
    is_text(at(taken(tfa_http(NULL, "root", "GET", path, NULL)), "status"), "400", "http: no handle");
    is_text(at(taken(tfa_http(tfa, NULL, "GET", path, NULL)), "status"), "400", "http: no caller");
    is_text(at(taken(tfa_http(tfa, "root", NULL, path, NULL)), "status"), "400", "http: no method");
    is_text(at(taken(tfa_http(tfa, "root", "GET", NULL, NULL)), "status"), "400", "http: no target");
    is_text(at(taken(tfa_http(NULL, NULL, NULL, NULL, NULL)), "status"), "400", "http: all arguments NULL");
    is_text(at(taken(tfa_http(tfa, "\xff", "GET", path, NULL)), "status"), "400", "http: a caller of bad UTF-8");
    is_text(at(taken(tfa_http(tfa, "root", "GET", "/\xff", NULL)), "status"), "400", "http: a target of bad UTF-8");
    is_text(at(taken(tfa_http(tfa, "root", "POST", path, "\xff")), "status"), "400", "http: a body of bad UTF-8");
    is_text(at(taken(tfa_http(tfa, "root", "DELETE", path, NULL)), "status"), "400", "http: another method");
    is_text(at(taken(tfa_http(tfa, "root", "GET", bad_texts[TWO_MIB].args, NULL)), "status"), "400", "http: a target of 2 MiB");
    is_text(at(taken(tfa_http(tfa, "root", "POST", path, bad_texts[TWO_MIB].args)), "status"), "400", "http: a body of 2 MiB");
    is_text(at(taken(tfa_http(tfa, "root", "POST", path, "{\"user\":")), "status"), "400", "http: half an object");
    char *nested = around("{\"user\": ", repeated("[", 10000), "");
    is_text(at(taken(tfa_http(tfa, "root", "POST", path, nested)), "status"), "400", "http: 10,000 brackets");
    free(nested);
    ok(fingerprint(place) == before, "the store's files are unchanged");
}

static void login(const struct place *place, tfa_t *tfa)
{
    unsigned long long before = fingerprint(place);
    is_number(tfa_login(NULL, "example", "123456"), TFA_UNANSWERED, "login: no handle");
    is_number(tfa_login(tfa, NULL, "123456"), TFA_UNANSWERED, "login: no subject");
    is_number(tfa_login(tfa, "", "123456"), TFA_UNANSWERED, "login: an empty subject");
    is_number(tfa_login(tfa, "\xff", "123456"), TFA_UNANSWERED, "login: a subject of bad UTF-8");
    is_number(tfa_login(tfa, "example\n", "123456"), TFA_UNANSWERED, "login: a subject with control characters");
    is_number(tfa_login(tfa, bad_texts[TWO_MIB].args, "123456"), TFA_UNANSWERED, "login: a subject of 2 MiB");
    is_number(tfa_login(tfa, "example", "\xff"), TFA_UNANSWERED, "login: a code of bad UTF-8");
    is_number(tfa_login(tfa, "example", bad_texts[TWO_MIB].args), TFA_DENIED, "login: a code of 2 MiB");
    is_number(tfa_login(NULL, NULL, NULL), TFA_UNANSWERED, "login: all arguments NULL");
    is_number(tfa_login(tfa, "example", NULL), TFA_DENIED, "login: an enrolled subject needs a code");
    ok(fingerprint(place) == before, "the store's files are unchanged");
    is_number(tfa_set_lookup(NULL, NULL, NULL), 0, "set_lookup: all arguments NULL");
    is_number(tfa_set_lookup(tfa, NULL, NULL), 0, "set_lookup: no function");
    is_number(tfa_login(tfa, "example", NULL), TFA_DENIED, "set_lookup: the directory is unchanged");
}

int main(void)
{
    make_bad_texts();
    struct place place = new_place();
    furnish(&place);
    tfa_t *tfa = open_at(&place, WIDE);
    every_function(&place, tfa);
    by_name(&place, tfa);
    bad_values(&place, tfa);
    web_requests(&place, tfa);
    login(&place, tfa);
    tfa_close(tfa);
    free_bad_texts();
    return done();
}
