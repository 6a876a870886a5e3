<?php
/*
 * Secrets, one-time codes, otpauth URIs and QR codes, without a handle and without a store. Static methods of Tfa.
 *
 * Promises: a code is a string that keeps its leading zeros; a secret is Base32 text. The library has the rules and
 * limits: a value that it refuses throws Refused with the library's reason. Stack traces contain no secret and no code
 * (PHP 8.2 and later). Sources: RFC 4226 (HOTP), RFC 6238 (TOTP), RFC 4648 (Base32), the Key URI format.
 */
declare(strict_types=1);

namespace TFA;

use FFI;

trait Codes
{
    /** Generates a secret of $length Base32 characters: 16 to 128, a multiple of 8. */
    public static function secret(int $length = 32): string
    {
        return self::stateless('tfa_generate_secret', ['length' => $length])['secret'];
    }

    /** Decodes Base32. Case, spaces, dashes and padding are ignored. */
    public static function base32Decode(#[\SensitiveParameter] string $encoded): string
    {
        $text = Library::text('encoded', $encoded);
        $length = Library::call('tfa_decode_base32', $text, null, 0);
        if ($length < 0) {
            throw new Refused('The parameter "encoded" is not Base32.');
        }
        $room = Library::ffi()->new('uint8_t[' . max($length, 1) . ']');
        Library::call('tfa_decode_base32', $text, $room, $length);
        return FFI::string($room, $length);
    }

    /** Generates the HOTP code of a counter (RFC 4226). */
    public static function hotp(
        #[\SensitiveParameter] string $secret,
        int $counter,
        int $digits = 6,
        string $algorithm = 'SHA1',
    ): string {
        return self::stateless('tfa_code', ['type' => 'hotp'] + compact('secret', 'counter', 'digits', 'algorithm'))['code'];
    }

    /** Generates the TOTP code (RFC 6238) at the Unix time $at, the present if it is null. */
    public static function totp(
        #[\SensitiveParameter] string $secret,
        ?int $at = null,
        int $digits = 6,
        int $period = 30,
        string $algorithm = 'SHA1',
    ): string {
        $given = ['time' => $at ?? time()] + compact('secret', 'digits', 'period', 'algorithm');
        return self::stateless('tfa_code', $given)['code'];
    }

    /**
     * Returns whether $code is valid at $at, or up to $skew steps (0 to 1000) before or after.
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

    /** Verifies a code as verify does, and returns the time step of a valid code (which can be 0), or null. */
    public static function verifyStep(
        #[\SensitiveParameter] string $secret,
        #[\SensitiveParameter] string $code,
        ?int $at = null,
        int $digits = 6,
        int $period = 30,
        string $algorithm = 'SHA1',
        int $skew = 1,
    ): ?int {
        $given = ['time' => $at ?? time(), 'code' => Library::typed($code)];
        $given += compact('secret', 'digits', 'period', 'algorithm', 'skew');
        return self::stateless('tfa_verify_code', $given)['step'];
    }

    /** Builds the otpauth:// URI that an authenticator reads from a QR code. */
    public static function otpauth(
        #[\SensitiveParameter] string $secret,
        string $account,
        ?string $issuer = null,
        ?string $algorithm = null,
        ?int $digits = null,
        ?int $period = null,
    ): string {
        $given = compact('secret', 'account', 'issuer', 'algorithm', 'digits', 'period');
        return self::stateless('tfa_build_otpauth', $given)['otpauth_str'];
    }

    /**
     * Parses an otpauth:// URI.
     *
     * @return array<string, mixed> type, secret, account, issuer, algorithm, digits, and period or counter
     */
    public static function otpauthParse(#[\SensitiveParameter] string $otpauthStr): array
    {
        return self::stateless('tfa_parse_otpauth', ['otpauth_str' => $otpauthStr]);
    }

    /** Draws $text as a QR code: "svg" text, "png" bytes, or lines to print in a "terminal". */
    public static function qr(#[\SensitiveParameter] string $text, string $format = 'svg'): string
    {
        $picture = self::stateless('tfa_draw_qr', ['text' => $text, 'format' => $format])['qr'];
        return $format === 'png' ? base64_decode($picture, true) : $picture;
    }

    /**
     * Calls one of the functions that take and return JSON.
     *
     * @param array<string, mixed> $arguments
     * @return array<string, mixed>
     */
    private static function stateless(string $function, #[\SensitiveParameter] array $arguments): array
    {
        $answer = Library::answer(Library::call($function, Library::json($arguments)));
        if (isset($answer['error'])) {
            throw TfaError::from($answer['error'], $answer['reason_code']);
        }
        return $answer;
    }
}
