<?php
/* The question was understood and the answer is no: change the request. */
declare(strict_types=1);

namespace TFA;

final class Refused extends TfaError
{
}
