# The module with another libtfa than the one it was built for: a library of another ABI is refused when the module loads; with an older one of the same ABI the
# module loads, and what the library lacks is an error at the call.
use strict;
use warnings;

use Config;
use File::Temp ();
use Test::More;
use Authen::TFA ();

my $directory = File::Temp->newdir;
my $soname = 'libtfa.so.0';

# Compiles a library that consists of the given C functions, and runs a program with it.
sub with_library {
    my ( $source, $program ) = @_;
    open my $file, '>', "$directory/other.c" or die $!;
    print {$file} "#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>\n$source\n";
    close $file or die $!;
    system( $Config{cc}, '-shared', '-fPIC', "-Wl,-soname,$soname", '-o', "$directory/$soname", "$directory/other.c" ) == 0 or die 'the library does not compile';
    open my $script, '>', "$directory/program.pl" or die $!;
    print {$script} $program;
    close $script or die $!;
    local @ENV{qw(LD_LIBRARY_PATH LD_BIND_NOW)} = ( $directory, 1 );    # bound at once, as hardened systems do
    my $output = qx{$^X -Iblib/lib -Iblib/arch $directory/program.pl 2>&1};
    return ( $output, $? );
}

# What every library of this ABI has, with one function in its registry.
sub core {
    my ($abi) = @_;
    return <<"END";
const char *tfa_version(void) { return "0.0.9"; }
uint32_t tfa_abi_version(void) { return $abi; }
void *tfa_open(const char *config, char **error) { return (void *)tfa_open; }
void tfa_close(void *tfa) { }
void tfa_free(char *string) { free(string); }
int32_t tfa_reply(void *reply, const char *json) { return 0; }
char *tfa_functions(void) { return strdup("[{\\"name\\":\\"old\\",\\"api\\":\\"whm\\",\\"parameters\\":[]}]"); }
char *tfa_whmapi1(void *tfa, const char *caller, const char *function, const char *args) {
    return strdup("{\\"data\\":{\\"is_old\\":1},\\"metadata\\":{\\"result\\":1}}");
}
END
}

my ( $output, $status ) = with_library( core(99), 'use Authen::TFA; print "loaded"' );
isnt $status, 0, 'with a library of ABI 99 the module does not load';
like $output, qr/built for ABI [0-9]+ of libtfa, but .* has ABI 99: rebuild Authen::TFA/, 'and says why, and what to do';
unlike $output, qr/loaded$/, 'the program did not run';

my $call = 'use Authen::TFA; my $tfa = Authen::TFA->new( skew => 1 ); print "loaded\n";';
( $output, $status ) = with_library( core( Authen::TFA->abi_version ), "$call print \$tfa->old('root')->{is_old}, qq{\\n}" );
is_deeply [ $output, $status ], [ "loaded\n1\n", 0 ], 'with an older library of the same ABI it loads, and what the library has works';

my %lacking = (
    'the login'             => [ q{$tfa->login('example')},                                'tfa_login' ],
    'another API'           => [ q{$tfa->uapi( 'example', 'TwoFactorAuth', 'x' )},         'tfa_uapi' ],
    'a picture'             => [ q{$tfa->qr( text => 'x' )},                               'tfa_draw_qr' ],
    'a code'                => [ q{Authen::TFA::totp( key => 'x' x 20 )},                  'tfa_generate_totp' ],
    'a code by JSON'        => [ q{Authen::TFA::totp( key => 'x' x 20, type => 'steam' )}, 'tfa_code' ],
    'a verdict'             => [ q{Authen::TFA::verify( key => 'x' x 20, code => '1' )},   'tfa_verify_totp' ],
    'Base32'                => [ q{Authen::TFA::base32_decode('MZXW6YTB')},                'tfa_decode_base32' ],
    'a callback'            => [ q{Authen::TFA->new( lookup => sub { } )},                 'tfa_set_lookup' ],
    'an audit callback'     => [ q{Authen::TFA->new( on_audit => sub { } )},               'tfa_set_audit' ],
    'a function of the API' => [ q{$tfa->twofactorauth_policy_status('root')},             'twofactorauth_policy_status' ],
);
for my $what ( sort keys %lacking ) {
    my ( $code, $function ) = @{ $lacking{$what} };
    ( $output, $status ) = with_library( core( Authen::TFA->abi_version ), "$call eval { $code; 1 } or print \$@; print qq{the end\\n}" );
    like $output, qr/\Aloaded\nlibtfa 0\.0\.9 has no function "\Q$function\E".*\nthe end\n\z/, "$what: the call fails, and names the function";
}

done_testing;
