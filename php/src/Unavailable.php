<?php
/* The library cannot answer, because the store is not available for example: deny the login. */
declare(strict_types=1);

namespace TFA;

final class Unavailable extends TfaError
{
}
