package dev.jformer.data.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.data.series.csv.CsvOptions;
import dev.jformer.data.series.csv.SeriesCsv;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files with something wrong anywhere: each is read, or refused with our own exception. */
class SeriesCsvFuzzTest {
  private static final int TRIALS = Integer.getInteger("jqwik.tries.default", 4_000);
  private static final double MOST_SECONDS = 5;

  private static final List<Gaps> GAPS = List.of(Gaps.values());

  private static final List<String> FILES =
      List.of(
          """
          date,HUFL,OT
          2016-07-01 00:00:00,5.827,30.531
          2016-07-01 01:00:00,5.693,27.787
          2016-07-01 02:00:00,,27.787
          2016-07-01 04:00:00,5.09,25.044
          """,
          """
          "Datum";"Last, MW";"Preis"
          "01.07.2016 00:15";1.234,5;"7"
          "01.07.2016 00:30";1.235,5;NA
          "01.07.2016 00:45";1.236,25;9
          """,
          """
          7/11/2016\t1e3\t-2
          7/12/2016\t1e4\t-3
          7/13/2016\t1e5\t-4
          7/14/2016\t1e6\t-5
          """,
          """
          a|when
          1|2016-01-31T00:00:00+01:00
          2|2016-02-29T00:00:00+01:00
          3|2016-03-31T00:00:00+02:00
          """,
          """
          sep=;
          Datum;Menge
          01.01.2020;900
          02.01.2020;1.000
          03.01.2020;1.100
          """,
          """
          # Station 7
          Date,Load
          01/11/2020 23:00,1500000010
          01/11/2020 24:00,1500000020
          # the sensor was changed
          01/12/2020 01:00,1500000030
          """,
          """
          Month,x,y
          Nov-15,1,"2,5"
          Dec-15,2,3
          Jan-16,4,"1,000.5"
          """,
          """
          unix,x
          1467331200,1
          1467334800,2
          1467338400,3
          """);

  private static final List<String> PIECES =
      List.of(
          ",",
          ";",
          "\t",
          "\"",
          "\n",
          "\r",
          "\r\n",
          "-",
          ".",
          ":",
          "/",
          " ",
          "NaN",
          "NA",
          "1e99",
          "é",
          "\u0000",
          "\ufeff",
          "2016-07-01",
          "01/02/2016",
          "Q1 2016",
          "9999999999999",
          "0",
          "9",
          "x",
          "+",
          "99999",
          "\"\"",
          ",,,,",
          "1467331200",
          "#",
          "'",
          "|",
          "2016-02-30",
          "24:00",
          "−1",
          "∞");

  @TempDir Path folder;

  @Test
  void readsOrRefuses() throws IOException {
    Path file = folder.resolve("fuzz.csv");
    int read = 0;
    int refused = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
      Random random = new Random(Scoped.seed() * 1_000_003 + trial);
      byte[] bytes = mutated(random);
      Files.write(file, bytes);
      long start = System.nanoTime();
      try {
        check(SeriesCsv.read(file, options(random)));
        read++;
      } catch (DataException e) {
        refused++;
        assertTrue(e.getMessage().contains("fuzz.csv"), trial + ": " + e.getMessage());
        assertFalse(e.getMessage().contains("null "), trial + ": " + e.getMessage());
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError(
            "trial %d, seed %d: %s"
                .formatted(trial, Scoped.seed(), new String(bytes, StandardCharsets.UTF_8)),
            e);
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      assertTrue(seconds < MOST_SECONDS, trial + ": " + seconds + " s");
    }
    System.out.printf("%d files of seed %d: %d read%n", TRIALS, Scoped.seed(), read);
    // Mutations are mild enough to leave some files whole, and wild enough to break most.
    assertTrue(read > TRIALS / 20 && refused > TRIALS / 4, read + " read, " + refused + " refused");
  }

  private static void check(SeriesCsv.Read read) {
    Series series = read.series();
    assertTrue(series.rows() >= 2 && series.columns() >= 1);
    for (int c = 0; c < series.columns(); c++) {
      for (double value : series.column(c)) {
        assertTrue(Double.isFinite(value), series.names().get(c) + ": " + value);
      }
    }
    for (int row = 1; row < Math.min(100, series.rows()); row++) {
      assertTrue(series.time(row).isAfter(series.time(row - 1)), "" + series);
    }
    assertEquals(series.frequency(), Frequency.parse(series.frequency().toString()));
  }

  private static CsvOptions options(Random random) {
    return switch (random.nextInt(8)) {
      case 0 -> new CsvOptions().withGaps(GAPS.get(random.nextInt(4)));
      case 1 -> new CsvOptions(null, null, null, random.nextBoolean(), null, random.nextBoolean());
      case 2 -> new CsvOptions(null, null, null, null, ",;\t".charAt(random.nextInt(3)), null);
      default -> new CsvOptions();
    };
  }

  private static byte[] mutated(Random random) {
    StringBuilder text = new StringBuilder(FILES.get(random.nextInt(FILES.size())));
    int changes = random.nextInt(4);
    for (int i = 0; i < changes; i++) {
      int at = random.nextInt(text.length() + 1);
      int length = Math.min(text.length() - at, random.nextInt(random.nextInt(4) == 0 ? 30 : 3));
      switch (random.nextInt(4)) {
        case 0 -> text.delete(at, at + length);
        case 1 -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
        case 2 -> text.replace(at, at + length, PIECES.get(random.nextInt(PIECES.size())));
        default -> text.insert(at, text.substring(at, at + length));
      }
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    if (random.nextInt(10) == 0 && bytes.length > 0) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    return random.nextInt(20) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)) : bytes;
  }
}
