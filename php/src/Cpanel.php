<?php
/*
 * The panel's PHP class CPANEL, for pages that were written for it:
 *
 *     $cpanel = new CPANEL();
 *     $answer = $cpanel->uapi('TwoFactorAuth', 'set_user_configuration', ['secret' => …, 'tfa_token' => …]);
 *     $cpanel->end();
 *
 * It opens the store of the server's configuration once a process. The account is the system user that runs the page.
 * It is not loaded by itself, so that it does not shadow the panel's own class: require this file, or "cpanel" with it.
 */
declare(strict_types=1);

use TFA\LiveApi;
use TFA\Tfa;

class CPANEL extends LiveApi
{
    private static ?Tfa $store = null;

    public function __construct()
    {
        parent::__construct(self::store(), posix_getpwuid(posix_geteuid())['name'] ?? '');
    }

    private static function store(): Tfa
    {
        return self::$store ??= Tfa::open();
    }
}
