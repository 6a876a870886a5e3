<?php
/*
 * Loads the C library through FFI, checks its ABI, and passes strings across.
 *
 * Promises: the library is loaded once in a process. A function that the library lacks throws Unavailable at the call, so
 * that a package that is newer than its library loads. Arguments contain no NUL that would cut them short; the library
 * frees, and so wipes, what it returned.
 */
declare(strict_types=1);

namespace TFA;

use FFI;
use FFI\CData;

/** @internal */
final class Library
{
    /** The ABI number (TFA_ABI_VERSION) that this package was written for. */
    public const ABI_VERSION = 1;

    private const HEADER = __DIR__ . '/tfa.ffi.h';
    private const SONAME = 'libtfa.so.0';

    private static ?FFI $ffi = null;

    public static function ffi(): FFI
    {
        return self::$ffi ??= self::checked(self::load());
    }

    /** Under a web server, FFI is restricted to preloaded libraries; on the command line it is not. */
    private static function load(): FFI
    {
        try {
            if (PHP_SAPI !== 'cli' && strtolower((string) ini_get('ffi.enable')) === 'preload') {
                return FFI::scope('TFA');
            }
            // cdef accepts no directives: the first two lines are for ffi.preload.
            $declarations = preg_replace('~^#.*$~m', '', (string) file_get_contents(self::HEADER));
            return self::declare($declarations, self::place());
        } catch (FFI\Exception $error) {
            throw new ConfigError(
                'libtfa cannot be loaded: ' . $error->getMessage() . '. Install the C library, or name its file in the '
                . 'environment variable TFA_LIBRARY; under a web server set ffi.preload to ' . self::HEADER
                . ' and opcache.preload to ' . dirname(__DIR__) . '/preload.php.'
            );
        }
    }

    /**
     * Declares the functions of the header. FFI refuses a declaration whose symbol is missing, so the declarations of
     * functions that an older library lacks are left out, and a call of one is an error then.
     */
    private static function declare(string $declarations, string $place): FFI
    {
        while (true) {
            try {
                return FFI::cdef($declarations, $place);
            } catch (FFI\Exception $error) {
                if (preg_match("~resolving C function '(tfa_\w+)'~", $error->getMessage(), $missing) !== 1) {
                    throw $error;
                }
                $without = preg_replace('~^[^;{}]*\b' . $missing[1] . '\s*\([^;]*;~m', '', $declarations);
                if ($without === $declarations) {
                    throw $error;
                }
                $declarations = $without;
            }
        }
    }

    /** Calls a function of the library. */
    public static function call(string $function, #[\SensitiveParameter] mixed ...$arguments): mixed
    {
        try {
            return self::ffi()->{$function}(...$arguments);
        } catch (FFI\Exception $error) {
            if (str_contains($error->getMessage(), 'undefined C function')) {
                throw new Unavailable("This libtfa has no $function: it is older than this package. Install a newer one.");
            }
            throw $error;
        }
    }

    /** The file to load: the environment's choice alone, else one beside this file, else the system's. */
    private static function place(): string
    {
        $chosen = getenv('TFA_LIBRARY');
        if ($chosen !== false && $chosen !== '') {
            return $chosen;
        }
        $beside = __DIR__ . '/' . self::SONAME;
        return is_file($beside) ? $beside : self::SONAME;
    }

    private static function checked(FFI $ffi): FFI
    {
        $found = $ffi->tfa_abi_version();
        if ($found !== self::ABI_VERSION) {
            throw new ConfigError(
                "libtfa has ABI $found, this package needs " . self::ABI_VERSION
                . ': install the package and the library of one release.'
            );
        }
        return $ffi;
    }

    /** $value as the NUL-terminated string that C reads. */
    public static function text(string $name, #[\SensitiveParameter] string $value): string
    {
        if (str_contains($value, "\0")) {
            throw new Refused("The parameter \"$name\" is not valid: it has a NUL character in it.");
        }
        return $value;
    }

    /** The code that a person entered. A character that C cannot read makes it an invalid code. */
    public static function typed(#[\SensitiveParameter] string $code): string
    {
        $readable = preg_match('//u', $code) === 1 ? $code : '?';
        return str_replace("\0", '?', $readable);
    }

    /**
     * Named values as a JSON object. An empty array inside becomes an empty object: no parameter is an empty list. Values
     * that are null are left out.
     *
     * @param array<array-key, mixed> $values
     */
    public static function json(#[\SensitiveParameter] array $values): string
    {
        $given = array_filter($values, static fn (mixed $value): bool => $value !== null);
        return self::encode((object) array_map(self::objects(...), $given));
    }

    private static function objects(#[\SensitiveParameter] mixed $value): mixed
    {
        if (!is_array($value)) {
            return $value;
        }
        return $value === [] ? new \stdClass() : array_map(self::objects(...), $value);
    }

    /** Encodes a value as JSON. The error says what cannot be encoded. */
    public static function encode(#[\SensitiveParameter] mixed $value): string
    {
        try {
            return json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
        } catch (\JsonException $error) {
            throw new Refused('The parameters are not valid: ' . $error->getMessage() . '.');
        }
    }

    /**
     * The JSON that the library returned. Its memory is freed at once.
     *
     * @return array<array-key, mixed>
     */
    public static function answer(?CData $pointer): array
    {
        if ($pointer === null) {
            throw new Unavailable('The library ran out of memory.');
        }
        try {
            return json_decode(FFI::string($pointer), true, 512, JSON_THROW_ON_ERROR);
        } finally {
            self::ffi()->tfa_free($pointer);
        }
    }
}
