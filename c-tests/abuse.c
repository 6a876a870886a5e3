/*
 * What no well-behaved caller does: NULL, bad UTF-8, bad JSON, megabytes, nesting, control characters; configurations
 * and files that must be refused; a store that goes away.
 *
 * Each is an error answer, no crash, and a refused request leaves the store's files as they were, byte by byte.
 */
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* One argument text that is no JSON object, or too much of one. */
struct bad {
    const char *what;
    char *args;
};

/* Which of them is a string of 2 MiB. */
#define TWO_MIB 10

static struct bad bad_texts[16];
static size_t bad_count;

static void bad(const char *what, char *args)
{
    bad_texts[bad_count++] = (struct bad){what, args};
}

/* Puts three texts together; the middle one is freed. */
static char *around(const char *before, char *middle, const char *after)
{
    size_t length = strlen(before) + strlen(middle) + strlen(after) + 1;
    char *whole = malloc(length);
    if (whole == NULL) {
        die("out of memory");
    }
    snprintf(whole, length, "%s%s%s", before, middle, after);
    free(middle);
    return whole;
}

static void make_bad_texts(void)
{
    bad("an empty text", repeated("", 0));
    bad("no JSON", repeated("user=root", 1));
    bad("half an object", repeated("{\"user\": \"root\"", 1));
    bad("two objects", repeated("{}", 2));
    bad("an array", repeated("[]", 1));
    bad("a number", repeated("7", 1));
    bad("null", repeated("null", 1));
    bad("bad UTF-8", repeated("{\"user\": \"\xff\xfe\"}", 1));
    bad("a lone surrogate", repeated("{\"user\": \"\\ud800\"}", 1));
    bad("a raw control character", repeated("{\"user\": \"a\x01\"}", 1));
    bad("2 MiB", around("{\"user\": \"", repeated("a", 2 << 20), "\"}"));
    bad("2 MiB of spaces", around("{", repeated(" ", 2 << 20), "}"));
    bad("10,000 brackets", repeated("[", 10000));
    char *closing = repeated("]", 10000);
    bad("10,000 brackets, closed", around("", repeated("[", 10000), closing));
    free(closing);
    bad("10,000 objects", repeated("{\"user\":", 10000));
}

static void free_bad_texts(void)
{
    for (size_t place = 0; place < bad_count; place++) {
        free(bad_texts[place].args);
    }
}

/* A function with a symbol of its own, or, when it has none, with its name alone. */
struct function {
    char name[64];
    char *(*call)(tfa_t *tfa, const char *caller, const char *args);
};

/* The function at a place in the library's list. */
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

/* Whether an answer is an error with a reason. */
static bool refused(const char *answer)
{
    return is_json(answer) && !worked(answer) && strlen(reason(answer)) > 10;
}

/* Every function, by its symbol, with everything that is bad about handle, caller and arguments. */
static void every_function(const struct place *place, tfa_t *tfa)
{
    char *list = tfa_functions();
    unsigned long long before = fingerprint(place);
    is_number(size_at(list, ""), 25, "there are 25 functions");
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
        ok(refused(call(&function, NULL, NULL, NULL)), "%s: nothing at all", name);
    }
    tfa_free(list);
    ok(fingerprint(place) == before, "the store's files are as they were");
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
    ok(refused(taken(tfa_whmapi1(NULL, NULL, NULL, NULL))), "WHM: nothing at all");
    ok(refused(taken(tfa_uapi(tfa, "root", NULL, "get_user_configuration", "{}"))), "UAPI: no module");
    ok(refused(taken(tfa_uapi(tfa, "root", "TwoFactorAuth", NULL, "{}"))), "UAPI: no function");
    ok(refused(taken(tfa_uapi(tfa, "root", "\xff", "\xff", "{}"))), "UAPI: bad UTF-8");
    ok(refused(taken(tfa_uapi(tfa, "root", long_name, long_name, "{}"))), "UAPI: 2 MiB");
    ok(refused(taken(tfa_uapi(NULL, NULL, NULL, NULL, NULL))), "UAPI: nothing at all");
    ok(fingerprint(place) == before, "the store's files are as they were");
}

/* Well-formed JSON with values that no function takes. */
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
    /* A C program's JSON reader may refuse a key with a NUL, so this one is looked for as text. */
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
    ok(fingerprint(place) == before, "the store's files are as they were");
}

static void web_requests(const struct place *place, tfa_t *tfa)
{
    static const char path[] = "/json-api/twofactorauth_enable_policy?api.version=1";
    unsigned long long before = fingerprint(place);
    is_text(at(taken(tfa_http(NULL, "root", "GET", path, NULL)), "status"), "400", "http: no handle");
    is_text(at(taken(tfa_http(tfa, NULL, "GET", path, NULL)), "status"), "400", "http: no caller");
    is_text(at(taken(tfa_http(tfa, "root", NULL, path, NULL)), "status"), "400", "http: no method");
    is_text(at(taken(tfa_http(tfa, "root", "GET", NULL, NULL)), "status"), "400", "http: no target");
    is_text(at(taken(tfa_http(NULL, NULL, NULL, NULL, NULL)), "status"), "400", "http: nothing at all");
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
    ok(fingerprint(place) == before, "the store's files are as they were");
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
    is_number(tfa_login(tfa, "example", bad_texts[TWO_MIB].args), TFA_UNANSWERED, "login: a code of 2 MiB");
    is_number(tfa_login(NULL, NULL, NULL), TFA_UNANSWERED, "login: nothing at all");
    is_number(tfa_login(tfa, "example", NULL), TFA_DENIED, "login: the subject itself needs a code");
    ok(fingerprint(place) == before, "the store's files are as they were");
    is_number(tfa_set_lookup(NULL, NULL, NULL), 0, "set_lookup: nothing at all");
    is_number(tfa_set_lookup(tfa, NULL, NULL), 0, "set_lookup: no function");
    is_number(tfa_login(tfa, "example", NULL), TFA_DENIED, "and the directory is the one before");
}

static void without_handle(void)
{
    static const uint8_t secret[20] = "12345678901234567890";
    uint8_t bytes[8] = {0};
    is_number(tfa_generate_hotp(NULL, 20, TFA_SHA1, 6, 0), -1, "hotp: no secret");
    is_number(tfa_generate_hotp(secret, 20, 2, 6, 0), -1, "hotp: an unknown hash");
    is_number(tfa_generate_hotp(secret, 20, TFA_SHA1, 0, 0), -1, "hotp: no digits");
    is_number(tfa_generate_hotp(secret, 20, TFA_SHA1, 11, 0), -1, "hotp: eleven digits");
    is_number(tfa_generate_hotp(secret, SIZE_MAX, TFA_SHA1, 6, 0), -1, "hotp: a secret larger than memory");
    ok(tfa_generate_hotp(secret, 20, TFA_SHA1, 10, UINT64_MAX) >= 0, "hotp: the last counter of all");
    is_number(tfa_generate_totp(secret, 20, TFA_SHA1, 6, 0, 0), -1, "totp: no period");
    ok(tfa_generate_totp(secret, 20, TFA_SHA1, 6, 1, UINT64_MAX) >= 0, "totp: the end of time");
    uint64_t step = 7;
    is_number(tfa_verify_totp(secret, 20, TFA_SHA1, 6, 0, 1, 0, "123456", &step), -1, "verify: no period");
    is_number(tfa_verify_totp(secret, 20, TFA_SHA1, 6, 30, 1001, 0, "123456", &step), -1, "verify: a skew of 1001");
    is_number(tfa_verify_totp(NULL, 20, TFA_SHA1, 6, 30, 1, 0, "123456", &step), -1, "verify: no secret");
    is_number(tfa_verify_totp(secret, SIZE_MAX, TFA_SHA1, 6, 30, 1, 0, "123456", &step), -1, "verify: one larger than memory");
    is_number(tfa_verify_totp(secret, 20, TFA_SHA1, 6, 30, 1, 0, NULL, &step), 0, "verify: no code");
    is_number(tfa_verify_totp(secret, 20, TFA_SHA1, 6, 30, 1, 0, "\xff", &step), 0, "verify: a code of bad UTF-8");
    is_number(tfa_verify_totp(secret, 20, TFA_SHA1, 6, 30, 1, 0, bad_texts[TWO_MIB].args, &step), 0, "verify: a code of 2 MiB");
    is_number(tfa_verify_totp(secret, 20, TFA_SHA1, 6, 1, 1000, UINT64_MAX, "-12345", &step), 0, "verify: at the end of time");
    is_number((long)step, 7, "verify: the step is written on success alone");
    is_number(tfa_verify_totp_base32(NULL, "123456", 0), -1, "check: no secret");
    is_number(tfa_verify_totp_base32("", "123456", 0), -1, "check: an empty one");
    is_number(tfa_verify_totp_base32("MZXW6YT1", "123456", 0), -1, "check: one that is no Base32");
    is_number(tfa_verify_totp_base32(bad_texts[TWO_MIB].args, "123456", 0), -1, "check: one of 2 MiB");
    is_number(tfa_verify_totp_base32("MZXW6YTB", NULL, 0), 0, "check: no code");
    is_number(tfa_verify_totp_base32("MZXW6YTB", "\xff", 0), 0, "check: a code of bad UTF-8");
    is_number(tfa_verify_totp_base32("MZXW6YTB", bad_texts[TWO_MIB].args, UINT64_MAX), 0, "check: a code of 2 MiB at the end of time");
    is_number(tfa_decode_base32(NULL, bytes, 8), -1, "base32_decode: no text");
    is_number(tfa_decode_base32("MZXW6YT1", bytes, 8), -1, "base32_decode: a 1");
    is_number(tfa_decode_base32("\xff", bytes, 8), -1, "base32_decode: bad UTF-8");
    is_number(tfa_decode_base32(bad_texts[TWO_MIB].args, bytes, 8), -1, "base32_decode: 2 MiB");
    ok(memcmp(bytes, "\0\0\0\0\0\0\0\0", 8) == 0, "base32_decode: nothing is written on failure");
    char *(*const plain[])(const char *) = {tfa_generate_secret, tfa_build_otpauth, tfa_parse_otpauth, tfa_draw_qr};
    static const char *const names[] = {"secret", "otpauth", "otpauth_parse", "qr"};
    for (size_t function = 0; function < COUNT(plain); function++) {
        for (size_t bad = 0; bad < bad_count; bad++) {
            ok(strlen(at(taken(plain[function](bad_texts[bad].args)), "error")) > 10, "%s: %s", names[function],
               bad_texts[bad].what);
        }
    }
    is_text(at(taken(tfa_generate_secret("{\"length\": 17}")), "error"), "a secret has 16 to 128 characters, a multiple of 8",
            "secret: 17 characters");
    is_text(at(taken(tfa_build_otpauth(NULL)), "error"), "The parameter \"account\" is required.", "otpauth: nothing");
    char account[512];
    snprintf(account, sizeof account, "{\"account\": \"%0255d\"}", 0);
    is_text(at(taken(tfa_build_otpauth(account)), "error"), "The parameter \"account\" is not valid: it has more than 254 bytes.",
            "otpauth: a long account");
    is_text(at(taken(tfa_parse_otpauth(NULL)), "error"), "The parameter \"otpauth_str\" is required.",
            "otpauth_parse: nothing");
    is_text(at(taken(tfa_draw_qr(NULL)), "error"), "The parameter \"text\" is required.", "qr: nothing");
}

/* ---- Configurations ---- */

static void configurations(void)
{
    struct place place = new_place();
    static const struct {
        const char *more, *error;
    } cases[] = {
        {"\"colour\": 1", "unknown field `colour`"},
        {"\"skew\": \"1\"", "\"skew\": invalid type: string"},
        {"\"skew\": -1", "\"skew\": invalid value"},
        {"\"skew\": 11", "\"skew\" is 11, and must be from 0 to 10"},
        {"\"digits\": 5", "\"digits\" is 5, and must be from 6 to 8"},
        {"\"period\": 0", "\"period\" is 0, and must be from 1 to 3600"},
        {"\"algorithm\": \"MD5\"", "\"algorithm\": unknown variant `MD5`"},
        {"\"secret_length\": 8", "\"secret_length\" is 8, and must be from 16 to 128"},
        {"\"secret_length\": 20", "\"secret_length\" must be a multiple of 8"},
        {"\"lockout\": {\"failures\": 0}", "\"lockout.failures\" is 0"},
        {"\"lockout\": {\"colour\": 0}", "\"lockout.colour\": unknown field `colour`"},
        {"\"lockout\": 5", "\"lockout\": invalid type"},
        {"\"accounts\": {\"files\": 7}", "\"accounts\": \"files\": must be a folder"},
        {"\"accounts\": {\"inline\": {\"a b\": {}}}", "not a well-formed account name"},
        {"\"accounts\": {\"inline\": {\"a\": {\"colour\": 1}}}", "unknown key \"colour\""},
        {"\"accounts\": {}", "\"accounts\" must be"},
        {"\"hostname\": \"a\\u0007\"", "\"hostname\" is not valid: it has control characters"},
        {"\"key_file\": 7", "\"key_file\": invalid type"},
    };
    for (size_t number = 0; number < COUNT(cases); number++) {
        has_text(refusal(config(&place, cases[number].more)), cases[number].error, "refused: %s", cases[number].more);
    }
    has_text(refusal("{\"store\": \"tfa.db\"}"), "\"store\" is not", "refused: a store without its kind");
    has_text(refusal("{\"store\": \"sqlite:tfa.db\"}"), "\"store\" is not", "refused: a path that is not absolute");
    has_text(refusal("{\"store\": 7}"), "\"store\": invalid type", "refused: a store that is a number");
    for (size_t number = 0; number < bad_count; number++) {
        ok(strlen(refusal(bad_texts[number].args)) > 10, "refused: %s", bad_texts[number].what);
    }
    ok(tfa_open("{", NULL) == NULL, "whoever does not ask for the error gets NULL all the same");
    ok(access(place.database, F_OK) != 0 && access(place.key, F_OK) != 0, "none of them made a file");
}

/* ---- Files ---- */

/* As a user who is not root: root may write everywhere. */
static int unwritable_folder(void *context)
{
    const struct place *place = context;
    if (geteuid() == 0) {
        NEED(chown(place->folder, 65534, 65534) == 0);
        NEED(setgid(65534) == 0 && setuid(65534) == 0);
    }
    NEED(chmod(place->folder, 0500) == 0);
    NEED(strstr(refusal(config(place, "")), "cannot be created: Permission denied") != NULL);
    return 0;
}

static void folders(void)
{
    struct place place = new_place();
    pid_t child = start(unwritable_folder, &place);
    is_number(finished(&child, 1), 1, "refused: a folder that cannot be written to");
    place = new_place();
    chmod(place.folder, 0777);
    has_text(refusal(config(&place, "")), text("Run: chmod go-w %s", place.folder), "refused: one that anybody can write to");
    chmod(place.folder, 0700);
    has_text(refusal(text("{\"store\": \"sqlite:%s/a/b/tfa.db\"}", place.folder)), "cannot be created",
             "refused: one whose parent is missing");
    has_text(refusal("{\"store\": \"sqlite:/proc/tfa/tfa.db\"}"), "cannot be created", "refused: one that nobody can make");
    has_text(refusal("{\"store\": \"sqlite:/etc/hostname/tfa.db\"}"), "is not a directory", "refused: a file for a folder");
    has_text(refusal(text("{\"store\": \"sqlite:%s\"}", place.folder)), "can be written to by others",
             "refused: a folder in a shared one");
    const char *made = text("{\"store\": \"sqlite:%s/new/tfa.db\"}", place.folder);
    is_text(refusal(made), "", "a folder that is missing is made");
    struct stat file;
    ok(stat(text("%s/new", place.folder), &file) == 0 && (file.st_mode & 0777) == 0700, "with mode 0700");
    ok(stat(text("%s/new/tfa.db", place.folder), &file) == 0 && (file.st_mode & 0777) == 0600, "its database with 0600");
    ok(stat(text("%s/new/tfa.key", place.folder), &file) == 0 && (file.st_mode & 0777) == 0600, "its key with 0600");
}

/* Makes a store with one enrolment and closes it. */
static void furnish(const struct place *place)
{
    tfa_t *tfa = open_at(place, WIDE);
    char secret[SECRET_SIZE];
    whm(tfa, "root", "twofactorauth_enable_policy", NULL);
    enrol(tfa, "example", step_now(), secret);
    tfa_close(tfa);
}

static void overwrite(const char *path, long offset, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "r+e");
    if (file == NULL || fseek(file, offset, SEEK_SET) != 0 || fwrite(bytes, 1, length, file) != length) {
        die("%s cannot be changed: %s", path, strerror(errno));
    }
    fclose(file);
}

static void databases(void)
{
    struct place place = new_place();
    furnish(&place);
    chmod(place.database, 0644);
    has_text(refusal(config(&place, "")), text("Run: chmod 600 %s", place.database), "refused: a database that others can read");
    chmod(place.database, 0600);
    chmod(place.key, 0640);
    has_text(refusal(config(&place, "")), text("Run: chmod 600 %s", place.key), "refused: a key that others can read");
    chmod(place.key, 0600);
    is_text(refusal(config(&place, "")), "", "with the modes mended it opens");

    unsigned long long before = fingerprint(&place);
    struct place link = new_place();
    if (symlink(place.database, link.database) != 0) {
        die("no symbolic link");
    }
    has_text(refusal(config(&link, "")), "is a symbolic link", "refused: a symbolic link for a database");
    has_text(refusal(config(&place, text("\"key_file\": \"%s\"", link.database))), "is a symbolic link",
             "refused: a symbolic link for a key");
    ok(fingerprint(&place) == before, "and what it leads to is as it was");
    unlink(link.database);
    mkdir(link.database, 0700);
    has_text(refusal(config(&link, "")), "is not a regular file", "refused: a folder for a database");

    /* The user version is at byte 60 of an SQLite file. */
    overwrite(place.database, 60, "\0\0\0\143", 4);
    before = fingerprint(&place);
    has_text(refusal(config(&place, "")), "has format 99, and this library knows formats up to 2. Install the newer library",
             "refused: a database of a newer format");
    ok(fingerprint(&place) == before, "and it is as it was");
    overwrite(place.database, 60, "\0\0\0\2", 4);

    overwrite(place.database, 68, "ABCD", 4);
    has_text(refusal(config(&place, "")), "is another program's database", "refused: another program's database");
    overwrite(place.database, 68, "TFA1", 4);
    is_text(refusal(config(&place, "")), "", "undone, it opens again");

    char kept_key[128];
    snprintf(kept_key, sizeof(kept_key), "%s.kept", place.key);
    rename(place.key, kept_key);
    has_text(refusal(config(&place, "")), "is gone, and the database has secrets that only it opens", "refused: no key");
    ok(access(place.key, F_OK) != 0, "and none is made in its place");
    write_file(place.key, "{}", 2);
    has_text(refusal(config(&place, "")), "is damaged", "refused: a damaged key");
    struct place other = new_place();
    furnish(&other);
    rename(other.key, place.key);
    tfa_t *tfa = open_at(&place, WIDE);
    is_number(tfa_login(tfa, "example", "123456"), TFA_UNANSWERED, "with another store's key nobody gets in");
    has_text(reason(whm(tfa, "root", "twofactorauth_get_tfa_config_for_user", "{\"user\": \"example\"}")),
             "is not in the key file", "and root is told");
    tfa_close(tfa);
    rename(kept_key, place.key);
    is_text(refusal(config(&place, "")), "", "with its own key it opens");

    char *junk = repeated("junk", 4096);
    write_file(place.database, junk, 4 * 4096);
    free(junk);
    has_text(refusal(config(&place, "")), "is damaged", "refused: junk for a database");
}

/* ---- A store that goes away ---- */

static void gone(void)
{
    struct place place = new_place();
    furnish(&place);
    tfa_t *tfa = open_at(&place, WIDE);
    is_number(tfa_login(tfa, "example", NULL), TFA_DENIED, "while the database is there, a code is needed");
    rename(place.database, text("%s.moved", place.database));
    is_number(tfa_login(tfa, "example", NULL), TFA_UNANSWERED, "when it is gone, nobody is let in");
    is_number(tfa_login(tfa, "whoever", NULL), TFA_UNANSWERED, "not even who is not enrolled");
    has_text(reason(whm(tfa, "root", "twofactorauth_policy_status", NULL)),
             "The two-factor authentication data is not available: ", "root is told");
    rename(text("%s.moved", place.database), place.database);
    is_number(tfa_login(tfa, "example", NULL), TFA_DENIED, "when it is back, all is as it was");
    tfa_close(tfa);
}

/* A file that may not grow stands in for a full disk. */
static int full_disk(void *context)
{
    const struct place *place = context;
    tfa_t *tfa = open_at(place, WIDE);
    char secret[SECRET_SIZE];
    propose(tfa, "other", secret);
    long step = step_now();
    const char *right = code(secret, step), *next = code(secret, step + 1);
    struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    NEED(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    const char *format = "{\"secret\": \"%s\", \"tfa_token\": \"%s\"}";
    const char *answer = taken(tfa_uapi(tfa, "other", "TwoFactorAuth", "set_user_configuration", text(format, secret, right)));
    NEED(refused(answer));
    NEED(strstr(reason(answer), "The two-factor authentication data is not available: ") != NULL);
    NEED(strstr(reason(answer), secret) == NULL);
    NEED(tfa_login(tfa, "example", "123456") == TFA_UNANSWERED);
    limit.rlim_cur = RLIM_INFINITY;
    NEED(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    NEED(worked(taken(tfa_uapi(tfa, "other", "TwoFactorAuth", "set_user_configuration", text(format, secret, right)))));
    NEED(tfa_login(tfa, "other", next) == TFA_VERIFIED);
    tfa_close(tfa);
    return 0;
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
    without_handle();
    configurations();
    folders();
    databases();
    gone();
    place = new_place();
    furnish(&place);
    pid_t child = start(full_disk, &place);
    is_number(finished(&child, 1), 1, "on a full disk nothing is stored, nobody is let in, and all is well afterwards");
    free_bad_texts();
    return done();
}
