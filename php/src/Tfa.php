<?php
/*
 * An open store: the functions of both APIs by name, login, HTTP, the account lookup, the audit trail. The stateless
 * functions (totp, verify, otpauth, qr …) are static methods, in Codes.
 *
 *     $tfa = TFA\Tfa::open();
 *     $tfa->whm->twofactorauth_policy_status(caller: 'root');
 *     if ($tfa->login('example', $_POST['code'])) { … }
 *
 * Promises: a handle can be used in parent and children after a fork. Stack traces contain no secret and no code (PHP 8.2
 * and later).
 */
declare(strict_types=1);

namespace TFA;

use FFI;

final class Tfa
{
    use Codes;

    /** The WHM functions: $tfa->whm->twofactorauth_policy_status(caller: 'root'). */
    public readonly Functions $whm;

    /** The functions of UAPI's module TwoFactorAuth: $tfa->uapi->get_user_configuration(caller: 'example'). */
    public readonly Functions $uapi;

    /** @var list<array<string, mixed>>|null */
    private static ?array $registry = null;

    private function __construct(private ?Handle $handle)
    {
        $this->whm = new Functions($this, 'whm');
        $this->uapi = new Functions($this, 'uapi');
    }

    /**
     * Opens the store of the server's configuration file (contract section 12).
     *
     * @param array<string, mixed> $config keys that override the file; with a store they are complete, and no file is read
     * @throws ConfigError when a key is unknown or a value cannot be used
     */
    public static function open(#[\SensitiveParameter] array $config = []): self
    {
        $ffi = Library::ffi();
        $error = $ffi->new('char *');
        $pointer = $ffi->tfa_open(Library::encode((object) $config), FFI::addr($error));
        if ($pointer === null) {
            throw new ConfigError(Library::answer(FFI::isNull($error) ? null : $error)['error']);
        }
        return new self(new Handle($pointer));
    }

    /** Closes the handle; a running call ends first. It can be called again. */
    public function close(): void
    {
        $this->handle = null;
    }

    private function handle(): Handle
    {
        return $this->handle ?? throw new Unavailable('This libtfa handle is closed: open another.');
    }

    /** Returns whether the login of a subject, whose password is right, is accepted. Every error denies it. */
    public function login(
        string $subject,
        #[\SensitiveParameter] ?string $code = null,
        ?string $remoteAddr = null,
    ): bool {
        return $this->loginResult($subject, $code, $remoteAddr)->isAccepted();
    }

    /**
     * Verifies a login code as login does, and returns the result in detail. Without a code the result says whether one is
     * required. $remoteAddr is the client's IP address, for the audit trail. An object is always true in PHP: call
     * isAccepted().
     */
    public function loginResult(
        string $subject,
        #[\SensitiveParameter] ?string $code = null,
        ?string $remoteAddr = null,
    ): Login {
        $found = Library::call(
            'tfa_login_from',
            $this->handle()->pointer(),
            Library::text('subject', $subject),
            $code === null ? null : Library::typed($code),
            $remoteAddr === null ? null : Library::text('remoteAddr', $remoteAddr),
        );
        return Login::tryFrom($found) ?? Login::Unanswered;
    }

    /**
     * Calls any WHM API 1 function and returns its whole envelope: data and metadata.
     *
     * @param array<array-key, mixed> $parameters
     * @return array<array-key, mixed>
     */
    public function whmapi1(
        string $caller,
        string $function,
        #[\SensitiveParameter] array $parameters = [],
    ): array {
        $handle = $this->handle();
        return Library::answer(Library::call(
            'tfa_whmapi1',
            $handle->pointer(),
            Library::text('caller', $caller),
            Library::text('function', $function),
            Library::json($parameters),
        ));
    }

    /**
     * Calls any UAPI function and returns its whole envelope, as /execute/ does.
     *
     * @param array<array-key, mixed> $parameters
     * @return array<array-key, mixed>
     */
    public function execute(
        string $caller,
        string $module,
        string $function,
        #[\SensitiveParameter] array $parameters = [],
    ): array {
        $handle = $this->handle();
        return Library::answer(Library::call(
            'tfa_uapi',
            $handle->pointer(),
            Library::text('caller', $caller),
            Library::text('module', $module),
            Library::text('function', $function),
            Library::json($parameters),
        ));
    }

    /** Answers a request to the panel's /json-api/, /xml-api/ or /execute/ paths. */
    public function http(
        string $caller,
        string $method,
        #[\SensitiveParameter] string $target,
        #[\SensitiveParameter] ?string $body = null,
    ): HttpAnswer {
        $handle = $this->handle();
        $answer = Library::answer(Library::call(
            'tfa_http',
            $handle->pointer(),
            Library::text('caller', $caller),
            Library::text('method', $method),
            Library::text('target', $target),
            $body === null ? null : Library::text('body', $body),
        ));
        return new HttpAnswer($answer['status'], $answer['content_type'], $answer['body']);
    }

    /**
     * Replaces the configured account directory with $lookup.
     *
     * @param callable(string $question, string $name): mixed $lookup the reply of that question (README), or null: not
     *        found. An exception in it is logged and means that the directory cannot answer, which denies logins.
     */
    public function setLookup(callable $lookup): void
    {
        $handle = $this->handle();
        // PHP keeps the callback that it creates for a closure until the request ends, which is long enough for C.
        if (Library::call('tfa_set_lookup', $handle->pointer(), self::guarded($lookup), null) !== 1) {
            throw new Unavailable('The library refused the lookup.');
        }
    }

    /** $lookup as the C callback: 1 found, 0 not found, -1 cannot answer. No exception may cross C. */
    private static function guarded(callable $lookup): \Closure
    {
        return static function ($context, string $question, string $name, $reply) use ($lookup): int {
            try {
                $found = $lookup($question, $name);
                if ($found === null) {
                    return 0;
                }
                // An account without details is {}, not the empty list that PHP would write.
                $json = Library::encode($question === 'account' ? (object) $found : $found);
                return Library::call('tfa_reply', $reply, $json) === 1 ? 1 : -1;
            } catch (\Throwable $error) {
                error_log('libtfa: the account lookup failed: ' . $error->getMessage());
                return -1;
            }
        };
    }

    /**
     * Passes every audit-trail entry that this handle writes to $audit.
     *
     * $audit is called within the call that wrote the entry, after the entry is committed, and that call waits for it. An
     * exception in it is logged; the change stays made and the verdict stands. The README says what it must not do.
     *
     * @param callable(array<string, mixed>): mixed $audit receives an entry (README); its result is ignored
     */
    public function setAudit(callable $audit): void
    {
        $handle = $this->handle();
        // As with the lookup: PHP keeps the callback until the request ends, and no entry is written after that.
        if (Library::call('tfa_set_audit', $handle->pointer(), self::receiving($audit), null) !== 1) {
            throw new Unavailable('The library refused the audit callback.');
        }
    }

    /** $audit as the C callback. No exception may cross C. */
    private static function receiving(callable $audit): \Closure
    {
        return static function ($context, string $entry) use ($audit): void {
            try {
                $audit(json_decode($entry, true, 2, JSON_THROW_ON_ERROR));
            } catch (\Throwable $error) {
                error_log('libtfa: the audit callback failed: ' . $error->getMessage());
            }
        };
    }

    /** The library's version. */
    public static function version(): string
    {
        return Library::call('tfa_version');
    }

    /**
     * The library's registry: name, api ("whm" or "uapi"), parameters and description of each function.
     *
     * @return list<array<string, mixed>>
     */
    public static function functions(): array
    {
        return self::$registry ??= Library::answer(Library::call('tfa_functions'));
    }
}
