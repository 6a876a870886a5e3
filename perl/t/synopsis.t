# The synopsis of every module runs as it is printed, in a process of its own.
use strict;
use warnings;

use File::Temp ();
use Test::More;

my @pages = grep { -e } glob 'lib/Authen/TFA.pod lib/Authen/TFA/*.pod lib/Authen/TFA/*.pm';
my $count = 0;
for my $page (@pages) {
    open my $handle, '<:encoding(UTF-8)', $page or die "$page: $!";
    my $text = do { local $/; <$handle> };
    my ($section) = $text =~ /^=head1 SYNOPSIS\n(.*?)^=head1 /ms or next;
    my $code = join '', map { "$_\n" } map { s/^    //r } grep { /^    / || /^$/ } split /\n/, $section;
    my $directory = File::Temp->newdir;
    # what a synopsis may use: a directory, a handle, and an authenticator that shows a code
    my $program = <<"END";
use strict; use warnings; use lib 't/lib'; use TestTFA ();
binmode STDOUT, ':utf8';
my \$directory = '$directory';
sub authenticator { return TestTFA::oath_code( \$_[0], time + 30 * ( \$_[1] || 0 ) ) }
@{[ $page =~ /TFA\.pod$/ ? '' : q{my $tfa = TestTFA::open_tfa();} ]}
# line 1 "$page"
$code
print "\\nthe end\\n";
END
    open my $script, '>:encoding(UTF-8)', "$directory/synopsis.pl" or die $!;
    print {$script} $program;
    close $script or die $!;
    my $output = qx{$^X -Iblib/lib -Iblib/arch $directory/synopsis.pl 2>&1};
    is $?, 0, "$page: the synopsis runs" or diag $output;
    like $output, qr/^the end$/m, "$page: to its end" or diag $output;
    $count++;
}
cmp_ok $count, '>=', 3, 'the synopses were found';

done_testing;
