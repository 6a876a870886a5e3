<?php
/* The configuration given to Tfa::open is wrong, what it names cannot be used, or the library cannot be loaded. */
declare(strict_types=1);

namespace TFA;

final class ConfigError extends TfaError
{
}
