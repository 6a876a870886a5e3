# Order: sorted answers keep theirs, and requests are sent in the order in which they are written.
use strict;
use warnings;
use utf8;

use lib 't/lib';
use Test::More;
use TestTFA;
use Authen::TFA::JSON ();
use Authen::TFA::OrderedHash ();

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my @names = map { "user$_" } 1 .. 30;
my %accounts = map { $names[$_] => { owner => 'root', domain => sprintf( 'd%02d.example', ( 7 * $_ ) % 30 ) } } 0 .. $#names;
my $tfa = open_tfa( accounts => { inline => \%accounts } );

# ---------------------------------------------------------------- answers

my %by_domain = ( 'api.sort.enable' => 1, 'api.sort.a.field' => 'primary_domain' );
my @expected = sort { $accounts{$a}{domain} cmp $accounts{$b}{domain} } @names;
my $sorted = $tfa->twofactorauth_get_user_configs( 'root', %by_domain );
is_deeply [ grep { exists $accounts{$_} } keys %$sorted ], \@expected, 'the keys of a sorted answer are in its order';
is_deeply [ map { $_->{primary_domain} } @{$sorted}{@expected} ], [ map { $accounts{$_}{domain} } @expected ], 'with their values';
my $reversed = $tfa->whmapi1( 'root', 'twofactorauth_get_user_configs', { %by_domain, 'api.sort.a.reverse' => 1 } );
is_deeply [ grep { exists $accounts{$_} } keys %{ $reversed->{data} } ], [ reverse @expected ], 'so are those of an envelope';
my $batch = $tfa->batch( 'root', command => [ 'twofactorauth_get_user_configs?api.sort.enable=1&api.sort.a.field=primary_domain', 'twofactorauth_policy_status' ] );
is_deeply [ grep { exists $accounts{$_} } keys %{ $batch->{result}[0]{data} } ], \@expected, 'and those of a command in a batch';
is ref tied( %{ $tfa->twofactorauth_get_user_configs('root') } ), '', 'an answer that is not sorted is an ordinary hash';

# ---------------------------------------------------------------- requests

my @remove = @names[ 11, 3, 25, 0, 17 ];
my @pairs = map { ( "user-$_" => $remove[$_] ) } 0 .. $#remove;
is_deeply $tfa->twofactorauth_remove_user_config( 'root', @pairs )->{users_modified}, \@remove, 'users_modified has the order of the request';
my %many = map { ( "user-$_" => $names[$_] ) } 0 .. $#names;
is_deeply $tfa->twofactorauth_remove_user_config( 'root', \%many )->{users_modified}, \@names, 'a hash reference is sent with user-2 before user-10';

# ---------------------------------------------------------------- JSON

is Authen::TFA::JSON::encode_pairs( z => 1, a => [ 2, undef ], z => 'é' ), '{"z":"\u00e9","a":[2,null]}', 'a repeated name keeps its place and takes its last value';
my @texts = (
    '{"b":{"z":[1,{"y":null,"x":"q\"\\\\}{"}],"a":-1.5e3},"a":{},"c":[],"\u00e9":"\u263a","e":""}',
    ' [ 1 , "a" , { "b" : [ ] , "a" : 2 } ] ', '"text"', '12', 'null',
);
for my $text (@texts) {
    my $ordered = Authen::TFA::JSON::decode_ordered($text);
    is_deeply $ordered, Authen::TFA::JSON::decode($text), "$text: the same values";
}
is join( ' ', keys %{ Authen::TFA::JSON::decode_ordered( $texts[0] ) } ), 'b a c é e', 'in the order of the text';
ok !eval { Authen::TFA::JSON::decode_ordered('{"a":}'); 1 }, 'text that is not JSON is refused';

tie my %hash, 'Authen::TFA::OrderedHash';
%hash = ( c => 1, a => 2, b => 3, d => 4 );
$hash{a} = 5;
is "@hash{qw(a b c d)}", '5 3 1 4', 'a hash that keeps its order holds values';
is join( ' ', keys %hash ), 'c a b d', 'and keeps the place of a key that is stored again';
my @seen;
while ( my ($key) = each %hash ) {
    push @seen, $key;
    delete $hash{$key} if $key eq 'a';
}
is "@seen", 'c a b d', 'each may delete the key that it returned';
ok !exists $hash{a} && %hash, 'which is gone';
is delete $hash{nothing}, undef, 'deleting what is not there does nothing';
%hash = ();
is scalar( keys %hash ), 0, 'it can be emptied';

done_testing;
