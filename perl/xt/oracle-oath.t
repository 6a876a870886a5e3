# Authen::OATH and its drop-in return the same results for 5,000 random calls of each public method, apart from the corrected faults.
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

my @bytes  = map { chr } 0 .. 255;
my @hex    = ( 0 .. 9, 'a' .. 'f', 'A' .. 'F' );
my @secret = (
    ( map { chars( pick( 1 .. 80 ), @bytes ) } 1 .. 300 ),
    ( map { chars( pick( 28 .. 70 ), @hex ) } 1 .. 200 ),
    ( '12345678901234567890', 'a' x 31, 'a' x 32, 'ab' x 16 . "\n", 'ab' x 16 . 'g', '0x' . 'ab' x 16, '0', "\0", "\x{e9}", '', undef, "\x{100}abc" ) x 6
);
my @counter = ( ( map { int rand 2**32 } 1 .. 100 ), ( map { int rand 2**53 } 1 .. 30 ), ( undef, 0, 1, '7', '1e3', '1.0', '007', 2**32, 1 << 62, '18446744073709549568', -1, 1.5, 'abc', '', '0x10', 2**64, '123456789012345678901234' ) x 2 );
my @time = ( ( map { int rand 2**33 } 1 .. 100 ), ( undef, 0, '', 1, 29, 30, 59.9, '59', '59.9', "59\n", 'abc', '12abc', 1e10, 30 * 2**32, -1, -29, -30, -31, 1e30 ) x 2 );
my @digits = ( ( 6, 8 ) x 6, 7, 9, 10, 11, 12, 20, '06', '8', 7.0, 0, 1, 5, -1, -6, 'abc', '', undef, 6.5, '+7', ' 7', "7\n", '1e1', '7.0', [] );
my @timestep = ( (30) x 12, 1, 60, 7, '30', 1e10, 0, -30, 0.5, 'abc', '', undef, [] );
my @digest = ( ('Digest::SHA') x 12, 'Digest::MD5', 'Digest::SHA1', 'Digest::SHA256', 'Digest::SHA512', 'Nope', '', undef, 'x y', [] );

my %arguments = (
    new      => sub { [] },
    digits   => sub { pick( [], [ pick(@digits) ] ) },
    timestep => sub { pick( [], [ pick(@timestep) ] ) },
    digest   => sub { pick( [], [ pick(@digest) ] ) },
    hotp     => sub { pick( ( [ pick(@secret), pick(@counter) ] ) x 9, [ pick(@secret) ], [] ) },
    totp     => sub { pick( ( [ pick(@secret), pick(@time) ] ) x 9, [ pick(@secret) ], [] ) },
);
my @methods = sort keys %arguments;

sub constructor {
    my %fields;
    $fields{digits}   = pick(@digits)   if rand() < 0.3;
    $fields{timestep} = pick(@timestep) if rand() < 0.2;
    $fields{digest}   = pick(@digest)   if rand() < 0.2;
    $fields{unknown}  = 1               if rand() < 0.1;
    return pick( ( [%fields] ) x 4, [ \%fields ], [], ['odd'], [ digits => 8, 'odd' ] );
}
my @cases = map {
    my $method = $_;
    map { { class => pick( 'Authen::OATH', 'Authen::OATH', 'My::OATH' ), new => constructor(), calls => [ map { [ $_, @{ $arguments{$_}->() } ] } 'new', $method, map { pick( grep { $_ ne 'new' } @methods ) } 0 .. pick( -1 .. 2 ) ] } } 1 .. $CALLS
} @methods;

sub load {
    require Authen::OATH;
    package My::OATH;
    no warnings 'once';
    our @ISA = 'Authen::OATH';
    *totp = sub { my $self = shift; return 'T' . $self->SUPER::totp(@_) };
    *hotp = sub { my ( $self, $secret, @more ) = @_; return 'H' . $self->SUPER::hotp( $secret, @more ) };
}

sub perform {
    my ($case) = @_;
    my $object;
    my @answers;
    for my $call ( @{ $case->{calls} } ) {
        my ( $method, @arguments ) = @$call;
        my $answer = $method eq 'new'
            ? Oracle::outcome( sub { $object = $case->{class}->new( @{ $case->{new} } ); return ref $object } )
            : Oracle::outcome( sub { $object->$method(@arguments) } );
        $answer->{object} = Oracle::plain( { map { $_ => $object->{$_} } qw(digits digest timestep) } ) if $object;
        push @answers, $answer;
        last if !$object;
    }
    return @answers;
}

# ---------------------------------------------------------------- the corrected faults, as Authen::TFA::Dropins lists them

my $dies  = sub { exists $_[0]{died} };
my $lives = sub { exists $_[0]{value} && $_[0]{value}[0] =~ /\A[TH]?[0-9]+\z/ };

# Whether it counts something: a whole number from 0 to 2**64-1.
my $counts = sub {
    my ($number) = @_;
    no warnings 'numeric';
    return Scalar::Util::looks_like_number($number) && $number >= 0 && $number < 2**64 && $number == int $number;
};

sub corrected {
    my ( $case, $call, $theirs, $before ) = @_;
    my ( $method, $secret, $number ) = @$call;
    return 'an odd list is refused', $dies if $method eq 'new' && @{ $case->{new} } == 3;
    return if $method ne 'hotp' && $method ne 'totp';
    my ( $digits, $digest, $timestep ) = @{$before}{qw(digits digest timestep)};
    return if $digits < 6 || !$timestep && $method eq 'totp';
    no warnings 'numeric';
    if ( $method eq 'totp' ) {
        $number = int( ( $number || NOW ) / $timestep );
    }
    elsif ( !defined $number ) {
        $number = 0;
    }
    return 'no secret is refused', $dies if !defined $secret || $secret eq '';
    return 'a digest by the name of SHA-1, SHA-256 or SHA-512 computes', $counts->($number) && $secret !~ /[^\x00-\xff]/ ? $lives : $dies if $digest =~ /\ADigest::SHA(?:1|256|512)\z/;
    return if $digest !~ /\ADigest::(?:SHA|MD5)\z/ || $secret =~ /[^\x00-\xff]/;    # dies in both
    return 'a counter or time step outside 0 to 2**64-1 is refused', $dies if !$counts->($number);
    return;
}

my $theirs = answers( 'original', \&load, \&perform, \@cases );
my $ours   = answers( 'dropin',   \&load, \&perform, \@cases );
my ( $count, $faults, $different ) = compare( \@cases, $theirs, $ours, \&corrected );
for my $method (@methods) {
    cmp_ok $count->{$method}, '>=', 0.5 * $CALLS, "$method: $count->{$method} calls";
}
note "$faults->{$_} calls ran into: $_" for sort keys %$faults;
is scalar @$different, 0, 'every answer is the same, or the fault is corrected' or diag join "\n", "TFA_SEED=$seed", grep { defined } @{$different}[ 0 .. 9 ];
my $codes = grep { grep { exists $_->{value} && defined $_->{value}[0] && $_->{value}[0] =~ /\A[TH]?[0-9]{6,}\z/ } @$_ } @$ours;
cmp_ok $codes, '>', $CALLS, "$codes codes were computed: the comparison is not empty";

done_testing;
