/*
 * Memory: what a process still holds of a secret after a call.
 *
 * The process under test is this program once more, as a worker. It performs one call at a time as requested over a pipe, and
 * wipes the request. The test, which knows the secrets, then reads all memory that the worker can write to, and searches for
 * them: their text and bytes, HMAC keys as the hashes hold them, codes, recovery codes, and the sealing keys.
 *
 * First it shows that the search works: each of these is planted in a worker's heap, stack and data, and found.
 */
#include "support.h"

#include "memory.h"

#include <stdlib.h>

/* Checks the answer to a call, and that the worker holds no needle afterwards. */
static void clean_after(const char *what, const char *answer, const char *expected)
{
    has_text(answer, expected, "%s", what);
    is_number(search(), 0, "%s: nothing is left in memory", what);
}

/* ---- The tests ---- */

static struct place place;
static tfa_t *keeper;
static long step;

static const char *code8(const char *secret, long at_step)
{
    const char *shown = code_of(secret, "sha1", 8, 30, at_step * 30);
    needle("a code that was typed", shown, strlen(shown));
    return shown;
}

static const char *secrets_of(const char *account, const char *secret)
{
    return text("{\"%s\": {\"primary_account\": {\"secret\": \"%s\"}}}", account, secret);
}

/* Checks that the HMAC states of this test lead to the code that oathtool computes. */
static void needles_are_right(const char *secret)
{
    unsigned char bytes[64], block[64] = {0};
    uint32_t inner[5], outer[5];
    size_t length = (size_t)tfa_decode_base32(secret, bytes, sizeof(bytes));
    prepare_sha1(inner, bytes, length, 0x36);
    prepare_sha1(outer, bytes, length, 0x5c);
    for (int place = 0; place < 8; place++) {
        block[place] = (unsigned char)((uint64_t)step >> (56 - 8 * place));
    }
    block[8] = 0x80, block[62] = (64 + 8) * 8 >> 8, block[63] = ((64 + 8) * 8) & 0xff;
    sha1_block(inner, block);
    memset(block, 0, sizeof(block));
    for (int place = 0; place < 20; place++) {
        block[place] = (unsigned char)(inner[place / 4] >> (24 - place % 4 * 8));
    }
    block[20] = 0x80, block[62] = (64 + 20) * 8 >> 8, block[63] = ((64 + 20) * 8) & 0xff;
    sha1_block(outer, block);
    int offset = (int)(outer[4] & 0xf);
    uint32_t value = 0;
    for (int place = offset; place < offset + 4; place++) {
        value = value << 8 | (outer[place / 4] >> (24 - place % 4 * 8) & 0xff);
    }
    is_text(text("%08u", (value & 0x7fffffff) % 100000000), code_of(secret, "sha1", 8, 30, step * 30),
            "the hash states of the needles are those of the secret");
}

/* Plants each needle in a worker, and finds it in heap, stack and data. */
static void planted_needles_are_found(void)
{
    int seen = 0;
    start_worker();
    is_number(search(), 0, "a new worker holds no needle");
    verbose = false;
    for (struct needle *one = needles; one < needles + needle_count; one++) {
        struct request request = {.used = 0, .lengths = {0, 0, ABSENT, ABSENT, ABSENT, ABSENT}};
        add_field(&request, 0, "plant", 5);
        add_field(&request, 1, (char *)one->bytes, one->length);
        performed(&request);
        search();
        seen += one->found >= 3;
    }
    verbose = true;
    is_number(seen, (long long)needle_count, "each of %zu needles, planted in heap, stack and data, is found",
              needle_count);
    is_number(stop_worker(), 0, "the worker exits with 0");
}

/* The sealing key, as in the key file and as bytes. Returns the latter. */
static struct needle *key_needles(void)
{
    char file[1024] = "", command[256];
    unsigned char bytes[64];
    FILE *opened = fopen(place.key, "re");
    if (opened == NULL || fread(file, 1, sizeof(file) - 1, opened) == 0) {
        die("no key file");
    }
    fclose(opened);
    const char *base64 = at(file, text("keys/%s", at(file, "current")));
    snprintf(command, sizeof(command), "echo %s | base64 -d", base64);
    FILE *decoded = popen(command, "r");
    if (decoded == NULL || fread(bytes, 1, sizeof(bytes), decoded) != 32 || pclose(decoded) != 0) {
        die("the key file's key is not 32 bytes");
    }
    needle("the sealing key, in Base64", base64, strlen(base64));
    return needle("the sealing key, its bytes", bytes, 32);
}

static void logins(const char *secret, const char *const recovery[2])
{
    const char *right = code8(secret, step), *wrong = code8("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", step);
    clean_after("a valid code", CALL("login", "example", right), "1");
    clean_after("the same code again", CALL("login", "example", right), "0");
    clean_after("an invalid code", CALL("login", "example", wrong), "0");
    clean_after("no code", CALL("login", "example"), "0");
    clean_after("a recovery code", CALL("login", "example", recovery[0]), "1");
    clean_after("the same recovery code again", CALL("login", "example", recovery[0]), "0");
    const char *next = code8(secret, step + 1), *last = code8(secret, step + 2);
    const char *asked = text("{\"user\": \"example\", \"tfa_token\": \"\\u003%c%s\"}", *next, next + 1);
    clean_after("a valid code in JSON", CALL("whm", "root", "twofactorauth_verify_login", asked), "\"verified\":1");
    asked = text("{\"user\": \"example\", \"tfa_token\": %ld}", strtol(last, NULL, 10));
    clean_after("a code as a number", CALL("whm", "root", "twofactorauth_verify_login", asked), "\"verified\":1");
    asked = text("user=example&tfa_token=%s", recovery[1]);
    const char *uri = "/json-api/twofactorauth_verify_login?api.version=1";
    clean_after("a recovery code in a form", CALL("http", "root", uri, asked), "recovery");
    asked = text("{\"user\": \"example\", \"tfa_token\": \"%s\"", last);
    clean_after("incomplete JSON", CALL("whm", "root", "twofactorauth_verify_login", asked), "not JSON");
}

static void calls_without_a_handle(const char *secret)
{
    unsigned char bytes[64];
    size_t length = (size_t)tfa_decode_base32(secret, bytes, sizeof(bytes));
    const char *const algorithms[][2] = {{"1", "sha1"}, {"256", "sha256"}, {"512", "sha512"}};
    for (size_t number = 0; number < COUNT(algorithms); number++) {
        const char *right = code_of(secret, algorithms[number][1], 8, 30, step * 30);
        needle("a code that was typed", right, strlen(right));
        for (int turn = 0; turn < 2; turn++) {
            struct request request = {.used = 0, .lengths = {0, 0, 0, 0, 0, ABSENT}};
            add_field(&request, 0, "verify", 6);
            add_field(&request, 1, (char *)bytes, length);
            add_field(&request, 2, turn == 0 ? right : "00000000", 8);
            add_field(&request, 3, algorithms[number][0], strlen(algorithms[number][0]));
            const char *time = text("%ld", step * 30);
            add_field(&request, 4, time, strlen(time));
            clean_after(text("tfa_verify_totp with %s", algorithms[number][1]), performed(&request), turn == 0 ? "1" : "0");
        }
    }
    clean_after("tfa_verify_totp_base32", CALL("check", secret, code(secret, step), text("%ld", step * 30)), "1");
    clean_after("tfa_decode_base32", CALL("decode", secret), text("%zu", length));
    const char *uri = text("otpauth://totp/example?secret=%s", secret);
    clean_after("tfa_build_otpauth", CALL("otpauth", text("{\"account\": \"example\", \"secret\": \"%s\"}", secret)), uri);
    clean_after("tfa_parse_otpauth", CALL("parse", text("{\"otpauth_str\": \"%s\"}", uri)), secret);
    const char *const formats[] = {"svg", "png", "terminal"};
    for (size_t number = 0; number < COUNT(formats); number++) {
        const char *asked = text("{\"text\": \"%s\", \"format\": \"%s\"}", uri, formats[number]);
        clean_after(text("tfa_draw_qr, %s", formats[number]), CALL("qr", asked), "content_type");
    }
    const char *made = CALL("secret");
    secret_needles(at(made, "secret"), "a generated secret");
    clean_after("tfa_generate_secret", made, "secret");
}

static void enrolments(const char *secret)
{
    const char *uri = "/xml-api/twofactorauth_get_tfa_config_for_user?api.version=1", *user = "{\"user\": \"example\"}";
    clean_after("secrets shown", CALL("whm", "root", "twofactorauth_get_tfa_config_for_user", user), secret);
    clean_after("secrets shown in XML", CALL("http", "root", uri, "user=example"), secret);
    const char *proposal = CALL("uapi", "other", "generate_user_configuration");
    const char *proposed = at(proposal, "data/secret");
    secret_needles(proposed, "a generated secret of an account");
    clean_after("a secret generated", proposal, proposed);
    const char *typed = code8(proposed, step);
    const char *asked = text("{\"secret\": \"%.8s %s\", \"tfa_token\": \"%s\"}", proposed, proposed + 8, typed);
    clean_after("an enrolment", CALL("uapi", "other", "set_user_configuration", asked), "\"tfa_configured\":1");
    asked = text("secret=%s&tfa_token=%%3%c%s", proposed, *typed, typed + 1);
    uri = "/execute/TwoFactorAuth/set_user_configuration";
    clean_after("a refused enrolment", CALL("http", "other", uri, asked), "already been used");
    const char *codes = CALL("uapi", "other", "generate_recovery_codes");
    for (int number = 0; number < 10; number++) {
        recovery_needles(at(codes, text("data/recovery_codes/%d", number)));
    }
    clean_after("recovery codes", codes, "recovery_codes");
    asked = text("command=twofactorauth_get_tfa_config_for_user%%3Fuser%%3Dother&command=twofactorauth_get_issuer");
    clean_after("a batch", CALL("http", "root", "/json-api/batch?api.version=1", asked), proposed);
    char moved[SECRET_SIZE];
    propose(keeper, "moved", moved);
    secret_needles(moved, "a secret that root sets");
    const char *set = "twofactorauth_set_tfa_config_for_user";
    clean_after("a secret set", CALL("whm", "root", set, secrets_of("moved", moved)), "\"result\":1");
    uri = "/json-api/twofactorauth_set_tfa_config_for_user?api.version=1";
    clean_after("a secret set by HTTP", CALL("http", "root", uri, secrets_of("moved", moved)), "result");
    asked = text("{\"moved\": {\"primary_account\": {\"secret\": \"%s1\"}}}", moved);
    clean_after("a refused secret", CALL("whm", "root", set, asked), "Base32");
    clean_after("a removal", CALL("whm", "root", "twofactorauth_remove_user_config", "{\"user\": \"moved\"}"), "moved");
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "worker") == 0) {
        return work();
    }
    place = new_place();
    const char *more = WIDE ", \"digits\": 8, \"secret_length\": 32, \"lockout\": {\"failures\": 50}";
    keeper = open_at(&place, more);
    whm(keeper, "root", "twofactorauth_enable_policy", NULL);
    char secret[SECRET_SIZE];
    propose(keeper, "example", secret);
    if (!worked(whm(keeper, "root", "twofactorauth_set_tfa_config_for_user", "%s", secrets_of("example", secret)))) {
        die("the enrolment failed");
    }
    const char *codes = uapi(keeper, "example", "generate_recovery_codes", NULL);
    const char *recovery[2] = {at(codes, "data/recovery_codes/0"), at(codes, "data/recovery_codes/1")};
    step = step_now();
    secret_needles(secret, "the secret");
    recovery_needles(recovery[0]);
    recovery_needles(recovery[1]);
    struct needle *key = key_needles();
    needles_are_right(secret);
    planted_needles_are_found();

    start_worker();
    key->allowed = 1;
    clean_after("an open library, which holds the sealing key once", CALL("open", config(&place, more)), "0");
    logins(secret, recovery);
    enrolments(secret);
    calls_without_a_handle(secret);
    key->allowed = 0;
    clean_after("a closed library", CALL("close"), "0");
    is_number(stop_worker(), 0, "the worker exits with 0");
    tfa_close(keeper);
    return done();
}
