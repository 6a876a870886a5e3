 # handle.xsh: functions on an open handle. Part of TFA.xs.

SV *
_open(text_t class, maybe_text_t config, SV *to_lookup, SV *to_audit)
PREINIT:
    HOLD_ARGUMENTS;
    char *error = NULL;
    AV *callbacks;
    tfa_t *tfa;
CODE:
    /* an object, or the library's error as JSON */
    PERL_UNUSED_VAR(held);
    callbacks = callbacks_of(aTHX_ to_lookup, to_audit);
    tfa = tfa_open(config, &error);
    RETVAL = sv_2mortal(tfa ? handle_object(aTHX_ class, tfa, callbacks) : answer_of(aTHX_ error));
    if (tfa) callbacks_register(aTHX_ tfa, callbacks);
    SvREFCNT_inc_simple_void_NN(RETVAL);
OUTPUT:
    RETVAL

void
close(SV *self)
PREINIT:
    HOLD_ARGUMENTS;
CODE:
    PERL_UNUSED_VAR(held);
    handle_close(aTHX_ self);

SV *
login(SV *self, text_t subject, maybe_text_t code = NULL)
PREINIT:
    HOLD_ARGUMENTS;
    int32_t verdict;
CODE:
    PERL_UNUSED_VAR(held);
    verdict = LIBRARY(tfa_login)(handle_enter(aTHX_ self), subject, code);
    LEAVE;
    RETVAL = verdict_of(aTHX_ verdict);
OUTPUT:
    RETVAL

SV *
_whmapi1(SV *self, text_t caller, text_t function, maybe_text_t arguments)
PREINIT:
    HOLD_ARGUMENTS;
CODE:
    PERL_UNUSED_VAR(held);
    RETVAL = answer_of(aTHX_ LIBRARY(tfa_whmapi1)(handle_enter(aTHX_ self), caller, function, arguments));
    LEAVE;
OUTPUT:
    RETVAL

SV *
_uapi(SV *self, text_t caller, text_t module, text_t function, maybe_text_t arguments)
PREINIT:
    HOLD_ARGUMENTS;
CODE:
    PERL_UNUSED_VAR(held);
    RETVAL = answer_of(aTHX_ LIBRARY(tfa_uapi)(handle_enter(aTHX_ self), caller, module, function, arguments));
    LEAVE;
OUTPUT:
    RETVAL

SV *
_http(SV *self, text_t caller, text_t method, text_t target, maybe_text_t body)
PREINIT:
    HOLD_ARGUMENTS;
CODE:
    PERL_UNUSED_VAR(held);
    RETVAL = answer_of(aTHX_ LIBRARY(tfa_http)(handle_enter(aTHX_ self), caller, method, target, body));
    LEAVE;
OUTPUT:
    RETVAL
