/*
 * What liboath says: reads lines of "SECRET-IN-HEX ALGORITHM DIGITS PERIOD TIME AROUND" and prints, for each, the codes
 * of the steps from AROUND before that time to AROUND after it. ALGORITHM is 1, 256 or 512.
 *
 * Promise: anything that it cannot read or compute ends it with status 1.
 */
#include <liboath/oath.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    char hex[512], secret[256], code[16];
    unsigned algorithm, digits, period, around;
    long long time;
    int fields;
    while ((fields = scanf("%511s %u %u %u %lld %u", hex, &algorithm, &digits, &period, &time, &around)) == 6) {
        size_t length = sizeof(secret);
        int flags = algorithm == 256 ? OATH_TOTP_HMAC_SHA256 : algorithm == 512 ? OATH_TOTP_HMAC_SHA512 : 0;
        if (oath_hex2bin(hex, secret, &length) != OATH_OK) {
            return 1;
        }
        for (unsigned step = 0; step <= 2 * around; step++) {
            time_t moment = (time_t)(time + ((long long)step - around) * period);
            if (oath_totp_generate2(secret, length, moment, period, OATH_TOTP_DEFAULT_START_TIME, digits, flags, code) != OATH_OK) {
                return 1;
            }
            printf("%s%s", step > 0 ? " " : "", code);
        }
        putchar('\n');
    }
    return fields == EOF ? 0 : 1;
}
