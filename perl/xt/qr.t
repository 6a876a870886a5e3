# A real reader, zbarimg, reads the QR codes of every format.
use strict;
use warnings;

use lib 't/lib';
use File::Temp ();
use MIME::Base64 qw(decode_base64);
use Test::More;
use TestTFA;
use Authen::TFA qw(otpauth);

BEGIN { dropin() }
use Auth::GoogleAuth;

my $directory = File::Temp->newdir;

sub seen {
    my ($bytes) = @_;
    open my $file, '>:raw', "$directory/code.png" or die $!;
    print {$file} $bytes;
    close $file or die $!;
    chomp( my $text = qx{zbarimg --quiet --raw $directory/code.png 2>/dev/null} );
    return $text;
}

my $uri = otpauth( secret => 'CAOXW75HKYJJ6E5Y', account => 'root', issuer => 'Example Hosting' );
is seen( Authen::TFA::qr( text => $uri, format => 'png' ) ), $uri, 'a PNG picture is read';

open my $file, '>:encoding(UTF-8)', "$directory/code.svg" or die $!;
print {$file} Authen::TFA::qr( text => $uri, format => 'svg' );
close $file or die $!;
is system( 'rsvg-convert', '--width=400', '--background-color=white', '--output', "$directory/svg.png", "$directory/code.svg" ), 0, 'an SVG picture is drawn';
chomp( my $text = qx{zbarimg --quiet --raw $directory/svg.png 2>/dev/null} );
is $text, $uri, 'and read';

my $auth = Auth::GoogleAuth->new( { secret32 => 'bv5o3disbutz4tl3', issuer => 'Gryphon Shafer', key_id => 'gryphon@cpan.org' } );
my ($encoded) = $auth->qr_code =~ m{\Adata:image/png;base64,(.*)\z};
is seen( decode_base64($encoded) ), $auth->otpauth, 'the picture of Auth::GoogleAuth is read as its otpauth';

done_testing;
