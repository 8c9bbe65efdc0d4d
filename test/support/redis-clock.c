/* Loaded into a Redis server with LD_PRELOAD: its time is what the file MOORING_CLOCK_FILE says, in microseconds since
   1970, as 8 bytes in the order of this machine. Or, with MOORING_CLOCK_AHEAD_MS, it is so far ahead. Time that only
   measures durations stays real. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *micros;
static int64_t ahead;

__attribute__((constructor)) static void open_clock(void) {
  const char *ms = getenv("MOORING_CLOCK_AHEAD_MS");
  if (ms) {
    ahead = atoll(ms) * 1000;
    return;
  }
  int file = open(getenv("MOORING_CLOCK_FILE"), O_RDONLY);
  micros = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (micros == MAP_FAILED) abort();
}

static int64_t now_micros(void) {
  if (micros) return *micros;
  struct timespec real;
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
  return (int64_t)real.tv_sec * 1000000 + real.tv_nsec / 1000 + ahead;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  int64_t at = now_micros();
  now->tv_sec = at / 1000000;
  now->tv_usec = at % 1000000;
  return 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return syscall(SYS_clock_gettime, clock, now);
  int64_t at = now_micros();
  now->tv_sec = at / 1000000;
  now->tv_nsec = at % 1000000 * 1000;
  return 0;
}

time_t time(time_t *now) {
  time_t seconds = now_micros() / 1000000;
  if (now) *now = seconds;
  return seconds;
}
