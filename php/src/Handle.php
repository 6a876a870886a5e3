<?php
/*
 * Owns the C handle. Every running call holds a reference, so that the handle is closed after the last one. (The account
 * lookup and the audit callback run PHP code inside a call.)
 *
 * When a program ends, PHP calls the destructors of all remaining objects, referenced or not. A destructor that runs after
 * this one finds the handle closed.
 */
declare(strict_types=1);

namespace TFA;

use FFI\CData;

/** @internal */
final class Handle
{
    public function __construct(private ?CData $pointer)
    {
    }

    /** The handle as C functions take it. */
    public function pointer(): CData
    {
        return $this->pointer ?? throw new Unavailable('This libtfa handle is closed: open another.');
    }

    public function __destruct()
    {
        [$pointer, $this->pointer] = [$this->pointer, null];
        Library::ffi()->tfa_close($pointer);
    }
}
