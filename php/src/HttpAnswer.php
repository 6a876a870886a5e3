<?php
/* What to send back for a request that was given to Tfa::http. */
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
