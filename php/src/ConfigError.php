<?php
/* The configuration is not valid, what it names cannot be used, or the library cannot be loaded. */
declare(strict_types=1);

namespace TFA;

final class ConfigError extends TfaError
{
}
