# A panel that forks: Starman loads the module and opens the store before it forks eight workers. 500 users log in four times each, and each of these 2,000
# codes is sent by two clients at the same time: exactly one of them must be accepted. Loopback only, bounded in time and number.
use strict;
use warnings;

use lib 't/lib';
use File::Temp ();
use HTTP::Tiny;
use IO::Socket::INET;
use Test::More;
use TestTFA;

use constant { USERS => 500, WORKERS => 8, CLIENTS => 8, SECONDS => 300 };
my @steps = ( -3, -1, 1, 3 );    # one for each login of a user, all within the window

local $SIG{ALRM} = sub { die "not done within @{[ SECONDS ]} seconds\n" };
alarm SECONDS;

my %config = config();
my %secret = do {
    my $tfa = Authen::TFA->new(%config);
    $tfa->twofactorauth_enable_policy('root');
    my %secret = map { ( "user$_" => Authen::TFA::secret( length => 16 ) ) } 1 .. USERS;
    $tfa->twofactorauth_set_tfa_config_for_user( 'root', { map { $_ => { primary_account => { secret => $secret{$_} } } } keys %secret } );
    %secret;
};

# ---------------------------------------------------------------- the server

my $directory = File::Temp->newdir;
open my $app, '>', "$directory/app.psgi" or die $!;
print {$app} <<"END";
use strict; use warnings;
use Authen::TFA;
my \$opener = \$\$;
my \$tfa = Authen::TFA->new( store => '$config{store}', hostname => 'server.example.com', skew => 5 );
sub {
    my ( undef, \$user, \$code ) = split m{/}, \$_[0]{PATH_INFO};
    my \$verdict = \$user ? 0 + \$tfa->login( \$user, \$code ) : 'ready';
    return [ 200, [ 'Content-Type' => 'text/plain' ], ["\$verdict \$\$ \$opener"] ];
};
END
close $app or die $!;

my $port = IO::Socket::INET->new( LocalAddr => '127.0.0.1', Listen => 1 )->sockport;
my $server = fork;
die "fork: $!" if !defined $server;
if ( !$server ) {
    $ENV{PERL5LIB} = join ':', @INC;
    open STDERR, '>', "$directory/log" or die $!;
    exec 'starman', '--preload-app', '--workers', WORKERS, '--listen', "127.0.0.1:$port", '--env', 'deployment', "$directory/app.psgi" or die $!;
}
my $stop = sub { kill QUIT => $server; waitpid $server, 0; $server = 0 };
END { local $?; if ($server) { kill KILL => $server; waitpid $server, 0 } }

my $http = HTTP::Tiny->new( keep_alive => 0, timeout => 30 );
for ( 1 .. 100 ) {
    last if $http->get("http://127.0.0.1:$port/")->{success};
    select undef, undef, undef, 0.1;
}
is +( split / /, $http->get("http://127.0.0.1:$port/")->{content} )[0], 'ready', 'the server answers';

# ---------------------------------------------------------------- the clients

# One client of a round: sends every code of the round, in an order of its own; every code is sent by two clients.
sub client {
    my ( $number, $codes, $writer ) = @_;
    srand $number;
    my $http = HTTP::Tiny->new( keep_alive => 1, timeout => 60 );
    my @mine = sort { ( $a * 7919 + $number ) % 509 <=> ( $b * 7919 + $number ) % 509 } grep { $_ % ( CLIENTS / 2 ) == $number % ( CLIENTS / 2 ) } 1 .. USERS;
    for my $user (@mine) {
        my $response = $http->get("http://127.0.0.1:$port/user$user/$codes->{$user}");
        print {$writer} join( ' ', $user, $response->{status}, $response->{content} ), "\n";
    }
    return;
}

my $now = time;
my ( %accepted, %workers, @strange );
my $answers = 0;
for my $step (@steps) {
    my %codes = map { ( $_ => oath_code( $secret{"user$_"}, $now + 30 * $step ) ) } 1 .. USERS;
    my @clients = map {
        pipe my $reader, my $writer or die $!;
        my $pid = fork;
        die "fork: $!" if !defined $pid;
        if ( !$pid ) {
            $server = 0;    # the parent's to end
            close $reader;
            client( $_, \%codes, $writer );
            close $writer;
            require POSIX;
            POSIX::_exit(0);
        }
        close $writer;
        [ $pid, $reader ];
    } 0 .. CLIENTS - 1;
    for my $client (@clients) {
        my ( $pid, $reader ) = @$client;
        while ( my $line = <$reader> ) {
            chomp $line;
            my ( $user, $status, $verdict, $worker, $opener ) = split / /, $line;
            $answers++;
            push @strange, $line if $status != 200 || $verdict !~ /\A[01]\z/ || $worker == $opener;
            $accepted{"$user $step"}++ if $verdict eq '1';
            $workers{$worker}++;
        }
        waitpid $pid, 0;
    }
}
$stop->();

is $answers, 2 * USERS * @steps, 'every request was answered';
is_deeply \@strange, [], 'accepted or denied, by a worker that was forked after the store was opened' or diag join "\n", @strange[ 0 .. ( $#strange < 4 ? $#strange : 4 ) ];
is scalar keys %accepted, USERS * @steps, '2,000 logins: none was lost';
is_deeply [ grep { $accepted{$_} != 1 } sort keys %accepted ], [], 'and none was accepted twice';
cmp_ok scalar( keys %workers ), '>=', WORKERS, 'all eight workers took part';
open my $log, '<', "$directory/log" or die $!;
is_deeply [ grep { /TFA|died|error/i } <$log> ], [], 'and none logged an error';

done_testing;
