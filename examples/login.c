/*
 * The second half of a login: the password was right, now the code. What a panel's login page does, in one program.
 *
 *     cc examples/login.c -ltfa -o login && ./login CONFIG USER
 *
 * Exit status: 0 let in, 1 keep out, 2 wrong usage or no store.
 */
#include <stdio.h>
#include <string.h>
#include <tfa.h>

/* Says what a verdict means; answers the exit status. */
static int tell(int32_t verdict)
{
    switch (verdict) {
    case TFA_VERIFIED:     puts("Welcome."); break;
    case TFA_NOT_REQUIRED: puts("Welcome. No code is needed."); break;
    case TFA_DENIED:       puts("The security code is invalid or was used before."); break;
    case TFA_LOCKED:       puts("Too many invalid security codes. Try again later."); break;
    default:               puts("Login is not possible at the moment."); break;
    }
    return verdict > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s CONFIG USER, where CONFIG is JSON such as '{\"store\": \"sqlite:/var/lib/tfa/tfa.db\"}'\n",
                argv[0]);
        return 2;
    }
    char *error = NULL;
    tfa_t *tfa = tfa_open(argv[1], &error);
    if (tfa == NULL) {
        fprintf(stderr, "%s\n", error);
        tfa_free(error);
        return 2;
    }

    /* Ask first, so that nobody is troubled for a code who needs none. */
    int32_t verdict = tfa_login(tfa, argv[2], NULL);
    if (verdict == TFA_DENIED) {
        char code[64];
        printf("Security code: ");
        fflush(stdout);
        if (fgets(code, sizeof(code), stdin) != NULL) {
            code[strcspn(code, "\r\n")] = '\0';
            verdict = tfa_login(tfa, argv[2], code);
        }
    }
    tfa_close(tfa);
    return tell(verdict);
}
