/*
 * The functions that need no store: one-time codes against the vectors of RFC 4226 and RFC 6238, Base32, secrets,
 * otpauth URIs and QR codes; and what they refuse.
 */
#include "bad_texts.h"
#include "support.h"

#include <stdint.h>
#include <stdlib.h>

/* RFC 4226 appendix D and RFC 6238 appendix B. */
static void codes(void)
{
    static const uint8_t seed[] = "1234567890123456789012345678901234567890123456789012345678901234";
    static const long hotp[] = {755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489};
    for (size_t counter = 0; counter < COUNT(hotp); counter++) {
        is_number(tfa_generate_hotp(seed, 20, TFA_SHA1, 6, counter), hotp[counter], "RFC 4226, counter %zu", counter);
    }
    static const struct {
        uint64_t time;
        long codes[3];
    } totp[] = {
        {59, {94287082, 46119246, 90693936}},          {1111111109, {7081804, 68084774, 25091201}},
        {1111111111, {14050471, 67062674, 99943326}},  {1234567890, {89005924, 91819424, 93441116}},
        {2000000000, {69279037, 90698825, 38618901}},  {20000000000, {65353130, 77737706, 47863826}},
    };
    static const struct {
        uint32_t algorithm;
        size_t length;
    } hashes[] = {{TFA_SHA1, 20}, {TFA_SHA256, 32}, {TFA_SHA512, 64}};
    for (size_t row = 0; row < COUNT(totp); row++) {
        for (size_t hash = 0; hash < COUNT(hashes); hash++) {
            is_number(tfa_generate_totp(seed, hashes[hash].length, hashes[hash].algorithm, 8, 30, totp[row].time),
                      totp[row].codes[hash], "RFC 6238, hash %u at %llu", hashes[hash].algorithm,
                      (unsigned long long)totp[row].time);
        }
    }
    uint64_t step = 7;
    is_number(tfa_verify_totp(seed, 20, TFA_SHA1, 8, 30, 1, 59 + 30, "9428 7082", &step), 1, "a code of the step before is valid");
    is_number((long)step, 1, "its step is returned");
    is_number(tfa_verify_totp(seed, 20, TFA_SHA1, 8, 30, 1, 59 + 60, "94287082", &step), 0, "a code of two steps before is invalid");
    is_number(tfa_verify_totp(seed, 20, TFA_SHA1, 8, 30, 1, 59 + 30, "94287082", NULL), 1, "the step is optional");
    const char *base32 = "gezd gnbv gy3t qojq gezd gnbv gy3t qojq";
    for (int away = -2; away <= 2; away++) {
        is_number(tfa_verify_totp_base32(base32, "287 082", (uint64_t)(59 + 30 * away)), away >= -1 && away <= 1,
                  "check: %d steps away", away);
    }
}

static void plain_functions(void)
{
    uint8_t bytes[8] = {0};
    is_number(tfa_decode_base32("mzxw 6ytb-oi======", bytes, sizeof(bytes)), 6, "Base32 is decoded");
    ok(memcmp(bytes, "foobar\0\0", 8) == 0, "nothing is written beyond the bytes");
    is_number(tfa_decode_base32("MZXW6YTBOI", NULL, 0), 6, "without a buffer the length is returned");
    is_number(tfa_decode_base32("MZXW6YTBOI", bytes, 5), -1, "a buffer that is too small is an error");
    is_number((long)strlen(at(taken(tfa_generate_secret(NULL)), "secret")), 32, "a generated secret has 32 characters");
    is_number((long)strlen(at(taken(tfa_generate_secret("{\"length\": 128}")), "secret")), 128, "or the given length");
    const char *uri = "{\"otpauth_str\":\"otpauth://totp/Example%20Hosting:root?secret=CAOXW75HKYJJ6E5Y"
                      "&issuer=Example%20Hosting\"}";
    is_text(taken(tfa_build_otpauth("{\"secret\": \"caox w75h kyjj 6e5y\", \"account\": \"root\", \"issuer\": \"Example Hosting\"}")),
            uri, "the URI of the contract is built");
    is_text(taken(tfa_parse_otpauth(uri)),
            "{\"type\":\"totp\",\"secret\":\"CAOXW75HKYJJ6E5Y\",\"account\":\"root\",\"issuer\":\"Example Hosting\","
            "\"algorithm\":\"SHA1\",\"digits\":6,\"period\":30}",
            "and parsed");
    const char *counter = taken(tfa_build_otpauth("{\"secret\": \"CAOXW75HKYJJ6E5Y\", \"account\": \"a\", \"counter\": 9}"));
    is_text(taken(tfa_parse_otpauth(counter)),
            "{\"type\":\"hotp\",\"secret\":\"CAOXW75HKYJJ6E5Y\",\"account\":\"a\",\"issuer\":\"\","
            "\"algorithm\":\"SHA1\",\"digits\":6,\"period\":30,\"counter\":9}",
            "a URI with a counter is parsed");
    const char *svg = taken(tfa_draw_qr("{\"text\": \"otpauth://totp/a\"}"));
    is_text(at(svg, "content_type"), "image/svg+xml", "a QR code is SVG by default");
    has_text(at(svg, "qr"), "<svg xmlns=\"http://www.w3.org/2000/svg\"", "as a complete picture");
    const char *png = taken(tfa_draw_qr("{\"text\": \"otpauth://totp/a\", \"format\": \"png\"}"));
    ok(strncmp(at(png, "qr"), "iVBORw0KGgo", 11) == 0, "a QR code as PNG is in Base64");
    is_text(at(taken(tfa_draw_qr("{\"text\": \"otpauth://totp/a\", \"format\": \"terminal\"}")), "content_type"), "text/plain",
            "a QR code for a terminal is text");
}

static const uint8_t twenty[] = "12345678901234567890";

static void refused_codes(void)
{
    is_number(tfa_generate_hotp(NULL, 20, TFA_SHA1, 6, 0), -1, "hotp: no secret");
    is_number(tfa_generate_hotp(twenty, 20, 2, 6, 0), -1, "hotp: an unknown hash");
    is_number(tfa_generate_hotp(twenty, 20, TFA_SHA1, 0, 0), -1, "hotp: no digits");
    is_number(tfa_generate_hotp(twenty, 20, TFA_SHA1, 11, 0), -1, "hotp: eleven digits");
    is_number(tfa_generate_hotp(twenty, SIZE_MAX, TFA_SHA1, 6, 0), -1, "hotp: a secret larger than memory");
    ok(tfa_generate_hotp(twenty, 20, TFA_SHA1, 10, UINT64_MAX) >= 0, "hotp: the last counter");
    is_number(tfa_generate_totp(twenty, 20, TFA_SHA1, 6, 0, 0), -1, "totp: no period");
    ok(tfa_generate_totp(twenty, 20, TFA_SHA1, 6, 1, UINT64_MAX) >= 0, "totp: the end of time");
}

static void refused_verifications(void)
{
    uint64_t step = 7;
    is_number(tfa_verify_totp(twenty, 20, TFA_SHA1, 6, 0, 1, 0, "123456", &step), -1, "verify: no period");
    is_number(tfa_verify_totp(twenty, 20, TFA_SHA1, 6, 30, 1001, 0, "123456", &step), -1, "verify: a skew of 1001");
    is_number(tfa_verify_totp(NULL, 20, TFA_SHA1, 6, 30, 1, 0, "123456", &step), -1, "verify: no secret");
    is_number(tfa_verify_totp(twenty, SIZE_MAX, TFA_SHA1, 6, 30, 1, 0, "123456", &step), -1, "verify: a secret larger than memory");
    is_number(tfa_verify_totp(twenty, 20, TFA_SHA1, 6, 30, 1, 0, NULL, &step), 0, "verify: no code");
    is_number(tfa_verify_totp(twenty, 20, TFA_SHA1, 6, 30, 1, 0, "\xff", &step), 0, "verify: a code of bad UTF-8");
    is_number(tfa_verify_totp(twenty, 20, TFA_SHA1, 6, 30, 1, 0, bad_texts[TWO_MIB].args, &step), 0, "verify: a code of 2 MiB");
    is_number(tfa_verify_totp(twenty, 20, TFA_SHA1, 6, 1, 1000, UINT64_MAX, "-12345", &step), 0, "verify: at the end of time");
    is_number((long)step, 7, "verify: the step is written on success only");
    is_number(tfa_verify_totp_base32(NULL, "123456", 0), -1, "check: no secret");
    is_number(tfa_verify_totp_base32("", "123456", 0), -1, "check: an empty secret");
    is_number(tfa_verify_totp_base32("MZXW6YT1", "123456", 0), -1, "check: a secret that is not Base32");
    is_number(tfa_verify_totp_base32(bad_texts[TWO_MIB].args, "123456", 0), -1, "check: a secret of 2 MiB");
    is_number(tfa_verify_totp_base32("MZXW6YTB", NULL, 0), 0, "check: no code");
    is_number(tfa_verify_totp_base32("MZXW6YTB", "\xff", 0), 0, "check: a code of bad UTF-8");
    is_number(tfa_verify_totp_base32("MZXW6YTB", bad_texts[TWO_MIB].args, UINT64_MAX), 0, "check: a code of 2 MiB at the end of time");
}

static void refused_base32(void)
{
    uint8_t bytes[8] = {0};
    is_number(tfa_decode_base32(NULL, bytes, 8), -1, "base32_decode: no text");
    is_number(tfa_decode_base32("MZXW6YT1", bytes, 8), -1, "base32_decode: a 1");
    is_number(tfa_decode_base32("\xff", bytes, 8), -1, "base32_decode: bad UTF-8");
    is_number(tfa_decode_base32(bad_texts[TWO_MIB].args, bytes, 8), -1, "base32_decode: 2 MiB");
    ok(memcmp(bytes, "\0\0\0\0\0\0\0\0", 8) == 0, "base32_decode: nothing is written on failure");
}

static void refused_texts(void)
{
    char *(*const plain[])(const char *) = {tfa_generate_secret, tfa_build_otpauth, tfa_parse_otpauth, tfa_draw_qr};
    static const char *const names[] = {"secret", "otpauth", "otpauth_parse", "qr"};
    for (size_t function = 0; function < COUNT(plain); function++) {
        for (size_t bad = 0; bad < bad_count; bad++) {
            ok(strlen(at(taken(plain[function](bad_texts[bad].args)), "error")) > 10, "%s: %s", names[function],
               bad_texts[bad].what);
        }
    }
    is_text(at(taken(tfa_generate_secret("{\"length\": 17}")), "error"), "The parameter \"length\" is not valid: a secret has 16 to 128 characters, a multiple of 8.",
            "secret: 17 characters");
    is_text(at(taken(tfa_build_otpauth(NULL)), "error"), "The parameter \"account\" is required.", "otpauth: no arguments");
    char account[512];
    snprintf(account, sizeof account, "{\"account\": \"%0255d\"}", 0);
    is_text(at(taken(tfa_build_otpauth(account)), "error"), "The parameter \"account\" is not valid: it has more than 254 bytes.",
            "otpauth: a long account");
    is_text(at(taken(tfa_parse_otpauth(NULL)), "error"), "The parameter \"otpauth_str\" is required.",
            "otpauth_parse: no arguments");
    is_text(at(taken(tfa_draw_qr(NULL)), "error"), "The parameter \"text\" is required.", "qr: no arguments");
}

int main(void)
{
    codes();
    plain_functions();
    make_bad_texts();
    refused_codes();
    refused_verifications();
    refused_base32();
    refused_texts();
    free_bad_texts();
    return done();
}
