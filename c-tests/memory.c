/*
 * Memory: what a process still holds of a secret when a call has returned.
 *
 * The process under test is a program of its own: this one, run again as a worker. It knows of a secret only what the
 * library is given or reads, does one call at a time as it is told over a pipe, and wipes what it was told. The test,
 * which knows the secrets, then reads all memory that the worker can write to, and looks for them: their text and bytes,
 * HMAC's keys as the hashes hold them, the codes that were typed, recovery codes, and the keys that seal.
 *
 * That the search can fail is shown first: each of these things is planted in a worker's heap, stack and data, and found.
 */
#include "support.h"

#include "memory.h"

#include <stdlib.h>

/* Checks that the worker holds nothing that it should not, after what it was told. */
static void clean_after(const char *what, const char *answer, const char *expected)
{
    has_text(answer, expected, "%s", what);
    is_number(search(), 0, "nothing is left of it");
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

static const char *giving(const char *account, const char *secret)
{
    return text("{\"%s\": {\"primary_account\": {\"secret\": \"%s\"}}}", account, secret);
}

/* A prepared HMAC as this test computes it leads to the code that oathtool shows. */
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
            "the hash states that are looked for are those of the secret");
}

/* Each needle, planted in a worker of its own, is found in heap, stack and data. */
static void what_is_planted_is_found(void)
{
    int seen = 0;
    start_worker();
    is_number(search(), 0, "a worker begins without any of it");
    telling = false;
    for (struct needle *one = needles; one < needles + needle_count; one++) {
        struct request request = {.used = 0, .lengths = {0, 0, ABSENT, ABSENT, ABSENT, ABSENT}};
        add_field(&request, 0, "plant", 5);
        add_field(&request, 1, (char *)one->bytes, one->length);
        told_to(&request);
        search();
        seen += one->found >= 3;
    }
    telling = true;
    is_number(seen, (long long)needle_count, "each of %zu things, planted in heap, stack and data, is found",
              needle_count);
    is_number(stop_worker(), 0, "the worker ends well");
}

/* The key that seals, as the key file has it and as bytes. Answers the latter. */
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
    clean_after("a right code", TELL("login", "example", right), "1");
    clean_after("the same code again", TELL("login", "example", right), "0");
    clean_after("a wrong code", TELL("login", "example", wrong), "0");
    clean_after("no code", TELL("login", "example"), "0");
    clean_after("a recovery code", TELL("login", "example", recovery[0]), "1");
    clean_after("the same recovery code again", TELL("login", "example", recovery[0]), "0");
    const char *next = code8(secret, step + 1), *last = code8(secret, step + 2);
    const char *asked = text("{\"user\": \"example\", \"tfa_token\": \"\\u003%c%s\"}", *next, next + 1);
    clean_after("a right code in JSON", TELL("whm", "root", "twofactorauth_verify_login", asked), "\"verified\":1");
    asked = text("{\"user\": \"example\", \"tfa_token\": %ld}", strtol(last, NULL, 10));
    clean_after("and as a number", TELL("whm", "root", "twofactorauth_verify_login", asked), "\"verified\":1");
    asked = text("user=example&tfa_token=%s", recovery[1]);
    const char *uri = "/json-api/twofactorauth_verify_login?api.version=1";
    clean_after("a recovery code in a form", TELL("http", "root", uri, asked), "recovery");
    asked = text("{\"user\": \"example\", \"tfa_token\": \"%s\"", last);
    clean_after("JSON that breaks off", TELL("whm", "root", "twofactorauth_verify_login", asked), "not JSON");
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
            clean_after(text("tfa_verify_totp with %s", algorithms[number][1]), told_to(&request), turn == 0 ? "1" : "0");
        }
    }
    clean_after("tfa_verify_totp_base32", TELL("check", secret, code(secret, step), text("%ld", step * 30)), "1");
    clean_after("tfa_decode_base32", TELL("decode", secret), text("%zu", length));
    const char *uri = text("otpauth://totp/example?secret=%s", secret);
    clean_after("tfa_build_otpauth", TELL("otpauth", text("{\"account\": \"example\", \"secret\": \"%s\"}", secret)), uri);
    clean_after("tfa_parse_otpauth", TELL("parse", text("{\"otpauth_str\": \"%s\"}", uri)), secret);
    const char *const formats[] = {"svg", "png", "terminal"};
    for (size_t number = 0; number < COUNT(formats); number++) {
        const char *asked = text("{\"text\": \"%s\", \"format\": \"%s\"}", uri, formats[number]);
        clean_after(text("tfa_draw_qr, %s", formats[number]), TELL("qr", asked), "content_type");
    }
    const char *made = TELL("secret");
    secret_needles(at(made, "secret"), "a made secret");
    clean_after("tfa_generate_secret", made, "secret");
}

static void enrolments(const char *secret)
{
    const char *uri = "/xml-api/twofactorauth_get_tfa_config_for_user?api.version=1", *user = "{\"user\": \"example\"}";
    clean_after("secrets shown", TELL("whm", "root", "twofactorauth_get_tfa_config_for_user", user), secret);
    clean_after("secrets shown in XML", TELL("http", "root", uri, "user=example"), secret);
    const char *proposal = TELL("uapi", "other", "generate_user_configuration");
    const char *proposed = at(proposal, "data/secret");
    secret_needles(proposed, "a proposed secret");
    clean_after("a secret proposed", proposal, proposed);
    const char *typed = code8(proposed, step);
    const char *asked = text("{\"secret\": \"%.8s %s\", \"tfa_token\": \"%s\"}", proposed, proposed + 8, typed);
    clean_after("an enrolment", TELL("uapi", "other", "set_user_configuration", asked), "\"tfa_configured\":1");
    asked = text("secret=%s&tfa_token=%%3%c%s", proposed, *typed, typed + 1);
    uri = "/execute/TwoFactorAuth/set_user_configuration";
    clean_after("an enrolment that is refused", TELL("http", "other", uri, asked), "already been used");
    const char *codes = TELL("uapi", "other", "generate_recovery_codes");
    for (int number = 0; number < 10; number++) {
        recovery_needles(at(codes, text("data/recovery_codes/%d", number)));
    }
    clean_after("recovery codes", codes, "recovery_codes");
    asked = text("command=twofactorauth_get_tfa_config_for_user%%3Fuser%%3Dother&command=twofactorauth_get_issuer");
    clean_after("a batch", TELL("http", "root", "/json-api/batch?api.version=1", asked), proposed);
    char moved[SECRET_SIZE];
    propose(keeper, "moved", moved);
    secret_needles(moved, "a secret that is set");
    const char *set = "twofactorauth_set_tfa_config_for_user";
    clean_after("a secret set", TELL("whm", "root", set, giving("moved", moved)), "\"result\":1");
    uri = "/json-api/twofactorauth_set_tfa_config_for_user?api.version=1";
    clean_after("a secret set by HTTP", TELL("http", "root", uri, giving("moved", moved)), "result");
    asked = text("{\"moved\": {\"primary_account\": {\"secret\": \"%s1\"}}}", moved);
    clean_after("a secret that is refused", TELL("whm", "root", set, asked), "Base32");
    clean_after("a removal", TELL("whm", "root", "twofactorauth_remove_user_config", "{\"user\": \"moved\"}"), "moved");
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
    if (!worked(whm(keeper, "root", "twofactorauth_set_tfa_config_for_user", "%s", giving("example", secret)))) {
        die("nobody is enrolled");
    }
    const char *codes = uapi(keeper, "example", "generate_recovery_codes", NULL);
    const char *recovery[2] = {at(codes, "data/recovery_codes/0"), at(codes, "data/recovery_codes/1")};
    step = step_now();
    secret_needles(secret, "the secret");
    recovery_needles(recovery[0]);
    recovery_needles(recovery[1]);
    struct needle *key = key_needles();
    needles_are_right(secret);
    what_is_planted_is_found();

    start_worker();
    key->allowed = 1;
    clean_after("an opened library, which holds the sealing key once", TELL("open", config(&place, more)), "0");
    logins(secret, recovery);
    enrolments(secret);
    calls_without_a_handle(secret);
    key->allowed = 0;
    clean_after("a closed library", TELL("close"), "0");
    is_number(stop_worker(), 0, "the worker ends well");
    tfa_close(keeper);
    return done();
}
