# Drop-in for Pass::OTP::URI: parses an otpauth URI into the options of Pass::OTP's functions.
# Percent-escapes are not decoded: callers do that, as with the original.
package Pass::OTP::URI;

require 5.016;
use strict;
use warnings;

use Exporter 'import';

our $VERSION   = '1.9';
our @EXPORT_OK = qw(parse);

sub parse {
    my ($uri) = @_;
    my ( $type, $label, $query ) = ( defined $uri ? $uri : '' ) =~ m{\Aotpauth://([ht]otp)/((?:[^:?]+:)?[^:?]+)\?(.*)};
    my %options = ( base32 => 1, type => $type, label => $label );
    for my $pair ( split /&/, defined $query ? $query : '' ) {
        my ( $name, $value ) = split /=/, $pair, -1;
        $options{ defined $name ? $name : '' } = $value;
    }
    return %options;
}

1;
