/*
 * handle.c: open handles and the Perl objects that represent them.
 *
 * A handle is opened once, is shared by the clones of its object in other ithreads, and is closed with the last object.
 */
#include "tfa_perl.h"

/* One open library handle, and how many Perl objects represent it. */
typedef struct {
    tfa_t *tfa;
    long objects;
} handle_t;

#ifdef USE_ITHREADS
static perl_mutex counting; /* guards every handle's count */
#endif

void handle_boot(void) {
#ifdef USE_ITHREADS
    MUTEX_INIT(&counting);
#endif
}

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

static void release_later(pTHX_ void *handle) {
    release(aTHX_(handle_t *) handle);
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

SV *handle_object(pTHX_ const char *class, tfa_t *tfa, AV *callbacks) {
    handle_t *handle = (handle_t *)PerlMemShared_malloc(sizeof *handle);
    SV *object = newSV(0);
    SV *self = newRV_noinc(object);
    MAGIC *magic;
    handle->tfa = tfa;
    handle->objects = 1;
    magic = sv_magicext(object, (SV *)callbacks, PERL_MAGIC_ext, &handle_magic, (const char *)handle, 0);
    magic->mg_flags |= MGf_DUP;
    return sv_bless(self, gv_stashpv(class, GV_ADD));
}

void handle_close(pTHX_ SV *self) {
    MAGIC *magic = magic_of(aTHX_ self);
    handle_t *handle = (handle_t *)magic->mg_ptr;
    magic->mg_ptr = NULL;
    release(aTHX_ handle);
}

/* A callback may do anything, closing its own object included, so the scope holds on to handle and callbacks. */
tfa_t *handle_enter(pTHX_ SV *self) {
    MAGIC *magic = magic_of(aTHX_ self);
    handle_t *handle = (handle_t *)magic->mg_ptr;
    AV *callbacks = (AV *)magic->mg_obj;
    if (!handle) croak("This Authen::TFA object is closed.");
    ENTER;
    callbacks_enter(aTHX_ callbacks);
    if (callbacks) {
        (void)count_objects(aTHX_ handle, 1);
        SAVEDESTRUCTOR_X(release_later, handle);
        SAVEFREESV(SvREFCNT_inc_simple_NN((SV *)callbacks));
    }
    return handle->tfa;
}
