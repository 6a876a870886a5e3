# The methods come from the library's registry.
use strict;
use warnings;

use Test::More;
use Authen::TFA ();

my $registry = Authen::TFA->functions;
my %names;
push @{ $names{ $_->{api} } }, $_->{name} for @$registry;
for my $api ( sort keys %names ) {
    is_deeply [ Authen::TFA::function_names($api) ], $names{$api}, "the functions of the API $api, in the order of the registry";
    can_ok 'Authen::TFA', @{ $names{$api} };
}
ok !Authen::TFA->can('twofactorauth_nonsense'), 'no other name is a method';
ok !eval { Authen::TFA->twofactorauth_nonsense('root'); 1 }, 'and calling one';
like $@, qr/^libtfa [0-9.]+ has no function "twofactorauth_nonsense", which was called at \Q$0\E line/, 'croaks, naming the function';
ok !eval { Authen::TFA->_nonsense; 1 }, 'a private name is not looked up';

is_deeply [ grep { !length $_->{description} || ref $_->{parameters} ne 'ARRAY' } @$registry ], [], 'each function has a description and parameters';

done_testing;
