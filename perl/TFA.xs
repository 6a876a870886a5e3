/*
 * TFA.xs: the border between Perl and libtfa's C ABI.
 *
 * It promises that Perl code cannot make the C library do what its header forbids: every string is checked
 * for undef, embedded NUL and (where bytes are wanted) wide characters and is refused by its parameter's name;
 * a handle is opened once, shared by the ithreads that clone it, and closed with its last object; nothing that
 * the library returns is leaked. Decoding of answers is left to Authen/TFA.pm.
 */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"
#include "XSUB.h"
#include "ppport.h"

#include <stdint.h>
#include <string.h>
#include <time.h>
#include <tfa.h>

/* ---------------------------------------------------------------- state of one interpreter */

#define MY_CXT_KEY "Authen::TFA::_guts" XS_VERSION
typedef struct {
    AV *callbacks; /* of the object that is calling now, by the numbers below; borrowed, or NULL when it has none */
} my_cxt_t;
START_MY_CXT

#define LOOKUP 0
#define AUDIT 1

/* ---------------------------------------------------------------- checking of arguments */

typedef const char *text_t;       /* characters, as UTF-8 */
typedef const char *maybe_text_t; /* the same, or NULL for undef */

/* A reference without overloading is somebody's mistake, not a string. */
static int is_string(pTHX_ SV *value) {
    SvGETMAGIC(value);
    return SvOK(value) && (!SvROK(value) || SvAMAGIC(value));
}

static void refuse(pTHX_ const char *name, const char *why) {
    croak("The parameter \"%s\" is not valid: %s", name, why);
}

static void need(pTHX_ SV *value, const char *name) {
    if (is_string(aTHX_ value)) return;
    if (SvROK(value)) refuse(aTHX_ name, "it is a reference");
    croak("The parameter \"%s\" is required.", name);
}

/* The argument's characters as NUL-terminated UTF-8. The caller's scalar is never changed: other code may hold it as bytes. */
static const char *text_argument(pTHX_ SV *value, const char *name, STRLEN *length) {
    const char *text;
    STRLEN size, at;
    need(aTHX_ value, name);
    text = SvPV_nomg_const(value, size);
    if (!SvUTF8(value)) {
        for (at = 0; at < size && !((unsigned char)text[at] & 0x80); at++) continue;
        if (at < size) {
            value = sv_2mortal(newSVpvn(text, size));
            sv_utf8_upgrade(value);
            text = SvPV_const(value, size);
        }
    }
    if (memchr(text, 0, size)) refuse(aTHX_ name, "it contains a NUL character");
    if (length) *length = size;
    return text;
}

/* The argument as bytes, for secrets that are not text. */
static const char *bytes_argument(pTHX_ SV *value, const char *name, STRLEN *length) {
    const char *bytes;
    need(aTHX_ value, name);
    bytes = SvPV_nomg_const(value, *length);
    if (SvUTF8(value)) {
        value = sv_2mortal(newSVpvn_utf8(bytes, *length, 1));
        if (!sv_utf8_downgrade(value, 1)) refuse(aTHX_ name, "it contains a wide character");
        bytes = SvPV_const(value, *length);
    }
    return bytes;
}

/* A whole number from low to high; a fraction is refused, or dropped where the argument is a moment in time. */
static uint64_t number_argument(pTHX_ SV *value, const char *name, uint64_t low, uint64_t high, int moment) {
    const NV end = 18446744073709551616.0; /* 2**64, exact as a double */
    uint64_t number;
    UV whole;
    NV real;
    need(aTHX_ value, name);
    if (SvROK(value)) { /* a number object, such as Math::BigInt: its string is its value */
        STRLEN length;
        const char *text = SvPV_nomg_const(value, length);
        value = sv_2mortal(newSVpvn(text, length));
    }
    if (SvIOK(value) && (SvIsUV(value) || SvIVX(value) >= 0)) {
        number = SvUVX(value);
    } else if (SvPOK(value) && grok_number(SvPVX_const(value), SvCUR(value), &whole) == IS_NUMBER_IN_UV) {
        number = whole;
    } else {
        if (!SvNOK(value) && !looks_like_number(value)) refuse(aTHX_ name, "it is not a number");
        real = SvNV_nomg(value);
        if (!(real >= 0 && real < end)) refuse(aTHX_ name, "it is out of range");
        number = (uint64_t)real;
        if ((NV)number != real && !moment) refuse(aTHX_ name, "it is not a whole number");
    }
    if (number < low || number > high) refuse(aTHX_ name, "it is out of range");
    return number;
}

static uint32_t algorithm_argument(pTHX_ SV *value) {
    STRLEN length;
    const char *name = text_argument(aTHX_ value, "algorithm", &length);
    if (length == 4 && foldEQ(name, "SHA1", 4)) return TFA_SHA1;
    if (length == 6 && foldEQ(name, "SHA256", 6)) return TFA_SHA256;
    if (length == 6 && foldEQ(name, "SHA512", 6)) return TFA_SHA512;
    refuse(aTHX_ "algorithm", "it is not SHA1, SHA256 or SHA512");
    return 0;
}

/* ---------------------------------------------------------------- one-time codes */

#define MAX_SECRET 1024 /* bytes; also the longest Base32 text is bounded by it */

#define TAKES_COUNTER 1
#define TAKES_TIME 2
#define TAKES_CODE 4

typedef struct {
    SV *key, *secret, *step;
    const char *code;
    uint64_t counter, time;
    uint32_t algorithm, digits, period, skew;
    int has_counter, has_time;
} options_t;

static int is_named(const char *name, STRLEN length, const char *wanted) {
    return length == strlen(wanted) && memcmp(name, wanted, length) == 0;
}

/* One named argument. Names that the function does not take are refused: a misspelt one must not fall back to a default. */
static void take_option(pTHX_ options_t *o, int takes, const char *name, STRLEN length, SV *value) {
    if (is_named(name, length, "key"))
        o->key = value;
    else if (is_named(name, length, "secret"))
        o->secret = value;
    else if (is_named(name, length, "algorithm"))
        o->algorithm = algorithm_argument(aTHX_ value);
    else if (is_named(name, length, "digits"))
        o->digits = (uint32_t)number_argument(aTHX_ value, "digits", 1, 10, 0);
    else if ((takes & TAKES_CODE) && is_named(name, length, "code"))
        o->code = text_argument(aTHX_ value, "code", NULL);
    else if ((takes & TAKES_CODE) && is_named(name, length, "skew"))
        o->skew = (uint32_t)number_argument(aTHX_ value, "skew", 0, 1000, 0);
    else if ((takes & TAKES_CODE) && is_named(name, length, "step"))
        o->step = value;
    else if ((takes & TAKES_TIME) && is_named(name, length, "period"))
        o->period = (uint32_t)number_argument(aTHX_ value, "period", 1, UINT32_MAX, 0);
    else if ((takes & TAKES_TIME) && is_named(name, length, "time"))
        o->time = number_argument(aTHX_ value, "time", 0, UINT64_MAX, 1), o->has_time = 1;
    else if ((takes & TAKES_COUNTER) && is_named(name, length, "counter"))
        o->counter = number_argument(aTHX_ value, "counter", 0, UINT64_MAX, 0), o->has_counter = 1;
    else
        croak("The parameter \"%.64s\" is unknown.", name);
}

/* Reads name => value pairs from the stack. An odd count means that the call was written as a method: the invocant is skipped. */
static void take_options(pTHX_ options_t *o, int takes, I32 ax, I32 items) {
    I32 at;
    memset(o, 0, sizeof *o);
    o->algorithm = TFA_SHA1;
    o->digits = 6;
    o->period = 30;
    for (at = items & 1; at < items; at += 2) {
        STRLEN length;
        const char *name = SvPV_const(ST(at), length);
        take_option(aTHX_ o, takes, name, length, ST(at + 1));
    }
    if (!o->key == !o->secret) croak("One of the parameters \"secret\" (Base32) and \"key\" (bytes) is required.");
    if ((takes & TAKES_CODE) && !o->code) croak("The parameter \"code\" is required.");
    if ((takes & TAKES_COUNTER) && !o->has_counter) croak("The parameter \"counter\" is required.");
    if (o->step && !(SvROK(o->step) && !SvREADONLY(SvRV(o->step))))
        refuse(aTHX_ "step", "it is not a reference to a variable");
    if ((takes & TAKES_TIME) && !o->has_time) o->time = (uint64_t)time(NULL);
}

/* The bytes of the key, whichever way it was given; decoded bytes live in buffer, which the caller wipes. */
static const uint8_t *take_key(pTHX_ const options_t *o, uint8_t *buffer, STRLEN *length) {
    if (o->key) {
        const char *key = bytes_argument(aTHX_ o->key, "key", length);
        if (*length == 0) refuse(aTHX_ "key", "it is empty");
        if (*length > MAX_SECRET) refuse(aTHX_ "key", "it is longer than 1024 bytes");
        return (const uint8_t *)key;
    } else {
        const char *secret = text_argument(aTHX_ o->secret, "secret", NULL);
        int64_t decoded = tfa_decode_base32(secret, buffer, MAX_SECRET);
        if (decoded <= 0) refuse(aTHX_ "secret", "it is not Base32, or too long");
        *length = (STRLEN)decoded;
        return buffer;
    }
}

/* Through a volatile pointer, so that the compiler cannot drop it as a dead store. */
static void wipe(uint8_t *bytes, size_t length) {
    volatile uint8_t *at = bytes;
    while (length--) *at++ = 0;
}

static SV *code_of(pTHX_ int64_t value, uint32_t digits) {
    char text[24];
    int at = (int)digits;
    if (value < 0) croak("The one-time code could not be computed.");
    text[at] = 0;
    for (; at > 0; value /= 10) text[--at] = (char)('0' + value % 10);
    return newSVpvn(text, digits);
}

/* ---------------------------------------------------------------- handles */

/* One open library handle. Each Perl object that shows it, the clones in other ithreads included, counts once. */
typedef struct {
    tfa_t *tfa;
    long objects;
} handle_t;

#ifdef USE_ITHREADS
static perl_mutex counting; /* guards every handle's count; ithreads of one process share handles */
#endif

static long count_objects(pTHX_ handle_t *handle, long change) {
    long left;
#ifdef USE_ITHREADS
    MUTEX_LOCK(&counting);
#endif
    left = handle->objects += change;
#ifdef USE_ITHREADS
    MUTEX_UNLOCK(&counting);
#endif
    PERL_UNUSED_CONTEXT;
    return left;
}

static void release(pTHX_ handle_t *handle) {
    if (!handle || count_objects(aTHX_ handle, -1) > 0) return;
    tfa_close(handle->tfa); /* safe in a forked child: the library knows its process id */
    PerlMemShared_free(handle);
}

static int handle_free(pTHX_ SV *sv, MAGIC *magic) {
    PERL_UNUSED_ARG(sv);
    release(aTHX_(handle_t *) magic->mg_ptr);
    magic->mg_ptr = NULL;
    return 0;
}

#ifdef USE_ITHREADS
static int handle_dup(pTHX_ MAGIC *magic, CLONE_PARAMS *parameters) {
    PERL_UNUSED_ARG(parameters);
    if (magic->mg_ptr) (void)count_objects(aTHX_(handle_t *) magic->mg_ptr, 1);
    return 0;
}
#else
#define handle_dup NULL
#endif

static MGVTBL handle_magic = {NULL, NULL, NULL, NULL, handle_free, NULL, handle_dup, NULL};

static MAGIC *magic_of(pTHX_ SV *self) {
    MAGIC *magic = NULL;
    SvGETMAGIC(self);
    if (SvROK(self) && SvTYPE(SvRV(self)) >= SVt_PVMG) magic = mg_findext(SvRV(self), PERL_MAGIC_ext, &handle_magic);
    if (!magic) croak("This is not an Authen::TFA object.");
    return magic;
}

static void release_later(pTHX_ void *handle) {
    release(aTHX_(handle_t *) handle);
}

/*
 * Opens a scope, which the caller ends with LEAVE, and makes the object's callbacks the current ones within it.
 * A callback may do anything, closing its own object included, so the scope holds on to handle and callbacks.
 */
static tfa_t *enter(pTHX_ SV *self) {
    MAGIC *magic = magic_of(aTHX_ self);
    handle_t *handle = (handle_t *)magic->mg_ptr;
    dMY_CXT;
    if (!handle) croak("This Authen::TFA object is closed.");
    ENTER;
    SAVEVPTR(MY_CXT.callbacks);
    MY_CXT.callbacks = (AV *)magic->mg_obj;
    if (magic->mg_obj) {
        (void)count_objects(aTHX_ handle, 1);
        SAVEDESTRUCTOR_X(release_later, handle);
        SAVEFREESV(SvREFCNT_inc_simple_NN(magic->mg_obj));
    }
    return handle->tfa;
}

/* The code reference with this number of the object that is calling now, or NULL. */
static SV *current_callback(pTHX_ SSize_t number) {
    dMY_CXT;
    SV **callback = MY_CXT.callbacks ? av_fetch(MY_CXT.callbacks, number, 0) : NULL;
    return callback && SvOK(*callback) ? *callback : NULL;
}

/*
 * Opens a scope, which end_callback ends, in which a callback may be called: $@ belongs to whoever called the library,
 * and so do its loops, which "last" and "next" must not leave by jumping across the library. For that the callback has
 * a stack of its own.
 */
#define BEGIN_CALLBACK   \
    ENTER;               \
    save_scalar(PL_errgv); \
    SAVETMPS;            \
    PUSHSTACKi(PERLSI_UNKNOWN)
#define END_CALLBACK \
    PUTBACK;         \
    POPSTACK;        \
    FREETMPS;        \
    LEAVE

/*
 * The host's account directory, asked through Perl: undef is "no such thing", an exception is "could not be answered".
 * No exception gets past here: Perl must not unwind the library.
 */
static int32_t lookup(void *context, const char *question, const char *name, void *reply) {
    dTHX;
    dSP;
    int32_t found = -1;
    SV *callback = current_callback(aTHX_ LOOKUP);
    PERL_UNUSED_ARG(context);
    if (!callback) return -1;
    BEGIN_CALLBACK;
    PUSHMARK(SP);
    EXTEND(SP, 2);
    PUSHs(sv_2mortal(newSVpvn_utf8(question, strlen(question), 1)));
    PUSHs(sv_2mortal(newSVpvn_utf8(name, strlen(name), 1)));
    PUTBACK;
    call_sv(callback, G_SCALAR | G_EVAL);
    SPAGAIN;
    {
        SV *answer = POPs;
        if (!SvTRUE(ERRSV)) {
            found = 0;
            if (SvOK(answer)) found = tfa_reply(reply, SvPV_nolen_const(answer)) == 1 ? 1 : -1;
        }
    }
    END_CALLBACK;
    return found;
}

/* Hears of a line of the audit trail, as UTF-8 bytes. What Perl makes of it, or dies of, is no affair of the library's. */
static void audit(void *context, const char *line) {
    dTHX;
    dSP;
    SV *callback = current_callback(aTHX_ AUDIT);
    PERL_UNUSED_ARG(context);
    if (!callback) return;
    BEGIN_CALLBACK;
    PUSHMARK(SP);
    EXTEND(SP, 1);
    PUSHs(sv_2mortal(newSVpv(line, 0)));
    PUTBACK;
    call_sv(callback, G_VOID | G_DISCARD | G_EVAL);
    SPAGAIN;
    END_CALLBACK;
}

/* An answer of the library as a Perl string of UTF-8 bytes; the library's copy is wiped and freed. */
static SV *answer_of(pTHX_ char *text) {
    SV *answer;
    if (!text) croak("libtfa ran out of memory.");
    answer = newSVpv(text, 0);
    tfa_free(text);
    return answer;
}

MODULE = Authen::TFA  PACKAGE = Authen::TFA

PROTOTYPES: DISABLE

BOOT:
{
    MY_CXT_INIT;
    MY_CXT.callbacks = NULL;
#ifdef USE_ITHREADS
    MUTEX_INIT(&counting);
#endif
    if (tfa_abi_version() != TFA_ABI_VERSION)
        croak("Authen::TFA was built for ABI %lu of libtfa, but the library that was loaded (%s) has ABI %lu: rebuild Authen::TFA",
              (unsigned long)TFA_ABI_VERSION, tfa_version(), (unsigned long)tfa_abi_version());
}

void
CLONE(...)
CODE:
    /* a new ithread starts outside every call */
    MY_CXT_CLONE;
    MY_CXT.callbacks = NULL;
    PERL_UNUSED_VAR(items);

text_t
version(...)
CODE:
    PERL_UNUSED_VAR(items);
    RETVAL = tfa_version();
OUTPUT:
    RETVAL

UV
abi_version(...)
CODE:
    PERL_UNUSED_VAR(items);
    RETVAL = tfa_abi_version();
OUTPUT:
    RETVAL

void
_open(text_t class, maybe_text_t config, SV *to_lookup, SV *to_audit)
PREINIT:
    char *error = NULL;
    tfa_t *tfa;
    handle_t *handle;
    MAGIC *magic;
PPCODE:
    /* an object, or undef and the library's error as JSON */
    tfa = tfa_open(config, &error);
    if (!tfa) {
        EXTEND(SP, 2);
        PUSHs(&PL_sv_undef);
        PUSHs(sv_2mortal(answer_of(aTHX_ error)));
        XSRETURN(2);
    }
    handle = (handle_t *)PerlMemShared_malloc(sizeof *handle);
    handle->tfa = tfa;
    handle->objects = 1;
    {
        SV *object = newSV(0);
        SV *self = sv_2mortal(sv_bless(newRV_noinc(object), gv_stashpv(class, GV_ADD)));
        AV *callbacks = NULL;
        if (SvOK(to_lookup) || SvOK(to_audit)) {
            callbacks = (AV *)sv_2mortal((SV *)newAV());
            av_store(callbacks, LOOKUP, newSVsv(to_lookup));
            av_store(callbacks, AUDIT, newSVsv(to_audit));
        }
        magic = sv_magicext(object, (SV *)callbacks, PERL_MAGIC_ext, &handle_magic, (const char *)handle, 0);
        magic->mg_flags |= MGf_DUP;
        if (SvOK(to_lookup) && tfa_set_lookup(tfa, lookup, NULL) != 1) croak("libtfa refused the lookup callback.");
        if (SvOK(to_audit) && tfa_set_audit(tfa, audit, NULL) != 1) croak("libtfa refused the audit callback.");
        EXTEND(SP, 1);
        PUSHs(self);
        XSRETURN(1);
    }

void
close(SV *self)
PREINIT:
    MAGIC *magic;
CODE:
    magic = magic_of(aTHX_ self);
    release(aTHX_(handle_t *) magic->mg_ptr);
    magic->mg_ptr = NULL;

void
login(SV *self, text_t subject, maybe_text_t code = NULL)
PREINIT:
    int32_t verdict;
PPCODE:
    verdict = tfa_login(enter(aTHX_ self), subject, code);
    LEAVE;
    /* Perl takes -1 for true: what keeps out is a false string with the verdict as its number */
    if (verdict > 0) XSRETURN_IV(verdict);
    {
        SV *denied = sv_2mortal(newSVpvn("", 0));
        SvUPGRADE(denied, SVt_PVIV);
        SvIV_set(denied, verdict);
        SvIOK_on(denied);
        EXTEND(SP, 1);
        PUSHs(denied);
        XSRETURN(1);
    }

SV *
_whmapi1(SV *self, text_t caller, text_t function, maybe_text_t arguments)
CODE:
    RETVAL = answer_of(aTHX_ tfa_whmapi1(enter(aTHX_ self), caller, function, arguments));
    LEAVE;
OUTPUT:
    RETVAL

SV *
_uapi(SV *self, text_t caller, text_t module, text_t function, maybe_text_t arguments)
CODE:
    RETVAL = answer_of(aTHX_ tfa_uapi(enter(aTHX_ self), caller, module, function, arguments));
    LEAVE;
OUTPUT:
    RETVAL

SV *
_http(SV *self, text_t caller, text_t method, text_t target, maybe_text_t body)
CODE:
    RETVAL = answer_of(aTHX_ tfa_http(enter(aTHX_ self), caller, method, target, body));
    LEAVE;
OUTPUT:
    RETVAL

SV *
_functions()
CODE:
    RETVAL = answer_of(aTHX_ tfa_functions());
OUTPUT:
    RETVAL

SV *
_stateless(maybe_text_t arguments)
ALIAS:
    _secret = 0
    _otpauth = 1
    _otpauth_parse = 2
    _qr = 3
CODE:
    RETVAL = answer_of(aTHX_ ix == 0   ? tfa_generate_secret(arguments)
                             : ix == 1 ? tfa_build_otpauth(arguments)
                             : ix == 2 ? tfa_parse_otpauth(arguments)
                                       : tfa_draw_qr(arguments));
OUTPUT:
    RETVAL

SV *
hotp(...)
PREINIT:
    options_t o;
    uint8_t buffer[MAX_SECRET];
    const uint8_t *key;
    STRLEN length;
    int64_t value;
CODE:
    take_options(aTHX_ &o, TAKES_COUNTER, ax, items);
    key = take_key(aTHX_ &o, buffer, &length);
    value = tfa_generate_hotp(key, length, o.algorithm, o.digits, o.counter);
    if (key == buffer) wipe(buffer, length);
    RETVAL = code_of(aTHX_ value, o.digits);
OUTPUT:
    RETVAL

SV *
totp(...)
PREINIT:
    options_t o;
    uint8_t buffer[MAX_SECRET];
    const uint8_t *key;
    STRLEN length;
    int64_t value;
CODE:
    take_options(aTHX_ &o, TAKES_TIME, ax, items);
    key = take_key(aTHX_ &o, buffer, &length);
    value = tfa_generate_totp(key, length, o.algorithm, o.digits, o.period, o.time);
    if (key == buffer) wipe(buffer, length);
    RETVAL = code_of(aTHX_ value, o.digits);
OUTPUT:
    RETVAL

void
verify(...)
PREINIT:
    options_t o;
    uint8_t buffer[MAX_SECRET];
    const uint8_t *key;
    STRLEN length;
    uint64_t step = 0;
    int32_t verdict;
PPCODE:
    take_options(aTHX_ &o, TAKES_TIME | TAKES_CODE, ax, items);
    key = take_key(aTHX_ &o, buffer, &length);
    verdict = tfa_verify_totp(key, length, o.algorithm, o.digits, o.period, o.skew, o.time, o.code, &step);
    if (key == buffer) wipe(buffer, length);
    if (verdict < 0) croak("The one-time code could not be checked.");
    if (verdict != 1) XSRETURN_NO;
    if (o.step) sv_setuv_mg(SvRV(o.step), (UV)step);
    XSRETURN_YES;

SV *
base32_decode(text_t text)
PREINIT:
    uint8_t buffer[MAX_SECRET];
    int64_t length;
CODE:
    length = tfa_decode_base32(text, buffer, sizeof buffer);
    if (length < 0) refuse(aTHX_ "text", "it is not Base32, or too long");
    RETVAL = newSVpvn((const char *)buffer, (STRLEN)length);
    wipe(buffer, (size_t)length);
OUTPUT:
    RETVAL
