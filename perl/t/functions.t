# Every function in the library's registry is a method, and every such method is in the registry.
use strict;
use warnings;

use Test::More;
use Authen::TFA ();

my $registry = Authen::TFA->functions;
for my $door (qw(whm uapi)) {
    my @library = sort map { $_->{name} } grep { $_->{door} eq $door } @$registry;
    is_deeply [ sort( Authen::TFA::function_names($door) ) ], \@library, "the functions of the door $door";
    can_ok 'Authen::TFA', @library;
}
is_deeply [ grep { !length $_->{description} || ref $_->{parameters} ne 'ARRAY' } @$registry ], [], 'each with a description and parameters';
my ($set) = grep { $_->{name} eq 'set_user_configuration' } @$registry;
is_deeply [ map { $_->{name} } grep { $_->{required} } @{ $set->{parameters} } ], [qw(secret tfa_token)], 'and they are the right ones';

done_testing;
