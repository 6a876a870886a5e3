# The drop-in for Auth::GoogleAuth: the calls of its manual page, subclasses, and each fault of the original that is corrected.
# The expected values come from the original; xt/oracle-googleauth.t compares the two at length.
use strict;
use warnings;

use lib 't/lib';
use Test::More;
use TestTFA;

BEGIN { dropin() }
use Auth::GoogleAuth 1.10;

like $INC{'Auth/GoogleAuth.pm'}, qr{/dropin/}, 'this is the drop-in';
my ( $secret32, $time ) = ( 'bv5o3disbutz4tl3', 1438643820 );

# the manual page
my $auth = Auth::GoogleAuth->new( { secret => 'some secret string thing', issuer => 'Gryphon Shafer', key_id => 'gryphon@cpan.org' } );
is $auth->code( undef, $time ), '775475', 'a code from the secret';
is $auth->secret32, 'onxw2zjaonswg4tfoqqhg5dsnfxgoidunbuw4zy', 'secret32 is derived from it';
is $auth->code( $secret32, $time, 30 ), '558969', 'a code from a secret32';
is $auth->secret, "\rz\355\215\22\r'\236M{", 'which replaces the object\'s';
is $auth->code( uc $secret32, $time ), '558969', 'in either case';
is $auth->verify( '558969', 0, $secret32, $time, 30 ), 1, 'verify';
is $auth->verify( '558969', 1, $secret32, $time + 30 ), 1, 'in the range';
is $auth->verify( '558969', 0, $secret32, $time + 30 ), 0, 'out of it';
is $auth->verify( '558969', 1, $secret32, $time + 60 ), 0, 'further out';
is $auth->verify( '558969', 40, $secret32, $time + 1200 ), 1, 'a range beyond ten steps';
is $auth->verify( '558969', 40, $secret32, $time + 1230 ), 0, 'has an end too';
is $auth->verify( '558969', 1010, $secret32, $time + 30 * 1010 ), 1, 'even a very wide one';
is $auth->verify( '558969', 2, $secret32, $time - 30 * 2.5, 30.0 ), 0, 'outside it';
is $auth->verify( $_, 1, $secret32, $time ), 0, 'not a code' for '', undef, 'abc', '558969 ', ' 558969', '0558969', "558969\n", '558 969';
like thrown { $auth->verify( '558969', $_, $secret32 ) }, qr/^Range value not zero or a positive number at \Q$0\E/, "range $_" for -1, 1.5, 'x', '1e1';
like $auth->generate_secret32, qr/\A[a-z2-7]{16}\z/, 'a new secret32';
like $auth->generate_secret32(32), qr/\A[a-z2-7]{32}\z/, 'of a given length';
is $auth->qr_code( $secret32, 'gryphon@cpan.org', 'Gryphon Shafer', 1 ),
    'otpauth://totp/Gryphon%20Shafer:gryphon%40cpan.org?secret=bv5o3disbutz4tl3&issuer=Gryphon%20Shafer', 'the URI';
is $auth->otpauth, 'otpauth://totp/Gryphon%20Shafer:gryphon%40cpan.org?secret=bv5o3disbutz4tl3&issuer=Gryphon%20Shafer', 'is kept';
$auth->clear;
is_deeply { %$auth }, { map { $_ => undef } qw(secret secret32 issuer key_id otpauth) }, 'clear empties every field';
is( Auth::GoogleAuth->new( secret => 'abc', issuer => 'I' )->issuer, 'I', 'new takes a list too' );
is_deeply { %{ Auth::GoogleAuth->new } }, {}, 'or nothing';

# corrected faults
like thrown { Auth::GoogleAuth->new->verify(123456) }, qr/^There is no secret: set secret or secret32, or pass secret32 at \Q$0\E/, 'verify without a secret is refused';
my $inventing = Auth::GoogleAuth->new;
my $first = $inventing->code;
like $inventing->secret32, qr/\A[a-z2-7]{16}\z/, 'code without a secret makes one and keeps it, as the original does';
is $inventing->verify( $first, 1 ), 1, 'which then verifies';
my $picture = $auth->qr_code( $secret32, 'k', 'i' );
like $picture, qr{\Adata:image/png;base64,iVBOR[A-Za-z0-9+/=]+\z}, 'the QR code is a picture, not a request to a third party';
my $fresh = Auth::GoogleAuth->new;
$fresh->qr_code;
like $fresh->secret32, qr/\A[a-z2-7]{16}\z/, 'enrolment without a secret makes one and keeps it';
is $fresh->verify( $fresh->code ), 1, 'which then works';
for my $bad ( 'bv5o1', 'bv5o 3dis', 'zzz', 'a', "$secret32\n", "\x{263a}" ) {
    my $error = thrown { Auth::GoogleAuth->new->code( $bad, $time ) };
    like $error, qr/^Error decoding what should be base32 data at \Q$0\E/, 'a secret32 that does not decode is refused';
}
like thrown { Auth::GoogleAuth->new->code( $secret32, -31 ) }, qr/give no time step/, 'so is a time before the first step';
is( Auth::GoogleAuth->new( { secret => 'x' } )->qr_code( undef, "\x{263a}", 'i', 1 ), 'otpauth://totp/i:%E2%98%BA?secret=pa&issuer=i', 'wide characters are escaped as UTF-8' );
my $upgraded = "\xe9x";
utf8::upgrade($upgraded);
is( Auth::GoogleAuth->new( { secret => $upgraded } )->code( undef, $time ), '556705', 'bytes that Perl holds upgraded are bytes' );
is( Auth::GoogleAuth->new->otpauth( $secret32, 'k', 'i' ), "otpauth://totp/i:k?secret=$secret32&issuer=i", 'otpauth as the method of version 1.06' );
is( Auth::GoogleAuth->new->otpauth('stored!'), 'stored!', 'and as the accessor of version 1.03' );

# subclasses
{
    package My::Auth;
    use base 'Auth::GoogleAuth';
    our @log;
    __PACKAGE__->mk_accessors('user');
    sub secret32 { my $self = shift; push @log, 'secret32'; return $self->SUPER::secret32(@_) || 'bv5o3disbutz4tl3' }
    sub verify { my ( $self, $code, @more ) = @_; push @log, 'verify'; return $self->SUPER::verify( $code, @more ) ? 'yes' : 'no' }
}
my $mine = My::Auth->new( { user => 'me' } );
isa_ok $mine, 'Auth::GoogleAuth';
is $mine->user, 'me', 'a subclass adds accessors';
is $mine->code( undef, $time ), '558969', 'its accessors are used';
is $mine->verify( '558969', 0, undef, $time ), 'yes', 'SUPER:: calls work';
{
    package My::Eight;
    use base 'Auth::GoogleAuth';
    sub code { my $self = shift; return '99' . $self->SUPER::code(@_) }
}
is( My::Eight->new->verify( '99558969', 1, $secret32, $time + 30 ), 1, 'verify uses a code method of the subclass' );
is( My::Eight->new->verify( '558969', 1, $secret32, $time + 30 ), 0, 'and its result' );

done_testing;
