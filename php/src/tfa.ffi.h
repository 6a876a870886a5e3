#define FFI_SCOPE "TFA"
#define FFI_LIB "libtfa.so.0"
/* Generated from include/tfa.h by make-header: do not edit. The two lines above are for FFI::load and ffi.preload. */
typedef struct tfa_t tfa_t;
enum { TFA_ABI_VERSION = 1 };
enum { TFA_VERIFIED = 1 };
enum { TFA_NOT_REQUIRED = 2 };
enum { TFA_DENIED = 0 };
enum { TFA_LOCKED = -1 };
enum { TFA_UNANSWERED = -2 };
enum { TFA_SHA1 = 1 };
enum { TFA_SHA256 = 256 };
enum { TFA_SHA512 = 512 };
typedef int32_t (*tfa_lookup_t)(void *context, const char *question, const char *name, void *reply);
typedef void (*tfa_audit_t)(void *context, const char *entry);
const char *tfa_version(void);
uint32_t tfa_abi_version(void);
tfa_t *tfa_open(const char *config,
                char **error);
void tfa_close(tfa_t *tfa);
void tfa_free(char *string);
char *tfa_functions(void);
int32_t tfa_login(tfa_t *tfa,
                  const char *subject,
                  const char *code);
int32_t tfa_login_from(tfa_t *tfa,
                       const char *subject,
                       const char *code,
                       const char *remote_addr);
char *tfa_whmapi1(tfa_t *tfa,
                  const char *caller,
                  const char *function,
                  const char *args);
char *tfa_uapi(tfa_t *tfa,
               const char *caller,
               const char *module,
               const char *function,
               const char *args);
char *tfa_http(tfa_t *tfa,
               const char *caller,
               const char *method,
               const char *target,
               const char *body);
int32_t tfa_set_lookup(tfa_t *tfa,
                       tfa_lookup_t lookup,
                       void *context);
int32_t tfa_reply(void *reply, const char *json);
int32_t tfa_set_audit(tfa_t *tfa,
                      tfa_audit_t audit,
                      void *context);
int64_t tfa_generate_hotp(const uint8_t *secret,
                          size_t length,
                          uint32_t algorithm,
                          uint32_t digits,
                          uint64_t counter);
int64_t tfa_generate_totp(const uint8_t *secret,
                          size_t length,
                          uint32_t algorithm,
                          uint32_t digits,
                          uint32_t period,
                          uint64_t time);
int32_t tfa_verify_totp(const uint8_t *secret,
                        size_t length,
                        uint32_t algorithm,
                        uint32_t digits,
                        uint32_t period,
                        uint32_t skew,
                        uint64_t time,
                        const char *code,
                        uint64_t *step);
int32_t tfa_verify_totp_base32(const char *secret,
                               const char *code,
                               uint64_t time);
int64_t tfa_decode_base32(const char *text,
                          uint8_t *bytes,
                          size_t size);
char *tfa_code(const char *args);
char *tfa_verify_code(const char *args);
char *tfa_generate_secret(const char *args);
char *tfa_build_otpauth(const char *args);
char *tfa_parse_otpauth(const char *args);
char *tfa_draw_qr(const char *args);
