# The documentation is well-formed and complete: every public function and method has its words, and every fault its line.
use strict;
use warnings;

use Test::More;
use Test::Pod;
use Test::Pod::Coverage;

my @pages = ( 'lib/Authen/TFA.pod', 'lib/Authen/TFA/Dropins.pod', map { "lib/Authen/TFA/$_.pm" } qw(Error Panel Truncate) );
pod_file_ok($_) for @pages;
pod_coverage_ok( "Authen::TFA$_", { coverage_class => 'Pod::Coverage', $_ ? () : ( pod_from => 'lib/Authen/TFA.pod', trustme => [qr/^CLONE$/] ) }, "Authen::TFA$_ is documented" )
    for '', '::Error', '::Panel', '::Truncate';

# Each mended fault that a comparison with an original counts is in the list, by its own words or close to them.
open my $page, '<', 'lib/Authen/TFA/Dropins.pod' or die $!;
my $text = do { local $/; <$page> };
for my $module ( 'Auth::GoogleAuth', 'Authen::OATH', 'Pass::OTP, Pass::OTP::URI', 'Authen::TOTP' ) {
    my ($section) = $text =~ /^=head2 \Q$module\E\n(.*?)(?=^=head[12] )/ms;
    cmp_ok scalar( () = $section =~ /^=item \*/mg ), '>=', 4, "$module: the mended faults are listed one by one";
}

done_testing;
