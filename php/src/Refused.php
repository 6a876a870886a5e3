<?php
/* The request was understood and refused: change the request. */
declare(strict_types=1);

namespace TFA;

final class Refused extends TfaError
{
}
