# Drop-in for Pass::OTP: the same functions over libtfa. Returns what the original returns, except for the faults that Authen::TFA::Dropins lists.
package Pass::OTP;

require 5.016;
use strict;
use warnings;

use Authen::TFA ();
use Authen::TFA::Dropin ();
use Exporter 'import';

our $VERSION   = '1.9';
our @EXPORT_OK = qw(otp hotp totp);

my $STEAM = '23456789BCDFGHJKMNPQRTVWXY';

sub hotp {
    my %options = ( counter => 0, digits => 6, algorithm => 'sha1', @_ );
    my $digits = $options{digits};
    _croak('digits is not a positive whole number') if !defined $digits || $digits !~ /\A[0-9]+\z/ || $digits < 1;
    my $number = _number(%options);
    return _spelled( $number, $digits, $options{chars} ) if defined $options{chars} && length $options{chars};
    return substr sprintf( '%0*d', $digits, $number ), -$digits;
}

sub totp {
    my %options = ( 'start-time' => 0, period => 30, now => time, @_ );
    my $step = int( ( $options{now} - $options{'start-time'} ) / $options{period} );
    return hotp( %options, counter => $step );
}

# Without options, they are read from an otpauth URI on standard input. Steam's codes are based on time, whatever the type is.
sub otp {
    my %options = ( type => 'hotp', @_ ? @_ : _options_on_standard_input() );
    return totp( %options, digits => 5, chars => $STEAM ) if defined $options{issuer} && $options{issuer} =~ /^Steam/i;
    my $type = defined $options{type} ? $options{type} : '';
    return $type eq 'totp' ? totp(%options) : $type eq 'hotp' ? hotp(%options) : '';
}

sub _options_on_standard_input {
    my $uri = <STDIN>;
    _croak('There is no otpauth URI on standard input') if !defined $uri || $uri !~ m{\Aotpauth://};
    chomp $uri;
    require Pass::OTP::URI;
    return Pass::OTP::URI::parse($uri);
}

# A number in characters of an alphabet, the least significant first.
sub _spelled {
    my ( $number, $length, $alphabet ) = @_;
    my $code = '';
    for ( 1 .. $length ) {
        $code .= substr $alphabet, $number % length $alphabet, 1;
        $number = int( $number / length $alphabet );
    }
    return $code;
}

# The 31-bit number that the digits come from: ten digits show all of it.
sub _number {
    my (%options) = @_;
    my $bits    = _algorithm( $options{algorithm} );
    my $key     = _key(%options);
    my $counter = defined $options{counter} ? $options{counter} : 0;
    if ( $bits == 224 || $bits == 384 ) {    # which libtfa does not compute
        require Digest::SHA;
        my $hmac = Digest::SHA->can("hmac_sha$bits")->( Authen::TFA::Dropin::message($counter), $key );
        return Authen::TFA::Dropin::truncated($hmac);
    }
    my @algorithm = $bits == 1 ? () : ( algorithm => "SHA$bits" );
    return 0 + Authen::TFA::hotp( key => $key, counter => Authen::TFA::Dropin::number($counter), digits => 10, @algorithm );
}

# As URIs write it (SHA256), as the original writes it (sha256), or inside a longer name (HmacSHA256).
sub _algorithm {
    my ($name) = @_;
    return 1 if !defined $name || $name eq '';
    my ($bits) = $name =~ /sha-?(1|224|256|384|512)(?![0-9])/i;
    _croak('The algorithm is not SHA1, SHA224, SHA256, SHA384 or SHA512') if !$bits;
    return $bits;
}

sub _key {
    my (%options) = @_;
    my $secret = $options{secret};
    _croak('There is no secret') if !defined $secret || $secret eq '';
    return pack 'H*', $secret if !$options{base32};
    ( my $plain = $secret ) =~ tr/ //d;
    _croak('There is no secret') if $plain eq '';
    _croak('Data contains non-base32 characters') if $plain !~ /\A[A-Za-z2-7]+\z/;
    my $key = Authen::TFA::Dropin::decode_base32($plain);
    _croak('Length of data invalid, or padding bits are not all zero') if !defined $key;
    return $key;
}

sub _croak { goto &Authen::TFA::Dropin::croak }

1;
