package dev.jformer.data.incontext;

import static dev.jformer.data.incontext.FunctionChecks.assertAllExplained;
import static dev.jformer.data.incontext.FunctionChecks.digits;
import static dev.jformer.data.incontext.FunctionChecks.explained;
import static dev.jformer.data.incontext.FunctionChecks.product;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

/** Parities, and which of them are held out. */
class ParitiesTest {
  @Test
  void productsAreSuch() {
    List<ToDoubleFunction<double[]>> products = new ArrayList<>();
    for (int[] subset : digits(6, 2)) {
      if (java.util.Arrays.stream(subset).sum() == 2) {
        products.add(x -> product(subset, x));
      }
    }
    assertAllExplained(new Parities(6, 2), products);
  }

  /** No product is both trained on and evaluated, and both kinds occur. */
  @Test
  void evaluatedProductsAreNotTrainedOn() {
    PromptSource source = new PromptSource(new Parities(6, 2), 60, 60, 1);
    Set<Integer> training = found(source.training(0));
    Set<Integer> heldOut = found(source.heldOut(60));
    assertTrue(training.size() > 3 && heldOut.size() > 3, training + " and " + heldOut);
    heldOut.retainAll(training);
    assertEquals(Set.of(), heldOut);
    assertThrows(
        IllegalArgumentException.class,
        () -> {
          new PromptSource(new Parities(3, 3), 4, 1, 1).training(0);
          new PromptSource(new Parities(3, 3), 4, 1, 1).heldOut(1);
        });
  }

  private static Set<Integer> found(Prompts prompts) {
    List<int[]> subsets = digits(6, 2);
    Set<Integer> found = new HashSet<>();
    for (int row = 0; row < prompts.count(); row++) {
      for (int i = 0; i < subsets.size(); i++) {
        int[] subset = subsets.get(i);
        if (explained(prompts, row, List.of(x -> product(subset, x)))) {
          found.add(i);
        }
      }
    }
    return found;
  }
}
