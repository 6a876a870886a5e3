// The header is valid C++17, may be included twice, and has C linkage.
#include "../include/tfa.h"
#include "../include/tfa.h"

#include <cstdio>

int main()
{
    const tfa_lookup_t lookup = [](void *, const char *, const char *, void *) -> int32_t { return 0; };
    tfa_t *tfa = nullptr;
    const bool good = tfa_abi_version() == TFA_ABI_VERSION && tfa_login(tfa, "root", nullptr) == TFA_UNANSWERED &&
                      tfa_set_lookup(tfa, lookup, nullptr) == 0;
    tfa_close(tfa);
    std::printf("1..1\n%s 1 - a C++17 program calls the library\n", good ? "ok" : "not ok");
    return good ? 0 : 1;
}
