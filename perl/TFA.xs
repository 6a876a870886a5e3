/*
 * TFA.xs: the Perl functions of Authen::TFA that call libtfa's C ABI.
 *
 * They promise that Perl code cannot make the C library do what its header forbids, and that nothing which the library returns is leaked. Each function
 * that reads more than one argument holds them all first (see tfa_perl.h). Answers are decoded in Authen/TFA.pm.
 */
#include "tfa_perl.h"

/*
 * Verdicts in Perl's terms: -1 would be true, so a login that is not accepted is a false string with the verdict as its number.
 */
static SV *verdict_of(pTHX_ int32_t verdict) {
    SV *denied;
    if (verdict > 0) return newSViv(verdict);
    denied = newSVpvn("", 0);
    (void)SvUPGRADE(denied, SVt_PVIV);
    SvIV_set(denied, verdict);
    SvIOK_on(denied);
    return denied;
}

/* Calls the Perl function of a name with the arguments of an XSUB, for what codes.c leaves to it. Returns a new reference. */
static SV *call_with(pTHX_ const char *function, I32 ax, I32 items) {
    dSP;
    I32 at;
    SV *result;
    (void)hold_arguments(aTHX_ ax, items);
    ENTER;
    SAVETMPS;
    PUSHMARK(SP);
    EXTEND(SP, items);
    for (at = 0; at < items; at++) PUSHs(ST(at));
    PUTBACK;
    call_pv(function, G_SCALAR);
    SPAGAIN;
    result = POPs;
    SvREFCNT_inc_simple_void_NN(result);
    PUTBACK;
    FREETMPS;
    LEAVE;
    return result;
}

MODULE = Authen::TFA  PACKAGE = Authen::TFA

PROTOTYPES: DISABLE

BOOT:
    callbacks_boot(aTHX);
    handle_boot();
    if (tfa_abi_version() != TFA_ABI_VERSION)
        croak("Authen::TFA was built for ABI %lu of libtfa, but the library that was loaded (%s) has ABI %lu: rebuild Authen::TFA",
              (unsigned long)TFA_ABI_VERSION, tfa_version(), (unsigned long)tfa_abi_version());

void
CLONE(...)
CODE:
    callbacks_clone(aTHX);
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

INCLUDE: handle.xsh

INCLUDE: stateless.xsh
