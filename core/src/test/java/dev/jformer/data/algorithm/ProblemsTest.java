package dev.jformer.data.algorithm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each problem's answers are found in another way too. */
class ProblemsTest {
  private static final int SAMPLES = 300;

  static Stream<Problem> problems() {
    Stream<Problem> sequences =
        Arrays.stream(SequenceTask.values()).map(task -> new Sequences(task, 1, 30, 40, false, 0));
    return Stream.concat(
        sequences,
        Stream.of(
            new Arithmetic(),
            new Arithmetic(ArithmeticOperation.ADD, ArithmeticFormat.REVERSE, 5, true),
            new Arithmetic(ArithmeticOperation.ADD, ArithmeticFormat.SIMPLE_SCRATCHPAD, 3, true),
            new Arithmetic(ArithmeticOperation.ADD, ArithmeticFormat.SCRATCHPAD, 3, false),
            new Arithmetic(ArithmeticOperation.SUBTRACT, ArithmeticFormat.PLAIN, 3, false),
            new Arithmetic(ArithmeticOperation.MULTIPLY, ArithmeticFormat.REVERSE, 2, false),
            new Multiplication(),
            new Multiplication(3, 3, true, 0.5),
            new Expressions(),
            new Expressions(6, 11, false),
            new Expressions(9, 7, true),
            new ProblemMixture(),
            new ProblemMixture(
                List.of(new EditDistance(5, 4, true), new EditDistance(8, 4, true)), List.of()),
            new AlteredDerivation(),
            new AlteredDerivation(
                new LongestIncreasing(9, 40, true), AlteredDerivation.Change.SHUFFLED),
            new LinearEquations(),
            new LinearEquations(5, 11, true),
            new LinearEquations(4, 2, false),
            new LongestIncreasing(),
            new LongestIncreasing(3, 7, false),
            new EditDistance(),
            new EditDistance(20, 8, false),
            new Sequences(SequenceTask.PARITY, 1, 30, 2, true, 50),
            new StateTracking(),
            new StateTracking(3, 1, 70, StateTracking.Steps.LOGARITHMIC),
            new StateTracking(5, 5, 5, StateTracking.Steps.NONE),
            new GraphConnectivity(),
            new GraphConnectivity(6, false),
            new Brackets(),
            new Brackets(2, 8, 40)));
  }

  private static List<Example> draw(Problem problem) {
    Random random = new Random(3);
    return Stream.generate(() -> problem.draw(random)).limit(SAMPLES).toList();
  }

  @ParameterizedTest
  @MethodSource("problems")
  void everyExampleFitsItsProblem(Problem problem) {
    Set<String> symbols = new HashSet<>(problem.symbols());
    assertEquals(problem.symbols().size(), symbols.size(), "each symbol once");
    assertTrue(symbols.contains(Problem.END));
    Set<List<String>> prompts = new HashSet<>();
    for (Example example : draw(problem)) {
      List<String> all = Symbols.join(example.prompt(), example.answer());
      assertTrue(symbols.containsAll(all), all::toString);
      assertTrue(all.size() < problem.mostSymbols(), all::toString);
      assertFalse(example.answer().isEmpty());
      assertFalse(problem.result(example.answer()).isEmpty());
      assertTrue(problem.isComplete(example.answer()));
      for (int end = 0; end < example.answer().size(); end++) {
        if (example.answer().get(end).equals(Problem.END)) {
          assertFalse(problem.isComplete(example.answer().subList(0, end)), all::toString);
        }
      }
      prompts.add(example.prompt());
    }
    assertTrue(prompts.size() > 20, prompts.size() + " prompts");
    assertEquals(draw(problem), draw(problem), "a seed gives the same examples");
    assertNotEquals(problem.draw(new Random(3)), problem.draw(new Random(4)));
  }

  @Test
  void scratchpadsAreWrittenAsTheAuthorsWriteThem() throws IOException {
    int cases = 0;
    try (InputStream in = getClass().getResourceAsStream("scratchpads.json")) {
      for (JsonNode each : new ObjectMapper().readTree(in)) {
        int a = each.get("a").intValue();
        int b = each.get("b").intValue();
        cases++;
        assertEquals(each.get("detailed").textValue(), text(ArithmeticFormat.SCRATCHPAD, a, b));
      }
    }
    assertEquals(9, cases);
    assertEquals(
        "Input:\n128+367\nTarget:\nA->5 , C->1\nA->9 , C->0\nA->4 , C->0.\n495\n",
        text(ArithmeticFormat.SIMPLE_SCRATCHPAD, 128, 367));
    assertEquals("128+367=495\n", text(ArithmeticFormat.PLAIN, 128, 367));
    assertEquals("$128+367=594$\n", text(ArithmeticFormat.REVERSE, 128, 367));
  }

  private static String text(ArithmeticFormat format, int a, int b) {
    Arithmetic problem = new Arithmetic(ArithmeticOperation.ADD, format, 3, false);
    Example example = problem.of(a, b);
    return String.join("", Symbols.join(example.prompt(), example.answer())) + Problem.END;
  }

  @Test
  void arithmeticIsRightAndBalanced() {
    Map<Integer, Integer> carries = new HashMap<>();
    Map<Integer, Integer> digits = new HashMap<>();
    Random random = new Random(1);
    int samples = 20_000;
    for (int i = 0; i < samples; i++) {
      Example example = new Arithmetic().draw(random);
      String[] operands = String.join("", example.prompt()).replace("=", "").split("\\+");
      int sum = Integer.parseInt(operands[0]) + Integer.parseInt(operands[1]);
      assertEquals(Integer.toString(sum), String.join("", example.answer()));
      carries.merge(example.traits().get("carries"), 1, Integer::sum);
      digits.merge(example.traits().get("digits"), 1, Integer::sum);
    }
    for (int count = 0; count <= 3; count++) {
      assertEquals(0.235, (double) carries.get(count) / samples, 0.035, count + " carries");
    }
    // The authors' file has 112, 971 and 8,917 of 10,000.
    assertEquals(0.0112, (double) digits.get(1) / samples, 0.004);
    assertEquals(0.0971, (double) digits.get(2) / samples, 0.01);
    assertEquals(3, Arithmetic.carries(995, 17));
  }

  @Test
  void stepsOfExpressionsHaveTheSameValue() {
    for (Example example : draw(new Expressions(6, 11, true))) {
      List<List<String>> steps = new ArrayList<>();
      List<String> all = Symbols.join(example.prompt(), example.answer());
      int from = 0;
      for (int i = 0; i <= all.size(); i++) {
        if (i == all.size() || all.get(i).equals("=")) {
          steps.add(all.subList(from, i));
          from = i + 1;
        }
      }
      assertEquals(7, steps.size());
      int value = Integer.parseInt(steps.get(6).get(0));
      for (List<String> step : steps) {
        assertEquals(value, new Reader(step, 11).sum(), step::toString);
      }
    }
  }

  /** Reads expressions with the usual precedence. */
  private static final class Reader {
    private final List<String> symbols;
    private final int modulus;
    private int at;

    Reader(List<String> symbols, int modulus) {
      this.symbols = symbols;
      this.modulus = modulus;
    }

    private boolean take(String symbol) {
      boolean found = at < symbols.size() && symbols.get(at).equals(symbol);
      at += found ? 1 : 0;
      return found;
    }

    int sum() {
      int value = product();
      while (true) {
        if (take("+")) {
          value = (value + product()) % modulus;
        } else if (take("-")) {
          value = Math.floorMod(value - product(), modulus);
        } else {
          return value;
        }
      }
    }

    private int product() {
      int value = number();
      while (true) {
        if (take("*")) {
          value = value * number() % modulus;
        } else if (take("/")) {
          BigInteger divisor = BigInteger.valueOf(number());
          BigInteger inverse = divisor.modInverse(BigInteger.valueOf(modulus));
          value = value * inverse.intValue() % modulus;
        } else {
          return value;
        }
      }
    }

    private int number() {
      if (take("(")) {
        int value = sum();
        assertTrue(take(")"));
        return value;
      }
      return Integer.parseInt(symbols.get(at++));
    }
  }

  @Test
  void solutionsSolveTheirEquations() {
    for (Example example : draw(new LinearEquations(4, 11, true))) {
      List<String> result = new LinearEquations(4, 11, true).result(example.answer());
      Map<String, Integer> values = new HashMap<>();
      for (String equation : String.join(" ", result).split(" , ")) {
        String[] sides = equation.split(" = ");
        values.put(sides[0], Integer.parseInt(sides[1]));
      }
      assertEquals(Set.of("a", "b", "c", "d"), values.keySet());
      String given = String.join(" ", example.prompt()).replace(" <sep>", "");
      for (String equation : given.split(" , ")) {
        String[] sides = equation.split(" = ");
        int sum = 0;
        for (String term : sides[0].split(" \\+ ")) {
          String[] factors = term.split(" ");
          sum += Integer.parseInt(factors[0]) * values.get(factors[1]);
        }
        assertEquals(Integer.parseInt(sides[1]), sum % 11, equation);
      }
    }
  }

  @Test
  void longestIncreasingSubsequencesAreLongest() {
    Set<Integer> seen = new TreeSet<>();
    for (Example example : draw(new LongestIncreasing())) {
      // Patience: the smallest end of an increasing subsequence of each length.
      List<Integer> ends = new ArrayList<>();
      for (String number : example.prompt().subList(0, 50)) {
        int value = Integer.parseInt(number);
        int place = Collections.binarySearch(ends, value);
        if (place < 0) {
          place = -place - 1;
          if (place == ends.size()) {
            ends.add(value);
          } else {
            ends.set(place, value);
          }
        }
      }
      String longest = new LongestIncreasing().result(example.answer()).get(0);
      assertEquals(Integer.toString(ends.size()), longest);
      seen.add(ends.size());
    }
    assertTrue(seen.size() > 15, "answers differ: " + seen);
  }

  @Test
  void editDistancesAreTheCheapest() {
    EditDistance problem = new EditDistance(6, 4, true);
    for (Example example : draw(problem)) {
      String[] words = String.join("", example.prompt()).replace("<sep>", "").split("\\|");
      String cost = problem.result(example.answer()).get(0);
      assertEquals(Integer.toString(cheapest(words[0], words[1])), cost);
      assertTrue(words[0].length() <= words[1].length());
    }
  }

  private static int cheapest(String a, String b) {
    if (a.isEmpty() || b.isEmpty()) {
      return 2 * (a.length() + b.length());
    }
    String restA = a.substring(1);
    String restB = b.substring(1);
    if (a.charAt(0) == b.charAt(0)) {
      return cheapest(restA, restB);
    }
    int inserted = Math.min(cheapest(restA, b), cheapest(a, restB)) + 2;
    return Math.min(inserted, cheapest(restA, restB) + 3);
  }

  @Test
  void tasksOnSequencesAreDoneRight() {
    List<Integer> given = List.of(3, 1, 3, 2, 1, 3);
    assertEquals(given, SequenceTask.COPY.of(given));
    assertEquals(List.of(3, 1, 2, 3, 1, 3), SequenceTask.REVERSE.of(given));
    assertEquals(List.of(1, 1, 2, 3, 3, 3), SequenceTask.SORT_REPEATED.of(given));
    assertEquals(List.of(3, 2, 3, 1, 2, 3), SequenceTask.HISTOGRAM.of(given));
    assertEquals(List.of(1, 1, 1, 1, 1, 1), SequenceTask.DOUBLE_HISTOGRAM.of(given));
    assertEquals(List.of(2, 2), SequenceTask.DOUBLE_HISTOGRAM.of(List.of(5, 4)));
    assertEquals(List.of(3, 1, 2), SequenceTask.MOST_FREQUENT.of(given));
    assertEquals(List.of(3), SequenceTask.MODE.of(given));
    assertEquals(List.of(1), SequenceTask.PARITY.of(given));
    assertEquals(List.of(4, 5, 6), SequenceTask.COUNT.of(List.of(4, 6)));
    for (Example example : draw(new Sequences(SequenceTask.PARITY, 1, 30, 2, true, 50))) {
      List<String> prompt = example.prompt();
      int ones = 0;
      for (int i = 1; i < prompt.size(); i += 2) {
        ones += prompt.get(i).equals("1") ? 1 : 0;
        int hint = Integer.parseInt(prompt.get(i - 1).substring(1));
        assertEquals(Integer.parseInt(prompt.get(0).substring(1)) + i / 2, hint);
      }
      List<String> answer = example.answer();
      assertEquals(Integer.toString(ones % 2), answer.get(answer.size() - 1));
      assertEquals(ones == 0 ? 1 : 2 * ones, answer.size());
    }
  }

  @Test
  void statesAreThoseOfThePermutations() {
    StateTracking problem = new StateTracking(3, 1, 9, StateTracking.Steps.ALL);
    List<List<Integer>> all =
        List.of(
            List.of(0, 1, 2),
            List.of(0, 2, 1),
            List.of(1, 0, 2),
            List.of(1, 2, 0),
            List.of(2, 0, 1),
            List.of(2, 1, 0));
    for (Example example : draw(problem)) {
      List<Integer> things = List.of(0, 1, 2);
      for (int i = 0; i < example.answer().size(); i++) {
        List<Integer> before = things;
        things =
            all.get(Integer.parseInt(example.prompt().get(i).substring(1))).stream()
                .map(before::get)
                .toList();
        assertEquals("s" + all.indexOf(things), example.answer().get(i));
      }
    }
    Example logarithmic =
        new StateTracking(5, 64, 64, StateTracking.Steps.LOGARITHMIC).draw(new Random(1));
    assertEquals(7, logarithmic.answer().size());
  }

  @Test
  void connectionsAreThoseOfTheGraph() {
    int connected = 0;
    GraphConnectivity problem = new GraphConnectivity(9, true);
    for (Example example : draw(problem)) {
      int[] group = new int[9];
      Arrays.setAll(group, i -> i);
      List<String> prompt = example.prompt();
      for (int i = 0; i < 27; i += 3) {
        int from = group[Integer.parseInt(prompt.get(i))];
        int to = group[Integer.parseInt(prompt.get(i + 2))];
        group = Arrays.stream(group).map(g -> g == from ? to : g).toArray();
      }
      boolean same =
          group[Integer.parseInt(prompt.get(28))] == group[Integer.parseInt(prompt.get(29))];
      assertEquals(List.of(same ? "yes" : "no"), problem.result(example.answer()));
      assertEquals(prompt.get(28), example.answer().get(0));
      connected += same ? 1 : 0;
    }
    assertEquals(0.5, (double) connected / SAMPLES, 0.12);
  }

  @Test
  void bracketsAreJudgedAsTheyStand() {
    Set<String> judgements = new HashSet<>();
    for (Example example : draw(new Brackets(2, 1, 20))) {
      for (int i = 1; i < example.prompt().size(); i++) {
        String word = String.join("", example.prompt().subList(0, i));
        String left = word;
        while (left.contains("()") || left.contains("{}")) {
          left = left.replace("()", "").replace("{}", "");
        }
        boolean wrong = left.contains(")") || left.contains("}");
        String expected = wrong ? "F" : left.isEmpty() ? "T" : "P";
        assertEquals(expected, example.answer().get(i - 1), word);
        judgements.add(expected);
      }
    }
    assertEquals(Set.of("T", "P", "F"), judgements);
  }

  @Test
  void settingsThatCannotBeAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Expressions(4, 12, true));
    assertThrows(IllegalArgumentException.class, () -> new LinearEquations(6, 11, true));
    assertThrows(IllegalArgumentException.class, () -> new LongestIncreasing(50, 60, true));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Sequences(SequenceTask.SORT, 1, 30, 20, false, 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Arithmetic(ArithmeticOperation.MULTIPLY, ArithmeticFormat.SCRATCHPAD, 2, false));
  }
}
