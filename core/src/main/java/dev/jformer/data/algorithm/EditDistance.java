package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * The cost of changing one word into another, as in <a
 * href="https://arxiv.org/abs/2305.15408">Towards Revealing the Mystery behind Chain of Thought: A
 * Theoretical Perspective</a>: 2 for a letter inserted or deleted, 3 for one replaced. Two words in
 * five are independent; the others come from the first by random edits. The shorter one comes
 * first. (The authors' program counts 1 for each letter of the table's edge; here it is 2, as
 * elsewhere.) A derivation has the table of costs of all beginnings, row by row.
 *
 * @param length letters of one word; the other has 3 fewer to 2 more
 * @param letters words are made of 3 to {@code letters + 2} different letters
 * @param derivation whether the answer has the table, or the cost only
 */
@AutoService(Problem.class)
public record EditDistance(int length, int letters, boolean derivation) implements Problem {
  private static final String NEXT = "<sep>";
  private static final String BETWEEN = "|";
  private static final String ROW = ",";
  private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyz";
  private static final int INSERTED = 2;
  private static final int REPLACED = 3;

  /** Defaults: words of about 12 letters, with derivations. */
  public EditDistance() {
    this(12, 8, true);
  }

  /** Checks the values. */
  public EditDistance {
    Checks.between("length", length, 4, 100);
    Checks.between("letters", letters, 1, ALPHABET.length() - 2);
  }

  @Override
  public String type() {
    return "edit-distance";
  }

  @Override
  public String separator() {
    return " ";
  }

  @Override
  public List<String> symbols() {
    return Symbols.join(
        List.of(END, NEXT, BETWEEN, ROW),
        Symbols.characters(ALPHABET),
        Symbols.numbers(0, INSERTED * (2 * length + 2) + 1));
  }

  @Override
  public Example draw(RandomGenerator random) {
    while (true) {
      String using = using(random);
      String first = word(length, using, random);
      String second =
          random.nextDouble() < 0.4
              ? word(length - 3 + random.nextInt(6), using, random)
              : edited(first, using, random);
      boolean fits = second.length() >= length - 3 && second.length() < length + 3;
      if (fits && !first.equals(second)) {
        return first.length() > second.length() ? of(second, first) : of(first, second);
      }
    }
  }

  private Example of(String first, String second) {
    List<String> prompt = new ArrayList<>(Symbols.characters(first));
    prompt.add(BETWEEN);
    prompt.addAll(Symbols.characters(second));
    prompt.add(NEXT);
    int[][] costs = costs(first, second);
    List<String> answer = new ArrayList<>();
    for (int row = 1; derivation && row < costs.length; row++) {
      answer.addAll(Symbols.of(costs[row]).subList(1, costs[row].length));
      answer.add(ROW);
    }
    answer.addAll(derivation ? List.of(NEXT) : List.of());
    answer.add(Integer.toString(costs[first.length()][second.length()]));
    return new Example(prompt, answer, Map.of("length", first.length()));
  }

  private String using(RandomGenerator random) {
    List<Integer> places = new ArrayList<>(IntStream.range(0, ALPHABET.length()).boxed().toList());
    Collections.shuffle(places, new Random(random.nextLong()));
    StringBuilder using = new StringBuilder();
    int count = 3 + random.nextInt(letters);
    places.stream().limit(count).forEach(place -> using.append(ALPHABET.charAt(place)));
    return using.toString();
  }

  private static char letter(String using, RandomGenerator random) {
    return using.charAt(random.nextInt(using.length()));
  }

  private static String word(int length, String using, RandomGenerator random) {
    StringBuilder word = new StringBuilder();
    for (int i = 0; i < length; i++) {
      word.append(letter(using, random));
    }
    return word.toString();
  }

  private String edited(String word, String using, RandomGenerator random) {
    StringBuilder edited = new StringBuilder(word);
    for (int edits = 1 + random.nextInt(length); edits > 0; edits--) {
      int kind = random.nextInt(3);
      if (kind == 0 && edited.length() > 2) {
        edited.deleteCharAt(random.nextInt(edited.length()));
      } else if (kind == 1) {
        edited.setCharAt(random.nextInt(edited.length()), letter(using, random));
      } else {
        edited.insert(random.nextInt(edited.length() + 1), letter(using, random));
      }
    }
    return edited.toString();
  }

  private static int[][] costs(String first, String second) {
    int[][] costs = new int[first.length() + 1][second.length() + 1];
    for (int i = 0; i <= first.length(); i++) {
      for (int j = 0; j <= second.length(); j++) {
        if (i == 0 || j == 0) {
          costs[i][j] = INSERTED * (i + j);
        } else {
          boolean same = first.charAt(i - 1) == second.charAt(j - 1);
          int changed = Math.min(costs[i - 1][j], costs[i][j - 1]) + INSERTED;
          costs[i][j] = Math.min(changed, costs[i - 1][j - 1] + (same ? 0 : REPLACED));
        }
      }
    }
    return costs;
  }

  @Override
  public int mostSymbols() {
    int prompt = 2 * length + 2 + 2;
    return prompt + (derivation ? length * (length + 3) + 1 : 0) + 2;
  }

  @Override
  public List<String> result(List<String> answer) {
    return Symbols.afterLast(answer, NEXT);
  }
}
