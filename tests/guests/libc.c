/* What programs do through libc: streams, directories, the current directory, time. */
#include "check.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static void fails(const char *sentence, bool failed, int expected) {
  int error = failed ? errno : 0;
  equals(sentence, (u64)error, (u64)expected);
}

static void streams(void) {
  char line_read[64];
  FILE *file = fopen("/stream", "w+");
  is_true("fopen(w+) creates a file", file != NULL);
  if (file == NULL) return;
  for (int i = 0; i < 1000; i++) fprintf(file, "line %d\n", i);
  equals("fseek() goes to the start", (u64)fseek(file, 0, SEEK_SET), 0);
  u32 right = 0;
  for (int i = 0; fgets(line_read, sizeof line_read, file) != NULL; i++) {
    right += strncmp(line_read, "line ", 5) == 0 && atoi(line_read + 5) == i;
  }
  equals("fgets() reads each line back", right, 1000);
  is_true("feof() tells the end", feof(file) != 0);
  equals("fseek() goes back from the end", (u64)fseek(file, -9, SEEK_END), 0);
  is_true("fgets() reads the last line", fgets(line_read, 64, file) != NULL &&
                                             strcmp(line_read, "line 999\n") == 0);
  equals("ftell() tells the size", (u64)ftell(file), 8890);
  equals("fclose() succeeds", (u64)fclose(file), 0);

  file = fopen("/stream", "a");
  is_true("fopen(a) opens it", file != NULL && fputs("appended\n", file) >= 0);
  if (file != NULL) fclose(file);
  struct stat attributes;
  is_true("and appends", stat("/stream", &attributes) == 0 && attributes.st_size == 8899);
  fails("fopen(wx) refuses what is there", fopen("/stream", "wx") == NULL, EEXIST);
  fails("fopen(r) refuses what is missing", fopen("/missing", "r") == NULL, ENOENT);
  fails("fopen(w) refuses a directory", fopen("/", "w") == NULL, EISDIR);

  is_true("fgets() reads standard input",
          fgets(line_read, 64, stdin) != NULL && strcmp(line_read, "first line\n") == 0);
  int a = 0, b = 0;
  is_true("scanf() reads standard input", scanf("%d %d", &a, &b) == 2 && a == 12 && b == -7);
}

static void descriptors(void) {
  int fd = open("/raw", O_RDWR | O_CREAT | O_EXCL, 0644);
  is_true("open(O_CREAT | O_EXCL) creates", fd >= 0);
  struct iovec out[] = {{(void *)"ab", 2}, {(void *)"", 0}, {(void *)"cdef", 4}};
  equals("writev() gathers", (u64)writev(fd, out, 3), 6);
  char got[16] = {0};
  equals("pread() reads at an offset", (u64)pread(fd, got, 3, 2), 3);
  is_true("what is there", strcmp(got, "cde") == 0);
  equals("lseek() tells the position", (u64)lseek(fd, 0, SEEK_CUR), 6);
  equals("fcntl(F_GETFL) tells the mode", (u64)(fcntl(fd, F_GETFL) & O_ACCMODE), O_RDWR);
  equals("ftruncate() succeeds", (u64)ftruncate(fd, 3), 0);
  equals("fsync() succeeds", (u64)fsync(fd), 0);
  equals("a file is no terminal", (u64)isatty(fd), 0);
  equals("close() succeeds", (u64)close(fd), 0);
  fails("close() again is EBADF", close(fd) == -1, EBADF);
  fails("open() of a directory to write is EISDIR", open("/", O_RDWR) == -1, EISDIR);
  fails("open(O_DIRECTORY) of a file is ENOTDIR", open("/raw", O_RDONLY | O_DIRECTORY) == -1, ENOTDIR);
  fd = open("/raw", O_WRONLY);
  fails("read() of a file open to write is refused", read(fd, got, 1) == -1, EBADF);
  close(fd);
  fd = open("/raw", O_RDONLY);
  fails("write() to a file open to read is refused", write(fd, "x", 1) == -1, EBADF);
  close(fd);
}

static void directories(void) {
  equals("mkdir() succeeds", (u64)mkdir("/tree", 0777), 0);
  fails("mkdir() again is EEXIST", mkdir("/tree", 0777) == -1, EEXIST);
  equals("chdir() succeeds", (u64)chdir("/tree"), 0);
  char cwd[64] = {0};
  is_true("getcwd() tells it", getcwd(cwd, sizeof cwd) != NULL && strcmp(cwd, "/tree") == 0);
  FILE *file = fopen("relative", "w");
  is_true("a relative path is beneath it", file != NULL && access("/tree/relative", F_OK) == 0);
  if (file != NULL) fclose(file);
  equals("chdir(..) succeeds", (u64)chdir("/"), 0);
  equals("symlink() succeeds", (u64)symlink("tree/relative", "/link"), 0);
  char text[64] = {0};
  equals("readlink() tells its length", (u64)readlink("/link", text, sizeof text), 13);
  equals("link() succeeds", (u64)link("/tree/relative", "/hard"), 0);
  equals("rename() succeeds", (u64)rename("/hard", "/tree/hard"), 0);
  u32 count = 0;
  DIR *stream = opendir("/tree");
  for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
    if (entry->d_name[0] != '.') count += entry->d_type == DT_REG;
  }
  if (stream != NULL) closedir(stream);
  equals("readdir() lists two files", count, 2);
  fails("rmdir() of a directory that is not empty is ENOTEMPTY", rmdir("/tree") == -1, ENOTEMPTY);
  fails("unlink() of a directory is EISDIR", unlink("/tree") == -1, EISDIR);
  equals("remove() of a file succeeds", (u64)remove("/tree/hard"), 0);
  equals("remove() of a directory that is empty succeeds",
         (u64)(mkdir("/tree/empty", 0777) | remove("/tree/empty")), 0);
  struct timespec times[2] = {{1000000000, 0}, {1500000000, 0}};
  struct stat attributes;
  equals("utimensat() succeeds", (u64)utimensat(AT_FDCWD, "/raw", times, 0), 0);
  is_true("and sets the time", stat("/raw", &attributes) == 0 &&
                                   attributes.st_mtim.tv_sec == 1500000000 &&
                                   attributes.st_atim.tv_sec == 1000000000);
}

int main(void) {
  streams();
  descriptors();
  directories();
  printf("# printed by %s\n", "printf");
  fflush(stdout);
  return finish();
}
