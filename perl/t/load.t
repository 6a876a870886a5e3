# The module loads, returns the version of its library, and does not load modules before it needs them.
use strict;
use warnings;

use Test::More;

my ( $modules, $version, $abi ) = split /\|/, qx{$^X -Iblib/lib -Iblib/arch -MAuthen::TFA -e 'print join(" ", sort keys %INC), "|", Authen::TFA->version, "|", Authen::TFA->abi_version' 2>/dev/null};
is $?, 0, 'the module loads in a fresh process';
like $version, qr/\A[0-9]+\.[0-9]+\.[0-9]+\z/, 'and returns the version of the library';
like $abi,     qr/\A[0-9]+\z/,                 'and its ABI number';
for my $heavy (qw(JSON/PP.pm Carp.pm Exporter.pm overload.pm MIME/Base64.pm feature.pm)) {
    unlike " $modules ", qr{ \Q$heavy\E }, "$heavy is not loaded before it is needed";
}

use Authen::TFA ();
my $tree = Authen::TFA->version;
is $tree, $version, 'version is the same here';
is_deeply [ grep { !Authen::TFA->can($_) } @Authen::TFA::EXPORT_OK ], [], 'everything that can be imported exists';
eval { Authen::TFA->import(':all'); 1 } or fail $@;
is ref \&main::totp, 'CODE', 'the tag :all imports';
like +( eval { Authen::TFA->import('nonsense'); 1 } ? 'imported' : $@ ), qr/nonsense/, 'an unknown name cannot be imported';

done_testing;
