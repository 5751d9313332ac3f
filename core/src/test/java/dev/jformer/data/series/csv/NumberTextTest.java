package dev.jformer.data.series.csv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jformer.testing.Scoped;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers as they are written, against the JDK's own parsing. */
class NumberTextTest {
  private final NumberText point = new NumberText(false);
  private final NumberText comma = new NumberText(true);

  @Test
  void readsEveryFloatBack() {
    Random random = new Random(Scoped.seed());
    for (int i = 0; i < 200_000; i++) {
      float value = Float.intBitsToFloat(random.nextInt());
      if (Float.isFinite(value)) {
        String text = Float.toString(value);
        assertEquals(NumberText.Kind.NUMBER, point.read(text), text);
        assertEquals(Double.parseDouble(text), point.value(), text);
        String german = text.replace('.', ',');
        assertEquals(NumberText.Kind.NUMBER, comma.read(german), german);
        assertEquals(Double.parseDouble(text), comma.value(), german);
      }
    }
  }

  @Test
  void readsDoublesAsTheJdkDoes() {
    Random random = new Random(Scoped.seed());
    for (int i = 0; i < 100_000; i++) {
      double value = random.nextGaussian() * Math.pow(10, random.nextInt(40) - 20);
      String text =
          switch (i % 3) {
            case 0 -> Double.toString(value);
            case 1 -> String.format(Locale.ROOT, "%.6f", value);
            default -> new java.math.BigDecimal(value).toPlainString(); // hundreds of digits
          };
      assertEquals(NumberText.Kind.NUMBER, point.read(text), text);
      assertEquals(Double.parseDouble(text), point.value(), text);
    }
  }

  @Test
  void readsGroupsOfThree() {
    Random random = new Random(Scoped.seed());
    DecimalFormat english = new DecimalFormat("#,##0.###", new DecimalFormatSymbols(Locale.ROOT));
    DecimalFormat german = new DecimalFormat("#,##0.###", new DecimalFormatSymbols(Locale.GERMANY));
    for (int i = 0; i < 20_000; i++) {
      double value = Math.rint(random.nextGaussian() * 1e9) / 1000;
      assertEquals(NumberText.Kind.NUMBER, point.read(english.format(value)));
      assertEquals(value, point.value(), english.format(value));
      assertEquals(NumberText.Kind.NUMBER, comma.read(german.format(value)));
      assertEquals(value, comma.value(), german.format(value));
    }
    assertEquals(NumberText.Kind.NUMBER, point.read("1 234 567.5"));
    assertEquals(1234567.5, point.value());
    assertEquals(NumberText.Kind.NUMBER, point.read("1'234"));
    assertEquals(1234, point.value());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "  ", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "-", "--", "?",
        "."
      })
  void knowsWhatIsMissing(String text) {
    assertEquals(NumberText.Kind.MISSING, point.read(text));
    assertEquals(Double.NaN, point.value());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x",
        "1x",
        "0x10",
        "1f",
        "1d",
        "1e",
        "1e+",
        "1,5",
        "12,34",
        "1,2345",
        ",5",
        "1,234,56",
        "1234,567",
        "1..2",
        "1.2.3",
        "+-1",
        "1 2",
        "e5",
        "5%",
        "1,",
        "1_000"
      })
  void refusesText(String text) {
    assertEquals(NumberText.Kind.TEXT, point.read(text), text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1e39", "-4e38", "inf", "-Infinity", "1e99999999999"})
  void refusesWhatFloatsCannotHold(String text) {
    assertEquals(NumberText.Kind.TOO_LARGE, point.read(text), text);
  }
}
