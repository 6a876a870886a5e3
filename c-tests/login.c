/*
 * Policy, enrolment, login, locks and recovery codes (contract sections 2 to 4), with codes from oathtool.
 *
 * Most stores here accept ten steps on either side, so that the end of a step does not affect a test; the tests of the window
 * start again when a step ends meanwhile.
 */
#include "support.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

/* The data of twofactorauth_verify_login. */
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

/* Opens a new store, and enables the policy. */
static tfa_t *new_server(const char *more)
{
    struct place place = new_place();
    tfa_t *tfa = open_at(&place, more);
    whm(tfa, "root", "twofactorauth_enable_policy", NULL);
    return tfa;
}

static void policy(void)
{
    tfa_t *tfa = new_server(WIDE);
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    is_number(tfa_login(tfa, "example", NULL), TFA_DENIED, "with the policy enabled, an enrolled subject needs a code");
    is_number(tfa_login(tfa, "example", ""), TFA_DENIED, "an empty code counts as no code");
    is_number(number_at(status(tfa, "example"), "failures"), 0, "a login without a code is not counted");
    whm(tfa, "root", "twofactorauth_disable_policy", NULL);
    is_number(tfa_login(tfa, "example", NULL), TFA_NOT_REQUIRED, "with the policy disabled, no code is required");
    is_number(tfa_login(tfa, "example", "000000"), TFA_NOT_REQUIRED, "with the policy disabled, any code is accepted");
    is_text(verify(tfa, "example", "000000"), VERDICT("0", "0", "null", "0", "0", "null", "null"), "with the policy disabled, verify_login requires no code");
    is_text(status(tfa, "example"),
            "{\"required\":0,\"is_enabled\":1,\"locked\":0,\"retry_after\":0,\"failures\":0,\"recovery_codes_left\":0}",
            "disabling the policy keeps the enrolment");
    whm(tfa, "root", "twofactorauth_enable_policy", NULL);
    is_number(tfa_login(tfa, "example", code(secret, step)), TFA_DENIED, "the code of the enrolment stays used");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "the next code is accepted");
    tfa_close(tfa);
}

static void verify_before_storing(void)
{
    tfa_t *tfa = new_server(WIDE);
    char secret[SECRET_SIZE], another[SECRET_SIZE];
    propose(tfa, "example", secret);
    long step = step_now();
    is_text(set(tfa, "example", secret, wrong_code(secret, step)), "The security code is invalid.", "an invalid code");
    is_text(set(tfa, "example", secret, "12345"), "The security code is invalid.", "five digits are not a code");
    is_text(set(tfa, "example", secret, "abcd-efgh-ijkl-mnop"), "The security code is invalid.", "a recovery code does not enrol");
    is_number(number_at(status(tfa, "example"), "is_enabled"), 0, "an invalid code does not enrol");
    const char *lower = text("%s", secret);
    char spaced[SECRET_SIZE * 2] = "";
    for (size_t place = 0; lower[place] != '\0'; place++) {
        size_t end = strlen(spaced);
        snprintf(spaced + end, sizeof(spaced) - end, "%c%s", tolower((unsigned char)lower[place]),
                 place % 4 == 3 ? (place % 8 == 3 ? " " : "-") : "");
    }
    const char *right = code(secret, step);
    is_text(set(tfa, "example", spaced, text(" %.3s %s ", right, right + 3)), "(absent)",
            "lower case, spaces and dashes are ignored in secret and code");
    is_text(set(tfa, "example", secret, right), "The security code has already been used.", "a code enrols once");
    is_text(set(tfa, "example", secret, code(secret, step - 1)), "The security code has already been used.",
            "an older code does not enrol");
    is_text(set(tfa, "example", secret, code(secret, step + 1)), "(absent)", "a newer code enrols the same secret again");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_DENIED, "an enrolment uses its code");
    propose(tfa, "example", another);
    ok(strcmp(secret, another) != 0, "each generated secret is different");
    is_text(set(tfa, "example", another, code(another, step)), "(absent)", "another secret replaces the first");
    is_number(tfa_login(tfa, "example", code(secret, step + 2)), TFA_DENIED, "codes of the replaced secret are invalid");
    is_number(tfa_login(tfa, "example", code(another, step + 1)), TFA_VERIFIED, "codes of the new secret are valid");
    tfa_close(tfa);
}

static void a_code_is_accepted_once(void)
{
    tfa_t *tfa = new_server(WIDE);
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "example", step - 2, secret);
    is_text(verify(tfa, "example", code(secret, step)), VERDICT("1", "1", "\"totp\"", "0", "0", "null", "null"), "a valid code is accepted");
    is_text(verify(tfa, "example", code(secret, step)),
            VERDICT("1", "0", "null", "0", "0", "\"The security code has already been used.\"", "\"used_code\""), "a used code is denied");
    is_number(tfa_login(tfa, "example", code(secret, step - 1)), TFA_DENIED, "an older code is denied");
    is_number(number_at(status(tfa, "example"), "failures"), 0, "replayed codes are not counted");
    is_number(tfa_login(tfa, "example", wrong_code(secret, step)), TFA_DENIED, "an invalid code is denied");
    is_number(number_at(status(tfa, "example"), "failures"), 1, "an invalid code is counted");
    is_number(tfa_login(tfa, "example", code(secret, step)), TFA_DENIED, "a used code is denied");
    is_number(number_at(status(tfa, "example"), "failures"), 1, "a used code does not reset the count");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "a valid code is accepted");
    is_number(number_at(status(tfa, "example"), "failures"), 0, "a valid code resets the count");
    const char *right = code(secret, step + 2);
    const char *answer = whm(tfa, "root", "twofactorauth_verify_login", "{\"user\": \"example\", \"tfa_token\": %ld}",
                             strtol(right, NULL, 10));
    is_text(at(answer, "data/verified"), "1", "a code can be a JSON number");
    tfa_close(tfa);
}

/* A code that begins with a zero loses it as a JSON number. */
static void leading_zeros(void)
{
    tfa_t *tfa = new_server(WIDE);
    char secret[SECRET_SIZE];
    long step = step_now();
    const char *zero = "";
    for (int attempt = 0; *zero != '0' && attempt < 1000; attempt++) {
        propose(tfa, "example", secret);
        zero = code(secret, step + 1);
    }
    is_text(set(tfa, "example", secret, code(secret, step)), "(absent)", "enrolled");
    is_number(*zero, '0', "the next code begins with a zero");
    const char *answer = whm(tfa, "root", "twofactorauth_verify_login", "{\"user\": \"example\", \"tfa_token\": %ld}",
                             strtol(zero, NULL, 10));
    is_text(at(answer, "data/verified"), "1", "as a number without the zero it is valid");
    tfa_close(tfa);
}

/* Which steps are accepted with a skew. Starts again when the step ends meanwhile. */
static void window(int skew)
{
    char secret[SECRET_SIZE];
    tfa_t *tfa = NULL;
    int results[25];
    long step;
    do {
        tfa_close(tfa);
        tfa = new_server(text("\"skew\": %d, \"lockout\": {\"failures\": 100}", skew));
        settle_in_step(5);
        step = step_now();
        propose(tfa, "example", secret);
        /* A secret that root sets has used no code yet. */
        whm(tfa, "root", "twofactorauth_set_tfa_config_for_user", "{\"example\": {\"primary_account\": {\"secret\": \"%s\"}}}",
            secret);
        for (int offset = -12; offset <= 12; offset++) {
            results[offset + 12] = tfa_login(tfa, "example", code(secret, step + offset));
        }
    } while (step_now() != step);
    for (int offset = -12; offset <= 12; offset++) {
        bool inside = offset >= -skew && offset <= skew;
        is_number(results[offset + 12], inside ? TFA_VERIFIED : TFA_DENIED, "skew %d: a code %d steps away is %s", skew,
                  offset, inside ? "valid" : "invalid");
    }
    tfa_close(tfa);
}

static void locks(void)
{
    tfa_t *tfa = new_server(WIDE);
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    const char *wrong = text("%s", wrong_code(secret, step));
    for (int failure = 1; failure <= 4; failure++) {
        is_text(verify(tfa, "example", wrong), VERDICT("1", "0", "null", "0", "0", "\"The security code is invalid.\"", "\"invalid_code\""),
                "invalid code %d", failure);
    }
    is_text(verify(tfa, "example", wrong), VERDICT("1", "0", "null", "1", "30", "\"The security code is invalid.\"", "\"invalid_code\""),
            "the fifth locks for 30 seconds");
    const char *locked = verify(tfa, "example", code(secret, step + 1));
    long left = number_at(locked, "retry_after");
    ok(left > 20 && left <= 30, "a lock of up to 30 seconds is left");
    is_text(at(locked, "reason"), text("Too many invalid security codes. Try again in %ld seconds.", left),
            "during a lock a valid code is not examined");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_LOCKED, "during a lock tfa_login returns TFA_LOCKED");
    is_number(tfa_login(tfa, "example", NULL), TFA_LOCKED, "also without a code");
    is_number(number_at(status(tfa, "example"), "failures"), 5, "during a lock codes are not counted");
    is_number(tfa_login(tfa, "other", NULL), TFA_NOT_REQUIRED, "other subjects are not locked");
    is_text(reason(whm(tfa, "root", "twofactorauth_unlock_user", "{\"user\": \"example\"}")), "OK", "root lifts the lock");
    is_text(status(tfa, "example"),
            "{\"required\":1,\"is_enabled\":1,\"locked\":0,\"retry_after\":0,\"failures\":0,\"recovery_codes_left\":0}",
            "lifting a lock resets the failures");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "the code that was not examined is valid");
    tfa_close(tfa);
}

/* Waits until a lock ends. */
static void wait_for_unlock(tfa_t *tfa, const char *user)
{
    while (number_at(status(tfa, user), "retry_after") > 0) {
        usleep(50 * 1000);
    }
}

static void hard_lock(void)
{
    tfa_t *tfa = new_server(WIDE ", \"lockout\": {\"failures\": 2, \"seconds\": 2, \"max_seconds\": 2, \"hard_limit\": 3}");
    char secret[SECRET_SIZE], first[32], second[32];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    const char *codes = uapi(tfa, "example", "generate_recovery_codes", NULL);
    snprintf(first, sizeof(first), "%s", at(codes, "data/recovery_codes/0"));
    snprintf(second, sizeof(second), "%s", at(codes, "data/recovery_codes/1"));
    const char *wrong = text("%s", wrong_code(secret, step));
    is_number(tfa_login(tfa, "example", wrong), TFA_DENIED, "an invalid code");
    is_number(tfa_login(tfa, "example", wrong), TFA_DENIED, "the second invalid code locks for two seconds");
    wait_for_unlock(tfa, "example");
    is_number(tfa_login(tfa, "example", wrong), TFA_DENIED, "the third invalid code reaches the hard limit");
    wait_for_unlock(tfa, "example");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_LOCKED, "after the hard limit one-time codes are not examined");
    has_text(verify(tfa, "example", code(secret, step + 1)),
             VERDICT("1", "0", "null", "1", "0",
                     "\"Too many invalid security codes. Use a recovery code, or ask the server administrator to "
                     "unlock you.\"", "\"hard_locked\""),
             "the reason says what lifts a hard lock");
    is_number(tfa_login(tfa, "example", first), TFA_VERIFIED, "a recovery code lifts a hard lock");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "one-time codes are examined again");
    is_number(tfa_login(tfa, "example", first), TFA_DENIED, "the recovery code is used");
    wait_for_unlock(tfa, "example");
    is_number(tfa_login(tfa, "example", wrong), TFA_DENIED, "an invalid code");
    is_number(tfa_login(tfa, "example", wrong), TFA_DENIED, "another invalid code locks");
    is_number(tfa_login(tfa, "example", code(secret, step + 2)), TFA_LOCKED, "during a lock one-time codes are not examined");
    is_number(tfa_login(tfa, "example", second), TFA_VERIFIED, "during a lock recovery codes are examined");
    tfa_close(tfa);
}

static void recovery_codes(void)
{
    tfa_t *tfa = new_server(WIDE ", \"lockout\": {\"failures\": 100}");
    char secret[SECRET_SIZE], codes[10][32], typed[64];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    const char *answer = uapi(tfa, "example", "generate_recovery_codes", NULL);
    for (int place = 0; place < 10; place++) {
        snprintf(codes[place], sizeof(codes[place]), "%s", at(answer, text("data/recovery_codes/%d", place)));
        is_number((long)strspn(codes[place], "abcdefghijklmnopqrstuvwxyz234567-"), 19, "recovery code %d has 16 characters in groups",
                  place);
    }
    is_number(number_at(status(tfa, "example"), "recovery_codes_left"), 10, "there are ten recovery codes");
    size_t end = 0;
    for (const char *from = codes[0]; *from != '\0'; from++) {
        if (*from != '-') {
            typed[end++] = (char)toupper((unsigned char)*from);
        }
    }
    typed[end] = '\0';
    is_number(tfa_login(tfa, "example", typed), TFA_VERIFIED, "upper case without dashes is accepted");
    is_number(tfa_login(tfa, "example", codes[0]), TFA_DENIED, "it is the same code, which is used");
    is_text(verify(tfa, "example", codes[1]), VERDICT("1", "1", "\"recovery\"", "0", "0", "null", "null"), "the second recovery code is accepted");
    is_number(tfa_login(tfa, "other", codes[2]), TFA_NOT_REQUIRED, "a subject that is not enrolled uses no code");
    char others[SECRET_SIZE];
    enrol(tfa, "other", step, others);
    is_number(tfa_login(tfa, "other", codes[2]), TFA_DENIED, "a recovery code of another subject is invalid");
    is_number(tfa_login(tfa, "example", codes[2]), TFA_VERIFIED, "its owner can still use it");
    is_number(number_at(status(tfa, "example"), "recovery_codes_left"), 7, "seven recovery codes are left");
    answer = uapi(tfa, "example", "generate_recovery_codes", NULL);
    is_number(tfa_login(tfa, "example", codes[3]), TFA_DENIED, "new recovery codes revoke the old ones");
    is_number(tfa_login(tfa, "example", at(answer, "data/recovery_codes/9")), TFA_VERIFIED, "new recovery codes are accepted");
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "one-time codes still work");
    tfa_close(tfa);
}

/* After a removal and another enrolment with the same secret, used codes stay used. */
static void removal(void)
{
    tfa_t *tfa = new_server(WIDE);
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    uapi(tfa, "example", "generate_recovery_codes", NULL);
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_VERIFIED, "logged in");
    is_text(at(uapi(tfa, "example", "remove_user_configuration", NULL), "data/tfa_removed"), "1", "removed");
    is_text(status(tfa, "example"),
            "{\"required\":0,\"is_enabled\":0,\"locked\":0,\"retry_after\":0,\"failures\":0,\"recovery_codes_left\":0}",
            "nothing is left of the enrolment");
    is_number(tfa_login(tfa, "example", "000000"), TFA_NOT_REQUIRED, "no code is required");
    is_text(at(uapi(tfa, "example", "remove_user_configuration", NULL), "data/tfa_removed"), "1", "removed again");
    is_text(set(tfa, "example", secret, code(secret, step + 1)), "The security code has already been used.",
            "the last code of the same secret stays used");
    whm(tfa, "root", "twofactorauth_set_tfa_config_for_user", "{\"example\": {\"primary_account\": {\"secret\": \"%s\"}}}",
        secret);
    is_number(tfa_login(tfa, "example", code(secret, step + 1)), TFA_DENIED, "also when root sets the secret");
    is_number(tfa_login(tfa, "example", code(secret, step + 2)), TFA_VERIFIED, "the next code is accepted");
    tfa_close(tfa);
}

/* Enrolments are moved to another server, all or none of them. */
static void moving(void)
{
    tfa_t *tfa = new_server(WIDE), *other = new_server(WIDE);
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "example", step, secret);
    char *configuration = tfa_whmapi1(tfa, "root", "twofactorauth_get_tfa_config_for_user", "{\"user\": \"example\"}");
    const char *moved = at(configuration, "data");
    tfa_free(configuration);
    is_text(reason(whm(other, "root", "twofactorauth_set_tfa_config_for_user", "%s", moved)), "OK", "root sets the exported secrets");
    is_number(tfa_login(other, "example", code(secret, step + 1)), TFA_VERIFIED, "codes are valid on the other server");

    static const char *const refused[][2] = {
        {"{\"a\": {\"primary_account\": {\"secret\": \"AAAABBBBCCCCDDDD\"}}, \"b\": {\"primary_account\": {\"secret\": \"?\"}}}",
         "The parameter \"b: secret\" is not a Base32 string of 16 to 128 characters."},
        {"{\"a\": {\"primary_account\": {\"secret\": \"AAAABBBBCCCCDDDD\"}}, \"b\": {\"primary_account\": {\"x\": 1}}}",
         "The parameter \"b: x\" is not valid: the keys are secret, algorithm, digits, period."},
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
              "nothing of a refused request is stored");
    tfa_close(tfa);
    tfa_close(other);
}

/* Other algorithms, digits and periods. */
static void code_format(const char *algorithm, const char *name, int digits, int period)
{
    tfa_t *tfa = new_server(text(WIDE ", \"secret_length\": 64, \"algorithm\": \"%s\", \"digits\": %d, \"period\": %d", name, digits,
                            period));
    char secret[SECRET_SIZE];
    propose(tfa, "example", secret);
    long now = step_now() * 30;
    is_text(set(tfa, "example", secret, code_of(secret, algorithm, digits, period, now)), "(absent)",
            "%s, %d digits, %d seconds: enrolled", name, digits, period);
    is_number(tfa_login(tfa, "example", code_of(secret, algorithm, digits, period, now + period)), TFA_VERIFIED,
              "%s, %d digits, %d seconds: logged in", name, digits, period);
    is_number(tfa_login(tfa, "example", code_of(secret, algorithm, digits, period, now + period)), TFA_DENIED,
              "%s, %d digits, %d seconds: accepted once", name, digits, period);
    tfa_close(tfa);
}

/* Enrolments and used codes survive closing and opening. */
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
    is_number(tfa_login(second, "example", code(secret, step + 2)), TFA_VERIFIED, "a second handle accepts a code");
    is_number(tfa_login(tfa, "example", code(secret, step + 2)), TFA_DENIED, "the first handle denies it");
    tfa_close(tfa);
    is_number(tfa_login(second, "example", code(secret, step + 3)), TFA_VERIFIED, "the second handle works when the first is closed");
    tfa_close(second);
}

int main(void)
{
    policy();
    verify_before_storing();
    a_code_is_accepted_once();
    leading_zeros();
    window(0);
    window(1);
    window(10);
    locks();
    hard_lock();
    recovery_codes();
    removal();
    moving();
    code_format("sha1", "SHA1", 8, 60);
    code_format("sha256", "SHA256", 7, 30);
    code_format("sha512", "SHA512", 8, 45);
    reopening();
    return done();
}
