#pragma once
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

/// Names the calling thread. `prctl` is variadic, which Swift can't call, and glibc hides `pthread_setname_np` without
/// `_GNU_SOURCE`.
static inline void kauri_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
