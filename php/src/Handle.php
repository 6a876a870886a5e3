<?php
/*
 * Owns the C handle. Every call in progress holds a reference, so that it is closed when the last of
 * them is gone, and never under a call (the account lookup runs PHP code inside one).
 */
declare(strict_types=1);

namespace TFA;

use FFI\CData;

/** @internal */
final class Handle
{
    public function __construct(public readonly CData $pointer)
    {
    }

    public function __destruct()
    {
        Library::ffi()->tfa_close($this->pointer);
    }
}
