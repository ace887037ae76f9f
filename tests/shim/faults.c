/* Faults under a real process: loaded by LD_PRELOAD, it stands between the program and the system. Tests alone use it
 * (tests/tests/it/harness/faults.rs builds and steers it).
 *
 * SIGNALBOX_FAULTS_CONTROL  a file of three 64-bit numbers, read at every call, so that a test turns faults on and off
 * SIGNALBOX_FAULTS_FOLDER   the folder whose files can meet a full disk, and whose changes are recorded
 * SIGNALBOX_FAULTS_RECORD   where changes of those files are recorded; then nothing is really synced: what a disk
 *                           would keep is worked out from the record (tests/tests/it/harness/disk.rs)
 *
 * A change is recorded before it is made, a sync after: whatever the record says to be synced had been written, and of
 * a process that is killed at most the last change is recorded and not made. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FDS = 65536, NAME = 32 };

/* As in tests/tests/it/harness/faults.rs. */
struct control {
    volatile int64_t clock_ahead_s, disk_full, dns_gone;
};

/* As in tests/tests/it/harness/disk.rs; `length` bytes follow a write. */
struct change {
    uint8_t what;
    char name[NAME - 1];
    uint64_t at, length;
};

static struct control none;
static struct control *control = &none;
static const char *folder;
static int record = -1;
/* The file of the folder that a descriptor stands for, "." for the folder itself, else nothing. */
static char names[FDS][NAME];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void give_up(const char *why) {
    fprintf(stderr, "tests/shim/faults.c: %s\n", why);
    abort();
}

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("SIGNALBOX_FAULTS_CONTROL");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) give_up("SIGNALBOX_FAULTS_CONTROL names no file");
    void *mapped = mmap(NULL, sizeof *control, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) give_up("the control file cannot be mapped");
    control = mapped;
    folder = getenv("SIGNALBOX_FAULTS_FOLDER");
    if ((path = getenv("SIGNALBOX_FAULTS_RECORD"))) {
        record = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (record < 0) give_up("the record cannot be opened");
    }
}

/* What `path` is called in the folder; nothing if it is elsewhere. */
static const char *name_in_folder(const char *path) {
    size_t length = folder ? strlen(folder) : 0;
    if (!length || strncmp(path, folder, length)) return NULL;
    if (!path[length]) return ".";
    return path[length] == '/' && path[length + 1] ? path + length + 1 : NULL;
}

static const char *name_of(int fd) {
    return fd >= 0 && fd < FDS && names[fd][0] ? names[fd] : NULL;
}

/* The index of the log is made anew after a crash, and the lock says nothing: what they hold need not survive. */
static int is_recorded(const char *name) {
    size_t length = name ? strlen(name) : 0;
    return record >= 0 && length && !(length > 4 && !strcmp(name + length - 4, "-shm")) &&
           !(length > 5 && !strcmp(name + length - 5, ".lock"));
}

static void note(char what, const char *name, uint64_t at, const void *data, size_t length) {
    struct change change = {.what = (uint8_t)what, .at = at, .length = length};
    strcpy(change.name, name);
    struct iovec parts[] = {{&change, sizeof change}, {(void *)data, data ? length : 0}};
    ssize_t whole = (ssize_t)(sizeof change + parts[1].iov_len);
    if (syscall(SYS_writev, record, parts, 2) != whole) give_up("the record cannot be written");
}

static int open_named(const char *path, int flags, mode_t mode) {
    const char *name = name_in_folder(path);
    if (!name) return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (strlen(name) >= NAME - 1) give_up("a file's name is too long");
    pthread_mutex_lock(&lock);
    if ((flags & O_CREAT) && is_recorded(name) && access(path, F_OK)) note('c', name, 0, NULL, 0);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= FDS) give_up("too many files are open");
    if (fd >= 0) strcpy(names[fd], name);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(function)                                                   \
    int function(const char *path, int flags, ...) {                     \
        va_list more;                                                    \
        va_start(more, flags);                                           \
        mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;      \
        va_end(more);                                                    \
        return open_named(path, flags, mode);                            \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    /* Before it is closed: another thread may be given the same number at once. */
    if (name_of(fd)) names[fd][0] = 0;
    return (int)syscall(SYS_close, fd);
}

int unlink(const char *path) {
    const char *name = name_in_folder(path);
    pthread_mutex_lock(&lock);
    if (is_recorded(name) && !access(path, F_OK)) note('u', name, 0, NULL, 0);
    int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

/* Only writing needs room: a file that is made longer has a hole. */
static int is_full(const char *name) {
    if (!name || !control->disk_full) return 0;
    errno = ENOSPC;
    return 1;
}

static ssize_t write_at(int fd, const void *data, size_t length, off_t at) {
    const char *name = name_of(fd);
    if (is_full(name)) return -1;
    if (!is_recorded(name)) return syscall(SYS_pwrite64, fd, data, length, at);
    pthread_mutex_lock(&lock);
    note('w', name, (uint64_t)at, data, length);
    ssize_t written = syscall(SYS_pwrite64, fd, data, length, at);
    if (written != (ssize_t)length) give_up("the disk of the tests took only a part");
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t at) { return write_at(fd, data, length, at); }

ssize_t write(int fd, const void *data, size_t length) {
    if (!name_of(fd)) return syscall(SYS_write, fd, data, length);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t written = write_at(fd, data, length, at);
    if (written > 0) lseek(fd, at + written, SEEK_SET);
    return written;
}

int ftruncate64(int fd, off_t length) {
    const char *name = name_of(fd);
    if (!is_recorded(name)) return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    note('t', name, (uint64_t)length, NULL, 0);
    int result = (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_unlock(&lock);
    return result;
}

static int sync_file(int fd) {
    const char *name = name_of(fd);
    if (!is_recorded(name)) return (int)syscall(SYS_fsync, fd);
    pthread_mutex_lock(&lock);
    note('s', name, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd) { return sync_file(fd); }
int fdatasync(int fd) { return sync_file(fd); }

void *mmap64(void *address, size_t length, int access, int flags, int fd, off_t offset) {
    if (is_recorded(name_of(fd)) && (access & PROT_WRITE) && (flags & MAP_SHARED))
        give_up("a file is written through memory, which is not recorded");
    return (void *)syscall(SYS_mmap, address, length, access, flags, fd, offset);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += control->clock_ahead_s;
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    (void)zone;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    if (!result) *time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return result;
}

time_t time(time_t *also) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (also) *also = now.tv_sec;
    return now.tv_sec;
}

int getaddrinfo(const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict found) {
    typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (control->dns_gone) return EAI_AGAIN;
    return ((lookup *)dlsym(RTLD_NEXT, "getaddrinfo"))(host, service, hints, found);
}
