/*
 * A disk that fails, played: stands before the calls of the C library by which SQLite writes
 * (LD_PRELOAD), and lets one in FAULT_EVERY of them fail, while the file FAULT_SWITCH exists and the
 * path of what is written contains one of the names in FAULT_FILES (separated by ':'). Which ones
 * fail is made of FAULT_SEED. Each fault is noted in FAULT_NOTES, a letter:
 *
 *   e  nothing is written: EIO              n  nothing is written: ENOSPC
 *   s  half is written, and the rest fails: ENOSPC, as a disk that becomes full
 *   f  fsync or fdatasync fails: EIO        t  ftruncate fails: EIO
 *
 * What a fault leaves behind is what the call did until then. It does not play a disk that lies: what
 * was synced stays, and what was not synced stays too, unlike after a loss of power.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *files, *fault_switch, *notes;
static uint64_t every = 1000;
static _Atomic uint64_t drawn;
static uint64_t seed;
static __thread int rest_fails;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite64)(int, const void *, size_t, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate64)(int, off64_t);

__attribute__((constructor)) static void start(void) {
  files = getenv("FAULT_FILES");
  fault_switch = getenv("FAULT_SWITCH");
  notes = getenv("FAULT_NOTES");
  if (getenv("FAULT_EVERY")) every = strtoull(getenv("FAULT_EVERY"), NULL, 10);
  if (getenv("FAULT_SEED")) seed = strtoull(getenv("FAULT_SEED"), NULL, 10);
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite64 = dlsym(RTLD_NEXT, "pwrite64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_ftruncate64 = dlsym(RTLD_NEXT, "ftruncate64");
}

/* SplitMix64: each number depends on the seed and on how many were drawn before it. */
static uint64_t draw(void) {
  uint64_t z = seed + atomic_fetch_add(&drawn, 1) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

static int is_named(const char *path) {
  for (const char *at = files; at && *at;) {
    size_t length = strcspn(at, ":");
    char name[64];
    if (length < sizeof name) {
      memcpy(name, at, length);
      name[length] = 0;
      if (strstr(path, name)) return 1;
    }
    at += length + (at[length] == ':');
  }
  return 0;
}

static int is_concerned(int fd) {
  char link[64], path[4096];
  if (!files || !fault_switch || access(fault_switch, F_OK) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return is_named(path);
}

static void note(char kind) {
  int saved = errno;
  int fd = open(notes, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd >= 0) {
    real_write(fd, &kind, 1);
    close(fd);
  }
  errno = saved;
}

static int fail(char kind, int code) {
  note(kind);
  errno = code;
  return -1;
}

/* Decides on a write: how many bytes of it are done, or -1 with errno. */
static ssize_t allowed(int fd, size_t count) {
  int had_rest = rest_fails;
  rest_fails = 0;
  if (!is_concerned(fd)) return count;
  if (had_rest) return fail('s', ENOSPC);
  uint64_t number = draw();
  if (number % every != 0) return count;
  switch ((number >> 40) % 3) {
    case 0:
      return fail('e', EIO);
    case 1:
      return fail('n', ENOSPC);
    default:
      if (count < 2) return fail('n', ENOSPC);
      rest_fails = 1;
      return count / 2;
  }
}

ssize_t write(int fd, const void *bytes, size_t count) {
  ssize_t part = allowed(fd, count);
  return part < 0 ? -1 : real_write(fd, bytes, part);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  ssize_t part = allowed(fd, count);
  return part < 0 ? -1 : real_pwrite64(fd, bytes, part, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  return pwrite64(fd, bytes, count, at);
}

/* There are far fewer of these than writes, so more of them fail. */
static int sync_fails(int fd) { return is_concerned(fd) && draw() % (every / 4 + 1) == 0; }

int fsync(int fd) { return sync_fails(fd) ? fail('f', EIO) : real_fsync(fd); }

int fdatasync(int fd) { return sync_fails(fd) ? fail('f', EIO) : real_fdatasync(fd); }

int ftruncate64(int fd, off64_t length) {
  return sync_fails(fd) ? fail('t', EIO) : real_ftruncate64(fd, length);
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
