/*
 * The process of the benchmark: opens the store, calls policy_status, and closes the store.
 *
 *     process CONFIG
 */
#include <stdio.h>

#include <tfa.h>

int main(int argc, char **argv)
{
    tfa_t *tfa = argc == 2 ? tfa_open(argv[1], NULL) : NULL;
    char *answer = tfa_twofactorauth_policy_status(tfa, "root", NULL);
    puts(answer);
    tfa_free(answer);
    tfa_close(tfa);
    return tfa == NULL;
}
