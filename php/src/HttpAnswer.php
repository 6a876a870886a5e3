<?php
/* The answer to a request that was passed to Tfa::http. */
declare(strict_types=1);

namespace TFA;

final class HttpAnswer
{
    public function __construct(
        public readonly int $status,
        public readonly string $contentType,
        public readonly string $body,
    ) {
    }
}
