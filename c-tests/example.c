/*
 * The example program, examples/login.c, which the Makefile builds beside this test.
 *
 * Promise: its output and its exit status agree with the verdict of the library.
 */
#include "support.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char program[512];
static int exit_status;

/* Runs the example with a configuration, a user and an input. Returns its output. */
static const char *run(const char *configuration, const char *user, const char *typed)
{
    FILE *pipe = popen(text("echo '%s' | %s '%s' '%s' 2>&1", typed, program, user, configuration), "r");
    char output[1024];
    size_t length = pipe == NULL ? 0 : fread(output, 1, sizeof(output) - 1, pipe);
    output[length] = '\0';
    int status = pipe == NULL ? -1 : pclose(pipe);
    exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return text("%s", output);
}

static void expect(const struct place *place, const char *user, const char *typed, const char *output, int status)
{
    is_text(run(config(place, WIDE), user, typed), output, "\"%s\" types '%s'", user, typed);
    is_number(exit_status, status, "and the exit status is %d", status);
}

int main(int argc, char **argv)
{
    const char *end = argc > 0 ? strrchr(argv[0], '/') : NULL;
    if (end == NULL) {
        die("start this program by its path: the example is beside it");
    }
    snprintf(program, sizeof(program), "%.*s/login-example", (int)(end - argv[0]), argv[0]);
    struct place place = new_place();
    tfa_t *tfa = open_at(&place, WIDE);
    whm(tfa, "root", "twofactorauth_enable_policy", NULL);
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "example", step, secret);

    expect(&place, "other", "", "Welcome. No code is needed.\n", 0);
    expect(&place, "example", wrong_code(secret, step), "Security code: The security code is invalid or has already been used.\n", 1);
    expect(&place, "example", code(secret, step + 1), "Security code: Welcome.\n", 0);
    expect(&place, "example", code(secret, step + 1), "Security code: The security code is invalid or has already been used.\n", 1);
    expect(&place, "no such user", "", "Login is not available at the moment.\n", 1);
    for (int failure = 0; failure < 5; failure++) {
        tfa_login(tfa, "example", wrong_code(secret, step));
    }
    expect(&place, "example", code(secret, step + 2), "Too many invalid security codes. Try again later.\n", 1);
    has_text(run("{\"colour\": 1}", "example", ""), "{\"error\":\"", "an invalid configuration is an error");
    is_number(exit_status, 2, "and the exit status is 2");
    tfa_close(tfa);
    return done();
}
