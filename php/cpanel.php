<?php
/*
 * The panel's PHP class CPANEL, for pages that were written for it:
 *
 *     require_once '/path/to/cpanel.php';
 *     $cpanel = new CPANEL();
 *     $answer = $cpanel->uapi('TwoFactorAuth', 'set_user_configuration', ['secret' => …, 'tfa_token' => …]);
 *     $cpanel->end();
 *
 * It is LiveApi with the panel's constructor. Every instance uses one handle, opened at the first call with the
 * configuration of the server. A page requires this file itself, so that the package never shadows the panel's own class.
 *
 * Promise: calls are made as REMOTE_USER, the authenticated person (contract section 11). Without one they are refused.
 */
declare(strict_types=1);

use TFA\LiveApi;
use TFA\Tfa;

// For an installation without Composer.
spl_autoload_register(static function (string $class): void {
    $file = __DIR__ . '/src/' . substr($class, strlen('TFA\\')) . '.php';
    if (str_starts_with($class, 'TFA\\') && is_file($file)) {
        require $file;
    }
});

class CPANEL extends LiveApi
{
    private static ?Tfa $tfa = null;
    private static string $account = '';

    public function __construct()
    {
        parent::__construct(self::$tfa ??= Tfa::open(), self::$account);
    }

    /**
     * Sets what later instances use, for a host that runs the pages: the handle, in place of the server's configuration,
     * and the account whose panel is open, of which REMOTE_USER must then be a subject.
     */
    public static function configure(?Tfa $tfa = null, string $account = ''): void
    {
        [self::$tfa, self::$account] = [$tfa, $account];
    }
}
