/*
 * Starts a program with files as its standard streams:
 *
 *   start.exe IN OUT ERR PROGRAM WORDS...
 *
 * What Wine makes of the Unix descriptors that it inherits is not enough for the runtimes: a pipe
 * cannot be used, and a file cannot be looked at.
 */
#include <wchar.h>
#include <windows.h>

/* The rest of a command line behind its first word. */
static wchar_t *behind(wchar_t *line) {
  int quoted = 0;
  for (; *line != 0 && (quoted || (*line != L' ' && *line != L'\t')); line++) {
    if (*line == L'"') quoted = !quoted;
  }
  while (*line == L' ' || *line == L'\t') line++;
  return line;
}

/* The first word, without its quotes; it has none inside. */
static wchar_t *first(wchar_t *line) {
  static wchar_t words[3][1024];
  static int used;
  wchar_t *word = words[used++], *to = word;
  wchar_t *end = behind(line);
  while (end > line && (end[-1] == L' ' || end[-1] == L'\t')) end--;
  for (; line < end && to < word + 1023; line++) {
    if (*line != L'"') *to++ = *line;
  }
  *to = 0;
  return word;
}

static HANDLE open_stream(const wchar_t *name, DWORD access, DWORD how) {
  SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
  return CreateFileW(name, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                     &inherited, how, FILE_ATTRIBUTE_NORMAL, NULL);
}

int main(void) {
  wchar_t *line = behind(GetCommandLineW());
  STARTUPINFOW startup = {sizeof startup};
  startup.dwFlags = STARTF_USESTDHANDLES;
  startup.hStdInput = open_stream(first(line), GENERIC_READ, OPEN_EXISTING);
  line = behind(line);
  startup.hStdOutput = open_stream(first(line), GENERIC_READ | GENERIC_WRITE, CREATE_ALWAYS);
  line = behind(line);
  startup.hStdError = open_stream(first(line), GENERIC_READ | GENERIC_WRITE, CREATE_ALWAYS);
  line = behind(line);
  PROCESS_INFORMATION process;
  if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) return 126;
  WaitForSingleObject(process.hProcess, INFINITE);
  DWORD code = 125;
  GetExitCodeProcess(process.hProcess, &code);
  return (int)code;
}
