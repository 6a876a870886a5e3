# Drop-in for the panel's UAPI module: every function of TwoFactorAuth, in the panel's calling convention.
#     Cpanel::API::TwoFactorAuth::set_user_configuration( $args, $result ) or ...
# Authen::TFA::Panel defines who the caller is. $args and $result are any objects with the panel's methods; 1 is success, 0 failure.
package Cpanel::API::TwoFactorAuth;

require 5.016;
use strict;
use warnings;

use Authen::TFA::Panel ();

our $VERSION = '0.1.0';

for my $function ( Authen::TFA::function_names('uapi') ) {
    no strict 'refs';
    *$function = sub { return Authen::TFA::Panel::uapi( $function, @_ ) };
}

1;
