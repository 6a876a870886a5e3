# Valgrind finds no error, and no lost memory that the XS code or the library allocated.
#
# Perl does not free all memory when it ends: a lost block counts when TFA.so or libtfa.so is in the stack of its allocation.
use strict;
use warnings;

use File::Temp ();
use Test::More;

my @programs = qw(codes arguments evil-arguments engine enrolment lookup fork threads dropin-googleauth dropin-panel);
my $directory = File::Temp->newdir;

for my $program (@programs) {
    my $output = qx{valgrind --quiet --xml=yes --xml-file=$directory/$program.%p.xml --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \\
        --num-callers=60 --suppressions=xt/perl.supp $^X -Iblib/lib -Iblib/arch t/$program.t 2>&1};
    is $?, 0, "$program: the tests pass under valgrind" or diag $output;
    my @reports = glob "$directory/$program.*.xml";
    cmp_ok scalar(@reports), '>=', 1, "$program: valgrind reported on " . @reports . ' processes';
    my @found = map { errors($_) } @reports;
    is scalar @found, 0, "$program: and found nothing" or diag join "\n", @found[ 0 .. ( $#found < 4 ? $#found : 4 ) ];
}

# The errors of a report that count, each as a few lines of text.
sub errors {
    my ($file) = @_;
    open my $handle, '<', $file or die "$file: $!";
    my $xml = do { local $/; <$handle> };
    my @errors;
    while ( $xml =~ m{<error>(.*?)</error>}gs ) {
        my $error = $1;
        my ($kind) = $error =~ m{<kind>(.*?)</kind>};
        next if $kind =~ /^Leak_/ && $error !~ m{<obj>[^<]*/(?:TFA\.so|libtfa\.so[^<]*)</obj>};
        my @frames = map { my ($name) = m{<fn>(.*?)</fn>}; my ($object) = m{<obj>(.*?)</obj>}; join ' in ', grep { defined } $name, $object } $error =~ m{<frame>(.*?)</frame>}gs;
        push @errors, join "\n    ", $kind, @frames;
    }
    return @errors;
}

done_testing;
