# Drop-in for the panel's code generator. The account's name and the issuer are not needed for a code, and may be empty.
#     my $code = Cpanel::Security::Authn::TwoFactorAuth::Google->new( { account_name => $name, secret => $base32, issuer => $issuer } )->generate_code;
package Cpanel::Security::Authn::TwoFactorAuth::Google;

require 5.016;
use strict;
use warnings;

use Authen::TFA ();
use Authen::TFA::Dropin ();

our $VERSION = '0.1.0';

sub new {
    my ( $class, $options ) = @_;
    _croak('new takes a hash reference with account_name, secret and issuer') if ref $options ne 'HASH';
    _croak('The parameter "secret" is required.') if !defined $options->{secret} || !length $options->{secret};
    return bless {%$options}, $class;
}

# Returns the code of the present time step: six digits.
sub generate_code {
    my ($self) = @_;
    return Authen::TFA::totp( secret => $self->{secret} );
}

sub _croak { goto &Authen::TFA::Dropin::croak }

1;
