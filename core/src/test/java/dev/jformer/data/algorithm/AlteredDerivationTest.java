package dev.jformer.data.algorithm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AlteredDerivationTest {
  private static final int SAMPLES = 300;

  @Test
  void alteredDerivationsHaveTheSameResult() {
    LongestIncreasing plain = new LongestIncreasing(9, 40, true);
    AlteredDerivation filled = new AlteredDerivation(plain, AlteredDerivation.Change.FILLER);
    AlteredDerivation shuffled = new AlteredDerivation(plain, AlteredDerivation.Change.SHUFFLED);
    int moved = 0;
    for (int seed = 0; seed < SAMPLES; seed++) {
      Example right = plain.draw(new Random(seed));
      Example filler = filled.draw(new Random(seed));
      assertEquals(right.prompt(), filler.prompt());
      assertEquals(right.answer().size(), filler.answer().size());
      assertEquals(1, new HashSet<>(filler.answer().subList(0, 10)).size());
      assertEquals(plain.result(right.answer()), filled.result(filler.answer()));
      Example other = shuffled.draw(new Random(seed));
      assertEquals(plain.result(right.answer()), shuffled.result(other.answer()));
      assertEquals(
          right.answer().subList(0, 9).stream().sorted().toList(),
          other.answer().subList(0, 9).stream().sorted().toList());
      moved += right.answer().equals(other.answer()) ? 0 : 1;
    }
    assertTrue(moved > SAMPLES / 2, moved + " moved");
    Arithmetic lines =
        new Arithmetic(ArithmeticOperation.ADD, ArithmeticFormat.SIMPLE_SCRATCHPAD, 3, true);
    AlteredDerivation several = new AlteredDerivation(lines, AlteredDerivation.Change.SHUFFLED);
    String message =
        assertThrows(IllegalArgumentException.class, () -> several.draw(new Random(1)))
            .getMessage();
    assertTrue(message.contains("FILLER"), message);
  }
}
