<?php
/*
 * The base of every failure.
 *
 * Promises: the message tells the caller what to do. Neither it nor the stack trace contains a secret or a code.
 */
declare(strict_types=1);

namespace TFA;

class TfaError extends \RuntimeException
{
    /** The function that was called, or '' where there is none. */
    public readonly string $command;

    /** The library's stable code of the reason (docs/api.md, "Reason codes"), or '' where this package refuses. */
    public readonly string $reasonCode;

    final public function __construct(string $reason, string $command = '', string $reasonCode = '')
    {
        parent::__construct($reason);
        $this->command = $command;
        $this->reasonCode = $reasonCode;
        $this->removeArguments();
    }

    /** SensitiveParameter does not cover the named arguments of __call, so the trace has no arguments at all. */
    private function removeArguments(): void
    {
        $frames = array_map(fn (array $frame) => array_diff_key($frame, ['args' => null]), $this->getTrace());
        (new \ReflectionProperty(\Exception::class, 'trace'))->setValue($this, $frames);
    }

    /** The library's sentence (contract section 5). */
    public function reason(): string
    {
        return $this->getMessage();
    }

    /** The exception for a failure of the library. */
    public static function from(string $reason, string $reasonCode, string $command = ''): self
    {
        return $reasonCode === 'unavailable'
            ? new Unavailable($reason, $command, $reasonCode)
            : new Refused($reason, $command, $reasonCode);
    }
}
