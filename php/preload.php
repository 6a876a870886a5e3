<?php
/*
 * For opcache.preload under a web server: with ffi.enable=preload, which is PHP's default, only classes that were
 * preloaded may use FFI. An autoloader is then never asked for them.
 */
declare(strict_types=1);

foreach (glob(__DIR__ . '/src/*.php') as $file) {
    opcache_compile_file($file);
}
