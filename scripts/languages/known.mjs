/** Tests of the languages that fail, and why. None of these is for us to mend. */

const OLDER = "the test is of 3.11, and 3.12 does this differently";
const CORRECTED = "Debian's 3.11 has a correction that 3.12.0 does not have";
const STACK = "recursion without end overflows the stack of the program itself, which traps";
const ZIPPED = "this build has its library in an archive, without sources";

const known = [
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
export function causeOf({ suite, part, name }) {
  return known.find((cause) =>
    cause.suite === suite.name && (cause.part ?? part) === part && cause.name.test(name)
  )?.why;
}
