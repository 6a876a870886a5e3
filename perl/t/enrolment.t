# Secrets, otpauth URIs and QR codes, without a handle.
use strict;
use warnings;
use utf8;

use lib 't/lib';
use Test::More;
use TestTFA;
use Authen::TFA qw(secret otpauth otpauth_parse);

like secret(), qr/\A[A-Z2-7]{32}\z/, 'a secret has 32 characters';
like secret( length => 16 ), qr/\A[A-Z2-7]{16}\z/, 'or a given number';
like secret( { length => 64 } ), qr/\A[A-Z2-7]{64}\z/, 'also by a hash reference';
my %seen;
$seen{ secret() }++ for 1 .. 1000;
is scalar keys %seen, 1000, 'no two are the same';
my $error = thrown { secret( length => 7 ) };
isa_ok $error, 'Authen::TFA::Error';
is $error->command, 'secret', 'naming the function';

my %key = ( secret => 'CAOXW75HKYJJ6E5Y', account => 'root', issuer => 'Example Hosting' );
is otpauth(%key), 'otpauth://totp/Example%20Hosting:root?secret=CAOXW75HKYJJ6E5Y&issuer=Example%20Hosting', 'a URI';
is( Authen::TFA->otpauth(%key), otpauth(%key), 'as a method' );
my $uri = otpauth( %key, issuer => 'Žižkov: ☺', algorithm => 'SHA256', digits => 8, period => 60 );
my $read = otpauth_parse( otpauth_str => $uri );
is_deeply [ @{$read}{qw(type secret account issuer algorithm digits period)} ], [ 'totp', 'CAOXW75HKYJJ6E5Y', 'root', 'Žižkov: ☺', 'SHA256', 8, 60 ], 'a URI that is built is parsed';
isa_ok thrown { otpauth_parse( otpauth_str => 'http://example.com/' ) }, 'Authen::TFA::Error', 'not an otpauth URI';
isa_ok thrown { otpauth( %key, secret => 'topsecret1' ) }, 'Authen::TFA::Error', 'not Base32';
unlike thrown { otpauth( %key, secret => 'topsecret1' ) }, qr/topsecret/, 'which is not in the message';

like Authen::TFA::qr( text => $uri, format => 'svg' ), qr/\A\s*<(?:\?xml|svg)/, 'an SVG picture';
is substr( Authen::TFA::qr( text => $uri, format => 'png' ), 0, 8 ), "\x89PNG\r\n\x1a\n", 'a PNG picture, as bytes';
my $terminal = Authen::TFA::qr( text => $uri, format => 'terminal' );
ok $terminal =~ /\n.*\n.*\n/ && $terminal =~ /[^\x00-\x7f]/, 'a picture for the terminal, as characters';
isa_ok thrown { Authen::TFA::qr( text => $uri, format => 'gif' ) }, 'Authen::TFA::Error', 'an unknown format';

done_testing;
