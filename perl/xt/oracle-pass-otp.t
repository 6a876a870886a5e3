# Pass::OTP, Pass::OTP::URI and their drop-ins return the same results for 5,000 random calls of each function, apart from the corrected faults.
use strict;
use warnings;

use lib 'xt/lib';
use Oracle;
use Scalar::Util ();
use Test::More;

my $CALLS = 5_000;
my $seed  = $ENV{TFA_SEED} || time;
srand $seed;
note "TFA_SEED=$seed";

my @hex    = ( 0 .. 9, 'a' .. 'f', 'A' .. 'F' );
my @base32 = ( 'A' .. 'Z', 2 .. 7 );
my %values = (
    secret => [
        ( map { chars( 2 * pick( 1 .. 70 ), @hex ) } 1 .. 200 ),
        ( map { chars( pick( 8, 16, 24, 32, 64 ), @base32 ) } 1 .. 200 ),
        ( map { lc chars( 16, @base32 ) } 1 .. 20 ),
        ( map { chars( pick( 1 .. 20 ), @base32, ' ' ) } 1 .. 50 ),
        ( 'abcde', 'xyzw', 'ab cd', 'GEZD GNBV', 'GEZD-GNBV', 'GEZDGNBV====', "GEZDGNBV\n", '0189', '', undef, "\x{100}a", "\xe9" ) x 3
    ],
    base32       => [ 0, 1, 1, 1, '', undef, 2 ],
    algorithm    => [ ( 'sha1', 'sha256' ) x 4, 'sha224', 'sha384', 'sha512', 'SHA1', 'SHA256', 'SHA512', 'Sha256', 'SHA-1', 'SHA-256', 'HmacSHA256', 'hmacsha256', 'md5', 'sha2', 'sha3', '', undef ],
    counter      => [ ( map { int rand 2**32 } 1 .. 30 ), ( map { int rand 2**53 } 1 .. 10 ), 0, 1, '7', '1e3', 2**32, 1 << 62, -1, 1.5, 'abc', '', '0x10', 2**64, undef ],
    digits       => [ (6) x 10, 1 .. 12, '6', '08', 0, -1, 'abc', '', undef, 6.5 ],
    period       => [ (30) x 12, 1, 60, 7.3, 29.5, '30', 1e10, 0, -30, 'abc', '', undef ],
    'start-time' => [ (0) x 8, 30, 1.5, -30, 1111111109, 2 * Oracle::NOW, 'abc', '', undef ],
    now          => [ ( map { int rand 2**33 } 1 .. 30 ), 0, 1, 29, 30, 59.9, '59', 1e10, -1, -31, 'abc', '', undef ],
    type         => [ ( 'totp', 'hotp' ) x 4, 'TOTP', '', 'nonsense', undef ],
    issuer       => [ 'Example', 'Steam', 'steam', 'Steam%20Guard', 'ASteam', '', undef ],
    unknown      => [1],
);
my @words = ( 'a', 'b c', 'Example:user', 'a:b:c', ':x', 'x:', '', 'x/y', '%3A%20', 'x@y.z', "\x{263a}", 'x=y', 'x&y', "a\nb", '0' );
my @names = ( keys %values, '', 'a%3Db', 'label', 'type' );

sub options {
    my ( $chance, @always ) = @_;
    my %options = map { $_ => pick( @{ $values{$_} } ) } @always, grep { rand() < $chance } sort keys %values;
    $options{base32} = 1 if $options{secret} && $options{secret} =~ /\A[A-Z2-7]+\z/ && $options{secret} =~ /[G-Z]/ && rand() < 0.9;
    return %options;
}

sub uri {
    my $pair = sub { my $name = pick(@names); return pick( "$name=" . pick( 'x', '', 'a=b', '%41', 'A+B', 0, 6, 'GEZDGNBVGY3TQOJQ' ), $name, '' ) };
    return pick(
        ( 'otpauth://' . pick( 'totp', 'totp', 'hotp', 'TOTP', 'steam', '' ) . '/' . pick(@words) . pick( '?', '?', '?', '' ) . join '&', map { $pair->() } 1 .. pick( 0 .. 5 ) ) x 8,
        'otpauth://totp/ACME:john.doe@email.com?secret=HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ&issuer=ACME&digits=6',
        undef, '', 'garbage', 'http://x/y?z=1', ' otpauth://totp/x?y=z', "otpauth://totp/x?y=z\n", "otpauth://totp/x?y=z\nq=r"
    );
}

# A call with little set shows the defaults; one with much shows how options meet.
my %arguments = (
    hotp  => sub { [ options( pick( 0.1, 0.3 ), 'secret', 'counter' ) ] },
    totp  => sub { [ options( pick( 0.1, 0.3 ), 'secret', 'now' ) ] },
    otp   => sub { [ options( pick( 0.1, 0.3 ), 'secret', 'type' ) ] },
    parse => sub { [ uri() ] },
    otp_of_parse => sub { [ "otpauth://totp/x?secret=" . chars( 16, @base32 ) . pick( '', '&digits=8', '&period=60', '&issuer=Steam', '&algorithm=sha256', '&algorithm=SHA1' ) ] },
);
my @functions = sort keys %arguments;
my @cases = map { my $function = $_; map { { new => [], calls => [ [ $function, @{ $arguments{$function}->() } ] ] } } 1 .. $CALLS } @functions;

sub load {
    require Pass::OTP;
    require Pass::OTP::URI;
    Pass::OTP->import(qw(otp hotp totp));
    Pass::OTP::URI->import('parse');
}

sub perform {
    my ($case) = @_;
    my ( $function, @arguments ) = @{ $case->{calls}[0] };
    no strict 'refs';
    return Oracle::outcome( sub { return { parse(@arguments) } } ) if $function eq 'parse';
    return Oracle::outcome( sub { return otp( parse(@arguments) ) } ) if $function eq 'otp_of_parse';
    return Oracle::outcome( sub { return &$function(@arguments) } );
}

# ---------------------------------------------------------------- the corrected faults, as Authen::TFA::Dropins lists them

my $dies  = sub { exists $_[0]{died} };
my $lives = sub { exists $_[0]{value} };

sub corrected {
    my ( $case, $call, $theirs ) = @_;
    my ( $function, @arguments ) = @$call;
    return if $function !~ /\A(?:otp|hotp|totp)\z/;
    my %o = ( counter => 0, digits => 6, algorithm => 'sha1', 'start-time' => 0, period => 30, now => Oracle::NOW, type => 'hotp', @arguments );
    $o{$_} = defined $o{$_} ? $o{$_} : '' for keys %o;
    my $steam = $function eq 'otp' && $o{issuer} && $o{issuer} =~ /^Steam/i;
    my $type = $steam ? 'totp' : $function eq 'otp' ? $o{type} : $function;
    return if $type ne 'hotp' && $type ne 'totp';    # nothing is computed
    no warnings 'numeric';
    return if $type eq 'totp' && $o{period} == 0;    # dies in both

    # first everything that ours refuses: it names one of several faults
    return 'no secret is refused', $dies if $o{base32} ? $o{secret} =~ /\A *\z/ : $o{secret} eq '';
    return 'digits that are no positive whole number are refused', $dies if !$steam && $o{digits} !~ /\A[0-9]+\z/ || !$steam && $o{digits} < 1;
    my ($bits) = $o{algorithm} eq '' ? 1 : $o{algorithm} =~ /sha-?(1|224|256|384|512)(?![0-9])/i;
    return 'an unknown algorithm is refused', $dies if !$bits;
    my $counter = $type eq 'totp' ? int( ( $o{now} - $o{'start-time'} ) / $o{period} ) : $o{counter};
    $counter = 0 if $type eq 'hotp' && exists { @arguments }->{counter} && !defined { @arguments }->{counter};
    return 'a counter or time step outside 0 to 2**64-1 is refused', $dies
        if !( Scalar::Util::looks_like_number($counter) && $counter >= 0 && $counter < 2**64 && $counter == int $counter );
    return if exists $theirs->{died};
    return 'the algorithm is taken as URIs write it', $lives if $bits != 1 && $o{algorithm} !~ /sha$bits/;
    return 'the longer hashes have the blocks of RFC 2104', $lives if $bits == 384 || $bits == 512;
    return;
}

my $theirs = answers( 'original', \&load, \&perform, \@cases );
my $ours   = answers( 'dropin',   \&load, \&perform, \@cases );
my ( $count, $faults, $different ) = compare( \@cases, $theirs, $ours, \&corrected );
for my $function (@functions) {
    cmp_ok $count->{$function}, '>=', $CALLS, "$function: $count->{$function} calls";
}
note "$faults->{$_} calls ran into: $_" for sort keys %$faults;
is scalar @$different, 0, 'every answer is the same, or the fault is corrected' or diag join "\n", "TFA_SEED=$seed", grep { defined } @{$different}[ 0 .. 9 ];
my $codes = grep { exists $_->[0]{value} && defined $_->[0]{value}[0] && $_->[0]{value}[0] =~ /\A[0-9]{6}\z/ } @$ours;
cmp_ok $codes, '>', $CALLS, "$codes codes were computed: the comparison is not empty";

done_testing;
