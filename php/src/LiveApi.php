<?php
/*
 * The panel's LiveAPI shape, for pages that were written for it:
 *
 *     $cpanel = new TFA\LiveApi($tfa, 'example');
 *     $answer = $cpanel->uapi('TwoFactorAuth', 'set_user_configuration', ['secret' => …, 'tfa_token' => …]);
 *     $answer['cpanelresult']['result']['status']
 *
 * Promise: a failure of the function is an answer with status 0 and errors, never an exception.
 */
declare(strict_types=1);

namespace TFA;

class LiveApi
{
    /** @param string $caller the account that the panel has authenticated */
    public function __construct(private readonly Tfa $tfa, private readonly string $caller)
    {
    }

    /**
     * @param array<array-key, mixed> $parameters
     * @return array{cpanelresult: array{result: array<array-key, mixed>}}
     */
    public function uapi(string $module, string $function, #[\SensitiveParameter] array $parameters = []): array
    {
        return ['cpanelresult' => ['result' => $this->tfa->execute($this->caller, $module, $function, $parameters)]];
    }
}
