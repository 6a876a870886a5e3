/*
 * callbacks.c: calls Perl from within the library.
 *
 * No exception and no jump gets past these functions: Perl must not unwind the library. $@ of the program that called the library is left alone.
 */
#include "tfa_perl.h"

/* State of one interpreter. */
#define MY_CXT_KEY "Authen::TFA::_guts" XS_VERSION
typedef struct {
    AV *callbacks; /* of the object that is calling now, by the numbers below; borrowed, or NULL when it has none */
} my_cxt_t;
START_MY_CXT

#define LOOKUP 0
#define AUDIT 1

void callbacks_boot(pTHX) {
    MY_CXT_INIT;
    MY_CXT.callbacks = NULL;
}

/* A new ithread starts outside every call. */
void callbacks_clone(pTHX) {
    MY_CXT_CLONE;
    MY_CXT.callbacks = NULL;
}

AV *callbacks_of(pTHX_ SV *to_lookup, SV *to_audit) {
    SV *lookup = sv_mortalcopy(to_lookup), *audit = sv_mortalcopy(to_audit);
    AV *callbacks;
    if (!SvOK(lookup) && !SvOK(audit)) return NULL;
    callbacks = (AV *)sv_2mortal((SV *)newAV());
    av_store(callbacks, LOOKUP, SvREFCNT_inc_simple_NN(lookup));
    av_store(callbacks, AUDIT, SvREFCNT_inc_simple_NN(audit));
    return callbacks;
}

void callbacks_enter(pTHX_ AV *callbacks) {
    dMY_CXT;
    SAVEVPTR(MY_CXT.callbacks);
    MY_CXT.callbacks = callbacks;
}

static SV *callback_of(pTHX_ AV *callbacks, SSize_t number) {
    SV **callback = callbacks ? av_fetch(callbacks, number, 0) : NULL;
    return callback && SvOK(*callback) ? *callback : NULL;
}

static SV *current_callback(pTHX_ SSize_t number) {
    dMY_CXT;
    return callback_of(aTHX_ MY_CXT.callbacks, number);
}

/*
 * Open and close a scope in which a callback is called. $@ belongs to the program that called the library, and so do its loops: "last" and
 * "next" must not leave them by jumping across the library, so the callback has a stack of its own.
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

/* Looks a name up through Perl: undef is "no such thing", an exception means that there is no answer. */
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
        /* Neither an exception nor an answer that is an object is looked at: its overloading could jump. */
        if (!SvROK(ERRSV) && !SvTRUE(ERRSV)) {
            if (SvPOK(answer) && !SvGMAGICAL(answer)) found = tfa_reply(reply, SvPVX_const(answer)) == 1 ? 1 : -1;
            else if (!SvOK(answer)) found = 0;
        }
    }
    END_CALLBACK;
    return found;
}

/* Passes one audit entry to Perl, as UTF-8 bytes. Its result and its exceptions are ignored. */
static void audit(void *context, const char *entry) {
    dTHX;
    dSP;
    SV *callback = current_callback(aTHX_ AUDIT);
    PERL_UNUSED_ARG(context);
    if (!callback) return;
    BEGIN_CALLBACK;
    PUSHMARK(SP);
    EXTEND(SP, 1);
    PUSHs(sv_2mortal(newSVpv(entry, 0)));
    PUTBACK;
    call_sv(callback, G_VOID | G_DISCARD | G_EVAL);
    SPAGAIN;
    END_CALLBACK;
}

void callbacks_register(pTHX_ tfa_t *tfa, AV *callbacks) {
    if (callback_of(aTHX_ callbacks, LOOKUP) && LIBRARY(tfa_set_lookup)(tfa, lookup, NULL) != 1) croak("libtfa refused the lookup callback.");
    if (callback_of(aTHX_ callbacks, AUDIT) && LIBRARY(tfa_set_audit)(tfa, audit, NULL) != 1) croak("libtfa refused the audit callback.");
}
