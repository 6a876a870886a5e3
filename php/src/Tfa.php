<?php
/*
 * An open libtfa: the functions of both doors by name, login, HTTP, the account lookup, the audit trail. The stateless
 * functions (totp, verify, otpauth, qr …) are static methods, in Codes.
 *
 *     $tfa = TFA\Tfa::open(['store' => 'sqlite:/var/lib/tfa/tfa.db']);
 *     $tfa->whm->twofactorauth_policy_status(caller: 'root');
 *     if ($tfa->login('example', $_POST['code'])) { … }
 *
 * Promises: a handle goes on working in parent and children after a fork. No secret and no code shows up in a stack
 * trace (PHP 8.2 and later).
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
     * Opens libtfa with the keys of the configuration table; null takes the defaults.
     *
     * @param array<string, mixed>|null $config an empty object is new \stdClass(), since [] is an empty list
     * @throws ConfigError when a key is unknown or a value cannot be used
     */
    public static function open(#[\SensitiveParameter] ?array $config = null): self
    {
        $ffi = Library::ffi();
        $error = $ffi->new('char *');
        $text = $config === null ? null : Library::encode((object) $config);
        $pointer = $ffi->tfa_open($text, FFI::addr($error));
        if ($pointer === null) {
            throw new ConfigError(Library::answer(FFI::isNull($error) ? null : $error)['error']);
        }
        return new self(new Handle($pointer));
    }

    /** Gives the handle up; a call under way ends first. May be repeated. */
    public function close(): void
    {
        $this->handle = null;
    }

    private function handle(): Handle
    {
        return $this->handle ?? throw new Unavailable('This libtfa handle is closed: open another.');
    }

    /** Whether to let the subject in, after its password was right. False also when that could not be found out. */
    public function login(string $subject, #[\SensitiveParameter] ?string $code = null): bool
    {
        return $this->loginResult($subject, $code)->letsIn();
    }

    /**
     * The same in detail. Without a code it asks whether one is required. An object is always true in PHP:
     * ask letsIn().
     */
    public function loginResult(string $subject, #[\SensitiveParameter] ?string $code = null): Login
    {
        $handle = $this->handle();
        $typed = $code === null ? null : Library::typed($code);
        $found = Library::ffi()->tfa_login($handle->pointer(), Library::text('subject', $subject), $typed);
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
        return Library::answer(Library::ffi()->tfa_whmapi1(
            $handle->pointer(),
            Library::text('caller', $caller),
            Library::text('function', $function),
            Library::json($parameters),
        ));
    }

    /**
     * Calls any UAPI function and returns its whole envelope, as /execute/ answers it.
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
        return Library::answer(Library::ffi()->tfa_uapi(
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
        $answer = Library::answer(Library::ffi()->tfa_http(
            $handle->pointer(),
            Library::text('caller', $caller),
            Library::text('method', $method),
            Library::text('target', $target),
            $body === null ? null : Library::text('body', $body),
        ));
        return new HttpAnswer($answer['status'], $answer['content_type'], $answer['body']);
    }

    /**
     * Asks $lookup about accounts from now on, in place of the configured directory.
     *
     * @param callable(string $question, string $name): mixed $lookup the reply of that question (README), or null: no
     *        such thing. What it throws counts as "could not be answered", which keeps people out, and is logged.
     */
    public function setLookup(callable $lookup): void
    {
        $handle = $this->handle();
        // PHP keeps the callback that it makes of a closure until the request ends, which is long enough for C.
        if (Library::ffi()->tfa_set_lookup($handle->pointer(), self::guarded($lookup), null) !== 1) {
            throw new Unavailable('The library did not take the lookup.');
        }
    }

    /** $lookup as the C callback: 1 found, 0 no such thing, -1 could not be answered. Nothing may be thrown through C. */
    private static function guarded(callable $lookup): \Closure
    {
        return static function ($context, string $question, string $name, $reply) use ($lookup): int {
            try {
                $found = $lookup($question, $name);
                if ($found === null) {
                    return 0;
                }
                // An account of which nothing is known is {}, not the empty list that PHP would write.
                $json = Library::encode($question === 'account' ? (object) $found : $found);
                return Library::ffi()->tfa_reply($reply, $json) === 1 ? 1 : -1;
            } catch (\Throwable $error) {
                error_log('libtfa: the account lookup failed: ' . $error->getMessage());
                return -1;
            }
        };
    }

    /**
     * Tells $audit of every line of the audit trail that this handle writes from now on.
     *
     * It is called inside the call that wrote the line, once the line is on record, and that call waits for it. What it
     * throws is logged; the change is made and the verdict stands. See the README for what it must not do.
     *
     * @param callable(array<string, string>): mixed $audit given a line (README); what it returns is ignored
     */
    public function setAudit(callable $audit): void
    {
        $handle = $this->handle();
        // As with the lookup: PHP keeps the callback until the request ends, and no line is written after that.
        if (Library::ffi()->tfa_set_audit($handle->pointer(), self::hearing($audit), null) !== 1) {
            throw new Unavailable('The library did not take the audit callback.');
        }
    }

    /** $audit as the C callback. Nothing may be thrown through C. */
    private static function hearing(callable $audit): \Closure
    {
        return static function ($context, string $line) use ($audit): void {
            try {
                $audit(json_decode($line, true, 2, JSON_THROW_ON_ERROR));
            } catch (\Throwable $error) {
                error_log('libtfa: the audit callback failed: ' . $error->getMessage());
            }
        };
    }

    /** The library's version. */
    public static function version(): string
    {
        return Library::ffi()->tfa_version();
    }

    /**
     * The library's registry: name, door ("whm" or "uapi"), parameters and description of each function.
     *
     * @return list<array<string, mixed>>
     */
    public static function functions(): array
    {
        return self::$registry ??= Library::answer(Library::ffi()->tfa_functions());
    }
}
