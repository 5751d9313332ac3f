package dev.jformer.rasp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

class SequenceTest {
  /** The values were made by tools/rasp/values.py with the paper's own interpreter. */
  @Test
  void equalsTheAuthorsInterpreter() throws IOException {
    Sequence x = Sequence.tokens();
    Sequence three = Sequence.constant(3);
    Map<String, Sequence> ours = new LinkedHashMap<>();
    ours.put("shift_right", Library.shiftRight(x, 2, 9));
    ours.put("cumsum", Library.countTrue(x.map("> 3", a -> a > 3 ? 1 : 0)));
    ours.put("num_prev", Library.countOf(x, three));
    ours.put("has_seen", Library.hasSeen(x, three));
    ours.put("maximum", Library.maximum(x));
    ours.put("minimum", Library.minimum(x));
    ours.put("firsts", Library.first(x, three));
    ours.put("lasts", Library.last(x, three));
    ours.put("index_select", Library.at(x, Library.first(x, x).moved(-1), -4));
    ours.put("first_true", Library.firstTrue(x.map("> 3", a -> a > 3 ? 1 : 0)));
    ours.put("induct", Library.after(x, x, 1));
    ours.put("induct_prev", Library.before(x, x, 1));
    ours.put("mean", Sequence.attend(x, x, Match.LESS, x, 5, Reduction.MEAN));
    ours.put("mean_geq", Sequence.attend(x, x, Match.AT_LEAST, x, 5, Reduction.MEAN));
    int cases = 0;
    try (InputStream in = getClass().getResourceAsStream("np-rasp.json")) {
      for (JsonNode each : new ObjectMapper().readTree(in)) {
        int[] tokens = ints(each.get("x"));
        for (Map.Entry<String, Sequence> entry : ours.entrySet()) {
          assertArrayEquals(
              ints(each.get(entry.getKey())),
              entry.getValue().of(tokens),
              () -> entry.getKey() + " of " + Arrays.toString(tokens));
          cases++;
        }
      }
    }
    assertTrue(cases > 100, cases + " cases");
  }

  private static int[] ints(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false).mapToInt(JsonNode::intValue).toArray();
  }

  @Test
  void everythingIsCausal() {
    Sequence x = Sequence.tokens();
    Sequence program = Programs.add().next();
    int[] text = {-1, -100, 0, -101, 5, -2, -100, 0, -101, 7, -3, -100};
    int[] all = program.of(text);
    for (int length = 1; length <= text.length; length++) {
      assertArrayEquals(Arrays.copyOf(all, length), program.of(Arrays.copyOf(text, length)));
    }
    assertArrayEquals(new int[] {0, 1, 2}, Sequence.positions().of(5, 5, 5));
    assertArrayEquals(new int[0], x.of());
  }

  @Test
  void positionsAreNoNumbers() {
    Sequence here = Sequence.positions();
    Sequence x = Sequence.tokens();
    assertThrows(IllegalArgumentException.class, () -> here.map("double", a -> 2 * a));
    assertThrows(IllegalArgumentException.class, () -> here.zip("+", x, Integer::sum));
    assertThrows(IllegalArgumentException.class, () -> x.zip("+", here, Integer::sum));
    assertThrows(IllegalArgumentException.class, () -> x.compare(Match.EQUAL, here));
    assertThrows(IllegalArgumentException.class, () -> x.moved(1));
    assertThrows(IllegalArgumentException.class, () -> Sequence.count(here, x, Match.EQUAL));
    assertThrows(IllegalArgumentException.class, () -> x.choose(here, x));
  }
}
