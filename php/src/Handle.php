<?php
/*
 * Owns the C handle. Every call in progress holds a reference, so that it is closed when the last of
 * them is gone, and never under a call (the account lookup runs PHP code inside one).
 *
 * When a program ends, PHP calls the destructors of all objects that are left, whoever still refers to them: a destructor that
 * runs later finds the handle closed.
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

    /** What C knows it by. */
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
