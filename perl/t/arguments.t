# Wrong arguments are refused by the parameter's name, and never with a secret or a code in the message.
use strict;
use warnings;

use lib 't/lib';
use Test::More;
use TestTFA;
use Authen::TFA qw(:all);

{
    package Stringy;
    use overload '""' => sub { 'root' };
    sub new { bless [], shift }
}

my $tfa = open_tfa();
my $key = '12345678901234567890';
my $wide = "\x{263a}" x 20;
my $nul  = "topsecret\0code";

# What the Perl interface refuses is a mistake in the program, and croaks.
sub refuses(&$$) {
    my ( $code, $name, $why ) = @_;
    my $error = thrown { $code->() };
    $error = 'nothing was thrown' if !defined $error;
    like $error, qr/\AThe parameter "\Q$name\E" \Q$why\E/, "$name: $why";
    like $error, qr/ at \Q$0\E line [0-9]+\.\n\z/, 'at the line of the call';
    unlike $error, qr/topsecret|code\b.*\0/, 'without the value';
}

# What the library refuses is thrown with the library's reason.
sub library_refuses(&$$) {
    my ( $code, $name, $reason_code ) = @_;
    my $error = thrown { $code->() };
    isa_ok $error, 'Authen::TFA::Error', "$name: the exception" or return;
    is $error->reason_code, $reason_code, "$name: $reason_code";
    like $error->reason, qr/"\Q$name\E"/, 'the reason names the parameter';
    unlike $error->reason, qr/topsecret/, 'and does not contain the value';
}

my ( $required, $reference, $has_nul, $has_wide ) = ( 'is required.', 'is not valid: it is a reference', 'is not valid: it contains a NUL character', 'is not valid: it contains a wide character' );

# strings, in every method
refuses { $tfa->login(undef) } 'subject', $required;
refuses { $tfa->login( [], 1 ) } 'subject', $reference;
refuses { $tfa->login($nul) } 'subject', $has_nul;
refuses { $tfa->login( 'example', {} ) } 'code', $reference;
refuses { $tfa->login( 'example', $nul ) } 'code', $has_nul;
for my $method ( Authen::TFA::function_names('whm'), Authen::TFA::function_names('uapi') ) {
    refuses { $tfa->$method() } 'caller', $required;
    refuses { $tfa->$method($nul) } 'caller', $has_nul;
    refuses { $tfa->$method( \'root' ) } 'caller', $reference;
    refuses { $tfa->$method( 'root', secret => undef ) } 'secret', $required;
    refuses { $tfa->$method( 'root', secret => $nul ) } 'secret', $has_nul;
    refuses { $tfa->$method( 'root', { user => sub { } } ) } 'user', $reference;
    like thrown { $tfa->$method( 'root', 'user' ) }, qr/^\Q$method\E takes name => value pairs or one hash reference at \Q$0\E/, "$method: an odd list";
}
refuses { $tfa->twofactorauth_set_tfa_config_for_user( 'root', { example => { primary_account => { secret => undef } } } ) } 'secret', $required;
refuses { $tfa->whmapi1( 'root', undef ) } 'function', $required;
refuses { $tfa->uapi( 'root', undef, 'x' ) } 'module', $required;
refuses { $tfa->http( 'root', 'GET', undef ) } 'target', $required;
refuses { $tfa->http( 'root', undef, '/' ) } 'method', $required;
refuses { $tfa->http( 'root', 'POST', '/', $nul ) } 'body', $has_nul;
refuses { otpauth( account => undef ) } 'account', $required;
refuses { Authen::TFA::qr( text => $nul ) } 'text', $has_nul;
refuses { Authen::TFA->new( lookup => 'name' ) } 'lookup', 'is not valid: it is not a code reference';

# codes: the Perl interface checks the kinds of values, the library their content
refuses { hotp( key => $wide, counter => 1 ) } 'key', $has_wide;
refuses { hotp( key => undef, counter => 1 ) } 'key', $required;
refuses { hotp( secret => $nul, counter => 1 ) } 'secret', $has_nul;
refuses { hotp( key => $key, counter => undef ) } 'counter', $required;
refuses { hotp( key => $key, counter => \1 ) } 'counter', $reference;
refuses { verify( key => $key, code => undef ) } 'code', $required;
refuses { verify( key => $key, code => $nul ) } 'code', $has_nul;
refuses { verify( key => $key, code => 1, step => 1 ) } 'step', 'is not valid: it is not a reference to a variable';
refuses { verify( key => $key, code => 1, step => \1 ) } 'step', 'is not valid: it is not a reference to a variable';
refuses { base32_decode(undef) } 'text', $required;
library_refuses { hotp( key => '', counter => 1 ) } 'secret_hex', 'invalid_parameter';
library_refuses { hotp( key => 'x' x 1025, counter => 1 ) } 'secret_hex', 'invalid_parameter';
library_refuses { hotp( secret => 'topsecret1', counter => 1 ) } 'secret', 'invalid_parameter';
library_refuses { hotp( key => $key ) } 'counter', 'parameter_required';
library_refuses { verify( key => $key ) } 'code', 'parameter_required';
for my $number ( 'many', '', 1.5, -1, '-1', 2**64, '18446744073709551616', 9**9**9, -sin( 9**9**9 ) ) {
    library_refuses { hotp( key => $key, counter => $number ) } 'counter', 'invalid_parameter';
}
my %out_of_range = ( time => [ '', -1 ], period => [ 0, 2**32 ], digits => [ 0, 11 ], algorithm => ['MD5'] );
for my $name ( sort keys %out_of_range ) {
    library_refuses { totp( key => $key, $name => $_ ) } $name, 'invalid_parameter' for @{ $out_of_range{$name} };
}
library_refuses { verify( key => $key, code => 1, skew => 1001 ) } 'skew', 'invalid_parameter';
library_refuses { totp( key => $key, perriod => 60 ) } 'perriod', 'invalid_parameter';
library_refuses { totp( key => $key, counter => 1 ) } 'counter', 'invalid_parameter';
library_refuses { hotp( key => $key, counter => 1, skew => 1 ) } 'skew', 'invalid_parameter';
library_refuses { secret( lenght => 32 ) } 'lenght', 'invalid_parameter';
library_refuses { otpauth( secret => 'GEZDGNBVGY3TQOJQ', account => 'x', time => 1 ) } 'time', 'invalid_parameter';
for my $call ( sub { totp() }, sub { totp( key => $key, secret => 'GEZDGNBVGY3TQOJQ' ) } ) {
    like thrown { $call->() }, qr/^One of the parameters "secret" \(Base32\) and "key" \(bytes\) is required\. at \Q$0\E/, 'one secret, not two';
}

# values that are not objects of the class
for my $call ( [ login => 'x' ], ['close'], [ _whmapi1 => 'a', 'b', undef ], [ _uapi => 'a', 'b', 'c', undef ], [ _http => 'a', 'b', 'c', undef ] ) {
    my ( $method, @arguments ) = @$call;
    my $function = Authen::TFA->can($method);
    for my $self ( undef, 'Authen::TFA', {}, \1, bless( {}, 'Authen::TFA' ) ) {
        like thrown { $function->( $self, @arguments ) }, qr/^This is not an Authen::TFA object/, "$method with another invocant";
    }
}
$tfa->close;
like thrown { $tfa->login('example') }, qr/^This Authen::TFA object is closed/, 'a closed object says so';
is thrown { $tfa->close }, undef, 'closing twice is fine';

# objects that behave like strings are strings
$tfa = open_tfa();
is $tfa->twofactorauth_policy_status( Stringy->new )->{is_enabled}, 0, 'an object with string overloading is its string';

# number objects are their values
require Math::BigInt;
is hotp( key => $key, counter => Math::BigInt->new(9) ), '520489', 'a counter may be a number object';
is hotp( key => $key, counter => Math::BigInt->new('18446744073709551615') ), hotp( key => $key, counter => ~0 ), 'without losing digits';
library_refuses { hotp( key => $key, counter => Math::BigInt->new(-1) ) } 'counter', 'invalid_parameter';
library_refuses { hotp( key => $key, counter => Stringy->new ) } 'counter', 'invalid_parameter';

# tied values are read
{
    package Tied;
    sub TIESCALAR { bless { count => 0 }, shift }
    sub FETCH     { $_[0]{count}++; $key }
}
tie my $tied, 'Tied';
is hotp( key => $tied, counter => 1 ), '287082', 'a tied key is read';

done_testing;
