/* The header is complete, may be included twice, and is valid C11. */
#include "../include/tfa.h"
#include "../include/tfa.h"

int main(void)
{
    const char *version = tfa_version();
    tfa_t *tfa = NULL;
    tfa_lookup_t lookup = NULL;
    int good = version[0] != '\0' && tfa_abi_version() == TFA_ABI_VERSION && tfa_set_lookup(tfa, lookup, NULL) == 0;
    tfa_close(tfa);
    extern int puts(const char *text);
    puts(good ? "1..1\nok 1 - a C11 program calls the library" : "1..1\nnot ok 1 - a C11 program calls the library");
    return good ? 0 : 1;
}
