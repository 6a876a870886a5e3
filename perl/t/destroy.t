# Objects and the process end without output and without an error, wherever the objects are kept.
use strict;
use warnings;

use lib 't/lib';
use File::Temp ();
use Test::More;

my $directory = File::Temp->newdir;

# Runs a program that has an open handle in $tfa; gives its output, errors included, and its status.
sub run {
    my ($program) = @_;
    open my $script, '>', "$directory/script.pl" or die $!;
    print {$script} <<"END";
use strict; use warnings; use Authen::TFA;
our \$tfa = Authen::TFA->new( create => 1, store => 'sqlite:$directory/tfa.db', hostname => 'server.example.com' );
$program
END
    close $script or die $!;
    my $output = qx{$^X -Iblib/lib -Iblib/arch $directory/script.pl 2>&1};
    return ( $output, $? );
}

my %programs = (
    'in a global'            => q{print "done\n";},
    'in a lexical'           => q{my $mine = $tfa; undef $tfa; print "done\n";},
    'in a closure'           => q{my $sub; $sub = sub { return ( $tfa, $sub ) }; print "done\n";},
    'in a cycle'             => q{our $node = { tfa => $tfa }; $node->{self} = $node; print "done\n";},
    'called at the end'      => q{END { print $tfa->twofactorauth_policy_status('root')->{is_enabled}, "done\n" }},
    'called in a destructor' => q{package Late; sub DESTROY { $_[0]{tfa}->login('example') } package main; our $late = bless { tfa => $tfa }, 'Late'; print "done\n";},
    'with a callback'        => q{our $other; $other = Authen::TFA->new( create => 1, store => 'sqlite:} . $directory . q{/b.db', lookup => sub { $other && {} } ); $other->login('x'); print "done\n";},
    'with one that exits'    => q{our $other; $other = Authen::TFA->new( create => 1, store => 'sqlite:} . $directory . q{/c.db', on_audit => sub { print "done\n"; exit 0 } ); $other->twofactorauth_enable_policy('root'); print "not reached\n";},
    'reblessed'              => q{bless $tfa, 'Something::Else'; undef $tfa; print "done\n";},
    'exit in the middle'     => q{print "done\n"; exit 0;},
    'forked and left'        => q{my $pid = fork; if ( !$pid ) { exit 0 } waitpid $pid, 0; print "done\n";},
);
for my $where ( sort keys %programs ) {
    my ( $output, $status ) = run( $programs{$where} );
    is $output, ( $where eq 'called at the end' ? "0done\n" : "done\n" ), "$where: no other output";
    is $status, 0, "$where: and the exit status is 0";
}

done_testing;
