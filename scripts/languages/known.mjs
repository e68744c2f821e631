/** Tests of the languages that fail, and why. None of these is for us to mend. */

const OLDER = "the test is of 3.11, and 3.12 does this differently";
const CORRECTED = "Debian's 3.11 has a correction that 3.12.0 does not have";
const STACK = "recursion without end overflows the stack of the program itself, which traps";
const ZIPPED = "this build has its library in an archive, without sources";

const PROCESSES = "WASI has no processes, threads, pipes, groups or names of users";
const PERMISSIONS = "WASI has no permissions or owners of files";
const ABSOLUTE = "WASI has no links to absolute paths";
const LOCKS = "WASI has no locks on files";
const READING =
  "wasi-libc's O_RDONLY is a flag of its own: open() without it and O_WRONLY is EINVAL";

const known = [
  {
    suite: "ruby",
    text: /NotImplementedError|Errno::(ENOTSUP|ENOSYS): .* @ (pipe_open|rb_io_reopen|rb_f_exec)/,
    why: PROCESSES,
  },
  {
    suite: "ruby",
    text: /Errno::ENOTSUP.*\n.*`(pipe|popen|`|spawn|system|exec|fork)'/,
    why: PROCESSES,
  },
  {
    suite: "ruby",
    text: /Errno::(ENOSYS|ENOTSUP).* @ (apply2files|rb_file_ch\w+) /,
    why: PERMISSIONS,
  },
  { suite: "ruby", text: /Errno::EPERM: .* @ rb_file_s_symlink - \(\//, why: ABSOLUTE },
  { suite: "ruby", text: /Errno::EINVAL.* @ rb_file_flock /, why: LOCKS },
  {
    suite: "ruby",
    part: "core/file",
    text: /Errno::EINVAL.* @ rb_sysopen |File::WRONLY\|\|File::RDONLY/,
    why: READING,
  },
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
];

/** Why a test fails, or undefined. */
export function causeOf({ suite, part, name, text }) {
  return known.find((cause) =>
    cause.suite === suite.name && (cause.part ?? part) === part &&
    (cause.name?.test(name) ?? true) && (cause.text?.test(text) ?? true)
  )?.why;
}
