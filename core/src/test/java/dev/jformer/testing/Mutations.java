package dev.jformer.testing;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCases;
import net.jqwik.api.RandomDistribution;

/** Damaged copies of files, and the check that reading one ends well. */
public final class Mutations {
  private static final int[] NUMBERS = {
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    256,
    32767,
    65535,
    65536,
    1 << 24,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE
  };

  /** The most time that reading a damaged file may take, in seconds of a processor. */
  private static final double SECONDS = 5;

  private Mutations() {}

  private enum Kind {
    SET,
    FLIP,
    NUMBER,
    SHORT,
    LITTLE_NUMBER,
    INSERT,
    REPEAT,
    DELETE,
    ZERO,
    CUT
  }

  private record Edit(Kind kind, double place, int length, int value) {
    byte[] apply(byte[] file) {
      int at = (int) (place * file.length);
      int end = Math.min(file.length, at + length);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      out.write(file, 0, at);
      byte[] put =
          switch (kind) {
            case SET -> new byte[] {(byte) value};
            case FLIP -> new byte[] {(byte) ((at < end ? file[at] : 0) ^ (1 << (value & 7)))};
            case NUMBER, LITTLE_NUMBER, SHORT -> number();
            case INSERT -> new byte[] {(byte) value, (byte) (value >> 8)};
            case REPEAT -> Arrays.copyOfRange(file, at, end);
            case ZERO -> new byte[end - at];
            case DELETE, CUT -> new byte[0];
          };
      out.writeBytes(put);
      int next =
          switch (kind) {
            case INSERT, REPEAT -> at;
            case DELETE -> end;
            case CUT -> file.length;
            default -> Math.min(file.length, at + put.length);
          };
      out.write(file, next, file.length - next);
      return out.toByteArray();
    }

    private byte[] number() {
      int number = NUMBERS[Math.floorMod(value, NUMBERS.length)];
      if (kind == Kind.SHORT) {
        return ByteBuffer.allocate(2).putShort((short) number).array();
      }
      ByteOrder order = kind == Kind.LITTLE_NUMBER ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
      return ByteBuffer.allocate(4).order(order).putInt(number).array();
    }
  }

  /** Copies of one of these files with one to six edits. */
  public static Arbitrary<byte[]> of(List<byte[]> files) {
    Arbitrary<Edit> edit =
        Combinators.combine(
                Arbitraries.of(Kind.class),
                uniform(0, 1_000_000).map(place -> place / 1e6),
                uniform(1, 40),
                uniform(0, 65535))
            .as(Edit::new);
    return Combinators.combine(uniform(0, files.size() - 1), edit.list().ofMinSize(1).ofMaxSize(6))
        .as(
            (file, edits) -> {
              byte[] now = files.get(file);
              for (Edit each : edits) {
                now = each.apply(now);
              }
              return now;
            });
  }

  /** Numbers between two, not more often the small ones as is usual in jqwik. */
  private static Arbitrary<Integer> uniform(int from, int to) {
    return Arbitraries.integers()
        .between(from, to)
        .withDistribution(RandomDistribution.uniform())
        .edgeCases(EdgeCases.Config::none);
  }

  /** Reads a file. */
  public interface Reading {
    /** Reads it, or throws an exception that says what is wrong with it. */
    void read() throws Exception;
  }

  /**
   * Checks that a damaged file is read or refused in a line, with its name, in little time.
   *
   * @param refusal the exception that may refuse it
   */
  public static void check(String name, Reading reading, Class<? extends Exception> refusal) {
    assertTimeoutPreemptively(
        Duration.ofMinutes(1),
        () -> {
          long before = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
          try {
            reading.read();
          } catch (Exception e) {
            if (!refusal.isInstance(e)) {
              throw new AssertionError(name + ": " + e, e);
            }
            String message = String.valueOf(e.getMessage());
            assertTrue(message.contains(name), message);
            assertFalse(message.contains("\n"), message);
          }
          long after = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
          assertTrue((after - before) / 1e9 < SECONDS, (after - before) / 1e9 + " s");
        });
  }
}
