<?php
/*
 * Secrets, one-time codes, otpauth URIs and QR codes: no handle, no store. Static methods of Tfa.
 *
 * Promises: numbers are checked before they reach C, where they would wrap; a code is a string that keeps its
 * leading zeros; a secret is Base32 text. A value that is not valid throws Refused, which names the parameter.
 * No secret and no code shows up in a stack trace (PHP 8.2 and later).
 * Sources: RFC 4226 (HOTP), RFC 6238 (TOTP), RFC 4648 (Base32), the Key URI format.
 */
declare(strict_types=1);

namespace TFA;

use FFI;
use FFI\CData;

trait Codes
{
    /** A fresh random secret of $length Base32 characters. */
    public static function secret(int $length = 32): string
    {
        return self::asked('tfa_generate_secret', ['length' => $length])['secret'];
    }

    /** The bytes of Base32 text; case, spaces, dashes and padding are forgiven. */
    public static function base32Decode(#[\SensitiveParameter] string $encoded): string
    {
        return FFI::string(...self::key($encoded));
    }

    /** The HOTP code of a counter (RFC 4226). */
    public static function hotp(
        #[\SensitiveParameter] string $secret,
        int $counter,
        int $digits = 6,
        string $algorithm = 'SHA1',
    ): string {
        return self::code('tfa_generate_hotp', $secret, $algorithm, $digits, self::number('counter', $counter, 0));
    }

    /** The TOTP code (RFC 6238) at the Unix time $at, now if it is null. */
    public static function totp(
        #[\SensitiveParameter] string $secret,
        ?int $at = null,
        int $digits = 6,
        int $period = 30,
        string $algorithm = 'SHA1',
    ): string {
        return self::code('tfa_generate_totp', $secret, $algorithm, $digits, self::period($period), self::time($at));
    }

    /**
     * Whether $code is right at $at, or up to $skew steps (0 to 1000) before or after.
     *
     * Nothing is remembered: use verifyStep and refuse a step that was used, or login, which does.
     */
    public static function verify(
        #[\SensitiveParameter] string $secret,
        #[\SensitiveParameter] string $code,
        ?int $at = null,
        int $digits = 6,
        int $period = 30,
        string $algorithm = 'SHA1',
        int $skew = 1,
    ): bool {
        return self::verifyStep($secret, $code, $at, $digits, $period, $algorithm, $skew) !== null;
    }

    /** Like verify, but returns the time step of a right code (which may be 0), or null. */
    public static function verifyStep(
        #[\SensitiveParameter] string $secret,
        #[\SensitiveParameter] string $code,
        ?int $at = null,
        int $digits = 6,
        int $period = 30,
        string $algorithm = 'SHA1',
        int $skew = 1,
    ): ?int {
        $step = Library::ffi()->new('uint64_t');
        $found = self::withKey('tfa_verify_totp', $secret, [
            self::algorithm($algorithm),
            self::digits($digits),
            self::period($period),
            self::number('skew', $skew, 0, 1000),
            self::time($at),
            Library::typed($code),
            FFI::addr($step),
        ]);
        return $found === 1 ? $step->cdata : null;
    }

    /** The otpauth:// URI that an authenticator app reads from a QR code. */
    public static function otpauth(
        #[\SensitiveParameter] string $secret,
        string $account,
        ?string $issuer = null,
        ?string $algorithm = null,
        ?int $digits = null,
        ?int $period = null,
    ): string {
        $given = compact('secret', 'account', 'issuer', 'algorithm', 'digits', 'period');
        return self::asked('tfa_build_otpauth', array_filter($given, fn ($value) => $value !== null))['otpauth_str'];
    }

    /**
     * What an otpauth:// URI says.
     *
     * @return array<string, mixed> type, secret, account, issuer, algorithm, digits, and period or counter
     */
    public static function otpauthParse(#[\SensitiveParameter] string $otpauthStr): array
    {
        return self::asked('tfa_parse_otpauth', ['otpauth_str' => $otpauthStr]);
    }

    /** $text as a QR code: "svg" text, "png" bytes, or lines to print in a "terminal". */
    public static function qr(#[\SensitiveParameter] string $text, string $format = 'svg'): string
    {
        $picture = self::asked('tfa_draw_qr', ['text' => $text, 'format' => $format])['qr'];
        return $format === 'png' ? base64_decode($picture, true) : $picture;
    }

    /**
     * Calls one of the functions that take and return JSON.
     *
     * @param array<string, mixed> $arguments
     * @return array<string, mixed>
     */
    private static function asked(string $function, #[\SensitiveParameter] array $arguments): array
    {
        $answer = Library::answer(Library::ffi()->{$function}(Library::json($arguments)));
        if (isset($answer['error'])) {
            throw new Refused($answer['error']);
        }
        return $answer;
    }

    /** The code that tfa_generate_hotp or tfa_generate_totp makes, with its leading zeros; $moving is what they take after the digits. */
    private static function code(
        string $function,
        #[\SensitiveParameter] string $secret,
        string $algorithm,
        int $digits,
        int ...$moving,
    ): string {
        $arguments = [self::algorithm($algorithm), self::digits($digits), ...$moving];
        return str_pad((string) self::withKey($function, $secret, $arguments), $digits, '0', STR_PAD_LEFT);
    }

    /**
     * Calls a function that begins with the secret's bytes. Refused when it answers -1.
     *
     * @param list<mixed> $arguments
     */
    private static function withKey(
        string $function,
        #[\SensitiveParameter] string $secret,
        #[\SensitiveParameter] array $arguments,
    ): int {
        $found = Library::ffi()->{$function}(...self::key($secret), ...$arguments);
        return $found >= 0 ? $found : throw new Refused('The library refused these parameters.');
    }

    /** @return array{CData, int} the bytes of a secret where C can read them, and how many they are */
    private static function key(#[\SensitiveParameter] string $secret): array
    {
        $key = Library::ffi()->new('uint8_t[256]');
        $length = Library::ffi()->tfa_decode_base32(Library::text('secret', $secret), $key, FFI::sizeof($key));
        if ($length < 0) {
            throw new Refused('The parameter "secret" is not a Base32 string of a usable length.');
        }
        if ($length === 0) {
            // HMAC takes an empty key, whose codes anybody can compute: most likely it was looked up and not found.
            throw new Refused('The parameter "secret" is required.');
        }
        return [$key, $length];
    }

    private static function algorithm(string $name): int
    {
        return match ($name) {
            'SHA1' => 1,
            'SHA256' => 256,
            'SHA512' => 512,
            default => throw new Refused(
                'The parameter "algorithm" is not valid: it must be SHA1, SHA256 or SHA512.'
            ),
        };
    }

    private static function number(string $name, int $value, int $least, int $most = PHP_INT_MAX): int
    {
        if ($value < $least || $value > $most) {
            throw new Refused("The parameter \"$name\" is not valid: it must be $least to $most.");
        }
        return $value;
    }

    private static function digits(int $value): int
    {
        return self::number('digits', $value, 1, 10);
    }

    private static function period(int $value): int
    {
        return self::number('period', $value, 1, 0xFFFFFFFF);
    }

    private static function time(?int $at): int
    {
        return self::number('at', $at ?? time(), 0);
    }
}
