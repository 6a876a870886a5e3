# Auth::GoogleAuth and its drop-in return the same results for 5,000 random calls of each public method, apart from the corrected faults.
use strict;
use warnings;

use lib 'xt/lib';
use Authen::TFA::Dropin ();
use Oracle;
use Test::More;

my $CALLS = 5_000;
my $seed  = $ENV{TFA_SEED} || time;
srand $seed;
note "TFA_SEED=$seed";

my @base32 = ( 'a' .. 'z', 2 .. 7 );
my @bytes  = map { chr } 0 .. 255;

# What the arguments are picked from: ordinary values, and the edges.
my @secret32 = (
    ( map { chars( pick( 16, 16, 24, 32, 8, 40 ), @base32 ) } 1 .. 400 ),
    ( map { uc chars( 16, @base32 ) } 1 .. 50 ),
    ( map { chars( 16, @base32, map { uc } @base32 ) } 1 .. 50 ),
    ( map { chars( pick( 1 .. 40 ), @base32 ) } 1 .. 50 ),
    ( map { chars( 8, @base32, qw(1 0 8 =), ' ', '-' ) } 1 .. 50 ),
    ( undef, undef, 0, '' ) x 40, "bv5o3disbutz4tl3\n", "bv5o3disbutz4tl\x{100}", 'Z' x 104, map { 'a' x $_ } 1 .. 8
);
my @secret = ( ( map { chars( pick( 1 .. 40 ), @bytes ) } 1 .. 200 ), ( 'some secret string thing', undef, '', '0', '1', 'x' x 100, "\x{263a}" ) x 8 );
my @timestamp = (
    ( map { int rand 2**32 } 1 .. 100 ),
    ( undef, 0, '', 1, 29, 30, 59, 59.9, '1438643820', '1438643820.5', "1438643820\n", '12abc', 'abc', 1e10, 30 * 2**32, 2**53, -1, -29, -30, -31, -1000, 2**62, 2**63, 2**64, 1e30 ) x 2
);
my @interval = ( ( 30, undef ) x 12, 0, '', 1, 60, 7, 7.3, 0.5, 29.5, '60', '30abc', -30, 1e10, 2**31 );
my @range = ( ( 0, 1, 2 ) x 12, undef, '', '1', '01', 3, 9, 10, 11, 12, 25, 1.5, -1, '-0', 'abc', '1e1', ' 1', "1\n", '+1' );
my @text = ( ( map { chars( 12, @bytes ) } 1 .. 100 ), ( 'Example', 'Example Hosting', 'a:b/c?d&e=f%g', "caf\xe9", "caf\xc3\xa9", undef, undef, '', 0, join( '', map { chr } 32 .. 126 ), "\x{263a}" ) x 10 );
my @code = ( '000000', '123456', '', undef, 'abcdef', '12345', '1234567', ' 123456', "123456\n", 123456, 1 );

my %arguments = (
    secret   => sub { pick( [], [ pick(@secret) ], [undef] ) },
    secret32 => sub { pick( [], [ pick(@secret32) ] ) },
    issuer   => sub { pick( [], [ pick(@text) ] ) },
    key_id   => sub { pick( [], [ pick(@text) ] ) },
    otpauth  => sub { pick( [], ['otpauth://totp/x?secret=y'], ['!'] ) },
    get      => sub { pick( ['secret'], [ 'issuer', 'key_id' ], ['unknown'] ) },
    set      => sub { pick( [ 'issuer', pick(@text) ], [ 'unknown', 1 ], [ 'unknown', 'a', 'b' ] ) },
    new      => sub { [] },
    clear    => sub { [] },
    generate_secret32 => sub { [] },
    code    => sub { my @a = ( pick(@secret32), pick(@timestamp), pick(@interval) ); [ @a[ 0 .. pick( -1 .. 2 ) ] ] },
    verify  => sub { my @a = ( pick( [ code => pick( -3 .. 3 ) ], pick(@code) ), pick(@range), pick(@secret32), pick(@timestamp), pick(@interval) ); [ @a[ 0 .. pick( 0 .. 4 ) ] ] },
    qr_code => sub { [ pick(@secret32), pick(@text), pick(@text), pick( 1, 1, 1, 0, undef ) ] },
);
my @methods = grep { $_ ne 'new' } sort keys %arguments;

sub constructor {
    my %fields;
    $fields{secret}   = pick(@secret)   if rand() < 0.5;
    $fields{secret32} = pick(@secret32) if rand() < 0.3;
    $fields{issuer}   = pick(@text)     if rand() < 0.5;
    $fields{key_id}   = pick(@text)     if rand() < 0.5;
    $fields{extra}    = 'kept'     if rand() < 0.1;
    return pick( [ \%fields ], [ \%fields ], [ \%fields ], [ \%fields ], [], [undef] );
}

# The first call of each case is of the method whose turn it is; more follow on the same object.
my @cases = map {
    my $method = $_;
    map { { class => pick( 'Auth::GoogleAuth', 'Auth::GoogleAuth', 'My::Auth' ), new => constructor(), calls => [ map { [ $_, @{ $arguments{$_}->() } ] } $method, map { pick(@methods) } 0 .. pick( -1 .. 2 ) ] } } 1 .. $CALLS
} @methods, 'new';

sub load {
    require Auth::GoogleAuth;
    package My::Auth;    # overrides what applications override, and calls SUPER::
    no warnings 'once';
    our @ISA = 'Auth::GoogleAuth';
    *secret32 = sub { my $self = shift; return $self->SUPER::secret32(@_) };
    *verify   = sub { my $self = shift; return 'v' . $self->SUPER::verify(@_) };
    *code     = sub { my $self = shift; return $self->SUPER::code(@_) };
}

sub perform {
    my ($case) = @_;
    my $object = $case->{class}->new( map { ref $_ ? {%$_} : $_ } @{ $case->{new} } );
    my @answers;
    for my $call ( @{ $case->{calls} } ) {
        my ( $method, @arguments ) = @$call;
        push @answers, { value => [ ref $object ], object => Oracle::plain( {%$object} ) } and next if $method eq 'new';
        # a code that is valid, some steps away, from the module under test, as from an authenticator with the secret
        if ( $method eq 'verify' && ref $arguments[0] ) {
            my ( $away, undef, $secret32, $timestamp, $interval ) = ( $arguments[0][1], @arguments[ 1 .. 4 ] );
            my $other = Auth::GoogleAuth->new( {%$object} );
            no warnings;
            $arguments[0] = eval { $other->code( $secret32, ( $timestamp || Oracle::NOW ) + $away * ( $interval || 30 ), $interval ) };
        }
        my $answer = Oracle::outcome( sub { $object->$method(@arguments) } );
        # random by nature: what can be compared is its form
        if ( $method eq 'generate_secret32' ) {
            $_ =~ /\A[a-z2-7]{16}\z/ and $_ = 'aaaaaaaaaaaaaaaa' for @{ $answer->{value} };
            $object->{secret32} = 'aaaaaaaaaaaaaaaa';
        }
        $answer->{object} = Oracle::plain( {%$object} );
        push @answers, $answer;
    }
    return @answers;
}

# ---------------------------------------------------------------- the corrected faults, as Authen::TFA::Dropins lists them

my $dies    = sub { exists $_[0]{died} };
my $lives   = sub { exists $_[0]{value} };
my %takes32 = map { $_ => 1 } qw(code verify qr_code);

sub decodes {
    my ($secret32) = @_;
    return defined Authen::TFA::Dropin::decode_base32($secret32) ? 1 : 0;
}

sub corrected {
    my ( $case, $call, $theirs, $before ) = @_;
    my ( $method, @arguments ) = @$call;
    my %object = %$before ? %$before : %{ $case->{new}[0] || {} };
    my $no_bytes = !$object{secret32} && ( defined $object{secret} ? $object{secret} : '' ) =~ /[^\x00-\xff]/;    # a secret that is no bytes
    if ( $method eq 'otpauth' ) {
        return 'otpauth makes what qr_code has not made yet', $no_bytes ? $dies : $lives
            if !@arguments && !defined $object{otpauth} && ( $object{secret32} || $object{secret} );
        return;
    }
    return if !$takes32{$method};
    return if $method eq 'verify' && ( $arguments[1] || 0 ) !~ /^[0-9]+$/;    # croaks first, in both
    my $given = $arguments[ $method eq 'verify' ? 2 : 0 ];
    my ( $timestamp, $interval ) = $method eq 'qr_code' ? ( 1, 1 ) : @arguments[ $method eq 'verify' ? ( 3, 4 ) : ( 1, 2 ) ];
    my $secret32 = $given || $object{secret32};

    if ( $method ne 'qr_code' ) {
        no warnings 'numeric';
        $timestamp ||= NOW;
        $interval  ||= 30;
        my $range    = $method eq 'verify' ? $arguments[1] || 0 : 0;
        my @moments  = map { $timestamp + $_ * $interval } -$range .. $range;
        my $verdict  = sub { exists $_[0]{died} || $_[0]{value}[0] =~ /\Av?[01]\z/ };
        return 'a moment without a time step has no code', $method eq 'code' ? $dies : $verdict
            if grep { my $step = int( $_ / $interval ); $step < 0 || $step >= 2**64 } @moments;
        return 'a moment of exactly 0 in the window is not taken for now', $verdict if $method eq 'verify' && grep { $_ == 0 } @moments;
    }
    return if !$given && $no_bytes;    # dies in both
    if ( !$secret32 && !$object{secret} ) {
        return 'nothing is verified against a secret made up for the purpose', $dies if $method eq 'verify';
        return 'a code without a secret makes one and keeps it', sub { $_[0]{value}[0] =~ /\A[0-9]{6}\z/ && $_[0]{object}{secret32} =~ /\A[a-z2-7]{16}\z/ } if $method eq 'code';
        return 'a QR code is a picture, not a request to a third party', sub { ( $_[0]{value}[0] || '' ) =~ /^(?:data:image|otpauth:)/ || exists $_[1]{died} };
    }
    return 'a secret32 that does not decode is refused', $dies if $secret32 && !decodes($secret32) && ( $given || $method ne 'qr_code' );
    if ( $method eq 'qr_code' ) {
        return 'wide characters are escaped as UTF-8', sub { exists $_[0]{value} } if exists $theirs->{died};
        return 'a QR code is a picture, not a request to a third party', sub { ( $_[0]{value}[0] || '' ) =~ m{^data:image/png;base64,} } if !$arguments[3];
        return;
    }
    return;
}

my $theirs = answers( 'original', \&load, \&perform, \@cases );
my $ours   = answers( 'dropin',   \&load, \&perform, \@cases );
my ( $count, $faults, $different ) = compare( \@cases, $theirs, $ours, \&corrected );
for my $method ( 'new', @methods ) {
    cmp_ok $count->{$method}, '>=', $CALLS, "$method: $count->{$method} calls";
}
note "$faults->{$_} calls ran into: $_" for sort keys %$faults;
is scalar @$different, 0, 'every answer is the same, or the fault is corrected' or diag join "\n", "TFA_SEED=$seed", grep { defined } @{$different}[ 0 .. 9 ];
my $verified = grep { grep { exists $_->{value} && defined $_->{value}[0] && $_->{value}[0] eq '1' } @$_ } @$ours;
cmp_ok $verified, '>', 500, "$verified codes were valid: the comparison is not empty";

done_testing;
