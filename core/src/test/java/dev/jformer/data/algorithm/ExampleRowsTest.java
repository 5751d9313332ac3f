package dev.jformer.data.algorithm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.text.SampleRows;
import dev.jformer.tensor.Scope;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ExampleRowsTest {
  private final Problem problem = new Arithmetic();
  private final Alphabet alphabet = new Alphabet(problem);

  /** The rows of symbols, one after the other, are the examples one after the other. */
  @Test
  void filledRowsHoldEverySymbolOnce() {
    for (int length : new int[] {1, 2, 7, 64, 200, 5000}) {
      for (int batch = 0; batch < 20; batch++) {
        List<Example> examples = new Examples(problem, 0, 33, 3).training(batch);
        try (Scope scope = Scope.open()) {
          SampleRows rows = new ExampleRows(true, true).of(alphabet, examples, batch, length);
          List<Long> expected = text(examples);
          List<Long> found = text(rows, length);
          if (found.size() == expected.size() - 1) { // a last row of one symbol has no target
            expected.remove(found.size());
          }
          assertEquals(expected, found, length + " symbols, batch " + batch);
        }
      }
    }
  }

  private List<Long> text(List<Example> examples) {
    List<Long> all = new ArrayList<>();
    for (Example example : examples) {
      for (int id : alphabet.encode(example, true).ids()) {
        all.add((long) id);
      }
    }
    return all;
  }

  /** Each row is what is read at its first place, and the targets after each place. */
  private static List<Long> text(SampleRows rows, int length) {
    long width = rows.ids().size(1);
    assertTrue(width <= length, width + " symbols are read");
    long[] ids = rows.ids().toLongs();
    long[] positions = rows.positions().toLongs();
    long[] targets = rows.targets().toLongs();
    List<Long> all = new ArrayList<>();
    for (int i = 0; i < targets.length; i++) {
      boolean first = positions[i] % width == 0;
      if (first) {
        all.add(ids[(int) positions[i]]);
      } else {
        assertEquals(targets[i - 1], ids[(int) positions[i]], "what was learned is read next");
        assertEquals(positions[i - 1] + 1, positions[i]);
      }
      all.add(targets[i]);
    }
    return all;
  }

  @Test
  void rowsBeginAtDifferentSymbols() {
    Set<Long> places = new HashSet<>();
    for (int batch = 0; batch < 40; batch++) {
      List<Example> examples = new Examples(problem, 0, 16, 3).training(batch);
      try (Scope scope = Scope.open()) {
        SampleRows rows = new ExampleRows(true, true).of(alphabet, examples, batch, 24);
        long[] ids = rows.ids().select(0, 1).toLongs();
        for (int i = 0; i < ids.length; i++) {
          if (ids[i] == alphabet.end()) {
            places.add((long) i);
            break;
          }
        }
      }
    }
    assertTrue(places.size() > 5, "first ends of examples are at " + places);
  }

  /** In filled rows, too, only answers are learned if prompts are not. */
  @Test
  void promptsAreNotLearned() {
    List<Example> examples = new Examples(problem, 0, 33, 3).training(0);
    try (Scope scope = Scope.open()) {
      SampleRows own = ExampleRows.ANSWERS.of(alphabet, examples, 0, 64);
      int answers = examples.stream().mapToInt(example -> example.answer().size() + 1).sum();
      assertEquals(answers, own.targets().elements());
      SampleRows filled = new ExampleRows(false, true).of(alphabet, examples, 0, 64);
      int rows = (int) filled.ids().size(0);
      long learned = filled.targets().elements();
      assertTrue(learned <= answers && learned >= answers - rows, learned + " of " + answers);
    }
  }
}
