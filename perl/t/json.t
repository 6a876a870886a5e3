# The module works the same with each JSON module that it can use: the fastest that is installed is taken, and JSON::PP of the Perl core is enough.
use strict;
use warnings;

use lib 't/lib';
use File::Temp ();
use Test::More;
use TestTFA;
use Authen::TFA::JSON ();

my $directory = File::Temp->newdir;
my %config = config();
Authen::TFA->new(%config);

# Runs a program in which some modules cannot be loaded; returns what it prints.
sub without {
    my ( $hidden, $program ) = @_;
    open my $script, '>', "$directory/program.pl" or die $!;
    print {$script} <<"END";
use strict; use warnings; use utf8;
BEGIN { my %hidden = map { \$_ => 1 } qw($hidden); unshift \@INC, sub { die "hidden\\n" if \$hidden{ \$_[1] }; return } }
use Authen::TFA; use Authen::TFA::JSON;
binmode STDOUT, ':utf8';
my \$tfa = Authen::TFA->new( store => '$config{store}' );
$program
END
    close $script or die $!;
    return qx{$^X -Iblib/lib -Iblib/arch $directory/program.pl 2>&1};
}

my $program = <<'END';
local $SIG{__DIE__} = sub { print "a handler was called\n" };
$tfa->twofactorauth_set_issuer( 'root', issuer => "\x{17d}i\x{17e}kov \x{263a} \\\"" );
print join( '|', $tfa->twofactorauth_get_issuer('root')->{issuer}, $tfa->totp( key => 'x' x 20, time => 59, algorithm => 'SHA512' ),
    keys %{ $tfa->twofactorauth_get_user_configs( 'root', 'api.sort.enable' => 1 ) } ), "\n";
END
my @all = qw(Cpanel/JSON/XS.pm JSON/XS.pm);
is without( "@all", 'print Authen::TFA::JSON::backend()' ), 'JSON::PP', 'without the modules in C, JSON::PP is used';
my $core = without( "@all", $program );
like $core, qr/\A[^\n|]+\|[0-9]{6}\|root\n\z/, 'which is enough, and quiet';
is without( 'none', $program ), $core, 'the fastest one that is installed (' . Authen::TFA::JSON::backend() . ') does the same';
for my $module (@all) {
    ( my $name = $module ) =~ s{/}{::}g;
    $name =~ s/\.pm\z//;
    next if !eval { require $module };
    is without( join( ' ', grep { $_ ne $module } @all ), 'print Authen::TFA::JSON::backend()' ), $name, "$name is used when it is installed";
}

done_testing;
