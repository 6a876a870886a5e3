<?php
/*
 * The panel's LiveAPI, for pages that were written for it:
 *
 *     $cpanel = new TFA\LiveApi($tfa, 'example');
 *     $answer = $cpanel->uapi('TwoFactorAuth', 'set_user_configuration', ['secret' => …, 'tfa_token' => …]);
 *     $answer['cpanelresult']['result']['status']
 *
 * The class CPANEL (cpanel.php) has the panel's own constructor, without arguments.
 *
 * Promises: a failure of the function is an answer with status 0 and errors, never an exception. Calls are made as the
 * authenticated person (contract section 11): REMOTE_USER, or the account if there is no REMOTE_USER. When the two differ,
 * a call is refused unless REMOTE_USER is a mailbox or team user of the account.
 */
declare(strict_types=1);

namespace TFA;

class LiveApi
{
    /** @var string the subject that calls are made as, or '' if they are refused */
    private readonly string $caller;

    /**
     * @param string $account the account whose panel is open, or '' if the host knows the person alone
     * @param string|null $remoteUser the person who logged in; by default the web server's REMOTE_USER
     */
    public function __construct(private readonly Tfa $tfa, string $account, ?string $remoteUser = null)
    {
        $person = $remoteUser ?? (string) ($_SERVER['REMOTE_USER'] ?? getenv('REMOTE_USER'));
        $this->caller = match (true) {
            $person === '' => $account,
            $account === '', $person === $account, self::isSubject($tfa, $person, $account) => $person,
            default => '',
        };
    }

    /** Whether a person is a subject of an account. A name that the library cannot resolve is not. */
    private static function isSubject(Tfa $tfa, string $person, string $account): bool
    {
        $resolved = $tfa->whmapi1('root', 'twofactorauth_resolve_user', ['user' => $person]);
        return $resolved['metadata']['result'] === 1 && $resolved['data']['account'] === $account;
    }

    /**
     * Calls a UAPI function.
     *
     * @param array<array-key, mixed> $parameters
     * @return array{cpanelresult: array{apiversion: int, func: string, module: string, result: array<array-key, mixed>}}
     */
    public function uapi(string $module, string $function, #[\SensitiveParameter] array $parameters = []): array
    {
        // The library refuses a call without a caller in UAPI's own words.
        $result = $this->tfa->execute($this->caller, $module, $function, $parameters);
        return ['cpanelresult' => ['apiversion' => 3, 'func' => $function, 'module' => $module, 'result' => $result]];
    }

    /** Ends the connection to the panel. There is none: this does nothing. */
    public function end(): void
    {
    }
}
