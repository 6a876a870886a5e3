/*
 * The second step of a login, after the password: reads a code and verifies it, as the login page of a panel does.
 *
 *     cc examples/login.c -ltfa -o login && ./login USER [CONFIG]
 *
 * Exit status: 0 accepted, 1 denied, 2 wrong usage or no store.
 */
#include <stdio.h>
#include <string.h>
#include <tfa.h>

/* Prints the message for the user; returns the exit status. */
static int report(int32_t verdict)
{
    switch (verdict) {
    case TFA_VERIFIED:     puts("Welcome."); break;
    case TFA_NOT_REQUIRED: puts("Welcome. No code is needed."); break;
    case TFA_DENIED:       puts("The security code is invalid or has already been used."); break;
    case TFA_LOCKED:       puts("Too many invalid security codes. Try again later."); break;
    default:               puts("Login is not available at the moment."); break;
    }
    return verdict > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: %s USER [CONFIG], where CONFIG is JSON; without it, /etc/tfa/tfa.toml is read\n", argv[0]);
        return 2;
    }
    const char *user = argv[1];
    char *error = NULL;
    tfa_t *tfa = tfa_open(argc == 3 ? argv[2] : NULL, &error);
    if (tfa == NULL) {
        fprintf(stderr, "%s\n", error);
        tfa_free(error);
        return 2;
    }

    /* Without a code, the answer says whether one is required. */
    int32_t verdict = tfa_login(tfa, user, NULL);
    if (verdict == TFA_DENIED) {
        char code[64];
        printf("Security code: ");
        fflush(stdout);
        if (fgets(code, sizeof(code), stdin) != NULL) {
            code[strcspn(code, "\r\n")] = '\0';
            verdict = tfa_login(tfa, user, code);
        }
    }
    tfa_close(tfa);
    return report(verdict);
}
