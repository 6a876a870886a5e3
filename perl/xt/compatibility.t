# Perl 5.16 is enough: for the C and XS code by Devel::PPPort's tables, for the Perl code by Perl::MinimumVersion. Every compiler warning is an error.
use strict;
use warnings;

use File::Find ();
use File::Temp ();
use Perl::MinimumVersion;
use Test::More;

my @sources = ( glob('*.xs *.c'), 'tfa_perl.h' );
for my $source ( grep { $_ ne 'TFA.c' } @sources ) {
    my $report = qx{$^X ppport.h --compat-version=5.16.0 --nochanges $source 2>&1};
    is $?, 0, "ppport.h examined $source";
    like $report, qr/Looks good|Analysis completed/, "$source: to the end";
    unlike $report, qr/WARNING|not be portable/, "$source: every function exists in 5.16" or diag $report;
    unlike $report, qr/No need to define|should|Suggested changes/i, "$source: nothing to change" or diag $report;
}

my @files;
File::Find::find( { no_chdir => 1, wanted => sub { push @files, $_ if /\.(?:pm|t|pl|PL)\z/ } }, qw(lib dropin t xt) );
push @files, 'Makefile.PL', 'bench.pl';
cmp_ok scalar(@files), '>', 30, 'the Perl files were found';
for my $file ( sort @files ) {
    my $minimum = Perl::MinimumVersion->new($file)->minimum_syntax_version;
    ok $minimum && $minimum <= version->new('5.016'), "$file: syntax of $minimum";
}

# What MinimumVersion does not see: modules, and functions of newer core modules. Only the core of 5.16 is used at run time.
my %core_5_16 = map { $_ => 1 } qw(strict warnings overload Exporter XSLoader MIME::Base64 Digest::SHA Scalar::Util Carp);
for my $file ( grep { m{^(?:lib|dropin)/.*\.pm\z} } @files ) {
    open my $handle, '<', $file or die "$file: $!";
    my ($code) = do { local $/; <$handle> } =~ /\A(.*?)(?:^__END__|\z)/ms;
    my @used = grep { !/^(?:Authen::TFA|Pass::OTP|lib\b)/ && !$core_5_16{$_} } $code =~ /^\s*(?:use|require) ([A-Za-z][\w:]*)/mg;
    is_deeply \@used, [], "$file: nothing outside the core of 5.16";
}

# A release would be complete.
require ExtUtils::Manifest;
{
    no warnings 'once';
    local $ExtUtils::Manifest::Quiet = 1;
    is_deeply [ ExtUtils::Manifest::manicheck() ], [], 'every file of the MANIFEST is there';
    my $listed = ExtUtils::Manifest::maniread();
    is_deeply [ grep { !exists $listed->{$_} } @files ], [], 'and every Perl file is in it';
}

# Warnings: a build of its own, from scratch.
my $directory = File::Temp->newdir;
is system( 'cp', '-r', ( 'Makefile.PL', 'typemap', glob('*.xs *.xsh'), grep { $_ ne 'TFA.c' && $_ ne 'weak.h' && $_ ne 'ppport.h' } glob('*.c *.h') ), qw(lib dropin t), $directory ), 0, 'a copy to build';
local @ENV{qw(TFA_WERROR TFA_LIB TFA_INCLUDE)} = ( 1, map { defined $ENV{ $_->[0] } ? $ENV{ $_->[0] } : $_->[1] } [ TFA_LIB => '../target/release' ], [ TFA_INCLUDE => '../include' ] );
require Cwd;
$ENV{$_} = Cwd::abs_path( $ENV{$_} ) for qw(TFA_LIB TFA_INCLUDE);
my $output = qx{cd $directory && $^X Makefile.PL 2>&1 && make 2>&1};
is $?, 0, 'it builds with -Wall -Wextra -Werror' or diag $output;
like $output, qr/-Wall -Wextra -Werror/, 'which were given';
unlike $output, qr/warning/i, 'without a warning';

done_testing;
