# The drop-ins for Pass::OTP and Pass::OTP::URI: the calls of their manual pages, and each fault of the originals that is corrected.
# The expected values come from the RFCs and the originals; xt/oracle-pass-otp.t compares them at length.
use strict;
use warnings;

use lib 't/lib';
use Test::More;
use TestTFA;

BEGIN { dropin() }
use Pass::OTP 1.9 qw(otp hotp totp);
use Pass::OTP::URI 1.9 qw(parse);

like $INC{'Pass/OTP.pm'}, qr{/dropin/}, 'this is the drop-in';
my $hex = unpack 'H*', '12345678901234567890';
my $base32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

is hotp( secret => $hex, counter => 1 ), '287082', 'hexadecimal';
is hotp( secret => $base32, base32 => 1, counter => 1 ), '287082', 'Base32';
is hotp( secret => lc $base32, base32 => 1 ), '755224', 'in lower case; the counter is 0 by default';
is totp( secret => $hex, now => 59, digits => 8 ), '94287082', 'totp';
is totp( secret => $hex, now => 89, 'start-time' => 30 ), '287082', 'a start time';
is totp( secret => $hex, now => 119, period => 60 ), '287082', 'a period';
is otp( secret => $hex, type => 'totp', now => 59 ), '287082', 'otp by type';
is otp( secret => $hex, counter => 1 ), '287082', 'which is hotp by default';
is otp( secret => $hex, type => 'nonsense' ), '', 'another type gives nothing';
is otp( secret => $hex, type => 'totp', now => 59, issuer => 'Steam' ), 'PV9M4', 'Steam has an alphabet of its own';
is hotp( secret => $hex, counter => 3, algorithm => 'sha256' ), '496144', 'SHA-256';
is hotp( secret => $hex, counter => 3, algorithm => 'sha224' ), '303565', 'SHA-224';
is hotp( secret => $hex, counter => 2, digits => 12 ), '000137359152', 'twelve digits';
is hotp( secret => $hex, counter => 2, digits => 1 ), '2', 'one digit';

my $uri = "otpauth://totp/ACME:john.doe\@email.com?secret=$base32&issuer=AC%20ME&digits=6&foo=bar";
is_deeply { parse($uri) }, { type => 'totp', label => "ACME:john.doe\@email.com", secret => $base32, issuer => 'AC%20ME', digits => 6, foo => 'bar', base32 => 1 },
    'parse gives every parameter, escapes and all';
is otp( parse($uri), now => 59 ), '287082', 'which otp takes';
is_deeply { parse($_) }, { type => undef, label => undef, base32 => 1 }, 'no URI' for undef, '', 'http://example.com/', 'otpauth://totp/x';

# options of version 1.9
is totp( secret => $hex, now => 59, digits => 5, chars => '23456789BCDFGHJKMNPQRTVWXY' ), 'PV9M4', 'an alphabet';
is hotp( secret => $hex, counter => 1, digits => 8, chars => '01' ), reverse( sprintf '%b', 1094287082 & 255 ), 'the least significant character first';
{
    open my $input, '<', \"otpauth://hotp/x?secret=$base32&counter=1\n" or die $!;
    local *STDIN = $input;
    is otp(), '287082', 'without options, a URI on standard input';
    like thrown { otp() }, qr/^There is no otpauth URI on standard input at \Q$0\E/, 'or an error at its end';
}

# corrected faults
my $seed512 = unpack 'H*', '1234567890' x 6 . '1234';
is totp( secret => $seed512, now => 59, digits => 8, algorithm => 'sha512' ), '90693936', 'SHA-512 is that of RFC 6238';
is hotp( secret => $hex, counter => 3, algorithm => 'sha384' ), '317355', 'SHA-384 has the block size of RFC 2104';
is hotp( secret => $hex, counter => 3, algorithm => 'SHA256' ), '496144', 'SHA256 as URIs write it';
is otp( parse("otpauth://totp/x?secret=$base32&algorithm=SHA512"), now => 59 ), '342147', 'from a URI';
is hotp( secret => $hex, counter => 3, algorithm => 'SHA-256' ), '496144', 'or with a dash';
like thrown { hotp( secret => $hex, algorithm => 'md5' ) }, qr/^The algorithm is not SHA1, /, 'an unknown algorithm is refused';
like thrown { hotp( counter => 1 ) }, qr/^There is no secret at \Q$0\E/, 'so is no secret';
like thrown { hotp( secret => '', counter => 1 ) }, qr/^There is no secret at \Q$0\E/, 'or an empty one';
like thrown { hotp( secret => $hex, counter => $_ ) }, qr/^(?:hotp: )?The parameter "counter" is not valid/, "counter $_" for -1, 1.5, 'abc', '', 2**64;
like thrown { hotp( secret => $hex, digits => $_ ) }, qr/^digits is not a positive whole number/, 'digits' for 0, -1, 'abc', '', undef, 6.5;
for my $bad ( 'GEZ', 'G', 'GF', '1', "$base32\n", 'GEZD-GNBV', 'GEZDGNBV====' ) {
    my $error = thrown { hotp( secret => $bad, base32 => 1 ) };
    like $error, qr/^(?:Data contains non-base32 characters|Length of data invalid, or padding bits are not all zero) at \Q$0\E/, 'what is no Base32 is refused';
}

done_testing;
