/* Codes of an authenticator that shares no code with the library, and enrolment with them; see support.h. */
#include "support.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

long step_now(void)
{
    return (long)(time(NULL) / 30);
}

void settle_in_step(int seconds)
{
    while (30 - time(NULL) % 30 < seconds) {
        usleep(100 * 1000);
    }
}

/* Reads the lines that a command prints; there must be `count`. */
static void lines_of(const char *command, char lines[][16], int count)
{
    FILE *pipe = popen(command, "r");
    int read = 0;
    while (pipe != NULL && read < count && fgets(lines[read], 16, pipe) != NULL) {
        lines[read][strcspn(lines[read], "\n")] = '\0';
        read++;
    }
    if (pipe == NULL || pclose(pipe) != 0 || read != count) {
        die("oathtool is missing: install it");
    }
}

const char *code_of(const char *secret, const char *algorithm, int digits, int period, long time)
{
    char line[1][16];
    lines_of(text("oathtool -b --totp=%s -d %d -s %ds --now=@%ld %s", algorithm, digits, period, time, secret), line, 1);
    return text("%s", line[0]);
}

const char *code(const char *secret, long step)
{
    return code_of(secret, "sha1", 6, 30, step * 30);
}

enum { AROUND = 51 };

/* The codes of the steps around `step`, more than any window has. */
static void codes_around(const char *secret, long step, char codes[AROUND][16])
{
    lines_of(text("oathtool -b --totp -w %d --now=@%ld %s", AROUND - 1, (step - AROUND / 2) * 30, secret), codes, AROUND);
}

static bool is_among(const char *candidate, char codes[][16], int count)
{
    for (int place = 0; place < count; place++) {
        if (strcmp(codes[place], candidate) == 0) {
            return true;
        }
    }
    return false;
}

const char *wrong_code(const char *secret, long step)
{
    char codes[AROUND][16];
    codes_around(secret, step, codes);
    for (int number = 123456;; number++) {
        const char *candidate = text("%06d", number);
        if (!is_among(candidate, codes, AROUND)) {
            return candidate;
        }
    }
}

/* Whether two steps of a window have the same code. Then the later one is accepted, and the steps up to it are used. */
static bool has_equal_codes(const char *secret, long step)
{
    char codes[AROUND][16];
    codes_around(secret, step, codes);
    for (int place = 1; place < AROUND; place++) {
        if (is_among(codes[place], codes, place)) {
            return true;
        }
    }
    return false;
}

void propose(tfa_t *tfa, const char *caller, char secret[SECRET_SIZE])
{
    const char *answer = uapi(tfa, caller, "generate_user_configuration", NULL);
    if (!worked(answer)) {
        die("no secret for %s: %s", caller, reason(answer));
    }
    snprintf(secret, SECRET_SIZE, "%s", at(answer, "data/secret"));
}

void enrol(tfa_t *tfa, const char *caller, long step, char secret[SECRET_SIZE])
{
    do {
        propose(tfa, caller, secret);
    } while (has_equal_codes(secret, step));
    const char *answer = uapi(tfa, caller, "set_user_configuration", "{\"secret\": \"%s\", \"tfa_token\": \"%s\"}",
                              secret, code(secret, step));
    if (!worked(answer)) {
        die("%s is not enrolled: %s", caller, reason(answer));
    }
}

void furnish(const struct place *place)
{
    tfa_t *tfa = open_at(place, WIDE);
    char secret[SECRET_SIZE];
    whm(tfa, "root", "twofactorauth_enable_policy", NULL);
    enrol(tfa, "example", step_now(), secret);
    tfa_close(tfa);
}

int enrol_and_log_in(tfa_t *tfa, const char *user)
{
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, user, step, secret);
    NEED(tfa_login(tfa, user, code(secret, step)) == TFA_DENIED);
    NEED(tfa_login(tfa, user, code(secret, step + 1)) == TFA_VERIFIED);
    NEED(tfa_login(tfa, user, code(secret, step + 1)) == TFA_DENIED);
    return 0;
}
