/*
 * codes.c: one-time codes at the cost of the C call.
 *
 * These functions accept plain arguments only: strings and numbers without magic or overloading, so no Perl code runs here and nothing can be freed
 * meanwhile. For anything else, errors included, they return NULL: then Authen/TFA.pm passes the call to the library's JSON functions, whose
 * rules, limits and messages hold.
 */
#include "tfa_perl.h"

#include <time.h>

#define USUAL_DIGITS 6
#define USUAL_PERIOD 30
#define USUAL_SKEW 1
#define ROOM 128 /* for the bytes of a Base32 secret of the usual lengths; longer ones take the long way */

typedef struct {
    const uint8_t *key;
    STRLEN length;
    uint8_t decoded[ROOM];
    const char *code;
    SV *step;
    uint64_t counter, time;
    uint32_t digits, period, skew;
    int has_counter, has_time;
} request_t;

/* The bytes of a plain string, or NULL. The bytes of a string that Perl holds as UTF-8 are plain if they are ASCII. */
static const char *plain_bytes(SV *value, STRLEN *length) {
    const U8 *at, *end;
    if (!SvPOK(value) || SvROK(value) || SvGMAGICAL(value)) return NULL;
    at = (const U8 *)SvPVX_const(value);
    *length = SvCUR(value);
    if (SvUTF8(value))
        for (end = at + *length; at < end; at++)
            if (!UTF8_IS_INVARIANT(*at)) return NULL;
    return SvPVX_const(value);
}

/* The same, for C functions that take strings. */
static const char *plain_text(SV *value) {
    STRLEN length;
    const char *text = plain_bytes(value, &length);
    const U8 *at = (const U8 *)text, *end = at + (text ? length : 0);
    for (; at < end; at++)
        if (!*at || !UTF8_IS_INVARIANT(*at)) return NULL;
    return text;
}

/* Whether the value is a plain whole number, which is put into *number. */
static int plain_number(pTHX_ SV *value, uint64_t *number) {
    UV whole;
    if (SvROK(value) || SvGMAGICAL(value)) return 0;
    if (SvIOK(value) && (SvIsUV(value) || SvIVX(value) >= 0)) *number = SvUVX(value);
    else if (SvPOK(value) && grok_number(SvPVX_const(value), SvCUR(value), &whole) == IS_NUMBER_IN_UV) *number = whole;
    else if (SvNOK(value) && SvNVX(value) >= 0 && SvNVX(value) < 18446744073709551616.0 && (NV)(uint64_t)SvNVX(value) == SvNVX(value))
        *number = (uint64_t)SvNVX(value);
    else return 0;
    return 1;
}

static int plain_small(pTHX_ SV *value, uint32_t *number) {
    uint64_t whole;
    if (!plain_number(aTHX_ value, &whole) || whole > UINT32_MAX) return 0;
    *number = (uint32_t)whole;
    return 1;
}

static int take_secret(pTHX_ request_t *request, SV *value) {
    const char *text = plain_text(value);
    int64_t length = text ? LIBRARY(tfa_decode_base32)(text, request->decoded, sizeof request->decoded) : -1;
    if (length < 0) return 0;
    request->key = request->decoded;
    request->length = (STRLEN)length;
    return 1;
}

static int take_step(request_t *request, SV *value) {
    SV *variable = SvROK(value) && !SvGMAGICAL(value) ? SvRV(value) : NULL;
    if (!variable || SvOBJECT(variable) || SvREADONLY(variable) || SvMAGICAL(variable) || SvTYPE(variable) > SVt_PVMG || SvROK(variable)) return 0;
    request->step = variable;
    return 1;
}

/* Takes one named argument; false when it is not one that is taken here. */
static int take(pTHX_ request_t *request, int with, const char *name, SV *value) {
    if (strEQ(name, "secret")) return !request->key && take_secret(aTHX_ request, value);
    if (strEQ(name, "key")) return !request->key && (request->key = (const uint8_t *)plain_bytes(value, &request->length)) != NULL;
    if (strEQ(name, "digits")) return plain_small(aTHX_ value, &request->digits);
    if (strEQ(name, "period") && (with & WITH_TIME)) return plain_small(aTHX_ value, &request->period);
    if (strEQ(name, "time") && (with & WITH_TIME)) return request->has_time = plain_number(aTHX_ value, &request->time);
    if (strEQ(name, "counter") && (with & WITH_COUNTER)) return request->has_counter = plain_number(aTHX_ value, &request->counter);
    if (strEQ(name, "code") && (with & WITH_CODE)) return (request->code = plain_text(value)) != NULL;
    if (strEQ(name, "skew") && (with & WITH_CODE)) return plain_small(aTHX_ value, &request->skew);
    if (strEQ(name, "step") && (with & WITH_CODE)) return take_step(request, value);
    return 0;
}

/* Reads name => value pairs from the stack. An odd count means a method call: the invocant is skipped. */
static int take_all(pTHX_ request_t *request, int with, I32 ax, I32 items) {
    I32 at;
    memset(request, 0, sizeof *request);
    request->digits = USUAL_DIGITS;
    request->period = USUAL_PERIOD;
    request->skew = USUAL_SKEW;
    for (at = items & 1; at < items; at += 2) {
        const char *name = plain_text(ST(at));
        if (!name || !take(aTHX_ request, with, name, ST(at + 1))) return 0;
    }
    if (!request->has_time) request->time = (uint64_t)time(NULL);
    return request->key && (request->code || !(with & WITH_CODE)) && (request->has_counter || !(with & WITH_COUNTER));
}

/* Through a volatile pointer, so that the compiler cannot drop it as a dead store. */
static void wipe(request_t *request) {
    volatile uint8_t *at = request->decoded, *end = at + sizeof request->decoded;
    while (at < end) *at++ = 0;
}

SV *plain_code(pTHX_ int with, I32 ax, I32 items) {
    request_t request;
    int64_t value = -1;
    char text[24];
    uint32_t at;
    if (take_all(aTHX_ &request, with, ax, items))
        value = with & WITH_COUNTER ? LIBRARY(tfa_generate_hotp)(request.key, request.length, TFA_SHA1, request.digits, request.counter)
                                    : LIBRARY(tfa_generate_totp)(request.key, request.length, TFA_SHA1, request.digits, request.period, request.time);
    wipe(&request);
    if (value < 0 || request.digits > sizeof text) return NULL;
    for (at = request.digits; at > 0; value /= 10) text[--at] = (char)('0' + value % 10);
    return newSVpvn(text, request.digits);
}

SV *plain_verdict(pTHX_ I32 ax, I32 items) {
    request_t request;
    uint64_t step = 0;
    int32_t verdict = -1;
    if (take_all(aTHX_ &request, WITH_TIME | WITH_CODE, ax, items))
        verdict = LIBRARY(tfa_verify_totp)(request.key, request.length, TFA_SHA1, request.digits, request.period, request.skew, request.time, request.code, &step);
    wipe(&request);
    if (verdict < 0) return NULL;
    if (verdict == 1 && request.step) sv_setuv(request.step, (UV)step);
    return verdict == 1 ? &PL_sv_yes : &PL_sv_no;
}
