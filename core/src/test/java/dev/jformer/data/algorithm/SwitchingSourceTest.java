package dev.jformer.data.algorithm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SwitchingSourceTest {
  private static final int SYMBOLS = 400_000;

  /** Bits a symbol needs if the one so far back is known, from counts. */
  private static double conditional(String text, int back) {
    double[][] counts = new double[2][2];
    for (int i = back; i < text.length(); i++) {
      counts[text.charAt(i - back) - 'a'][text.charAt(i) - 'a']++;
    }
    double bits = 0;
    for (double[] row : counts) {
      for (double count : row) {
        bits -= count * Math.log(count / (row[0] + row[1])) / Math.log(2);
      }
    }
    return bits / (text.length() - back);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 7})
  void onlyTheSymbolSoFarBackTellsAnything(int order) {
    SwitchingSource source = new SwitchingSource(order, 0.2, 0.35);
    String text = source.sample(SYMBOLS, new SplittableRandom(order));
    assertEquals(SYMBOLS, text.length());
    for (int back = 1; back <= 4; back++) {
      boolean tells = back % order == 0; // through one that lies between
      double bits = conditional(text, back);
      if (back == order) {
        assertEquals(source.entropyRate(), bits, 3e-3);
      } else if (!tells) {
        assertEquals(source.independentEntropy(), bits, 3e-3);
      }
    }
    double share = text.chars().filter(c -> c == 'b').count() / (double) SYMBOLS;
    assertEquals(source.shareOfB(), share, 5e-3);
  }

  @Test
  void knowsItsEntropies() {
    SwitchingSource source = new SwitchingSource(3, 0.2, 0.2);
    assertEquals(0.7219280948873623, source.entropyRate(), 1e-12);
    assertEquals(1, source.independentEntropy(), 1e-12);
    assertEquals(0.2, source.smallest(), 0);
    double epsilon = Math.log(5) / (0.99 * Math.log(1000));
    assertEquals(0.7219280948873623 / (1 - epsilon), source.bound(1000), 1e-12);
    assertTrue(Double.isInfinite(source.bound(4)));
  }

  @Test
  void refusesWhatIsNoSource() {
    assertThrows(IllegalArgumentException.class, () -> new SwitchingSource(0, 0.2, 0.2));
    assertThrows(IllegalArgumentException.class, () -> new SwitchingSource(1, 1, 0.2));
    assertThrows(IllegalArgumentException.class, () -> new SwitchingSource(1, 0, 0.2));
  }
}
