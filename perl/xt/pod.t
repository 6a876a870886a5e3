# The documentation is well-formed and complete: it describes every public function and method, and every corrected fault.
use strict;
use warnings;

use Test::More;
use Test::Pod;
use Test::Pod::Coverage;

my @modules = grep { -e } glob 'lib/Authen/TFA/*.pm';
pod_file_ok($_) for glob('lib/Authen/*.pod lib/Authen/TFA/*.pod'), @modules;

# The methods of the registry are documented by name; what Perl itself calls is not.
my @trusted = ( qr/^(?:CLONE|AUTOLOAD|DESTROY|can|import)$/, qr/^[A-Z]+$/ );
pod_coverage_ok( 'Authen::TFA', { coverage_class => 'Pod::Coverage', pod_from => 'lib/Authen/TFA.pod', trustme => \@trusted }, 'Authen::TFA is documented' );
for my $module (@modules) {
    my ($name) = $module =~ m{/(\w+)\.pm\z};
    pod_coverage_ok( "Authen::TFA::$name", { coverage_class => 'Pod::Coverage', trustme => \@trusted }, "Authen::TFA::$name is documented" );
}

# The corrected faults that the comparisons with the originals count are listed.
open my $page, '<', 'lib/Authen/TFA/Dropins.pod' or die $!;
my $text = do { local $/; <$page> };
for my $module ( 'Auth::GoogleAuth', 'Authen::OATH', 'Pass::OTP, Pass::OTP::URI', 'Authen::TOTP' ) {
    my ($section) = $text =~ /^=head2 \Q$module\E\n(.*?)(?=^=head[12] )/ms;
    cmp_ok scalar( () = $section =~ /^=item \*/mg ), '>=', 4, "$module: the corrected faults are listed one by one";
}

is system( $^X, 'generate-pod', '--check' ), 0, 'Functions.pod lists the functions of the library';

done_testing;
