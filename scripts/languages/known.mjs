/** Tests of the languages that fail, and why. None of these is for us to mend. */

const OLDER = "the test is of 3.11, and 3.12 does this differently";
const CORRECTED = "Debian's 3.11 has a correction that 3.12.0 does not have";
const STACK = "recursion without end overflows the stack of the program itself, which traps";
const ZIPPED = "this build has its library in an archive, without sources";
const GROWN =
  "emnapi 1.10 reads memory that another thread has grown without looking for its new " +
  "size, on Deno with its own node:wasi as well; 1.11 does look";

const PROCESSES = "WASI has no processes, threads, pipes, groups or names of users";
const PERMISSIONS = "WASI has no permissions or owners of files";
const ABSOLUTE = "WASI has no links to absolute paths";
const LOCKS = "WASI has no locks on files";
const EMPTY =
  "wasi-libc takes an empty path for the current directory (findings/wasi_libc_empty_path.sh)";
const MISSING = "this build does not have that library or module";
const CALLS = "Ruby's zlib calls a function of C as one of another type, which traps";
const AFTER = "an example before it, which needs a pipe, has not put back what it replaced";
const EVAL = "the script is begun by a call of the library, whose frame has no line";
const MESSAGE = "wasi-libc has a message of its own for numbers that are no error";
const READING =
  "wasi-libc's O_RDONLY is a flag of its own: open() without it and O_WRONLY is EINVAL";
const UNSUPPORTED = "Rust's library has no call for it on WASI, and says so";
const UNCHECKED = "Rust's library leaves out a check on WASI that it makes on other systems";
const OPENED = "Rust's library expects that a link can be opened without following it";
// corrected by https://github.com/rust-lang/rust/pull/146691
const REREAD =
  "Rust 1.85 deletes entries while it reads them, and the adapter in components then skips some";
const RELATIVE =
  "the link is made with a relative target here, and the test wants the absolute one";
const SAME = "the crate same-file has nothing for WASI";
const NOT_UNIX = "the test takes every system that is not Unix for Windows";
const PLACEHOLDER =
  "the crate makes an entry from a path only on Unix and Windows, and has a placeholder elsewhere";
const CANONICAL = "Rust's library has no canonicalize for WASI, which the crate needs here";
const NIGHTLY = "the crate does this on WASI only with an unstable Rust";
const HOP_LIMIT = "the runtimes cannot set the hop limit of TCP, as docs/network.md says";
const STORED =
  "without zlib the test expects the version of a compressed entry for one that is stored";
const DROPPED = "this build ends with 1 where a script ends while it is compiled";
const DESTROYED = "this build ends without what objects do while the interpreter is taken down";
const LATER =
  "this is corrected in 5.42.3, of which the tests are, and not in the interpreter's 5.42.0";
const SET = "Perl takes a set of select() for bits, and wasi-libc has a list there";
const CONFIGURED = "what this build says of itself in Config is not so";
const REMOVED =
  "wasi-libc's chdir() keeps the words .. in the text of the current directory, which " +
  "leads nowhere once the directory before them is removed";
const NAMED =
  "wasi-libc's getcwd() gives the text that it keeps, without looking for the directory";
const NUMBERS = "the test expects Linux's numbers of errors, and wasi-libc has WASI's";
const OWN = "the test wants to be run in its distribution as it is released apart from Perl";
const ROOTED = "the test wants a current directory that is not the root";
const SIGNALS = "this build knows no signals by name";
const HIDDEN = "the test hides the folders of the library, which this build still needs at its end";
const TRAPPED = "Perl itself traps in this build, in no system call";
const TERMINAL = "no input is a terminal here";

const known = [
  // Ruby defines these functions itself, which fail always (wasm/missing.c)
  {
    suite: "ruby",
    text:
      /NotImplementedError|Errno::ENOTSUP \(Not|Errno::ENOTSUP: Not supported( @ \w*(pipe|reopen)| - dup|$)/m,
    why: PROCESSES,
  },
  {
    suite: "ruby",
    name: /popen|[|`]|duplex|pipe|IO#stat|sub-process|%x/,
    text: /^ArgumentError: string contains null byte|io\/nonblock$/m,
    why: PROCESSES,
  },
  { suite: "ruby", part: "core/io", text: /^Errno::ENOENT.* - \/dev\/tty$/m, why: PROCESSES },
  { suite: "ruby", part: "core/dir", name: /HOME is unset/, why: PROCESSES },
  {
    suite: "ruby",
    text: /Errno::(ENOSYS|ENOTSUP).* @ (apply2files|rb_file_ch\w+) /,
    why: PERMISSIONS,
  },
  {
    suite: "ruby",
    text: /^Expected ("100000" == "100\d+"|16384 == 16384|32768 == 33152|0 > 0)\n/,
    why: PERMISSIONS,
  },
  { suite: "ruby", text: /^Errno::EPERM: .* @ rb_file_s_symlink - \(\//, why: ABSOLUTE },
  { suite: "ruby", name: /^File\.readlink .* returns the name of the file/, why: ABSOLUTE },
  {
    suite: "ruby",
    part: "core/file",
    text: /Errno::EINVAL.* @ rb_sysopen |^Expected IOError but no exception/,
    why: READING,
  },
  { suite: "ruby", text: /Errno::EINVAL.* @ rb_file_flock /, why: LOCKS },
  {
    suite: "ruby",
    part: "library/digest",
    text: /got: Errno::EISDIR .* @ io_fread - \)/,
    why: EMPTY,
  },
  {
    suite: "ruby",
    text: /LoadError: cannot load such file -- (socket|fiddle|io\/console)$/m,
    why: MISSING,
  },
  { suite: "ruby", part: "library/zlib", text: /^ended with[^]*signature/, why: CALLS },
  { suite: "ruby", part: "library/rbconfig", text: /etc\.so"$/m, why: MISSING },
  { suite: "ruby", part: "core/argf", name: /^ARGF\.(readlines|to_a) /, why: AFTER },
  {
    suite: "ruby",
    name: /#backtrace contains lines|Location#lineno|each_caller_location/,
    why: EVAL,
  },
  { suite: "ruby", name: /SystemCallError#message returns the default message/, why: MESSAGE },
  {
    suite: "perl",
    text: /(function is unimplemented|times not implemented|fork not implemented)( at|$)/m,
    why: PROCESSES,
  },
  {
    suite: "perl",
    text: /^(Can't (dup fileno|open stdout|redirect \w+)|cannot dup STDOUT|Not a tty at)/m,
    why: PROCESSES,
  },
  {
    suite: "perl",
    name: /^t\/(base\/term\.t 2|comp\/multiline\.t [56])\b/, // the output of another program
    why: PROCESSES,
  },
  {
    suite: "perl",
    name:
      /^t\/io\/open\.t .*(open( to pipe| -\||.*"(\|-|-\|)")|open \|-|dup|readline| close$|fileno)/,
    why: PROCESSES,
  },
  { suite: "perl", name: /^t\/io\/open\.t (147|\(all\))/, why: PROCESSES },
  { suite: "perl", name: /^t\/io\/pvbm\.t .*pipe\(.* succeeds$/, why: PROCESSES },
  {
    suite: "perl",
    name: /^t\/(op|uni)\/gv\.t .*PVLV: sv_2io stringifieth not$/,
    why: PROCESSES,
  },
  { suite: "perl", name: /^t\/op\/fh\.t .* standard output/, why: PROCESSES },
  { suite: "perl", name: /^t\/op\/(each\.t 60|srand\.t 4|lex_assign\.t 170)\b/, why: PROCESSES },
  { suite: "perl", name: /^t\/op\/ref\.t (134|136|\(all\))/, why: PROCESSES },
  { suite: "perl", name: /^t\/op\/(magic\.t (61|\(all\))|taint\.t (1|10) )/, why: PROCESSES },
  {
    suite: "perl",
    name: /^t\/op\/(incfilter|write|readline)\.t \(all\)$/, // pipes, and STDOUT opened again
    why: PROCESSES,
  },
  { suite: "perl", name: /^t\/op\/ref\.t \d+ GH 18669/, why: LATER },
  { suite: "perl", name: /^t\/op\/sprintf2\.t 1699\b/, why: CONFIGURED },
  { suite: "perl", name: /^t\/re\/(anyof\.t \(all\)|pat\.t 115[4-8] )/, why: PROCESSES },
  { suite: "perl", name: /^t\/op\/chdir\.t (29|31|37|39) /, why: EMPTY },
  {
    suite: "perl",
    name: /tempfile\.t \d+ Dir \/tmp\/\w+ should not be present$/,
    why: REMOVED,
  },
  { suite: "perl", name: /^t\/op\/taint\.t (470|474) /, why: PROCESSES },
  { suite: "perl", text: /^symlink: Operation not permitted$/m, why: ABSOLUTE },
  { suite: "perl", text: /^No such file: README$/m, why: OWN },
  { suite: "perl", name: /^dist\/PathTools\/t\/Spec\.t 102 /, why: ROOTED },
  { suite: "perl", name: /^t\/opbasic\/magic_phase\.t \(all\)$/, text: /^6 of 7/, why: DESTROYED },
  { suite: "perl", name: /cwd\.t 1 Cwd should be loaded from blib/, why: OWN },
  { suite: "perl", name: /^t\/op\/local\.t (237|240)\b/, why: SIGNALS },
  { suite: "perl", name: /^t\/op\/stat\.t \d+ -t on STDIN$/, why: TERMINAL },
  { suite: "perl", name: /^t\/op\/(stat|lstat)\.t \d+ .*(chmod|-x$)/, why: PERMISSIONS },
  {
    suite: "perl",
    name: /^t\/io\/(fs\.t \d+ (umask|f?chmod|perm )|open\.t \d+ set mode)/,
    why: PERMISSIONS,
  },
  { suite: "perl", name: /tie_fetch_count\.t .*'chown /, why: PERMISSIONS },
  { suite: "perl", name: /tie_fetch_count\.t \(all\)$/, text: /out of bounds/i, why: SET },
  { suite: "perl", name: /^dist\/IO\/t\/io_sel\.t/, why: SET },
  { suite: "perl", name: /^t\/op\/for-many\.t \(all\)$/, text: /out of bounds/i, why: LATER },
  { suite: "perl", text: /chmod .*: Function not implemented/, why: PERMISSIONS },
  {
    suite: "perl",
    name: /tempfile\.t \d+ created tempfile with .* permissions$/,
    why: PERMISSIONS,
  },
  { suite: "perl", text: /^cannot chdir to \S+ from .*: No such file or directory/m, why: REMOVED },
  { suite: "perl", name: /cwd_enoent\.t \d+ .* on non-existent directory$/, why: NAMED },
  { suite: "perl", text: /Can't (locate (POSIX|B|Socket|threads)\.pm|load module)/, why: MISSING },
  { suite: "perl", text: /^No DBM package was successfully found/m, why: MISSING },
  { suite: "perl", name: /^t\/lib\/deprecate\.t \(all\)$/, text: /^10 of 10/, why: HIDDEN },
  { suite: "perl", name: /^lib\/Config\.t \(all\)$/, text: /out of bounds/i, why: TRAPPED },
  { suite: "perl", name: /\(all\)$/, text: /^(\d+) of \1, ended with 1$/m, why: DROPPED },
  {
    suite: "python",
    name:
      /test_(oserror_filename|bytes_like|listdir_bytes_like|openwrapper|divide_and_round|no_ext)$/,
    why: OLDER,
  },
  { suite: "python", part: "test_posix", name: /PosixTester\.test_stat$/, why: OLDER },
  { suite: "python", part: "test_fileinput", name: /Test_hook_compressed/, why: OLDER },
  { suite: "python", part: "test_zipimport", name: /testZipImporterMethods/, why: OLDER },
  {
    suite: "python",
    part: "test_tarfile",
    name: /OffsetValidationTests|test_(longname_file_not_directory|pax_header_bad_formats)$/,
    why: CORRECTED,
  },
  { suite: "python", part: "test_zipfile", name: /test_quoted_overlap$|zip64_e/, why: CORRECTED },
  {
    suite: "python",
    part: "test_configparser",
    name: /test_(parsing_?error|readfp_deprecation|safeconfigparser_deprecation)$/,
    why: OLDER,
  },
  { suite: "python", part: "test_hashlib", name: /test_blocksize_name$/, why: OLDER },
  {
    suite: "python",
    part: "test_linecache",
    name: /test_(clearcache|getline|memoryerror)$/,
    why: ZIPPED,
  },
  {
    suite: "python",
    name: /test_recursive_repr$|testRecursiveRepr$|test_deep_nesting$/,
    why: STACK,
  },
  { suite: "toolchains", part: "napi-rs unrs-resolver", name: /^\(all\)$/, why: GROWN },
  {
    suite: "rust",
    text: /operation not supported on this platform|no filesystem on wasm/,
    why: UNSUPPORTED,
  },
  { suite: "rust", name: /^fs::tests::(copy_file_src_dir|open_flavors)$/, why: UNCHECKED },
  { suite: "rust", name: /^fs::tests::recursive_rmdir_of_symlink$/, why: OPENED },
  {
    suite: "rust",
    part: "wasip2/library/std",
    name: /^fs::tests::create_dir_all_with_junctions$/,
    why: REREAD,
  },
  {
    suite: "rust",
    part: "wasip2/crates/walkdir-2.5.0",
    name: /^tests::recursive::many_mixed$/,
    why: REREAD,
  },
  {
    suite: "rust",
    part: "wasip2/crates/ignore-0.4.23",
    name: /^dir::tests::(exclude_lowest|stops_at_git_dir)$/,
    why: REREAD,
  },
  { suite: "rust", name: /^net::tcp::tests::ttl$/, why: HOP_LIMIT },
  {
    suite: "rust",
    name:
      /^tests::recursive::sym_(dir_nofollow|file_(no)?follow|root_dir_nofollow_root_follow|root_file_(no)?follow)$/,
    why: RELATIVE,
  },
  { suite: "rust", name: /^tests::recursive::sym_((root_)?dir_follow|loop_detect)$/, why: SAME },
  { suite: "rust", name: /^test_reopen$/, why: NIGHTLY },
  {
    suite: "rust",
    name: /^(glob::tests::match(backslash8|slash2|slash5)|pathutil::tests::normal[34])$/,
    why: NOT_UNIX,
  },
  {
    suite: "rust",
    name: /^(dir::tests::absolute_parent(_anchored)?|walk::tests::gitignore_parent)$/,
    why: CANONICAL,
  },
  {
    suite: "rust",
    name:
      /^walk::tests::((custom|explicit)_ignore(_exclusive_use)?|filter|gitignore|max_\w+|no_ignores)$/,
    why: PLACEHOLDER,
  },
  {
    suite: "libarchive",
    part: "write_disk",
    name: /^test_write_disk_(secure|secure744|symlink)$/,
    why: ABSOLUTE,
  },
  {
    suite: "libarchive",
    part: "write_format",
    name: /^test_write_format_zip_stream$/,
    why: STORED,
  },
  {
    suite: "micropython",
    name: /^vfs_(blockdev_invalid|fat_(fileio\d|more)|lfs_mount)$/,
    why: NUMBERS,
  },
  { suite: "micropython", name: /^vfs_posix_enoent$/, why: NAMED },
  { suite: "micropython", name: /^vfs_posix_paths$/, why: ROOTED },
];

/** Why a test fails, or undefined. */
export function causeOf({ suite, part, name, text }) {
  return known.find((cause) =>
    cause.suite === suite.name && (cause.part ?? part) === part &&
    (cause.name?.test(name) ?? true) && (cause.text?.test(text) ?? true)
  )?.why;
}
