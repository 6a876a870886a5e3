/*
 * Policy, enrolment, login, locks and recovery codes (contract sections 2 to 4), with codes from oathtool.
 *
 * Most stores here accept ten steps either side, so that the turn of a step changes nothing; the tests of the window
 * itself begin again when a step turned under them.
 */
#include "support.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

/* What twofactorauth_verify_login has as data. */
#define VERDICT(required, verified, method, locked, retry_after, reason, reason_code)                                  \
    "{\"required\":" required ",\"verified\":" verified ",\"method\":" method ",\"locked\":" locked                    \
    ",\"retry_after\":" retry_after ",\"reason\":" reason ",\"reason_code\":" reason_code "}"

static const char *verify(tfa_t *tfa, const char *user, const char *token)
{
    return at(whm(tfa, "root", "twofactorauth_verify_login", "{\"user\": \"%s\", \"tfa_token\": \"%s\"}", user, token),
              "data");
}

static const char *status(tfa_t *tfa, const char *user)
{
    return at(whm(tfa, "root", "twofactorauth_login_status", "{\"user\": \"%s\"}", user), "data");
}

static const char *set(tfa_t *tfa, const char *caller, const char *secret, const char *token)
{
    return reason(uapi(tfa, caller, "set_user_configuration", "{\"secret\": \"%s\", \"tfa_token\": \"%s\"}", secret, token));
}

/* A store with the policy on. */
static tfa_t *house(const char *more)
{
    struct place place = new_place();
    tfa_t *tfa = open_at(&place, more);
    whm(tfa, "root", "twofactorauth_enable_policy", NULL);
    return tfa;
}

static void policy(void)
{
    tfa_t *tfa = house(WIDE);
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    is_number(tfa_login(tfa, "example", NULL), TFA_DENIED, "with the policy on, who is enrolled needs a code");
    is_number(tfa_login(tfa, "example", ""), TFA_DENIED, "an empty code is none");
    is_number(number_at(status(tfa, "example"), "failures"), 0, "and asking is not counted");
    whm(tfa, "root", "twofactorauth_disable_policy", NULL);
    is_number(tfa_login(tfa, "example", NULL), TFA_NOT_REQUIRED, "with the policy off, nobody does");
    is_number(tfa_login(tfa, "example", "000000"), TFA_NOT_REQUIRED, "whatever is typed");
    is_text(verify(tfa, "example", "000000"), VERDICT("0", "0", "null", "0", "0", "null", "null"), "in JSON too");
    is_text(status(tfa, "example"),
            "{\"required\":0,\"is_enabled\":1,\"locked\":0,\"retry_after\":0,\"failures\":0,\"recovery_codes_left\":0}",
            "the enrolment is kept");
    whm(tfa, "root", "twofactorauth_enable_policy", NULL);
    is_number(tfa_login(tfa, "example", code(secret, step)), TFA_DENIED, "the enrolment's code stays used");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "the next one lets in");
    tfa_close(tfa);
}

static void verify_before_storing(void)
{
    tfa_t *tfa = house(WIDE);
    char secret[SECRET_SIZE], another[SECRET_SIZE];
    propose(tfa, "example", secret);
    long step = step_now();
    is_text(set(tfa, "example", secret, wrong_code(secret, step)), "The security code is invalid.", "a wrong code");
    is_text(set(tfa, "example", secret, "12345"), "The security code is invalid.", "five digits are no code");
    is_text(set(tfa, "example", secret, "abcd-efgh-ijkl-mnop"), "The security code is invalid.", "nor is a recovery code");
    is_number(number_at(status(tfa, "example"), "is_enabled"), 0, "enrol nobody");
    const char *lower = text("%s", secret);
    char spaced[SECRET_SIZE * 2] = "";
    for (size_t place = 0; lower[place] != '\0'; place++) {
        size_t end = strlen(spaced);
        snprintf(spaced + end, sizeof(spaced) - end, "%c%s", tolower((unsigned char)lower[place]),
                 place % 4 == 3 ? (place % 8 == 3 ? " " : "-") : "");
    }
    const char *right = code(secret, step);
    is_text(set(tfa, "example", spaced, text(" %.3s %s ", right, right + 3)), "(absent)",
            "lower case, spaces and dashes are forgiven in secret and code");
    is_text(set(tfa, "example", secret, right), "The security code has already been used.", "a code enrols once");
    is_text(set(tfa, "example", secret, code(secret, step - 1)), "The security code has already been used.",
            "an older one not either");
    is_text(set(tfa, "example", secret, code(secret, step + 1)), "(absent)", "a newer one enrols the same secret again");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_DENIED, "and is used up by that");
    propose(tfa, "example", another);
    ok(strcmp(secret, another) != 0, "another secret is another");
    is_text(set(tfa, "example", another, code(another, step)), "(absent)", "it takes the place of the first");
    is_number(tfa_login(tfa, "example", code(secret, step + 2)), TFA_DENIED, "whose codes are wrong now");
    is_number(tfa_login(tfa, "example", code(another, step + 1)), TFA_VERIFIED, "and its own are right");
    tfa_close(tfa);
}

static void one_code_one_login(void)
{
    tfa_t *tfa = house(WIDE);
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "example", step - 2, secret);
    is_text(verify(tfa, "example", code(secret, step)), VERDICT("1", "1", "\"totp\"", "0", "0", "null", "null"), "a right code");
    is_text(verify(tfa, "example", code(secret, step)),
            VERDICT("1", "0", "null", "0", "0", "\"The security code has already been used.\"", "\"used_code\""), "is right once");
    is_number(tfa_login(tfa, "example", code(secret, step - 1)), TFA_DENIED, "one before it is too late");
    is_number(number_at(status(tfa, "example"), "failures"), 0, "and neither counts");
    is_number(tfa_login(tfa, "example", wrong_code(secret, step)), TFA_DENIED, "a wrong one");
    is_number(number_at(status(tfa, "example"), "failures"), 1, "counts");
    is_number(tfa_login(tfa, "example", code(secret, step)), TFA_DENIED, "a used one");
    is_number(number_at(status(tfa, "example"), "failures"), 1, "does not reset the count");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "a right one");
    is_number(number_at(status(tfa, "example"), "failures"), 0, "does");
    const char *right = code(secret, step + 2);
    const char *answer = whm(tfa, "root", "twofactorauth_verify_login", "{\"user\": \"example\", \"tfa_token\": %ld}",
                             strtol(right, NULL, 10));
    is_text(at(answer, "data/verified"), "1", "a code may come as a JSON number");
    tfa_close(tfa);
}

/* Codes that begin with a zero: JSON numbers lose it, and get it back. */
static void leading_zeros(void)
{
    tfa_t *tfa = house(WIDE);
    char secret[SECRET_SIZE];
    long step = step_now();
    const char *zero = "";
    for (int attempt = 0; *zero != '0' && attempt < 1000; attempt++) {
        propose(tfa, "example", secret);
        zero = code(secret, step + 1);
    }
    is_text(set(tfa, "example", secret, code(secret, step)), "(absent)", "enrolled with a secret");
    is_number(*zero, '0', "whose next code begins with a zero");
    const char *answer = whm(tfa, "root", "twofactorauth_verify_login", "{\"user\": \"example\", \"tfa_token\": %ld}",
                             strtol(zero, NULL, 10));
    is_text(at(answer, "data/verified"), "1", "as a number it has lost the zero, and is right");
    tfa_close(tfa);
}

/* Which of the steps around now are accepted, with a skew. Begins again when the step turns. */
static void window(int skew)
{
    char secret[SECRET_SIZE];
    tfa_t *tfa = NULL;
    int results[25];
    long step;
    do {
        tfa_close(tfa);
        tfa = house(text("\"skew\": %d, \"lockout\": {\"failures\": 100}", skew));
        settle_in_step(5);
        step = step_now();
        propose(tfa, "example", secret);
        /* Not a login: a secret that root sets has used no code yet. */
        whm(tfa, "root", "twofactorauth_set_tfa_config_for_user", "{\"example\": {\"primary_account\": {\"secret\": \"%s\"}}}",
            secret);
        for (int offset = -12; offset <= 12; offset++) {
            results[offset + 12] = tfa_login(tfa, "example", code(secret, step + offset));
        }
    } while (step_now() != step);
    for (int offset = -12; offset <= 12; offset++) {
        bool inside = offset >= -skew && offset <= skew;
        is_number(results[offset + 12], inside ? TFA_VERIFIED : TFA_DENIED, "skew %d: a code %d steps away is %s", skew,
                  offset, inside ? "right" : "wrong");
    }
    tfa_close(tfa);
}

static void locks(void)
{
    tfa_t *tfa = house(WIDE);
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    const char *wrong = text("%s", wrong_code(secret, step));
    for (int failure = 1; failure <= 4; failure++) {
        is_text(verify(tfa, "example", wrong), VERDICT("1", "0", "null", "0", "0", "\"The security code is invalid.\"", "\"invalid_code\""),
                "wrong code %d", failure);
    }
    is_text(verify(tfa, "example", wrong), VERDICT("1", "0", "null", "1", "30", "\"The security code is invalid.\"", "\"invalid_code\""),
            "the fifth locks for 30 seconds");
    const char *locked = verify(tfa, "example", code(secret, step + 1));
    long left = number_at(locked, "retry_after");
    ok(left > 20 && left <= 30, "then there are up to 30 seconds left");
    is_text(at(locked, "reason"), text("Too many invalid security codes. Try again in %ld seconds.", left),
            "in which a right code is not looked at");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_LOCKED, "tfa_login says so");
    is_number(tfa_login(tfa, "example", NULL), TFA_LOCKED, "also when asked without a code");
    is_number(number_at(status(tfa, "example"), "failures"), 5, "what is not looked at is not counted");
    is_number(tfa_login(tfa, "other", NULL), TFA_NOT_REQUIRED, "others are not locked");
    is_text(reason(whm(tfa, "root", "twofactorauth_unlock_user", "{\"user\": \"example\"}")), "OK", "root unlocks");
    is_text(status(tfa, "example"),
            "{\"required\":1,\"is_enabled\":1,\"locked\":0,\"retry_after\":0,\"failures\":0,\"recovery_codes_left\":0}",
            "which forgets the failures");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "and the code that was not looked at is right");
    tfa_close(tfa);
}

/* Waits until a lock is over. */
static void wait_for_unlock(tfa_t *tfa, const char *user)
{
    while (number_at(status(tfa, user), "retry_after") > 0) {
        usleep(50 * 1000);
    }
}

static void hard_lock(void)
{
    tfa_t *tfa = house(WIDE ", \"lockout\": {\"failures\": 2, \"seconds\": 2, \"max_seconds\": 2, \"hard_limit\": 3}");
    char secret[SECRET_SIZE], first[32], second[32];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    const char *codes = uapi(tfa, "example", "generate_recovery_codes", NULL);
    snprintf(first, sizeof(first), "%s", at(codes, "data/recovery_codes/0"));
    snprintf(second, sizeof(second), "%s", at(codes, "data/recovery_codes/1"));
    const char *wrong = text("%s", wrong_code(secret, step));
    is_number(tfa_login(tfa, "example", wrong), TFA_DENIED, "a wrong code");
    is_number(tfa_login(tfa, "example", wrong), TFA_DENIED, "the second locks for two seconds");
    is_number(tfa_login(tfa, "example", first), TFA_LOCKED, "in which a recovery code is not looked at either");
    wait_for_unlock(tfa, "example");
    is_number(tfa_login(tfa, "example", wrong), TFA_DENIED, "the third is the last");
    wait_for_unlock(tfa, "example");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_LOCKED, "after it no one-time code is looked at");
    has_text(verify(tfa, "example", code(secret, step + 1)),
             VERDICT("1", "0", "null", "1", "0",
                     "\"Too many invalid security codes. Use a recovery code, or ask the server administrator to "
                     "unlock you.\"", "\"hard_locked\""),
             "whoever waits is told what helps");
    is_number(tfa_login(tfa, "example", first), TFA_VERIFIED, "a recovery code opens the account");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "and one-time codes count again");
    is_number(tfa_login(tfa, "example", first), TFA_DENIED, "the recovery code is used up");
    is_number(tfa_login(tfa, "example", second), TFA_VERIFIED, "the next one is not");
    tfa_close(tfa);
}

static void recovery_codes(void)
{
    tfa_t *tfa = house(WIDE ", \"lockout\": {\"failures\": 100}");
    char secret[SECRET_SIZE], codes[10][32], typed[64];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    const char *answer = uapi(tfa, "example", "generate_recovery_codes", NULL);
    for (int place = 0; place < 10; place++) {
        snprintf(codes[place], sizeof(codes[place]), "%s", at(answer, text("data/recovery_codes/%d", place)));
        is_number((long)strspn(codes[place], "abcdefghijklmnopqrstuvwxyz234567-"), 19, "code %d is 16 characters in groups",
                  place);
    }
    is_number(number_at(status(tfa, "example"), "recovery_codes_left"), 10, "there are ten");
    size_t end = 0;
    for (const char *from = codes[0]; *from != '\0'; from++) {
        if (*from != '-') {
            typed[end++] = (char)toupper((unsigned char)*from);
        }
    }
    typed[end] = '\0';
    is_number(tfa_login(tfa, "example", typed), TFA_VERIFIED, "capitals without dashes are forgiven");
    is_number(tfa_login(tfa, "example", codes[0]), TFA_DENIED, "it is the same code, and used");
    is_text(verify(tfa, "example", codes[1]), VERDICT("1", "1", "\"recovery\"", "0", "0", "null", "null"), "the second lets in");
    is_number(tfa_login(tfa, "other", codes[2]), TFA_NOT_REQUIRED, "somebody without 2FA uses up nothing");
    char others[SECRET_SIZE];
    enrol(tfa, "other", step, others);
    is_number(tfa_login(tfa, "other", codes[2]), TFA_DENIED, "a code is its owner's alone");
    is_number(tfa_login(tfa, "example", codes[2]), TFA_VERIFIED, "who can still use it");
    is_number(number_at(status(tfa, "example"), "recovery_codes_left"), 7, "seven are left");
    answer = uapi(tfa, "example", "generate_recovery_codes", NULL);
    is_number(tfa_login(tfa, "example", codes[3]), TFA_DENIED, "new codes kill the old ones");
    is_number(tfa_login(tfa, "example", at(answer, "data/recovery_codes/9")), TFA_VERIFIED, "and work themselves");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "one-time codes go on");
    tfa_close(tfa);
}

/* Removing, and coming back with the same secret: used codes stay used. */
static void removal(void)
{
    tfa_t *tfa = house(WIDE);
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    uapi(tfa, "example", "generate_recovery_codes", NULL);
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "logged in");
    is_text(at(uapi(tfa, "example", "remove_user_configuration", NULL), "data/tfa_removed"), "1", "removed");
    is_text(status(tfa, "example"),
            "{\"required\":0,\"is_enabled\":0,\"locked\":0,\"retry_after\":0,\"failures\":0,\"recovery_codes_left\":0}",
            "nothing is left");
    is_number(tfa_login(tfa, "example", "000000"), TFA_NOT_REQUIRED, "no code is needed");
    is_text(at(uapi(tfa, "example", "remove_user_configuration", NULL), "data/tfa_removed"), "1", "removed again");
    is_text(set(tfa, "example", secret, code(secret, step + 1)), "The security code has already been used.",
            "the same secret remembers its last code");
    whm(tfa, "root", "twofactorauth_set_tfa_config_for_user", "{\"example\": {\"primary_account\": {\"secret\": \"%s\"}}}",
        secret);
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_DENIED, "also when root brings it back");
    is_number(tfa_login(tfa, "example", code(secret, step + 2)), TFA_VERIFIED, "the next code is right");
    tfa_close(tfa);
}

/* Enrolments move from one server to another, all or nothing. */
static void moving(void)
{
    tfa_t *tfa = house(WIDE), *other = house(WIDE);
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    char *configuration = tfa_whmapi1(tfa, "root", "twofactorauth_get_tfa_config_for_user", "{\"user\": \"example\"}");
    const char *moved = at(configuration, "data");
    tfa_free(configuration);
    is_text(reason(whm(other, "root", "twofactorauth_set_tfa_config_for_user", "%s", moved)), "OK", "moved");
    is_number(tfa_login(other, "example", code(secret, step + 1)), TFA_VERIFIED, "the same codes work there");

    static const char *const refused[][2] = {
        {"{\"a\": {\"primary_account\": {\"secret\": \"AAAABBBBCCCCDDDD\"}}, \"b\": {\"primary_account\": {\"secret\": \"?\"}}}",
         "The parameter \"secret\" is not a Base32 string of 16 to 128 characters."},
        {"{\"a\": {\"primary_account\": {\"secret\": \"AAAABBBBCCCCDDDD\"}}, \"b\": {\"primary_account\": {\"x\": 1}}}",
         "The parameter \"secret\" is required."},
        {"{\"a\": {\"primary_account\": {\"secret\": \"AAAABBBBCCCCDDDD\"}}, \"b c\": {}}",
         "The user \"b c\" does not exist."},
        {"{\"a\": {\"primary_account\": {\"secret\": \"AAAABBBBCCCCDDDD\"}}, \"b\": []}",
         "The parameter \"b\" is not valid: it is not an object."},
        {"{\"a\": {\"primary_account\": {\"secret\": \"AAAABBBBCCCCDDDD\"}, \"ftp\": {}}}",
         "The parameter \"ftp\" is not valid: a user has \"email\", \"primary_account\" and \"team\"."},
        {"{\"a\": {\"team\": {\"t@b\": {\"secret\": \"AAAABBBBCCCCDDDD\"}}}}",
         "The parameter \"t@b\" is not valid: it does not belong to this user in this section."},
        {"{\"a\": {\"team\": {\"t@a\": {\"secret\": \"AAAABBBBCCCCDDDD\"}, \"T@a\": {\"secret\": \"AAAABBBBCCCCDDDD\"}}}}",
         "The parameter \"t@a\" is not valid: it is named twice."},
        {"{}", "The parameter \"user\" is required."},
    };
    for (size_t place = 0; place < COUNT(refused); place++) {
        is_text(reason(whm(other, "root", "twofactorauth_set_tfa_config_for_user", "%s", refused[place][0])),
                refused[place][1], "refused: %s", refused[place][1]);
    }
    is_number(size_at(whm(other, "root", "twofactorauth_get_user_configs", NULL), "data"), 2,
              "and nothing of what was refused is stored");
    tfa_close(tfa);
    tfa_close(other);
}

/* Other hashes, digits and periods, which oathtool knows as well. */
static void parameters(const char *algorithm, const char *name, int digits, int period)
{
    tfa_t *tfa = house(text(WIDE ", \"secret_length\": 64, \"algorithm\": \"%s\", \"digits\": %d, \"period\": %d", name, digits,
                            period));
    char secret[SECRET_SIZE];
    propose(tfa, "example", secret);
    long now = step_now() * 30;
    is_text(set(tfa, "example", secret, code_of(secret, algorithm, digits, period, now)), "(absent)",
            "%s, %d digits, %d seconds: enrolled", name, digits, period);
    is_number(tfa_login(tfa, "example", code_of(secret, algorithm, digits, period, now + period)), TFA_VERIFIED,
              "%s, %d digits, %d seconds: logged in", name, digits, period);
    is_number(tfa_login(tfa, "example", code_of(secret, algorithm, digits, period, now + period)), TFA_DENIED,
              "%s, %d digits, %d seconds: once", name, digits, period);
    tfa_close(tfa);
}

/* What was enrolled before it was closed is enrolled after it is opened, and used codes stay used. */
static void reopening(void)
{
    struct place place = new_place();
    tfa_t *tfa = open_at(&place, WIDE);
    whm(tfa, "root", "twofactorauth_enable_policy", NULL);
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "logged in");
    tfa_close(tfa);
    tfa = open_at(&place, WIDE);
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_DENIED, "reopened: the code stays used");
    tfa_t *second = open_at(&place, WIDE);
    is_number(tfa_login(second, "example", code(secret, step + 2)), TFA_VERIFIED, "a second handle works beside the first");
    is_number(tfa_login(tfa, "example", code(secret, step + 2)), TFA_DENIED, "and the first knows of it");
    tfa_close(tfa);
    is_number(tfa_login(second, "example", code(secret, step + 3)), TFA_VERIFIED, "it goes on when the first is closed");
    tfa_close(second);
}

int main(void)
{
    policy();
    verify_before_storing();
    one_code_one_login();
    leading_zeros();
    window(0);
    window(1);
    window(10);
    locks();
    hard_lock();
    recovery_codes();
    removal();
    moving();
    parameters("sha1", "SHA1", 8, 60);
    parameters("sha256", "SHA256", 7, 30);
    parameters("sha512", "SHA512", 8, 45);
    reopening();
    return done();
}
