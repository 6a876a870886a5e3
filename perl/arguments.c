/*
 * arguments.c: takes arguments from Perl.
 *
 * Every string is checked for undef, references and embedded NUL, is refused by its parameter's name, and is copied: reading the next argument can run
 * Perl code that frees this one.
 */
#include "tfa_perl.h"

void library_has(pTHX_ int has, const char *function) {
    if (!has) croak("libtfa %s has no function \"%s\": install a newer libtfa", tfa_version(), function);
}

I32 hold_arguments(pTHX_ I32 ax, I32 items) {
    I32 at;
    for (at = 0; at < items; at++) (void)sv_2mortal(SvREFCNT_inc_simple_NN(ST(at)));
    return items;
}

text_t text_argument(pTHX_ SV *value, const char *name) {
    STRLEN length;
    const char *text;
    SV *copy;
    SvGETMAGIC(value);
    if (!SvOK(value)) croak("The parameter \"%s\" is required.", name);
    if (SvROK(value) && !SvAMAGIC(value)) croak("The parameter \"%s\" is not valid: it is a reference", name);
    text = SvPV_nomg_const(value, length);
    copy = newSVpvn_flags(text, length, SVs_TEMP | (SvUTF8(value) ? SVf_UTF8 : 0));
    (void)sv_utf8_upgrade(copy);
    text = SvPV_const(copy, length);
    if (memchr(text, 0, length)) croak("The parameter \"%s\" is not valid: it contains a NUL character", name);
    return text;
}

/* Magic is read once: the copy is what is examined. */
maybe_text_t maybe_text_argument(pTHX_ SV *value, const char *name) {
    SV *copy = sv_mortalcopy(value);
    return SvOK(copy) ? text_argument(aTHX_ copy, name) : NULL;
}

SV *answer_of(pTHX_ char *text) {
    SV *answer;
    if (!text) croak("libtfa ran out of memory.");
    answer = newSVpv(text, 0);
    tfa_free(text);
    return answer;
}
