// The peers in C++, driven as the bench asks: `peers CASE RUN CAPACITY CORE CORE`, then one line a round on stdin,
// the number of messages; the answer is one line of numbers.
//
// Rule 1. Each peer is the bare thing: threads of one process, no names, no deaths, no types.
// Rule 2. Threads live for a round, so that between rounds no core is taken from others.

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Message {
    long words[8];
};

struct alignas(128) Word {
    std::atomic<long> value{0};
};

using Clock = std::chrono::steady_clock;
int cores[2];

void pin(int which) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cores[which], &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

double nanoseconds(Clock::time_point since) {
    return std::chrono::duration<double, std::nano>(Clock::now() - since).count();
}

double used() {
    timespec spent;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return spent.tv_sec * 1e9 + spent.tv_nsec;
}

inline void relax(bool pause) {
    if (pause) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }
}

// Boost.Lockfree: one producer, one consumer, one by one or in runs.

using Queue = boost::lockfree::spsc_queue<Message>;

long taken(Queue &queue, long n, long run) {
    std::vector<Message> out(run);
    long sum = 0;
    for (long got = 0; got < n;) {
        long here = run == 1 ? queue.pop(out[0]) : queue.pop(out.data(), run);
        for (long i = 0; i < here; i++) sum += out[i].words[0];
        got += here;
    }
    return sum;
}

void given(Queue &queue, long n, long run) {
    std::vector<Message> rows(run);
    for (long i = 0; i < n; i += run) {
        for (long k = 0; k < run; k++) rows[k].words[0] = i + k;
        for (long done = 0; done < run;)
            done += run == 1 ? queue.push(rows[0]) : queue.push(rows.data() + done, run - done);
    }
}

void queue_round(Queue &queue, long n, long run) {
    std::atomic<bool> there{false};
    long sum = 0;
    std::thread consumer([&] {
        pin(1);
        there = true;
        sum = taken(queue, n, run);
    });
    while (!there) relax(true);
    double cpu = used();
    auto began = Clock::now();
    given(queue, n, run);
    consumer.join();
    std::printf("%.0f %.0f\n", nanoseconds(began), used() - cpu);
    if (sum != n * (n - 1) / 2) std::exit(1);
}

// One core's copy: records of 64 bytes, one after the other, in runs into as much memory as a ring has.

void copy_round(std::vector<Message> &ring, long n, long run) {
    std::vector<Message> rows(run);
    double cpu = used();
    auto began = Clock::now();
    for (long i = 0; i < n; i += run) {
        Message *to = &ring[i & (ring.size() - 1)];
        for (long k = 0; k < run; k++) to[k] = rows[k];
        asm volatile("" ::: "memory");
    }
    std::printf("%.0f %.0f\n", nanoseconds(began), used() - cpu);
}

// A bare ping-pong: two words, each written by one side; the answer is median, p99 and p99.9 of the trips.
// How far a line is from a core depends on its address: each round has words of its own.

void trips_round(long n, bool pause) {
    static Word words[1024];
    static int round = 0;
    Word &there = words[37 * ++round % 1024], &back = words[(37 * round + 501) % 1024];
    there.value = back.value = 0;
    std::thread echo([&] {
        pin(1);
        for (long i = 1; i <= n; i++) {
            while (there.value.load(std::memory_order_acquire) != i) relax(pause);
            back.value.store(i, std::memory_order_release);
        }
    });
    std::vector<double> took(n);
    auto began = Clock::now();
    for (long i = 1; i <= n; i++) {
        there.value.store(i, std::memory_order_release);
        while (back.value.load(std::memory_order_acquire) != i) relax(pause);
        auto now = Clock::now();
        took[i - 1] = std::chrono::duration<double, std::nano>(now - began).count();
        began = now;
    }
    echo.join();
    std::sort(took.begin(), took.end());
    std::printf("%.1f %.1f %.1f\n", took[n / 2], took[n * 99 / 100], took[n * 999 / 1000]);
}

}  // namespace

int main(int, char **given) {
    std::string what = given[1];
    long run = std::atol(given[2]), capacity = std::atol(given[3]), n;
    cores[0] = std::atoi(given[4]), cores[1] = std::atoi(given[5]);
    pin(0);
    Queue queue(what == "queue" ? capacity : 1);
    std::vector<Message> ring(what == "copy" ? capacity : 1);
    while (std::scanf("%ld", &n) == 1) {
        if (what == "queue") queue_round(queue, n, run);
        if (what == "copy") copy_round(ring, n, run);
        if (what == "trips") trips_round(n, run);
        std::fflush(stdout);
    }
}
