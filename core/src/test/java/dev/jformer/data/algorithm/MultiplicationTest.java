package dev.jformer.data.algorithm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MultiplicationTest {
  private static final int SAMPLES = 300;

  @Test
  void productsAreRight() {
    Multiplication problem = new Multiplication(5, 4, false, 0);
    Random random = new Random(3);
    for (Example example : Stream.generate(() -> problem.draw(random)).limit(SAMPLES).toList()) {
      String[] factors = String.join("", example.prompt()).replace("=", "").split("\\*");
      BigInteger product = new BigInteger(factors[0]).multiply(new BigInteger(factors[1]));
      assertEquals(product, new BigInteger(String.join("", example.answer())));
      assertEquals(9, example.answer().size());
    }
    assertEquals(0, successiveCarries(2, 9, 9, 9, 9, 9), "18 carries by itself");
    assertEquals(4, successiveCarries(3, 3, 3, 3, 3, 4), "12, then four times 9 + 1");
    assertEquals(0, successiveCarries(2, 4, 4, 4, 4, 4), "no carries");
  }

  private static int successiveCarries(int factor, int... digits) {
    Example example = new Multiplication(5, 1, false, 0).of(digits, new int[] {factor});
    return example.traits().get("successive carries");
  }

  @Test
  void digitsOfProductsHaveTheirTask() {
    Random random = new Random(5);
    for (boolean reversed : new boolean[] {false, true}) {
      Multiplication problem = new Multiplication(5, 1, reversed, 0);
      Map<Multiplication.SubTask, Integer> seen = new HashMap<>();
      for (int i = 0; i < SAMPLES; i++) {
        Example example = problem.draw(random);
        List<Multiplication.SubTask> tasks = new ArrayList<>(problem.tasks(example));
        assertEquals(6, tasks.size());
        if (!reversed) {
          Collections.reverse(tasks);
        }
        String[] factors = String.join("", example.prompt()).replace("=", "").split("\\*");
        int factor = Integer.parseInt(factors[1]);
        for (int place = 0; place < 6; place++) {
          // What comes in from the places below, and what would come in from the next one alone.
          int unit = (int) Math.pow(10, place);
          int carry = Integer.parseInt(factors[0]) % unit * factor / unit;
          int alone = Integer.parseInt(factors[0]) % unit / Math.max(1, unit / 10) * factor / 10;
          Multiplication.SubTask expected =
              carry == 0
                  ? Multiplication.SubTask.BASE
                  : carry == alone
                      ? Multiplication.SubTask.CARRY
                      : Multiplication.SubTask.SUCCESSIVE_CARRY;
          assertEquals(expected, tasks.get(place), example + " at " + place);
          seen.merge(expected, 1, Integer::sum);
        }
      }
      assertEquals(Set.of(Multiplication.SubTask.values()), seen.keySet());
    }
    Example other = new Multiplication(3, 1, false, 0).draw(random);
    assertThrows(IllegalArgumentException.class, () -> new Multiplication().tasks(other));
  }
}
