# Drop-in for the panel's WHM API 1 module: every twofactorauth_ function, in the panel's calling convention.
#     my $data = Whostmgr::API::1::TwoFactorAuth::twofactorauth_policy_status( \%args, $metadata );
# The caller is REMOTE_USER. $metadata, a hash or an object with set_ok and set_not_ok, receives the outcome; the data is returned on success.
package Whostmgr::API::1::TwoFactorAuth;

require 5.016;
use strict;
use warnings;

use Authen::TFA::Panel ();

our $VERSION = '0.1.0';

for my $function ( grep { /^twofactorauth_/ } Authen::TFA::function_names('whm') ) {
    no strict 'refs';
    *$function = sub { return Authen::TFA::Panel::whm( $function, @_ ) };
}

1;
