import com.lmax.disruptor.*;
import com.lmax.disruptor.dsl.*;
import java.io.*;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;

/**
 * Drives an LMAX Disruptor as the bench asks: `Lmax SHAPE RUN WAIT CAPACITY`, then one line a round on stdin,
 * the number of messages; the answer is the nanoseconds from the first publication to the last message
 * having passed every handler. RUN 0 sends a message only when the one before has passed, and answers the
 * median and the 99th percentile of these trips instead. SHAPE `producers` has three publishers of 64-byte records.
 *
 * Rule 1. The producer writes and the handlers compute what the stages of the bench do, on the same fields.
 * Rule 2. One class of handlers and one wait strategy per process, so that every call can be inlined.
 */
public final class Lmax {
    static class Record {
        long px, qty;
    }

    /** A record of 64 bytes. */
    static final class Wide extends Record {
        long c, d, e, f, g, h;
    }

    /** One stage, by number; multicast stages keep a total of their own, as nobody may write there. */
    static final class Stage implements EventHandler<Record> {
        private final int work;
        long total;

        Stage(int work) {
            this.work = work;
        }

        @Override
        public void onEvent(Record r, long sequence, boolean endOfBatch) {
            switch (work) {
                case 0: r.px += r.qty; break;
                case 1: r.qty = r.px * 3; break;
                case 2: r.px ^= r.qty; break;
                case 3: r.px = r.px * 3; break;
                case 4: r.qty = r.qty + 7; break;
                case 5: total += r.px; break;
                case 6: total += r.qty; break;
                default: total ^= r.px;
            }
        }
    }

    public static void main(String[] given) throws IOException {
        int run = Integer.parseInt(given[1]);
        int capacity = Integer.parseInt(given[3]);
        if (given[0].equals("producers")) {
            several(run, capacity, strategy(given[2]));
            return;
        }
        Disruptor<Record> disruptor =
            new Disruptor<>(Record::new, capacity, named(), ProducerType.SINGLE, strategy(given[2]));
        RingBuffer<Record> ring = disruptor.getRingBuffer();
        Stage[] last = wire(disruptor, given[0]);
        disruptor.start();
        serve(() -> produce(disruptor, ring, last, run));
        disruptor.halt();
    }

    private static final int PRODUCERS = 3;

    private static void several(int run, int capacity, WaitStrategy wait) throws IOException {
        Disruptor<Record> disruptor = new Disruptor<>(Wide::new, capacity, named(), ProducerType.MULTI, wait);
        RingBuffer<Record> ring = disruptor.getRingBuffer();
        Stage last = new Stage(5);
        disruptor.handleEventsWith(last);
        disruptor.start();
        CyclicBarrier begin = new CyclicBarrier(PRODUCERS + 1);
        long[] share = new long[1];
        for (int i = 0; i < PRODUCERS; i++) {
            named().newThread(() -> {
                for (met(begin); ; met(begin)) {
                    publish(ring, share[0], run);
                }
            }).start();
        }
        serve(() -> {
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
            System.out.println("ready");
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                share[0] = Long.parseLong(line.trim()) / PRODUCERS;
                long until = disruptor.getSequenceValueFor(last) + share[0] * PRODUCERS;
                long began = System.nanoTime();
                met(begin);
                while (disruptor.getSequenceValueFor(last) < until) {
                    LockSupport.parkNanos(20_000);
                }
                System.out.println(System.nanoTime() - began);
            }
        });
        disruptor.halt();
    }

    private static void met(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void publish(RingBuffer<Record> ring, long n, int run) {
        for (long i = 0; i < n; i += run) {
            long high = ring.next(run);
            for (long sequence = high - run + 1; sequence <= high; sequence++) {
                Wide r = (Wide) ring.get(sequence);
                r.px = i + (sequence - high + run - 1);
                r.qty = r.c = r.d = r.e = r.f = r.g = r.h = 1;
            }
            ring.publish(high - run + 1, high);
        }
    }

    private static Stage[] wire(Disruptor<Record> disruptor, String shape) {
        Stage[] s = new Stage[8];
        for (int i = 0; i < s.length; i++) {
            s[i] = new Stage(i);
        }
        switch (shape) {
            case "unicast":
                disruptor.handleEventsWith(s[0]);
                return new Stage[] {s[0]};
            case "pipeline":
                disruptor.handleEventsWith(s[0]).then(s[1]).then(s[2]);
                return new Stage[] {s[2]};
            case "diamond":
                disruptor.handleEventsWith(s[3], s[4]).then(s[2]);
                return new Stage[] {s[2]};
            case "multicast":
                disruptor.handleEventsWith(s[5], s[6], s[7]);
                return new Stage[] {s[5], s[6], s[7]};
            default:
                throw new IllegalArgumentException(shape);
        }
    }

    private static void produce(Disruptor<Record> disruptor, RingBuffer<Record> ring, Stage[] last, int run)
        throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        System.out.println("ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            long n = Long.parseLong(line.trim());
            if (run == 0) {
                System.out.println(thereAndBack(disruptor, ring, last[0], (int) n));
                continue;
            }
            long began = System.nanoTime();
            if (run == 1) {
                oneByOne(ring, n);
            } else {
                inRuns(ring, n, run);
            }
            await(disruptor, last, ring.getCursor());
            System.out.println(System.nanoTime() - began);
        }
    }

    private static void oneByOne(RingBuffer<Record> ring, long n) {
        for (long i = 0; i < n; i++) {
            long sequence = ring.next();
            Record r = ring.get(sequence);
            r.px = i;
            r.qty = 1;
            ring.publish(sequence);
        }
    }

    private static void inRuns(RingBuffer<Record> ring, long n, int run) {
        for (long i = 0; i < n; i += run) {
            long high = ring.next(run);
            long low = high - run + 1;
            for (long sequence = low; sequence <= high; sequence++) {
                Record r = ring.get(sequence);
                r.px = i + (sequence - low);
                r.qty = 1;
            }
            ring.publish(low, high);
        }
    }

    private static String thereAndBack(Disruptor<Record> disruptor, RingBuffer<Record> ring, Stage last, int n) {
        long[] took = new long[n];
        for (int i = 0; i < n; i++) {
            long began = System.nanoTime();
            long sequence = ring.next();
            Record r = ring.get(sequence);
            r.px = i;
            r.qty = 1;
            ring.publish(sequence);
            while (disruptor.getSequenceValueFor(last) < sequence) {
                Thread.onSpinWait();
            }
            took[i] = System.nanoTime() - began;
        }
        Arrays.sort(took);
        return took[n / 2] + " " + took[n * 99 / 100];
    }

    private static void await(Disruptor<Record> disruptor, Stage[] last, long sequence) {
        for (Stage stage : last) {
            while (disruptor.getSequenceValueFor(stage) < sequence) {
                Thread.yield();
            }
        }
    }

    private static WaitStrategy strategy(String name) {
        return name.equals("spin") ? new BusySpinWaitStrategy() : new YieldingWaitStrategy();
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void serve(Work work) {
        Thread producer = named().newThread(() -> {
            try {
                work.run();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        producer.setDaemon(false);
        producer.start();
        while (producer.isAlive()) {
            try {
                producer.join();
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static int threads;

    /** Threads are named `ring-0` and so on in the order of their start; the producer comes last. */
    private static ThreadFactory named() {
        return work -> {
            Thread thread = new Thread(work, String.format(Locale.ROOT, "ring-%d", threads++));
            thread.setDaemon(true);
            return thread;
        };
    }
}
