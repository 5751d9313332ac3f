package dev.jformer.data.algorithm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class TokenLabelsTest {
  private static String labels(LabellingTask task, String content) {
    return String.join(
        " ", TokenLabels.ofPaper(task).labelled(List.of(content.split(" "))).answer());
  }

  /** Examples of the paper and its repository. */
  @Test
  void knownExamples() {
    assertEquals("- 0 1 2 3 4 4 -", labels(LabellingTask.SORT, "3 1 4 2 4 0"));
    assertEquals("- 0 4 1 -", labels(LabellingTask.REVERSE, "1 4 0"));
    assertEquals("- 2 1 2 1", labels(LabellingTask.HISTOGRAM, "3 1 3 0"));
    assertEquals("- 1 2 1 2", labels(LabellingTask.DOUBLE_HISTOGRAM, "3 1 3 0"));
    assertEquals("- 3 1 0 <s>", labels(LabellingTask.MOST_FREQUENT, "3 1 3 0"));
    assertEquals("- P T P P P T F F", labels(LabellingTask.DYCK_1, "( ) ( ( ) ) ) ("));
    assertEquals("- P P F F", labels(LabellingTask.DYCK_2, "( { ) }"));
    assertEquals("- P P P T", labels(LabellingTask.DYCK_2, "( { } )"));
  }

  /** Each draw against another way to compute its labels. */
  @Test
  void drawnLabelsAreRight() {
    Random random = new Random(1);
    for (LabellingTask task : LabellingTask.values()) {
      TokenLabels problem = TokenLabels.ofPaper(task);
      Set<Integer> lengths = new HashSet<>();
      for (int i = 0; i < 500; i++) {
        Example example = problem.draw(random);
        assertEquals(example.prompt().size(), example.answer().size());
        assertTrue(example.prompt().size() <= problem.longest(), "" + example);
        assertTrue(problem.tokens().containsAll(example.prompt()), "" + example);
        assertTrue(problem.symbols().containsAll(example.prompt()));
        lengths.add(example.prompt().size());
        for (int t = 0; t < example.prompt().size(); t++) {
          String label = example.answer().get(t);
          assertEquals(expected(task, example.prompt(), t), label, task + " " + example);
          assertTrue(label.equals(Labelling.NONE) || problem.labels().contains(label), label);
        }
      }
      assertEquals(
          task.isDyck() || task == LabellingTask.RECALL
              ? 1
              : problem.longest() - (task.hasEnd() ? 2 : 1),
          lengths.size(),
          task + " has all lengths");
    }
  }

  private static String expected(LabellingTask task, List<String> prompt, int t) {
    boolean end = task == LabellingTask.REVERSE || task == LabellingTask.SORT;
    List<String> content = prompt.subList(1, prompt.size() - (end ? 1 : 0));
    if (t == 0 || t > content.size()) {
      return "-";
    }
    String own = prompt.get(t);
    return switch (task) {
      case REVERSE -> content.get(content.size() - t);
      case SORT -> content.stream().sorted().toList().get(t - 1);
      case HISTOGRAM -> Integer.toString(Collections.frequency(content, own));
      case DOUBLE_HISTOGRAM -> {
        int count = Collections.frequency(content, own);
        yield Long.toString(
            content.stream()
                .distinct()
                .filter(n -> Collections.frequency(content, n) == count)
                .count());
      }
      case MOST_FREQUENT -> {
        List<String> order = new ArrayList<>(content.stream().distinct().toList());
        order.sort((a, b) -> Collections.frequency(content, b) - Collections.frequency(content, a));
        yield t <= order.size() ? order.get(t - 1) : "<s>";
      }
      case DYCK_1, DYCK_2 -> {
        for (int part = 1; part <= t; part++) {
          String rest = String.join("", content.subList(0, part));
          String before = "";
          while (!before.equals(rest)) {
            before = rest;
            rest = rest.replace("()", "").replace("{}", "");
          }
          if (rest.contains(")") || rest.contains("}")) {
            yield "F";
          }
          if (part == t) {
            yield rest.isEmpty() ? "T" : "P";
          }
        }
        throw new AssertionError();
      }
      case RECALL -> {
        if (!own.matches("[a-z]")) {
          yield "-";
        }
        int before = prompt.subList(0, t).indexOf(own);
        yield before < 0 ? "?" : prompt.get(before + 1);
      }
    };
  }

  /** Half of the bracket words begin with a balanced one: more are balanced than by chance. */
  @Test
  void manyBracketWordsAreBalancedForLong() {
    Random random = new Random(2);
    Map<String, Integer> last = new HashMap<>();
    for (int i = 0; i < 2000; i++) {
      List<String> answer = TokenLabels.ofPaper(LabellingTask.DYCK_1).draw(random).answer();
      last.merge(answer.get(answer.size() - 1), 1, Integer::sum);
    }
    assertTrue(last.get("F") < 1100, "" + last);
    assertTrue(last.get("P") > 900, "" + last);
  }

  @Test
  void namesAreDistinct() {
    for (LabellingTask task : LabellingTask.values()) {
      TokenLabels problem = TokenLabels.ofPaper(task);
      for (List<String> names :
          Arrays.asList(problem.tokens(), problem.labels(), problem.symbols())) {
        assertEquals(names.size(), names.stream().collect(Collectors.toSet()).size());
      }
    }
  }
}
