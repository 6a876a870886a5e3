<?php
/*
 * The functions of one API as methods, as the library lists them:
 *
 *     $tfa->whm->twofactorauth_get_user_configs(caller: 'root', user: 'example')
 *     $tfa->whm->twofactorauth_remove_user_config(['user-0' => 'a', 'user-1' => 'b'], caller: 'root')
 *
 * Promise: a call returns the decoded `data` (null where the function has none), or throws Refused with
 * the library's reason, or Unavailable if the store is not available.
 */
declare(strict_types=1);

namespace TFA;

final class Functions
{
    /** @internal Created by Tfa. */
    public function __construct(private readonly Tfa $tfa, private readonly string $api)
    {
    }

    /** @return list<string> the functions' names */
    public function names(): array
    {
        return array_keys($this->rows());
    }

    /** @return array<string, array<string, mixed>> the API's rows of the registry, by name */
    private function rows(): array
    {
        $rows = array_filter(Tfa::functions(), fn (array $row): bool => $row['api'] === $this->api);
        return array_column($rows, null, 'name');
    }

    /** @param array<array-key, mixed> $arguments */
    public function __call(string $name, #[\SensitiveParameter] array $arguments): mixed
    {
        $row = $this->rows()[$name]
            ?? throw new Refused("libtfa has no function \"$name\" here: names() lists them.");
        [$caller, $parameters] = self::split($name, $arguments);
        return $this->api === 'whm'
            ? self::whmData($this->tfa->whmapi1($caller, $name, $parameters))
            : self::uapiData($name, $this->tfa->execute($caller, $row['module'], $name, $parameters));
    }

    /**
     * The caller, and the parameters: an array that can come first, then the named ones.
     *
     * @param array<array-key, mixed> $arguments
     * @return array{string, array<array-key, mixed>}
     */
    private static function split(string $name, #[\SensitiveParameter] array $arguments): array
    {
        $first = $arguments[0] ?? [];
        $caller = $arguments['caller'] ?? null;
        if (!is_string($caller) || !is_array($first) || array_key_exists(1, $arguments)) {
            throw new Refused("Call $name with an array of parameters, or named ones, and with the name of the caller.", $name);
        }
        unset($arguments[0], $arguments['caller']);
        return [$caller, array_replace($first, $arguments)];
    }

    /** @param array<array-key, mixed> $envelope */
    private static function whmData(#[\SensitiveParameter] array $envelope): mixed
    {
        if (!isset($envelope['metadata'])) {
            return $envelope; // The function "cpanel" returns the answer of UAPI without an envelope.
        }
        $metadata = $envelope['metadata'];
        if ($metadata['result'] !== 1) {
            throw TfaError::from($metadata['reason'], $metadata['reason_code'], $metadata['command']);
        }
        return $envelope['data'] ?? null;
    }

    /** @param array<array-key, mixed> $result */
    private static function uapiData(string $command, #[\SensitiveParameter] array $result): mixed
    {
        if ($result['status'] !== 1) {
            throw TfaError::from($result['errors'][0], $result['metadata']['reason_code'], $command);
        }
        return $result['data'];
    }
}
