<?php
/* The question could not be answered, because the store is away, say: keep the subject out. */
declare(strict_types=1);

namespace TFA;

final class Unavailable extends TfaError
{
}
