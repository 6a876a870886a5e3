 # stateless.xsh: functions without a handle. Part of TFA.xs.

SV *
_functions()
CODE:
    RETVAL = answer_of(aTHX_ LIBRARY(tfa_functions)());
OUTPUT:
    RETVAL

SV *
_stateless(maybe_text_t arguments)
PREINIT:
    HOLD_ARGUMENTS;
ALIAS:
    _secret = 0
    _otpauth = 1
    _otpauth_parse = 2
    _qr = 3
    _code = 4
    _verify_code = 5
CODE:
    PERL_UNUSED_VAR(held);
    switch (ix) {
        case 0: RETVAL = answer_of(aTHX_ LIBRARY(tfa_generate_secret)(arguments)); break;
        case 1: RETVAL = answer_of(aTHX_ LIBRARY(tfa_build_otpauth)(arguments)); break;
        case 2: RETVAL = answer_of(aTHX_ LIBRARY(tfa_parse_otpauth)(arguments)); break;
        case 3: RETVAL = answer_of(aTHX_ LIBRARY(tfa_draw_qr)(arguments)); break;
        case 4: RETVAL = answer_of(aTHX_ LIBRARY(tfa_code)(arguments)); break;
        default: RETVAL = answer_of(aTHX_ LIBRARY(tfa_verify_code)(arguments)); break;
    }
OUTPUT:
    RETVAL

SV *
hotp(...)
CODE:
    RETVAL = plain_code(aTHX_ WITH_COUNTER, ax, items);
    if (!RETVAL) RETVAL = call_with(aTHX_ "Authen::TFA::_hotp", ax, items);
OUTPUT:
    RETVAL

SV *
totp(...)
CODE:
    RETVAL = plain_code(aTHX_ WITH_TIME, ax, items);
    if (!RETVAL) RETVAL = call_with(aTHX_ "Authen::TFA::_totp", ax, items);
OUTPUT:
    RETVAL

SV *
verify(...)
CODE:
    RETVAL = plain_verdict(aTHX_ ax, items);
    if (!RETVAL) RETVAL = call_with(aTHX_ "Authen::TFA::_verify", ax, items);
OUTPUT:
    RETVAL

SV *
base32_decode(text_t text)
PREINIT:
    HOLD_ARGUMENTS;
    int64_t length;
CODE:
    PERL_UNUSED_VAR(held);
    length = LIBRARY(tfa_decode_base32)(text, NULL, 0);
    if (length < 0) croak("The parameter \"text\" is not valid: it is not Base32");
    RETVAL = newSV((STRLEN)length + 1);
    SvPOK_on(RETVAL);
    SvCUR_set(RETVAL, (STRLEN)length);
    *SvEND(RETVAL) = 0;
    (void)tfa_decode_base32(text, (uint8_t *)SvPVX(RETVAL), (size_t)length);
OUTPUT:
    RETVAL
