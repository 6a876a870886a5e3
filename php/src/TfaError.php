<?php
/*
 * The base of everything that libtfa could not or would not do.
 *
 * Promises: the message tells the caller what to do and never carries a secret or a code; neither does the stack trace.
 */
declare(strict_types=1);

namespace TFA;

class TfaError extends \RuntimeException
{
    private const STORE_AWAY = 'The two-factor authentication data is not available';

    /** The function that was called, or '' where there is none. */
    public readonly string $command;

    final public function __construct(string $reason, string $command = '')
    {
        parent::__construct($reason);
        $this->command = $command;
        $this->forgetArguments();
    }

    /** SensitiveParameter does not reach the named arguments of __call, so the trace of these goes without any. */
    private function forgetArguments(): void
    {
        $frames = array_map(fn (array $frame) => array_diff_key($frame, ['args' => null]), $this->getTrace());
        (new \ReflectionProperty(\Exception::class, 'trace'))->setValue($this, $frames);
    }

    /** The library's own sentence: the contract's table of reasons. */
    public function reason(): string
    {
        return $this->getMessage();
    }

    /** The exception for a reason that came from the library. */
    public static function from(string $reason, string $command = ''): self
    {
        return str_starts_with($reason, self::STORE_AWAY)
            ? new Unavailable($reason, $command)
            : new Refused($reason, $command);
    }
}
