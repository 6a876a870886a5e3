/*
 * tfa_perl.h: what the C sources of Authen::TFA share.
 *
 * TFA.xs declares the Perl functions; arguments.c checks and copies what they are given; handle.c owns open handles; callbacks.c calls Perl from the
 * library; codes.c computes one-time codes.
 *
 * An argument can run Perl code when it is read: an overloaded object, a tied variable. That code can free or change every other argument of the
 * call. So each function holds its arguments first, and uses copies of their values.
 */
#ifndef TFA_PERL_H
#define TFA_PERL_H

#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"
#include "XSUB.h"
#include "ppport.h"

#include <stdint.h>
#include <string.h>
#include <tfa.h>
#include "weak.h"

/* The function of the library, or an error when the library that is loaded is older and lacks it. */
#define LIBRARY(function) (library_has(aTHX_ !!(function), #function), function)
void library_has(pTHX_ int has, const char *function);

/* ---------------------------------------------------------------- arguments.c */

typedef const char *text_t;       /* characters as UTF-8, in a mortal copy */
typedef const char *maybe_text_t; /* the same, or NULL for undef */

/* Declares a variable, so that it comes first in PREINIT: the arguments live until the caller's statement ends. */
#define HOLD_ARGUMENTS I32 held = hold_arguments(aTHX_ ax, items)
I32 hold_arguments(pTHX_ I32 ax, I32 items);
text_t text_argument(pTHX_ SV *value, const char *name);
maybe_text_t maybe_text_argument(pTHX_ SV *value, const char *name);

/* An answer of the library as a Perl string of UTF-8 bytes; the library's copy is wiped and freed. */
SV *answer_of(pTHX_ char *text);

/* ---------------------------------------------------------------- handle.c */

/* An object of a class for a newly opened handle, which the object closes. callbacks is an array, or NULL. */
SV *handle_object(pTHX_ const char *class, tfa_t *tfa, AV *callbacks);
void handle_close(pTHX_ SV *self);
/* Opens a scope, which the caller ends with LEAVE, in which the object's callbacks are the current ones. */
tfa_t *handle_enter(pTHX_ SV *self);
void handle_boot(void);

/* ---------------------------------------------------------------- callbacks.c */

void callbacks_boot(pTHX);
void callbacks_clone(pTHX);
/* The callbacks as an array, or NULL when both are undef. It is mortal. */
AV *callbacks_of(pTHX_ SV *to_lookup, SV *to_audit);
/* Makes the callbacks the current ones until the scope ends. */
void callbacks_enter(pTHX_ AV *callbacks);
void callbacks_register(pTHX_ tfa_t *tfa, AV *callbacks);

/* ---------------------------------------------------------------- codes.c */

#define WITH_COUNTER 1
#define WITH_TIME 2
#define WITH_CODE 4

SV *plain_code(pTHX_ int with, I32 ax, I32 items);
SV *plain_verdict(pTHX_ I32 ax, I32 items);

#endif
