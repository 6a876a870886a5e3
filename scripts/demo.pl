#!/usr/bin/env perl
# The Perl part of the demo: demo.pl DATABASE SECRET, run by scripts/demo with the module that the tree has built.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl/blib/lib", "$FindBin::Bin/../perl/blib/arch";
use Authen::TFA;

my ($database, $secret) = @ARGV;
my $tfa = Authen::TFA->new(store => "sqlite:$database", secret_length => 32);

my $status = $tfa->twofactorauth_policy_status(caller => 'root');
print "policy: is_enabled = $status->{is_enabled}\n";

my $raw  = Authen::TFA::base32_decode($secret);
my $code = Authen::TFA::totp($raw);
print 'login:  ', ($tfa->login('example', $code) ? 'let in' : 'kept out (that code opened its login already)'), "\n";
