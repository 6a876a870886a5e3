# Drop-in for the panel's code generator.
#     my $code = Cpanel::Security::Authn::TwoFactorAuth::Google->new( { account_name => $name, secret => $base32, issuer => $issuer } )->generate_code;
package Cpanel::Security::Authn::TwoFactorAuth::Google;

require 5.016;
use strict;
use warnings;

use Authen::TFA ();

our $VERSION = '0.1.0';

sub new {
    my ( $class, $options ) = @_;
    _croak('new takes a hash reference with account_name, secret and issuer') if ref $options ne 'HASH';
    for my $name (qw(account_name secret)) {
        _croak(qq{The parameter "$name" is required.}) if !defined $options->{$name} || !length $options->{$name};
    }
    return bless {%$options}, $class;
}

# The code of this moment: six digits.
sub generate_code {
    my ($self) = @_;
    return Authen::TFA::totp( secret => $self->{secret} );
}

sub _croak {
    require Carp;
    Carp::croak(@_);
}

1;
