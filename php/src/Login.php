<?php
/* The result of Tfa::loginResult. Only the positive ones accept the login. */
declare(strict_types=1);

namespace TFA;

enum Login: int
{
    case Verified = 1;
    case NotRequired = 2;
    case Denied = 0;
    case Locked = -1;
    case Unanswered = -2;

    public function isAccepted(): bool
    {
        return $this->value > 0;
    }
}
